#include "runtime/container.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/io.h"
#include "runtime/container_parts.h"
#include "runtime/jot.h"
#include "spec/read.h"
#include "syscall/sys.h"

void found_clear(struct found *found)
{
        observed_clear_p(&found->now);
        state_clear(&found->state);
        state_dir_clear(&found->dir);
        *found = FOUND_INIT;
}

int found_open(struct found *found, int root_fd, const char *id, bool lock, struct error *err)
{
        int r = state_dir_open(root_fd, id, &found->dir, err);
        if (r == 0 && lock)
                r = state_dir_lock(&found->dir, err);
        if (r == 0)
                r = state_read(&found->dir, &found->state, err);
        if (r == 0)
                r = state_observe(&found->state, &found->now, err);
        return r;
}

int found_read_spec(const struct state_dir *dir, struct spec **ret_spec, struct error *err)
{
        int r = spec_read_file(dir->fd, CONFIG_FILE, ret_spec, err);
        return r < 0 ? error_wrap(err, "container \"%s\"", dir->id) : 0;
}

int container_state(int root_fd, const char *id, char **ret_json, struct error *err)
{
        auto_found struct found c = FOUND_INIT;
        int r = found_open(&c, root_fd, id, false, err);
        if (r < 0)
                return r;
        auto_jot struct jot j = JOT_INIT(2);
        state_jot(&j, &c.state, c.now.status, "");
        char *json = jot_take(&j);
        if (!json)
                return error_set(err, -ENOMEM, "write the state of container \"%s\"", id);
        *ret_json = json;
        return 0;
}

/* ---- signals, freezing ---- */

static int not_running(const char *id, struct error *err)
{
        return error_say(err, -ESRCH, "container not running: \"%s\"", id);
}

/* To every process of the container. -ESRCH if there is none. */
static int signal_all(const struct found *c, int sig, struct error *err)
{
        struct cgroup_host host;
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        auto_free pid_t *pids = NULL;
        size_t n = 0;
        int r = state_open_cgroup(&c->state, &host, &cg, err);
        if (r == 0)
                r = cgroup_pids(&cg, &pids, &n, err);
        if (r < 0)
                return r;
        return n > 0 ? cgroup_kill(&cg, sig, err) : not_running(c->state.id, err);
}

static int set_frozen(const struct found *c, enum cgroup_freeze want, struct error *err)
{
        struct cgroup_host host;
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        if (!state_has_cgroup(&c->state))
                return error_say(err, -EOPNOTSUPP, "container \"%s\" has no cgroup of its own: it cannot be %s",
                                 c->state.id, want == CGROUP_FROZEN ? "paused" : "resumed");
        int r = state_open_cgroup(&c->state, &host, &cg, err);
        return r == 0 ? cgroup_set_frozen(&cg, want, err) : r;
}

/*
 * The process of a created container has not begun: it has no handlers, and as
 * the first of its pid namespace it ignores what it does not handle
 * (pid_namespaces(7)). What would end any other process has to end it too.
 */
static int signal_for_created(int sig)
{
        static const int ending[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGABRT, SIGALRM, SIGUSR1, SIGUSR2 };
        for (size_t i = 0; i < sizeof(ending) / sizeof(*ending); i++)
                if (ending[i] == sig)
                        return SIGKILL;
        return sig;
}

int container_kill(int root_fd, const char *id, int sig, bool all, struct error *err)
{
        auto_found struct found c = FOUND_INIT;
        int r = found_open(&c, root_fd, id, false, err);
        if (r < 0)
                return r;
        if (c.now.status == STATUS_CREATED)
                sig = signal_for_created(sig);
        /* Without a pid namespace of its own, the end of the first process is not the end of the others. */
        if (state_has_cgroup(&c.state) && (all || (sig == SIGKILL && c.state.shares_pids))) {
                r = signal_all(&c, sig, err);
                return r == -ESRCH && all ? 0 : r;
        }
        if (c.now.pidfd < 0)
                return all ? 0 : not_running(id, err);
        r = sys_pidfd_kill(c.now.pidfd, sig);
        if (r == -ESRCH)
                return not_running(id, err);
        if (r < 0)
                return error_set(err, r, "send signal %d to container \"%s\"", sig, id);
        /* The v1 freezer delivers not even SIGKILL before it thaws (freezer-subsystem.rst). */
        if (sig == SIGKILL && c.now.status == STATUS_PAUSED)
                return set_frozen(&c, CGROUP_THAWED, err);
        return 0;
}

int container_pause(int root_fd, const char *id, struct error *err)
{
        auto_found struct found c = FOUND_INIT;
        int r = found_open(&c, root_fd, id, true, err);
        if (r < 0)
                return r;
        if (c.now.status != STATUS_RUNNING && c.now.status != STATUS_CREATED)
                return error_say(err, -EINVAL, "container not running or created: \"%s\" is %s", id,
                                 status_names[c.now.status]);
        return set_frozen(&c, CGROUP_FROZEN, err);
}

int container_resume(int root_fd, const char *id, struct error *err)
{
        auto_found struct found c = FOUND_INIT;
        int r = found_open(&c, root_fd, id, true, err);
        if (r < 0)
                return r;
        if (c.now.status != STATUS_PAUSED)
                return error_say(err, -EINVAL, "container not paused: \"%s\" is %s", id, status_names[c.now.status]);
        return set_frozen(&c, CGROUP_THAWED, err);
}

int container_pids(int root_fd, const char *id, pid_t **ret_pids, size_t *ret_n, struct error *err)
{
        struct cgroup_host host;
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        auto_found struct found c = FOUND_INIT;
        int r = found_open(&c, root_fd, id, false, err);
        if (r == 0 && !state_has_cgroup(&c.state))
                r = error_say(err, -EOPNOTSUPP,
                              "container \"%s\" has no cgroup of its own: its processes are not known", id);
        if (r == 0)
                r = state_open_cgroup(&c.state, &host, &cg, err);
        return r == 0 ? cgroup_pids(&cg, ret_pids, ret_n, err) : r;
}

/* ---- small things that several verbs need ---- */

int container_check_fds(uint32_t n, struct error *err)
{
        if (n > 1u << 20)
                return error_say(err, -EINVAL, "%u descriptors cannot be preserved", n);
        for (uint32_t fd = 3; fd < 3 + n; fd++)
                if (fcntl((int) fd, F_GETFD) < 0)
                        return error_say(err, -EBADF, "descriptor %u should be preserved (--preserve-fds, LISTEN_FDS), "
                                         "but it is not open", fd);
        return 0;
}

int container_write_pid(const char *path, pid_t pid, struct error *err)
{
        char text[16];
        int n = snprintf(text, sizeof(text), "%d", (int) pid);
        int r = io_replace_file(AT_FDCWD, path, text, (size_t) n, 0644);
        return r < 0 ? error_set(err, r, "write pid file \"%s\"", path) : 0;
}

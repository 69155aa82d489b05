#include "runtime/exec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "plan/compile.h"
#include "runtime/container_parts.h"
#include "runtime/instance.h"
#include "runtime/supervise.h"

struct joining {
        const struct exec_options *opts;
        struct found c;
        struct spec *spec, *other;
        struct host host;
        void *block;
        struct plan plan;
        struct instance in;
        struct instance_env env;
        struct listen_env listen_env;
        struct session_options session_opts;
        struct session session;
        struct handout out;
};

#define JOINING_INIT                                                                                            \
        ((struct joining){ .c = FOUND_INIT, .in = INSTANCE_INIT, .env = INSTANCE_ENV_INIT,                       \
                           .session = SESSION_INIT, .out = HANDOUT_INIT })

static void joining_clear_p(struct joining *j)
{
        session_clear(&j->session);
        handout_clear(&j->out);
        instance_env_clear(&j->env);
        fd_close(j->in.fd[1]);  /* fd[0] is the container's */
        spec_free(j->spec);
        spec_free(j->other);
        free(j->block);
        found_clear(&j->c);
}
#define auto_joining CLEANUP(joining_clear)

static int find_container(struct joining *j, int root_fd, struct error *err)
{
        const struct exec_options *o = j->opts;
        int r = found_open(&j->c, root_fd, o->id, false, err);
        if (r < 0)
                return r;
        enum state_status status = j->c.now.status;
        if (j->c.state.kind != STATE_CONTAINER)
                return error_say(err, -EINVAL, "\"%s\" is a job of the launcher, not a container", o->id);
        if (status == STATUS_PAUSED && !o->ignore_paused)
                return error_say(err, -EBUSY, "cannot exec in a paused container (use --ignore-paused to override)");
        if (status != STATUS_CREATED && status != STATUS_RUNNING && status != STATUS_PAUSED)
                return error_say(err, -ESRCH, "cannot exec in a %s container: \"%s\"", status_names[status], o->id);
        r = found_read_spec(&j->c.dir, &j->spec, err);
        if (r == 0)
                r = exec_edit_process(j->spec, o, &j->other, err);
        return r < 0 ? r : place_process(&o->place, j->spec, err);
}

/* CLONE_NEW* of the namespaces in which the container's process differs from us. */
static int find_joins(pid_t pid, uint64_t *ret_joins, struct error *err)
{
        static const char *const names[NS_TYPES] = {
                [NS_USER] = "user", [NS_PID] = "pid", [NS_MOUNT] = "mnt",     [NS_UTS] = "uts",
                [NS_IPC] = "ipc",   [NS_NETWORK] = "net", [NS_CGROUP] = "cgroup", [NS_TIME] = "time",
        };
        uint64_t joins = 0;
        for (int i = 0; i < NS_TYPES; i++) {
                char own[64], its[64];
                struct stat a, b;
                snprintf(own, sizeof(own), "/proc/self/ns/%s", names[i]);
                snprintf(its, sizeof(its), "/proc/%d/ns/%s", (int) pid, names[i]);
                if (stat(own, &a) < 0) {
                        if (errno == ENOENT)    /* a kernel without this kind */
                                continue;
                        return error_set(err, -errno, "look at \"%s\"", own);
                }
                if (stat(its, &b) < 0)
                        return error_set(err, -errno, "look at the namespaces of process %d", (int) pid);
                if (a.st_ino != b.st_ino || a.st_dev != b.st_dev)
                        joins |= ns_clone_flags[i];
        }
        *ret_joins = joins;
        return 0;
}

/* From one part of the tree to another only root moves a process; a user asks the systemd whose unit it is. */
static const char *unit_of(const struct state *st)
{
        return state_has_cgroup(st) && state_has_unit(st) && st->unit_user ? st->unit : NULL;
}

static int compile(struct joining *j, struct error *err)
{
        const struct exec_options *o = j->opts;
        const struct state *st = &j->c.state;
        struct join_wish wish = {
                .no_pivot = st->no_pivot,
                .cgroup = state_has_cgroup(st),
                .resctrl = state_has_resctrl(st),
                .unit = unit_of(st),
                .id = st->id,
                .preserve_fds = o->preserve_fds + o->listen_fds,
                .die_with_parent = !o->detach,
        };
        size_t size = 0;
        int r = host_probe(&j->host, err);
        if (r == 0)
                r = find_joins(st->process.pid, &wish.joins, err);
        if (r == 0)
                r = plan_compile_join(j->spec, &j->host, &wish, &j->block, &size, err);
        if (r < 0)
                return r;
        log_say(o->log, "container \"%s\", process %d: to be joined; the plan has %zu bytes", st->id, (int) st->process.pid,
                size);
        return plan_open(&j->plan, j->block, size, err);
}

static int fill_instance(struct joining *j, struct error *err)
{
        listen_env_set(&j->listen_env, j->opts->listen_fds);
        int r = instance_env_set(&j->env, j->spec->process.args, j->spec->process.env, j->listen_env.list, err);
        if (r < 0)
                return r;
        instance_env_use(&j->env, &j->in);
        j->in.fd[0] = j->c.now.pidfd;
        if (!j->c.state.no_pivot)
                return 0;
        char path[64];
        snprintf(path, sizeof(path), "/proc/%d/root", (int) j->c.state.process.pid);
        j->in.fd[1] = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        return j->in.fd[1] < 0 ? error_set(err, -errno, "open the root of container \"%s\"", j->opts->id) : 0;
}

/* The container's own cgroup: entered, but not ours to remove when something fails. */
static int borrow_cgroup(struct joining *j, struct error *err)
{
        struct cgroup *cg = &j->session.cgroup;
        if (!state_has_cgroup(&j->c.state))
                return 0;
        int r = cgroup_restore(&j->host.cgroups, j->c.state.cgroup, cg, err);
        for (size_t i = 0; i < CGROUP_HIERARCHIES_MAX; i++)
                cg->dir[i].created = false;
        const char *const *where = j->opts->cgroups;
        if (r == 0 && !where)
                return cgroup_follow(cg, j->c.state.cgroup, j->c.state.process.pid, err);
        for (size_t i = 0; r == 0 && where[i]; i++) {
                r = cgroup_descend(cg, where[i], err);
                if (r < 0)
                        return error_wrap(err, "--cgroup \"%s\"", where[i]);
        }
        return r;
}

/* Also not ours to remove. One that is gone is done without: the step says what then. */
static int borrow_resctrl(struct joining *j, struct error *err)
{
        const struct state *st = &j->c.state;
        struct resctrl *g = &j->session.resctrl;
        if (!state_has_resctrl(st) || resctrl_find(&g->root_fd, NULL) < 0)
                return 0;
        int r = resctrl_reopen(g, st->resctrl, st->resctrl_monitored ? st->id : NULL, err);
        return r == -ENOENT ? 0 : r;
}

/* A seccomp agent hears whose filter it is to decide about; its message has the pid of the new process itself. */
static int state_for_agent(void *arg, const struct session *s, unsigned kind, char **ret_json, struct error *err)
{
        const struct joining *j = arg;
        (void) s, (void) kind;
        return recorder_hook_json(&j->c.state, HOOK_POSTSTART, ret_json, err);
}

static const struct session_ops exec_ops = { .hook_state = state_for_agent };

static int make(struct joining *j, int root_fd, struct error *err)
{
        const struct exec_options *o = j->opts;
        const struct handout_paths paths = { o->console_socket, o->pidfd_socket, o->pid_file };
        int r = find_container(j, root_fd, err);
        if (r == 0)
                r = handout_prepare(&j->out, &paths, &j->spec->process, !o->detach, err);
        if (r == 0)
                r = compile(j, err);
        if (r == 0)
                r = fill_instance(j, err);
        if (r == 0)
                r = borrow_cgroup(j, err);
        if (r == 0)
                r = borrow_resctrl(j, err);
        if (r < 0)
                return r;
        j->session_opts = (struct session_options){ .host = &j->host, .ops = &exec_ops, .ops_arg = j, .listen_fd = -1,
                                                    .log = o->log, .attached = unit_of(&j->c.state) != NULL,
                                                    .alive_fd = -1 };
        r = session_start(&j->session, &j->plan, &j->in, &j->session_opts, err);
        return r < 0 ? r : handout_give(&j->out, &j->session, err);
}

int exec_run(int root_fd, const struct exec_options *opts, int *ret_status, struct error *err)
{
        auto_joining struct joining j = JOINING_INIT;
        auto_supervise struct supervise sup = SUPERVISE_INIT;
        j.opts = opts;
        int r = opts->detach ? 0 : supervise_begin(&sup, err);
        if (r == 0)
                r = make(&j, root_fd, err);
        if (r < 0)
                return r;
        int status = 0;
        if (!opts->detach) {
                struct console *con = j.spec->process.terminal ? &j.out.console : NULL;
                r = supervise_wait(&sup, j.session.pidfd, con, &status, err);
                if (r < 0)
                        return r;
                log_say(opts->log, "process %d ended: status %d", (int) j.session.pid, status);
                if (con)
                        supervise_drain(con);
        }
        session_release(&j.session);
        *ret_status = status;
        return 0;
}

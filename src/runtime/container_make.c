#include "runtime/container.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/io.h"
#include "plan/compile.h"
#include "runtime/container_parts.h"
#include "runtime/instance.h"
#include "runtime/notify.h"
#include "runtime/supervise.h"
#include "spec/words.h"

/* Everything that is decided and held while a container is made. */
struct making {
        const struct container_options *opts;
        bool await_start;               /* create, not run */
        bool foreground;
        struct entry entry;
        void *block;                    /* of the plan */
        size_t block_size;
        struct plan plan;
        struct instance in;
        struct recorder rec;
        struct session_options session_opts;
        struct session session;
        struct handout out;
        struct notify notify;
        struct listen_env listen_env;
        struct instance_env env;
        int listen_fd;
        struct error *warning;
};

#define MAKING_INIT                                                                                             \
        ((struct making){ .entry = ENTRY_INIT, .in = INSTANCE_INIT, .session = SESSION_INIT,                     \
                          .out = HANDOUT_INIT, .notify = NOTIFY_INIT, .env = INSTANCE_ENV_INIT, .listen_fd = -1 })

static void making_clear_p(struct making *m)
{
        session_clear(&m->session);
        handout_clear(&m->out);
        notify_clear(&m->notify);
        instance_env_clear(&m->env);
        fd_close(m->listen_fd);
        recorder_clear_p(&m->rec);
        entry_clear(&m->entry);
        free(m->block);
}
#define auto_making CLEANUP(making_clear)

static int compile(struct making *m, struct error *err)
{
        const struct container_options *o = m->opts;
        struct wish wish;
        int r = entry_wish(&m->entry, &wish, err);
        if (r < 0)
                return r;
        wish.await_start = m->await_start;
        wish.die_with_parent = m->foreground;
        wish.preserve_fds = o->preserve_fds + o->listen_fds;
        r = plan_compile(m->entry.spec, &m->entry.host, &wish, &m->block, &m->block_size, err);
        if (r < 0)
                return r;
        log_say(o->log, "container \"%s\": the plan has %zu bytes, made of %zu of %s/" CONFIG_FILE, o->id, m->block_size,
                m->entry.config_size, o->bundle);
        return plan_open(&m->plan, m->block, m->block_size, err);
}

/* What `start` needs: the plan, and a socket behind which the child waits. */
static int prepare_start(struct making *m, struct error *err)
{
        int r = io_replace_file(m->entry.dir.fd, PLAN_FILE, m->block, m->block_size, 0600);
        if (r < 0)
                return error_set(err, r, "write the plan for start");
        auto_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        struct sockaddr_un at = { .sun_family = AF_UNIX };
        snprintf(at.sun_path, sizeof(at.sun_path), "/proc/self/fd/%d/" SOCKET_FILE, m->entry.dir.fd);
        if (fd < 0 || bind(fd, (const struct sockaddr *) &at, sizeof(at)) < 0 || listen(fd, 8) < 0)
                return error_set(err, -errno, "make the socket for start");
        m->listen_fd = take_fd(&fd);
        return 0;
}

static int fill_instance(struct making *m, struct error *err)
{
        listen_env_set(&m->listen_env, m->opts->listen_fds);
        const struct spec_process *p = &m->entry.spec->process;
        int r = instance_env_set(&m->env, p->args, p->env, m->listen_env.list, err);
        if (r == 0)
                instance_env_use(&m->env, &m->in);
        return r;
}

/* Nobody could tell its processes from others, once the first is gone. */
static void warn_of_no_cgroup(const struct making *m)
{
        bool any = false;
        for (size_t i = 0; i < m->entry.host.cgroups.n; i++)
                any = any || m->session.cgroup.dir[i].fd >= 0;
        if (m->entry.state.shares_pids && !any && !m->opts->no_cgroup && !m->entry.host.privileged)
                (void) error_say(m->warning, -EOPNOTSUPP,
                                 "the container has neither a cgroup nor a pid namespace of its own. Such configuration is "
                                 "strongly discouraged: not all of its processes can be found to be killed");
}

/* The kernel raises only what is permitted and inheritable (capabilities(7)). What `runc spec` wrote up to
 * 1.1 has ambient capabilities and no inheritable ones: nobody meant that, and nothing is said of it. */
static void warn_of_ambient(const struct making *m)
{
        const uint64_t *caps = m->entry.spec->process.caps;
        uint64_t lost = caps[CAPS_AMBIENT] & ~(caps[CAPS_PERMITTED] & caps[CAPS_INHERITABLE]);
        for (unsigned cap = 0; caps[CAPS_INHERITABLE] && cap < CAPABILITIES; cap++)
                if (lost >> cap & 1) {
                        (void) error_say(m->warning, -EPERM, "can't raise ambient capability %s: it is not both permitted and "
                                         "inheritable", capability_words[cap]);
                        return;
                }
}

/* Who is given something; a config may name the receiver of the pidfd, as for crun. */
static int prepare_handout(struct making *m, struct error *err)
{
        struct spec *spec = m->entry.spec;
        struct handout_paths paths = { m->opts->console_socket, m->opts->pidfd_socket, m->opts->pid_file };
        if (!paths.pidfd_socket)
                paths.pidfd_socket = spec_annotation(spec->annotations, spec->n_annotations, "run.oci.pidfd_receiver");
        return handout_prepare(&m->out, &paths, &spec->process, m->foreground, err);
}

static int prepare_notify(struct making *m, int root_fd, struct error *err)
{
        m->notify.host = m->opts->notify_socket;
        m->notify.log = m->opts->log;
        return notify_offer(&m->notify, root_fd, m->opts->id, m->entry.spec, err);
}

/* From options to a process that waits or runs. On failure nothing is left. */
static int make(struct making *m, int root_fd, struct error *err)
{
        int r = state_check_id(m->opts->id, err);
        if (r == 0)
                r = entry_read_config(&m->entry, err);
        if (r == 0)
                r = prepare_handout(m, err);
        if (r == 0)
                r = prepare_notify(m, root_fd, err);
        if (r == 0)
                r = compile(m, err);
        if (r == 0)
                r = fill_instance(m, err);
        if (r == 0)
                r = entry_make(&m->entry, root_fd, err);
        if (r < 0)
                return r;

        r = notify_make(&m->notify, m->entry.dir.fd, err);
        if (r == 0)
                r = m->await_start ? prepare_start(m, err) : notify_listen(&m->notify, m->entry.dir.fd, err);
        if (r == 0) {
                m->rec = (struct recorder){ .dir = &m->entry.dir, .state = &m->entry.state, .keeps_supervisor = m->foreground };
                m->session_opts = (struct session_options){
                        .host = &m->entry.host, .ops = &recorder_ops, .ops_arg = &m->rec,
                        .listen_fd = m->listen_fd, .alive_fd = -1, .log = m->opts->log,
                };
                r = session_start(&m->session, &m->plan, &m->in, &m->session_opts, err);
        }
        if (r == 0)
                r = handout_give(&m->out, &m->session, err);
        if (r == 0)
                warn_of_ambient(m);
        if (r == 0)
                warn_of_no_cgroup(m);
        if (r < 0) {
                struct error ignored = ERROR_INIT;      /* the failure is already known */
                session_clear(&m->session);
                ignore_result(state_dir_remove(&m->entry.dir, NULL));
                if (r == -ECANCELED)    /* a hook: runtime.md#lifecycle goes on at step 12 */
                        container_poststop(m->entry.spec, &m->entry.state, &ignored);
        }
        return r;
}

int container_create(int root_fd, const struct container_options *opts, struct error *warning, struct error *err)
{
        auto_making struct making m = MAKING_INIT;
        m.opts = m.entry.opts = opts;
        m.warning = warning;
        m.await_start = true;
        int r = make(&m, root_fd, err);
        if (r == 0)
                session_release(&m.session);
        return r;
}

int container_plan(const struct container_options *opts, bool await_start, void **ret_block, size_t *ret_size,
                   struct error *err)
{
        auto_making struct making m = MAKING_INIT;
        m.opts = m.entry.opts = opts;
        m.await_start = await_start;
        m.foreground = !await_start && !opts->detach;
        int r = entry_read_config(&m.entry, err);
        if (r == 0)
                r = compile(&m, err);
        if (r < 0)
                return r;
        *ret_block = take_ptr(&m.block);
        *ret_size = m.block_size;
        return 0;
}

static int run_foreground(struct making *m, int root_fd, int *ret_status, struct error *warning, struct error *err)
{
        auto_supervise struct supervise sup = SUPERVISE_INIT;
        int r = supervise_begin(&sup, err);
        sup.notify = &m->notify;
        if (r == 0)
                r = make(m, root_fd, err);
        if (r < 0)
                return r;
        const struct stay stay = {
                .entry = &m->entry, .session = &m->session, .sup = &sup,
                .console = m->entry.spec->process.terminal ? &m->out.console : NULL,
                .watched = m->entry.state.shares_pids,
        };
        r = container_stay(&stay, root_fd, ret_status, warning, err);
        if (m->notify.failed.code < 0)
                *warning = m->notify.failed;
        return r;
}

int container_run(int root_fd, const struct container_options *opts, int *ret_status, struct error *warning,
                  struct error *err)
{
        auto_making struct making m = MAKING_INIT;
        m.opts = m.entry.opts = opts;
        m.warning = warning;
        m.foreground = !opts->detach;
        if (m.foreground)
                return run_foreground(&m, root_fd, ret_status, warning, err);
        int r = make(&m, root_fd, err);
        if (r < 0)
                return r;
        if (m.notify.fd >= 0) {
                state_dir_unlock(&m.entry.dir);
                notify_wait(&m.notify, m.session.pidfd, m.session.pid);
        }
        if (m.notify.failed.code < 0)
                *warning = m.notify.failed;
        session_release(&m.session);
        *ret_status = 0;
        return 0;
}

#include "runtime/container.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/io.h"
#include "cgroups/systemd.h"
#include "cgroups/unit.h"
#include "plan/compile.h"
#include "runtime/container_parts.h"
#include "runtime/instance.h"
#include "runtime/supervise.h"
#include "spec/path_clean.h"
#include "spec/read.h"

/* Everything that is decided and held while a container is made. */
struct making {
        const struct container_options *opts;
        bool await_start;               /* create, not run */
        bool foreground;
        char *config;                   /* the text of config.json */
        size_t config_size;
        struct spec *spec;
        struct host host;
        void *block;                    /* of the plan */
        size_t block_size;
        struct plan plan;
        struct unit unit;               /* with opts->systemd */
        const char *unit_path;          /* its cgroup; NULL: not known yet, or none */
        struct instance in;
        struct state state;
        struct state_dir dir;
        char created[40];
        struct recorder rec;
        struct session_options session_opts;
        struct session session;
        struct handout out;
        struct listen_env listen_env;
        struct instance_env env;
        int listen_fd;
        struct error *warning;
};

#define MAKING_INIT                                                                                             \
        ((struct making){ .in = INSTANCE_INIT, .dir = STATE_DIR_INIT, .session = SESSION_INIT,                   \
                          .out = HANDOUT_INIT, .env = INSTANCE_ENV_INIT, .listen_fd = -1 })

static void making_clear_p(struct making *m)
{
        session_clear(&m->session);
        handout_clear(&m->out);
        instance_env_clear(&m->env);
        fd_close(m->listen_fd);
        state_dir_clear(&m->dir);
        recorder_clear_p(&m->rec);
        spec_free(m->spec);
        free(m->block);
        free(m->config);
}
#define auto_making CLEANUP(making_clear)

/* From here on the config, also the copy that is kept, is one that names them. */
static int add_devices(struct making *m, struct error *err)
{
        const struct container_options *o = m->opts;
        struct error warning = ERROR_INIT;
        int r = device_edit(&o->devices, &m->config, &m->config_size, &m->spec, &warning, err);
        if (r == 0 && warning.code < 0 && o->warn)
                o->warn(o->warn_arg, &warning);
        return r;
}

static int read_config(struct making *m, struct error *err)
{
        auto_fd int bundle = open(m->opts->bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (bundle < 0)
                return error_set(err, -errno, "open bundle \"%s\"", m->opts->bundle);
        int r = io_read_file(bundle, CONFIG_FILE, CONFIG_SIZE_MAX, &m->config, &m->config_size);
        if (r < 0)
                return error_set(err, r, "open %s/" CONFIG_FILE, m->opts->bundle);
        r = spec_read_text(m->config, m->config_size, CONFIG_FILE, &m->spec, err);
        if (r == 0)
                r = add_devices(m, err);
        if (r < 0)
                return r;
        if (!m->spec->has_process || !m->spec->process.args)
                return error_say(err, -EINVAL, CONFIG_FILE ": process.args: nothing to run");
        return 0;
}

static int compile(struct making *m, struct error *err)
{
        const struct container_options *o = m->opts;
        int r = host_probe(&m->host, err);
        if (r < 0)
                return r;
        struct wish wish = {
                .bundle = o->bundle,
                .id = o->id,
                .await_start = m->await_start,
                .die_with_parent = m->foreground,
                .no_pivot = o->no_pivot,
                .no_cgroup = o->no_cgroup,
                .rootless = o->rootless,
                .no_new_keyring = o->no_new_keyring,
                .preserve_fds = o->preserve_fds + o->listen_fds,
        };
        if (o->systemd) {
                wish_systemd(&wish, systemd_is_users());
                r = plan_unit(m->spec, &wish, m->spec->arena, &m->unit, &m->unit_path, err);
        }
        if (r < 0)
                return r;
        r = plan_compile(m->spec, &m->host, &wish, &m->block, &m->block_size, err);
        if (r < 0)
                return r;
        log_say(o->log, "container \"%s\": the plan has %zu bytes, made of %zu of %s/" CONFIG_FILE, o->id, m->block_size,
                m->config_size, o->bundle);
        return plan_open(&m->plan, m->block, m->block_size, err);
}

/*
 * Where the cgroup is going to be, in the words of cgroup_save(). Should we be
 * killed after making it and before we can write down that we did, this is how
 * it is found.
 */
static const char *expected_cgroup(const struct making *m)
{
        struct arena *arena = m->spec->arena;
        const char *path = m->opts->systemd ? m->unit_path : m->spec->cgroups_path, *text = "";
        if (m->opts->systemd && !path)
                return text;
        if (!path || !*path)
                path = m->opts->id;
        for (size_t i = 0; text && !m->opts->no_cgroup && i < m->host.cgroups.n; i++) {
                const struct cgroup_hierarchy *h = &m->host.cgroups.h[i];
                const char *whole = path[0] == '/' ? path : arena_printf(arena, "%s/%s", h->own, path);
                const char *clean = whole ? path_clean(arena, whole) : NULL;
                text = clean ? arena_printf(arena, "%s%s:%s\n", text, h->controllers, clean) : NULL;
        }
        return text;
}

static int fill_state(struct making *m, struct error *err)
{
        struct spec *spec = m->spec;
        const char *path = spec->root.path;
        if (path[0] != '/')
                path = arena_printf(spec->arena, "%s/%s", m->opts->bundle, path);
        const char *rootfs = path ? path_clean(spec->arena, path) : NULL;
        const char *cgroup = expected_cgroup(m);
        if (!rootfs || !cgroup)
                return error_set(err, -ENOMEM, "make container \"%s\"", m->opts->id);
        state_timestamp(m->created, sizeof(m->created));
        m->state = (struct state){
                .kind = STATE_CONTAINER,
                .status = STATUS_CREATING,
                .id = m->opts->id,
                .oci_version = spec->oci_version,
                .bundle = m->opts->bundle,
                .rootfs = rootfs,
                .created = m->created,
                .owner = geteuid(),
                .no_pivot = m->opts->no_pivot,
                .shares_pids = !spec->ns[NS_PID].wanted || spec->ns[NS_PID].path,
                .has_poststop = spec->hooks[HOOK_POSTSTOP].n > 0,
                .annotations = spec->annotations,
                .n_annotations = spec->n_annotations,
                .cgroup = cgroup,
                .cgroup_expected = *cgroup != '\0',
                .unit = m->unit.name,
                .unit_user = m->unit.user,
        };
        int r = process_ref_of(getpid(), &m->state.supervisor);
        return r < 0 ? error_set(err, r, "look at ourselves in /proc") : 0;
}

/* In a frozen cgroup our child would stop in the middle, and we would wait for it for ever. */
static int refuse_frozen(const struct making *m, struct error *err)
{
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        enum cgroup_freeze frozen = CGROUP_THAWED;
        if (!state_has_cgroup(&m->state))
                return 0;
        int r = cgroup_restore(&m->host.cgroups, m->state.cgroup, &cg, err);
        if (r < 0)
                return r;
        /* What is not there, or cannot be asked, is not frozen. */
        if (cgroup_get_frozen(&cg, &frozen, NULL) < 0 || frozen == CGROUP_THAWED)
                return 0;
        return error_say(err, -EBUSY, "container's cgroup unexpectedly frozen: thaw it, or choose another cgroupsPath");
}

/* The entry, under an id that is free or held by something stale only. */
static int make_entry(struct making *m, int root_fd, struct error *err)
{
        int r = fill_state(m, err);
        if (r == 0)
                r = refuse_frozen(m, err);
        if (r < 0)
                return r;
        for (int tries = 0;; tries++) {
                struct error why = ERROR_INIT;
                r = state_dir_create(root_fd, &m->state, &m->dir, err);
                if (r != -EEXIST || tries == 3)
                        break;
                int collected = container_collect(root_fd, m->opts->id, &why);
                if (collected < 0 && collected != -ENOENT) {
                        *err = why;
                        return collected;
                }
                if (collected == 0)
                        break;
        }
        if (r < 0)
                return r;
        /* Nobody reads it before the state says more than `creating`. */
        r = io_create_file(m->dir.fd, CONFIG_FILE, m->config, m->config_size, 0600);
        return r < 0 ? error_set(err, r, "keep a copy of " CONFIG_FILE) : 0;
}

/* What `start` needs: the plan, and a socket behind which the child waits. */
static int prepare_start(struct making *m, struct error *err)
{
        int r = io_replace_file(m->dir.fd, PLAN_FILE, m->block, m->block_size, 0600);
        if (r < 0)
                return error_set(err, r, "write the plan for start");
        auto_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        struct sockaddr_un at = { .sun_family = AF_UNIX };
        snprintf(at.sun_path, sizeof(at.sun_path), "/proc/self/fd/%d/" SOCKET_FILE, m->dir.fd);
        if (fd < 0 || bind(fd, (const struct sockaddr *) &at, sizeof(at)) < 0 || listen(fd, 8) < 0)
                return error_set(err, -errno, "make the socket for start");
        m->listen_fd = take_fd(&fd);
        return 0;
}

static int fill_instance(struct making *m, struct error *err)
{
        listen_env_set(&m->listen_env, m->opts->listen_fds);
        const struct spec_process *p = &m->spec->process;
        int r = instance_env_set(&m->env, p->args, p->env, m->listen_env.list, err);
        if (r == 0)
                instance_env_use(&m->env, &m->in);
        return r;
}

/* Nobody could tell its processes from others, once the first is gone. */
static void warn_of_no_cgroup(const struct making *m)
{
        bool any = false;
        for (size_t i = 0; i < m->host.cgroups.n; i++)
                any = any || m->session.cgroup.dir[i].fd >= 0;
        if (m->state.shares_pids && !any && !m->opts->no_cgroup && !m->host.privileged)
                (void) error_say(m->warning, -EOPNOTSUPP,
                                 "the container has neither a cgroup nor a pid namespace of its own. Such configuration is "
                                 "strongly discouraged: not all of its processes can be found to be killed");
}

/* From options to a process that waits or runs. On failure nothing is left. */
static int make(struct making *m, int root_fd, struct error *err)
{
        const struct handout_paths paths = { m->opts->console_socket, m->opts->pidfd_socket, m->opts->pid_file };
        int r = state_check_id(m->opts->id, err);
        if (r == 0)
                r = read_config(m, err);
        if (r == 0)
                r = handout_prepare(&m->out, &paths, &m->spec->process, m->foreground, err);
        if (r == 0)
                r = compile(m, err);
        if (r == 0)
                r = fill_instance(m, err);
        if (r == 0)
                r = make_entry(m, root_fd, err);
        if (r < 0)
                return r;

        if (m->await_start)
                r = prepare_start(m, err);
        if (r == 0) {
                m->rec = (struct recorder){ .dir = &m->dir, .state = &m->state, .keeps_supervisor = m->foreground };
                m->session_opts = (struct session_options){
                        .host = &m->host, .ops = &recorder_ops, .ops_arg = &m->rec,
                        .listen_fd = m->listen_fd, .alive_fd = -1, .log = m->opts->log,
                };
                r = session_start(&m->session, &m->plan, &m->in, &m->session_opts, err);
        }
        if (r == 0)
                r = handout_give(&m->out, &m->session, err);
        if (r == 0)
                warn_of_no_cgroup(m);
        if (r < 0) {
                session_clear(&m->session);
                ignore_result(state_dir_remove(&m->dir, NULL)); /* the failure is already known */
        }
        return r;
}

int container_create(int root_fd, const struct container_options *opts, struct error *warning, struct error *err)
{
        auto_making struct making m = MAKING_INIT;
        m.opts = opts;
        m.warning = warning;
        m.await_start = true;
        int r = make(&m, root_fd, err);
        if (r == 0)
                session_release(&m.session);
        return r;
}

/* The process has ended: leave the stopped container, or nothing. */
static int finish_run(struct making *m, struct error *warning, struct error *err)
{
        int r = state_dir_lock(&m->dir, err);
        if (r == -ENOENT)       /* `delete --force` was quicker */
                return 0;
        if (r == 0 && m->opts->keep) {
                m->state.supervisor = (struct process_ref){ 0 };
                return state_write(&m->dir, &m->state, err);
        }
        return r < 0 ? r : container_destroy(&m->dir, &m->state, &m->session.cgroup, warning, err);
}

static int run_foreground(struct making *m, int root_fd, int *ret_status, struct error *warning, struct error *err)
{
        auto_supervise struct supervise sup = SUPERVISE_INIT;
        auto_watch struct watch watch = WATCH_INIT;
        int r = supervise_begin(&sup, err);
        if (r == 0)
                r = make(m, root_fd, err);
        if (r < 0)
                return r;
        state_dir_unlock(&m->dir);
        if (m->state.shares_pids)
                r = watch_begin(&watch, root_fd, &m->dir, &m->state, &m->session.cgroup, err);

        struct console *con = m->spec->process.terminal ? &m->out.console : NULL;
        int status = 255;
        if (r == 0)
                r = supervise_wait(&sup, m->session.pidfd, con, &status, err);
        if (r < 0) {
                struct error more = ERROR_INIT;
                if (container_delete(root_fd, m->opts->id, true, warning, &more) < 0)
                        *warning = more;
                return r;
        }
        log_say(m->opts->log, "process %d ended: status %d", (int) m->session.pid, status);
        fd_close(take_fd(&m->session.pidfd));
        /* The container did what it was asked to: what goes wrong from here on does not change its status. */
        struct error why = ERROR_INIT;
        if (finish_run(m, warning, &why) < 0)
                *warning = why;
        session_release(&m->session);
        if (con)
                supervise_drain(con);
        *ret_status = status;
        return 0;
}

int container_run(int root_fd, const struct container_options *opts, int *ret_status, struct error *warning,
                  struct error *err)
{
        auto_making struct making m = MAKING_INIT;
        m.opts = opts;
        m.warning = warning;
        m.foreground = !opts->detach;
        if (m.foreground)
                return run_foreground(&m, root_fd, ret_status, warning, err);
        int r = make(&m, root_fd, err);
        if (r < 0)
                return r;
        session_release(&m.session);
        *ret_status = 0;
        return 0;
}

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/io.h"
#include "plan/compile.h"
#include "runtime/checkpoint.h"
#include "runtime/container_parts.h"
#include "runtime/criu.h"
#include "runtime/criu_image.h"
#include "runtime/criu_mounts.h"
#include "runtime/hook.h"
#include "runtime/mount_ns.h"
#include "runtime/supervise.h"
#include "syscall/sys.h"

#define LOG_NAME "restore.log"
#define ROOT_DIR "criu-root"            /* in the entry: where the root is mounted for criu */
#define LSM_SINCE 31600u                /* criu whose LSM options work */
#define INHERIT_MAX 2

struct restore {
        const struct restore_options *opts;
        bool foreground;
        struct entry entry;
        struct handout out;
        void *block;
        struct plan plan;
        struct instance in;
        struct recorder rec;
        struct session_options session_opts;
        struct session session;
        struct criu_dirs dirs;
        char root[PATH_MAX];            /* where criu finds the root file system */
        int inherit[INHERIT_MAX];       /* descriptors for criu */
        size_t n_inherit;
        struct str request;             /* the options in it */
};

#define RESTORE_INIT                                                                                            \
        ((struct restore){ .entry = ENTRY_INIT, .out = HANDOUT_INIT, .in = INSTANCE_INIT, .session = SESSION_INIT, \
                           .dirs = CRIU_DIRS_INIT })

static void restore_clear_p(struct restore *t)
{
        session_clear(&t->session);
        handout_clear(&t->out);
        criu_dirs_clear(&t->dirs);
        for (size_t i = 0; i < t->n_inherit; i++)
                fd_close(t->inherit[i]);
        recorder_clear_p(&t->rec);
        entry_clear(&t->entry);
        str_clear(&t->request);
        free(t->block);
}

/* ---- before anything exists ---- */

static int check_lsm(const struct restore_options *o, struct error *err)
{
        unsigned version = 0;
        int r = criu_version(&version, err);
        if (r < 0 || version >= LSM_SINCE || (!o->lsm_profile && !o->lsm_mount_context))
                return r;
        return error_say(err, -EOPNOTSUPP, "--%s requires at least criu 3.16",
                         o->lsm_profile ? "lsm-profile" : "lsm-mount-context");
}

static int compile(struct restore *t, struct error *err)
{
        struct wish wish;
        size_t size = 0;
        int r = entry_wish(&t->entry, &wish, err);
        if (r == 0)
                r = plan_compile_cgroup(t->entry.spec, &t->entry.host, &wish, &t->block, &size, err);
        return r == 0 ? plan_open(&t->plan, t->block, size, err) : r;
}

static int read_all(struct restore *t, struct error *err)
{
        const struct container_options *o = &t->opts->make;
        const struct handout_paths paths = { o->console_socket, o->pidfd_socket, o->pid_file };
        t->entry.opts = o;
        int r = state_check_id(o->id, err);
        if (r == 0)
                r = entry_read_config(&t->entry, err);
        if (r == 0)
                r = handout_prepare(&t->out, &paths, &t->entry.spec->process, t->foreground, err);
        if (r == 0)
                r = criu_dirs_open(&t->opts->criu, false, &t->dirs, err);
        if (r == 0)
                r = check_lsm(t->opts, err);
        return r == 0 ? compile(t, err) : r;
}

/* ---- what surrounds it ---- */

/*
 * criu's, and so of all that it restores. Of systemd it is got only with a process to put into it, hence criu is there
 * before.
 */
static int make_cgroup(struct restore *t, const struct criu *criu, struct error *err)
{
        struct session *s = &t->session;
        t->session_opts = (struct session_options){ .host = &t->entry.host, .listen_fd = -1, .alive_fd = -1,
                                                    .log = t->opts->make.log };
        s->pid = criu->pid;
        int r = session_prepare(s, &t->plan, &t->in, &t->session_opts, err);
        if (r < 0 || !s->cgroup.host || t->opts->make.systemd)
                return r;
        return cgroup_enter(&s->cgroup, criu->pid, false, err);
}

static int make_root_dir(struct restore *t, struct error *err)
{
        char link[64], dir[PATH_MAX];
        snprintf(link, sizeof(link), "/proc/self/fd/%d", t->entry.dir.fd);
        ssize_t n = readlink(link, dir, sizeof(dir) - 1);
        if (n < 0)
                return error_set(err, -errno, "find the state directory");
        dir[n] = '\0';
        n = snprintf(t->root, sizeof(t->root), "%s/" ROOT_DIR, dir);
        if (n < 0 || (size_t) n >= sizeof(t->root))
                return error_set(err, -ENAMETOOLONG, "the state directory");
        if (mkdirat(t->entry.dir.fd, ROOT_DIR, 0755) < 0 && errno != EEXIST)
                return error_set(err, -errno, "make \"%s\"", t->root);
        return 0;
}

/* ---- what criu is told ---- */

static int put_external_ns(struct restore *t, const char *key, const char *path, struct error *err)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return error_set(err, -errno, "linux.namespaces: \"%s\", in which the container was, must exist", path);
        criu_opt_fd(&t->request, key, CRIU_FIRST_FD + (int) t->n_inherit);
        t->inherit[t->n_inherit++] = fd;
        return 0;
}

static int put_namespaces(struct restore *t, struct error *err)
{
        const struct spec *spec = t->entry.spec;
        for (int i = 0; i < NS_TYPES; i++) {
                const struct spec_namespace *ns = &spec->ns[i];
                const char *key = criu_external_ns(spec, (enum ns_type) i);
                if (!ns->wanted || !ns->path)
                        continue;
                if (i == NS_CGROUP)
                        return error_say(err, -EOPNOTSUPP, "linux.namespaces: criu cannot restore into a cgroup "
                                         "namespace that exists: \"%s\"", ns->path);
                int r = key ? put_external_ns(t, key, ns->path, err) : 0;
                if (r < 0)
                        return r;
                if (!key)
                        criu_opt_pair(&t->request, CRIU_JOIN_NS, criu_ns_names[i], ns->path);
        }
        return 0;
}

static int fill_request(struct restore *t, struct error *err)
{
        const struct entry *e = &t->entry;
        struct str *opts = &t->request;
        const struct criu_mounts mounts = { .spec = e->spec, .bundle = e->opts->bundle, .rootfs = e->state.rootfs,
                                            .cgroup = &t->session.cgroup };
        criu_put_common(opts, &t->opts->criu, &t->dirs, LOG_NAME);
        pb_text(opts, CRIU_ROOT, t->root);
        pb_number(opts, CRIU_EVASIVE_DEVICES, true);
        pb_number(opts, CRIU_RST_SIBLING, true);        /* our child: only we could wait for it */
        pb_text(opts, CRIU_LSM_PROFILE, t->opts->lsm_profile);
        pb_text(opts, CRIU_LSM_MOUNT_CONTEXT, t->opts->lsm_mount_context);
        criu_put_config(opts, e->spec);
        int r = criu_mounts_restore(&mounts, opts, err);
        return r == 0 ? criu_descriptors_put(t->dirs.image_fd, opts, err) : r;
}

/* The new root of each hierarchy: where criu itself is now. A line of /proc/PID/cgroup: "4:cpu,cpuacct:/box". */
static int put_cgroup_roots(struct restore *t, pid_t pid, struct error *err)
{
        char path[64], *next = NULL;
        auto_free char *text = NULL;
        snprintf(path, sizeof(path), "/proc/%d/cgroup", (int) pid);
        int r = io_read_file(AT_FDCWD, path, 65536, &text, NULL);
        if (r < 0)
                return error_set(err, r, "read \"%s\"", path);
        for (char *line = text; line && *line; line = next) {
                next = strchr(line, '\n');
                if (next)
                        *next++ = '\0';
                char *controllers = strchr(line, ':'), *at = controllers ? strchr(controllers + 1, ':') : NULL;
                if (!at)
                        continue;
                *at++ = '\0';
                for (char *name = controllers + 1; name;) {
                        char *comma = strchr(name, ',');
                        if (comma)
                                *comma++ = '\0';
                        criu_opt_pair(&t->request, CRIU_CG_ROOT, name, at);
                        name = comma;
                }
        }
        return 0;
}

/* ---- what criu tells ---- */

static int run_hooks(struct restore *t, enum hook_kind kind, pid_t pid, struct error *err)
{
        const struct spec_hooks *hooks = &t->entry.spec->hooks[kind];
        struct state now = t->entry.state;
        auto_free char *json = NULL;
        now.process.pid = pid;
        int r = hooks->n > 0 ? recorder_hook_json(&now, kind, &json, err) : 0;
        for (size_t i = 0; r == 0 && i < hooks->n; i++) {
                const struct spec_hook *hook = &hooks->list[i];
                const char *only_path[] = { hook->path, NULL };
                const struct hook_run run = {
                        .kind = hook_names[kind], .number = (unsigned) i, .path = hook->path,
                        .argv = hook->args ? hook->args : only_path,
                        .envp = hook->env ? (const char *const *) hook->env : (const char *const *) environ,
                        .timeout = hook->timeout, .state = json, .enter_pidfd = -1,
                };
                r = hook_run(&run, err);
        }
        return r;
}

/* It is there, and does not run before we answer. */
static int take_process(struct restore *t, pid_t pid, struct error *err)
{
        t->session.pid = pid;
        t->session.pidfd = sys_pidfd_open(pid);
        if (t->session.pidfd < 0)
                return error_set(err, t->session.pidfd, "open the restored process %d", (int) pid);
        return recorder_ops.write_state(&t->rec, &t->session, PLAN_RUNNING, err);
}

static int told(void *arg, const struct criu_response *what, int fd, struct error *err)
{
        struct restore *t = arg;
        log_say(t->opts->make.log, "criu: %s", what->script);
        if (strcmp(what->script, "setup-namespaces") == 0) {
                int r = run_hooks(t, HOOK_PRESTART, what->pid, err);
                return r == 0 ? run_hooks(t, HOOK_CREATE_RUNTIME, what->pid, err) : r;
        }
        if (strcmp(what->script, "post-restore") == 0)
                return what->pid > 0 ? take_process(t, what->pid, err)
                                     : error_say(err, -EBADMSG, "criu does not say which process it restored");
        if (strcmp(what->script, "orphan-pts-master") == 0 && fd >= 0 && t->session.console_fd < 0) {
                t->session.console_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
                if (t->session.console_fd < 0)
                        return error_set(err, -errno, "keep the container's terminal");
        }
        return 0;
}

/*
 * criu wants the root to be a mount point whose parent nothing is mounted over. That is made in a mount namespace
 * that criu alone stays in: however it ends, nothing is left on the host. The directories are opened there too,
 * because criu opens them again by our descriptors, changes to them, and mounts below.
 */
static int start_criu(struct restore *t, struct criu *criu, struct error *err)
{
        auto_mount_ns struct mount_ns here = MOUNT_NS_INIT;
        const char *rootfs = t->entry.state.rootfs;
        const struct criu_start how = { .stdio = true, .fds = t->inherit, .n_fds = t->n_inherit };
        int r = mount_ns_enter(&here, MS_SLAVE, err);
        if (r < 0)
                return r;
        r = sys_mount(rootfs, t->root, NULL, MS_BIND | MS_REC, NULL);
        if (r < 0)
                return error_set(err, r, "root.path: rootfs \"%s\"", rootfs);
        criu_dirs_clear(&t->dirs);
        r = criu_dirs_open(&t->opts->criu, false, &t->dirs, err);
        if (r == 0)
                r = criu_start(criu, &how, err);
        return r == 0 ? mount_ns_leave(&here, err) : r;
}

static int ask_criu(struct restore *t, struct error *err)
{
        auto_criu struct criu criu = CRIU_INIT;
        auto_str struct str request = STR_INIT;
        struct criu_response resp = { 0 };
        int r = put_namespaces(t, err);
        if (r == 0)
                r = start_criu(t, &criu, err);
        if (r == 0)
                r = make_cgroup(t, &criu, err);
        if (r == 0)
                r = put_cgroup_roots(t, criu.pid, err);
        if (r == 0)
                r = fill_request(t, err);
        if (r == 0) {
                criu_request(CRIU_RESTORE, &t->request, &request);
                r = criu_ask(&criu, &request, told, t, &resp, err);
        }
        if (r < 0)
                return r;
        if (!resp.success || resp.type != CRIU_RESTORE) {
                criu_clear(&criu);      /* the log is complete then */
                return criu_explain(&resp, "restore", t->dirs.log_path, LOG_NAME, err);
        }
        r = criu_end(&criu, err);
        return r == 0 && t->session.pidfd < 0 ? error_say(err, -EPROTO, "criu did not announce the process") : r;
}

/* From images to a process. On failure nothing is left. */
static int make(struct restore *t, int root_fd, struct error *err)
{
        int r = read_all(t, err);
        if (r == 0)
                r = entry_make(&t->entry, root_fd, err);
        if (r < 0)
                return r;
        t->rec = (struct recorder){ .dir = &t->entry.dir, .state = &t->entry.state, .keeps_supervisor = t->foreground };
        r = make_root_dir(t, err);
        if (r == 0)
                r = ask_criu(t, err);
        /* A process may have closed its terminal, and who waits for it sees the end of the socket. */
        if (r == 0 && t->session.console_fd < 0) {
                fd_close(take_fd(&t->out.console_socket));
                fd_close(take_fd(&t->out.console.host_fd));
        }
        if (r == 0)
                r = handout_give(&t->out, &t->session, err);
        if (r < 0) {
                error_wrap(err, "restore container \"%s\"", t->opts->make.id);
                session_clear(&t->session);
                ignore_result(state_dir_remove(&t->entry.dir, NULL)); /* the failure is already known */
                return r;
        }
        (void) unlinkat(t->entry.dir.fd, ROOT_DIR, AT_REMOVEDIR); /* left, it does no harm */
        return 0;
}

int container_restore(int root_fd, const struct restore_options *opts, int *ret_status, struct error *warning,
                      struct error *err)
{
        __attribute__((cleanup(restore_clear_p))) struct restore t = RESTORE_INIT;
        auto_supervise struct supervise sup = SUPERVISE_INIT;
        t.opts = opts;
        t.foreground = !opts->make.detach;
        int r = t.foreground ? supervise_begin(&sup, err) : 0;
        if (r == 0)
                r = make(&t, root_fd, err);
        if (r < 0)
                return r;
        if (!t.foreground) {
                session_release(&t.session);
                *ret_status = 0;
                return 0;
        }
        /* What was in the images knows nothing of us: it does not end when we are killed. */
        const struct stay stay = { .entry = &t.entry, .session = &t.session, .sup = &sup, .watched = true,
                                   .console = t.session.console_fd >= 0 || t.out.console.master >= 0 ? &t.out.console : NULL };
        return container_stay(&stay, root_fd, ret_status, warning, err);
}

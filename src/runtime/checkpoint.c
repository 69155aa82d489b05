#include "runtime/checkpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "runtime/container_parts.h"
#include "runtime/criu.h"
#include "runtime/criu_image.h"
#include "runtime/criu_mounts.h"
#include "syscall/sys.h"

#define LOG_NAME "dump.log"
#define FREEZER_V2_SINCE 31400u         /* criu that can use the freezer of v2 */
#define STATUS_READY_SINCE 31500u       /* ... that tells "status-ready" */

struct dump {
        const struct checkpoint_options *opts;
        struct found c;
        struct spec *spec;
        struct cgroup_host host;
        struct cgroup cgroup;
        struct criu_dirs dirs;
        unsigned version;
        uint32_t own_pid;       /* in the container */
        struct str request;     /* the options in it */
};

static void dump_clear_p(struct dump *d)
{
        str_clear(&d->request);
        criu_dirs_clear(&d->dirs);
        cgroup_clear(&d->cgroup);
        spec_free(d->spec);
        found_clear(&d->c);
}

static int find_container(struct dump *d, int root_fd, struct error *err)
{
        const char *id = d->opts->id;
        int r = found_open(&d->c, root_fd, id, true, err);
        if (r < 0)
                return r;
        if (d->c.state.kind != STATE_CONTAINER)
                return error_say(err, -EINVAL, "\"%s\" is a job of the launcher, not a container", id);
        if (d->c.now.status != STATUS_RUNNING && d->c.now.status != STATUS_PAUSED)
                return error_say(err, -EINVAL, "container cannot be checkpointed in %s state: \"%s\"",
                                 status_names[d->c.now.status], id);
        r = found_read_spec(&d->c.dir, &d->spec, err);
        if (r == 0)
                r = state_open_cgroup(&d->c.state, &d->host, &d->cgroup, err);
        return r == 0 ? criu_own_pid(d->c.state.process.pid, &d->own_pid, err) : r;
}

static int check_parent(const struct checkpoint_options *o, struct error *err)
{
        char path[PATH_MAX];
        struct stat st;
        if (!o->parent_path)
                return 0;
        if (o->parent_path[0] == '/')
                return error_say(err, -EINVAL, "--parent-path must be relative (to the image path): \"%s\"", o->parent_path);
        int n = snprintf(path, sizeof(path), "%s/%s", o->criu.image_path, o->parent_path);
        if (n < 0 || (size_t) n >= sizeof(path))
                return error_set(err, -ENAMETOOLONG, "invalid --parent-path");
        if (stat(path, &st) < 0)
                return error_set(err, -errno, "invalid --parent-path: \"%s\"", path);
        return S_ISDIR(st.st_mode) ? 0 : error_set(err, -ENOTDIR, "invalid --parent-path: \"%s\"", path);
}

/* What criu and the kernel have to be able to do, before anything is stopped. */
static int check_criu(struct dump *d, struct error *err)
{
        int r = criu_version(&d->version, err);
        if (r == 0 && d->opts->pre_dump)
                r = criu_require(CRIU_MEM_TRACK, "tracking of changed memory (MemTrack)", err);
        if (r == 0 && d->opts->criu.lazy_pages)
                r = criu_require(CRIU_CAN_LAZY_PAGES, "pages on demand (LazyPages)", err);
        return r;
}

/* Namespaces with a path exist without us: criu leaves them alone, and a restore brings them along. */
static int put_namespaces(struct dump *d, struct error *err)
{
        static const enum ns_type external[] = { NS_NETWORK, NS_PID };
        for (size_t i = 0; i < sizeof(external) / sizeof(*external); i++) {
                const char *key = criu_external_ns(d->spec, external[i]), *path = d->spec->ns[external[i]].path;
                char text[128];
                struct stat st;
                if (!key)
                        continue;
                if (stat(path, &st) < 0)
                        return error_set(err, -errno, "linux.namespaces: \"%s\"", path);
                snprintf(text, sizeof(text), "%s[%llu]:%s", criu_ns_names[external[i]], (unsigned long long) st.st_ino, key);
                pb_text(&d->request, CRIU_EXTERNAL, text);
        }
        return 0;
}

/*
 * Freezing the cgroup is quicker and surer than ptrace(2) on one process after the other, which is criu's other way.
 * The freezer is that of cgroup_set_frozen(): a paused container is held by it, and criu has to let go.
 */
static void put_freezer(struct dump *d)
{
        bool has_v2 = cgroup_v2_fd(&d->cgroup) >= 0 && d->version >= FREEZER_V2_SINCE;
        char path[PATH_MAX];
        for (size_t i = 0; i < d->host.n; i++) {
                const struct cgroup_hierarchy *h = &d->host.h[i];
                if (d->cgroup.dir[i].fd < 0 || !(has_v2 ? h->v2 : h->freezer))
                        continue;
                int n = snprintf(path, sizeof(path), "%s%s", h->mount_point, d->cgroup.dir[i].path);
                if (n > 0 && (size_t) n < sizeof(path))
                        pb_text(&d->request, CRIU_FREEZE_CGROUP, path);
        }
}

static int fill_request(struct dump *d, struct error *err)
{
        const struct checkpoint_options *o = d->opts;
        struct str *opts = &d->request;
        pid_t pid = d->c.state.process.pid;
        criu_put_common(opts, &o->criu, &d->dirs, LOG_NAME);
        pb_text(opts, CRIU_ROOT, d->c.state.rootfs);
        pb_number(opts, CRIU_PID, pid);
        pb_number(opts, CRIU_LEAVE_RUNNING, o->leave_running);
        pb_number(opts, CRIU_TCP_SKIP_IN_FLIGHT, o->tcp_skip_in_flight);
        pb_number(opts, CRIU_LINK_REMAP, o->link_remap);
        if (o->page_server)
                criu_opt_page_server(opts, o->page_server, o->page_server_port);
        if (o->parent_path) {
                pb_text(opts, CRIU_PARENT_IMG, o->parent_path);
                pb_number(opts, CRIU_TRACK_MEM, true);
        }
        if (o->criu.lazy_pages && o->status_fd >= 0 && d->version < STATUS_READY_SINCE)
                pb_number(opts, CRIU_STATUS_FD, o->status_fd);
        criu_put_config(opts, d->spec);
        put_freezer(d);
        int r = put_namespaces(d, err);
        /* A pre-dump is of memory only. */
        if (r < 0 || o->pre_dump)
                return r;
        const struct criu_mounts mounts = { .spec = d->spec, .bundle = d->c.state.bundle, .rootfs = d->c.state.rootfs,
                                            .cgroup = &d->cgroup };
        r = criu_mounts_dump(&mounts, pid, opts, err);
        return r == 0 ? criu_descriptors_write(d->dirs.image_fd, pid, err) : r;
}

static int told(void *arg, const struct criu_response *what, int fd, struct error *err)
{
        const struct dump *d = arg;
        (void) fd, (void) err;
        log_say(d->opts->log, "criu: %s", what->script);
        if (strcmp(what->script, "status-ready") == 0 && d->opts->status_fd >= 0) {
                /* Whoever waits for it may be gone: no reason to give up. It hears of nothing else. */
                (void) sys_write(d->opts->status_fd, "", 1);
                fd_close(d->opts->status_fd);
        }
        return 0;
}

static int ask_criu(struct dump *d, struct error *err)
{
        auto_criu struct criu criu = CRIU_INIT;
        auto_str struct str request = STR_INIT;
        struct criu_response resp = { 0 };
        enum criu_type type = d->opts->pre_dump ? CRIU_PRE_DUMP : CRIU_DUMP;
        criu_request(type, &d->request, &request);
        log_say(d->opts->log, "criu %u.%u.%u: %s process %d, log in \"%s/" LOG_NAME "\"", d->version / 10000,
                d->version / 100 % 100, d->version % 100, d->opts->pre_dump ? "pre-dump" : "dump",
                (int) d->c.state.process.pid, d->dirs.log_path);
        int r = criu_start(&criu, &(struct criu_start){ 0 }, err);
        if (r == 0)
                r = criu_ask(&criu, &request, told, d, &resp, err);
        if (r < 0)
                return error_wrap(err, "checkpoint container \"%s\"", d->opts->id);
        if (!resp.success || resp.type != type) {
                criu_clear(&criu);      /* the log is complete then */
                return criu_explain(&resp, d->opts->pre_dump ? "pre-dump" : "checkpoint", d->dirs.log_path, LOG_NAME, err);
        }
        r = criu_end(&criu, err);
        /* After a pre-dump it would wait for the next one, and takes our hanging up for a failure. */
        return d->opts->pre_dump ? 0 : r;
}

static int dump(struct dump *d, int root_fd, struct error *err)
{
        int r = find_container(d, root_fd, err);
        if (r == 0)
                r = criu_dirs_open(&d->opts->criu, true, &d->dirs, err);
        if (r == 0)
                r = check_parent(d->opts, err);
        if (r == 0)
                r = check_criu(d, err);
        if (r == 0)
                r = fill_request(d, err);
        if (r == 0)
                r = ask_criu(d, err);
        if (r == 0 && !d->opts->pre_dump && d->c.state.supervisor.pid != 0)
                r = criu_image_stand_alone(d->dirs.image_fd, d->own_pid, err);
        return r;
}

int container_checkpoint(int root_fd, const struct checkpoint_options *opts, struct error *warning, struct error *err)
{
        __attribute__((cleanup(dump_clear_p))) struct dump d = {
                .opts = opts, .c = FOUND_INIT, .cgroup = CGROUP_INIT, .dirs = CRIU_DIRS_INIT,
        };
        int r = dump(&d, root_fd, err);
        if (r < 0 || opts->leave_running || opts->pre_dump)
                return r;
        /* The images are there: what goes wrong from here on does not change that. */
        struct error why = ERROR_INIT;
        if (container_destroy(&d.c.dir, &d.c.state, state_has_cgroup(&d.c.state) ? &d.cgroup : NULL, warning, &why) < 0)
                *warning = why;
        return 0;
}

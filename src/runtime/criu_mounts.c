#include "runtime/criu_mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "child/walk.h"
#include "plan/compile.h"
#include "runtime/mount_ns.h"
#include "spec/path_clean.h"
#include "syscall/sys.h"

/* ---- which they are ---- */

/* `source` is bound on `point` in the container. */
typedef int each_external(void *arg, const char *point, const char *source, struct error *err);

static bool is_cgroup(const struct spec_mount *m)
{
        return !m->bind && m->type && (strcmp(m->type, "cgroup") == 0 || strcmp(m->type, "cgroup2") == 0);
}

/* As compile_mount_cgroup.c makes it: with a cgroup namespace the mounts are the container's own. */
static int each_cgroup(const struct criu_mounts *in, const struct spec_mount *m, each_external *each, void *arg,
                       struct error *err)
{
        const struct cgroup_host *host = in->cgroup->host;
        if (in->spec->ns[NS_CGROUP].wanted || !host)
                return 0;
        for (size_t i = 0; i < host->n; i++) {
                const struct cgroup_hierarchy *h = &host->h[i];
                bool whole = host->mode == CGROUP_V2;
                if (!in->cgroup->dir[i].path || (h->v2 && !whole))
                        continue;
                const char *name = strrchr(h->mount_point, '/');
                char point[PATH_MAX], source[PATH_MAX];
                int n = snprintf(point, sizeof(point), "%s%s", m->destination, whole || !name ? "" : name);
                int k = snprintf(source, sizeof(source), "%s%s", h->mount_point, in->cgroup->dir[i].path);
                if (n < 0 || k < 0 || (size_t) n >= sizeof(point) || (size_t) k >= sizeof(source))
                        return error_set(err, -ENAMETOOLONG, "the cgroups below \"%s\"", m->destination);
                int r = each(arg, point, source, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* Absolute and without "." and "..", which criu takes for names. */
static const char *bind_source(const struct criu_mounts *in, const struct spec_mount *m, struct error *err)
{
        const char *source = m->source ? m->source : "";
        struct arena *arena = in->spec->arena;
        if (source[0] != '/')
                source = arena_printf(arena, "%s/%s", in->bundle, source);
        source = source ? path_clean(arena, source) : NULL;
        if (!source)
                (void) error_set(err, -ENOMEM, "source of the mount \"%s\"", m->destination);
        return source;
}

static int each_mount(const struct criu_mounts *in, each_external *each, void *arg, struct error *err)
{
        int r = 0;
        for (size_t i = 0; r == 0 && i < in->spec->n_mounts; i++) {
                const struct spec_mount *m = &in->spec->mounts[i];
                if (m->bind) {
                        const char *source = bind_source(in, m, err);
                        r = source ? each(arg, m->destination, source, err) : -ENOMEM;
                } else if (is_cgroup(m)) {
                        r = each_cgroup(in, m, each, arg, err);
                }
        }
        for (size_t i = 0; r == 0 && plan_default_device(i); i++)
                r = each(arg, plan_default_device(i), plan_default_device(i), err);
        for (size_t i = 0; r == 0 && i < in->spec->n_devices; i++)
                r = each(arg, in->spec->devices[i].path, in->spec->devices[i].path, err);
        return r;
}

/* ---- where they are ---- */

/* A path below a root, all its links followed: "/conf" may be "/real/conf". As it is when it cannot be found. */
static void resolve(int root_fd, const char *path, char buf[PATH_MAX])
{
        char root[PATH_MAX];
        (void) snprintf(buf, PATH_MAX, "%s", path); /* paths of a spec are shorter */
        auto_fd int fd = walk_open(root_fd, path);
        if (fd < 0)
                return;
        char real[PATH_MAX];
        ssize_t n = sys_readlinkat(AT_FDCWD, walk_fd_path(fd).text, real, sizeof(real) - 1);
        ssize_t k = sys_readlinkat(AT_FDCWD, walk_fd_path(root_fd).text, root, sizeof(root) - 1);
        if (n <= 0 || k <= 0)
                return;
        real[n] = root[k] = '\0';
        if (k == 1)             /* "/" */
                k = 0;
        if (strncmp(real, root, (size_t) k) == 0 && real[k] == '/')
                memcpy(buf, real + k, (size_t) (n - k) + 1);
}

/* ---- checkpoint ---- */

struct dumping {
        int root_fd;            /* of the container, in its own mount namespace */
        struct str *opts;
};

static int dump_external(void *arg, const char *point, const char *source, struct error *err)
{
        const struct dumping *d = arg;
        char at[PATH_MAX];
        (void) source, (void) err;
        resolve(d->root_fd, point, at);
        criu_opt_pair(d->opts, CRIU_EXT_MNT, at, at);
        return 0;
}

static void dump_masks(const struct dumping *d, const struct spec *spec)
{
        for (size_t i = 0; spec->masked_paths && spec->masked_paths[i]; i++) {
                struct stat st;
                auto_fd int fd = walk_open(d->root_fd, spec->masked_paths[i]);
                /* Directories are masked by a tmpfs, which is in the images. */
                if (fd < 0 || sys_fstat(fd, &st) < 0 || S_ISDIR(st.st_mode))
                        continue;
                char at[PATH_MAX];
                resolve(d->root_fd, spec->masked_paths[i], at);
                criu_opt_pair(d->opts, CRIU_EXT_MNT, at, "/dev/null");
        }
}

int criu_mounts_dump(const struct criu_mounts *in, pid_t pid, struct str *opts, struct error *err)
{
        char path[64];
        snprintf(path, sizeof(path), "/proc/%d/root", (int) pid);
        auto_fd int root_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root_fd < 0)
                return error_set(err, -errno, "open the root of process %d", (int) pid);
        struct dumping d = { .root_fd = root_fd, .opts = opts };
        int r = each_mount(in, dump_external, &d, err);
        if (r == 0)
                dump_masks(&d, in->spec);
        return r;
}

/* ---- restore ---- */

/* Below something that criu mounts with its contents, or that makes its own files: nothing to make there now. */
static bool is_covered(const struct spec *spec, const struct spec_mount *m)
{
        for (const struct spec_mount *other = spec->mounts; other < m; other++) {
                size_t n = strlen(other->destination);
                if (!other->bind && strncmp(m->destination, other->destination, n) == 0 && m->destination[n] == '/')
                        return true;
        }
        return false;
}

/* One mount point. Bind mounts are made for the moment: there may be further points in them. */
static int make_point(const struct criu_mounts *in, const struct spec_mount *m, int root_fd, struct error *err)
{
        struct stat st = { .st_mode = S_IFDIR };
        const char *source = m->bind ? bind_source(in, m, err) : "";
        if (!source)
                return -ENOMEM;
        if (m->bind && stat(source, &st) < 0)
                return error_set(err, -errno, "bind mount \"%s\" on \"%s\"", source, m->destination);
        auto_fd int fd = walk_make(root_fd, m->destination, S_ISDIR(st.st_mode));
        if (fd < 0)
                return error_set(err, fd, "make the mount point \"%s\"", m->destination);
        if (!m->bind)
                return 0;
        int r = sys_mount(source, walk_fd_path(fd).text, NULL, MS_BIND | MS_REC, NULL);
        return r < 0 ? error_set(err, r, "bind mount \"%s\" on \"%s\"", source, m->destination) : 0;
}

struct restoring {
        int root_fd;
        struct str *opts;
};

static int restore_external(void *arg, const char *point, const char *source, struct error *err)
{
        const struct restoring *d = arg;
        char at[PATH_MAX];
        (void) err;
        resolve(d->root_fd, point, at);
        criu_opt_pair(d->opts, CRIU_EXT_MNT, at, source);
        return 0;
}

int criu_mounts_restore(const struct criu_mounts *in, struct str *opts, struct error *err)
{
        auto_mount_ns struct mount_ns here = MOUNT_NS_INIT;
        int r = mount_ns_enter(&here, MS_PRIVATE, err);
        if (r < 0)
                return r;
        auto_fd int root_fd = open(in->rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root_fd < 0)
                return error_set(err, -errno, "root.path: rootfs \"%s\"", in->rootfs);
        for (size_t i = 0; r == 0 && i < in->spec->n_mounts; i++)
                if (!is_cgroup(&in->spec->mounts[i]) && !is_covered(in->spec, &in->spec->mounts[i]))
                        r = make_point(in, &in->spec->mounts[i], root_fd, err);
        struct restoring d = { .root_fd = root_fd, .opts = opts };
        if (r == 0)
                r = each_mount(in, restore_external, &d, err);
        if (r == 0)
                criu_opt_pair(opts, CRIU_EXT_MNT, "/dev/null", "/dev/null");
        return r == 0 ? mount_ns_leave(&here, err) : r;
}

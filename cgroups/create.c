/*
 * Making the directories of one container. The usual case is one mkdir(2) and one open(2) for each hierarchy; parents,
 * controllers and cpusets cost more only when they are not yet as they should be.
 */
#include "cgroups/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "cgroups/files.h"

/* One hierarchy's directory in the making. */
struct making {
        const struct cgroup_hierarchy *h;
        const char *controllers;        /* v2: those worth enabling */
        char full[PATH_MAX];            /* mount point and path, no slash at the end */
        size_t top;                     /* length of the mount point in it */
        size_t existed;                 /* what was there before us ends here; 0: not known yet */
        bool adopt;                     /* it is fine that the leaf is there, and has processes */
};

/* The end of the path component behind `at`. */
static size_t component_end(const char *full, size_t at)
{
        at += full[at] == '/';
        return at + strcspn(full + at, "/");
}

static void undo(const struct making *m)
{
        char path[PATH_MAX];
        size_t n = strlen(m->full);
        memcpy(path, m->full, n + 1);
        while (m->existed > 0 && n > m->existed) {
                path[n] = '\0';
                if (rmdir(path) < 0)
                        return; /* somebody else uses it by now */
                while (n > m->existed && path[n] != '/')
                        n--;
        }
}

/*
 * v1: a new cpuset is empty and takes no process before it has CPUs and memory nodes. Copy one of them from the parent.
 * -ENODATA if the parent is empty itself.
 */
static int copy_cpuset(int dir, const char *file)
{
        char text[4096], above[32];
        (void) snprintf(above, sizeof(above), "../%s", file);
        int r = file_read(dir, above, text, sizeof(text));
        if (r == 0 && !text[0])
                r = -ENODATA;
        return r < 0 ? r : io_write_file(dir, file, text);
}

/* The same for every directory on the way that has none, from the top: parents that others left empty, or we made. */
static int fill_cpusets(char *full, size_t top, const char *file, struct error *err)
{
        for (size_t end = strlen(full), at = top; at < end;) {
                at = component_end(full, at);
                char saved = full[at];
                full[at] = '\0';
                auto_fd int dir = open(full, O_PATH | O_DIRECTORY | O_CLOEXEC);
                int has = dir < 0 ? -errno : file_has_text(dir, file);
                int r = has == 0 ? copy_cpuset(dir, file) : has < 0 ? has : 0;
                if (r < 0)
                        return error_set(err, r, "give \"%s\" its parent's %s", full, file);
                full[at] = saved;
        }
        return 0;
}

static int inherit_cpuset(struct making *m, int dir, bool fresh, struct error *err)
{
        static const char *const files[] = { "cpuset.cpus", "cpuset.mems" };
        for (size_t i = 0; i < 2; i++)
                if (!fresh || copy_cpuset(dir, files[i]) < 0) {
                        int r = fill_cpusets(m->full, m->top, files[i], err);
                        if (r < 0)
                                return r;
                }
        return 0;
}

/*
 * Enable in one v2 directory, for its children, what its own parent gives it. Never in a cgroup with processes
 * beside the root: domain controllers are refused there (EBUSY), and threaded ones (cpu, pids), which are not,
 * would make every child "domain invalid", unable to take processes.
 */
static void enable_in(int dir, const char *wanted)
{
        char have[256], enabled[256], text[512];
        size_t n = 0;
        if (file_read(dir, "cgroup.controllers", have, sizeof(have)) < 0 ||
            file_read(dir, "cgroup.subtree_control", enabled, sizeof(enabled)) < 0)
                return;
        const char *missing[32];
        size_t lengths[32], count = 0;
        for (const char *at = have; *at; at += strspn(at, " ")) {
                size_t len = strcspn(at, " ");
                if (!list_has(enabled, ' ', at, len) && list_has(wanted, ' ', at, len) && count < 32 &&
                    n + len + 3 < sizeof(text)) {
                        n += (size_t) snprintf(text + n, sizeof(text) - n, " +%.*s", (int) len, at);
                        missing[count] = at;
                        lengths[count++] = len;
                }
                at += len;
        }
        if (count == 0)
                return;
        if (file_has_text(dir, "cgroup.procs") != 0 && faccessat(dir, "cgroup.events", F_OK, 0) == 0)
                return;
        if (io_write_file(dir, "cgroup.subtree_control", text + 1) == 0)
                return;
        /* One that cannot be had (cpu beside realtime processes) must not cost the others. */
        for (size_t i = 0; i < count; i++) {
                (void) snprintf(text, sizeof(text), "+%.*s", (int) lengths[i], missing[i]);
                file_try_write(dir, "cgroup.subtree_control", text); /* as far as allowed */
        }
}

/* Enable controllers from the root of the mount down to the parent of the leaf. */
static void enable_along(struct making *m)
{
        size_t end = strlen(m->full);
        for (size_t at = m->top; at < end; at = component_end(m->full, at)) {
                char saved = m->full[at];
                m->full[at] = '\0';
                auto_fd int dir = open(m->full, O_PATH | O_DIRECTORY | O_CLOEXEC);
                m->full[at] = saved;
                if (dir < 0)
                        return;
                enable_in(dir, m->controllers);
        }
}

/* Does the leaf's parent give its children everything already? Then there is nothing to do above it either. */
static bool all_enabled(const struct making *m)
{
        char path[PATH_MAX + 32], enabled[256];
        const char *slash = strrchr(m->full, '/');
        (void) snprintf(path, sizeof(path), "%.*s/cgroup.subtree_control", (int) (slash - m->full), m->full);
        if (file_read(AT_FDCWD, path, enabled, sizeof(enabled)) < 0)
                return false;
        for (const char *at = m->controllers; *at;) {
                at += strspn(at, " ");
                size_t n = strcspn(at, " ");
                if (n > 0 && !list_has(enabled, ' ', at, n))
                        return false;
                at += n;
        }
        return true;
}

static int make_parents(struct making *m, struct error *err)
{
        const size_t end = strlen(m->full);
        bool ours = false;
        m->existed = m->top;
        for (size_t at = component_end(m->full, m->top); at < end; at = component_end(m->full, at)) {
                m->full[at] = '\0';
                int r = mkdir(m->full, 0755) < 0 ? -errno : 0;
                if (r < 0 && r != -EEXIST)
                        return error_set(err, r, "make cgroup \"%s\"", m->full);
                m->full[at] = '/';
                ours = ours || r == 0;
                if (!ours)
                        m->existed = at;
        }
        return 0;
}

/* 1 if there is a process below, at any depth. v1 has no cgroup.events. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as the cgroups are nested */
static int child_populated(int dirfd, const char *name, void *arg)
{
        auto_fd int fd = openat(dirfd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int r = fd < 0 ? -errno : file_has_text(fd, "cgroup.procs");
        if (r == -ENOENT || r == -ENODEV) /* it went away */
                return 0;
        return r != 0 ? r : each_child(fd, child_populated, arg);
}

static int has_processes_below(const struct making *m)
{
        char events[256];
        uint64_t populated = 0;
        auto_fd int fd = open(m->full, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        if (!m->h->v2)
                return each_child(fd, child_populated, NULL);
        int r = file_read(fd, "cgroup.events", events, sizeof(events));
        return r < 0 ? r : flat_value(events, "populated", &populated) == 0 && populated;
}

/* A directory that was there: fine when it is an empty leftover, or prepared for us by the caller. */
static int take_over(const struct making *m, struct error *err)
{
        char path[PATH_MAX + 16], pids[32];
        (void) snprintf(path, sizeof(path), "%s/cgroup.procs", m->full);
        int r = file_read(AT_FDCWD, path, pids, sizeof(pids));
        if (r < 0 && r != -EOPNOTSUPP)
                return error_set(err, r, "read \"%s\"", path);
        if (r == -EOPNOTSUPP) /* the processes of a threaded cgroup are listed above it */
                return error_say(err, -EEXIST, "cgroup \"%s\" exists and is threaded: choose another path", m->full);
        if (pids[0])
                return error_say(err, -EEXIST,
                                 "container's cgroup is not empty: process %.*s is in \"%s\": choose another path, or "
                                 "delete the container that has it",
                                 (int) strcspn(pids, "\n"), pids, m->full);
        r = has_processes_below(m);
        if (r < 0)
                return error_set(err, r, "look into cgroup \"%s\"", m->full);
        return r == 0 ? 0 : error_say(err, -EEXIST, "container's cgroup is not empty: there are processes below \"%s\": choose "
                                      "another path, or delete the container that has it", m->full);
}

/*
 * Before Linux 6.2 the processes of a cgroup are unbound from their CPUs when it gets a cpuset, because its parent gives
 * that controller down for the first time. One of them may be us, and where we are is where the container shall be.
 */
static int make_way(struct making *m, struct error *err)
{
        unsigned long cpus[8192 / (8 * sizeof(long))];
        int r = make_parents(m, err);
        if (r < 0)
                return r;
        long size = syscall(SYS_sched_getaffinity, 0, sizeof(cpus), cpus);
        enable_along(m);
        if (size > 0)
                (void) syscall(SYS_sched_setaffinity, 0, size, cpus); /* refused: the cpuset has none of them */
        return 0;
}

static int make_dir(struct making *m, struct cgroup_dir *ret_dir, struct error *err)
{
        if (m->h->v2 && !all_enabled(m)) {
                int r = make_way(m, err);
                if (r < 0)
                        return r;
        }
        int made = mkdir(m->full, 0755);
        if (made < 0 && errno == ENOENT) {
                int r = make_parents(m, err);
                if (r < 0)
                        return r;
                made = mkdir(m->full, 0755);
        }
        if (made < 0 && errno != EEXIST)
                return error_set(err, -errno, "make cgroup \"%s\"", m->full);
        if (made < 0 && !m->adopt) {
                int r = take_over(m, err);
                if (r < 0)
                        return r;
        }
        if (!m->existed)
                m->existed = made < 0 ? strlen(m->full) : (size_t) (strrchr(m->full, '/') - m->full);

        auto_fd int fd = open(m->full, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return error_set(err, -errno, "open cgroup \"%s\"", m->full);
        if (list_has(m->h->controllers, ',', "cpuset", 6)) {
                int r = inherit_cpuset(m, fd, made == 0, err);
                if (r < 0)
                        return r;
        }
        auto_free char *path = strdup(m->full + m->top);
        if (!path)
                return error_set(err, -ENOMEM, "remember cgroup \"%s\"", m->full);
        *ret_dir = (struct cgroup_dir){ .fd = take_fd(&fd), .path = take_ptr(&path), .created = true };
        return 0;
}

static int start_making(const struct cgroup_host *host, const struct cgroup_hierarchy *h, const char *clean,
                        struct making *m, struct error *err)
{
        char path[PATH_MAX];
        *m = (struct making){ .h = h, .top = strlen(h->mount_point) };
        m->controllers = clean[0] == '/' ? host->v2_top : host->v2_below;
        if (clean[0] != '/' && !h->own[0])
                return error_say(err, -ENOENT,
                                 "our own cgroup is not visible below \"%s\" (%s), so \"%s\" has no place: give an "
                                 "absolute cgroup path, or mount the cgroup file system of this namespace",
                                 h->mount_point, h->v2 ? "v2" : h->controllers, clean);
        bool slash = clean[0] != '/' && strcmp(h->own, "/") != 0;
        int n = snprintf(path, sizeof(path), "%s%s%s", clean[0] == '/' ? "" : h->own, slash ? "/" : "", clean);
        if (n < 0 || (size_t) n >= sizeof(path) || path_below(h, path, m->full) < 0)
                return error_say(err, -ENAMETOOLONG, "the cgroup path \"%s\" is too long below \"%s\"", clean,
                                 h->mount_point);
        return 0;
}

/* No "//", "." or "/" at the end, and nothing that climbs. Keeps the leading slash. */
static int clean_path(const char *path, char buf[PATH_MAX], struct error *err)
{
        size_t n = 0;
        if (path[0] == '/')
                buf[n++] = '/';
        for (const char *at = path; *at;) {
                at += strspn(at, "/");
                size_t len = strcspn(at, "/");
                bool dot = len == 1 && *at == '.';
                if ((len == 2 && memcmp(at, "..", 2) == 0) || memchr(at, '\n', len))
                        return error_say(err, -EINVAL, "the cgroup path \"%s\" must not contain \"..\" or a newline",
                                         path);
                if (len > 0 && !dot) {
                        if (n + len + 2 >= PATH_MAX)
                                return error_say(err, -ENAMETOOLONG, "the cgroup path \"%.60s...\" is too long", path);
                        if (n > 0 && buf[n - 1] != '/')
                                buf[n++] = '/';
                        memcpy(buf + n, at, len);
                        n += len;
                }
                at += len;
        }
        buf[n] = '\0';
        if (n == 0 || strcmp(buf, "/") == 0)
                return error_say(err, -EINVAL, "the cgroup path \"%s\" names no cgroup of its own", path);
        return 0;
}

static bool may_skip(int r)
{
        return r == -EACCES || r == -EPERM || r == -EROFS || r == -ENOENT;
}

int cgroup_create(const struct cgroup_host *host, const char *path, cgroup_set wanted, cgroup_set optional,
                  struct cgroup *ret_cgroup, struct error *err)
{
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        char clean[PATH_MAX] = "";
        /* What undo() needs to know of each hierarchy; the path itself is made again from its parts. */
        size_t existed[CGROUP_HIERARCHIES_MAX] = { 0 };
        struct making m;

        cg.host = host;
        int r = clean_path(path, clean, err);
        size_t i;
        for (i = 0; r == 0 && i < host->n; i++) {
                if (!(wanted >> i & 1))
                        continue;
                r = start_making(host, &host->h[i], clean, &m, err);
                if (r == 0) {
                        r = make_dir(&m, &cg.dir[i], err);
                        existed[i] = m.existed;
                        if (r < 0)
                                undo(&m);
                }
                if (r < 0 && (optional >> i & 1) && may_skip(r))
                        r = 0;
        }
        if (r == 0) {
                *ret_cgroup = cg;
                cg = CGROUP_INIT;
                return 0;
        }
        for (size_t k = 0; k < i; k++)
                if (cg.dir[k].fd >= 0 && start_making(host, &host->h[k], clean, &m, NULL) == 0) {
                        m.existed = existed[k];
                        undo(&m);
                }
        return r;
}

int cgroup_adopt(const struct cgroup_host *host, const struct cgroup_adoption *from, struct cgroup *ret_cgroup,
                 struct error *err)
{
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        struct making m;
        cg.host = host;
        for (size_t i = 0; i < host->n; i++) {
                int r = start_making(host, &host->h[i], from->path, &m, err);
                m.adopt = true;
                if (r == 0)
                        r = make_dir(&m, &cg.dir[i], err);
                if (r < 0 && !((from->optional >> i & 1) && may_skip(r)))
                        return r;
        }
        int r = cgroup_enter(&cg, from->pid, !from->move, err);
        if (r < 0)
                return r;
        *ret_cgroup = cg;
        cg = CGROUP_INIT;
        return 0;
}

int cgroup_give(const struct cgroup *cgroup, uid_t uid, struct error *err)
{
        static const char older[] = "cgroup.procs\ncgroup.subtree_control\ncgroup.threads"; /* config-linux.md */
        char files[1024];
        int fd = cgroup_v2_fd(cgroup);
        if (fd < 0)
                return 0;
        int r = file_read(AT_FDCWD, "/sys/kernel/cgroup/delegate", files, sizeof(files)); /* Linux 4.15 */
        if (r == -ENOENT) {
                memcpy(files, older, sizeof(older));
                r = 0;
        }
        if (r < 0)
                return error_set(err, r, "read \"/sys/kernel/cgroup/delegate\"");
        r = fchownat(fd, "", uid, (gid_t) -1, AT_EMPTY_PATH) < 0 ? -errno : 0;
        for (char *name = files, *next; r == 0 && *name; name = next) {
                next = name + strcspn(name, "\n");
                if (*next)
                        *next++ = '\0';
                /* The list has files of controllers that are not enabled here. */
                if (fchownat(fd, name, uid, (gid_t) -1, 0) < 0 && errno != ENOENT)
                        r = -errno;
        }
        return r < 0 ? error_set(err, r, "give the container's cgroup to user %u", (unsigned) uid) : 0;
}

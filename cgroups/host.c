#include "cgroups/probe.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "cgroups/devices.h"
#include "cgroups/files.h"

#define ROOT          "/sys/fs/cgroup"
#define MOUNTINFO_MAX (16u << 20)

/* Number of the machine's own cgroup namespace: PROC_CGROUP_INIT_INO, an ABI since Linux 4.6 (in uapi since 6.18). */
#define FIRST_CGROUP_NAMESPACE "cgroup:[4026531835]"

struct text {
        const char *at;
        size_t n;
};

/* One line of mountinfo. */
struct mount_line {
        struct text root, point, type, options;
        bool v2;
};

/* One line of /proc/self/cgroup while it looks for its mount. */
struct candidate {
        struct text group;
        struct text point;
        int score;              /* -1: no mount yet */
};

static struct text next_field(const char **at)
{
        struct text f = { *at, strcspn(*at, " \n") };
        *at += f.n;
        *at += **at == ' ';
        return f;
}

static bool text_is(struct text t, const char *s)
{
        return t.n == strlen(s) && memcmp(t.at, s, t.n) == 0;
}

static struct mount_line parse_line(const char *line)
{
        struct mount_line m;
        for (int i = 0; i < 3; i++)
                (void) next_field(&line); /* mount id, parent id, device */
        m.root = next_field(&line);
        m.point = next_field(&line);
        while (*line && *line != '\n' && !text_is(next_field(&line), "-"))
                ; /* options of the mount, then optional fields until a dash */
        m.type = next_field(&line);
        (void) next_field(&line); /* source: any word */
        m.options = next_field(&line);
        m.v2 = text_is(m.type, "cgroup2");
        return m;
}

/* One of a cgroup hierarchy. */
static bool parse_mount(const char *line, struct mount_line *ret)
{
        *ret = parse_line(line);
        return ret->v2 || text_is(ret->type, "cgroup");
}

/* mountinfo writes space, tab, newline and backslash as \ooo. */
static bool unescape(struct text t, char *buf, size_t size)
{
        size_t n = 0;
        for (size_t i = 0; i < t.n; i++) {
                if (n + 1 >= size)
                        return false;
                if (t.at[i] == '\\' && i + 3 < t.n) {
                        buf[n++] = (char) ((t.at[i + 1] - '0') * 64 + (t.at[i + 2] - '0') * 8 + (t.at[i + 3] - '0'));
                        i += 3;
                } else {
                        buf[n++] = t.at[i];
                }
        }
        buf[n] = '\0';
        return true;
}

/* Are these super block options those of the hierarchy "cpu,cpuacct" or "name=systemd"? */
static bool same_hierarchy(const struct cgroup_hierarchy *h, const struct mount_line *m)
{
        if (h->v2 || m->v2)
                return h->v2 && m->v2;
        size_t first = strcspn(h->controllers, ",");
        const char *end = m->options.at + m->options.n;
        for (const char *at = m->options.at; at < end;) {
                size_t n = strcspn(at, ", \n");
                if (n == first && memcmp(at, h->controllers, n) == 0)
                        return true;
                at += n + 1;
        }
        return false;
}

/*
 * Our cgroup as the mount shows it. The mount's root is "/" on a plain machine, "/docker/x" for a bind mount into
 * a container, and "/../.." for a mount made above our cgroup namespace: then nobody tells us our own name.
 */
static bool own_below(const char *root, struct text group, char *buf, size_t size)
{
        size_t skip = strcmp(root, "/") == 0 ? 0 : strlen(root);
        static const char gone[] = " (deleted)";
        buf[0] = '\0';
        if (group.n + 2 > size || group.n < skip || memcmp(group.at, root, skip) != 0)
                return false;
        if ((skip && group.n > skip && group.at[skip] != '/') || (group.n >= 3 && memcmp(group.at, "/..", 3) == 0))
                return false;
        if (group.n >= sizeof(gone) && memcmp(group.at + group.n + 1 - sizeof(gone), gone, sizeof(gone) - 1) == 0)
                return false;
        memcpy(buf, group.at + skip, group.n - skip);
        buf[group.n - skip] = '\0';
        if (!buf[0])
                memcpy(buf, "/", 2);
        return true;
}

/*
 * A hierarchy can be mounted several times: the best is one that shows our cgroup, then one at the usual place.
 * Of two mounts on the same point the later one is on top.
 */
static void try_mount(struct cgroup_hierarchy *h, struct candidate *c, const struct mount_line *m)
{
        char root[sizeof(h->own)], own[sizeof(h->own)], point[sizeof(h->mount_point)];
        if (!unescape(m->root, root, sizeof(root)) || !unescape(m->point, point, sizeof(point)))
                return;
        int score = own_below(root, c->group, own, sizeof(own)) ? 2 : 0;
        score += str_starts(point, ROOT);
        bool on_top = c->score >= 0 && c->point.n == m->point.n && memcmp(c->point.at, m->point.at, m->point.n) == 0;
        if (score <= c->score && !on_top)
                return;
        c->score = score;
        c->point = m->point;
        memcpy(h->mount_point, point, strlen(point) + 1);
        memcpy(h->own, own, strlen(own) + 1);
}

/* "4:memory:/box" and "0::/box" (v2). False: not such a line. */
static bool parse_group(const char *line, bool v2_only, struct cgroup_hierarchy *h, struct candidate *c)
{
        const char *name = strchr(line, ':');
        const char *path = name ? strchr(name + 1, ':') : NULL;
        const char *end = line + strcspn(line, "\n");
        if (!path || path > end)
                return false;
        name++;
        size_t n = (size_t) (path - name);
        if (n >= sizeof(h->controllers) || (n > 0 && v2_only))
                return false;
        memcpy(h->controllers, name, n);
        h->controllers[n] = '\0';
        h->v2 = n == 0;
        h->freezer = list_has(h->controllers, ',', "freezer", 7);
        h->devices = list_has(h->controllers, ',', "devices", 7);
        *c = (struct candidate){ .group = { path + 1, (size_t) (end - path - 1) }, .score = -1 };
        return true;
}

static const char *next_line(const char *at)
{
        const char *end = strchr(at, '\n');
        return end ? end + 1 : at + strlen(at);
}

void probe_parse(const char *mountinfo, const char *self_cgroup, bool v2_only, struct cgroup_host *ret_host)
{
        struct candidate found[CGROUP_HIERARCHIES_MAX];
        size_t n = 0, kept = 0, v1 = 0;

        /* The kernel has fewer controllers than there is room; only named hierarchies could go beyond. */
        for (const char *at = self_cgroup; *at && n < CGROUP_HIERARCHIES_MAX; at = next_line(at))
                n += parse_group(at, v2_only, &ret_host->h[n], &found[n]);

        for (const char *at = mountinfo ? mountinfo : ""; *at; at = next_line(at)) {
                struct mount_line m;
                if (!parse_mount(at, &m) || (v2_only && !text_is(m.point, ROOT)))
                        continue;
                for (size_t i = 0; i < n; i++)
                        if (same_hierarchy(&ret_host->h[i], &m))
                                try_mount(&ret_host->h[i], &found[i], &m);
        }
        static const struct mount_line whole = { .root = { "/", 1 }, .point = { ROOT, sizeof(ROOT) - 1 }, .v2 = true };
        for (size_t i = 0; i < n; i++) {
                if (!mountinfo)
                        try_mount(&ret_host->h[i], &found[i], &whole);
                if (found[i].score < 0)
                        continue;
                if (kept != i)
                        ret_host->h[kept] = ret_host->h[i];
                v1 += !ret_host->h[kept++].v2;
        }
        ret_host->n = kept;
        ret_host->mode = kept == 0 ? CGROUP_NONE : v1 == 0 ? CGROUP_V2 : v1 == kept ? CGROUP_V1 : CGROUP_HYBRID;
        ret_host->v2_controllers[0] = ret_host->v2_top[0] = ret_host->v2_below[0] = '\0';
}

bool probe_mount_point(const char *mountinfo, const char *type, char *buf, size_t size)
{
        bool found = false;
        for (const char *at = mountinfo; *at; at = next_line(at)) {
                const struct mount_line m = parse_line(at);
                if (text_is(m.type, type))
                        found = unescape(m.point, buf, size);
        }
        return found;
}

void probe_list(const char *controllers, char *buf, size_t size)
{
        size_t used = 0;
        for (const char *at = controllers; *at;) {
                size_t n = strcspn(at, " \n");
                if (n > 0 && used + n + 3 < size) {
                        buf[used++] = ' ';
                        memcpy(buf + used, at, n);
                        used += n;
                }
                at += n + (at[n] != '\0');
        }
        if (used > 0)
                buf[used++] = ' ';
        buf[used] = '\0';
}

static void read_list(int dirfd, const char *name, char *buf, size_t size)
{
        char text[256];
        /* A cgroup that went away, or that we may not look into, has nothing to offer us. */
        probe_list(file_read(dirfd, name, text, sizeof(text)) < 0 ? "" : text, buf, size);
}

/* What v2 can limit for us. */
static int probe_controllers(struct cgroup_host *host, const struct cgroup_hierarchy *v2, struct error *err)
{
        auto_fd int top = open(v2->mount_point, O_PATH | O_DIRECTORY | O_CLOEXEC);
        struct stat st;
        if (top < 0 || fstat(top, &st) < 0)
                return error_set(err, -errno, "open cgroup mount \"%s\"", v2->mount_point);
        read_list(top, "cgroup.controllers", host->v2_top, sizeof(host->v2_top));
        if (!v2->own[0])
                return 0;
        if (strcmp(v2->own, "/") == 0) {
                memcpy(host->v2_controllers, host->v2_top, sizeof(host->v2_top));
                /* The very root (kernfs inode 1) may have processes beside its children; a mount's root may not. */
                if (st.st_ino == 1)
                        memcpy(host->v2_below, host->v2_top, sizeof(host->v2_top));
                else
                        read_list(top, "cgroup.subtree_control", host->v2_below, sizeof(host->v2_below));
                return 0;
        }
        auto_fd int own = openat(top, v2->own + 1, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (own < 0)
                return 0; /* hidden by another mount: limits are then refused by name */
        read_list(own, "cgroup.controllers", host->v2_controllers, sizeof(host->v2_controllers));
        read_list(own, "cgroup.subtree_control", host->v2_below, sizeof(host->v2_below));
        return 0;
}

/* Of a cgroup that limits nothing these say so, or are not there. pids.max is left out: systemd's TasksMax= gives one to
 * every unit. NULL: a list of lines in which no number is a limit. */
static const struct {
        const char *file, *neutral;
} neutral[] = {
        { "cpuset.cpus", "" },        { "cpuset.mems", "" },          { "cpu.max", "max 100000" },
        { "cpu.weight", "100" },      { "cpu.idle", "0" },            { "cpu.uclamp.max", "max" },
        { "cpu.uclamp.min", "0.00" }, { "memory.max", "max" },        { "memory.high", "max" },
        { "memory.swap.max", "max" }, { "memory.zswap.max", "max" },  { "io.max", "" },
        { "io.weight", "default 100" },
        { "hugetlb.64KB.max", "max" }, { "hugetlb.2MB.max", "max" },  { "hugetlb.32MB.max", "max" },
        { "hugetlb.512MB.max", "max" }, { "hugetlb.1GB.max", "max" }, { "hugetlb.16GB.max", "max" },
        { "rdma.max", NULL },         { "misc.max", NULL },
};

/* "mlx5_0 hca_handle=max hca_object=2000", "res_a 3" */
static bool has_number(const char *text)
{
        for (const char *at = text; (at = strpbrk(at, "= ")) != NULL; at++)
                if (at[1] >= '0' && at[1] <= '9')
                        return true;
        return false;
}

/* Only the files of controllers that are there are looked for. */
static bool is_limited(int dirfd, const char *controllers)
{
        for (size_t i = 0; i < sizeof(neutral) / sizeof(*neutral); i++) {
                const char *file = neutral[i].file, *want = neutral[i].neutral;
                char text[1024];
                if (list_has(controllers, ' ', file, strcspn(file, ".")) && file_read(dirfd, file, text, sizeof(text)) == 0 &&
                    (want ? strcmp(text, want) != 0 : has_number(text)))
                        return true;
        }
        return cgroup_filtered(dirfd);
}

/* Whoever moves a process into a cgroup needs the one above both. */
static bool may_make_beside(int dirfd)
{
        return faccessat(dirfd, "..", W_OK, AT_EACCESS) == 0 && faccessat(dirfd, "../cgroup.procs", W_OK, AT_EACCESS) == 0;
}

void cgroup_host_probe_own(struct cgroup_host *host)
{
        char path[PATH_MAX];
        host->stay_below = false;
        if (host->mode != CGROUP_V2 || path_below(&host->h[0], host->h[0].own, path) < 0)
                return;
        auto_fd int own = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        host->stay_below = own >= 0 && (is_limited(own, host->v2_controllers) || !may_make_beside(own));
}

/* Is all we could learn from mountinfo (slow on machines with many mounts) that the v2 root is on /sys/fs/cgroup? */
static bool plain_v2(void)
{
        struct stat st;
        char ns[64];
        if (stat(ROOT, &st) < 0 || st.st_ino != 1)
                return false;
        ssize_t n = readlink("/proc/self/ns/cgroup", ns, sizeof(ns) - 1);
        if (n < 0)
                return false;
        ns[n] = '\0';
        return strcmp(ns, FIRST_CGROUP_NAMESPACE) == 0;
}

int cgroup_host_probe(struct cgroup_host *ret_host, struct error *err)
{
        struct statfs fs;
        auto_free char *mountinfo = NULL;
        auto_free char *self = NULL;

        bool v2_only = statfs(ROOT, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC;
        int r = io_read_file(AT_FDCWD, "/proc/self/cgroup", MOUNTINFO_MAX, &self, NULL);
        if (r == -ENOENT) { /* a kernel without cgroups */
                probe_parse("", "", v2_only, ret_host);
                return 0;
        }
        if (r < 0)
                return error_set(err, r, "read \"/proc/self/cgroup\"");
        if (!v2_only || !plain_v2()) {
                r = io_read_file(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &mountinfo, NULL);
                if (r < 0)
                        return error_set(err, r, "read \"/proc/self/mountinfo\"");
        }
        probe_parse(mountinfo, self, v2_only, ret_host);
        for (size_t i = 0; i < ret_host->n; i++)
                if (ret_host->h[i].v2)
                        return probe_controllers(ret_host, &ret_host->h[i], err);
        return 0;
}

const struct cgroup_hierarchy *cgroup_find(const struct cgroup_host *host, const char *controller)
{
        const struct cgroup_hierarchy *v2 = NULL;
        size_t n = strlen(controller);
        for (size_t i = 0; i < host->n; i++) {
                if (host->h[i].v2)
                        v2 = &host->h[i];
                else if (list_has(host->h[i].controllers, ',', controller, n))
                        return &host->h[i];
        }
        /* A named hierarchy has no controller that could have moved to v2. */
        return str_starts(controller, "name=") ? NULL : v2;
}

cgroup_set cgroup_set_of(const struct cgroup_host *host, const char *controllers)
{
        cgroup_set set = 0;
        for (const char *at = controllers;;) {
                char name[64];
                size_t n = strcspn(at, ",");
                if (n < sizeof(name) && (n > 0 || !*controllers)) {
                        memcpy(name, at, n);
                        name[n] = '\0';
                        const struct cgroup_hierarchy *h = cgroup_find(host, name);
                        if (h)
                                set |= (cgroup_set) 1 << (h - host->h);
                }
                if (!at[n])
                        return set;
                at += n + 1;
        }
}

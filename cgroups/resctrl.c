#include "cgroups/resctrl.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/io.h"
#include "base/str.h"
#include "cgroups/files.h"
#include "cgroups/probe.h"

#ifndef RDTGROUP_SUPER_MAGIC
#define RDTGROUP_SUPER_MAGIC 0x7655821  /* linux/magic.h, 4.10 */
#endif

#define USUAL_PLACE "/sys/fs/resctrl"
#define MOUNTINFO_MAX (16u << 20)
#define SCHEMATA_MAX (1u << 20)
#define LOCK_WAIT_US UINT64_C(10000000)

/* ---- the file system ---- */

/* The kernel makes the directory exactly if it and the CPU can do it (Linux 4.10). */
static int nothing_there(bool is_possible, struct error *err)
{
        if (is_possible)
                return error_say(err, -EOPNOTSUPP, "linux.intelRdt: resctrl is not mounted: mount -t resctrl resctrl "
                                 USUAL_PLACE);
        return error_say(err, -EOPNOTSUPP, "linux.intelRdt: Intel RDT is not enabled: this CPU, or this kernel, has no "
                         "control of caches and memory bandwidth (no " USUAL_PLACE ")");
}

int resctrl_find(int *ret_fd, struct error *err)
{
        struct statfs fs = { 0 };
        char place[PATH_MAX] = USUAL_PLACE;
        bool is_possible = statfs(USUAL_PLACE, &fs) == 0;
        if (!is_possible || fs.f_type != RDTGROUP_SUPER_MAGIC) {
                auto_free char *mounts = NULL;
                int r = io_read_file(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &mounts, NULL);
                if (r < 0 || !mounts)
                        return error_set(err, r, "read \"/proc/self/mountinfo\"");
                if (!probe_mount_point(mounts, "resctrl", place, sizeof(place)))
                        return nothing_there(is_possible, err);
        }
        int fd = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return error_set(err, -errno, "linux.intelRdt: open \"%s\"", place);
        *ret_fd = fd;
        return 0;
}

/* A failure, with what the kernel says about it. */
static int fail(const struct resctrl *g, int r, struct error *err, const char *what)
{
        char status[256] = "";
        if (file_read(g->root_fd, "info/last_cmd_status", status, sizeof(status)) < 0 || strcmp(status, "ok") == 0)
                status[0] = '\0';
        status[strcspn(status, "\n")] = '\0';
        return error_say(err, r, "linux.intelRdt: %s: %s%s%s%s", what, strerror(-r), *status ? " (the kernel says: " : "",
                         status, *status ? ")" : "");
}

static int fail_at(const struct resctrl *g, int r, struct error *err, const char *what)
{
        char whole[2 * RDT_CLOS_MAX];
        (void) snprintf(whole, sizeof(whole), "class \"%s\": %s", g->name, what); /* cut off, if need be */
        return fail(g, r, err, whole);
}

/* ---- classes ---- */

static int open_directory(int at, const char *name)
{
        int fd = openat(at, strcmp(name, "/") == 0 ? "." : name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

bool resctrl_has(int root_fd, const char *name)
{
        auto_fd int fd = open_directory(root_fd, name);
        return fd >= 0;
}

static int lock(const struct resctrl *g, struct error *err)
{
        struct patience p = PATIENCE_INIT;
        while (flock(g->root_fd, LOCK_EX | LOCK_NB) < 0)
                if ((errno != EWOULDBLOCK && errno != EINTR) || !patience_wait(&p, LOCK_WAIT_US))
                        return error_set(err, -errno, "linux.intelRdt: lock the root of resctrl, which others have locked");
        return 0;
}

int resctrl_open(struct resctrl *g, const char *name, bool make, struct error *err)
{
        (void) snprintf(g->name, sizeof(g->name), "%s", name); /* a file's name fits */
        int r = lock(g, err);
        if (r < 0)
                return r;
        if (make && strcmp(name, "/") != 0) {
                g->made = mkdirat(g->root_fd, name, 0755) == 0;
                if (!g->made && errno != EEXIST)
                        return fail_at(g, -errno, err, "make it");
        }
        g->fd = open_directory(g->root_fd, name);
        if (g->fd == -ENOENT)
                return error_say(err, -ENOENT, "linux.intelRdt.closID: there is no class \"%s\" (clos dir not accessible): make "
                                 "it, or give the schemata it is to have", name);
        return g->fd < 0 ? fail_at(g, g->fd, err, "open it") : 0;
}

int resctrl_read(const struct resctrl *g, char **ret_text, struct error *err)
{
        int r = io_read_file(g->fd, "schemata", SCHEMATA_MAX, ret_text, NULL);
        return r < 0 ? fail_at(g, r, err, "read its schemata") : 0;
}

static int compare(const struct resctrl *g, const char *line, struct error *err)
{
        auto_free char *have = NULL;
        char text[24];
        uint64_t step = 0;
        int r = resctrl_read(g, &have, err);
        if (r < 0 || !have)
                return r;
        if (file_read(g->root_fd, "info/MB/bandwidth_gran", text, sizeof(text)) < 0 || parse_u64(text, &step) < 0)
                step = 0;       /* there is no bandwidth to be rounded */
        if (resctrl_matches(line, have, step))
                return 0;
        for (char *at = have; (at = strpbrk(at, "\n")); at++)
                *at = at[1] ? ',' : '\0';
        return error_say(err, -EEXIST, "linux.intelRdt: class \"%s\" exists, and has other schemata than \"%s\": %s", g->name, line,
                         have + strspn(have, " "));
}

int resctrl_write(const struct resctrl *g, const char *line, bool must_match, struct error *err)
{
        if (must_match && !g->made)
                return compare(g, line, err);
        auto_str struct str text = STR_INIT;
        auto_str struct str what = STR_INIT;
        str_addf(&text, "%s\n", line); /* a line without an end is refused */
        str_addf(&what, "write \"%s\" to its schemata", line);
        int r = str_failed(&text) || str_failed(&what) ? -ENOMEM : io_write_file(g->fd, "schemata", text.text);
        return r < 0 ? fail_at(g, r, err, str_failed(&what) ? "write its schemata" : what.text) : 0;
}

/* ---- tasks ---- */

int resctrl_monitor(struct resctrl *g, const char *id, struct error *err)
{
        auto_fd int all = open_directory(g->fd, "mon_groups");
        (void) snprintf(g->monitor, sizeof(g->monitor), "%s", id); /* a container's id fits */
        if (all == -ENOENT)
                return error_say(err, -EOPNOTSUPP, "linux.intelRdt.enableMonitoring: this CPU, or this kernel, counts nothing (no "
                                 "mon_groups in resctrl)");
        if (all < 0)
                return fail_at(g, all, err, "open its mon_groups");
        g->made_monitor = mkdirat(all, id, 0755) == 0;
        if (!g->made_monitor && errno != EEXIST)
                return fail_at(g, -errno, err, "make a directory in its mon_groups (linux.intelRdt.enableMonitoring)");
        g->monitor_fd = open_directory(all, id);
        if (g->monitor_fd < 0)
                return fail_at(g, g->monitor_fd, err, "open the directory in its mon_groups");
        if (!g->made_monitor && file_has_text(g->monitor_fd, "tasks") != 0)
                return error_say(err, -EEXIST, "linux.intelRdt.enableMonitoring: class \"%s\" has mon_groups/%s already, and it is "
                                 "in use", g->name, id);
        g->made_monitor = true; /* ours now */
        return 0;
}

int resctrl_enter(const struct resctrl *g, pid_t tid, struct error *err)
{
        char text[24];
        (void) snprintf(text, sizeof(text), "%d", (int) tid); /* fits */
        /* The class first: only its own tasks can be counted below it. */
        int r = io_write_file(g->fd, "tasks", text);
        if (r == 0 && g->monitor_fd >= 0)
                r = io_write_file(g->monitor_fd, "tasks", text);
        (void) flock(g->root_fd, LOCK_UN); /* of an open directory: cannot fail */
        return r < 0 ? fail_at(g, r, err, "put the container's process into it") : 0;
}

int resctrl_reopen(struct resctrl *g, const char *name, const char *monitor, struct error *err)
{
        (void) snprintf(g->name, sizeof(g->name), "%s", name); /* both fit */
        (void) snprintf(g->monitor, sizeof(g->monitor), "%s", monitor ? monitor : "");
        g->fd = open_directory(g->root_fd, name);
        if (g->fd < 0)
                return fail_at(g, g->fd, err, "open it");
        if (!monitor)
                return 0;
        auto_fd int all = open_directory(g->fd, "mon_groups");
        g->monitor_fd = all < 0 ? all : open_directory(all, monitor);
        return g->monitor_fd < 0 ? fail_at(g, g->monitor_fd, err, "open the container's directory in its mon_groups") : 0;
}

/* ---- the end ---- */

static int remove_monitor(int fd, const char *monitor)
{
        auto_fd int all = open_directory(fd, "mon_groups");
        if (all < 0)
                return all;
        return unlinkat(all, monitor, AT_REMOVEDIR) < 0 ? -errno : 0;
}

/* Who is in a class would be put out of it. */
static bool is_empty(int fd)
{
        return file_has_text(fd, "tasks") == 0;
}

void resctrl_undo(struct resctrl *g)
{
        if (g->monitor_fd >= 0 && g->made_monitor && is_empty(g->monitor_fd))
                ignore_result(remove_monitor(g->fd, g->monitor)); /* a failure has been reported already */
        if (g->made && (g->fd < 0 || is_empty(g->fd)))
                (void) unlinkat(g->root_fd, g->name, AT_REMOVEDIR); /* as above */
        g->made = g->made_monitor = false;
}

int resctrl_remove(int root_fd, const char *name, const char *monitor, struct error *err)
{
        const struct resctrl g = { .root_fd = root_fd };
        int r = 0;
        if (monitor) {
                auto_fd int fd = open_directory(root_fd, name);
                r = fd < 0 ? fd : remove_monitor(fd, monitor);
        } else if (unlinkat(root_fd, name, AT_REMOVEDIR) < 0) {
                r = -errno;
        }
        char what[2 * RDT_CLOS_MAX + 64];
        (void) snprintf(what, sizeof(what), "remove class \"%s%s%s\"", name, monitor ? "/mon_groups/" : "",
                        monitor ? monitor : ""); /* fits */
        return r == 0 || r == -ENOENT ? 0 : fail(&g, r, err, what);
}

void resctrl_clear(struct resctrl *g)
{
        fd_close(g->monitor_fd);
        fd_close(g->fd);
        fd_close(g->root_fd);
        *g = RESCTRL_INIT;
}

/* ---- schemata ---- */

/* Bit masks are hexadecimal; bandwidth (MB, of AMD also SMBA) is decimal. */
static bool is_bandwidth(const char *name, size_t n)
{
        return (n == 2 && memcmp(name, "MB", 2) == 0) || (n == 4 && memcmp(name, "SMBA", 4) == 0);
}

struct domain {
        uint64_t id, value;
};

/* A pointer behind the digits; NULL if there are none, or too many. */
static const char *hex_at(const char *at, uint64_t *ret)
{
        static const char digits[] = "0123456789abcdef";
        const char *begin = at, *digit;
        uint64_t n = 0;
        for (; *at && (digit = strchr(digits, tolower((unsigned char) *at))); at++) {
                if (n >> 60)
                        return NULL;
                n = n << 4 | (uint64_t) (digit - digits);
        }
        *ret = n;
        return at > begin ? at : NULL;
}

/* "0=7f0;1=1f" or, as the kernel writes it, "0= 100;1= 100". False: at the end, or no such thing. */
static bool next_domain(const char **at, bool decimal, struct domain *ret)
{
        *at += strspn(*at, " ;");
        const char *p = number_at(*at, &ret->id);
        p = p ? p + strspn(p, " ") : NULL;
        if (!p || *p != '=')
                return false;
        p += 1 + strspn(p + 1, " ");
        p = decimal ? number_at(p, &ret->value) : hex_at(p, &ret->value);
        *at = p ? p : *at;
        return p != NULL;
}

/* The line of this name, behind its colon; NULL if there is none. */
static const char *find_line(const char *schemata, const char *name, size_t n)
{
        for (const char *at = schemata; *at; at += strcspn(at, "\n"), at += *at == '\n') {
                const char *word = at + strspn(at, " ");
                if (strncmp(word, name, n) == 0 && word[n] == ':')
                        return word + n + 1;
        }
        return NULL;
}

static bool has_domain(const char *line, bool decimal, uint64_t step, const struct domain *want)
{
        struct domain have;
        uint64_t rounded = want->value;
        if (decimal && step > 1 && rounded % step != 0)
                rounded += step - rounded % step;
        while (line && next_domain(&line, decimal, &have))
                if (have.id == want->id)
                        return have.value == rounded;
        return false;
}

bool resctrl_matches(const char *line, const char *schemata, uint64_t step)
{
        for (const char *at = line; *at;) {
                at += strspn(at, " \n");
                size_t n = strcspn(at, ":\n");
                if (at[n] != ':')
                        return !*at;
                bool decimal = is_bandwidth(at, n);
                const char *have = find_line(schemata, at, n);
                struct domain want;
                at += n + 1;
                while (next_domain(&at, decimal, &want))
                        if (!has_domain(have, decimal, step, &want))
                                return false;
                at += strspn(at, " ;");
                if (*at && *at != '\n')
                        return false;   /* not understood, so not the same */
        }
        return true;
}

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/str.h"
#include "cgroups/files.h"
#include "cgroups/resctrl.h"

#define DOMAINS_MAX 1024

static uint64_t read_number(int dirfd, const char *name)
{
        char text[32];
        uint64_t n = 0;
        /* Also "Unavailable", which is what a counter says that is not free at the moment. */
        return file_read(dirfd, name, text, sizeof(text)) < 0 || !number_at(text, &n) ? 0 : n;
}

static bool has_file(int dirfd, const char *name)
{
        return faccessat(dirfd, name, F_OK, 0) == 0;
}

/* Without white space around it. */
static char *trim(struct arena *arena, const char *text)
{
        size_t skip = strspn(text, " \n"), n = strlen(text);
        while (n > skip && strchr(" \n", text[n - 1]))
                n--;
        return arena_strndup(arena, text + skip, n - skip);
}

static int read_lines(int dirfd, struct arena *arena, const char ***ret)
{
        auto_free char *raw = NULL;
        int r = io_read_file(dirfd, "schemata", 1u << 20, &raw, NULL);
        if (r < 0)
                return r;
        char *text = trim(arena, raw);
        size_t n = 1;
        for (const char *p = text; p && *p; p++)
                n += *p == '\n';
        const char **lines = arena_alloc(arena, n + 1, sizeof(*lines));
        if (!text || !lines)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++) {
                lines[i] = text;
                text += strcspn(text, "\n");
                if (*text)
                        *text++ = '\0';
        }
        *ret = lines;
        return 0;
}

/* The last line that has these letters, as runc finds it: "L3" is also in L3CODE, and in L3DATA. */
static const char *pick(struct arena *arena, const char **lines, const char *letters)
{
        const char *found = NULL;
        for (; *lines; lines++)
                if (strstr(*lines, letters))
                        found = *lines;
        return found ? trim(arena, found) : NULL;
}

struct names {
        char (*list)[64];
        size_t n;
};

static int collect(int dirfd, const char *name, void *arg)
{
        struct names *names = arg;
        (void) dirfd;
        if (names->n < DOMAINS_MAX && strlen(name) < sizeof(*names->list))
                (void) snprintf(names->list[names->n++], sizeof(*names->list), "%s", name); /* was measured */
        return 0;
}

static int by_name(const void *a, const void *b)
{
        return strcmp(a, b);
}

static int read_domains(int dirfd, struct arena *arena, struct resctrl_stats *to)
{
        auto_fd int data = openat(dirfd, "mon_data", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct names names = { .list = arena_alloc(arena, DOMAINS_MAX, sizeof(*names.list)) };
        if (!names.list)
                return -ENOMEM;
        int r = data < 0 ? -errno : each_child(data, collect, &names);
        if (r < 0)
                return r;
        qsort(names.list, names.n, sizeof(*names.list), by_name);
        struct resctrl_domain *list = arena_alloc(arena, names.n + 1, sizeof(*list));
        if (!list)
                return -ENOMEM;
        to->domains = list;
        for (size_t i = 0; i < names.n; i++) {
                auto_fd int fd = openat(data, names.list[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                /* Newer kernels have domains of other things than caches beside them. */
                if (fd < 0 || strncmp(names.list[i], "mon_L3_", 7) != 0)
                        continue;
                list[to->n_domains++] = (struct resctrl_domain){
                        .total_bytes = read_number(fd, "mbm_total_bytes"),
                        .local_bytes = read_number(fd, "mbm_local_bytes"),
                        .occupancy = read_number(fd, "llc_occupancy"),
                };
        }
        return 0;
}

static void read_info(int root, struct arena *arena, struct resctrl_stats *to)
{
        char text[512];
        to->has_l3 = has_file(root, "info/L3");
        to->has_memory = has_file(root, "info/MB");
        if (to->has_l3 && file_read(root, "info/L3/cbm_mask", text, sizeof(text)) == 0)
                to->cbm_mask = arena_strdup(arena, text);
        to->min_cbm_bits = read_number(root, "info/L3/min_cbm_bits");
        to->l3_classes = read_number(root, "info/L3/num_closids");
        to->bandwidth_gran = read_number(root, "info/MB/bandwidth_gran");
        to->delay_linear = read_number(root, "info/MB/delay_linear");
        to->min_bandwidth = read_number(root, "info/MB/min_bandwidth");
        to->memory_classes = read_number(root, "info/MB/num_closids");
        if (file_read(root, "info/L3_MON/mon_features", text, sizeof(text)) < 0)
                return;
        to->has_traffic = strstr(text, "mbm_total_bytes") || strstr(text, "mbm_local_bytes");
        to->has_occupancy = strstr(text, "llc_occupancy") != NULL;
}

int resctrl_stats_read(const struct resctrl *g, struct arena *arena, struct resctrl_stats *ret, struct error *err)
{
        struct resctrl_stats s = { 0 };
        const char **all = NULL;
        int r = read_lines(g->root_fd, arena, &all);
        if (r == 0)
                r = read_lines(g->fd, arena, &s.lines);
        if (r == 0)
                read_info(g->root_fd, arena, &s);
        /* Without a directory of its own, the class's, in which others may be, too: as runc. */
        if (r == 0 && (s.has_traffic || s.has_occupancy))
                r = read_domains(g->monitor_fd >= 0 ? g->monitor_fd : g->fd, arena, &s);
        if (r < 0)
                return error_set(err, r, "linux.intelRdt: class \"%s\": read what it uses", g->name);
        if (s.has_l3) {
                s.l3_root = pick(arena, all, "L3");
                s.l3 = pick(arena, s.lines, "L3");
        }
        if (s.has_memory) {
                s.memory_root = pick(arena, all, "MB");
                s.memory = pick(arena, s.lines, "MB");
        }
        *ret = s;
        return 0;
}

#include "cgroups/stats.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "cgroups/files.h"

#define NS_PER_TICK (1000000000u / 100u)        /* cpuacct.stat counts in USER_HZ, which is 100 everywhere */

struct reading {
        const struct cgroup *cgroup;
        struct arena *arena;
        struct cgroup_stats *out;
};

enum place { PLACE_NONE, PLACE_V1, PLACE_V2 };

static enum place place_of(const struct reading *in, const char *controller)
{
        const struct cgroup_host *host = in->cgroup->host;
        const struct cgroup_hierarchy *h = host ? cgroup_find(host, controller) : NULL;
        if (!h || in->cgroup->dir[h - host->h].fd < 0)
                return PLACE_NONE;
        return h->v2 ? PLACE_V2 : PLACE_V1;
}

/* A file, or NULL if there is none. The caller frees it. */
static char *text_of(const struct reading *in, const char *controller, const char *file)
{
        char *text = NULL;
        return cgroup_read(in->cgroup, controller, file, &text, NULL) == 0 ? text : NULL;
}

static bool number_of(const struct reading *in, const char *controller, const char *file, uint64_t *ret)
{
        auto_free char *text = text_of(in, controller, file);
        return text && parse_u64(text, ret) == 0;
}

/* As number_of(), and "max" is UINT64_MAX. */
static bool limit_of(const struct reading *in, const char *controller, const char *file, uint64_t *ret)
{
        auto_free char *text = text_of(in, controller, file);
        if (text && strcmp(text, "max") == 0)
                *ret = UINT64_MAX;
        return text && (strcmp(text, "max") == 0 || parse_u64(text, ret) == 0);
}

static uint64_t value_of(const char *text, const char *key, uint64_t factor)
{
        uint64_t value = 0;
        return text && flat_value(text, key, &value) == 0 ? value * factor : 0;
}

static void psi_of(const struct reading *in, const char *file, struct stats_psi *ret)
{
        auto_free char *text = text_of(in, "", file); /* EOPNOTSUPP: switched off */
        if (text)
                (void) stats_parse_psi(text, ret); /* a text that is none leaves `has` false */
}

/* ---- cpu ---- */

/* cpuacct.usage_percpu: numbers in a row. */
static int read_percpu(struct reading *in)
{
        auto_free char *text = text_of(in, "cpuacct", "cpuacct.usage_percpu");
        struct stats_numbers *out = &in->out->percpu;
        if (!text)
                return 0;
        out->list = arena_alloc(in->arena, strlen(text) / 2 + 1, sizeof(*out->list));
        if (!out->list)
                return -ENOMEM;
        char *rest = NULL;
        for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
                if (parse_u64(word, &out->list[out->n]) == 0)
                        out->n++;
        return 0;
}

/* cpuacct.usage_all: a line of titles, then "cpu user system". */
static int read_percpu_modes(struct reading *in)
{
        auto_free char *text = text_of(in, "cpuacct", "cpuacct.usage_all");
        struct stats_numbers *user = &in->out->percpu_user, *kernel = &in->out->percpu_kernel;
        if (!text)
                return 0;
        user->list = arena_alloc(in->arena, strlen(text) / 6 + 1, sizeof(*user->list));
        kernel->list = arena_alloc(in->arena, strlen(text) / 6 + 1, sizeof(*kernel->list));
        if (!user->list || !kernel->list)
                return -ENOMEM;
        char *rest = NULL;
        for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
                uint64_t cpu, u, k;
                const char *at = number_at(line, &cpu);
                at = at && *at == ' ' ? number_at(at + 1, &u) : NULL;
                if (!at || *at != ' ' || !number_at(at + 1, &k))
                        continue;
                user->list[user->n++] = u;
                kernel->list[kernel->n++] = k;
        }
        return 0;
}

static int read_cpu(struct reading *in)
{
        struct cgroup_stats *out = in->out;
        if (place_of(in, "cpu") == PLACE_V1) {
                auto_free char *text = text_of(in, "cpu", "cpu.stat");
                out->periods = value_of(text, "nr_periods", 1);
                out->throttled_periods = value_of(text, "nr_throttled", 1);
                out->throttled_ns = value_of(text, "throttled_time", 1);
        }
        if (place_of(in, "cpuacct") == PLACE_V1) {
                auto_free char *text = text_of(in, "cpuacct", "cpuacct.stat");
                out->cpu_user = value_of(text, "user", NS_PER_TICK);
                out->cpu_kernel = value_of(text, "system", NS_PER_TICK);
                (void) number_of(in, "cpuacct", "cpuacct.usage", &out->cpu_total); /* else 0 */
                int r = read_percpu(in);
                return r < 0 ? r : read_percpu_modes(in);
        }
        auto_free char *text = text_of(in, "", "cpu.stat");
        out->cpu_total = value_of(text, "usage_usec", 1000);
        out->cpu_user = value_of(text, "user_usec", 1000);
        out->cpu_kernel = value_of(text, "system_usec", 1000);
        if (place_of(in, "cpu") == PLACE_V2) {
                out->periods = value_of(text, "nr_periods", 1);
                out->throttled_periods = value_of(text, "nr_throttled", 1);
                out->throttled_ns = value_of(text, "throttled_usec", 1000);
        }
        psi_of(in, "cpu.pressure", &out->cpu_psi);
        return 0;
}

static int read_cpuset(struct reading *in)
{
        static const char *const flags[STATS_CPUSET_FLAGS] = {
                [STATS_CPU_EXCLUSIVE] = "cpuset.cpu_exclusive",
                [STATS_MEM_HARDWALL] = "cpuset.mem_hardwall",
                [STATS_MEM_EXCLUSIVE] = "cpuset.mem_exclusive",
                [STATS_MEMORY_MIGRATE] = "cpuset.memory_migrate",
                [STATS_MEMORY_SPREAD_PAGE] = "cpuset.memory_spread_page",
                [STATS_MEMORY_SPREAD_SLAB] = "cpuset.memory_spread_slab",
                [STATS_MEMORY_PRESSURE] = "cpuset.memory_pressure",
                [STATS_SCHED_LOAD_BALANCE] = "cpuset.sched_load_balance",
        };
        /* On v2 runc leaves all of it empty. */
        if (place_of(in, "cpuset") != PLACE_V1)
                return 0;
        auto_free char *cpus = text_of(in, "cpuset", "cpuset.cpus");
        auto_free char *mems = text_of(in, "cpuset", "cpuset.mems");
        int r = cpus ? stats_parse_list(cpus, in->arena, &in->out->cpus) : 0;
        if (r != -ENOMEM)
                r = mems ? stats_parse_list(mems, in->arena, &in->out->mems) : 0;
        if (r == -ENOMEM)
                return r;
        for (int i = 0; i < STATS_CPUSET_FLAGS; i++)
                (void) number_of(in, "cpuset", flags[i], &in->out->cpuset[i]); /* else 0 */
        auto_free char *level = text_of(in, "cpuset", "cpuset.sched_relax_domain_level");
        if (level)
                ignore_result(parse_i64(level, &in->out->sched_relax_domain_level)); /* else 0 */
        return 0;
}

/* ---- memory ---- */

static struct stats_memory memory_entry_v1(const struct reading *in, const char *prefix)
{
        static const char *const names[] = { "limit_in_bytes", "usage_in_bytes", "max_usage_in_bytes", "failcnt" };
        uint64_t values[4] = { 0 };
        char file[64];
        for (int i = 0; i < 4; i++) {
                (void) snprintf(file, sizeof(file), "%s.%s", prefix, names[i]); /* fits */
                if (!number_of(in, "memory", file, &values[i]))
                        return (struct stats_memory){ 0 };
        }
        return (struct stats_memory){ values[0], values[1], values[2], values[3] };
}

static struct stats_memory memory_entry_v2(const struct reading *in, const char *prefix)
{
        struct stats_memory m = { 0 };
        char current[32], max[32], peak[32];
        (void) snprintf(current, sizeof(current), "%s.current", prefix);        /* they fit */
        (void) snprintf(max, sizeof(max), "%s.max", prefix);
        (void) snprintf(peak, sizeof(peak), "%s.peak", prefix);
        if (!number_of(in, "", current, &m.usage) || !limit_of(in, "", max, &m.limit))
                return (struct stats_memory){ 0 };
        (void) number_of(in, "", peak, &m.max); /* 5.19 */
        return m;
}

static int read_memory(struct reading *in)
{
        struct cgroup_stats *out = in->out;
        enum place place = place_of(in, "memory");
        auto_free char *text = place == PLACE_NONE ? NULL : text_of(in, "memory", "memory.stat");
        if (!text)
                return 0;
        if (place == PLACE_V1) {
                out->cache = value_of(text, "cache", 1);
                out->memory = memory_entry_v1(in, "memory");
                out->swap = memory_entry_v1(in, "memory.memsw");
                out->kernel = memory_entry_v1(in, "memory.kmem");
                out->kernel_tcp = memory_entry_v1(in, "memory.kmem.tcp");
        } else {
                out->cache = value_of(text, "file", 1);
                out->memory = memory_entry_v2(in, "memory");
                out->swap = memory_entry_v2(in, "memory.swap");
                /* v1's number is both together; their peaks are not of the same moment */
                out->swap.usage += out->memory.usage;
                if (out->swap.limit > UINT64_MAX - out->memory.limit)
                        out->swap.limit = UINT64_MAX;
                else
                        out->swap.limit += out->memory.limit;
                out->swap.max = 0;
                psi_of(in, "memory.pressure", &out->memory_psi);
        }
        return stats_parse_named(text, in->arena, &out->raw, &out->n_raw);
}

static void read_pids(struct reading *in)
{
        if (place_of(in, "pids") == PLACE_NONE)
                return;
        (void) number_of(in, "pids", "pids.current", &in->out->pids); /* else 0, and so the limit: */
        (void) number_of(in, "pids", "pids.max", &in->out->pids_limit); /* "max" is no number */
}

/* ---- io ---- */

static int read_blkio(struct reading *in)
{
        /* bfq tells most; without it, only throttling counts. A file may be there and empty. */
        static const char *const files[STATS_IO_KINDS][2] = {
                [STATS_IO_BYTES] = { "blkio.bfq.io_service_bytes_recursive",
                                     "blkio.throttle.io_service_bytes_recursive" },
                [STATS_IO_SERVICED] = { "blkio.bfq.io_serviced_recursive", "blkio.throttle.io_serviced_recursive" },
                [STATS_IO_QUEUED] = { "blkio.bfq.io_queued_recursive" },
                [STATS_IO_SERVICE_TIME] = { "blkio.bfq.io_service_time_recursive" },
                [STATS_IO_WAIT_TIME] = { "blkio.bfq.io_wait_time_recursive" },
                [STATS_IO_MERGED] = { "blkio.bfq.io_merged_recursive" },
                [STATS_IO_TIME] = { "blkio.bfq.time_recursive" },
                [STATS_IO_SECTORS] = { "blkio.bfq.sectors_recursive" },
        };
        for (int kind = 0; kind < STATS_IO_KINDS; kind++)
                for (int i = 0; i < 2 && files[kind][i] && in->out->io[kind].n == 0; i++) {
                        auto_free char *text = text_of(in, "blkio", files[kind][i]);
                        int r = text ? stats_parse_blkio(text, in->arena, &in->out->io[kind]) : 0;
                        if (r < 0)
                                return r;
                }
        return 0;
}

static int read_io(struct reading *in)
{
        if (place_of(in, "blkio") == PLACE_V1)
                return read_blkio(in);
        auto_free char *text = place_of(in, "") == PLACE_V2 ? text_of(in, "", "io.stat") : NULL;
        psi_of(in, "io.pressure", &in->out->io_psi);
        return text ? stats_parse_io_stat(text, in->arena, in->out->io) : 0;
}

/* ---- hugetlb ---- */

static int by_size(const void *a, const void *b)
{
        return strcmp(((const struct stats_hugetlb *) a)->size, ((const struct stats_hugetlb *) b)->size);
}

static struct stats_hugetlb hugetlb_of(const struct reading *in, enum place place, const char *size)
{
        struct stats_hugetlb h = { .size = size };
        char file[64];
        if (place == PLACE_V1) {
                const struct { const char *name; uint64_t *to; } rows[] = {
                        { "usage_in_bytes", &h.usage }, { "max_usage_in_bytes", &h.max }, { "failcnt", &h.failcnt },
                };
                for (size_t i = 0; i < 3; i++) {
                        (void) snprintf(file, sizeof(file), "hugetlb.%s.%s", size, rows[i].name);
                        (void) number_of(in, "hugetlb", file, rows[i].to); /* else 0 */
                }
                return h;
        }
        (void) snprintf(file, sizeof(file), "hugetlb.%s.current", size);
        (void) number_of(in, "hugetlb", file, &h.usage); /* else 0 */
        (void) snprintf(file, sizeof(file), "hugetlb.%s.events", size);
        auto_free char *events = text_of(in, "hugetlb", file);
        h.failcnt = value_of(events, "max", 1);
        return h;
}

static int add_hugetlb(struct reading *in, enum place place, const char *name)
{
        struct cgroup_stats *out = in->out;
        char size[32];
        int end = 0;
        /* "%n" is reached only if everything before it fits */
        (void) sscanf(name, place == PLACE_V1 ? "hugetlb.%31[^.].usage_in_bytes%n" : "hugetlb.%31[^.].current%n", size,
                      &end);
        if (end == 0 || name[end] != '\0')
                return 0;
        const char *copy = arena_strdup(in->arena, size);
        struct stats_hugetlb *grown = arena_grow(in->arena, out->hugetlb, out->n_hugetlb, 1, sizeof(*grown));
        if (!copy || !grown)
                return -ENOMEM;
        grown[out->n_hugetlb++] = hugetlb_of(in, place, copy);
        out->hugetlb = grown;
        return 0;
}

static int read_hugetlb(struct reading *in)
{
        enum place place = place_of(in, "hugetlb");
        if (place == PLACE_NONE)
                return 0;
        const struct cgroup_hierarchy *h = cgroup_find(in->cgroup->host, "hugetlb");
        int fd = openat(in->cgroup->dir[h - in->cgroup->host->h].fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        if (!dir) {
                fd_close(fd);
                return 0; /* it has just been removed */
        }
        int r = 0;
        for (struct dirent *e; r == 0 && (e = readdir(dir));)
                r = add_hugetlb(in, place, e->d_name);
        (void) closedir(dir); /* only read from */
        if (in->out->n_hugetlb > 1)
                qsort(in->out->hugetlb, in->out->n_hugetlb, sizeof(*in->out->hugetlb), by_size);
        return r;
}

int cgroup_stats_read(const struct cgroup *cgroup, struct arena *arena, struct cgroup_stats *ret)
{
        struct cgroup_stats out = { 0 };
        struct reading in = { cgroup, arena, &out };
        int r = cgroup->host ? read_cpu(&in) : 0;
        if (r == 0)
                r = read_cpuset(&in);
        if (r == 0)
                r = read_memory(&in);
        if (r == 0)
                r = read_io(&in);
        if (r == 0)
                r = read_hugetlb(&in);
        if (r < 0)
                return r;
        read_pids(&in);
        *ret = out;
        return 0;
}

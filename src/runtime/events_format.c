#include <stdio.h>

#include "runtime/events.h"
#include "runtime/jot.h"

/* runc leaves most zeros out. */
static void put(struct jot *j, const char *key, uint64_t value)
{
        if (value != 0)
                jot_unsigned(j, key, value);
}

static void put_numbers(struct jot *j, const char *key, const struct stats_numbers *numbers)
{
        if (numbers->n == 0)
                return;
        jot_open(j, key, '[');
        for (size_t i = 0; i < numbers->n; i++)
                jot_unsigned(j, NULL, numbers->list[i]);
        jot_close(j, ']');
}

/* Hundredths as the shortest decimal: 150 is 1.5. */
static void put_percent(struct jot *j, const char *key, uint32_t hundredths)
{
        char text[24];
        uint32_t whole = hundredths / 100, part = hundredths % 100;
        if (part == 0)
                (void) snprintf(text, sizeof(text), "%u", whole);       /* these fit */
        else if (part % 10 == 0)
                (void) snprintf(text, sizeof(text), "%u.%u", whole, part / 10);
        else
                (void) snprintf(text, sizeof(text), "%u.%02u", whole, part);
        jot_raw(j, key, text);
}

static void put_psi_line(struct jot *j, const char *key, const struct stats_psi_line *l)
{
        jot_open(j, key, '{');
        put_percent(j, "avg10", l->avg10);
        put_percent(j, "avg60", l->avg60);
        put_percent(j, "avg300", l->avg300);
        jot_unsigned(j, "total", l->total);
        jot_close(j, '}');
}

static void put_psi(struct jot *j, const struct stats_psi *psi)
{
        if (!psi->has)
                return;
        jot_open(j, "psi", '{');
        put_psi_line(j, "some", &psi->some);
        put_psi_line(j, "full", &psi->full);
        jot_close(j, '}');
}

static void put_cpu(struct jot *j, const struct cgroup_stats *s)
{
        jot_open(j, "cpu", '{');
        jot_open(j, "usage", '{');
        put(j, "total", s->cpu_total);
        put_numbers(j, "percpu", &s->percpu);
        put_numbers(j, "percpu_kernel", &s->percpu_kernel);
        put_numbers(j, "percpu_user", &s->percpu_user);
        jot_unsigned(j, "kernel", s->cpu_kernel);
        jot_unsigned(j, "user", s->cpu_user);
        jot_close(j, '}');
        jot_open(j, "throttling", '{');
        put(j, "periods", s->periods);
        put(j, "throttledPeriods", s->throttled_periods);
        put(j, "throttledTime", s->throttled_ns);
        jot_close(j, '}');
        put_psi(j, &s->cpu_psi);
        jot_close(j, '}');
}

static void put_cpuset(struct jot *j, const struct cgroup_stats *s)
{
        jot_open(j, "cpuset", '{');
        put_numbers(j, "cpus", &s->cpus);
        jot_unsigned(j, "cpu_exclusive", s->cpuset[STATS_CPU_EXCLUSIVE]);
        put_numbers(j, "mems", &s->mems);
        jot_unsigned(j, "mem_hardwall", s->cpuset[STATS_MEM_HARDWALL]);
        jot_unsigned(j, "mem_exclusive", s->cpuset[STATS_MEM_EXCLUSIVE]);
        jot_unsigned(j, "memory_migrate", s->cpuset[STATS_MEMORY_MIGRATE]);
        jot_unsigned(j, "memory_spread_page", s->cpuset[STATS_MEMORY_SPREAD_PAGE]);
        jot_unsigned(j, "memory_spread_slab", s->cpuset[STATS_MEMORY_SPREAD_SLAB]);
        jot_unsigned(j, "memory_pressure", s->cpuset[STATS_MEMORY_PRESSURE]);
        jot_unsigned(j, "sched_load_balance", s->cpuset[STATS_SCHED_LOAD_BALANCE]);
        jot_number(j, "sched_relax_domain_level", s->sched_relax_domain_level);
        jot_close(j, '}');
}

static void put_memory_entry(struct jot *j, const char *key, const struct stats_memory *m)
{
        jot_open(j, key, '{');
        jot_unsigned(j, "limit", m->limit);
        put(j, "usage", m->usage);
        put(j, "max", m->max);
        jot_unsigned(j, "failcnt", m->failcnt);
        jot_close(j, '}');
}

static void put_memory(struct jot *j, const struct cgroup_stats *s)
{
        jot_open(j, "memory", '{');
        put(j, "cache", s->cache);
        put_memory_entry(j, "usage", &s->memory);
        put_memory_entry(j, "swap", &s->swap);
        put_memory_entry(j, "kernel", &s->kernel);
        put_memory_entry(j, "kernelTCP", &s->kernel_tcp);
        if (s->n_raw > 0) {
                jot_open(j, "raw", '{');
                for (size_t i = 0; i < s->n_raw; i++)
                        jot_unsigned(j, s->raw[i].name, s->raw[i].value);
                jot_close(j, '}');
        }
        put_psi(j, &s->memory_psi);
        jot_close(j, '}');
}

static void put_io(struct jot *j, const struct cgroup_stats *s)
{
        static const char *const names[STATS_IO_KINDS] = {
                [STATS_IO_BYTES] = "ioServiceBytesRecursive",    [STATS_IO_SERVICED] = "ioServicedRecursive",
                [STATS_IO_QUEUED] = "ioQueueRecursive",          [STATS_IO_SERVICE_TIME] = "ioServiceTimeRecursive",
                [STATS_IO_WAIT_TIME] = "ioWaitTimeRecursive",    [STATS_IO_MERGED] = "ioMergedRecursive",
                [STATS_IO_TIME] = "ioTimeRecursive",             [STATS_IO_SECTORS] = "sectorsRecursive",
        };
        jot_open(j, "blkio", '{');
        for (int kind = 0; kind < STATS_IO_KINDS; kind++) {
                if (s->io[kind].n == 0)
                        continue;
                jot_open(j, names[kind], '[');
                for (size_t i = 0; i < s->io[kind].n; i++) {
                        const struct stats_entry *e = &s->io[kind].list[i];
                        jot_open(j, NULL, '{');
                        put(j, "major", e->major);
                        put(j, "minor", e->minor);
                        if (e->op[0])
                                jot_text(j, "op", e->op);
                        put(j, "value", e->value);
                        jot_close(j, '}');
                }
                jot_close(j, ']');
        }
        put_psi(j, &s->io_psi);
        jot_close(j, '}');
}

static void put_hugetlb(struct jot *j, const struct cgroup_stats *s)
{
        jot_open(j, "hugetlb", '{');
        for (size_t i = 0; i < s->n_hugetlb; i++) {
                jot_open(j, s->hugetlb[i].size, '{');
                put(j, "usage", s->hugetlb[i].usage);
                put(j, "max", s->hugetlb[i].max);
                jot_unsigned(j, "failcnt", s->hugetlb[i].failcnt);
                jot_close(j, '}');
        }
        jot_close(j, '}');
}

static void put_text(struct jot *j, const char *key, const char *text)
{
        if (text && *text)
                jot_text(j, key, text);
}

static void put_domains(struct jot *j, const struct resctrl_stats *s)
{
        if (s->has_traffic) {
                jot_open(j, "mbm_stats", '[');
                for (size_t i = 0; i < s->n_domains; i++) {
                        jot_open(j, NULL, '{');
                        jot_unsigned(j, "mbm_total_bytes", s->domains[i].total_bytes);
                        jot_unsigned(j, "mbm_local_bytes", s->domains[i].local_bytes);
                        jot_close(j, '}');
                }
                jot_close(j, ']');
        }
        if (s->has_occupancy) {
                jot_open(j, "cmt_stats", '[');
                for (size_t i = 0; i < s->n_domains; i++) {
                        jot_open(j, NULL, '{');
                        jot_unsigned(j, "llc_occupancy", s->domains[i].occupancy);
                        jot_close(j, '}');
                }
                jot_close(j, ']');
        }
}

static void put_rdt(struct jot *j, const struct resctrl_stats *s)
{
        if (s->has_l3) {
                jot_open(j, "l3_cache_info", '{');
                put_text(j, "cbm_mask", s->cbm_mask);
                put(j, "min_cbm_bits", s->min_cbm_bits);
                put(j, "num_closids", s->l3_classes);
                jot_close(j, '}');
                put_text(j, "l3_cache_schema_root", s->l3_root);
                put_text(j, "l3_cache_schema", s->l3);
        }
        if (s->has_memory) {
                jot_open(j, "mem_bw_info", '{');
                put(j, "bandwidth_gran", s->bandwidth_gran);
                put(j, "delay_linear", s->delay_linear);
                put(j, "min_bandwidth", s->min_bandwidth);
                put(j, "num_closids", s->memory_classes);
                jot_close(j, '}');
                put_text(j, "mem_bw_schema_root", s->memory_root);
                put_text(j, "mem_bw_schema", s->memory);
        }
        jot_open(j, "schemata", '[');
        for (const char **line = s->lines; line && *line; line++)
                jot_text(j, NULL, *line);
        jot_close(j, ']');
        put_domains(j, s);
}

char *events_format(const char *id, const struct cgroup_stats *s, const struct resctrl_stats *rdt)
{
        auto_jot struct jot j = JOT_INIT(0);
        jot_open(&j, NULL, '{');
        jot_text(&j, "type", "stats");
        jot_text(&j, "id", id);
        jot_open(&j, "data", '{');
        put_cpu(&j, s);
        put_cpuset(&j, s);
        put_memory(&j, s);
        jot_open(&j, "pids", '{');
        put(&j, "current", s->pids);
        put(&j, "limit", s->pids_limit);
        jot_close(&j, '}');
        put_io(&j, s);
        put_hugetlb(&j, s);
        jot_open(&j, "intel_rdt", '{');
        if (rdt)
                put_rdt(&j, rdt);
        jot_close(&j, '}');
        jot_raw(&j, "network_interfaces", "null");      /* we make none */
        jot_close(&j, '}');
        jot_close(&j, '}');
        return jot_take(&j);
}

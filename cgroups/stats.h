#pragma once
/*
 * stats - everything that a cgroup counts, for `events`.
 *
 * What the machine does not count is 0, NULL or `has` false: a missing file is no
 * failure, files come and go with kernels (memory.peak 5.19, cpu.pressure 4.20,
 * v1's kmem until 6.x). Units are those of v1 (bytes, nanoseconds) on v2 too.
 * Sources: Documentation/admin-guide/cgroup-v{1,2}, Documentation/accounting/psi.rst.
 */

#include "base/arena.h"
#include "cgroups/cgroup.h"

/* avg* in hundredths of a percent, as the kernel prints them ("0.12" is 12); total in microseconds. */
struct stats_psi {
        struct stats_psi_line {
                uint32_t avg10, avg60, avg300;
                uint64_t total;
        } some, full;
        bool has;
};

struct stats_memory {
        uint64_t limit, usage, max, failcnt;    /* limit UINT64_MAX: none (v2); max: the highest usage */
};

struct stats_entry {            /* a line of blkio.*; `op` "" where the line has none */
        uint64_t major, minor, value;
        const char *op;
};

enum stats_io {
        STATS_IO_BYTES, STATS_IO_SERVICED, STATS_IO_QUEUED, STATS_IO_SERVICE_TIME, STATS_IO_WAIT_TIME,
        STATS_IO_MERGED, STATS_IO_TIME, STATS_IO_SECTORS, STATS_IO_KINDS
};

enum stats_cpuset_flag {        /* v1 only */
        STATS_CPU_EXCLUSIVE, STATS_MEM_HARDWALL, STATS_MEM_EXCLUSIVE, STATS_MEMORY_MIGRATE, STATS_MEMORY_SPREAD_PAGE,
        STATS_MEMORY_SPREAD_SLAB, STATS_MEMORY_PRESSURE, STATS_SCHED_LOAD_BALANCE, STATS_CPUSET_FLAGS
};

struct stats_numbers {
        uint64_t *list;
        size_t n;
};

struct stats_named {
        const char *name;
        uint64_t value;
};

struct stats_hugetlb {
        const char *size;       /* "2MB" */
        uint64_t usage, max, failcnt;
};

struct cgroup_stats {
        uint64_t cpu_total, cpu_kernel, cpu_user;                       /* ns */
        struct stats_numbers percpu, percpu_kernel, percpu_user;        /* ns, v1 only */
        uint64_t periods, throttled_periods, throttled_ns;
        struct stats_psi cpu_psi, memory_psi, io_psi;                   /* v2 only */

        struct stats_numbers cpus, mems;                                /* v1 only */
        uint64_t cpuset[STATS_CPUSET_FLAGS];
        int64_t sched_relax_domain_level;

        uint64_t cache;
        struct stats_memory memory, swap, kernel, kernel_tcp;           /* swap: memory and swap together */
        struct stats_named *raw;                                        /* memory.stat, sorted by name */
        size_t n_raw;

        uint64_t pids, pids_limit;                                      /* limit 0: none */
        struct stats_io_list {
                struct stats_entry *list;
                size_t n;
        } io[STATS_IO_KINDS];
        struct stats_hugetlb *hugetlb;                                  /* sorted by size's name */
        size_t n_hugetlb;
};

/* Read all of it; arrays and strings are in `arena`. -ENOMEM is the only failure. */
int cgroup_stats_read(const struct cgroup *cgroup, struct arena *arena, struct cgroup_stats *ret) MUST_CHECK;

/* ---- the texts of the kernel; pure ---- */

/* "0-3,7": 0 1 2 3 7. -EINVAL for anything else, or more than 65536 numbers. */
int stats_parse_list(const char *text, struct arena *arena, struct stats_numbers *ret) MUST_CHECK;

/* A *.pressure file; false if it is none. */
bool stats_parse_psi(const char *text, struct stats_psi *ret);

/* "name value" lines, sorted by name. */
int stats_parse_named(const char *text, struct arena *arena, struct stats_named **ret, size_t *ret_n) MUST_CHECK;

/* v2's io.stat; only what v1 has a table for. */
int stats_parse_io_stat(const char *text, struct arena *arena, struct stats_io_list io[STATS_IO_KINDS]) MUST_CHECK;

/* A v1 blkio.* file: "8:0 Read 4096" or "8:0 17"; totals of all devices are left out. */
int stats_parse_blkio(const char *text, struct arena *arena, struct stats_io_list *ret) MUST_CHECK;

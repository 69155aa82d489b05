#pragma once
/*
 * resources - the limits of a container (config-linux.md#control-groups), as
 * plain data. The only header of spec/ that cgroups/ reads.
 *
 * A number with `has_` false was not given and is left alone. -1 means
 * unlimited where the specification says so.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct opt_i64 {
        bool has;
        int64_t value;
};

struct opt_u64 {
        bool has;
        uint64_t value;
};

struct resources_memory {
        struct opt_i64 limit, reservation, swap;        /* bytes; swap is memory+swap as in v1 */
        struct opt_u64 swappiness;
        bool has_disable_oom_killer, disable_oom_killer;
        bool check_before_update;
        bool kernel_ignored;                            /* kernel or kernelTCP was given: to warn about */
};

struct resources_cpu {
        struct opt_u64 shares, period, burst;           /* us, but shares */
        struct opt_i64 quota;                           /* us per period; -1: none */
        struct opt_u64 rt_period;
        struct opt_i64 rt_runtime, idle;
        const char *cpus, *mems;                        /* lists: "0-3,7"; NULL: not given */
};

struct device_rule {
        bool allow;
        char type;              /* 'a', 'b' or 'c' */
        int64_t major, minor;   /* -1: any */
        bool read, write, mknod;
};

struct key_value {
        const char *key, *value;
};

struct huge_page_limit {
        const char *page_size;  /* "2MB", "1GB" */
        uint64_t limit;         /* bytes */
};

/* A number for a block device: bytes or operations per second, or a weight. */
struct block_number {
        uint32_t major, minor;
        uint64_t number;
};

enum block_rate { BLOCK_READ_BPS, BLOCK_WRITE_BPS, BLOCK_READ_IOPS, BLOCK_WRITE_IOPS, BLOCK_RATES };

struct resources_block_io {
        struct opt_u64 weight;                          /* 10..1000 */
        const struct block_number *weights;             /* of single devices */
        size_t n_weights;
        const struct block_number *rates[BLOCK_RATES];  /* 0: no limit */
        size_t n_rates[BLOCK_RATES];
};

struct rdma_limit {
        const char *device;
        struct opt_u64 handles, objects;
};

struct network_priority {
        const char *name;       /* of a network device */
        uint32_t priority;
};

struct resources_network {
        struct opt_u64 class_id;
        const struct network_priority *priorities;
        size_t n_priorities;
};

struct resources {
        struct resources_memory memory;
        struct resources_cpu cpu;
        struct opt_i64 pids_limit;                      /* -1: unlimited */
        const struct huge_page_limit *huge_pages;
        size_t n_huge_pages;
        struct resources_block_io block_io;
        const struct rdma_limit *rdma;
        size_t n_rdma;
        struct resources_network network;
        const struct device_rule *devices;              /* in the order of config.json: later wins */
        size_t n_devices;
        const struct key_value *unified;                /* cgroup v2 file names and texts */
        size_t n_unified;
};

/*
 * linux.intelRdt (config-linux.md#intelrdt): the class of service that says how much of the caches and of the memory's
 * bandwidth the container gets. A directory of the resctrl file system.
 */
#define RDT_CLOS_MAX 256        /* NAME_MAX, and the terminator */

struct rdt {
        bool wanted;                                    /* the object is there, if only as {} */
        const char *clos;                               /* closID; "/" is the class of everybody; NULL: one of its own */
        const char *l3, *memory;                        /* l3CacheSchema, memBwSchema; NULL: not given */
        const char **schemata;
        bool monitoring;
};

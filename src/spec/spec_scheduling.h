#pragma once
/*
 * spec_scheduling - the parts of struct spec that say when and where a process
 * runs (config.md#linux-process, config-linux.md#memory-policy).
 */

#include <stdbool.h>
#include <stdint.h>

#include "spec/id_list.h"

/* sched(7); the numbers are the kernel's. */
enum spec_sched { SPEC_SCHED_OTHER = 0, SPEC_SCHED_FIFO = 1, SPEC_SCHED_RR = 2, SPEC_SCHED_BATCH = 3, SPEC_SCHED_IDLE = 5,
                  SPEC_SCHED_DEADLINE = 6 };

struct spec_scheduler {
        bool wanted;
        uint32_t policy;        /* enum spec_sched */
        int32_t nice;
        uint32_t priority;
        uint64_t flags;         /* SCHED_FLAG_* */
        uint64_t runtime, deadline, period;     /* ns */
};

struct spec_io_priority {
        bool wanted;
        uint8_t class;          /* IOPRIO_CLASS_* */
        uint8_t level;          /* 0 (first) .. 7 */
};

/* For `exec` alone. Empty sets: not given. */
struct spec_exec_affinity {
        struct id_set initial, final;
};

/* set_mempolicy(2); the numbers are the kernel's. */
enum spec_mpol { SPEC_MPOL_DEFAULT, SPEC_MPOL_PREFERRED, SPEC_MPOL_BIND, SPEC_MPOL_INTERLEAVE, SPEC_MPOL_LOCAL,
                 SPEC_MPOL_PREFERRED_MANY, SPEC_MPOL_WEIGHTED_INTERLEAVE };

struct spec_memory_policy {
        bool wanted;
        uint32_t mode;          /* enum spec_mpol */
        uint32_t flags;         /* MPOL_F_* */
        struct id_set nodes;
};

#pragma once
/*
 * machine - a topology as plain numbers: what place() computes on.
 *
 * hwloc numbers the hardware threads ("PUs") so that everything that belongs
 * together has consecutive numbers. Hence each object is a span of threads, and
 * "is inside" and "how many" are arithmetic. topology.c fills this in; nobody
 * changes it afterwards. Inside hpc only.
 *
 * Objects without any CPU that is allowed to us do not appear.
 */

#include <stdbool.h>
#include <stddef.h>

#include "hpc/topology.h"

enum machine_level {
        MACHINE_PU, MACHINE_CORE, MACHINE_L1, MACHINE_L2, MACHINE_L3, MACHINE_NUMA, MACHINE_PACKAGE, MACHINE_ALL,
        MACHINE_LEVELS
};

/* PUs first .. first + n - 1, by hwloc's logical number. */
struct machine_span {
        unsigned first, n;
};

/* The objects of one kind, in hwloc's order. NUMA nodes with the same CPUs (DRAM and HBM) count once. */
struct machine_objects {
        struct machine_span *span;
        unsigned n;
};

struct machine_memory {
        unsigned os;                    /* what the kernel calls the NUMA node */
        struct machine_span span;
};

enum machine_device_kind { DEVICE_GPU, DEVICE_NETWORK, DEVICE_OTHER };

struct machine_device {
        char *name;                     /* "mlx5_0", "card0" */
        enum machine_device_kind kind;
        bool main;                      /* the first name of a piece of hardware that has several */
        struct machine_span span;       /* the CPUs near it */
};

struct machine {
        struct machine_objects objects[MACHINE_LEVELS];
        unsigned *pu_os;                /* logical number of a PU -> the kernel's number of the CPU */
        struct machine_memory *memory;  /* every NUMA node that has CPUs of ours */
        unsigned n_memory;
        struct machine_device *device;  /* only if they were asked for: finding them takes time */
        unsigned n_devices;
};

static inline unsigned machine_pus(const struct machine *m) { return m->objects[MACHINE_PU].n; }

static inline bool span_inside(struct machine_span inner, struct machine_span outer)
{
        return inner.first >= outer.first && inner.first + inner.n <= outer.first + outer.n;
}

static inline bool span_touches(struct machine_span a, struct machine_span b)
{
        return a.first < b.first + b.n && b.first < a.first + a.n;
}

/* Borrowed; lives as long as the topology. */
const struct machine *topology_machine(const struct topology *topology);

#pragma once
/*
 * place - which instance runs where. Pure on a topology.
 *
 * The words are PRRTE's (mpirun's): --map-by, --bind-to. Instances are mapped to
 * places in order, and bound to the CPUs of the object they were mapped to.
 *
 *      struct place_wish wish = PLACE_WISH_INIT;
 *      wish.instances = 8;
 *      place_parse_map_by(&wish, "core:PE=2", &err);
 *      auto_placement struct placement *p = NULL;
 *      place(topology, &wish, &p, &err);
 *      p->slot[3].cpus ...                     // a kernel CPU mask
 *
 * More instances than slots: without `oversubscribe` the later ones wait and get
 * the slot that becomes free (slot i serves instances i, i+n_slots, ... first come
 * first served); with it all run at once, unbound, as mpirun does.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "hpc/topology.h"

enum place_object {
        PLACE_DEFAULT, PLACE_NONE, PLACE_SLOT, PLACE_HWTHREAD, PLACE_CORE, PLACE_L1CACHE, PLACE_L2CACHE, PLACE_L3CACHE,
        PLACE_NUMA, PLACE_PACKAGE, PLACE_NODE
};

struct place_wish {
        unsigned instances;             /* -n; 0: one for each slot */
        unsigned cpus;                  /* -c, PE=: processing elements (cores, or threads with HWTCPUS) of an instance; 0: 1 */
        enum place_object map_by, bind_to;
        unsigned per_object;            /* ppr:N:OBJ; 0: not asked for */
        bool span, oversubscribe, hwtcpus, overload_allowed, bind_if_supported;
};

#define PLACE_WISH_INIT ((struct place_wish){ .map_by = PLACE_DEFAULT, .bind_to = PLACE_DEFAULT })

/* "core", "numa:PE=4:SPAN", "ppr:2:package", ... One clear line for a bad word, naming the good ones. */
int place_parse_map_by(struct place_wish *wish, const char *text, struct error *err) MUST_CHECK;
int place_parse_bind_to(struct place_wish *wish, const char *text, struct error *err) MUST_CHECK;

/* Kernel masks, as sched_setaffinity(2) and set_mempolicy(2) take them: bit n of word n/64. */
#define PLACE_MASK_WORDS 64             /* 4096 CPUs */
struct place_mask {
        uint64_t word[PLACE_MASK_WORDS];
        unsigned bits;                  /* 1 + the highest bit that is set; 0: empty */
};

struct place_slot {
        struct place_mask cpus;         /* empty: not bound */
        struct place_mask numa;         /* NUMA nodes local to cpus; empty: no memory policy */
        char *cpu_list;                 /* "0-3,8": for cpuset.cpus and for people; "" if not bound */
        char *numa_list;                /* "0,2" */
        char *report;                   /* PRRTE's words: "package[0][core:0]" */
};

struct placement {
        struct place_slot *slot;
        size_t n_slots;                 /* how many instances can run at once */
        unsigned instances;             /* resolved: how many will run in all */
        bool bound;
        enum place_object map_by, bind_to;      /* resolved defaults */
};

/* -EINVAL with a sentence that says what was asked for and what is free. */
int place(const struct topology *topology, const struct place_wish *wish, struct placement **ret_placement,
          struct error *err) MUST_CHECK;
void placement_free(struct placement *placement);
CLEANUP_DEFINE(struct placement *, placement_free)
#define auto_placement CLEANUP(placement_free)

/* One line per instance, for --report-bindings and --dry-run:
 * "rank 3 bound to package[0][core:3] (cpus 3, numa 0)". */
void placement_report_rank(const struct placement *placement, unsigned rank, size_t slot, FILE *out);

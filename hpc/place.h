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
 * first served); with it all run at once, unbound, as mpirun does. Ranks of one
 * MPI job cannot wait for each other: their caller compares instances and n_slots.
 *
 * The rules, each as in Open MPI 4.1's mpirun and PRRTE on one node unless it says so:
 *
 * - A processing element (PE) is a core; with HWTCPUS, with anything mapped by or
 *   bound to hwthread by default, and on machines that report no cores, a hardware
 *   thread. An instance takes `cpus` of them, and no PE is given away twice.
 * - --map-by OBJ deals instances out to the OBJs in turn: instance i goes to the
 *   (i mod n)-th, or to the next one that still has room. (PRRTE 3 and later put the
 *   same instances in the same places, but number them object by object.)
 *   ppr:N:OBJ puts N in a row on each. SPAN changes nothing on one node.
 *   slot and node are the machine as a whole, filled from its first PE; so are core
 *   and hwthread if an instance needs more than one of them (mpirun refuses that).
 * - Taking several PEs of the whole machine, an instance stays inside one package if
 *   any has room (PRRTE), else it takes what is left, wherever that is (mpirun 4.1).
 * - Default mapping: what --bind-to says; else core (hwthread). Default binding: the
 *   object mapped by; with slot, node and with `cpus` > 1: the PEs that were taken.
 * - --bind-to an object inside the place: the one with the fewest instances so far.
 *   An object that contains the place, or several that are needed to get `cpus` PEs:
 *   those (mpirun 4.1; PRRTE refuses). limit=N: never more than N instances on one.
 * - --rank-by renumbers what was mapped: `slot` and `node` keep the order of mapping,
 *   `fill` numbers place by place, `span` deals numbers out to the places in turn, an
 *   object (of the first PE taken) does the same with those objects, with :fill one by one.
 * - pe-list=LIST gives away these PEs only (numbers as hwloc counts them): with ORDERED
 *   each instance takes the next `cpus` of them, else all are bound to the whole list.
 * - rankfile:FILE=F and seq:FILE=F name the place of each instance (place_given.c).
 * - device=KIND|NAME deals instances out to devices; the place is the CPUs near the device.
 * - Slurm's words (place_slurm.h) stand instead of all these, not beside them.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "hpc/bind.h"
#include "hpc/place_slurm.h"
#include "hpc/topology.h"

enum place_object {
        PLACE_DEFAULT, PLACE_NONE, PLACE_SLOT, PLACE_HWTHREAD, PLACE_CORE, PLACE_L1CACHE, PLACE_L2CACHE, PLACE_L3CACHE,
        PLACE_NUMA, PLACE_PACKAGE, PLACE_NODE, PLACE_DEVICE
};

/* How the places are found. */
enum place_way { PLACE_BY_OBJECT, PLACE_BY_LIST, PLACE_BY_RANKFILE, PLACE_BY_SEQ, PLACE_AS_SLURM };

enum place_rank { PLACE_RANK_SLOT, PLACE_RANK_FILL, PLACE_RANK_SPAN, PLACE_RANK_OBJECT, PLACE_RANK_OBJECT_FILL };


#define PLACE_INSTANCES_MAX 65536       /* that run at once; more are refused with a sentence */

struct place_wish {
        unsigned instances;             /* -n; 0: one for each slot */
        unsigned cpus;                  /* -c, PE=: processing elements (see above) of an instance; 0: 1 */
        enum place_object map_by, bind_to;
        unsigned per_object;            /* ppr:N:OBJ; 0: not asked for */
        unsigned limit;                 /* instances bound to one object at most; 0: any number */
        enum place_way way;
        enum place_rank rank;
        enum place_object rank_by;      /* with PLACE_RANK_OBJECT(_FILL) */
        struct place_text list;         /* pe-list=; or the kind or name of a device */
        struct place_text file;         /* FILE= of rankfile and seq: a path, read by the caller ... */
        const char *places;             /* ... who puts its content here */
        const char *host;               /* what a rankfile may call this machine, besides localhost; NULL: anything */
        struct place_slurm slurm;
        struct place_memory memory;
        bool span, oversubscribe, hwtcpus, overload_allowed, bind_if_supported, ordered, nooversubscribe;
};

#define PLACE_WISH_INIT ((struct place_wish){ .map_by = PLACE_DEFAULT, .bind_to = PLACE_DEFAULT })

/*
 * "core", "numa:PE=4:SPAN", "ppr:2:package", ":OVERSUBSCRIBE" (the default mapping,
 * qualified). Case does not matter, and a word may be cut short as long as it stays
 * unique ("pack", "L3"). mpirun's "socket" is a package, and its commas between
 * qualifiers are taken as colons. -EINVAL with one clear line for a bad word, naming
 * the good ones; the wish is then untouched.
 */
int place_parse_map_by(struct place_wish *wish, const char *text, struct error *err) MUST_CHECK;

/* "core", "numa:overload-allowed", "l3cache:if-supported:limit=2", "none". The same rules. */
int place_parse_bind_to(struct place_wish *wish, const char *text, struct error *err) MUST_CHECK;

/* "slot", "fill", "span", "numa", "package:fill". The same rules. */
int place_parse_rank_by(struct place_wish *wish, const char *text, struct error *err) MUST_CHECK;

/* For one instance, the words of either language: those of --map-by, and what it is mapped to is what it is bound
 * to, or those of --cpu-bind. The same rules; no files. */
int place_parse_bind(struct place_wish *wish, const char *text, struct error *err) MUST_CHECK;

/* "core", "l3cache", ...; "default" for PLACE_DEFAULT. A constant. */
const char *place_object_name(enum place_object object);

struct place_slot {
        struct place_mask cpus;         /* empty: not bound */
        struct place_mask numa;         /* NUMA nodes local to cpus, or of --mem-bind; empty: no memory policy */
        char *cpu_list;                 /* "0-3,8": for cpuset.cpus and for people; "" if not bound */
        char *numa_list;                /* "0,2" */
        char *mems_list;                /* for cpuset.mems: what the policy may use in the end; "" if not bound */
        char *report;                   /* PRRTE's words: "package[0][core:0]", "package[0][hwt:1]"; "" if not bound */
};

/* set_mempolicy(2): the kernel's numbers, of which older headers lack the last ones. */
enum { MPOL_PREFERRED = 1, MPOL_BIND = 2, MPOL_INTERLEAVE = 3, MPOL_LOCAL = 4, MPOL_PREFERRED_MANY = 5,
       MPOL_WEIGHTED_INTERLEAVE = 6 };

struct placement {
        struct place_slot *slot;
        size_t n_slots;                 /* how many instances can run at once */
        unsigned instances;             /* resolved: how many will run in all */
        bool bound;
        bool memory;                    /* every slot has a memory policy ... */
        unsigned policy;                /* ... of this mode: MPOL_* */
        enum place_object map_by, bind_to;      /* resolved defaults; PLACE_NONE if nothing is bound */
};

/*
 * -EINVAL with a sentence that says what was asked for and what is free, or which
 * object this machine does not have; -E2BIG above PLACE_INSTANCES_MAX; -ENOMEM.
 */
int place(const struct topology *topology, const struct place_wish *wish, struct placement **ret_placement,
          struct error *err) MUST_CHECK;
void placement_free(struct placement *placement);
CLEANUP_DEFINE(struct placement *, placement_free)
#define auto_placement CLEANUP(placement_free)

/* What stands on an instance's line of --report-bindings and --dry-run, without the end of the line:
 * "rank 3 bound to package[0][core:3] (cpus 3, numa 0)", "rank 3 is not bound". */
void placement_report_rank(const struct placement *placement, unsigned rank, size_t slot, FILE *out);

/* "prefer", "bind", "interleave", "weighted", "local"; "none" if it is left alone. A constant. */
const char *placement_policy_name(const struct placement *placement);

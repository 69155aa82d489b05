#pragma once
/*
 * place_slurm - srun's words for places: --cpu-bind, --distribution, --hint, --mem-bind.
 *
 * As Slurm 22.05's task/affinity places the tasks of one node that the job has for
 * itself (srun(1), and what srun does in tests/golden/placement/slurm.tsv):
 *
 * - CPUs are hardware threads, and -c counts them. With --hint=nomultithread (and
 *   the other hints but multithread) only the first thread of each core counts.
 * - --distribution=NODES:SOCKETS:CORES: the part for NODES means nothing on one node.
 *   SOCKETS cyclic (the default): the CPUs of one instance come from one socket, the
 *   next instance's from the next; fcyclic: each CPU from the next socket; block: in
 *   order. What it says of CORES changes nothing, in Slurm neither.
 * - --cpu-bind=threads binds to these CPUs, cores|sockets|ldoms to the whole objects
 *   that they are in; bound to cores, each instance begins with a core of its own as
 *   long as there are any. Without --cpu-bind: what the number of CPUs asked for is the number of
 *   (threads, cores, sockets), else nothing, as Slurm's automatic binding does.
 * - rank, map_cpu:LIST, mask_cpu:LIST, rank_ldom, map_ldom:LIST, mask_ldom:LIST name the
 *   place of each instance; lists start over at their end, and N*3 stands three times.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* A piece of the text that was parsed: borrowed from it. */
struct place_text {
        const char *text;
        size_t size;
};

enum slurm_bind {
        SLURM_BIND_AUTO, SLURM_BIND_NONE, SLURM_BIND_THREADS, SLURM_BIND_CORES, SLURM_BIND_SOCKETS, SLURM_BIND_LDOMS,
        SLURM_BIND_RANK, SLURM_BIND_MAP_CPU, SLURM_BIND_MASK_CPU, SLURM_BIND_RANK_LDOM, SLURM_BIND_MAP_LDOM,
        SLURM_BIND_MASK_LDOM
};

enum slurm_order { SLURM_DEFAULT, SLURM_BLOCK, SLURM_CYCLIC, SLURM_FCYCLIC };

enum slurm_hint { SLURM_HINT_NONE, SLURM_HINT_COMPUTE, SLURM_HINT_MEMORY, SLURM_HINT_MULTI, SLURM_HINT_NOMULTI };

struct place_slurm {
        enum slurm_bind bind;
        struct place_text list;         /* of map_cpu: ... mask_ldom: */
        enum slurm_order sockets, cores;
        enum slurm_hint hint;
        bool verbose;                   /* report the bindings */
};

enum memory_kind {
        MEMORY_DEFAULT,                 /* prefer the nodes near the CPUs, if bound */
        MEMORY_NONE,                    /* leave the policy alone */
        MEMORY_LOCAL,                   /* where the process runs at that moment */
        MEMORY_PREFER, MEMORY_BIND, MEMORY_INTERLEAVE, MEMORY_WEIGHTED,
        MEMORY_MAP, MEMORY_MASK         /* each instance a node, or a set of nodes, of the list */
};

struct place_memory {
        enum memory_kind kind;
        struct place_text list;         /* of map_mem:, mask_mem: */
        bool prefer;                    /* map_mem and mask_mem: prefer instead of bind */
};

/*
 * Each -EINVAL with one clear line for a bad word, naming the good ones; the result is
 * then untouched. The wish becomes one of Slurm's words if it was not yet (wish->way).
 */
struct place_wish;
int place_parse_cpu_bind(struct place_wish *wish, const char *text, struct error *err) MUST_CHECK;
int place_parse_distribution(struct place_wish *wish, const char *text, struct error *err) MUST_CHECK;
int place_parse_hint(struct place_wish *wish, const char *text, struct error *err) MUST_CHECK;

/* --mem-bind goes with all ways to place. */
int place_parse_mem_bind(struct place_wish *wish, const char *text, struct error *err) MUST_CHECK;

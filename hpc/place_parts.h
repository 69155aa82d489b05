#pragma once
/* place_parts - what the files of place() tell each other. Inside hpc only. */

#include <stdlib.h>

#include "hpc/machine.h"
#include "hpc/place.h"

/* False on machines (virtual ones, mostly) that report no cores, or not for all threads. */
bool machine_has_cores(const struct machine *m);

/* One set of threads (hwloc's numbers) for each slot, in the order of instances. */
struct places {
        struct place_mask *set;         /* owned */
        size_t n;
        unsigned instances;             /* how many are to run in all */
        bool unbound;
};
static inline void places_clear(struct places *p) { free(p->set); }
static inline void places_clear_p(struct places *p) { places_clear(p); }
#define auto_places CLEANUP(places_clear)

/* pe-list, rankfile, seq: place_given.c. The same errors as place(). */
int place_given(const struct machine *m, const struct place_wish *wish, struct places *ret, struct error *err) MUST_CHECK;

/* Slurm's words: place_slurm.c. */
int place_slurm(const struct machine *m, const struct place_wish *wish, struct places *ret, struct error *err) MUST_CHECK;

/* Where a slot was mapped to: for --rank-by. */
struct mapped {
        unsigned place;                 /* number of the object it was dealt to */
        unsigned thread;                /* the first of its threads */
};

/* Renumber n slots: place_rank.c. `objects`: those of PLACE_RANK_OBJECT. -ENOMEM. */
int place_rank(const struct place_wish *wish, const struct machine_objects *objects, const struct mapped *mapped,
               struct place_mask *set, size_t n) MUST_CHECK;

/* --mem-bind, once the slots are there: place_memory.c. */
int place_memory(const struct machine *m, const struct place_wish *wish, struct placement *p, struct error *err) MUST_CHECK;

/* "1", "0x3", "2*3": the next item of a list with commas. *rest NULL at its end. */
struct list_item {
        struct place_text text;         /* without what follows the star */
        unsigned times;
};
int list_next(const char **rest, const char *end, struct list_item *ret);

/* "0xf0", "f0", of any length: bits from the end. -EINVAL, -ERANGE from PLACE_MASK_BITS on. */
int list_mask(struct place_text text, struct place_mask *ret) MUST_CHECK;

/* "12", "0x1f": the same errors. */
int list_number(struct place_text text, unsigned *ret) MUST_CHECK;

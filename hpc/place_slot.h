#pragma once
/*
 * place_slot - from "these threads" to what a slot says in the end: kernel masks,
 * lists and words. Inside hpc only. Sets of threads have hwloc's logical numbers.
 */

#include "hpc/machine.h"
#include "hpc/place.h"

void slot_add_span(struct place_mask *threads, struct machine_span span);

/*
 * Give the placement n slots, bound to threads[i]; `threads` NULL: not bound.
 * -ENOMEM. The placement owns them, also if this fails half-way.
 */
int slots_make(struct placement *placement, const struct machine *m, size_t n,
               const struct place_mask *threads) MUST_CHECK;

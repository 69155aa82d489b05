#pragma once
/*
 * bind - sets of CPUs (or of NUMA nodes) as the kernel takes them, and as people
 * write them. Pure.
 *
 *      struct place_mask mask = PLACE_MASK_INIT;
 *      bind_parse("0-3,8", &mask, &err);
 *      sched_setaffinity(0, bind_bytes(&mask), (cpu_set_t *) mask.word);
 *      auto_free char *list = bind_format(&mask);      // "0-3,8" again
 *
 * Nothing here needs hwloc, so that code after clone() may carry the masks.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Kernel masks, as sched_setaffinity(2) and set_mempolicy(2) take them: bit n of word n/64. */
#define PLACE_MASK_BITS  4096
#define PLACE_MASK_WORDS (PLACE_MASK_BITS / 64)
struct place_mask {
        uint64_t word[PLACE_MASK_WORDS];
        unsigned bits;                  /* 1 + the highest bit that is set; 0: empty */
};

#define PLACE_MASK_INIT ((struct place_mask){ 0 })

/* `bit` must be below PLACE_MASK_BITS; a higher one is a programming error. */
void bind_set(struct place_mask *mask, unsigned bit);
bool bind_has(const struct place_mask *mask, unsigned bit);
void bind_merge(struct place_mask *mask, const struct place_mask *more);
static inline bool bind_empty(const struct place_mask *mask) { return mask->bits == 0; }
unsigned bind_count(const struct place_mask *mask);

/* Bytes of `word` that matter: what sched_setaffinity(2) wants to know. A multiple of 8, at least 8. */
size_t bind_bytes(const struct place_mask *mask);

/*
 * Read a list as cpuset.cpus, /sys and taskset -c have it: numbers and ranges
 * with commas between, in any order, white space around a number allowed, ""
 * being the empty set. -EINVAL or -ERANGE with a sentence that quotes the list;
 * the mask is then untouched.
 */
int bind_parse(const char *list, struct place_mask *ret, struct error *err) MUST_CHECK;

/* The shortest such list, ascending; "" for the empty set. The caller frees; NULL: no memory. */
char *bind_format(const struct place_mask *mask) MUST_CHECK;

#pragma once
/*
 * id_list - "0-3,7" as a set of bits: CPUs, memory nodes.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

#define ID_LIST_MAX 8192        /* CPUs that the kernel can be built for */

/* Bits for the kernel: words of uint64_t. NULL exactly if the size is 0. */
struct id_set {
        const uint64_t *words;
        size_t size;            /* bytes */
};

/* Ranges with a dash, between commas; blanks around them. -EINVAL: not such a list. -ERANGE: beyond ID_LIST_MAX.
 * "" is the empty set. -ENOMEM. The words live in `arena`. */
int id_list_parse(const char *text, struct arena *arena, struct id_set *ret);

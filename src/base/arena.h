#pragma once
/*
 * arena - many small allocations with one lifetime.
 *
 * A spec (config.json as typed data) has hundreds of strings and arrays that
 * live and die together. They are taken from one arena and released at once;
 * nothing in them is ever freed alone.
 *
 *      auto_arena struct arena *a = arena_new();
 *      char *s = arena_strdup(a, "text");      // NULL: out of memory
 *
 * Memory comes zeroed and aligned for any type. Functions return NULL when
 * there is no memory (or when a size overflows) and leave the arena usable.
 */

#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *arena);
CLEANUP_DEFINE(struct arena *, arena_free)
#define auto_arena CLEANUP(arena_free)

void *arena_alloc(struct arena *arena, size_t n, size_t size);
char *arena_strdup(struct arena *arena, const char *s);
char *arena_strndup(struct arena *arena, const char *s, size_t n);
char *arena_printf(struct arena *arena, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Copy an array of `n` elements into one with room for `more` further ones (zeroed). */
void *arena_grow(struct arena *arena, const void *old, size_t n, size_t more, size_t size);

#include "base/arena.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define BLOCK_SIZE 16384u

struct block {
        struct block *next;
        size_t used, size;
        max_align_t data[];
};

struct arena {
        struct block *head;
};

struct arena *arena_new(void)
{
        return calloc(1, sizeof(struct arena));
}

void arena_free(struct arena *arena)
{
        if (!arena)
                return;
        for (struct block *b = arena->head; b;) {
                struct block *next = b->next;
                free(b);
                b = next;
        }
        free(arena);
}

static struct block *block_with_room(struct arena *arena, size_t size)
{
        struct block *b = arena->head;
        if (b && b->size - b->used >= size)
                return b;
        size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
        b = calloc(1, sizeof(*b) + room);
        if (!b)
                return NULL;
        b->size = room;
        b->next = arena->head;
        arena->head = b;
        return b;
}

void *arena_alloc(struct arena *arena, size_t n, size_t size)
{
        size_t total;
        if (__builtin_mul_overflow(n, size, &total) || total > SIZE_MAX / 2)
                return NULL;
        const size_t align = _Alignof(max_align_t);
        total = (total + align - 1) / align * align;
        if (total == 0)
                total = align;
        struct block *b = block_with_room(arena, total);
        if (!b)
                return NULL;
        void *p = (char *) b->data + b->used;
        b->used += total;
        return p;
}

char *arena_strndup(struct arena *arena, const char *s, size_t n)
{
        size_t len = strnlen(s, n);
        char *copy = arena_alloc(arena, len + 1, 1);
        if (copy)
                memcpy(copy, s, len);
        return copy;
}

char *arena_strdup(struct arena *arena, const char *s)
{
        return arena_strndup(arena, s, strlen(s));
}

char *arena_printf(struct arena *arena, const char *fmt, ...)
{
        va_list ap, again;
        va_start(ap, fmt);
        va_copy(again, ap);
        int n = vsnprintf(NULL, 0, fmt, ap);
        va_end(ap);
        char *text = n < 0 ? NULL : arena_alloc(arena, (size_t) n + 1, 1);
        if (text)
                vsnprintf(text, (size_t) n + 1, fmt, again);
        va_end(again);
        return text;
}

void *arena_grow(struct arena *arena, const void *old, size_t n, size_t more, size_t size)
{
        size_t count;
        if (__builtin_add_overflow(n, more, &count))
                return NULL;
        void *grown = arena_alloc(arena, count, size);
        if (grown && n > 0)
                memcpy(grown, old, n * size);
        return grown;
}

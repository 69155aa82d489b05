#pragma once
/*
 * lines - many outputs become one, never mixed within a line. Pure.
 *
 * `struct lines` holds the unfinished line of one output of one instance: no
 * memory as long as it writes whole lines. `struct gather` is the buffer they
 * all go to. It never grows for output of instances: whoever feeds asks
 * lines_room() first how much it may bring.
 *
 * A line longer than LINES_MAX is broken, so that an instance that never ends
 * its line can neither take all memory nor hold up the others.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

#define LINES_MAX ((size_t) 64 * 1024)

struct lines {
        char *text;
        size_t size, room;
};

#define LINES_INIT ((struct lines){ 0 })

/* What waits to be written: text[head..tail). */
struct gather {
        char *text;
        size_t head, tail, room;
        bool mid_line;          /* the last byte was no newline */
        bool status_shown;      /* a status line stands on the terminal; it goes before anything else */
        bool raw;               /* one instance, no labels: bytes pass as they are */
};

#define GATHER_INIT ((struct gather){ 0 })

/* -ENOMEM. `room` must hold a broken line with its label: at least 2 * LINES_MAX. */
int gather_open(struct gather *g, size_t room);
void gather_clear(struct gather *g);
static inline size_t gather_waiting(const struct gather *g) { return g->tail - g->head; }
/* The first `n` bytes were written. */
void gather_written(struct gather *g, size_t n);

/* How many bytes may be fed to `l` now; 0: not worth it, wait until something was written. */
size_t lines_room(const struct lines *l, const struct gather *g, const char *label);

/* Add bytes of an instance. `n` <= lines_room(). -ENOMEM. */
int lines_feed(struct lines *l, struct gather *g, const char *label, const char *data, size_t n);

/* The instance writes no more: what is left of its last line. */
void lines_end(struct lines *l, struct gather *g, const char *label);
void lines_clear(struct lines *l);

/* A line of our own. Grows the buffer if it must: these are few. */
int gather_say(struct gather *g, const char *line);
/* Show (or replace) the status line; NULL takes it away. */
void gather_status(struct gather *g, const char *line);

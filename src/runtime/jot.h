#pragma once
/*
 * jot - write JSON text, the way runc's encoder formats it.
 *
 *      auto_jot struct jot j = JOT_INIT(2);            // two spaces per level; 0: all on one line
 *      jot_open(&j, NULL, '{');
 *      jot_text(&j, "id", "box");                      // members: key and value; in arrays the key is NULL
 *      jot_close(&j, '}');
 *      char *text = jot_take(&j);                      // NULL: out of memory
 *
 * The first failure is remembered; jot_take() is the only check. '<', '>' and
 * '&' are escaped as Go does it, so that our output compares equal to runc's.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct jot {
        struct str s;
        unsigned indent;        /* spaces per level; 0: one line */
        unsigned depth;
        bool first;             /* nothing yet in the innermost bracket */
};

#define JOT_INIT(spaces) ((struct jot){ .indent = (spaces), .first = true })

void jot_open(struct jot *j, const char *key, char bracket);
void jot_close(struct jot *j, char bracket);
void jot_text(struct jot *j, const char *key, const char *value);
void jot_number(struct jot *j, const char *key, int64_t value);
void jot_unsigned(struct jot *j, const char *key, uint64_t value);
void jot_bool(struct jot *j, const char *key, bool value);
/* A value that is JSON already: "null", "0.5". */
void jot_raw(struct jot *j, const char *key, const char *value);

/* The text; the caller frees it. */
char *jot_take(struct jot *j);

static inline void jot_clear(struct jot *j) { str_clear(&j->s); }
static inline void jot_clear_p(struct jot *j) { jot_clear(j); }
#define auto_jot CLEANUP(jot_clear)

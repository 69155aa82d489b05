#pragma once
/*
 * json_read - JSON into structs, by tables.
 *
 * Internal to spec/. Every object of the specification is one table: which
 * keys, which types, who reads the value, where it goes. The reader walks the
 * table (not the object: unknown keys are ignored by construction), checks
 * presence and type, and calls the row's function, which can therefore rely on
 * both. A row's function gets the address `offset` bytes behind the struct.
 *
 *      static const struct field user_fields[] = {
 *              { "uid", WANT_NUMBER, OPTIONAL, read_id, offsetof(struct spec_user, uid) },
 *      };
 *      return read_fields(at, v, user_fields, COUNT(user_fields), &process->user);
 *
 * null counts as not given, as it does for runc.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"
#include "spec/words.h"

struct json_object;

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/* What all of one reading have in common. */
struct reader {
        struct arena *arena;
        struct error *err;
        const char *file;               /* in front of every sentence */
};

/* A place in the document: a chain on the stack that becomes text only if something is wrong there. */
struct where {
        const struct reader *reader;
        const struct where *parent;     /* NULL: the document */
        const char *key;                /* NULL: the element `index` of an array */
        size_t index;
};

static inline struct where where_key(const struct where *at, const char *key)
{
        return (struct where){ .reader = at->reader, .parent = at, .key = key };
}

static inline struct where where_index(const struct where *at, size_t index)
{
        return (struct where){ .reader = at->reader, .parent = at, .index = index };
}

/* "config.json: process.rlimits[2].soft: " and the words. Returns -EINVAL. */
int where_fail(const struct where *at, const char *fmt, ...) PRINTF_LIKE(2, 3);
int where_no_memory(const struct where *at);

/* Somebody else's text for an error: in quotes, short, without control characters. */
struct quoted {
        char text[96];
};
struct quoted quoted(const char *s);

typedef int read_fn(const struct where *at, struct json_object *v, void *out);

enum want { WANT_ANY, WANT_BOOL, WANT_NUMBER, WANT_STRING, WANT_ARRAY, WANT_OBJECT };
enum need { OPTIONAL, REQUIRED };

struct field {
        const char *key;
        enum want want;
        enum need need;
        read_fn *read;
        size_t offset;
};

int read_fields(const struct where *at, struct json_object *v, const struct field *fields, size_t n,
                void *out) MUST_CHECK;

/* An array: `read` fills each of the zeroed elements. One more zeroed element follows the last. */
struct element {
        enum want want;
        size_t size;
        read_fn *read;
        size_t max;             /* more elements than this are refused */
};
struct list {
        void *items;            /* NULL exactly if n is 0 */
        size_t n;
};
int read_list(const struct where *at, struct json_object *v, const struct element *element,
              struct list *ret) MUST_CHECK;

/* An object of strings: items are pairs { const char *key, *value }. `check_key` may be NULL. */
int read_map(const struct where *at, struct json_object *v, int (*check_key)(const struct where *at, const char *key),
             struct list *ret) MUST_CHECK;

/* ---- values; `out` points to what the name says ---- */

int read_bool(const struct where *at, struct json_object *v, void *out);        /* bool */
int read_string(const struct where *at, struct json_object *v, void *out);      /* const char * */
int read_given(const struct where *at, struct json_object *v, void *out);       /* const char *; "" leaves it NULL */
int read_path(const struct where *at, struct json_object *v, void *out);        /* const char *; not "", not too long */
int read_absolute(const struct where *at, struct json_object *v, void *out);    /* const char *; also absolute */
int read_strings(const struct where *at, struct json_object *v, void *out);     /* const char **; [] leaves it NULL */
int read_absolutes(const struct where *at, struct json_object *v, void *out);   /* const char ** */
int read_u32(const struct where *at, struct json_object *v, void *out);         /* uint32_t */
int read_id(const struct where *at, struct json_object *v, void *out);          /* uint32_t, not -1 */
int read_unused(const struct where *at, struct json_object *v, void *out);      /* known, of no effect */

/* A property that is known and not supported: refused if it asks for something. */
int read_refused(const struct where *at, struct json_object *v, void *out);
/* null, false, 0, "", [], {} and objects of nothing but these. */
bool means_nothing(struct json_object *v);

/* A whole number within bounds (both included). */
int read_number(const struct where *at, struct json_object *v, int64_t min, int64_t max, int64_t *ret) MUST_CHECK;
int read_natural(const struct where *at, struct json_object *v, uint64_t max, uint64_t *ret) MUST_CHECK;

/* One of a list of words, or: unknown namespace "foo" (one of user, pid, ...). */
int read_word(const struct where *at, struct json_object *v, const struct words *words, uint64_t *ret) MUST_CHECK;

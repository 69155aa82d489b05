#pragma once
/*
 * variant - typed values as text, in the notation of GVariant: true, 'text', uint64 5, [('/dev/null', 'rw')],
 * @as []. systemd's properties are given in it (annotations org.systemd.property.*), and our own are, too, so that
 * a plan can show them. Pure.
 *
 * Integers are int32 and fractions double unless a type is in front. Dictionaries, maybes and byte strings (b'..')
 * are not known. Source: "GVariant Text Format" of GLib; signatures: the D-Bus specification.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

struct variant {
        char type;                      /* 'b' 'y' 'n' 'q' 'i' 'u' 'x' 't' 'd' 's' 'o' 'g'; 'a' array, 'r' tuple, 'v' */
        const char *signature;          /* of all of it: "a(ss)" */
        union {
                int64_t number;         /* b y n q i u x */
                uint64_t large;         /* t */
                double fraction;        /* d */
                const char *text;       /* s o g */
        };
        struct variant *items;          /* of arrays and tuples; the one in a 'v' */
        size_t n;
};

/* -EINVAL, and what is wrong and where: "at \"xyz\": expected a value". Memory of `arena`. */
int variant_parse(const char *text, struct arena *arena, struct variant *ret, struct error *err) MUST_CHECK;

/* 'text', with what has to be escaped escaped. NULL: no memory. */
const char *variant_quote(const char *text, struct arena *arena);

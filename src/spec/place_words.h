#pragma once
/*
 * place_words - what a command line or a config asks for of a container's place. Pure.
 *
 * The words of `berth run --cpus LIST --numa LIST --bind WORDS --mem-bind WORDS`, and of
 * the annotation "io.berth.placement", "cpus=LIST numa=LIST bind=WORDS mem-bind=WORDS"
 * with blanks between. What they mean is found out elsewhere (launcher/place_one.h).
 */

#include <stdbool.h>

#include "spec/spec.h"

#define PLACE_ASKED "io.berth.placement"
/* Written by us into the copy of the config that is kept with the container, for people and for `exec`. */
#define PLACE_GIVEN "io.berth.placed"

/* NULL: not given. */
struct place_words {
        const char *cpus, *numa, *bind, *mem_bind;
};

static inline bool place_words_any(const struct place_words *w)
{
        return w->cpus || w->numa || w->bind || w->mem_bind;
}

/*
 * Add what the config's annotation says to the words of a command line, which win. The
 * strings live in the spec's arena. -EINVAL with one line that names the annotation.
 */
int place_words_add(struct place_words *words, const struct spec *spec, struct error *err) MUST_CHECK;

/* The value of `key` in "key=value key=value", in the spec's arena; NULL: there is none, or no memory. */
const char *place_word(struct arena *arena, const char *text, const char *key);

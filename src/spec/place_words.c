#include "spec/place_words.h"

#include <errno.h>
#include <string.h>

static const struct {
        const char *name;
        size_t offset;
} keys[] = {
        { "cpus", offsetof(struct place_words, cpus) },
        { "numa", offsetof(struct place_words, numa) },
        { "bind", offsetof(struct place_words, bind) },
        { "mem-bind", offsetof(struct place_words, mem_bind) },
};
#define N_KEYS (sizeof(keys) / sizeof(*keys))

static const char **member(struct place_words *words, size_t i)
{
        return (const char **) ((char *) words + keys[i].offset);
}

static size_t find_key(const char *word, size_t n)
{
        size_t i = 0;
        while (i < N_KEYS && (strlen(keys[i].name) != n || strncmp(keys[i].name, word, n) != 0))
                i++;
        return i;
}

/* "KEY=VALUE" */
static int take(struct place_words *words, struct arena *arena, const char *word, size_t n, struct error *err)
{
        const char *equals = memchr(word, '=', n);
        size_t i = equals ? find_key(word, (size_t) (equals - word)) : N_KEYS;
        if (i == N_KEYS)
                return error_say(err, -EINVAL, "\"%.*s\" is none of cpus=LIST, numa=LIST, bind=WORDS, mem-bind=WORDS",
                                 (int) n, word);
        if (*member(words, i))
                return error_say(err, -EINVAL, "%s= is there twice", keys[i].name);
        size_t size = n - (size_t) (equals + 1 - word);
        if (size == 0)
                return error_say(err, -EINVAL, "%s= is empty", keys[i].name);
        *member(words, i) = arena_strndup(arena, equals + 1, size);
        return *member(words, i) ? 0 : error_set(err, -ENOMEM, "read the annotations");
}

int place_words_add(struct place_words *words, const struct spec *spec, struct error *err)
{
        struct place_words all = { 0 };
        const char *text = spec_annotation(spec->annotations, spec->n_annotations, PLACE_ASKED);
        if (spec_annotation(spec->annotations, spec->n_annotations, PLACE_GIVEN))
                return error_say(err, -EINVAL, "annotation \"" PLACE_GIVEN "\" is ours to write: \"" PLACE_ASKED "\" is for "
                                 "those who ask");
        for (const char *p = text ? text : ""; *p;) {
                size_t n = strcspn(p, " ");
                int r = n > 0 ? take(&all, spec->arena, p, n, err) : 0;
                if (r < 0)
                        return error_wrap(err, "annotation \"" PLACE_ASKED "\"");
                p += n + (p[n] == ' ');
        }
        for (size_t i = 0; i < N_KEYS; i++)
                if (!*member(words, i))
                        *member(words, i) = *member(&all, i);
        return 0;
}

const char *place_word(struct arena *arena, const char *text, const char *key)
{
        size_t len = strlen(key);
        for (const char *p = text; *p;) {
                size_t n = strcspn(p, " ");
                if (n > len && strncmp(p, key, len) == 0 && p[len] == '=')
                        return arena_strndup(arena, p + len + 1, n - len - 1);
                p += n + (p[n] == ' ');
        }
        return NULL;
}

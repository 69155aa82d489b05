#include "spec/json_read.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include <json-c/json_object.h>

#include "base/str.h"

/* Bounds that no real config meets; they keep a hostile one from costing much. */
#define STRINGS_MAX 131072

int read_bool(const struct where *at, struct json_object *v, void *out)
{
        (void) at;
        *(bool *) out = json_object_get_boolean(v);
        return 0;
}

int read_string(const struct where *at, struct json_object *v, void *out)
{
        const char *s = arena_strdup(at->reader->arena, json_object_get_string(v));
        if (!s)
                return where_no_memory(at);
        *(const char **) out = s;
        return 0;
}

int read_given(const struct where *at, struct json_object *v, void *out)
{
        return json_object_get_string_len(v) == 0 ? 0 : read_string(at, v, out);
}

int read_path(const struct where *at, struct json_object *v, void *out)
{
        int len = json_object_get_string_len(v);
        if (len == 0)
                return where_fail(at, "an empty path");
        if (len >= PATH_MAX)
                return where_fail(at, "a path of %d bytes, at most %d are possible", len, PATH_MAX - 1);
        return read_string(at, v, out);
}

int read_absolute(const struct where *at, struct json_object *v, void *out)
{
        const char *s = json_object_get_string(v);
        if (*s && *s != '/')
                return where_fail(at, "expected an absolute path, found %s", quoted(s).text);
        return read_path(at, v, out);
}

int read_strings(const struct where *at, struct json_object *v, void *out)
{
        static const struct element string = { WANT_STRING, sizeof(char *), read_string, STRINGS_MAX };
        struct list list = { 0 };
        int r = read_list(at, v, &string, &list);
        if (r == 0)
                *(const char ***) out = list.items;
        return r;
}

int read_absolutes(const struct where *at, struct json_object *v, void *out)
{
        static const struct element path = { WANT_STRING, sizeof(char *), read_absolute, STRINGS_MAX };
        struct list list = { 0 };
        int r = read_list(at, v, &path, &list);
        if (r == 0)
                *(const char ***) out = list.items;
        return r;
}

int read_unused(const struct where *at, struct json_object *v, void *out)
{
        (void) at;
        (void) v;
        (void) out;
        return 0;
}

int read_refused(const struct where *at, struct json_object *v, void *out)
{
        (void) out;
        return means_nothing(v) ? 0 : where_fail(at, "not supported; leave it out");
}

/*
 * json-c keeps a number as int64 or, above INT64_MAX, as uint64; the getters
 * clamp silently. What is above UINT64_MAX has been refused with the text; what
 * is below INT64_MIN became INT64_MIN.
 */
static bool is_negative(struct json_object *v)
{
        return json_object_get_int64(v) < 0;
}

int read_number(const struct where *at, struct json_object *v, int64_t min, int64_t max, int64_t *ret)
{
        int64_t n = json_object_get_int64(v);
        bool clamped = !is_negative(v) && json_object_get_uint64(v) > INT64_MAX;
        if (clamped || n < min || n > max)
                return where_fail(at, "expected a number from %" PRId64 " to %" PRId64 ", found %s", min, max,
                                  json_object_get_string(v));
        *ret = n;
        return 0;
}

int read_natural(const struct where *at, struct json_object *v, uint64_t max, uint64_t *ret)
{
        uint64_t n = json_object_get_uint64(v);
        if (is_negative(v) || n > max)
                return where_fail(at, "expected a number from 0 to %" PRIu64 ", found %s", max,
                                  json_object_get_string(v));
        *ret = n;
        return 0;
}

int read_u32(const struct where *at, struct json_object *v, void *out)
{
        uint64_t n = 0;
        int r = read_natural(at, v, UINT32_MAX, &n);
        if (r == 0)
                *(uint32_t *) out = (uint32_t) n;
        return r;
}

int read_id(const struct where *at, struct json_object *v, void *out)
{
        uint64_t n = 0;
        int r = read_natural(at, v, UINT32_MAX - 1, &n);        /* -1 means "leave it" to setresuid(2) */
        if (r == 0)
                *(uint32_t *) out = (uint32_t) n;
        return r;
}

int read_word(const struct where *at, struct json_object *v, const struct words *words, uint64_t *ret)
{
        const char *text = json_object_get_string(v);
        const struct word *found = word_find(words, text);
        if (found) {
                *ret = found->value;
                return 0;
        }
        auto_str struct str all = STR_INIT;
        for (size_t i = 0; i < words->n; i++)
                str_addf(&all, "%s%s", i > 0 ? ", " : "", words->list[i].text);
        if (str_failed(&all))
                return where_no_memory(at);
        return where_fail(at, "unknown %s %s (one of %s)", words->noun, quoted(text).text, all.text);
}

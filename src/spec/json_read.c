#include "spec/json_read.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <json-c/json_object.h>
#include <json-c/linkhash.h>

#include "base/str.h"

struct quoted quoted(const char *s)
{
        static const size_t most = 64;
        struct quoted q = { .text = "\"" };
        size_t n = 1;
        const unsigned char *p = (const unsigned char *) s;

        for (; *p && n < most; p++) {
                /* U+0080..U+009F (c2 80 .. c2 9f) are control characters too: a terminal would obey them. */
                bool c1 = *p >= 0x80 && *p < 0xa0 && n > 1 && p[-1] == 0xc2;
                if (c1 || *p < 0x20 || *p == 0x7f || *p == '"' || *p == '\\')
                        n += (size_t) snprintf(q.text + n, sizeof(q.text) - n, "\\x%02x", *p);
                else
                        q.text[n++] = (char) *p;
        }
        snprintf(q.text + n, sizeof(q.text) - n, "%s\"", *p ? "..." : "");
        return q;
}

static bool is_plain_key(const char *key)
{
        static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
        return *key && strspn(key, plain) == strlen(key) && strlen(key) < 64;
}

static void add_path(struct str *s, const struct where *at)
{
        if (!at->parent)
                return;
        add_path(s, at->parent);
        if (!at->key)
                str_addf(s, "[%zu]", at->index);
        else if (!is_plain_key(at->key))
                str_addf(s, "[%s]", quoted(at->key).text);
        else
                str_addf(s, "%s%s", s->size > 0 ? "." : "", at->key);
}

int where_fail(const struct where *at, const char *fmt, ...)
{
        char words[640];
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(words, sizeof(words), fmt, ap);
        va_end(ap);

        auto_str struct str path = STR_INIT;
        add_path(&path, at);
        if (str_failed(&path) || path.size == 0)
                return error_say(at->reader->err, -EINVAL, "%s: %s", at->reader->file, words);
        return error_say(at->reader->err, -EINVAL, "%s: %s: %s", at->reader->file, path.text, words);
}

int where_no_memory(const struct where *at)
{
        return error_set(at->reader->err, -ENOMEM, "%s", at->reader->file);
}

static const char *name_of(enum json_type type)
{
        switch (type) {
        case json_type_null:
                return "null";
        case json_type_boolean:
                return "a boolean";
        case json_type_double:
        case json_type_int:
                return "a number";
        case json_type_object:
                return "an object";
        case json_type_array:
                return "an array";
        case json_type_string:
                return "a string";
        }
        return "something else";
}

static int check_type(const struct where *at, struct json_object *v, enum want want)
{
        static const enum json_type types[] = {
                [WANT_BOOL] = json_type_boolean, [WANT_NUMBER] = json_type_int, [WANT_STRING] = json_type_string,
                [WANT_ARRAY] = json_type_array, [WANT_OBJECT] = json_type_object,
        };
        if (want == WANT_ANY)
                return 0;
        enum json_type type = json_object_get_type(v);
        if (want == WANT_NUMBER && type == json_type_double)
                return where_fail(at, "expected a whole number, found %s", quoted(json_object_get_string(v)).text);
        if (type != types[want])
                return where_fail(at, "expected %s, found %s", name_of(types[want]), name_of(type));
        if (want == WANT_STRING && memchr(json_object_get_string(v), '\0', (size_t) json_object_get_string_len(v)))
                return where_fail(at, "a NUL character in a string");
        return 0;
}

static int read_field(const struct where *at, struct json_object *value, const struct field *f, void *out)
{
        const struct where here = where_key(at, f->key);
        int r = check_type(&here, value, f->want);
        return r < 0 ? r : f->read(&here, value, (char *) out + f->offset);
}

/*
 * runc is written in Go, whose JSON reader takes keys in any case: "pagesize" has always been as good as "pageSize". The
 * same key in two cases is given twice: what the later one says of an object is added to what the earlier one did.
 */
int read_fields(const struct where *at, struct json_object *v, const struct field *fields, size_t n, void *out)
{
        for (size_t i = 0; i < n; i++) {
                const struct where here = where_key(at, fields[i].key);
                bool given = false;
                json_object_object_foreach(v, name, value) {
                        if (!value || strcasecmp(name, fields[i].key) != 0)
                                continue;
                        int r = read_field(at, value, &fields[i], out);
                        if (r < 0)
                                return r;
                        given = true;
                }
                if (!given && fields[i].need == REQUIRED)
                        return where_fail(&here, "missing");
        }
        return 0;
}

int read_list(const struct where *at, struct json_object *v, const struct element *element, struct list *ret)
{
        size_t n = json_object_array_length(v);
        if (n > element->max)
                return where_fail(at, "%zu elements, at most %zu are possible", n, element->max);
        if (n == 0) {
                *ret = (struct list){ 0 };
                return 0;
        }
        char *items = arena_alloc(at->reader->arena, n + 1, element->size);
        if (!items)
                return where_no_memory(at);
        for (size_t i = 0; i < n; i++) {
                const struct where here = where_index(at, i);
                struct json_object *value = json_object_array_get_idx(v, i);
                int r = check_type(&here, value, element->want);
                if (r == 0)
                        r = element->read(&here, value, items + i * element->size);
                if (r < 0)
                        return r;
        }
        *ret = (struct list){ items, n };
        return 0;
}

int read_map(const struct where *at, struct json_object *v, int (*check_key)(const struct where *at, const char *key),
             struct list *ret)
{
        size_t n = (size_t) json_object_object_length(v), i = 0;
        const char **items = arena_alloc(at->reader->arena, n + 1, 2 * sizeof(*items));
        if (!items)
                return where_no_memory(at);

        json_object_object_foreach(v, key, value) {
                const struct where here = where_key(at, key);
                int r = check_type(&here, value, WANT_STRING);
                if (r == 0 && *key == '\0')
                        r = where_fail(&here, "an empty name");
                if (r == 0 && check_key)
                        r = check_key(&here, key);
                if (r < 0)
                        return r;
                items[2 * i] = arena_strdup(at->reader->arena, key);
                items[2 * i + 1] = arena_strdup(at->reader->arena, json_object_get_string(value));
                if (!items[2 * i] || !items[2 * i + 1])
                        return where_no_memory(at);
                i++;
        }
        *ret = n > 0 ? (struct list){ items, n } : (struct list){ 0 };
        return 0;
}

bool means_nothing(struct json_object *v)
{
        switch (json_object_get_type(v)) {
        case json_type_null:
                return true;
        case json_type_boolean:
                return !json_object_get_boolean(v);
        case json_type_double:
                return json_object_get_double(v) == 0;
        case json_type_int:
                return json_object_get_int64(v) == 0;
        case json_type_string:
                return json_object_get_string_len(v) == 0;
        case json_type_array:
                return json_object_array_length(v) == 0;
        case json_type_object:
                break;
        }
        json_object_object_foreach(v, key, value) {
                (void) key;     /* the macro defines it */
                if (!means_nothing(value))
                        return false;
        }
        return true;
}

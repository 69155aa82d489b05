#include "spec/json_text.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <json-c/json_object.h>
#include <json-c/json_tokener.h>

static void tokener_free(struct json_tokener *tokener)
{
        json_tokener_free(tokener);
}
CLEANUP_DEFINE(struct json_tokener *, tokener_free)
#define auto_tokener CLEANUP(tokener_free)

void tree_free(struct json_object *tree)
{
        (void) json_object_put(tree);   /* says only whether this was the last reference */
}

static int fail_at(struct error *err, const char *name, const char *text, size_t offset, const char *what)
{
        size_t line = 1, column = 1;
        for (size_t i = 0; i < offset; i++) {
                column++;
                if (text[i] == '\n') {
                        line++;
                        column = 1;
                }
        }
        return error_say(err, -EINVAL, "%s: line %zu, column %zu (byte %zu): %s", name, line, column, offset, what);
}

/* Does the string that `at` points into stand in front of a colon? */
static bool is_in_key(const char *at, const char *end)
{
        for (; at < end && *at != '"'; at++)
                if (*at == '\\')
                        at++;
        for (at++; at < end && strchr(" \t\r\n", *at); at++)
                if (!*at)
                        return false;
        return at < end && *at == ':';
}

/* An escaped NUL in a value is seen later, by its length; in a key json-c would lose it. */
static int check_keys(const char *text, size_t size, const char *name, struct error *err)
{
        static const char nul[] = "\\u0000";
        const size_t len = sizeof(nul) - 1;
        const char *end = text + size, *at = text;

        while ((at = memmem(at, (size_t) (end - at), nul, len))) {
                size_t backslashes = 1;
                while (at - backslashes >= text && at[-(ptrdiff_t) backslashes] == '\\')
                        backslashes++;
                if (backslashes % 2 == 1 && is_in_key(at + len, end))
                        return fail_at(err, name, text, (size_t) (at - text), "a NUL character in a name");
                at += len;
        }
        return 0;
}

/* json-c before 0.17 takes a number that fits nowhere for the largest one that does. */
static bool is_too_large(const char *digits, size_t n)
{
        static const char most[] = "18446744073709551615";
        return n >= sizeof(most) || (n == sizeof(most) - 1 && memcmp(digits, most, n) > 0);
}

static size_t string_length(const char *at, const char *end)
{
        const char *p = at + 1;
        while (p < end && *p != '"')
                p += *p == '\\' ? 2 : 1;
        return p < end ? (size_t) (p - at) : (size_t) (end - at);
}

/* One pass over the text for what must be known before a tree is made of it. */
static int check_values(const char *text, size_t size, const char *name, struct error *err)
{
        const char *end = text + size;
        size_t values = 0;

        for (const char *p = text; p < end; p++) {
                if (*p == '"') {
                        p += string_length(p, end);
                } else if (*p == ',') {
                        values++;
                } else if (*p >= '0' && *p <= '9') {
                        size_t n = 1;
                        while (p + n < end && p[n] >= '0' && p[n] <= '9')
                                n++;
                        bool whole = p == text || p[-1] != '.';
                        if (whole && is_too_large(p, n))
                                return fail_at(err, name, text, (size_t) (p - text), "a number above 2^64");
                        p += n - 1;
                }
        }
        /* A value is 2 bytes here and fifty times that in the tree. */
        if (values >= TEXT_VALUES_MAX)
                return error_say(err, -EFBIG, "%s: more than %zu values", name, TEXT_VALUES_MAX);
        return 0;
}

static int check_text(const char *text, size_t size, const char *name, struct error *err)
{
        if (size > TEXT_MAX)
                return error_say(err, -EFBIG, "%s: larger than %zu MiB", name, TEXT_MAX >> 20);
        if (size == 0)
                return error_say(err, -EINVAL, "%s: is empty", name);

        const char *nul = memchr(text, '\0', size);
        if (nul)
                return fail_at(err, name, text, (size_t) (nul - text), "a NUL byte");

        size_t i = 0;
        while (i < size && strchr(" \t\r\n", text[i]))
                i++;
        if (i == size || text[i] != '{')
                return fail_at(err, name, text, i, "expected an object");

        int r = check_values(text, size, name, err);
        return r < 0 ? r : check_keys(text, size, name, err);
}

int tree_parse(const char *text, size_t size, const char *name, struct json_object **ret_tree, struct error *err)
{
        int r = check_text(text, size, name, err);
        if (r < 0)
                return r;

        auto_tokener struct json_tokener *tokener = json_tokener_new_ex(TEXT_DEPTH_MAX);
        if (!tokener)
                return error_set(err, -ENOMEM, "%s", name);
        json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);

        auto_tree struct json_object *tree = json_tokener_parse_ex(tokener, text, (int) size);
        enum json_tokener_error e = json_tokener_get_error(tokener);
        if (e == json_tokener_continue)
                return fail_at(err, name, text, size, "the text ends in the middle of a value");
        if (e != json_tokener_success)
                return fail_at(err, name, text, json_tokener_get_parse_end(tokener), json_tokener_error_desc(e));

        *ret_tree = take_ptr(&tree);
        return 0;
}

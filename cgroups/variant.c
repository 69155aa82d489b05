#include "cgroups/variant.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define DEPTH_MAX 16
#define BASIC "bynqiuxtdsog"

static const struct {
        const char *word;
        char type;
} type_words[] = {
        { "boolean", 'b' }, { "byte", 'y' },   { "int16", 'n' },  { "uint16", 'q' }, { "int32", 'i' },
        { "uint32", 'u' },  { "int64", 'x' },  { "uint64", 't' }, { "double", 'd' }, { "string", 's' },
        { "objectpath", 'o' }, { "signature", 'g' },
};

struct parser {
        const char *at;
        struct arena *arena;
        struct error *err;
        int depth;
};

static int bad(const struct parser *p, const char *wanted)
{
        return error_say(p->err, -EINVAL, "at \"%.40s\": %s", p->at, wanted);
}

static int no_memory(const struct parser *p) { return error_set(p->err, -ENOMEM, "read a value"); }

static void skip_space(struct parser *p) { p->at += strspn(p->at, " \t\n\r"); }

static bool take(struct parser *p, char c)
{
        skip_space(p);
        if (*p->at != c)
                return false;
        p->at++;
        return true;
}

static bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_'; }

static bool take_word(struct parser *p, const char *word)
{
        size_t n = strlen(word);
        if (strncmp(p->at, word, n) != 0 || is_word(p->at[n]))
                return false;
        p->at += n;
        return true;
}

/* The end of the one complete type at `at`; NULL if there is none. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as DEPTH_MAX */
static const char *type_end(const char *at, int depth)
{
        if (depth > DEPTH_MAX || !*at)
                return NULL;
        if (strchr(BASIC "v", *at))
                return at + 1;
        if (*at == 'a')
                return type_end(at + 1, depth + 1);
        if (*at != '(' || at[1] == ')')
                return NULL;
        for (at++; at && *at != ')';)
                at = type_end(at, depth + 1);
        return at ? at + 1 : NULL;
}

static int parse_value(struct parser *p, const char *type, struct variant *ret);

static int digit_of(char c)
{
        return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : 99;
}

/* Digits as far as they go, but at most `max` of them. False: none, or too large a number. */
static bool take_digits(struct parser *p, unsigned base, int max, uint64_t *ret)
{
        uint64_t value = 0;
        int n = 0;
        for (unsigned d; n < max && (d = (unsigned) digit_of(*p->at)) < base; n++, p->at++)
                if (__builtin_mul_overflow(value, base, &value) || __builtin_add_overflow(value, d, &value))
                        return false;
        *ret = value;
        return n > 0;
}

/* \uXXXX, \UXXXXXXXX: as UTF-8. */
static int hex_digits(struct parser *p, int n, char **out)
{
        const char *start = p->at;
        uint64_t c = 0;
        if (!take_digits(p, 16, n, &c) || p->at != start + n)
                return bad(p, "expected hexadecimal digits");
        if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
                return bad(p, "no such character");
        char *o = *out;
        if (c < 0x80) {
                *o++ = (char) c;
        } else if (c < 0x800) {
                *o++ = (char) (0xc0 | c >> 6);
                *o++ = (char) (0x80 | (c & 0x3f));
        } else {
                if (c >= 0x10000)
                        *o++ = (char) (0xf0 | c >> 18);
                *o++ = (char) (c >= 0x10000 ? 0x80 | (c >> 12 & 0x3f) : 0xe0 | c >> 12);
                *o++ = (char) (0x80 | (c >> 6 & 0x3f));
                *o++ = (char) (0x80 | (c & 0x3f));
        }
        *out = o;
        return 0;
}

static int parse_escape(struct parser *p, char **out)
{
        static const char from[] = "abfnrtv\\'\"", to[] = "\a\b\f\n\r\t\v\\'\"";
        char c = *p->at++;
        if (c == 'u' || c == 'U')
                return hex_digits(p, c == 'u' ? 4 : 8, out);
        const char *known = c ? strchr(from, c) : NULL;
        if (!known) {
                p->at--;
                return bad(p, "unknown escape");
        }
        *(*out)++ = to[known - from];
        return 0;
}

static int parse_text(struct parser *p, char type, struct variant *ret)
{
        char quote = *p->at;
        if (quote != '\'' && quote != '"')
                return bad(p, "expected a text in quotes");
        p->at++;
        char *text = arena_alloc(p->arena, strlen(p->at) + 1, 1), *out = text;
        if (!text)
                return no_memory(p);
        while (*p->at != quote) {
                if (!*p->at)
                        return bad(p, "the text has no end");
                if (*p->at != '\\') {
                        *out++ = *p->at++;
                        continue;
                }
                p->at++;
                int r = parse_escape(p, &out);
                if (r < 0)
                        return r;
        }
        p->at++;
        *out = '\0';
        if (type == 'o' && *text != '/')
                return bad(p, "an object path begins with /");
        ret->text = text;
        return 0;
}

static const struct range {
        char type;
        int64_t min;
        uint64_t max;
} ranges[] = {
        { 'y', 0, UINT8_MAX },         { 'n', INT16_MIN, INT16_MAX }, { 'q', 0, UINT16_MAX },
        { 'i', INT32_MIN, INT32_MAX }, { 'u', 0, UINT32_MAX },        { 'x', INT64_MIN, INT64_MAX },
        { 't', 0, UINT64_MAX },
};

static int parse_integer(struct parser *p, char type, struct variant *ret)
{
        const char *start = p->at;
        bool negative = *p->at == '-';
        uint64_t value = 0;
        p->at += negative || *p->at == '+';
        bool hex = p->at[0] == '0' && (p->at[1] == 'x' || p->at[1] == 'X');
        p->at += hex ? 2 : 0;
        bool good = take_digits(p, hex ? 16 : 10, 20, &value) && !is_word(*p->at) && *p->at != '.';
        for (size_t i = 0; good && i < sizeof(ranges) / sizeof(*ranges); i++)
                if (ranges[i].type == type)
                        good = negative ? value <= (uint64_t) 0 - (uint64_t) ranges[i].min : value <= ranges[i].max;
        if (!good) {
                p->at = start;
                return bad(p, "expected an integer in the range of its type");
        }
        if (type == 't')
                ret->large = value;
        else
                ret->number = negative ? (int64_t) ((uint64_t) 0 - value) : (int64_t) value;
        return 0;
}

static int parse_fraction(struct parser *p, struct variant *ret)
{
        bool negative = *p->at == '-';
        uint64_t whole = 0, part = 0;
        p->at += negative || *p->at == '+';
        bool good = take_digits(p, 10, 15, &whole);
        double scale = 1;
        if (good && *p->at == '.') {
                const char *start = ++p->at;
                good = take_digits(p, 10, 15, &part);
                for (; start < p->at; start++)
                        scale *= 10;
        }
        if (!good || is_word(*p->at))
                return bad(p, "expected a number, without an exponent");
        ret->fraction = ((double) whole + (double) part / scale) * (negative ? -1 : 1);
        return 0;
}

static int parse_basic(struct parser *p, char type, struct variant *ret)
{
        switch (type) {
        case 'b':
                ret->number = take_word(p, "true");
                return ret->number || take_word(p, "false") ? 0 : bad(p, "expected true or false");
        case 'd':
                return parse_fraction(p, ret);
        case 's':
        case 'o':
        case 'g':
                return parse_text(p, type, ret);
        default:
                return parse_integer(p, type, ret);
        }
}

/* What a value is that says nothing of its type. */
static char guess(const char *at)
{
        if (*at == '\'' || *at == '"')
                return 's';
        if (strncmp(at, "true", 4) == 0 || strncmp(at, "false", 5) == 0)
                return 'b';
        return at[strspn(at, "+-0123456789")] == '.' ? 'd' : 'i';
}

static int add_item(struct parser *p, struct variant *ret, const struct variant *item, size_t *room)
{
        if (ret->n == *room) {
                size_t more = *room ? *room : 4;
                ret->items = arena_grow(p->arena, ret->items, ret->n, more, sizeof(*ret->items));
                *room += more;
        }
        if (!ret->items)
                return no_memory(p);
        ret->items[ret->n++] = *item;
        return 0;
}

/* `type`: of the elements, NULL while nothing is known of them. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as DEPTH_MAX */
static int parse_array(struct parser *p, const char *type, struct variant *ret)
{
        size_t room = 0;
        while (!take(p, ']')) {
                struct variant item = { 0 };
                int r = ret->n > 0 && !take(p, ',') ? bad(p, "expected , or ]") : parse_value(p, type, &item);
                if (r == 0 && type && item.signature && strcmp(type, item.signature) != 0)
                        r = bad(p, "the elements of an array have one type");
                if (r == 0)
                        r = add_item(p, ret, &item, &room);
                if (r < 0)
                        return r;
                type = item.signature;
        }
        if (!type)
                return bad(p, "an empty array needs its type in front: @as []");
        ret->type = 'a';
        ret->signature = arena_printf(p->arena, "a%s", type);
        return ret->signature ? 0 : no_memory(p);
}

static int add_element(struct parser *p, const char *type, struct variant *ret, size_t *room)
{
        struct variant item = { 0 };
        int r = parse_value(p, type, &item);
        if (r == 0)
                r = add_item(p, ret, &item, room);
        if (r < 0)
                return r;
        ret->signature = arena_printf(p->arena, "%s%s", ret->signature, item.signature);
        return ret->signature ? 0 : no_memory(p);
}

/* `type`: of the elements, one after the other; NULL: nothing is known. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as DEPTH_MAX */
static int parse_tuple(struct parser *p, const char *type, struct variant *ret)
{
        size_t room = 0;
        ret->type = 'r';
        ret->signature = "(";
        while (!take(p, ')')) {
                const char *end = type ? type_end(type, 0) : NULL;
                const char *own = end ? arena_strndup(p->arena, type, (size_t) (end - type)) : NULL;
                if (ret->n > 0 && !take(p, ','))
                        return bad(p, "expected , or )");
                if (ret->n == 1 && take(p, ')'))        /* ('one',) */
                        break;
                if (type && !own)
                        return bad(p, "the tuple has more elements than its type");
                int r = add_element(p, own, ret, &room);
                if (r < 0)
                        return r;
                type = end;
        }
        if (ret->n == 0 || (type && *type != ')'))
                return bad(p, "the tuple has fewer elements than it needs");
        ret->signature = arena_printf(p->arena, "%s)", ret->signature);
        return ret->signature ? 0 : no_memory(p);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as DEPTH_MAX */
static int parse_boxed(struct parser *p, struct variant *ret)
{
        ret->items = arena_alloc(p->arena, 1, sizeof(*ret->items));
        if (!ret->items)
                return no_memory(p);
        int r = parse_value(p, NULL, ret->items);
        if (r == 0 && !take(p, '>'))
                r = bad(p, "expected >");
        ret->type = 'v';
        ret->signature = "v";
        ret->n = 1;
        return r;
}

/* "@a(ss)" or "uint64": the type that the text itself gives. 0 also without one. */
static int parse_prefix(struct parser *p, const char **type)
{
        const char *own = NULL;
        if (*p->at == '@') {
                const char *end = type_end(p->at + 1, 0);
                if (!end)
                        return bad(p, "expected a type after @");
                own = arena_strndup(p->arena, p->at + 1, (size_t) (end - p->at - 1));
                p->at = end;
                if (!own)
                        return no_memory(p);
        }
        for (size_t i = 0; !own && i < sizeof(type_words) / sizeof(*type_words); i++)
                if (take_word(p, type_words[i].word))
                        own = arena_strndup(p->arena, &type_words[i].type, 1);
        if (own && *type && strcmp(own, *type) != 0)
                return bad(p, "the type is another one than around it");
        if (own)
                *type = own;
        skip_space(p);
        return 0;
}

/* `type` NULL: as the text says. */
/* NOLINTNEXTLINE(misc-no-recursion): as deep as DEPTH_MAX */
static int parse_typed(struct parser *p, const char *type, struct variant *ret)
{
        skip_space(p);
        int r = parse_prefix(p, &type);
        if (r < 0)
                return r;
        if (*p->at == '[' && (!type || *type == 'a'))
                return p->at++, parse_array(p, type ? type + 1 : NULL, ret);
        if (*p->at == '(' && (!type || *type == '('))
                return p->at++, parse_tuple(p, type ? type + 1 : NULL, ret);
        if (*p->at == '<' && (!type || *type == 'v'))
                return p->at++, parse_boxed(p, ret);
        ret->type = type ? *type : guess(p->at);
        if (!strchr(BASIC, ret->type))
                return bad(p, "expected a value of its type");
        ret->signature = type ? type : arena_strndup(p->arena, &ret->type, 1);
        return ret->signature ? parse_basic(p, ret->type, ret) : no_memory(p);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as DEPTH_MAX */
static int parse_value(struct parser *p, const char *type, struct variant *ret)
{
        if (p->depth == DEPTH_MAX)
                return bad(p, "nested too deep");
        p->depth++;
        int r = parse_typed(p, type, ret);
        p->depth--;
        return r;
}

int variant_parse(const char *text, struct arena *arena, struct variant *ret, struct error *err)
{
        struct parser p = { .at = text, .arena = arena, .err = err };
        struct variant v = { 0 };
        int r = parse_value(&p, NULL, &v);
        skip_space(&p);
        if (r == 0 && *p.at)
                r = bad(&p, "there is more than one value");
        if (r == 0)
                *ret = v;
        return r;
}

const char *variant_quote(const char *text, struct arena *arena)
{
        char *quoted = arena_alloc(arena, 2 * strlen(text) + 3, 1), *out = quoted;
        if (!quoted)
                return NULL;
        *out++ = '\'';
        for (; *text; text++) {
                if (*text == '\'' || *text == '\\')
                        *out++ = '\\';
                *out++ = *text;
        }
        *out++ = '\'';
        *out = '\0';
        return quoted;
}

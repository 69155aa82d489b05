#include "device/yaml.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <yaml.h>

#include "base/str.h"

#define DEPTH_MAX 64
#define KEYS_MAX 8192                   /* of one mapping: each is compared with all before it */
#define JSON_MAX ((size_t) 16 << 20)    /* bytes; aliases of aliases make much of little */

struct conversion {
        yaml_document_t document;
        struct str json;
        const char *name;
        struct error *err;
};

static int fail_at(const struct conversion *c, yaml_mark_t mark, const char *what)
{
        return error_say(c->err, -EINVAL, "%s: line %zu, column %zu: %s", c->name, mark.line + 1, mark.column + 1, what);
}

static void put_string(struct str *s, const char *text, size_t size)
{
        str_add(s, "\"");
        for (size_t i = 0; i < size; i++) {
                unsigned char ch = (unsigned char) text[i];
                if (ch == '"' || ch == '\\')
                        str_addf(s, "\\%c", ch);
                else if (ch < 0x20)
                        str_addf(s, "\\u%04x", ch);
                else
                        str_addn(s, text + i, 1);
        }
        str_add(s, "\"");
}

static bool is_one_of(const char *text, const char *const *words)
{
        for (; *words; words++)
                if (strcmp(text, *words) == 0)
                        return true;
        return false;
}

/* Digits of one base, no more than fit. */
static bool read_digits(const char *text, unsigned base, uint64_t *ret)
{
        uint64_t n = 0;
        if (!*text)
                return false;
        for (; *text; text++) {
                unsigned digit = *text >= '0' && *text <= '9' ? (unsigned) (*text - '0') :
                                 *text >= 'a' && *text <= 'f' ? (unsigned) (*text - 'a') + 10 :
                                 *text >= 'A' && *text <= 'F' ? (unsigned) (*text - 'A') + 10 : 16;
                if (digit >= base || n > ((uint64_t) INT64_MAX - digit) / base)
                        return false;
                n = n * base + digit;
        }
        *ret = n;
        return true;
}

static bool put_integer(struct str *s, const char *text)
{
        uint64_t n = 0;
        bool negative = *text == '-';
        if (*text == '-' || *text == '+')
                text++;
        bool ok = str_starts(text, "0x")   ? read_digits(text + 2, 16, &n) :
                  str_starts(text, "0o")   ? read_digits(text + 2, 8, &n) :
                  *text == '0' && text[1] ? read_digits(text + 1, 8, &n) : read_digits(text, 10, &n);
        if (ok)
                str_addf(s, "%s%llu", negative ? "-" : "", (unsigned long long) n);
        return ok;
}

/* "1.5", "-2e10": what JSON takes as it stands. */
static bool is_fraction(const char *text)
{
        size_t digits = 0;
        const char *p = *text == '-' ? text + 1 : text;
        if (!(*p >= '0' && *p <= '9'))
                return false;
        digits = strspn(p, "0123456789");
        if (*p == '0' && digits > 1)
                return false;
        p += digits;
        if (*p == '.') {
                digits = strspn(p + 1, "0123456789");
                if (digits == 0)
                        return false;
                p += digits + 1;
        }
        if (*p == 'e' || *p == 'E') {
                p += p[1] == '-' || p[1] == '+' ? 2 : 1;
                digits = strspn(p, "0123456789");
                if (digits == 0)
                        return false;
                p += digits;
        }
        return *p == '\0';
}

static void put_scalar(struct conversion *c, const yaml_node_t *node)
{
        static const char *const null[] = { "", "~", "null", "Null", "NULL", NULL };
        static const char *const yes[] = { "true", "True", "TRUE", NULL }, *const no[] = { "false", "False", "FALSE", NULL };
        const char *text = (const char *) node->data.scalar.value;
        size_t size = node->data.scalar.length;
        bool plain = node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && strlen(text) == size;
        if (plain && is_one_of(text, null))
                str_add(&c->json, "null");
        else if (plain && is_one_of(text, yes))
                str_add(&c->json, "true");
        else if (plain && is_one_of(text, no))
                str_add(&c->json, "false");
        else if (plain && is_fraction(text) && strpbrk(text, ".eE"))
                str_add(&c->json, text);
        else if (!plain || !put_integer(&c->json, text))
                put_string(&c->json, text, size);
}

static int put_node(struct conversion *c, int index, int depth);

static int put_key(struct conversion *c, const yaml_node_t *map, const yaml_node_pair_t *pair)
{
        const yaml_node_t *key = yaml_document_get_node(&c->document, pair->key);
        if (!key || key->type != YAML_SCALAR_NODE)
                return fail_at(c, map->start_mark, "expected a word as key");
        if (pair - map->data.mapping.pairs.start >= KEYS_MAX)
                return fail_at(c, key->start_mark, "too many keys");
        for (const yaml_node_pair_t *p = map->data.mapping.pairs.start; p < pair; p++) {
                const yaml_node_t *other = yaml_document_get_node(&c->document, p->key);
                if (other->data.scalar.length == key->data.scalar.length &&
                    memcmp(other->data.scalar.value, key->data.scalar.value, key->data.scalar.length) == 0)
                        return fail_at(c, key->start_mark, "the key is there twice");
        }
        if (memchr(key->data.scalar.value, '\0', key->data.scalar.length))
                return fail_at(c, key->start_mark, "a NUL character in a name");
        put_string(&c->json, (const char *) key->data.scalar.value, key->data.scalar.length);
        str_add(&c->json, ":");
        return 0;
}

static int put_mapping(struct conversion *c, const yaml_node_t *node, int depth)
{
        int r = 0;
        const yaml_node_pair_t *first = node->data.mapping.pairs.start;
        str_add(&c->json, "{");
        for (const yaml_node_pair_t *p = first; r == 0 && p < node->data.mapping.pairs.top; p++) {
                str_add(&c->json, p > first ? "," : "");
                r = put_key(c, node, p);
                if (r == 0)
                        r = put_node(c, p->value, depth);
        }
        str_add(&c->json, "}");
        return r;
}

static int put_sequence(struct conversion *c, const yaml_node_t *node, int depth)
{
        int r = 0;
        const yaml_node_item_t *first = node->data.sequence.items.start;
        str_add(&c->json, "[");
        for (const yaml_node_item_t *i = first; r == 0 && i < node->data.sequence.items.top; i++) {
                str_add(&c->json, i > first ? "," : "");
                r = put_node(c, *i, depth);
        }
        str_add(&c->json, "]");
        return r;
}

static int put_node(struct conversion *c, int index, int depth)
{
        const yaml_node_t *node = yaml_document_get_node(&c->document, index);
        if (!node)
                return error_say(c->err, -EINVAL, "%s: an incomplete document", c->name);
        if (depth > DEPTH_MAX)
                return fail_at(c, node->start_mark, "too deep, or an alias of what it is in");
        if (c->json.size > JSON_MAX)
                return error_say(c->err, -EFBIG, "%s: larger than %zu MiB", c->name, JSON_MAX >> 20);
        /* What the text does not tag has one of these, whatever it looks like. */
        static const char *const known[] = { YAML_STR_TAG, YAML_SEQ_TAG, YAML_MAP_TAG, NULL };
        if (!node->tag || !is_one_of((const char *) node->tag, known))
                return fail_at(c, node->start_mark, "a tag, which JSON has not got");
        switch (node->type) {
        case YAML_SCALAR_NODE:
                put_scalar(c, node);
                return 0;
        case YAML_SEQUENCE_NODE:
                return put_sequence(c, node, depth + 1);
        case YAML_MAPPING_NODE:
                return put_mapping(c, node, depth + 1);
        case YAML_NO_NODE:
                break;
        }
        return error_say(c->err, -EINVAL, "%s: an incomplete document", c->name);
}

static int fail_parser(const struct conversion *c, const yaml_parser_t *parser)
{
        if (parser->error == YAML_MEMORY_ERROR)
                return error_set(c->err, -ENOMEM, "%s", c->name);
        if (parser->error == YAML_READER_ERROR)
                return error_say(c->err, -EINVAL, "%s: byte %zu: %s", c->name, parser->problem_offset, parser->problem);
        return fail_at(c, parser->problem_mark, parser->problem ? parser->problem : "not YAML");
}

/* Is there anything behind the document? */
static int check_end(const struct conversion *c, yaml_parser_t *parser)
{
        yaml_document_t more;
        if (!yaml_parser_load(parser, &more))
                return fail_parser(c, parser);
        const yaml_node_t *node = yaml_document_get_root_node(&more);
        int r = node ? fail_at(c, node->start_mark, "a second document") : 0;
        yaml_document_delete(&more);
        return r;
}

static int convert(struct conversion *c, yaml_parser_t *parser)
{
        if (!yaml_parser_load(parser, &c->document))
                return fail_parser(c, parser);
        int r = yaml_document_get_root_node(&c->document) ? put_node(c, 1, 0) :
                                                            error_say(c->err, -EINVAL, "%s: is empty", c->name);
        if (r == 0)
                r = check_end(c, parser);
        yaml_document_delete(&c->document);
        return r;
}

int yaml_to_json(const char *text, size_t size, const char *name, char **ret_text, size_t *ret_size, struct error *err)
{
        struct conversion c = { .name = name, .err = err };
        yaml_parser_t parser;
        if (!yaml_parser_initialize(&parser))
                return error_set(err, -ENOMEM, "%s", name);
        yaml_parser_set_input_string(&parser, (const unsigned char *) text, size);
        int r = convert(&c, &parser);
        yaml_parser_delete(&parser);
        if (r == 0 && str_failed(&c.json))
                r = error_set(err, -ENOMEM, "%s", name);
        if (r == 0) {
                *ret_size = c.json.size;
                *ret_text = str_take(&c.json);
        }
        str_clear(&c.json);
        return r;
}

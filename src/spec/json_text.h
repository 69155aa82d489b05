#pragma once
/*
 * json_text - a text becomes json-c's tree, or a sentence with line and column.
 *
 * Internal to spec/. Everything a hostile text can do to the parser is stopped
 * here: size, depth, number of values, numbers that fit nowhere, NUL bytes
 * (json-c cuts an object's key at one, so "args\u0000" would be taken for "args").
 */

#include <stddef.h>

#include "base/cleanup.h"
#include "base/error.h"

struct json_object;

#define TEXT_MAX ((size_t) 16 << 20)    /* bytes */
#define TEXT_DEPTH_MAX 64               /* objects and arrays within each other */
#define TEXT_VALUES_MAX ((size_t) 1 << 20)

/* Parse an object by RFC 8259: no comments, no trailing commas, nothing behind the value. -EINVAL, -EFBIG, -ENOMEM. */
int tree_parse(const char *text, size_t size, const char *name, struct json_object **ret_tree,
               struct error *err) MUST_CHECK;

void tree_free(struct json_object *tree);
CLEANUP_DEFINE(struct json_object *, tree_free)
#define auto_tree CLEANUP(tree_free)

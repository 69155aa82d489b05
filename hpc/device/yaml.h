#pragma once
/* yaml - a YAML document as JSON text, so that there is one reader. libyaml is used here and nowhere else. */

#include <stddef.h>

#include "base/error.h"

/*
 * One document, of what JSON can say too: strings as keys, no tags of its own.
 * Plain words are null, booleans and numbers as in YAML 1.2, and numbers with a
 * leading 0 are octal ("fileMode: 0660"), as in 1.1. Errors have the line. The
 * caller frees. -EINVAL, -EFBIG, -ENOMEM; -EOPNOTSUPP if built without libyaml.
 */
int yaml_to_json(const char *text, size_t size, const char *name, char **ret_text, size_t *ret_size,
                 struct error *err) MUST_CHECK;

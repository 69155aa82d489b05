#pragma once
/* cdi_parts - between the files of the CDI reader. Internal to spec/. */

#include "spec/cdi.h"
#include "spec/json_read.h"

/* read_fields(), and any other property is an error. */
int cdi_read_fields(const struct where *at, struct json_object *v, const struct field *fields, size_t n,
                    void *out) MUST_CHECK;

/* cdi_edits.c; `out` is a struct edits */
read_fn cdi_read_edits;

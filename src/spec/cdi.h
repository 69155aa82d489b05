#pragma once
/*
 * cdi - a file of the Container Device Interface 1.1 as typed data. Pure.
 *
 * Source: SPEC.md and schema.json of github.com/cncf-tags/container-device-interface.
 * A file describes the devices of one kind ("vendor.com/class"), and what has to be
 * changed in a container's config to give it one of them (spec/edit.h): the
 * device's own edits, and those of the file if any of its devices is asked for.
 *
 * Other than in config.json, unknown properties are errors, and so is a property
 * that is younger than the cdiVersion that the file claims.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "spec/edit.h"

struct cdi_device {
        const char *name;
        struct edits edits;
};

struct cdi_file {
        const char *version;            /* without a leading "v" */
        const char *vendor, *class;
        struct edits edits;
        struct cdi_device *devices;     /* at least one, names differ */
        size_t n_devices;
};

/* Read JSON; `name` stands for the file in errors, which carry the JSON path. Memory of the arena. -EINVAL, -EFBIG, -ENOMEM. */
int cdi_read_text(struct arena *arena, const char *text, size_t size, const char *name, struct cdi_file *ret,
                  struct error *err) MUST_CHECK;

/* "vendor.com/class=name" in its three parts. */
struct cdi_name {
        const char *vendor, *class, *device;
};

/* Does it look like a qualified name: no path, and an "="? It may still be a wrong one. */
bool cdi_is_name(const char *text);

/* -EINVAL with a sentence that quotes the name; -ENOMEM. */
int cdi_parse_name(struct arena *arena, const char *text, struct cdi_name *ret, struct error *err) MUST_CHECK;

/* ---- the rules for names; NULL: good, otherwise what is wrong ---- */

const char *cdi_check_vendor(const char *s);            /* "must begin with a letter" */
const char *cdi_check_class(const char *s);
const char *cdi_check_device(const char *s);
const char *cdi_check_annotation(const char *key);

/* The oldest version that has what the file uses; `*ret_what` names it. */
const char *cdi_version_needed(const struct cdi_file *file, const char **ret_what);

/* Is `version` a released one, and not older than `than`? */
bool cdi_version_known(const char *version);
bool cdi_version_older(const char *version, const char *than);

/* For errors. */
#define CDI_VERSIONS "0.3.0 to 1.1.0"

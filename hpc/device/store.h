#pragma once
/*
 * store - the CDI files of this machine, read once. Inside hpc/device only.
 *
 * All files "*.json" and "*.yaml" of the directories, which are not searched
 * further down. A file that cannot be used is put aside: it is an error only if
 * what is asked for is in no other one.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/error.h"
#include "spec/cdi.h"

struct store_file {
        const char *path;
        size_t priority;        /* of its directory: the higher one wins */
        bool used;              /* its own edits were taken */
        struct cdi_file cdi;
};

struct store {
        struct arena *arena;            /* borrowed */
        const char *const *dirs;        /* as given */
        struct store_file *files;
        size_t n;
        const char *broken;             /* what is wrong with the first file put aside; NULL: none was */
};

/* The default directories need not exist, those that are given do. */
int store_load(struct store *ret, struct arena *arena, const char *const *dirs, struct error *err) MUST_CHECK;

/*
 * The edits of a device, behind those that are there. "all" is every device of
 * the kind, unless one has that name. -ENODEV: there is no such device;
 * -EEXIST: two directories' worth of equal right have it; with a sentence.
 */
int store_take(struct store *store, const struct cdi_name *name, struct edits *edits, struct error *err) MUST_CHECK;

/* The same for one device, without the edits of its file, and without counting as taken. */
int store_look(struct store *store, const struct cdi_name *name, struct edits *edits, struct error *err) MUST_CHECK;

/* The names of all devices of a kind, each once, "2" before "10". -ENODEV: there are none. */
int store_names(struct store *store, const struct cdi_name *kind, const char ***ret, size_t *ret_n,
                struct error *err) MUST_CHECK;

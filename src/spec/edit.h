#pragma once
/*
 * edit - changes of a container's config: devices, mounts, hooks, environment, place. Pure.
 *
 * The edits are made in the text of config.json and not in the struct spec,
 * because the text is what is kept with the container: `exec` (environment,
 * groups), `update` (device rules) and `delete` (poststop hooks) read it again
 * and have to find what the container was made with.
 *
 * What is added, and what it replaces, is as the CDI specification 1.1 and its
 * library do it: a variable replaces one of the same name, a device node one of
 * the same path, a mount one of the same destination.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "spec/spec.h"

/* A device node. What is not given is taken from the host's node, by whoever may look at it. */
struct edit_node {
        const char *path;               /* in the container; absolute, lexically clean */
        const char *host;               /* NULL: the same */
        char type;                      /* 'c', 'u', 'b', 'p'; 0: not given */
        uint32_t major, minor;          /* major 0: not given */
        bool has_mode, has_uid, has_gid;
        mode_t mode;
        uint32_t uid, gid;
        bool read, write, mknod;        /* what the device cgroup allows */
};

struct edit_mount {
        const char *host, *path;
        const char *type;               /* NULL: not given */
        const char **options;           /* NULL: none */
};

struct edit_hook {
        enum hook_kind kind;
        struct spec_hook hook;
};

/* Where it runs and where its memory comes from, as it was found. NULL: left as it is. */
struct edit_place {
        const char *cpus, *mems;        /* linux.resources.cpu */
        const char *mode, *nodes;       /* linux.memoryPolicy: "MPOL_BIND", "0-1" */
        const char *given;              /* the annotation PLACE_GIVEN (spec/place_words.h) */
};

struct edits {
        const char **env;               /* NULL-terminated, or NULL */
        struct edit_node *nodes;
        size_t n_nodes;
        struct edit_mount *mounts;
        size_t n_mounts;
        struct edit_hook *hooks;
        size_t n_hooks;
        uint32_t *groups;
        size_t n_groups;
        const struct rdt *rdt;          /* NULL: as it is; otherwise replaces the config's */
        struct spec_net_device *nets;
        size_t n_nets;
        const struct edit_place *place;
        bool raises_memlock;
        uint64_t memlock;               /* RLIMIT_MEMLOCK, soft and hard, in place of the config's; UINT64_MAX: infinity */
};

bool edits_empty(const struct edits *edits);

/* Put `more` behind `edits`; arrays are taken from the arena, strings are shared. -ENOMEM. */
int edits_append(struct arena *arena, struct edits *edits, const struct edits *more) MUST_CHECK;

/*
 * Change a config that was read as `spec` from this very text. Every node has
 * its type and numbers. In a new user namespace a node whose host path is another
 * one becomes a bind mount. The caller frees the text. -ENOMEM, or what parsing says.
 */
int edit_config(const struct spec *spec, const char *text, size_t size, const struct edits *edits, char **ret_text,
                struct error *err) MUST_CHECK;

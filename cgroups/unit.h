#pragma once
/*
 * unit - a container's cgroup as a unit of systemd: its name, its place, its properties. Pure.
 *
 * The names are runc's: "slice:prefix:name" is the scope prefix-name.scope in that slice, or, when the name ends in
 * .slice, that slice. A slice a-b.slice is inside a.slice. What systemd has no property for stays to be written into
 * the cgroup's files, and what it has one for is written there too: the two must agree, or systemd undoes ours when it
 * next writes. Properties are texts "Name=value" with a value as in variant.h; "Name@253=value" is for systemd 253 and
 * newer, and left out before. Sources: org.freedesktop.systemd1(5), systemd.resource-control(5).
 */

#include <stdbool.h>

#include "base/arena.h"
#include "cgroups/cgroup.h"
#include "spec/resources.h"

struct unit {
        const char *name;       /* "berth-box.scope", "pod.slice" */
        const char *slice;      /* "system.slice": where it is */
        bool user;              /* of the caller's own manager (systemd --user), not of the machine's */
};

/*
 * From "slice:prefix:name"; "" or NULL: "berth-<id>.scope". Without a slice it is system.slice, user.slice for a user.
 * -EINVAL for what can be no unit. Memory of `arena`.
 */
int unit_name(const char *cgroups_path, const char *id, bool user, struct arena *arena, struct unit *ret,
              struct error *err) MUST_CHECK;

static inline bool unit_is_slice(const char *name)
{
        size_t n = __builtin_strlen(name);
        return n >= 6 && __builtin_strcmp(name + n - 6, ".slice") == 0;
}

/* Where the cgroup of a machine's unit is: "/a.slice/a-b.slice/berth-box.scope". A user's is below its manager's. */
int unit_path(const struct unit *unit, struct arena *arena, const char **ret, struct error *err) MUST_CHECK;

/* A growing, NULL-terminated list. Starts as all zero. */
struct unit_properties {
        const char **list;
        size_t n, room;
};

int unit_add(struct unit_properties *to, struct arena *arena, const char *fmt, ...) PRINTF_LIKE(3, 4) MUST_CHECK;

/* What is said of a new unit, beside its limits: place, description, delegation, accounting, OOMPolicy. */
int unit_describe(const struct unit *unit, const char *id, const struct resources *res, struct arena *arena,
                  struct unit_properties *to) MUST_CHECK;

/* The limits that systemd has a property for. Device rules are those of `res`, the default ones included; none: none. */
int unit_limits(const struct resources *res, const struct cgroup_host *host, struct arena *arena,
                struct unit_properties *to, struct error *err) MUST_CHECK;

/*
 * Of an annotation. A time in seconds, as systemd's documents have it ("TimeoutStopSec"), becomes what its bus has
 * ("TimeoutStopUSec"). -EINVAL: no name or no value of a property.
 */
int unit_property(const char *name, const char *value, struct arena *arena, struct unit_properties *to,
                  struct error *err) MUST_CHECK;

/*
 * What the files are to say, so that they agree with the properties: a CPU quota is whole percent, rounded up, and who
 * is idle has no weight, of which `warning` (or NULL) tells. To be called before unit_limits() and cgroup_translate().
 * -ENOMEM.
 */
int unit_adjust(struct resources *res, struct arena *arena, struct error *warning) MUST_CHECK;

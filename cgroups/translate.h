#pragma once
/*
 * translate - typed limits become (controller, file, text). Pure.
 *
 * On v1 and v2 the same limit has other files, units and ranges (cpu shares
 * 2..262144 become cpu.weight 1..10000, memory+swap becomes swap alone, ...).
 * The rules are those of runc 1.5 and crun 1.29, so that a config means the same.
 * 0 means "not given" for sizes, times and shares (as there); limits that v2 has
 * not got (swappiness, disableOOMKiller, realtime) are refused rather than ignored.
 */

#include "base/arena.h"
#include "cgroups/cgroup.h"
#include "spec/resources.h"

struct cgroup_writes {
        struct cgroup_write_item *list; /* in the order to write them, for cgroup_apply() */
        size_t n;
};

/*
 * Translate. -EINVAL with the JSON path below linux.resources for a value out
 * of range, -EOPNOTSUPP for a limit whose controller this machine has not got
 * ("linux.resources.memory.limit: no memory controller on this machine ...").
 * v1 device rules come out as devices.deny/devices.allow writes; on v2 they
 * are a program, see devices.h. Strings live in `arena`.
 */
int cgroup_translate(const struct resources *res, const struct cgroup_host *host, struct arena *arena,
                     struct cgroup_writes *ret, struct error *err) MUST_CHECK;

/*
 * The same for a container at `path`, as cgroup_create() takes it. Below our own cgroup (no leading "/") v2 may
 * offer less than at the root of the mount, cgroup_host.v2_below; -EOPNOTSUPP says which limit and what to do.
 * cgroup_translate() is for absolute paths.
 */
int cgroup_translate_at(const struct resources *res, const struct cgroup_host *host, const char *path,
                        struct arena *arena, struct cgroup_writes *ret, struct error *err) MUST_CHECK;

/* memory.checkBeforeUpdate: -EBUSY when a new limit is below what the container uses now. Not pure: it reads. */
int cgroup_check_memory(const struct cgroup *cgroup, const struct resources *res, struct error *err) MUST_CHECK;

/* The hierarchies that these limits need: what must exist per container. */
cgroup_set cgroup_needed(const struct resources *res, const struct cgroup_host *host);

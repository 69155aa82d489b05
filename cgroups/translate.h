#pragma once
/*
 * translate - typed limits become (controller, file, text). Pure.
 *
 * On v1 and v2 the same limit has other files, units and ranges (cpu shares
 * 2..262144 become cpu.weight 1..10000, memory+swap becomes swap alone, ...).
 * The rules are those of runc 1.5 and crun 1.29, so that a config means the same.
 */

#include "base/arena.h"
#include "cgroups/cgroup.h"
#include "spec/resources.h"

struct cgroup_write_item {
        const char *controller; /* v1 controller, "" on v2 */
        const char *file;
        const char *text;
};

struct cgroup_writes {
        struct cgroup_write_item *list; /* in the order to write them */
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

/* The hierarchies that these limits need: what must exist per container. */
cgroup_set cgroup_needed(const struct resources *res, const struct cgroup_host *host);

#pragma once
/*
 * topology - the machine as it is allowed to us, through hwloc, loaded once.
 *
 * Honours HWLOC_SYNTHETIC and HWLOC_XMLFILE (dry runs on a machine that is
 * elsewhere): topology_is_real() is then false and nothing may be bound, since
 * hwloc's own binding calls silently do nothing on a foreign topology.
 * The real machine is restricted to our CPU affinity and cpuset, so that nothing
 * is ever placed outside what Slurm or taskset gave us; load it before anything
 * changes the affinity of the calling thread.
 *
 *      auto_topology struct topology *t = NULL;
 *      int r = topology_load(&t, &err);
 *
 * Costs some milliseconds (hwloc reads /sys); place() costs microseconds.
 */

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/error.h"

struct topology;        /* owns the hwloc_topology_t and our flat copy of it */

/*
 * -EINVAL: HWLOC_SYNTHETIC or HWLOC_XMLFILE cannot be used (both set, not
 * understood, no such file); -ENODEV: nothing of this machine is allowed to us;
 * -ERANGE: CPU or NUMA node 4096 and above; -ENOMEM; or what hwloc failed with.
 * Each with a sentence. The environment is read here and nowhere else.
 */
int topology_load(struct topology **ret, struct error *err) MUST_CHECK;
/* The same with its devices, for hpc/deal.h and --map-by device=; hwloc has more to read. */
int topology_load_devices(struct topology **ret, struct error *err) MUST_CHECK;
void topology_free(struct topology *topology);
CLEANUP_DEFINE(struct topology *, topology_free)
#define auto_topology CLEANUP(topology_free)

/* False for a synthetic or recorded machine (unless HWLOC_THISSYSTEM=1 says that it is this one). */
bool topology_is_real(const struct topology *topology);

/* Cores with at least one hardware thread that is allowed to us; where the machine reports no cores: the threads. */
unsigned topology_cores(const struct topology *topology);

/* Hardware threads that are allowed to us. */
unsigned topology_pus(const struct topology *topology);

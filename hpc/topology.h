#pragma once
/*
 * topology - the machine as it is allowed to us, through hwloc, loaded once.
 *
 * Honours HWLOC_SYNTHETIC and HWLOC_XMLFILE (dry runs on a machine that is
 * elsewhere): topology_is_real() is then false and nothing may be bound, since
 * hwloc's own binding calls silently do nothing on a foreign topology.
 * The real machine is restricted to our CPU affinity and cpuset, so that nothing
 * is ever placed outside what Slurm or taskset gave us.
 */

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/error.h"

struct topology;        /* owns the hwloc_topology_t */

int topology_load(struct topology **ret, struct error *err) MUST_CHECK;
void topology_free(struct topology *topology);
CLEANUP_DEFINE(struct topology *, topology_free)
#define auto_topology CLEANUP(topology_free)

bool topology_is_real(const struct topology *topology);
unsigned topology_cores(const struct topology *topology);
unsigned topology_pus(const struct topology *topology);

#pragma once
/*
 * deal - devices for slots, each slot the ones nearest to its CPUs. Pure on a topology.
 *
 * Near is who shares the smallest object of the machine (L3 cache, NUMA node,
 * package). Slots take turns: the nearest pair of a slot and a free device comes
 * first, and nobody gets a second device before everybody has a first one.
 */

#include "hpc/bind.h"
#include "hpc/topology.h"

/*
 * The CPUs beside a PCI device ("0000:03:00.0"), as far as they are ours. False:
 * hwloc does not know it, or the topology was loaded without devices.
 */
bool topology_near_pci(const struct topology *topology, const char *address, struct place_mask *ret);

/*
 * `near[d]`: the CPUs beside device d; empty: beside all. `cpus[s]`: those of slot s;
 * empty: not bound. `ret` has room for n_slots * each numbers of devices, those of
 * slot s from s * each on, ascending. -ENOSPC: too few devices; -ENOMEM.
 */
struct deal {
        const struct place_mask *cpus;
        size_t n_slots;
        const struct place_mask *near;
        size_t n_devices;
        size_t each;
};
int deal_devices(const struct topology *topology, const struct deal *deal, unsigned *ret) MUST_CHECK;

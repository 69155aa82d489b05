#pragma once
/* place_job - from the options to the placement. Loads hwloc: after the spawners were forked. */

#include "hpc/place.h"
#include "launcher/options.h"
#include "launcher/rank_devices.h"

/* The words of --map-by, --bind-to and so on, checked before anything is started. */
int place_job_wish(const struct launch_options *options, struct place_wish *ret, struct error *err) MUST_CHECK;

/* -EINVAL also if the topology is that of another machine, unless it is a dry run. */
int place_job(const struct launch_options *options, struct placement **ret, struct error *err) MUST_CHECK;

/* Before Linux 5.15 one node can be preferred, not several: it is the first one then. Finds out by trying
 * with some of the nodes. */
unsigned place_job_policy(unsigned policy, const struct place_mask *nodes);

/* Print where each rank goes, and which devices it has, if any were dealt. Those that wait for a slot say so. */
void place_job_print(const struct placement *placement, const struct rank_devices *devices, FILE *out);

/* The same as JSON, one object; the caller frees it. NULL: no memory. */
char *place_job_json(const struct placement *placement, const struct rank_devices *devices);

/* The member "devices", names in the order they were dealt; none if nothing is dealt. */
struct jot;
void place_job_jot_devices(struct jot *j, const struct rank_devices *devices, size_t slot);

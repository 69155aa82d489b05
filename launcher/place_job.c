#include "launcher/place_job.h"

#include <errno.h>

int place_job_wish(const struct launch_options *options, struct place_wish *ret, struct error *err)
{
        struct place_wish wish = PLACE_WISH_INIT;
        wish.instances = options->instances;
        wish.cpus = options->cpus;
        int r = options->map_by ? place_parse_map_by(&wish, options->map_by, err) : 0;
        if (r == 0 && options->bind_to)
                r = place_parse_bind_to(&wish, options->bind_to, err);
        if (r < 0)
                return r;
        wish.oversubscribe |= options->oversubscribe;
        *ret = wish;
        return 0;
}

int place_job(const struct launch_options *options, struct placement **ret, struct error *err)
{
        struct place_wish wish;
        auto_topology struct topology *topology = NULL;
        int r = place_job_wish(options, &wish, err);
        if (r == 0)
                r = topology_load(&topology, err);
        if (r == 0 && !topology_is_real(topology) && !options->dry_run)
                r = error_say(err, -EINVAL, "the topology (HWLOC_SYNTHETIC, HWLOC_XMLFILE) is not this machine's: "
                              "only --dry-run makes sense");
        return r < 0 ? r : place(topology, &wish, ret, err);
}

void place_job_print(const struct placement *placement, FILE *out)
{
        for (unsigned rank = 0; rank < placement->instances; rank++) {
                if (rank < placement->n_slots)
                        placement_report_rank(placement, rank, rank, out);
                else
                        fprintf(out, "rank %u waits for a slot\n", rank);
        }
}

#pragma once
/*
 * rank_devices - devices that are dealt out to the ranks: --gpus-per-rank, --devices-per-rank.
 *
 * They belong to the slots: whoever has a slot has its devices. Each slot gets a
 * config of its own, and so a plan of its own: its nodes, mounts, variables, and
 * the device rules of its instances' cgroups. The job's cgroup allows them all.
 */

#include <stddef.h>

#include "hpc/place.h"
#include "launcher/options.h"
#include "spec/spec.h"

struct rank_devices {
        struct spec **spec;             /* by slot; NULL: no devices of its own */
        const char ***names;            /* by slot: qualified names, NULL-terminated */
        size_t n;
        struct spec *all;               /* with the devices of all slots: what the job's cgroup has to allow */
        const char **adapters;          /* by slot: "UCX_NET_DEVICES=mlx5_0:1"; NULL: has none */
        const char *visible;            /* "CUDA_VISIBLE_DEVICES=0,1", numbered as a rank sees its own; NULL: not the custom */
        struct arena *arena;
};

/* Does anybody ask for them? */
bool rank_devices_wanted(const struct launch_options *options);

/* Only who gets what: `names`, `adapters` and `visible`. */
int rank_devices_deal(struct rank_devices *ret, const struct launch_options *options, const struct placement *placement,
                      struct error *err) MUST_CHECK;

/*
 * Choose and read. `bundle_fd` is the bundle; `spec` its config with the devices of
 * the whole job. -EINVAL, -ENODEV, -ENOSPC (fewer devices than slots need), with one line.
 */
int rank_devices_make(struct rank_devices *ret, const struct launch_options *options, const struct placement *placement,
                      int bundle_fd, const struct spec *spec, struct error *err) MUST_CHECK;

void rank_devices_clear(struct rank_devices *devices);

#pragma once
/*
 * compile - decide how a container will be started.
 *
 * Pure: reads the spec, the host's abilities and the wishes of the caller,
 * and writes a plan. No system call is made here, so every decision can be
 * tested by comparing text. compile.c is the page to read to learn in which
 * order a container comes into being.
 */

#include <stdint.h>

#include "host/host.h"
#include "plan/plan.h"
#include "spec/spec.h"

/* What each instance of the plan brings along, by slot number. */
enum slot {
        SLOT_CPUS,              /* affinity mask, words of uint64_t */
        SLOT_NUMA,              /* node mask of the memory policy */
        SLOT_CGROUP,            /* path of the instance's own cgroup */
        SLOT_CPUSET_CPUS,       /* lists for the cpuset controller: "0-3" */
        SLOT_CPUSET_MEMS,
        SLOT_COUNT,
};

/* Is a cgroup hierarchy that we may not write to done without? AUTO: unless we are root. With a cgroupsPath, never. */
enum rootless { ROOTLESS_AUTO, ROOTLESS_YES, ROOTLESS_NO };

/* What the caller wants beyond the config. All zero is a plain `create`less run. */
struct wish {
        const char *bundle;             /* absolute; relative paths of the spec are below it */
        const char *id;                 /* of the container: keyring, default cgroup */
        bool await_start;               /* create: stop before the process, `start` goes on */
        bool die_with_parent;           /* foreground run, launch */
        bool no_pivot, no_new_keyring;
        uint32_t preserve_fds;          /* 3 .. 3+n-1 stay open */
        bool stdio;                     /* the instance brings fd 0, 1, 2 as its first three descriptors */
        bool cpus, numa;                /* bind to SLOT_CPUS, have memory of SLOT_NUMA ... */
        struct id_set own_cpus;         /* bind to these; none: as `cpus` says */
        uint32_t numa_policy;           /* ... in this mode of set_mempolicy(2); 0: prefer it */
        bool no_state;                  /* no write-state steps: nobody asks for this instance by id */

        enum rootless rootless;
        bool no_cgroup;                 /* none of its own: stays in ours, without limits */
        /* The cgroup is a unit's of systemd: cgroups/unit.h. */
        bool systemd, systemd_user;

        /* Where the cgroup is; with cgroup_inherit, the job's. NULL: plan_cgroup_path(). */
        const char *cgroup_path;
        bool cgroup_inherit;            /* launch: stay in the spawner's cgroups, which already carry the
                                           job's limits; with cpuset_slot, an own one in the cpuset hierarchy */
        bool cgroup_slot;               /* the own cgroup's path is SLOT_CGROUP, with the limits of the spec */
        bool own_devices;               /* launch: the instance's cgroup has the spec's device rules, not only the job's */
        bool cpuset_slot;               /* write SLOT_CPUSET_CPUS and SLOT_CPUSET_MEMS */
};

/*
 * Must newuidmap or newgidmap write this map? His `own` id, and nothing else, may be mapped by everybody
 * (user_namespaces(7)).
 */
bool plan_maps_by_tool(const struct host *host, const struct spec_id_map *map, size_t n, uint32_t own);

/* A unit of systemd: the machine's or, if we are none who may ask that, the user's. */
static inline void wish_systemd(struct wish *wish, bool is_users)
{
        wish->systemd = true;
        wish->systemd_user = wish->rootless == ROOTLESS_AUTO ? is_users : wish->rootless == ROOTLESS_YES;
}

/* The block is one malloc()ed piece; the caller frees it. */
int plan_compile(const struct spec *spec, const struct host *host, const struct wish *wish, void **ret_block,
                 size_t *ret_size, struct error *err) MUST_CHECK;

/* The paths of the devices that every container has; NULL behind the last one. */
const char *plan_default_device(size_t i);

/*
 * Only what surrounds the process: its cgroup with its limits, its class of resctrl. For a restore, where
 * somebody else makes the process. Carried out by session_prepare().
 */
int plan_compile_cgroup(const struct spec *spec, const struct host *host, const struct wish *wish, void **ret_block,
                        size_t *ret_size, struct error *err) MUST_CHECK;

/*
 * Where the cgroup of a container is. An absolute cgroupsPath is taken as it is. A relative one, or the id, is below our
 * own cgroup on v1. On v2 a cgroup with processes, as ours is, gives no controllers down, so that there is nothing to limit
 * below it, now or later: as with runc it is beside ours. Unless the container needs no limits and ours has some, which then
 * hold for it, too, or we may not (cgroup_host.stay_below). Absolute, or below our own. Memory of `arena` or of the
 * arguments; NULL: out of memory.
 */
const char *plan_cgroup_path(const struct spec *spec, const struct host *host, const char *id, struct arena *arena);

/*
 * The device rules that hold in the container: the config's, then the devices
 * that every container may use. Memory of `arena`. -ENOMEM.
 */
int plan_device_rules(const struct spec *spec, struct arena *arena, struct device_rule **ret_rules,
                      size_t *ret_n) MUST_CHECK;

/*
 * With wish.systemd: the unit, which runc's rules find in linux.cgroupsPath, and its cgroup, NULL for a user's (only
 * the user's systemd knows). Memory of `arena`.
 */
struct unit;
int plan_unit(const struct spec *spec, const struct wish *wish, struct arena *arena, struct unit *ret,
              const char **ret_path, struct error *err) MUST_CHECK;

/*
 * A further process in a running container (`exec`). The instance brings in
 * `fd[0]` the pidfd of the container's first process, and with no_pivot in `fd[1]`
 * that process's root directory.
 * `spec->process` is the new process; `joins` has the CLONE_NEW* of the
 * namespaces in which the container differs from us.
 */
struct join_wish {
        uint64_t joins;
        bool no_pivot;                  /* the container was made without pivot_root */
        bool cgroup;                    /* enter the container's cgroup: session.cgroup */
        bool resctrl;                   /* ... and its class: session.resctrl */
        const char *unit;               /* ... by way of the user's systemd, whose unit it is; NULL: by itself */
        const char *id;
        uint32_t preserve_fds;
        bool die_with_parent;
};
int plan_compile_join(const struct spec *spec, const struct host *host, const struct join_wish *wish,
                      void **ret_block, size_t *ret_size, struct error *err) MUST_CHECK;

#pragma once
/*
 * jobgroup - the cgroups of a job.
 *
 *      <where the launcher is>/job-1           device rules; what can be frozen and killed as a whole. Beside where it
 *                                              is, if the config has limits that cannot be had below: plan_cgroup_path()
 *                              job-1/launch    the spawners, and instances without one of their own
 *                              job-1/rank-7    limits of the config are per instance; or its cpuset
 *
 * The spawners' directory exists because a v2 cgroup with controllers for its
 * children must not have processes itself. Instances are born in it (v1 and v2),
 * and only move where something differs. On a machine where we may not make
 * cgroups, and the config has no limits, there simply are none.
 */

#include "cgroups/cgroup.h"
#include "host/host.h"
#include "spec/spec.h"

#define JOBGROUP_PATH_MAX 1280  /* our own cgroup's, and an id */

struct jobgroup {
        const struct cgroup_host *host;
        struct cgroup job;
        char path[JOBGROUP_PATH_MAX], launch[JOBGROUP_PATH_MAX + 8]; /* as cgroup_create() takes them */
        bool exists;
        bool limits;            /* instances have the config's limits, each in a cgroup of its own */
        bool cpuset;            /* instances have a cpuset of their own */
        bool devices;           /* instances have device rules of their own; the job's allow all of them */
};

#define JOBGROUP_INIT ((struct jobgroup){ .job = CGROUP_INIT })

/* What is different for each instance. */
enum jobgroup_own { JOBGROUP_CPUS = 1, JOBGROUP_DEVICES = 2 };

/* `own`: of enum jobgroup_own. `host` must outlive it. */
int jobgroup_open(struct jobgroup *g, const struct host *host, const struct spec *spec, const char *id, unsigned own,
                  struct error *err) MUST_CHECK;

/* The instance's own cgroup, for its slot. */
void jobgroup_rank_path(const struct jobgroup *g, unsigned rank, char *buf, size_t size);
static inline bool jobgroup_has_ranks(const struct jobgroup *g) { return g->limits || g->cpuset || g->devices; }

/* Read what it used, and remove it with whoever is still in it. */
void jobgroup_rank_done(const struct jobgroup *g, unsigned rank, struct cgroup_usage *ret_usage);

/* Stop or continue the job as a whole. False if it cannot be. */
bool jobgroup_set_frozen(const struct jobgroup *g, bool frozen);

/* Kill whoever is left, remove everything. The spawners must have ended. */
void jobgroup_close(struct jobgroup *g);

#pragma once
/*
 * jobclass - the class of resctrl of a job (linux.intelRdt).
 *
 * There are few of them, so a job has one. Its spawners are put into it before
 * they clone anybody, and the instances inherit it: a launch of a thousand costs
 * what a launch of one does. Without a closID it bears the job's name.
 */

#include "cgroups/resctrl.h"
#include "launcher/jobdir.h"
#include "launcher/spawner.h"

struct jobclass {
        struct resctrl group;
        bool own;               /* removed with the job */
};

#define JOBCLASS_INIT ((struct jobclass){ .group = RESCTRL_INIT })

/* Nothing happens if the config wants none. What is going to be there is noted in the job's entry first. */
int jobclass_open(struct jobclass *c, const struct rdt *rdt, struct jobdir *dir, struct error *err) MUST_CHECK;
int jobclass_enter(const struct jobclass *c, const struct spawner *spawner, size_t n, struct error *err) MUST_CHECK;

/* The instances must have ended. */
void jobclass_close(struct jobclass *c);

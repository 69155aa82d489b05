#pragma once
/*
 * edit - the config of one container becomes that of an instance of a job. Pure.
 *
 * What --isolate=ranks means is written down here, as changes of the spec, so that
 * the rest of the machinery knows nothing of ranks: the namespaces of the holder
 * are joined by path, the network is the launcher's, /dev/shm is the job's.
 */

#include "launcher/options.h"
#include "spec/spec.h"

struct edit {
        enum isolate isolate;
        pid_t holder;                   /* whose namespaces are joined; 0: none */
        const char *shm;                /* ranks: the job's /dev/shm on the host */
        const char *bind;               /* a directory that has to be at the same path inside; NULL: none */
        const char *const *command;     /* NULL: the config's */
        bool mpi;
};

/* -EINVAL with a sentence for what cannot be. The strings must live as long as the spec. */
int edit_for_launch(struct spec *spec, const struct edit *edit, struct error *err) MUST_CHECK;

/*
 * The environment of all instances, in the spec's arena: the config's (but, with
 * `mpi`, what speaks of another launcher); of the launcher's `own` what the scheduler
 * set (SLURM_*), where the config has not got it; and `job`, which replaces.
 */
int edit_environment(struct spec *spec, const char *const *own, const char *const *job, bool mpi,
                     struct error *err) MUST_CHECK;

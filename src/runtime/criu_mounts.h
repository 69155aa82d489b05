#pragma once
/*
 * criu_mounts - the mounts of a container whose contents are not in the images.
 *
 * For criu a mount is external when it comes from outside the container: bind
 * mounts, the cgroups of v1, devices in a user namespace, what masks a file. At a
 * checkpoint each is told by its place in the container and gets a name (the same
 * path); at a restore the name is told what to bind there. The names are runc's, so
 * that images of one can be restored by the other.
 */

#include "cgroups/cgroup.h"
#include "runtime/criu_rpc.h"
#include "spec/spec.h"

struct criu_mounts {
        const struct spec *spec;
        const char *bundle;             /* relative sources are below it */
        const char *rootfs;             /* absolute */
        const struct cgroup *cgroup;    /* of the container; its host may have none */
};

/* The options for a checkpoint of the container whose first process is `pid`. */
int criu_mounts_dump(const struct criu_mounts *mounts, pid_t pid, struct str *opts, struct error *err) MUST_CHECK;

/*
 * The options for a restore. The mount points that the rootfs lacks are made in it,
 * as at the first start; nothing stays mounted. For that we are in another mount
 * namespace for a moment: the caller has one thread.
 */
int criu_mounts_restore(const struct criu_mounts *mounts, struct str *opts, struct error *err) MUST_CHECK;

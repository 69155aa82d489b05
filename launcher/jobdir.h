#pragma once
/*
 * jobdir - what is remembered of a job, and where its shared files are.
 *
 * A job is an entry beside the containers (runtime/state.h): `berth list` shows
 * it, and after the launcher was killed `berth delete --force` collects it, as
 * the next job of the same name does.
 */

#include <limits.h>

#include "runtime/state.h"

/* What the names of jobs begin with that have none of their own. */
#define JOB_PREFIX "job-"

struct jobdir {
        int root_fd;
        struct state_dir dir;
        char path[PATH_MAX];            /* of the entry */
        char created[64];
        struct state state;             /* strings are borrowed from the job */
        char *cgroup;                   /* as cgroup_save() wrote it */
        char shm[PATH_MAX];             /* the job's /dev/shm as we see it; "" if there is none */
        char pmix[PATH_MAX];            /* the PMIx server's directory; "" if there is none */
        bool pmix_in_shm;               /* the ranks see it with their /dev/shm */
};

#define JOBDIR_INIT ((struct jobdir){ .root_fd = -1, .dir = STATE_DIR_INIT })

/* Strings must outlive it. `root` NULL: the default. A stale job of this name is collected first. */
struct jobdir_wish {
        const char *root, *id, *bundle, *rootfs, *oci_version;
        const char *const *environ_;
};
int jobdir_open(struct jobdir *d, const struct jobdir_wish *wish, struct error *err) MUST_CHECK;

/* Remember the cgroup of the job. */
int jobdir_note_cgroup(struct jobdir *d, const struct cgroup *cgroup, struct error *err) MUST_CHECK;

/* Remember its class of resctrl; `own`: that is going to be removed with it. The name is borrowed. */
int jobdir_note_class(struct jobdir *d, const char *name, bool own, bool monitored, struct error *err) MUST_CHECK;

/*
 * A mount namespace of our own with an empty file system on /dev/shm: that is
 * the job's. It is gone with the last of us and leaves nothing behind, however
 * that ends. To be called before the spawners are forked. False if it is not
 * allowed to us; then the entry holds a directory instead.
 */
bool jobdir_private_shm(void);

/* Decide and make the shared directories. `uid`: who the ranks are, as we see it. */
struct jobdir_share {
        bool private_shm, shm, pmix;
        uid_t uid;
        gid_t gid;
};
int jobdir_share(struct jobdir *d, const struct jobdir_share *share, struct error *err) MUST_CHECK;

/* Remove the entry. */
void jobdir_close(struct jobdir *d);

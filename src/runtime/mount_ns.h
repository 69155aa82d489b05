#pragma once
/*
 * mount_ns - be in a mount namespace of our own for a moment.
 *
 *      auto_mount_ns struct mount_ns here = MOUNT_NS_INIT;
 *      mount_ns_enter(&here, MS_SLAVE, &err);
 *      ... mount, open, clone: nobody else sees it ...
 *      mount_ns_leave(&here, &err);            // gone, but for what was cloned or is held open
 *
 * The caller has one thread.
 */

#include "base/cleanup.h"
#include "base/error.h"

struct mount_ns {
        int ns_fd, root_fd, cwd_fd;     /* where we came from; -1: we are there */
};

#define MOUNT_NS_INIT ((struct mount_ns){ .ns_fd = -1, .root_fd = -1, .cwd_fd = -1 })

/* A copy of ours; `propagation` is MS_SLAVE or MS_PRIVATE for all that is in it. */
int mount_ns_enter(struct mount_ns *ret, unsigned long propagation, struct error *err) MUST_CHECK;

/* Back, with the root and the working directory that we had. Does nothing when we are there. */
int mount_ns_leave(struct mount_ns *from, struct error *err) MUST_CHECK;

static inline void mount_ns_leave_p(struct mount_ns *from)
{
        ignore_result(mount_ns_leave(from, NULL)); /* on the way out of a failure */
}
#define auto_mount_ns CLEANUP(mount_ns_leave)

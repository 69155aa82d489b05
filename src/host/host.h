#pragma once
/*
 * host - what this kernel can do, found out once, before anything is planned.
 *
 * A plain value: a test passes the one of an old kernel and compares the plan,
 * on any machine. Probed by trying the call, never by kernel version: vendors
 * backport, and a seccomp filter around us can take a call away.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "cgroups/cgroup.h"

struct host {
        bool clone3;            /* not hidden by a filter: CLONE_CLEAR_SIGHAND (5.5) and CLONE_INTO_CGROUP (5.7) work */
        bool mount_setattr;     /* Linux 5.12; before it, bind mounts are remounted */
        bool privileged;        /* CAP_SYS_ADMIN in our user namespace, which is the initial one */
        bool maps_ids;          /* CAP_SETUID and CAP_SETGID: may map any ids of our user namespace into another one */
        bool setgroups_denied;  /* in our user namespace, for good: user_namespaces(7) */
        uint32_t uid, gid;      /* our effective ids: those that everybody may map */
        bool kcore;             /* there is a /proc/kcore (CONFIG_PROC_KCORE) for /dev/core to point to */
        bool apparmor, selinux; /* the kernel runs with this security module */
        uint64_t own_caps;      /* our bounding set: what a container can be given at most */
        struct cgroup_host cgroups;
};

/* Fill in everything. Refuses kernels below 5.10 with one line (-ENOSYS). */
int host_probe(struct host *ret_host, struct error *err) MUST_CHECK;

/* "6.1.0-56-amd64": 5.10 or newer? A release that cannot be read is not held against the machine. Pure. */
bool host_release_is_enough(const char *release);

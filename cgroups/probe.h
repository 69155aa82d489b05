#pragma once
/*
 * probe - /proc/self/mountinfo and /proc/self/cgroup become a struct cgroup_host.
 *
 * Pure, so that the machines of this world can be tested on one. Formats:
 * proc_pid_mountinfo(5), cgroups(7).
 */

#include "cgroups/cgroup.h"

/*
 * `mountinfo` NULL: the v2 root of the machine is mounted on /sys/fs/cgroup and there is nothing else to know.
 * `v2_only`: /sys/fs/cgroup itself is v2; v1 mounts, if mountinfo has some, are hidden below it.
 * Leaves the v2_... lists empty: they come from files of the mount.
 */
void probe_parse(const char *mountinfo, const char *self_cgroup, bool v2_only, struct cgroup_host *ret_host);

/* Where a file system of this type is mounted, the last time that it was; false: nowhere, or where does not fit. */
bool probe_mount_point(const char *mountinfo, const char *type, char *buf, size_t size);

/* "cpu memory" -> " cpu memory "; what does not fit is left out whole. */
void probe_list(const char *controllers, char *buf, size_t size);

#pragma once
/*
 * hide - the host's pseudo file systems, where they stay in reach.
 *
 * Who has a user namespace may mount proc or sysfs if a whole one, with nothing
 * mounted over its parts, is somewhere in the mount namespace
 * (mount_too_revealing() of the kernel). After a pivot_root(2) the container's own,
 * with its masked paths, are all there are. Without it the host's are still there.
 */

/* Take away, or cover, all whole proc and sysfs mounts that are not below root_fd. Needs /proc. */
int hide_pseudo_fs(int root_fd);

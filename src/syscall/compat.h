#pragma once
/*
 * compat - kernel constants that the C library's headers may lack, each with
 * the Linux version that brought it. Numbers are ABI.
 */

#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <sys/syscall.h>

#ifndef SYS_close_range
#define SYS_close_range 436             /* 5.9 */
#endif
#ifndef SYS_openat2
#define SYS_openat2 437                 /* 5.6 */
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442           /* 5.12 */
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)   /* 5.11 */
#endif
#ifndef MOUNT_ATTR_NOSYMFOLLOW
#define MOUNT_ATTR_NOSYMFOLLOW 0x00200000 /* 5.14 */
#endif
#ifndef MOUNT_ATTR_IDMAP
#define MOUNT_ATTR_IDMAP 0x00100000     /* 5.12 */
#endif
#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080        /* 5.6 */
#endif
#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256              /* 5.10 */
#endif

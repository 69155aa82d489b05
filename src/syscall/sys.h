#pragma once
/*
 * sys - the kernel, one function per call, and nothing else.
 *
 * Every function returns the result, or a negative errno; errno itself is
 * never looked at outside this folder. No function here allocates, locks,
 * formats text or falls back to another call, so all of them may be used
 * between clone() and exec(). Which variant of a call to use is decided
 * before, in the plan, from what host/ found out.
 *
 * Identity calls are the bare ones: libc's setuid() and friends signal all
 * threads of the process, which after clone() are not there.
 *
 * Bulk helpers that are a loop or two calls in one say so.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "syscall/compat.h"

/* ---- processes (process.c) ---- */

/* clone3(2), Linux 5.3: the child returns 0. `*ret_pidfd` refers to the child.
 * `cgroup_fd` -1, or the v2 cgroup to be born in (CLONE_INTO_CGROUP, 5.7). */
pid_t sys_clone3(uint64_t flags, int cgroup_fd, int *ret_pidfd);
/*
 * A child that shares our memory while we stand still, until it calls exec() or
 * exits (CLONE_VM | CLONE_VFORK): nothing is copied. It runs `run(arg)` on the
 * stack whose end is `stack_end`. `flags` are those of clone(2), without an exit signal.
 */
pid_t sys_clone_lean(uint64_t flags, int (*run)(void *arg), void *stack_end, void *arg, int *ret_pidfd);
/* A copy of us, by clone(2): filters let programs fork, but may not know clone3(2). The child returns 0. */
pid_t sys_fork(int *ret_pidfd);
int sys_unshare(uint64_t flags);
/* setns(2); with a pidfd (5.8) `flags` may name several namespaces. */
int sys_setns(int fd, uint64_t flags);
int sys_setsid(void);
int sys_execve(const char *path, const char *const argv[], const char *const envp[]);
_Noreturn void sys_exit(int status);

int sys_kill(pid_t pid, int sig);
int sys_pidfd_open(pid_t pid);
int sys_pidfd_kill(int pidfd, int sig);
/* A copy of the process's descriptor; close-on-exec. Linux 5.6; wants the right to trace it. */
int sys_pidfd_getfd(int pidfd, int fd);
/* Wait for the process: CLD_* code and status as in waitid(2). -ECHILD if it is not our child. */
int sys_pidfd_wait(int pidfd, int *ret_code, int *ret_status);

/* Default action for every signal (a loop), and none of them blocked. */
int sys_reset_signals(void);
int sys_block_signals(uint64_t *ret_old);
int sys_set_sigmask(uint64_t mask);
/* Close-on-exec. Bit n-1 of the mask is signal n. */
int sys_signalfd(uint64_t mask);

int sys_prctl(int option, unsigned long a, unsigned long b);

/* Capabilities that are not in `keep` (bit n: capability n) leave the bounding set, for us and our descendants. */
int sys_drop_bounding(uint64_t keep);
int sys_prlimit(pid_t pid, int resource, uint64_t soft, uint64_t hard);
int sys_sched_setaffinity(const void *mask, size_t size);
/* How many bytes the kernel wrote; -EINVAL if it has more CPUs than fit. */
int sys_sched_getaffinity(void *ret_mask, size_t size);
#define SYS_CPUS_MAX 8192       /* NR_CPUS of the largest configurations (x86: MAXSMP) */
int sys_set_mempolicy(int mode, const void *nodes, unsigned long bits);
/* struct sched_attr of the kernel, version 1 (5.3) */
struct sys_sched_attr {
        uint32_t size, policy;          /* size: filled in */
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime, deadline, period;
        uint32_t util_min, util_max;
};
int sys_sched_setattr(pid_t pid, struct sys_sched_attr *attr);
int sys_ioprio_set(pid_t pid, int class, int level);
int sys_personality(unsigned long persona);
int sys_seccomp_filter(unsigned long flags, const void *insns, size_t size);
int sys_umask(mode_t mask);
int sys_join_keyring(const char *name);

/* ---- identity (ids.c) ---- */
int sys_setuid_all(uint32_t uid);
int sys_setgid_all(uint32_t gid);
int sys_setgroups(const uint32_t *groups, size_t n);
int sys_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable);
int sys_capget(uint64_t *ret_effective, uint64_t *ret_permitted, uint64_t *ret_inheritable);

/* ---- names ---- */
int sys_sethostname(const char *name, size_t len);
int sys_setdomainname(const char *name, size_t len);

/* ---- files (files.c) ---- */

/* openat2(2), Linux 5.6. `resolve` is RESOLVE_*. Always O_CLOEXEC. */
int sys_openat2(int dirfd, const char *path, uint64_t flags, uint32_t mode, uint64_t resolve);
int sys_close(int fd);
int sys_dup2(int from, int to);
int sys_clear_cloexec(int fd);
/* Mark first..~0 close-on-exec (5.11; a loop over the open ones before). */
int sys_cloexec_from(unsigned first);
/* Close first..last, whether open or not; Linux 5.9. */
int sys_close_range(unsigned first, unsigned last);
off_t sys_lseek(int fd, off_t offset, int whence);
ssize_t sys_read(int fd, void *data, size_t size);
ssize_t sys_write(int fd, const void *data, size_t size);
/* Raw entries of an open directory; 0 at its end. */
ssize_t sys_getdents(int fd, void *data, size_t size);
ssize_t sys_readlinkat(int dirfd, const char *path, char *buf, size_t size);
int sys_mkdirat(int dirfd, const char *path, mode_t mode);
int sys_symlinkat(const char *target, int dirfd, const char *path);
int sys_mknodat(int dirfd, const char *path, mode_t mode, uint64_t dev);
int sys_unlinkat(int dirfd, const char *path, int flags);
int sys_fchown(int fd, uint32_t uid, uint32_t gid);
int sys_fchownat(int dirfd, const char *path, uint32_t uid, uint32_t gid, int flags);
int sys_fchmodat(int dirfd, const char *path, mode_t mode);
struct timespec;
/* Times of access and modification; a last symbolic link is not followed. */
int sys_utimensat(int dirfd, const char *path, const struct timespec times[2]);
struct stat;
int sys_fstat(int fd, struct stat *ret);
int sys_fstatat(int dirfd, const char *path, struct stat *ret, int flags);
/* The magic number of the file system, or a negative errno. */
int64_t sys_fstatfs_type(int fd);
/* The flags of the mount: ST_RDONLY, ... of statfs(2), or a negative errno. */
int64_t sys_fstatfs_flags(int fd);
int sys_chdir(const char *path);
int sys_fchdir(int fd);
int sys_chroot(const char *path);
int sys_getcwd(char *buf, size_t size);
int sys_ioctl(int fd, unsigned long request, void *arg);

/* ---- mounts (mounts.c) ---- */

/* The mount API of Linux 5.2. */
int sys_fsopen(const char *type);
int sys_fsconfig(int fd, unsigned cmd, const char *key, const char *value);
int sys_fsmount(int fd, uint64_t attr);
int sys_open_tree(int dirfd, const char *path, unsigned flags);
/* Move a detached mount onto what `to_fd` refers to. */
int sys_move_mount(int from_fd, int to_fd);
/* mount_setattr(2), Linux 5.12, on the mount `fd` refers to. `flags`: AT_RECURSIVE. */
int sys_mount_setattr(int fd, unsigned flags, uint64_t set, uint64_t clear, uint64_t propagation);
/* Map the ids of a detached mount as the user namespace says (MOUNT_ATTR_IDMAP). */
int sys_mount_idmap(int fd, unsigned flags, int user_ns_fd);
/* The old call; every argument may be NULL where mount(2) allows it. */
int sys_mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data);
int sys_umount(const char *target, int flags);
int sys_pivot_root(const char *new_root, const char *put_old);

/* ---- sockets (sock.c) ---- */

/* One whole record on a SOCK_SEQPACKET socket. Receiving returns 0 at EOF. */
ssize_t sys_send(int fd, const void *record, size_t size);
ssize_t sys_receive(int fd, void *record, size_t size);
/* The same with one descriptor (SCM_RIGHTS); -1: none came along. */
ssize_t sys_send_fd(int fd, const void *record, size_t size, int with_fd);
ssize_t sys_receive_fd(int fd, void *record, size_t size, int *ret_fd);
int sys_accept(int listen_fd);
/* "lo" of our network namespace goes up (an ioctl socket, two calls). */
int sys_loopback_up(void);

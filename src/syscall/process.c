#include <errno.h>
#include <linux/filter.h>
#include <linux/keyctl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "syscall/ret.h"
#include "syscall/sys.h"

pid_t sys_clone3(uint64_t flags, int cgroup_fd, int *ret_pidfd)
{
        int pidfd = -1;
        struct clone_args args = {
                .flags = flags | CLONE_PIDFD | (cgroup_fd >= 0 ? CLONE_INTO_CGROUP : 0),
                .pidfd = (uint64_t) (uintptr_t) &pidfd,
                .exit_signal = SIGCHLD,
                .cgroup = (unsigned) (cgroup_fd >= 0 ? cgroup_fd : 0),
        };
        /* With CLONE_PARENT the kernel takes the exit signal of the parent and wants none here. */
        if (flags & CLONE_PARENT)
                args.exit_signal = 0;
        long pid = ret(syscall(SYS_clone3, &args, sizeof(args)));
        if (pid > 0)
                *ret_pidfd = pidfd;
        return (pid_t) pid;
}

pid_t sys_clone_lean(uint64_t flags, int (*run)(void *arg), void *stack_end, void *arg, int *ret_pidfd)
{
        int pidfd = -1;
        unsigned all = (unsigned) flags | CLONE_VM | CLONE_VFORK | CLONE_PIDFD;
        /* As with clone3(): the exit signal of a sibling is that of its parent. */
        if (!(flags & CLONE_PARENT))
                all |= SIGCHLD;
        long pid = ret(clone(run, stack_end, (int) all, arg, &pidfd));
        if (pid > 0)
                *ret_pidfd = pidfd;
        return (pid_t) pid;
}

pid_t sys_fork(int *ret_pidfd)
{
        int pidfd = -1;
        long pid = ret(syscall(SYS_clone, (unsigned long) (CLONE_PIDFD | SIGCHLD), 0UL, &pidfd, 0UL, 0UL));
        if (pid > 0)
                *ret_pidfd = pidfd;
        return (pid_t) pid;
}

int sys_unshare(uint64_t flags) { return (int) ret(syscall(SYS_unshare, flags)); }
int sys_setns(int fd, uint64_t flags) { return (int) ret(syscall(SYS_setns, fd, flags)); }
int sys_setsid(void) { return (int) ret(syscall(SYS_setsid)); }

int sys_execve(const char *path, const char *const argv[], const char *const envp[])
{
        return (int) ret(syscall(SYS_execve, path, argv, envp));
}

_Noreturn void sys_exit(int status)
{
        for (;;)
                syscall(SYS_exit_group, status);
}

int sys_kill(pid_t pid, int sig) { return (int) ret(syscall(SYS_kill, pid, sig)); }
int sys_pidfd_open(pid_t pid) { return (int) ret(syscall(SYS_pidfd_open, pid, 0)); }
int sys_pidfd_kill(int pidfd, int sig) { return (int) ret(syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0)); }

int sys_pidfd_getfd(int pidfd, int fd) { return (int) ret(syscall(SYS_pidfd_getfd, pidfd, fd, 0)); }

int sys_pidfd_wait(int pidfd, int *ret_code, int *ret_status)
{
        siginfo_t info;
        int r;
        do
                r = waitid((idtype_t) P_PIDFD, (id_t) pidfd, &info, WEXITED);
        while (r < 0 && errno == EINTR);
        if (r < 0)
                return -errno;
        *ret_code = info.si_code;
        *ret_status = info.si_status;
        return 0;
}

/* The kernel's own type: libc's sigset_t is 128 bytes, and libc hides two signals. */
struct kernel_sigaction {
        void (*handler)(int);
        unsigned long flags;
        void (*restorer)(void);
        uint64_t mask;
};

int sys_reset_signals(void)
{
        struct kernel_sigaction dfl = { .handler = SIG_DFL };
        for (int sig = 1; sig <= 64; sig++)
                if (sig != SIGKILL && sig != SIGSTOP)
                        syscall(SYS_rt_sigaction, sig, &dfl, NULL, sizeof(uint64_t));
        return sys_set_sigmask(0);
}

int sys_block_signals(uint64_t *ret_old)
{
        uint64_t all = ~UINT64_C(0);
        return (int) ret(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, ret_old, sizeof(all)));
}

int sys_set_sigmask(uint64_t mask)
{
        return (int) ret(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof(mask)));
}

int sys_signalfd(uint64_t mask)
{
        return (int) ret(syscall(SYS_signalfd4, -1, &mask, sizeof(mask), SFD_CLOEXEC));
}

int sys_prctl(int option, unsigned long a, unsigned long b)
{
        return (int) ret(syscall(SYS_prctl, option, a, b, 0UL, 0UL));
}

/* To ask first costs a fifth of dropping what is gone already: that copies our credentials each time. */
int sys_drop_bounding(uint64_t keep)
{
        for (unsigned cap = 0; cap < 64; cap++) {
                if (keep & (UINT64_C(1) << cap))
                        continue;
                int r = sys_prctl(PR_CAPBSET_READ, cap, 0);
                if (r == -EINVAL)       /* beyond the kernel's last capability */
                        break;
                if (r > 0)
                        r = sys_prctl(PR_CAPBSET_DROP, cap, 0);
                if (r < 0)
                        return r;
        }
        return 0;
}

int sys_prlimit(pid_t pid, int resource, uint64_t soft, uint64_t hard)
{
        uint64_t limit[2] = { soft, hard };
        return (int) ret(syscall(SYS_prlimit64, pid, resource, limit, NULL));
}

int sys_sched_setaffinity(const void *mask, size_t size)
{
        return (int) ret(syscall(SYS_sched_setaffinity, 0, size, mask));
}

int sys_sched_getaffinity(void *ret_mask, size_t size)
{
        return (int) ret(syscall(SYS_sched_getaffinity, 0, size, ret_mask));
}

int sys_set_mempolicy(int mode, const void *nodes, unsigned long bits)
{
        return (int) ret(syscall(SYS_set_mempolicy, mode, nodes, bits));
}

int sys_sched_setattr(pid_t pid, struct sys_sched_attr *attr)
{
        attr->size = sizeof(*attr);
        return (int) ret(syscall(SYS_sched_setattr, pid, attr, 0U));
}

int sys_ioprio_set(pid_t pid, int class, int level)
{
        return (int) ret(syscall(SYS_ioprio_set, 1 /* IOPRIO_WHO_PROCESS */, pid, class << 13 | level));
}

int sys_personality(unsigned long persona) { return (int) ret(syscall(SYS_personality, persona)); }

int sys_seccomp_filter(unsigned long flags, const void *insns, size_t size)
{
        struct sock_fprog prog = {
                .len = (unsigned short) (size / sizeof(struct sock_filter)),
                .filter = (struct sock_filter *) (uintptr_t) insns,
        };
        return (int) ret(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog));
}

int sys_umask(mode_t mask)
{
        return (int) ret(syscall(SYS_umask, mask));
}

int sys_join_keyring(const char *name)
{
        return (int) ret(syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name));
}

int sys_sethostname(const char *name, size_t len) { return (int) ret(syscall(SYS_sethostname, name, len)); }
int sys_setdomainname(const char *name, size_t len) { return (int) ret(syscall(SYS_setdomainname, name, len)); }

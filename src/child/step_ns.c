#include <errno.h>
#include <string.h>
#include <sys/prctl.h>

#include "child/child_steps.h"
#include "syscall/sys.h"

int child_reset_signals(struct child *c, const struct step *step)
{
        (void) c, (void) step;
        return sys_reset_signals();
}

int child_new_session(struct child *c, const struct step *step)
{
        (void) c, (void) step;
        return sys_setsid() < 0 ? -EPERM : 0;
}

/* "0" is whoever writes it. */
int child_cgroup_enter(struct child *c, const struct step *step)
{
        for (uint64_t i = 0; i < step->arg[1]; i++) {
                int fd = c->in->fd[step->arg[0] + i];
                if (fd < 0)
                        continue;
                ssize_t n = sys_write(fd, "0", 1);
                (void) sys_close(fd);
                if (n < 0)
                        return (int) n;
        }
        return 0;
}

/*
 * Processes that are in the namespace already can see us. Up to exec() we are
 * none of their business: not our memory, not our descriptors, and not
 * /proc/PID/exe, which is the host's program (CVE-2016-9962, CVE-2019-5736).
 */
static int hide(void)
{
        return sys_prctl(PR_SET_DUMPABLE, 0, 0);
}

/* Argument 0 is the CLONE_NEW* flag of the namespace. */
int child_join(struct child *c, const struct step *step)
{
        int fd = sys_openat2(AT_FDCWD, child_string(c, step, 1), O_RDONLY, 0, 0);
        if (fd < 0)
                return fd;
        int r = hide();
        if (r >= 0)
                r = sys_setns(fd, step->arg[0]);
        (void) sys_close(fd);
        return r;
}

int child_join_process(struct child *c, const struct step *step)
{
        int r = hide();
        return r < 0 ? r : sys_setns(c->in->fd[step->arg[0]], step->arg[1]);
}

int child_become_root(struct child *c, const struct step *step)
{
        (void) c, (void) step;
        int r = sys_setgid_all(0);
        return r < 0 ? r : sys_setuid_all(0);
}

int child_unshare(struct child *c, const struct step *step)
{
        (void) c;
        return sys_unshare(step->arg[0]);
}

/* By the caller's /proc, which is still in place. */
int child_write_time_offsets(struct child *c, const struct step *step)
{
        const char *text = child_string(c, step, 0);
        int fd = sys_openat2(AT_FDCWD, "/proc/self/timens_offsets", O_WRONLY, 0, RESOLVE_NO_MAGICLINKS);
        if (fd < 0)
                return fd;
        ssize_t n = sys_write(fd, text, strlen(text));
        (void) sys_close(fd);
        return n < 0 ? (int) n : 0;
}

/*
 * A process never enters a new pid namespace itself, and what clone3() makes
 * together with a new user namespace belongs to that; so after joining a user
 * namespace the rest of the namespaces need a further process. It becomes our
 * parent's child, tells nobody by itself, and waits until the parent knows it.
 */
int child_fork_again(struct child *c, const struct step *step)
{
        int pidfd = -1;
        pid_t pid = sys_clone3(step->arg[0] | CLONE_PARENT, -1, &pidfd);
        if (pid < 0)
                return pid;
        if (pid > 0) {
                struct report report = { REPORT_FORKED, (uint16_t) c->at, pid };
                (void) sys_send_fd(c->sync_fd, &report, sizeof(report), pidfd);
                sys_exit(0);
        }
        struct release release;
        return sys_receive(c->sync_fd, &release, sizeof(release)) == sizeof(release) ? 0 : -ECHILD;
}

int child_join_keyring(struct child *c, const struct step *step)
{
        int r = sys_join_keyring(child_string(c, step, 0));
        /* Kernels without keyrings, and filters that forbid them, are no reason to fail: runc does the same. */
        return r == -ENOSYS || r == -EPERM || r == -EDQUOT ? 0 : (r < 0 ? r : 0);
}

int child_loopback_up(struct child *c, const struct step *step)
{
        (void) c, (void) step;
        return sys_loopback_up();
}

int child_set_hostname(struct child *c, const struct step *step)
{
        const char *name = child_string(c, step, 0);
        return sys_sethostname(name, strlen(name));
}

int child_set_domainname(struct child *c, const struct step *step)
{
        const char *name = child_string(c, step, 0);
        return sys_setdomainname(name, strlen(name));
}

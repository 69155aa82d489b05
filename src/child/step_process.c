#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "child/child_steps.h"
#include "syscall/sys.h"

int child_stdio(struct child *c, const struct step *step)
{
        for (int i = 0; i < 3; i++) {
                int from = c->in->fd[step->arg[0] + (unsigned) i];
                int r = from < 0 ? 0 : sys_dup2(from, i);
                if (r < 0)
                        return r;
        }
        return 0;
}

/*
 * "/dev/stdout" of the user opens the very pipe (or socket, or file), which belongs to whoever made it. A file keeps its
 * group, as with runc. Terminals and devices are the host's. Where we may not, it stays as it is.
 */
int child_own_stdio(struct child *c, const struct step *step)
{
        (void) c;
        for (int fd = 0; fd < 3; fd++) {
                struct stat st;
                if (sys_fstat(fd, &st) < 0 || !(S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode) || S_ISREG(st.st_mode)))
                        continue;
                uint32_t gid = S_ISREG(st.st_mode) ? (uint32_t) -1 : (uint32_t) step->arg[1];
                if (st.st_uid != step->arg[0])
                        (void) sys_fchown(fd, (uint32_t) step->arg[0], gid);
        }
        return 0;
}

int child_bind_cpus(struct child *c, const struct step *step)
{
        struct plan_bytes mask = child_bytes(c, step, 0);
        return sys_sched_setaffinity(mask.data, mask.size);
}

/*
 * Before Linux 6.2 a process that enters a cgroup with another cpuset is given all of that, whatever its own mask was
 * (set_cpus_allowed_ptr() of cpuset_attach_task()). Newer kernels remember the mask, and there is nothing to do then.
 */
int child_keep_cpus(struct child *c, const struct step *step)
{
        (void) step;
        const uint64_t *own = c->own_cpus.data;
        uint64_t mask[SYS_CPUS_MAX / 64] = { 0 };
        int size = sys_sched_getaffinity(mask, sizeof(mask));
        if (size < 0)
                return size;
        bool narrower = false, any = false;
        for (size_t i = 0; i < c->own_cpus.size / sizeof(*own) && i < SYS_CPUS_MAX / 64; i++) {
                narrower = narrower || (mask[i] & ~own[i]) != 0;
                mask[i] &= own[i];
                any = any || mask[i] != 0;
        }
        return narrower && any ? sys_sched_setaffinity(mask, (size_t) size) : 0;
}

int child_bind_memory(struct child *c, const struct step *step)
{
        struct plan_bytes nodes = child_bytes(c, step, 1);
        /* The kernel looks at one bit less than it is told (mm/mempolicy.c, get_nodes). */
        return sys_set_mempolicy((int) step->arg[0], nodes.data, nodes.size * 8 + 1);
}

int child_set_personality(struct child *c, const struct step *step)
{
        (void) c;
        return sys_personality(step->arg[0]);
}

/* Insert into a sorted list. */
static size_t insert(unsigned *list, size_t n, int fd)
{
        if (fd < 0)
                return n;
        size_t at = n;
        for (; at > 0 && list[at - 1] > (unsigned) fd; at--)
                list[at] = list[at - 1];
        list[at] = (unsigned) fd;
        return n + 1;
}

/*
 * Whatever else our parent had open, of the host or of his caller, is closed
 * before we are in a namespace that somebody may look into (CVE-2024-21626).
 * What later steps open is close-on-exec.
 */
int child_keep_fds(struct child *c, const struct step *step)
{
        unsigned needed[PLAN_FDS_MAX + 3], from = (unsigned) step->arg[0];
        size_t n = insert(needed, 0, c->sync_fd);
        n = insert(needed, n, c->listen_fd);
        n = insert(needed, n, c->alive_fd);
        for (size_t i = 0; i < c->plan->n_fds; i++)
                n = insert(needed, n, c->in->fd[i]);
        for (unsigned fd = 3; fd < from; fd++)
                (void) sys_clear_cloexec((int) fd);     /* a gap in what is to be preserved is no failure */
        for (size_t i = 0; i < n; i++) {
                int r = needed[i] > from ? sys_close_range(from, needed[i] - 1) : 0;
                if (r < 0)
                        return r;
                from = needed[i] >= from ? needed[i] + 1 : from;
        }
        return sys_close_range(from, ~0U);
}

/*
 * Signals that end a process by default do so here, too: the kernel drops them for process 1 of a pid namespace, as
 * long as nobody handles or blocks them. Blocked, they come to a descriptor. Ready when somebody knocks.
 */
static void await_knock(int listen_fd, int signal_fd)
{
        struct pollfd p[] = { { .fd = listen_fd, .events = POLLIN }, { .fd = signal_fd, .events = POLLIN } };
        while (poll(p, 2, -1) <= 0 || !(p[0].revents | p[1].revents))
                ;
        uint32_t info[32];      /* struct signalfd_siginfo begins with the number */
        if ((p[1].revents & POLLIN) && sys_read(signal_fd, info, sizeof(info)) > 0)
                sys_exit(128 + (int) info[0]);
}

/* All but those that do nothing or stop, and those that are errors of our own. */
static uint64_t ending_signals(void)
{
        static const uint8_t not_these[] = { SIGCHLD, SIGCONT, SIGURG, SIGWINCH, SIGTSTP, SIGTTIN, SIGTTOU, SIGSTOP,
                                             SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP };
        uint64_t mask = ~UINT64_C(0);
        for (size_t i = 0; i < sizeof(not_these); i++)
                mask &= ~(UINT64_C(1) << (not_these[i] - 1));
        return mask;
}

/*
 * `create` ends, `start` will connect. Whoever connects and goes away without
 * a word has changed nothing: we wait for the next.
 */
int child_await_start(struct child *c, const struct step *step)
{
        (void) step;
        /* Those who join us while we wait shall find nothing of how we were made. */
        int *made[] = { &c->root_fd, &c->null_fd, &c->empty_fd };
        for (size_t i = 0; i < sizeof(made) / sizeof(*made); i++) {
                if (*made[i] >= 0)
                        (void) sys_close(*made[i]);
                *made[i] = -1;
        }
        child_tell(c, REPORT_AWAIT, 0);
        int signal_fd = sys_signalfd(ending_signals());
        int r = signal_fd < 0 ? signal_fd : sys_set_sigmask(ending_signals());
        while (r == 0) {
                await_knock(c->listen_fd, signal_fd);
                int fd = sys_accept(c->listen_fd);
                if (fd < 0)
                        return fd;
                struct release release;
                if (sys_read(fd, &release, sizeof(release)) == sizeof(release)) {
                        (void) sys_close(signal_fd);
                        (void) sys_close(c->sync_fd);
                        c->sync_fd = fd;
                        return sys_set_sigmask(0);
                }
                (void) sys_close(fd);
        }
        return r;
}

int child_limit_self(struct child *c, const struct step *step)
{
        (void) c;
        return sys_prlimit(0, (int) step->arg[0], step->arg[1], step->arg[2]);
}

int child_no_new_privs(struct child *c, const struct step *step)
{
        (void) c, (void) step;
        return sys_prctl(PR_SET_NO_NEW_PRIVS, 1, 0);
}

int child_drop_bounding(struct child *c, const struct step *step)
{
        (void) c;
        return sys_drop_bounding(step->arg[0]);
}

int child_set_groups(struct child *c, const struct step *step)
{
        struct plan_bytes groups = child_bytes(c, step, 0);
        return sys_setgroups(groups.data, groups.size / sizeof(uint32_t));
}

int child_set_ids(struct child *c, const struct step *step)
{
        (void) c;
        /* Permitted capabilities survive the change of ids up to set-caps. */
        int r = sys_prctl(PR_SET_KEEPCAPS, 1, 0);
        if (r >= 0)
                r = sys_setgid_all((uint32_t) step->arg[1]);
        return r < 0 ? r : sys_setuid_all((uint32_t) step->arg[0]);
}

int child_set_caps(struct child *c, const struct step *step)
{
        (void) c;
        return sys_capset(step->arg[0], step->arg[1], step->arg[2]);
}

int child_set_ambient(struct child *c, const struct step *step)
{
        (void) c;
        int r = sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0);
        for (unsigned cap = 0; r >= 0 && cap < 64; cap++)
                if (step->arg[0] & (UINT64_C(1) << cap))
                        r = sys_prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap);
        return r;
}

int child_set_umask(struct child *c, const struct step *step)
{
        (void) c;
        (void) sys_umask((mode_t) step->arg[0]);
        return 0;
}

/* Root may be kept out of a directory (NFS), and the user too (a 0700 of root's):
 * one of the two attempts has to succeed. */
int child_chdir(struct child *c, const struct step *step)
{
        if (c->cwd_done)
                return 0;
        int r = sys_chdir(child_string(c, step, 0));
        if (r < 0)
                return step->arg[1] && (r == -EACCES || r == -EPERM) ? 0 : r;
        c->cwd_done = true;
        /* A directory outside the root, reached through a leaked descriptor
         * (CVE-2024-21626), has no path from here: getcwd(2) says "(unreachable)". */
        char cwd[PATH_MAX];
        r = sys_getcwd(cwd, sizeof(cwd));
        if (r < 0)
                return r == -ERANGE ? 0 : r;
        return cwd[0] == '/' ? 0 : -EXDEV;
}

/* One line of /etc/passwd: name:password:uid:gid:gecos:home:shell */
static bool take_home(const char *line, const char *end, uint32_t want_uid, char *home)
{
        const char *field[6];
        unsigned n = 0;
        field[n++] = line;
        for (const char *p = line; p < end && n < 6; p++)
                if (*p == ':')
                        field[n++] = p + 1;
        if (n < 6)
                return false;
        uint64_t uid = 0;
        const char *p = field[2];
        for (; p < end && *p >= '0' && *p <= '9' && uid <= UINT32_MAX; p++)
                uid = uid * 10 + (uint64_t) (*p - '0');
        if (p == field[2] || *p != ':' || uid != want_uid)
                return false;
        const char *home_end = memchr(field[5], ':', (size_t) (end - field[5]));
        size_t len = (size_t) ((home_end ? home_end : end) - field[5]);
        if (len == 0 || len + sizeof("HOME=") > INSTANCE_HOME_SIZE)
                return false;
        memcpy(home + 5, field[5], len);
        home[5 + len] = '\0';
        return true;
}

/* HOME from the container's own passwd file; without an entry it stays "/". A
 * file that cannot be read is as good as none. */
int child_find_home(struct child *c, const struct step *step)
{
        int fd = c->in->home ? sys_openat2(AT_FDCWD, "/etc/passwd", O_RDONLY | O_NONBLOCK, 0, 0) : -1;
        if (fd < 0)
                return 0;
        char buf[8192];
        size_t have = 0;
        for (bool found = false; !found;) {
                ssize_t n = sys_read(fd, buf + have, sizeof(buf) - have - 1);
                if (n < 0 || (n == 0 && have == 0))
                        break;
                have += (size_t) n;
                if (n == 0)     /* the last line may lack its end */
                        buf[have++] = '\n';
                char *line = buf, *end;
                while (!found && (end = memchr(line, '\n', have - (size_t) (line - buf)))) {
                        found = take_home(line, end, (uint32_t) step->arg[0], c->in->home);
                        line = end + 1;
                }
                have -= (size_t) (line - buf);
                if (have == sizeof(buf) - 1)
                        break;
                memmove(buf, line, have);
        }
        (void) sys_close(fd);
        return 0;
}

/* From here on EOF means that exec() happened. Sent before the filter is loaded, if that comes last: it may forbid all. */
static void announce_exec(struct child *c)
{
        if (!c->announced)
                child_tell(c, REPORT_EXEC, 0);
        c->announced = true;
}

int child_load_filter(struct child *c, const struct step *step)
{
        struct plan_bytes filter = child_bytes(c, step, 0);
        if (step->arg[2] & FILTER_LAST)
                announce_exec(c);
        int fd = sys_seccomp_filter(step->arg[1], filter.data, filter.size);
        c->undo_root = false;   /* what it does not allow may kill us before we have told our failure */
        if (fd < 0 || !(step->arg[1] & SECCOMP_FILTER_FLAG_NEW_LISTENER))
                return fd;
        /* From here to the release any other call may wait for an agent that has no listener yet. */
        if (step->arg[2] & FILTER_SEND) {
                struct report report = { REPORT_LISTENER, (uint16_t) c->at, 0 };
                ssize_t n = sys_send_fd(c->sync_fd, &report, sizeof(report), fd);
                if (n < 0)
                        return (int) n;
        } else {
                child_tell(c, REPORT_LISTENER, fd);
        }
        child_await_release(c);
        c->met = true;
        (void) sys_close(fd);
        return 0;
}

/*
 * Set as late as possible: a change of ids clears it (prctl(2)). Whoever waits
 * for us may be dead already; what only he held is closed before the kernel
 * would have sent the signal (do_exit: exit_files, then exit_notify), so a look
 * at that descriptor afterwards leaves no gap.
 */
int child_die_with_parent(struct child *c, const struct step *step)
{
        (void) step;
        int r = sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0);
        if (r < 0)
                return r;
        struct pollfd alive = { .fd = c->alive_fd >= 0 ? c->alive_fd : c->sync_fd };
        if (poll(&alive, 1, 0) > 0 && (alive.revents & (POLLHUP | POLLERR)))
                sys_exit(1);
        return 0;
}

static const char *env_value(const char *const *envp, const char *key, size_t n)
{
        for (; *envp; envp++)
                if (strncmp(*envp, key, n) == 0)
                        return *envp + n;
        return NULL;
}

/* May this be executed by us? Asks the kernel (faccessat2 would be 5.8 and know about effective ids; exec decides). */
int child_try_program(const char *path)
{
        struct stat st;
        int r = sys_fstatat(AT_FDCWD, path, &st, 0);
        if (r < 0)
                return r;
        if (!S_ISREG(st.st_mode) || !(st.st_mode & 0111))
                return -EACCES;
        return 0;
}

/*
 * Like execvp(3), with the container's PATH: the first that can be executed,
 * else EACCES if one was found that cannot, else ENOENT. Found before the filter
 * is loaded and before `create` returns, so that its caller hears of it.
 */
int child_find_program(struct child *c, const struct step *step)
{
        (void) step;
        const char *name = c->in->argv[0];
        size_t name_len = strlen(name);
        int result = -ENOENT;
        if (strchr(name, '/')) {
                if (name_len >= sizeof(c->program))
                        return -ENAMETOOLONG;
                memcpy(c->program, name, name_len + 1);
                return child_try_program(name);
        }
        for (const char *dir = env_value(c->in->envp, "PATH=", 5); dir && *name;) {
                const char *end = strchr(dir, ':');
                size_t len = end ? (size_t) (end - dir) : strlen(dir);
                if (len > 0 && len + name_len + 2 <= sizeof(c->program)) {
                        memcpy(c->program, dir, len);
                        c->program[len] = '/';
                        memcpy(c->program + len + 1, name, name_len + 1);
                        int r = child_try_program(c->program);
                        if (r == 0)
                                return 0;
                        if (r != -ENOENT && r != -ENOTDIR)
                                result = r;
                }
                dir = end ? end + 1 : NULL;
        }
        return result;
}

int child_exec(struct child *c, const struct step *step)
{
        (void) step;
        announce_exec(c);
        return sys_execve(c->program, c->in->argv, c->in->envp);
}

int child_fail(struct child *c, const struct step *step)
{
        (void) c;
        return -(int) step->arg[0];
}

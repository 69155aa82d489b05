#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "runtime/parent.h"
#include "runtime/process_ref.h"
#include "spec/spec.h"
#include "syscall/sys.h"

static unsigned ns_of_flag(uint64_t flag)
{
        unsigned type = 0;
        while (type < NS_TYPES && ns_clone_flags[type] != flag)
                type++;
        return type;
}

/* The names of /proc/PID/ns are not those of config.json. */
static const char *const proc_ns[NS_TYPES] = {
        [NS_USER] = "user", [NS_PID] = "pid", [NS_MOUNT] = "mnt",     [NS_UTS] = "uts",
        [NS_IPC] = "ipc",   [NS_NETWORK] = "net", [NS_CGROUP] = "cgroup", [NS_TIME] = "time",
};

/*
 * The way back is open to who is privileged in the user namespace that owns our namespaces (setns(2)). Root of another
 * one would stay where it went, and so would the hooks. Then a process of its own goes, and makes our child there.
 */
bool parent_joins_apart(const struct session *s)
{
        bool any = false;
        for (unsigned type = 0; type < NS_TYPES; type++)
                any = any || s->join_fd[type] >= 0;
        return any;
}

/* Enter by `fd`, and remember where we were: parent_clone() goes back. */
static int leave_for(struct session *s, int fd, uint64_t flag)
{
        unsigned type = ns_of_flag(flag);
        if (type >= NS_TYPES)
                return -EINVAL;
        if (!s->opts->host->privileged && !s->opts->for_grandparent) {
                s->join_fd[type] = fcntl(fd, F_DUPFD_CLOEXEC, 0);
                return s->join_fd[type] < 0 ? -errno : 0;
        }
        char path[64];
        snprintf(path, sizeof(path), "/proc/self/ns/%s", proc_ns[type]);
        auto_fd int own = open(path, O_RDONLY | O_CLOEXEC);
        if (own < 0)
                return -errno;
        int r = sys_setns(fd, flag);
        if (r == 0)
                s->back_fd[type] = take_fd(&own);
        return r;
}

void parent_return(struct session *s)
{
        for (unsigned type = 0; type < NS_TYPES; type++)
                fd_close(take_fd(&s->join_fd[type]));
        for (unsigned type = 0; type < NS_TYPES; type++) {
                if (s->back_fd[type] < 0)
                        continue;
                /* We come from there and lost no privilege: this does not fail. */
                (void) sys_setns(s->back_fd[type], ns_clone_flags[type]);
                fd_close(take_fd(&s->back_fd[type]));
        }
}

int parent_join_around(struct session *s, const struct step *step, struct error *err)
{
        const char *path = plan_string(s->plan, s->in, step, 1);
        auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return error_set(err, -errno, "join the namespace \"%s\"", path);
        int r = leave_for(s, fd, step->arg[0]);
        return r < 0 ? error_set(err, r, "join the namespace \"%s\"", path) : 0;
}

int parent_join_pid_of(struct session *s, const struct step *step, struct error *err)
{
        (void) err;
        return leave_for(s, s->in->fd[step->arg[0]], CLONE_NEWPID);
}

/* What the process that goes tells: a negative errno, or 0 with a pidfd of our child. */
static _Noreturn void go_and_clone(struct session *s, const struct step *step, int tell_fd)
{
        int r = 0;
        for (unsigned type = 0; r == 0 && type < NS_TYPES; type++)
                if (s->join_fd[type] >= 0)
                        r = sys_setns(s->join_fd[type], ns_clone_flags[type]);
        if (r == 0)
                r = clone_child(s, step, CLONE_PARENT);
        int32_t word = r < 0 ? r : 0;
        if (r < 0)
                (void) sys_send(tell_fd, &word, sizeof(word)); /* if nobody hears it, we were lost: the same */
        else
                (void) sys_send_fd(tell_fd, &word, sizeof(word), s->pidfd);
        sys_exit(0);
}

pid_t clone_apart(struct session *s, const struct step *step)
{
        int pair[2], code, status, pidfd = -1;
        int32_t word = -ECHILD;
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        auto_fd int ours = pair[0], theirs = pair[1];
        auto_fd int helper = -1;
        pid_t pid = sys_clone3(0, -1, &helper);
        if (pid == 0)
                go_and_clone(s, step, theirs);
        fd_close(take_fd(&theirs));
        if (pid < 0)
                return pid;
        ssize_t n = sys_receive_fd(ours, &word, sizeof(word), &pidfd);
        (void) sys_pidfd_wait(helper, &code, &status); /* it said all it had to say */
        if (n != (ssize_t) sizeof(word) || word < 0 || pidfd < 0) {
                fd_close(pidfd);
                return n == (ssize_t) sizeof(word) && word < 0 ? word : -ECHILD;
        }
        s->pidfd = pidfd;
        return process_of_pidfd(pidfd);
}

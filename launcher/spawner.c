#include "launcher/spawner.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

#define PATTERN_TRIES 1000        /* of 10 ms */

static _Noreturn void become_spawner(struct spawner *all, unsigned i, int fd, pid_t launcher,
                                     const struct spawner_job *job)
{
        /* The launcher's ends of the other sockets: a copy here would keep them open. */
        for (unsigned j = 0; j < i; j++)
                fd_close(all[j].watch.fd);

        sigset_t every;
        sigfillset(&every);
        (void) sigprocmask(SIG_SETMASK, &every, NULL); /* cannot fail; instances start with an empty mask */
        (void) setsid();                               /* cannot fail: a forked process leads no group */
        (void) prctl(PR_SET_NAME, "berth-spawner");    /* for ps(1) only */
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != launcher)
                _exit(1);
        spawner_main(fd, job);
}

int spawner_fork(struct spawner *all, unsigned i, const struct spawner_job *job, struct error *err)
{
        int pair[2];
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set(err, -errno, "create a spawner's socket");
        auto_fd int ours = pair[0];
        auto_fd int theirs = pair[1];

        pid_t launcher = getpid(), pid = fork();
        if (pid < 0)
                return error_set(err, -errno, "fork a spawner");
        if (pid == 0) {
                fd_close(ours);
                become_spawner(all, i, theirs, launcher, job);
        }
        all[i] = (struct spawner){ .pid = pid, .watch = { .fd = take_fd(&ours) } };
        return 0;
}

static int send_with_fds(int fd, const void *record, size_t size, const int *fds, size_t n)
{
        union {
                char space[CMSG_SPACE(3 * sizeof(int))];
                struct cmsghdr align;
        } control = { 0 };
        struct iovec iov = { (void *) (uintptr_t) record, size };
        struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.space,
                              .msg_controllen = CMSG_SPACE(n * sizeof(int)) };
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(n * sizeof(int));
        memcpy(CMSG_DATA(c), fds, n * sizeof(int));

        ssize_t r;
        do
                r = sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
        while (r < 0 && errno == EINTR);
        return r < 0 ? -errno : 0;
}

int spawner_give_pattern(struct spawner *s, unsigned number, const struct pattern *pattern, const char *cgroup,
                         struct error *err)
{
        struct pattern_record record = { .kind = RECORD_PATTERN, .number = number };
        int n = snprintf(record.cgroup, sizeof(record.cgroup), "%s", cgroup);
        if (n < 0 || (size_t) n >= sizeof(record.cgroup))
                return error_set(err, -ENAMETOOLONG, "the job's cgroup");
        const int fds[] = { pattern->plan_fd, pattern->words_fd };
        int r = send_with_fds(s->watch.fd, &record, sizeof(record), fds, 2);
        /* Several of them fill the socket; the spawner is already emptying it. */
        for (int tries = 0; (r == -EAGAIN || r == -ETOOMANYREFS) && tries < PATTERN_TRIES; tries++) {
                struct pollfd wait = { .fd = s->watch.fd, .events = r == -EAGAIN ? POLLOUT : 0 };
                (void) poll(&wait, 1, 10);      /* the next try tells */
                r = send_with_fds(s->watch.fd, &record, sizeof(record), fds, 2);
        }
        return r < 0 ? error_set(err, r, "give the plan to spawner %d", (int) s->pid) : 0;
}

int spawner_ask(struct spawner *s, const struct request *request, const int stdio[3], struct error *err)
{
        uint64_t buf[RECORD_MAX / sizeof(uint64_t)];
        long size = request_encode(request, buf, sizeof(buf));
        if (size < 0)
                return error_say(err, (int) size, "its environment is too large for a request (%zu bytes)",
                                 request->env.size);
        int r = send_with_fds(s->watch.fd, buf, (size_t) size, stdio, 3);
        /* ETOOMANYREFS: more descriptors on their way than RLIMIT_NOFILE. It passes, as a full socket does. */
        if (r == -EAGAIN || r == -ETOOMANYREFS)
                return -EAGAIN;
        if (r < 0)
                return error_set(err, r, "ask spawner %d", (int) s->pid);
        s->asked++;
        return 0;
}

void spawner_tell_stopped(struct spawner *s, unsigned rank)
{
        const struct stopped_record record = { RECORD_STOPPED, rank };
        ssize_t r;
        do
                r = send(s->watch.fd, &record, sizeof(record), MSG_NOSIGNAL);
        while (r < 0 && errno == EINTR);
        /* A spawner that is gone runs no hooks: the job is being stopped for that already. */
}

int spawner_hear(struct spawner *s, struct reply *ret, int *ret_pidfd, struct error *err)
{
        union {
                char space[CMSG_SPACE(sizeof(int))];
                struct cmsghdr align;
        } control;
        struct reply reply = { 0 };
        struct iovec iov = { &reply, sizeof(reply) };
        struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.space,
                              .msg_controllen = sizeof(control.space) };
        ssize_t n;
        do
                n = recvmsg(s->watch.fd, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
        while (n < 0 && errno == EINTR);
        if (n < 0 && errno == EAGAIN)
                return -EAGAIN;
        if (n < (ssize_t) offsetof(struct reply, text))
                return error_say(err, -ECONNRESET, "spawner %d is gone", (int) s->pid);

        auto_fd int pidfd = -1;
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
                if (c->cmsg_type == SCM_RIGHTS)
                        memcpy(&pidfd, CMSG_DATA(c), sizeof(pidfd));
        reply.text[sizeof(reply.text) - 1] = '\0';
        s->asked--;
        *ret = reply;
        *ret_pidfd = take_fd(&pidfd);
        return 0;
}

void spawner_stop(struct spawner *s, struct loop *loop)
{
        loop_drop(loop, &s->watch);
        fd_close(take_fd(&s->watch.fd));
        if (s->pid > 0)
                while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
                        continue;
        s->pid = -1;
}

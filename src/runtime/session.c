#include "runtime/session.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "cgroups/systemd.h"
#include "child/child.h"
#include "runtime/parent.h"
#include "runtime/process_ref.h"
#include "syscall/sys.h"

/* The child ended without a word: killed, by the kernel or by a person. */
static int child_vanished(const struct session *s, size_t after, struct error *err)
{
        char phrase[256] = "the first step";
        if (after < s->plan->n_steps)
                plan_phrase(s->plan, s->in, after, phrase, sizeof(phrase));
        int code = 0, status = 0;
        if (s->opts->for_grandparent || sys_pidfd_wait(s->pidfd, &code, &status) < 0)
                return error_say(err, -ECHILD, "the container's process was lost before: %s", phrase);
        return error_say(err, -ECHILD, "the container's process %s %d before: %s",
                         code == CLD_EXITED ? "exited with status" : "was killed by signal", status, phrase);
}

static int release_child(struct session *s, size_t done, struct error *err)
{
        struct release release = { (uint16_t) done };
        ssize_t n = sys_send_fd(s->sync_fd, &release, sizeof(release), s->tree_fd);
        fd_close(take_fd(&s->tree_fd));
        if (n == -EPIPE || n == -ECONNRESET)
                return child_vanished(s, done, err);
        return n < 0 ? error_set(err, (int) n, "release the container's process") : 0;
}

/* The child made a second process, in more namespaces, which takes its place. */
static int adopt(struct session *s, const struct report *report, int pidfd, struct error *err)
{
        int code, status;
        if (pidfd < 0)
                return error_say(err, -EPROTO, "the second process came without a descriptor");
        /* The first one ends by itself. */
        if (s->opts->for_grandparent)
                s->first_pid = s->pid;
        else
                (void) sys_pidfd_wait(s->pidfd, &code, &status);
        fd_close(s->pidfd);
        s->pidfd = pidfd;
        /* The first one may live in another pid namespace than we: its number for the second is not ours. */
        s->pid = process_of_pidfd(pidfd);
        return release_child(s, report->step, err);
}

/* The child cannot reach the source of a bind mount. */
static int help_bind(struct session *s, size_t i, struct error *err)
{
        const struct step *step = i < s->plan->n_steps ? &s->plan->steps[i] : NULL;
        if (!step || step->op != STEP_BIND || !(step->arg[4] & BIND_ASK))
                return error_say(err, -EPROTO, "the container's process asked for a mount that is not in its plan");
        int r = parent_help_bind(s, step, err);
        return r < 0 ? explain_step(s, i, r, err) : release_child(s, i, err);
}

/* One report. 1: the child waits for us (or runs); 0: there is more to come. */
static int take_report(struct session *s, const struct hook_end *record, size_t size, int fd, struct error *err)
{
        const struct report *report = &record->report;
        session_tell_report(s, report);
        switch (report->kind) {
        case REPORT_HOOK:
                fd_close(fd);
                return parent_hook_ended(s, record, size, err);
        case REPORT_FAILED:
                fd_close(fd);
                return explain_step(s, report->step, report->code < 0 ? report->code : -EPROTO, err);
        case REPORT_REACHED:
                fd_close(fd);
                return 1;
        case REPORT_AWAIT:
                fd_close(fd);
                s->awaiting = true;
                return 1;
        case REPORT_WANT_TREE:
                fd_close(fd);
                return help_bind(s, report->step, err);
        case REPORT_CONSOLE:
                fd_close(s->console_fd);
                s->console_fd = fd;
                return 0;
        case REPORT_LISTENER:
                fd_close(s->listener_fd);
                s->listener_fd = fd >= 0 ? fd : sys_pidfd_getfd(s->pidfd, report->code);
                if (s->listener_fd < 0)
                        return error_set(err, s->listener_fd, "linux.seccomp: take the listener from the container's process");
                return 1;
        case REPORT_FORKED:
                return adopt(s, report, fd, err);
        default:
                fd_close(fd);
                return 0;
        }
}

/*
 * Wait until the child has done everything before step `next`. EOF means that
 * exec() closed the socket, but only if the child announced it: otherwise the
 * child was killed.
 */
static int await_child(struct session *s, size_t next, struct error *err)
{
        for (bool announced = s->running;;) {
                struct hook_end record; /* the longest of them */
                int fd = -1;
                ssize_t n = sys_receive_fd(s->sync_fd, &record, sizeof(record), &fd);
                s->running = n == 0 && announced;
                if (s->running) {
                        session_tell_child(s, s->plan->n_steps);
                        return 0;
                }
                if (n == 0 || n == -ECONNRESET)
                        return child_vanished(s, next, err);
                if (n < (ssize_t) sizeof(record.report))
                        return error_set(err, n < 0 ? (int) n : -EPROTO, "hear from the container's process");
                announced = record.report.kind == REPORT_EXEC;
                int r = take_report(s, &record, (size_t) n, fd, err);
                if (r != 0)
                        return r < 0 ? r : 0;
        }
}

static int do_step(struct session *s, size_t i, struct error *err)
{
        const struct step *step = &s->plan->steps[i];
        struct error own = ERROR_INIT;
        int r = parent_steps[step->op](s, step, &own);
        if (r >= 0) {
                session_tell_own(s, i);
                return 0;
        }
        if (own.code == 0)
                return explain_step(s, i, r, err);
        if (err)
                *err = own;
        return r;
}

/* The parent's half of the list, from step `first` on. Mirrors child_run(). */
static int walk(struct session *s, size_t first, struct error *err)
{
        bool with_child = false;        /* the child is waiting for us */
        for (size_t i = first; i < s->plan->n_steps; i++) {
                const struct step *step = &s->plan->steps[i];
                int r = 0;
                if (step->lane == LANE_CHILD) {
                        if (with_child)
                                r = release_child(s, i, err);
                        with_child = false;
                        if (r >= 0 && step->op == STEP_AWAIT_START) {
                                r = await_child(s, i, err);
                                return r < 0 ? r : 0;
                        }
                        if (r < 0)
                                return r;
                        continue;
                }
                /* After exec() nobody answers any more: the last steps are ours alone. */
                if (step->lane == LANE_PARENT && s->pidfd >= 0 && !with_child && !s->running) {
                        r = await_child(s, i, err);
                        if (r < 0)
                                return r;
                        with_child = !s->running;
                }
                r = do_step(s, i, err);
                if (r < 0)
                        return r;
        }
        return s->running ? 0 : await_child(s, s->plan->n_steps - 1, err);
}

static int open_sync(struct session *s, struct error *err)
{
        int pair[2];
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set(err, -errno, "create the sync socket");
        s->sync_fd = pair[0];
        s->child_sync_fd = pair[1];
        return 0;
}

/* Descriptors that our steps put into the instance were for the child, which has its own copies. */
static void close_given(struct session *s)
{
        for (size_t i = 0; i < s->plan->n_steps; i++) {
                const struct step *step = &s->plan->steps[i];
                if (step->op == STEP_DEVICE_STORE)
                        fd_close(take_fd(&s->in->fd[step->arg[0]]));
                for (uint64_t k = 0; step->op == STEP_HOOK_FILES && k < 2; k++)
                        fd_close(take_fd(&s->in->fd[step->arg[0] + k]));
                for (uint64_t k = 0; step->op == STEP_CGROUP_ENTRANCES && k < step->arg[1]; k++)
                        fd_close(take_fd(&s->in->fd[step->arg[0] + k]));
        }
}

int session_start(struct session *session, const struct plan *plan, struct instance *in,
                  const struct session_options *opts, struct error *err)
{
        struct session *s = session;
        s->plan = plan;
        s->in = in;
        s->opts = opts;
        int r = open_sync(s, err);
        if (r >= 0)
                r = walk(s, 0, err);
        close_given(s);
        if (r < 0)
                session_clear(s);
        return r;
}

int session_prepare(struct session *session, const struct plan *plan, struct instance *in,
                    const struct session_options *opts, struct error *err)
{
        struct session *s = session;
        s->plan = plan;
        s->in = in;
        s->opts = opts;
        int r = 0;
        for (size_t i = 0; r >= 0 && i < plan->n_steps; i++)
                r = plan->steps[i].lane == LANE_PARENT
                            ? do_step(s, i, err)
                            : error_say(err, -EINVAL, "the plan to prepare has a step of the child");
        if (r < 0)
                session_clear(s);
        return r;
}

int session_resume(struct session *session, const struct plan *plan, struct instance *in,
                   const struct session_options *opts, int sync_fd, pid_t pid, struct error *err)
{
        struct session *s = session;
        s->plan = plan;
        s->in = in;
        s->opts = opts;
        s->sync_fd = sync_fd;
        s->pid = pid;
        s->pidfd = sys_pidfd_open(pid);
        if (s->pidfd < 0)
                return error_set(err, s->pidfd, "open the container's process %d", (int) pid);

        size_t at = 0;
        while (at < plan->n_steps && plan->steps[at].op != STEP_AWAIT_START)
                at++;
        s->told = at;
        int r = at == plan->n_steps ? error_say(err, -EINVAL, "the plan has nothing to start") : 0;
        if (r >= 0)
                r = release_child(s, at, err);
        if (r >= 0)
                r = walk(s, at + 1, err);
        if (r < 0)
                session_clear(s);
        return r;
}

void session_release(struct session *s)
{
        fd_close(take_fd(&s->pidfd));
        s->unit = NULL;
        resctrl_clear(&s->resctrl);
        cgroup_clear(&s->cgroup);
}

void session_clear(struct session *s)
{
        parent_return(s);
        fd_close(take_fd(&s->sync_fd));
        fd_close(take_fd(&s->child_sync_fd));
        fd_close(take_fd(&s->console_fd));
        fd_close(take_fd(&s->listener_fd));
        fd_close(take_fd(&s->tree_fd));
        if (s->pidfd >= 0) {
                int code, status;
                (void) sys_pidfd_kill(s->pidfd, SIGKILL);
                if (!s->opts->for_grandparent) {
                        (void) sys_pidfd_wait(s->pidfd, &code, &status);
                        fd_close(take_fd(&s->pidfd));
                }
        }
        if (s->unit)
                ignore_result(systemd_stop(s->unit, s->unit_user, NULL)); /* as below */
        s->unit = NULL;
        /* Nothing more can be said about a failure here; `delete` and the next use of the id try again. */
        ignore_result(cgroup_remove(&s->cgroup, NULL));
        cgroup_clear(&s->cgroup);
        resctrl_undo(&s->resctrl);
        resctrl_clear(&s->resctrl);
}

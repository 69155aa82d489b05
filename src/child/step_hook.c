#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "child/child_steps.h"
#include "syscall/sys.h"

#define EXIT_ENTER_FAILED 126
#define EXIT_EXEC_FAILED  127

/* A vector of the strings in a plan; the plan was refused if it had more. */
static size_t vector_of(struct plan_bytes bytes, const char *ret[HOOK_STRINGS_MAX + 1])
{
        size_t n = 0;
        const char *text = bytes.data;
        for (size_t at = 0; at < bytes.size && n < HOOK_STRINGS_MAX; at += strlen(text + at) + 1)
                ret[n++] = text + at;
        ret[n] = NULL;
        return n;
}

static _Noreturn void in_the_hook(const struct child *c, const struct step *step)
{
        const char *argv[HOOK_STRINGS_MAX + 1], *envp[HOOK_STRINGS_MAX + 1];
        const char *path = child_string(c, step, 0);
        int state = c->in->fd[step->arg[6]], output = c->in->fd[step->arg[6] + 1];
        if (vector_of(child_bytes(c, step, 1), argv) == 0)
                vector_of((struct plan_bytes){ path, strlen(path) + 1 }, argv);
        (void) vector_of(child_bytes(c, step, 2), envp);
        if (sys_lseek(state, 0, SEEK_SET) < 0 || sys_dup2(state, 0) < 0 || sys_dup2(output, 1) < 0 ||
            sys_dup2(output, 2) < 0)
                sys_exit(EXIT_ENTER_FAILED);
        /* All of ours close on exec. What was to be preserved is for the container's process, not for hooks. */
        (void) sys_close_range(3, ~0U);
        (void) sys_execve(path, argv, step->arg[5] ? c->in->envp : envp);
        sys_exit(EXIT_EXEC_FAILED);
}

static int wait_for_hook(pid_t pid, int pidfd, uint64_t seconds, struct hook_end *end)
{
        bool in_time = true;
        if (seconds > 0) {
                struct pollfd p = { .fd = pidfd, .events = POLLIN };
                int n = poll(&p, 1, seconds > 1000000 ? 1000000000 : (int) seconds * 1000);
                in_time = n > 0;
                if (!in_time)
                        (void) sys_kill(pid, SIGKILL);
        }
        int how = 0, status = 0, r = sys_pidfd_wait(pidfd, &how, &status);
        end->how = in_time ? how : 0;
        end->report.code = status;
        return r;
}

/* It ends the container: the parent gets to know how, and the last of what it said, from `from` on. */
static _Noreturn void give_up(const struct child *c, int output, off_t from, struct hook_end *end)
{
        off_t size = sys_lseek(output, 0, SEEK_END), most = (off_t) sizeof(end->words);
        if (size - from > most)
                from = size - most;
        ssize_t n = sys_lseek(output, from, SEEK_SET) >= 0 ? sys_read(output, end->words, sizeof(end->words)) : -1;
        (void) sys_write(c->sync_fd, end, offsetof(struct hook_end, words) + (size_t) (n > 0 ? n : 0));
        sys_exit(1);
}

/*
 * By the container's process and not by its parent: so the hook is what this
 * one is by now, in its namespaces, its cgroup, with its ids and capabilities,
 * and under its filter.
 */
int child_run_hook(struct child *c, const struct step *step)
{
        int output = c->in->fd[step->arg[6] + 1], pidfd = -1, r = child_try_program(child_string(c, step, 0));
        if (r < 0)
                return r;
        off_t from = sys_lseek(output, 0, SEEK_END);
        pid_t pid = sys_fork(&pidfd);
        if (pid == 0)
                in_the_hook(c, step);
        if (pid < 0)
                return pid;
        struct hook_end end = { .report = { REPORT_HOOK, (uint16_t) c->at, 0 } };
        r = wait_for_hook(pid, pidfd, step->arg[3], &end);
        (void) sys_close(pidfd);
        if (r < 0)
                return r;
        if (end.how != CLD_EXITED || end.report.code != 0)
                give_up(c, output, from < 0 ? 0 : from, &end);
        return 0;
}

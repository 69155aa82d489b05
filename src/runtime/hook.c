#include "runtime/hook.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "runtime/process_ref.h"
#include "syscall/sys.h"

#define EXIT_ENTER_FAILED 126
#define EXIT_EXEC_FAILED  127

/* Files and not pipes: nobody has to read or write while the hook runs, and a hook that never reads cannot block us. */
static int memory_file(const char *name, const char *text, int *ret_fd)
{
        auto_fd int fd = memfd_create(name, MFD_CLOEXEC);
        if (fd < 0)
                return -errno;
        int r = io_write_all(fd, text, strlen(text));
        if (r < 0)
                return r;
        if (lseek(fd, 0, SEEK_SET) < 0)
                return -errno;
        *ret_fd = take_fd(&fd);
        return 0;
}

/* Namespaces in which the process differs from us; setns(2) refuses our own user namespace. */
static int enter_namespaces(int pidfd, pid_t pid)
{
        static const struct {
                const char *name;
                uint64_t flag;
        } ns[] = {
                { "user", CLONE_NEWUSER }, { "mnt", CLONE_NEWNS }, { "uts", CLONE_NEWUTS },
                { "ipc", CLONE_NEWIPC },   { "net", CLONE_NEWNET }, { "cgroup", CLONE_NEWCGROUP },
                { "pid", CLONE_NEWPID },
        };
        uint64_t flags = 0;
        for (size_t i = 0; i < sizeof(ns) / sizeof(*ns); i++) {
                char own[64], its[64];
                struct stat a, b;
                snprintf(own, sizeof(own), "/proc/self/ns/%s", ns[i].name);
                snprintf(its, sizeof(its), "/proc/%d/ns/%s", (int) pid, ns[i].name);
                if (stat(own, &a) < 0 || stat(its, &b) < 0)
                        return -errno;
                flags |= a.st_ino != b.st_ino ? ns[i].flag : 0;
        }
        return flags ? sys_setns(pidfd, flags) : 0;
}

static int enter(int pidfd, pid_t pid)
{
        char path[64];
        snprintf(path, sizeof(path), "/proc/%d/cwd", (int) pid);
        auto_fd int cwd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (cwd < 0)
                return -errno;
        int r = enter_namespaces(pidfd, pid);
        return r < 0 ? r : sys_fchdir(cwd);
}

/* Only a child is in the pid namespace that was entered: it becomes the hook, and we say what became of it. */
static void become_child(void)
{
        int pidfd = -1, code = 0, status = 0;
        pid_t pid = sys_clone3(0, -1, &pidfd);
        if (pid < 0)
                _exit(EXIT_ENTER_FAILED);
        if (pid == 0) {
                if (sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0) < 0)
                        _exit(EXIT_ENTER_FAILED);
                return;
        }
        (void) sys_cloexec_from(3);
        if (sys_pidfd_wait(pidfd, &code, &status) < 0)
                _exit(EXIT_ENTER_FAILED);
        if (code != CLD_EXITED)
                (void) raise(status);
        _exit(status);
}

struct streams {
        int state, out, err;
        int kept;               /* what it says is kept here */
};
#define STREAMS_INIT ((struct streams){ -1, -1, -1, -1 })

static void streams_clear_p(struct streams *s)
{
        fd_close(s->state);
        fd_close(s->out);
        fd_close(s->err);
        fd_close(s->kept);
}
#define auto_streams __attribute__((cleanup(streams_clear_p)))

static int open_stream(const char *path, int *ret_fd, struct error *err)
{
        if (!path)
                return 0;
        if (*path != '/')
                return error_say(err, -EINVAL, "its output: expected an absolute path, found \"%s\"", path);
        *ret_fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOCTTY | O_CLOEXEC, 0600);
        return *ret_fd < 0 ? error_set(err, -errno, "open \"%s\" for its output", path) : 0;
}

static int open_streams(const struct hook_run *hook, struct streams *s, struct error *err)
{
        int r = memory_file("state", hook->state ? hook->state : "{}", &s->state);
        if (r >= 0)
                r = memory_file("output", "", &s->kept);
        if (r < 0)
                return error_set(err, r, "prepare \"%s\"", hook->path);
        r = open_stream(hook->stdout_path, &s->out, err);
        return r < 0 ? r : open_stream(hook->stderr_path, &s->err, err);
}

static _Noreturn void in_the_hook(const struct hook_run *hook, pid_t enter_pid, const struct streams *s)
{
        (void) sys_set_sigmask(0);
        if (hook->enter_pidfd >= 0) {
                if (enter(hook->enter_pidfd, enter_pid) < 0)
                        _exit(EXIT_ENTER_FAILED);
                become_child();
        } else if (hook->cwd && chdir(hook->cwd) < 0 && chdir("/") < 0) {
                _exit(EXIT_ENTER_FAILED);
        }
        if (sys_dup2(s->state, 0) < 0 || sys_dup2(s->out >= 0 ? s->out : s->kept, 1) < 0 ||
            sys_dup2(s->err >= 0 ? s->err : s->kept, 2) < 0)
                _exit(EXIT_ENTER_FAILED);
        (void) sys_cloexec_from(3);
        const char *const *own = (const char *const *) environ;
        (void) sys_execve(hook->path, hook->argv, hook->envp ? hook->envp : own);
        _exit(EXIT_EXEC_FAILED);
}

/* 0 when it ended, -ETIMEDOUT when it did not in time. */
static int wait_in_time(int pidfd, unsigned seconds)
{
        struct timespec end, now;
        clock_gettime(CLOCK_MONOTONIC, &end);
        end.tv_sec += seconds;
        for (;;) {
                clock_gettime(CLOCK_MONOTONIC, &now);
                long long left = (end.tv_sec - now.tv_sec) * 1000LL + (end.tv_nsec - now.tv_nsec) / 1000000;
                int wait_ms = seconds == 0 ? -1 : left > 1000000 ? 1000000 : left > 0 ? (int) left : 0;
                struct pollfd p = { .fd = pidfd, .events = POLLIN };
                int n = poll(&p, 1, wait_ms);
                if (n > 0)
                        return 0;
                if (n == 0 && left <= 0)
                        return -ETIMEDOUT;
                if (n < 0 && errno != EINTR)
                        return -errno;
        }
}

/* On one line. */
static void tame(char *words)
{
        size_t len = strlen(words);
        while (len > 0 && words[len - 1] == '\n')
                words[--len] = '\0';
        for (size_t i = 0; i < len; i++)
                if ((unsigned char) words[i] < 0x20)
                        words[i] = ' ';
}

static void last_words(int output_fd, char *buf, size_t size)
{
        off_t end = lseek(output_fd, 0, SEEK_END);
        off_t from = end > (off_t) size - 1 ? end - (off_t) size + 1 : 0;
        ssize_t n = pread(output_fd, buf, size - 1, from);
        buf[n > 0 ? n : 0] = '\0';
}

int hook_explain(const struct hook_run *hook, int how, int status, const char *words, struct error *err)
{
        char line[300], ended[100];
        snprintf(line, sizeof(line), "%s", words);
        tame(line);
        if (how == 0) {
                snprintf(ended, sizeof(ended), "did not end within its %u seconds", hook->timeout);
        } else if (how == CLD_EXITED) {
                snprintf(ended, sizeof(ended), "exited with status %d", status);
        } else {
                const char *name = strsignal(status);
                snprintf(ended, sizeof(ended), "was killed by signal %d (%c%s)", status,
                         tolower((unsigned char) name[0]), name + 1);
        }
        return error_say(err, -ECANCELED, "\"%s\" %s%s%s", hook->path, ended,
                         *line ? ": " : "", line);
}

static int judge(const struct hook_run *hook, int code, int status, int output_fd, struct error *err)
{
        if (code == CLD_EXITED && status == 0)
                return 0;
        if (code == CLD_EXITED && status == EXIT_EXEC_FAILED && access(hook->path, X_OK) < 0 && hook->enter_pidfd < 0)
                return error_say(err, -ECANCELED, "\"%s\": %s", hook->path, strerror(errno));
        char words[300];
        last_words(output_fd, words, sizeof(words));
        return hook_explain(hook, code, status, words, err);
}

static int run_one(const struct hook_run *hook, struct error *err)
{
        auto_streams struct streams streams = STREAMS_INIT;
        int r = open_streams(hook, &streams, err);
        if (r < 0)
                return r;
        pid_t enter_pid = hook->enter_pidfd >= 0 ? process_of_pidfd(hook->enter_pidfd) : -1;

        uint64_t mask;
        (void) sys_block_signals(&mask);
        auto_fd int pidfd = -1;
        pid_t pid = sys_clone3(CLONE_CLEAR_SIGHAND, -1, &pidfd);
        if (pid == 0)
                in_the_hook(hook, enter_pid, &streams);
        (void) sys_set_sigmask(mask);
        if (pid < 0)
                return error_set(err, pid, "start \"%s\"", hook->path);

        int in_time = wait_in_time(pidfd, hook->timeout), code = 0, status = 0;
        if (in_time < 0)
                (void) sys_pidfd_kill(pidfd, SIGKILL);
        r = sys_pidfd_wait(pidfd, &code, &status);
        if (in_time == -ETIMEDOUT)
                return hook_explain(hook, 0, 0, "", err);
        if (r < 0)
                return error_set(err, r, "wait for \"%s\"", hook->path);
        return judge(hook, code, status, streams.kept, err);
}

int hook_run(const struct hook_run *hook, struct error *err)
{
        int r = run_one(hook, err);
        return r < 0 ? error_wrap(err, "error running %s hook #%u", hook->kind, hook->number) : 0;
}

#include "runtime/criu.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/io.h"
#include "syscall/sys.h"

#define SOCKET_AT 3
#define RESPONSE_MAX 65536
#define LOG_MAX (64u << 20)
#define FDS_MAX 16

/* ---- starting it ---- */

/* As execvp(3) looks for it, but before the clone. */
static int find_program(char *path, size_t size, struct error *err)
{
        const char *dirs = getenv("PATH");
        if (!dirs || !*dirs)
                dirs = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        for (const char *dir = dirs; *dir;) {
                size_t n = strcspn(dir, ":");
                int len = n ? snprintf(path, size, "%.*s/criu", (int) n, dir) : snprintf(path, size, "./criu");
                if (len > 0 && (size_t) len < size && access(path, X_OK) == 0)
                        return 0;
                dir += n + (dir[n] == ':');
        }
        return error_say(err, -ENOENT, "checkpoint and restore need the program criu, which is not in PATH");
}

/* What failed between clone and exec. */
enum stage { STAGE_STREAMS, STAGE_EXEC };
struct failure {
        int stage, code;
};
static const char *const stages[] = {
        [STAGE_STREAMS] = "pass on descriptors", [STAGE_EXEC] = "execute it",
};

struct launch {
        const struct criu_start *how;
        char path[PATH_MAX];
        int fds[FDS_MAX];       /* the socket, how->fds: duplicates above all the numbers they will get */
        size_t n_fds;
        int report_fd;          /* likewise */
        int null_fd;
};

static int place_fds(const struct launch *l)
{
        int r = 0;
        for (int fd = 0; r >= 0 && l->null_fd >= 0 && fd < 3; fd++)
                r = sys_dup2(l->null_fd, fd);
        for (size_t i = 0; r >= 0 && i < l->n_fds; i++)
                r = sys_dup2(l->fds[i], SOCKET_AT + (int) i);
        return r >= 0 ? sys_cloexec_from(SOCKET_AT + (unsigned) l->n_fds) : r;
}

static _Noreturn void become_criu(const struct launch *l)
{
        static const char *const argv[] = { "criu", "swrk", "3", NULL };
        struct failure failure = { .stage = STAGE_STREAMS };
        (void) sys_set_sigmask(0);
        failure.code = place_fds(l);
        if (failure.code >= 0) {
                failure.stage = STAGE_EXEC;
                failure.code = sys_execve(l->path, argv, (const char *const *) environ);
        }
        (void) sys_write(l->report_fd, &failure, sizeof(failure));
        sys_exit(127);
}

/* A duplicate with a number that none of them will be put on. */
static int lift(int fd, struct error *err)
{
        int high = fcntl(fd, F_DUPFD_CLOEXEC, SOCKET_AT + FDS_MAX);
        return high < 0 ? error_set(err, -errno, "start criu") : high;
}

static int fill_launch(struct launch *l, int socket, int report, struct error *err)
{
        const struct criu_start *how = l->how;
        if (how->n_fds + 1 > FDS_MAX)
                return error_say(err, -ENOSPC, "start criu: too many namespaces to pass on");
        l->report_fd = lift(report, err);
        if (l->report_fd < 0)
                return l->report_fd;
        for (size_t i = 0; i < how->n_fds + 1; i++) {
                l->fds[i] = lift(i == 0 ? socket : how->fds[i - 1], err);
                if (l->fds[i] < 0)
                        return l->fds[i];
                l->n_fds++;
        }
        if (how->stdio)
                return 0;
        l->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        return l->null_fd < 0 ? error_set(err, -errno, "open /dev/null") : 0;
}

static void launch_clear_p(struct launch *l)
{
        for (size_t i = 0; i < l->n_fds; i++)
                fd_close(l->fds[i]);
        fd_close(l->report_fd);
        fd_close(l->null_fd);
}

static int clone_criu(struct criu *criu, struct launch *l, int report_end, struct error *err)
{
        uint64_t mask;
        (void) sys_block_signals(&mask);        /* no handler of ours runs in the child */
        criu->pid = sys_clone3(CLONE_CLEAR_SIGHAND, -1, &criu->pidfd);
        if (criu->pid == 0)
                become_criu(l);
        (void) sys_set_sigmask(mask);           /* what was, can be again */
        if (criu->pid < 0)
                return error_set(err, criu->pid, "start criu");
        fd_close(take_fd(&l->report_fd));
        struct failure failure;
        ssize_t n = io_read_all(report_end, &failure, sizeof(failure));
        if (n == sizeof(failure))
                return error_set(err, failure.code, "start criu \"%s\": %s", l->path, stages[failure.stage]);
        return n < 0 ? error_set(err, (int) n, "start criu") : 0;
}

int criu_start(struct criu *criu, const struct criu_start *how, struct error *err)
{
        __attribute__((cleanup(launch_clear_p))) struct launch l = { .how = how, .report_fd = -1, .null_fd = -1 };
        int pair[2], report[2];
        int r = find_program(l.path, sizeof(l.path), err);
        if (r < 0)
                return r;
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set(err, -errno, "make a socket for criu");
        criu->fd = pair[0];
        auto_fd int its_end = pair[1];
        if (pipe2(report, O_CLOEXEC) < 0)
                return error_set(err, -errno, "make a pipe");
        auto_fd int report_end = report[0], report_in = report[1];
        r = fill_launch(&l, its_end, report_in, err);
        fd_close(take_fd(&report_in));
        return r < 0 ? r : clone_criu(criu, &l, report_end, err);
}

/* ---- talking to it ---- */

static int gone(struct error *err)
{
        return error_say(err, -ECHILD, "criu ended without an answer");
}

static int send_request(const struct criu *criu, const struct str *request, struct error *err)
{
        if (str_failed(request))
                return error_set(err, -ENOMEM, "write a request for criu");
        ssize_t n = sys_send(criu->fd, request->text, request->size);
        if (n == -EPIPE || n == -ECONNRESET)
                return gone(err);
        return n < 0 ? error_set(err, (int) n, "send a request to criu") : 0;
}

static int receive(const struct criu *criu, struct criu_response *ret, int *ret_fd, struct error *err)
{
        auto_free char *buf = malloc(RESPONSE_MAX);
        if (!buf)
                return error_set(err, -ENOMEM, "hear from criu");
        ssize_t n = sys_receive_fd(criu->fd, buf, RESPONSE_MAX, ret_fd);
        if (n == 0 || n == -ECONNRESET)
                return gone(err);
        if (n < 0)
                return error_set(err, (int) n, "hear from criu");
        if (n == RESPONSE_MAX || criu_response_parse(buf, (size_t) n, ret) < 0)
                return error_say(err, -EBADMSG, "criu sent %zd bytes that are no response", n);
        return 0;
}

int criu_ask(struct criu *criu, const struct str *request, criu_notify *notify, void *arg,
             struct criu_response *ret, struct error *err)
{
        auto_str struct str go_on = STR_INIT;
        criu_request_go_on(&go_on);
        criu->asked = true;
        int r = send_request(criu, request, err);
        while (r == 0) {
                auto_fd int fd = -1;
                struct criu_response resp = { 0 };
                r = receive(criu, &resp, &fd, err);
                if (r < 0)
                        break;
                if (resp.type != CRIU_NOTIFY || !resp.success) {
                        *ret = resp;
                        break;
                }
                r = notify ? notify(arg, &resp, fd, err) : 0;
                if (r == 0)
                        r = send_request(criu, &go_on, err);
        }
        return r;
}

int criu_end(struct criu *criu, struct error *err)
{
        int code = 0, status = 0;
        fd_close(take_fd(&criu->fd));
        auto_fd int pidfd = take_fd(&criu->pidfd);
        int r = pidfd >= 0 ? sys_pidfd_wait(pidfd, &code, &status) : -ECHILD;
        if (r < 0)
                return error_set(err, r, "wait for criu");
        if (code == CLD_EXITED && status == 0)
                return 0;
        return error_say(err, -ECHILD, "criu %s %d", code == CLD_EXITED ? "exited with status" : "was killed by signal",
                         status);
}

void criu_clear(struct criu *criu)
{
        if (criu->pidfd >= 0 && !criu->asked)
                (void) sys_pidfd_kill(criu->pidfd, SIGKILL); /* if it is gone, so much the better */
        if (criu->pidfd >= 0)
                ignore_result(criu_end(criu, NULL)); /* cleared early: there is a failure to tell already */
        fd_close(criu->fd);
        *criu = CRIU_INIT;
}

/* ---- what it is, and why it failed ---- */

static int ask_once(const struct str *request, struct criu_response *ret, struct error *err)
{
        auto_criu struct criu criu = CRIU_INIT;
        int r = criu_start(&criu, &(struct criu_start){ 0 }, err);
        return r == 0 ? criu_ask(&criu, request, NULL, NULL, ret, err) : r;
}

int criu_version(unsigned *ret, struct error *err)
{
        auto_str struct str request = STR_INIT;
        struct criu_response resp = { 0 };
        criu_request(CRIU_VERSION, NULL, &request);
        int r = ask_once(&request, &resp, err);
        if (r < 0)
                return r;
        if (!resp.success || resp.version < 30000)
                return error_say(err, -EOPNOTSUPP, "this criu is older than 3.0");
        *ret = resp.version;
        return 0;
}

int criu_require(enum criu_feature feature, const char *what, struct error *err)
{
        auto_str struct str request = STR_INIT;
        struct criu_response resp = { 0 };
        criu_request_feature(feature, &request);
        int r = ask_once(&request, &resp, err);
        if (r < 0)
                return error_wrap(err, "ask criu for %s", what);
        if (resp.success && resp.has_feature[feature])
                return 0;
        return error_say(err, -EOPNOTSUPP, "criu is missing features: %s (this criu or this kernel cannot do it)", what);
}

/* What criu only tries out when it begins: it says "Error", and goes on. */
static bool is_harmless(const char *line)
{
        static const char *const words[] = { "Error (criu/kerndat.c", "Error (criu/tun.c" };
        for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
                if (str_starts(line, words[i]))
                        return true;
        const char *limit = strstr(line, "): rlimit: Can't setup");
        return limit && limit < line + strcspn(line, "\n");
}

/* The first line "(00.012) Error (criu/mount.c:12): mnt: ..." of the log, but for where in criu it came from. */
static void first_error(const char *dir, const char *name, char *buf, size_t size)
{
        auto_fd int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        auto_free char *text = NULL;
        if (dir_fd < 0 || io_read_file(dir_fd, name, LOG_MAX, &text, NULL) < 0)
                return;
        for (const char *at = strstr(text, "Error ("); at; at = strstr(at + 1, "Error (")) {
                const char *end = at + strcspn(at, "\n"), *colon = strstr(at, "): ");
                if (is_harmless(at))
                        continue;
                if (colon && colon < end)
                        at = colon + strlen("): ");
                const struct pb_field line = { .data = (const uint8_t *) at, .size = (size_t) (end - at) };
                pb_copy_text(&line, buf, size);
                return;
        }
}

int criu_explain(const struct criu_response *response, const char *doing, const char *dir, const char *name,
                 struct error *err)
{
        char reason[CRIU_ERRMSG_MAX] = "", number[64] = "";
        /* Its own message is the first line of the log, harmless or not. */
        first_error(dir, name, reason, sizeof(reason));
        if (!*reason)
                snprintf(reason, sizeof(reason), "%s", *response->errmsg ? response->errmsg : "it does not say why");
        if (response->cr_errno)
                snprintf(number, sizeof(number), " (%s)", strerror(response->cr_errno));
        return error_say(err, -ECANCELED, "criu failed to %s: %s%s; see \"%s/%s\"", doing, reason, number, dir, name);
}

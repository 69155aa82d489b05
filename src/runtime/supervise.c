#include "runtime/supervise.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "syscall/sys.h"

#define DRAIN_MS 100

enum { AT_SIGNALS, AT_PROCESS, AT_MASTER, AT_INPUT, AT_OUTPUT, AT_NOTIFY, AT_COUNT };

int supervise_begin(struct supervise *sup, struct error *err)
{
        uint64_t old;
        int r = sys_block_signals(&old);
        if (r < 0)
                return error_set(err, r, "block signals");
        sigset_t all;
        sigfillset(&all);
        int fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
        if (fd < 0) {
                r = -errno;
                (void) sys_set_sigmask(old); /* what was, can be again */
                return error_set(err, r, "open a descriptor for signals");
        }
        *sup = (struct supervise){ .signal_fd = fd, .old_mask = old };
        return 0;
}

void supervise_end(struct supervise *sup)
{
        if (sup->signal_fd < 0)
                return;
        struct signalfd_siginfo drop;
        while (read(sup->signal_fd, &drop, sizeof(drop)) == sizeof(drop))
                ;
        fd_close(sup->signal_fd);
        (void) sys_set_sigmask(sup->old_mask); /* what was, can be again */
        *sup = SUPERVISE_INIT;
}

static void forward_signals(const struct supervise *sup, int pidfd, const struct console *con)
{
        struct signalfd_siginfo info;
        while (read(sup->signal_fd, &info, sizeof(info)) == sizeof(info)) {
                int sig = (int) info.ssi_signo;
                if (sig == SIGWINCH && con)
                        console_resize(con);
                else if (sig != SIGCHLD && sig != SIGPIPE)
                        (void) sys_pidfd_kill(pidfd, sig); /* it may have just ended */
        }
}

static void relay(struct console *con, const struct pollfd *p, bool *console_open)
{
        const short any = POLLIN | POLLHUP | POLLERR;
        if (console_relay(con, p[AT_MASTER].revents & any, p[AT_INPUT].revents & any,
                          p[AT_OUTPUT].revents & (POLLOUT | POLLERR | POLLHUP)))
                *console_open = false;
}

int supervise_wait(struct supervise *sup, int pidfd, struct console *con, int *ret_status, struct error *err)
{
        bool console_open = con != NULL;
        for (;;) {
                struct pollfd p[AT_COUNT] = {
                        [AT_SIGNALS] = { .fd = sup->signal_fd, .events = POLLIN },
                        [AT_PROCESS] = { .fd = pidfd, .events = POLLIN },
                        [AT_MASTER] = { .fd = -1 }, [AT_INPUT] = { .fd = -1 }, [AT_OUTPUT] = { .fd = -1 },
                        [AT_NOTIFY] = { .fd = sup->notify ? sup->notify->fd : -1, .events = POLLIN },
                };
                if (console_open) {
                        console_wants(con, &p[AT_MASTER].events, &p[AT_INPUT].events, &p[AT_OUTPUT].events);
                        /* A descriptor that nothing is wanted of would still report its hang-up, in a busy loop. */
                        p[AT_MASTER].fd = p[AT_MASTER].events ? con->master : -1;
                        p[AT_INPUT].fd = p[AT_INPUT].events ? 0 : -1;
                        p[AT_OUTPUT].fd = p[AT_OUTPUT].events ? 1 : -1;
                }
                if (poll(p, AT_COUNT, -1) < 0 && errno != EINTR)
                        return error_set(err, -errno, "wait for the process");
                if (p[AT_SIGNALS].revents)
                        forward_signals(sup, pidfd, con);
                if (console_open)
                        relay(con, p, &console_open);
                if (p[AT_NOTIFY].revents)
                        notify_hear(sup->notify, getpid()); /* the service lasts as long as we do */
                if (p[AT_PROCESS].revents)
                        break;
        }
        int code, status;
        int r = sys_pidfd_wait(pidfd, &code, &status);
        if (r < 0)
                return error_set(err, r, "wait for the process");
        *ret_status = code == CLD_EXITED ? status : 128 + status;
        return 0;
}

void supervise_drain(struct console *con)
{
        for (;;) {
                struct pollfd p[2] = { { .fd = con->master, .events = POLLIN }, { .fd = 1, .events = POLLOUT } };
                if (con->out.size == 0)
                        p[1].fd = -1;
                int n = poll(p, 2, DRAIN_MS);
                if (n == 0 || (n < 0 && errno != EINTR))
                        return;
                if (console_relay(con, p[0].revents != 0, false, p[1].revents != 0))
                        return;
        }
}

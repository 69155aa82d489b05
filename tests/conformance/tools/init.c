/* Minimal PID 1: gives the command a controlling terminal (the suites need /dev/tty),
 * reaps everything, exits with the command's status.  Used inside a fresh pid namespace:
 * when it exits, the kernel kills whatever a runtime under test left behind. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
static void nop(int s)
{
        (void) s;
}
int main(int argc, char **argv)
{
        if (argc < 2)
                return 2;
        int m = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
        if (m < 0 || grantpt(m) || unlockpt(m)) {
                perror("pty");
                return 2;
        }
        char *sn = ptsname(m);
        struct sigaction sa = { .sa_handler = nop };
        sigaction(SIGCHLD, &sa, NULL);
        sigset_t blk, old;
        sigemptyset(&blk);
        sigaddset(&blk, SIGCHLD);
        sigprocmask(SIG_BLOCK, &blk, &old);
        pid_t c = fork();
        if (c < 0) {
                perror("fork");
                return 2;
        }
        if (c == 0) {
                sigprocmask(SIG_SETMASK, &old, NULL);
                setsid();
                int s = open(sn, O_RDWR); /* becomes the controlling tty */
                if (s < 0) {
                        perror(sn);
                        _exit(126);
                }
                ioctl(s, TIOCSCTTY, 0);
                struct winsize ws = { 24, 80, 0, 0 };
                ioctl(s, TIOCSWINSZ, &ws);
                dup2(s, 0);
                if (s > 2)
                        close(s);
                execvp(argv[1], argv + 1);
                perror(argv[1]);
                _exit(127);
        }
        int keep = open(sn, O_RDWR | O_NOCTTY | O_CLOEXEC); /* no EIO between users */
        (void) keep;
        for (;;) {
                int st;
                pid_t p;
                while ((p = waitpid(-1, &st, WNOHANG)) > 0)
                        if (p == c)
                                return WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st);
                if (p < 0 && errno == ECHILD)
                        return 2;
                struct pollfd pf = { m, POLLIN, 0 };
                if (ppoll(&pf, 1, NULL, &old) > 0) {
                        char b[4096];
                        while (read(m, b, sizeof b) > 0)
                                ; /* swallow what is written to the tty */
                }
        }
}

/* pidfd-kill [--signal NAME] [--pid-file F] SOCKET: receive one pidfd; on SIGTERM send it the signal. */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>
int main(int argc, char **argv)
{
        static const struct option lo[] = {
                {"signal", 1, 0, 's' },
                { "pid-file",       1, 0, 'p' },
                { 0      }
        };
        int o, sig = SIGKILL;
        const char *pf = NULL;
        while ((o = getopt_long(argc, argv, "", lo, NULL)) != -1) {
                if (o == 'p')
                        pf = optarg;
                else if (o == 's') {
                        const char *n = strncmp(optarg, "SIG", 3) ? optarg : optarg + 3;
                        for (int i = 1; i < 32; i++)
                                if (sigabbrev_np(i) && !strcmp(sigabbrev_np(i), n))
                                        sig = i;
                } else
                        return 2;
        }
        if (optind + 1 != argc)
                return 2;
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGTERM);
        sigprocmask(SIG_BLOCK, &set, NULL);
        struct sockaddr_un sa = { .sun_family = AF_UNIX };
        snprintf(sa.sun_path, sizeof sa.sun_path, "%s", argv[optind]);
        int l = socket(AF_UNIX, SOCK_STREAM, 0);
        if (pf) {
                FILE *f = fopen(pf, "w");
                if (f) {
                        fprintf(f, "%d\n", getpid());
                        fclose(f);
                }
        }
        if (bind(l, (void *) &sa, sizeof sa) || listen(l, 1)) {
                perror("bind");
                return 1;
        }
        int c = accept(l, NULL, NULL);
        char b[4096];
        union {
                struct cmsghdr h;
                char b[CMSG_SPACE(sizeof(int))];
        } u;
        struct iovec io = { b, sizeof b };
        struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = sizeof u };
        if (recvmsg(c, &m, 0) < 0 || !CMSG_FIRSTHDR(&m)) {
                fprintf(stderr, "no fd received\n");
                return 1;
        }
        int fd;
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof fd);
        int got;
        sigwait(&set, &got);
        int rc = syscall(SYS_pidfd_send_signal, fd, sig, NULL, 0);
        if (rc)
                perror("pidfd_send_signal");
        if (pf)
                unlink(pf);
        return rc ? 1 : 0;
}

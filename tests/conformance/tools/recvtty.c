/* recvtty [--mode single|null] [--pid-file F] [--no-stdin] SOCKET
 * Receives console pty masters over a unix socket (SCM_RIGHTS), for runtimes' --console-socket.
 * null: accept any number, discard what the consoles print.  single: accept one, join it to stdio. */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>
static void die(const char *m)
{
        fprintf(stderr, "[recvtty] %s: %s\n", m, strerror(errno));
        exit(1);
}
static int recvfd(int s)
{
        char buf[4096];
        union {
                struct cmsghdr h;
                char b[CMSG_SPACE(sizeof(int) * 4)];
        } u;
        struct iovec io = { buf, sizeof buf };
        struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = sizeof u };
        if (recvmsg(s, &m, MSG_CMSG_CLOEXEC) < 0)
                return -1;
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
                if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
                        int fd;
                        memcpy(&fd, CMSG_DATA(c), sizeof fd);
                        return fd;
                }
        errno = EBADMSG;
        return -1;
}
static int copy(int from, int to)
{
        char b[65536];
        ssize_t n = read(from, b, sizeof b);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return 1;
        if (n <= 0)
                return 0;
        for (ssize_t o = 0; to >= 0 && o < n;) {
                ssize_t w = write(to, b + o, n - o);
                if (w < 0) {
                        if (errno == EINTR)
                                continue;
                        return 0;
                }
                o += w;
        }
        return 1;
}
int main(int argc, char **argv)
{
        static const struct option lo[] = {
                {"mode", 1, 0, 'm' },
                { "pid-file",     1, 0, 'p' },
                { "no-stdin",     0, 0, 'n' },
                { 0}
        };
        int o, null = 0, nostdin = 0;
        const char *pidf = NULL;
        while ((o = getopt_long(argc, argv, "m:p:n", lo, NULL)) != -1)
                switch (o) {
                case 'm':
                        null = !strcmp(optarg, "null");
                        break;
                case 'p':
                        pidf = optarg;
                        break;
                case 'n':
                        nostdin = 1;
                        break;
                default:
                        return 2;
                }
        if (optind + 1 != argc) {
                fprintf(stderr, "usage: recvtty [--mode single|null] [--pid-file F] SOCKET\n");
                return 2;
        }
        struct sockaddr_un sa = { .sun_family = AF_UNIX };
        if (strlen(argv[optind]) >= sizeof sa.sun_path) {
                errno = ENAMETOOLONG;
                die("bind");
        }
        strcpy(sa.sun_path, argv[optind]);
        int l = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (l < 0 || bind(l, (void *) &sa, sizeof sa))
                die("bind");
        if (listen(l, 64))
                die("listen");
        if (pidf) {
                FILE *f = fopen(pidf, "w");
                if (!f)
                        die(pidf);
                fprintf(f, "%d\n", getpid());
                fclose(f);
        }
        if (!null) {
                int c = accept(l, NULL, NULL);
                if (c < 0)
                        die("accept");
                close(l);
                int fd = recvfd(c);
                if (fd < 0)
                        die("receive");
                struct termios t;
                if (!tcgetattr(fd, &t)) {
                        t.c_oflag &= ~ONLCR;
                        tcsetattr(fd, TCSANOW, &t);
                }
                struct pollfd p[2] = {
                        {fd,                POLLIN, 0},
                        { nostdin ? -1 : 0, POLLIN, 0}
                };
                while (poll(p, 2, -1) >= 0 || errno == EINTR) {
                        if (p[0].revents && !copy(fd, 1))
                                break;
                        if (p[1].revents && !copy(0, fd))
                                p[1].fd = -1;
                }
                return 0;
        }
        /* slot 0: listener; then connections waiting for their fd, then consoles */
        static struct pollfd p[4096];
        static char isconn[4096];
        int n = 1;
        p[0] = (struct pollfd){ l, POLLIN, 0 };
        for (;;) {
                if (poll(p, n, -1) < 0) {
                        if (errno == EINTR)
                                continue;
                        die("poll");
                }
                for (int i = n - 1; i > 0; i--) {
                        if (!p[i].revents)
                                continue;
                        int keep = 1;
                        if (isconn[i]) {
                                int fd = recvfd(p[i].fd);
                                close(p[i].fd);
                                if (fd >= 0) {
                                        p[i] = (struct pollfd){ fd, POLLIN, 0 };
                                        isconn[i] = 0;
                                } else
                                        keep = 0;
                        } else if (!copy(p[i].fd, -1)) {
                                close(p[i].fd);
                                keep = 0;
                        }
                        if (!keep) {
                                p[i] = p[n - 1];
                                isconn[i] = isconn[n - 1];
                                n--;
                        }
                }
                if (p[0].revents) {
                        int c = accept4(l, NULL, NULL, SOCK_CLOEXEC);
                        if (c >= 0 && n < 4096) {
                                p[n] = (struct pollfd){ c, POLLIN, 0 };
                                isconn[n++] = 1;
                        }
                }
        }
}

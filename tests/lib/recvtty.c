/*
 * recvtty SOCKET - the other end of --console-socket.
 *
 * Listens on SOCKET, receives the master of one pty, prints what comes out of
 * it and types into it what arrives on standard input. Ends with the console.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void die(const char *what)
{
        fprintf(stderr, "recvtty: %s: %s\n", what, strerror(errno));
        exit(1);
}

static int listen_at(const char *path)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        if (strlen(path) >= sizeof(address.sun_path)) {
                errno = ENAMETOOLONG;
                die(path);
        }
        memcpy(address.sun_path, path, strlen(path) + 1);

        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || bind(fd, (const struct sockaddr *) &address, sizeof(address)) < 0 || listen(fd, 1) < 0)
                die(path);
        return fd;
}

static int receive_fd(int from)
{
        char name[4096]; /* the name of the pty comes with it; nobody needs it here */
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(sizeof(int))];
        } control;
        struct iovec data = { name, sizeof(name) };
        struct msghdr msg = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control,
                              .msg_controllen = sizeof(control) };

        if (recvmsg(from, &msg, MSG_CMSG_CLOEXEC) < 0)
                die("receive");
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
                errno = EBADMSG;
                die("receive");
        }
        int fd;
        memcpy(&fd, CMSG_DATA(c), sizeof(fd));
        return fd;
}

/* 0 at the end; a pty whose last user has gone says EIO. */
static int copy(int from, int to)
{
        char buf[65536];
        ssize_t n = read(from, buf, sizeof(buf));
        if (n <= 0)
                return 0;
        for (ssize_t done = 0; done < n;) {
                ssize_t w = write(to, buf + done, (size_t) (n - done));
                if (w < 0)
                        return 0;
                done += w;
        }
        return 1;
}

int main(int argc, char **argv)
{
        if (argc != 2) {
                fprintf(stderr, "usage: recvtty SOCKET\n");
                return 2;
        }
        int listener = listen_at(argv[1]);
        int connection = accept(listener, NULL, NULL);
        if (connection < 0)
                die("accept");
        int console = receive_fd(connection);

        struct pollfd p[2] = { { console, POLLIN, 0 }, { 0, POLLIN, 0 } };
        while (poll(p, 2, -1) >= 0) {
                if (p[0].revents && !copy(console, 1))
                        break;
                if (p[1].revents && !copy(0, console))
                        p[1].fd = -1; /* the end of what is typed is not the end of the session */
        }
        return 0;
}

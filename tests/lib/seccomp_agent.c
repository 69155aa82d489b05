/*
 * seccomp_agent SOCKET STATE [continue] - a seccomp agent for one container.
 *
 * Listens on SOCKET, writes the state that comes with the listener to STATE, and answers every call that it is asked
 * about with ENOSPC, or lets it continue. Ends with the last process of the container.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void die(const char *what)
{
        fprintf(stderr, "seccomp_agent: %s: %s\n", what, strerror(errno));
        exit(1);
}

static int listen_at(const char *path)
{
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0 || bind(fd, (const struct sockaddr *) &address, sizeof(address)) < 0 || listen(fd, 1) < 0)
                die(path);
        return fd;
}

/* The state is all that comes before the connection is closed. */
static int receive(int from, const char *state)
{
        char text[65536];
        union {
                struct cmsghdr align;
                char room[CMSG_SPACE(sizeof(int))];
        } control = { 0 };
        struct iovec iov = { text, sizeof(text) };
        struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
                              .msg_controllen = sizeof(control) };
        int fd;
        ssize_t n = recvmsg(from, &msg, MSG_CMSG_CLOEXEC);
        struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
        if (!c || c->cmsg_type != SCM_RIGHTS)
                die("no listener came");
        memcpy(&fd, CMSG_DATA(c), sizeof(fd));
        FILE *out = fopen(state, "we");
        if (!out)
                die(state);
        do
                fwrite(text, 1, (size_t) n, out);
        while ((n = read(from, text, sizeof(text))) > 0);
        fclose(out);
        return fd;
}

int main(int argc, char **argv)
{
        if (argc < 3 || argc > 4)
                return 2;
        int on = listen_at(argv[1]), from = accept(on, NULL, NULL);
        if (from < 0)
                die("accept");
        int fd = receive(from, argv[2]);
        for (;;) {
                struct pollfd p = { .fd = fd, .events = POLLIN };
                if (poll(&p, 1, -1) < 0 || (p.revents & POLLHUP))
                        return 0;
                struct seccomp_notif ask;
                memset(&ask, 0, sizeof(ask));
                if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &ask) < 0)
                        continue;
                struct seccomp_notif_resp answer = { .id = ask.id, .error = -ENOSPC };
                if (argc == 4)
                        answer = (struct seccomp_notif_resp){ .id = ask.id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE };
                (void) ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &answer);
        }
}

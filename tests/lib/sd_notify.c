/*
 * sd_notify - both sides of sd_notify(3), for tests.
 *
 *      sd_notify send TEXT...          each is a message to $NOTIFY_SOCKET; \n in it is a newline
 *      sd_notify receive PATH          prints each message with / for newlines; a path with @ is abstract
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int fail(const char *what)
{
        fprintf(stderr, "sd_notify: %s: %s\n", what, strerror(errno));
        return 1;
}

static socklen_t address(const char *path, struct sockaddr_un *to)
{
        *to = (struct sockaddr_un){ .sun_family = AF_UNIX };
        snprintf(to->sun_path, sizeof(to->sun_path), "%s", path);
        socklen_t size = (socklen_t) (offsetof(struct sockaddr_un, sun_path) + strlen(to->sun_path) + (path[0] != '@'));
        if (path[0] == '@')
                to->sun_path[0] = '\0';
        return size;
}

static int send_all(int fd, char **texts)
{
        const char *path = getenv("NOTIFY_SOCKET");
        struct sockaddr_un to;
        if (!path)
                return fail("no NOTIFY_SOCKET");
        socklen_t size = address(path, &to);
        for (; *texts; texts++) {
                for (char *at; (at = strstr(*texts, "\\n"));) {
                        *at = '\n';
                        memmove(at + 1, at + 2, strlen(at + 2) + 1);
                }
                if (sendto(fd, *texts, strlen(*texts), 0, (struct sockaddr *) &to, size) < 0)
                        return fail(path);
        }
        return 0;
}

static int receive_all(int fd, const char *path)
{
        struct sockaddr_un at;
        socklen_t size = address(path, &at);
        if (bind(fd, (struct sockaddr *) &at, size) < 0)
                return fail(path);
        for (;;) {
                char text[4096];
                union {
                        char space[CMSG_SPACE(sizeof(int))];
                        struct cmsghdr align;
                } control;
                struct iovec iov = { text, sizeof(text) - 1 };
                struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
                                      .msg_controllen = sizeof(control) };
                ssize_t n = recvmsg(fd, &msg, 0);
                if (n < 0)
                        return fail("receive");
                text[n] = '\0';
                for (char *p = text; *p; p++)
                        *p = *p == '\n' ? '/' : *p;
                struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
                printf("%s%s\n", text, c ? " with a descriptor" : "");
                fflush(stdout);
                if (c) { /* it is closed when the message has been dealt with */
                        int passed;
                        memcpy(&passed, CMSG_DATA(c), sizeof(passed));
                        close(passed);
                }
        }
}

int main(int argc, char **argv)
{
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return fail("socket");
        if (argc > 2 && strcmp(argv[1], "send") == 0)
                return send_all(fd, argv + 2);
        if (argc == 3 && strcmp(argv[1], "receive") == 0)
                return receive_all(fd, argv[2]);
        fprintf(stderr, "usage: sd_notify send TEXT... | receive PATH\n");
        return 2;
}

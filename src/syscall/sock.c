#include <net/if.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "syscall/ret.h"
#include "syscall/sys.h"

ssize_t sys_send(int fd, const void *record, size_t size)
{
        return sys_send_fd(fd, record, size, -1);
}

ssize_t sys_receive(int fd, void *record, size_t size)
{
        long n;
        do
                n = ret(recv(fd, record, size, 0));
        while (n == -EINTR);
        return n;
}

union one_fd {
        struct cmsghdr align;
        char room[CMSG_SPACE(sizeof(int))];
};

ssize_t sys_send_fd(int fd, const void *record, size_t size, int with_fd)
{
        struct iovec iov = { .iov_base = (void *) (uintptr_t) record, .iov_len = size };
        union one_fd control;
        memset(&control, 0, sizeof(control));
        struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
        if (with_fd >= 0) {
                msg.msg_control = &control;
                msg.msg_controllen = sizeof(control);
                struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
                *c = (struct cmsghdr){ CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
                memcpy(CMSG_DATA(c), &with_fd, sizeof(int));
        }
        long n;
        do
                n = ret(sendmsg(fd, &msg, MSG_NOSIGNAL));
        while (n == -EINTR);
        return n;
}

ssize_t sys_receive_fd(int fd, void *record, size_t size, int *ret_fd)
{
        struct iovec iov = { .iov_base = record, .iov_len = size };
        union one_fd control;
        memset(&control, 0, sizeof(control));
        struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
                              .msg_controllen = sizeof(control) };
        long n;
        do
                n = ret(recvmsg(fd, &msg, MSG_CMSG_CLOEXEC));
        while (n == -EINTR);
        if (n < 0)
                return n;
        *ret_fd = -1;
        struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
        if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
                memcpy(ret_fd, CMSG_DATA(c), sizeof(int));
        return n;
}

int sys_accept(int listen_fd)
{
        long fd;
        do
                fd = ret(accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC));
        while (fd == -EINTR || fd == -ECONNABORTED);
        return (int) fd;
}

int sys_loopback_up(void)
{
        int fd = (int) ret(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        if (fd < 0)
                return fd;
        struct ifreq req = { .ifr_name = "lo" };
        int r = sys_ioctl(fd, SIOCGIFFLAGS, &req);
        req.ifr_flags |= IFF_UP | IFF_RUNNING;
        if (r >= 0)
                r = sys_ioctl(fd, SIOCSIFFLAGS, &req);
        (void) sys_close(fd);
        return r;
}

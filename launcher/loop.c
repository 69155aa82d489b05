#include "launcher/loop.h"

#include <errno.h>
#include <sys/epoll.h>

#include "base/cleanup.h"

int loop_open(struct loop *loop, struct error *err)
{
        int fd = epoll_create1(EPOLL_CLOEXEC);
        if (fd < 0)
                return error_set(err, -errno, "create the event loop");
        loop->fd = fd;
        return 0;
}

void loop_close(struct loop *loop)
{
        fd_close(take_fd(&loop->fd));
}

int loop_add(struct loop *loop, struct watch *watch, uint32_t events)
{
        struct epoll_event ev = { .events = events, .data.ptr = watch };
        return epoll_ctl(loop->fd, EPOLL_CTL_ADD, watch->fd, &ev) < 0 ? -errno : 0;
}

void loop_change(struct loop *loop, struct watch *watch, uint32_t events)
{
        struct epoll_event ev = { .events = events, .data.ptr = watch };
        (void) epoll_ctl(loop->fd, EPOLL_CTL_MOD, watch->fd, &ev); /* fails only for a watch that was never added */
}

void loop_drop(struct loop *loop, struct watch *watch)
{
        if (watch->fd < 0)
                return;
        /* Closing is not enough: a spawner may hold a copy of the descriptor for a moment longer. */
        (void) epoll_ctl(loop->fd, EPOLL_CTL_DEL, watch->fd, NULL); /* may never have been added */
        fd_close(take_fd(&watch->fd));
}

int loop_once(struct loop *loop)
{
        struct epoll_event events[64];
        int n = epoll_wait(loop->fd, events, 64, -1);
        if (n < 0)
                return errno == EINTR ? 0 : -errno;
        for (int i = 0; i < n; i++) {
                struct watch *watch = events[i].data.ptr;
                if (watch->fd >= 0)
                        watch->ready(watch, events[i].events);
        }
        return 0;
}

#include "launcher/signals.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const int ours[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGTSTP };

static void ready(struct watch *w, uint32_t events)
{
        (void) events;
        struct signals *s = watch_owner(w, struct signals, watch);
        struct signalfd_siginfo info;
        while (read(w->fd, &info, sizeof(info)) == (ssize_t) sizeof(info))
                s->handle(s->arg, (int) info.ssi_signo);
}

int signals_open(struct signals *s, struct loop *loop, void (*handle)(void *arg, int sig), void *arg,
                 struct error *err)
{
        sigset_t set;
        sigemptyset(&set);
        for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
                sigaddset(&set, ours[i]);
        *s = (struct signals){ .watch = { .ready = ready }, .handle = handle, .arg = arg };
        s->watch.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
        if (s->watch.fd < 0)
                return error_set(err, -errno, "receive signals");
        sigaddset(&set, SIGPIPE);
        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return error_set(err, -errno, "block signals");
        int r = loop_add(loop, &s->watch, EPOLLIN);
        return r < 0 ? error_set(err, r, "wait for signals") : 0;
}

void signals_close(struct signals *s, struct loop *loop)
{
        loop_drop(loop, &s->watch);
}

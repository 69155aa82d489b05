#include "launcher/rank.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int rank_reap(struct rank *r)
{
        siginfo_t info = { 0 };
        struct rusage used = { 0 };
        /* libc's waitid() hides the fifth argument, which tells what the process used. */
        if (syscall(SYS_waitid, P_PIDFD, r->exit.fd, &info, WEXITED | WNOHANG, &used) < 0)
                return -errno;
        if (info.si_pid == 0)
                return -EAGAIN;
        if (info.si_code == CLD_EXITED)
                r->code = info.si_status;
        else
                r->signal = info.si_status;
        r->cpu_us = (uint64_t) (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000u +
                    (uint64_t) (used.ru_utime.tv_usec + used.ru_stime.tv_usec);
        r->max_rss = (uint64_t) used.ru_maxrss * 1024;
        return 0;
}

void rank_describe(const struct rank *r, char *buf, size_t size)
{
        const char *why = r->oom_kills ? ", out of memory" : "";
        if (r->signal)
                snprintf(buf, size, "killed by signal %d (%s)%s", r->signal, strsignal(r->signal), why);
        else
                snprintf(buf, size, "exited with status %d%s%s", r->code, r->early ? " without MPI_Finalize" : "", why);
}

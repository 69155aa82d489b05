#pragma once
/*
 * rank - one instance of a job, from its place in the queue to its end.
 */

#include <sys/types.h>

#include "launcher/loop.h"
#include "launcher/output.h"

enum rank_state {
        RANK_WAITING,           /* for a slot */
        RANK_ASKED,             /* a spawner is at it */
        RANK_RUNNING,
        RANK_ENDED,
        RANK_NOT_STARTED,       /* could not be started, or was not any more */
};

struct rank {
        struct watch exit;      /* its pidfd */
        struct stream out[2];
        void *job;
        uint32_t number;
        uint32_t slot;
        uint8_t state;          /* enum rank_state */
        bool told, killed;      /* SIGTERM, SIGKILL was sent: how it ends is our doing */
        pid_t pid;              /* 0: never ran */
        bool early;             /* MPI: left without MPI_Finalize() */
        int code, signal;       /* exit status, or the signal that ended it (0: none) */
        uint64_t started_ns, ended_ns;
        uint64_t cpu_us, max_rss;       /* with its children; bytes, of the largest process */
        uint64_t memory_peak;   /* bytes; 0: unknown */
        uint64_t oom_kills;
        char label[16];         /* "[7] ", or "" */
};

#define RANK_INIT ((struct rank){ .exit = WATCH_INIT, .out = { { .watch = WATCH_INIT }, { .watch = WATCH_INIT } } })

/* As a shell would say it; a rank that left its peers alone has failed, whatever it says itself. */
static inline int rank_status(const struct rank *r)
{
        return r->signal ? 128 + r->signal : r->code ? r->code : r->early;
}

/* Take the exit status and what was used. -EAGAIN: it runs still. */
int rank_reap(struct rank *r) MUST_CHECK;

/* "exited with status 3", "killed by signal 11 (Segmentation fault)" */
void rank_describe(const struct rank *r, char *buf, size_t size);

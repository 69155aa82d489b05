#pragma once
/*
 * wire - MPI wire-up: the launcher as the PMIx server of its ranks.
 *
 * Hides libpmix (and its progress thread) behind plain data. Start it after the
 * spawners were forked: no process with this library's threads may clone ranks.
 *
 *      struct wire_job job = { .size = 4, .local = 4, ... };
 *      auto_wire struct wire *w = NULL;
 *      wire_start(&job, &w, &err);
 *      char **env = NULL;
 *      wire_rank_env(w, rank, &env, &err);     // PMIX_*, for the rank's environment
 *      ...  epoll on wire_event_fd(w); wire_next_event(w, &ev)
 *
 * One server per job and node. libpmix 4.2 cannot be client and server in one
 * process; the client of an upper PMIx (Slurm's) is a process of its own.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"

struct wire;

struct wire_job {
        const char *name;       /* PMIx namespace: unique on this machine, < 256 bytes */
        const char *hostname;
        const char *dir;        /* server's directory; the ranks see it at the same path */
        unsigned size;          /* ranks of the job, all of them on this node for now */
        uid_t uid;              /* as seen inside: psec/native compares */
        gid_t gid;
        const char *const *cpu_lists;   /* size entries, or NULL: where each rank is bound (PMIX_CPUSET) */
};

int wire_start(const struct wire_job *job, struct wire **ret, struct error *err) MUST_CHECK;

/* Register the rank and get the variables it needs ("NAME=value", NULL-terminated,
 * one malloc()ed block for the vector and each string; free with wire_env_free). */
int wire_rank_env(struct wire *wire, unsigned rank, char ***ret_env, struct error *err) MUST_CHECK;
void wire_env_free(char **env);

enum wire_event_kind { WIRE_ABORT };    /* a rank called MPI_Abort / PMIx_Abort */
struct wire_event {
        enum wire_event_kind kind;
        unsigned rank;
        int status;
        char message[256];
};

/* Readable while events are waiting (an eventfd). Borrowed. */
int wire_event_fd(const struct wire *wire);
/* 1 and the event, or 0 if none is waiting. Never blocks. */
int wire_next_event(struct wire *wire, struct wire_event *ret);

/* Stop serving and remove what the server put into `dir`. */
void wire_stop(struct wire *wire);
CLEANUP_DEFINE(struct wire *, wire_stop)
#define auto_wire CLEANUP(wire_stop)

/* False in a build without PMIx: wire_start() then fails with one line that says so. */
bool wire_available(void);

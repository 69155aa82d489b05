#pragma once
/*
 * wire - MPI wire-up: the launcher as the PMIx server of its ranks.
 *
 * Hides libpmix (and its two threads) behind plain data. Start it after the
 * spawners were forked: no process with this library's threads may clone ranks.
 *
 *      struct wire_job job = { .name = "berth.4711", .size = 4, ... };
 *      auto_wire struct wire *w = NULL;
 *      wire_start(&job, &w, &err);
 *      char **env = NULL;
 *      wire_rank_env(w, rank, &env, &err);     // add to what config.json says
 *      ...  epoll on wire_event_fd(w); while (wire_next_event(w, &ev)) ...
 *      // all ranks ended
 *      wire_stop(w);
 *
 * One server per process, once: libpmix keeps its state in globals and does not
 * listen a second time. It also cannot be client and server in one process; the
 * client of an upper PMIx (Slurm's) is a process of its own.
 *
 * What the ranks need from the container: the network namespace of the server
 * (it listens on 127.0.0.1 only) and `dir` at the same path, writable (locks).
 * Without `dir` libpmix 4.2 complains with one line per rank and sends messages
 * instead of sharing memory.
 *
 * Not thread-safe: one thread, the launcher's loop, calls these functions.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"

struct wire;

/* Read by wire_start() only; nothing of it has to live longer. */
struct wire_job {
        const char *name;       /* PMIx namespace: unique on this machine, < 256 bytes, no '/' */
        const char *hostname;   /* of this node in the node map */
        const char *dir;        /* absolute, exists, ours alone: the server's files; the ranks see it at this path */
        unsigned size;          /* ranks of the job, all of them on this node for now */
        uid_t uid;              /* effective ids of a rank as it sees itself: see PMIX_MCA_psec below */
        gid_t gid;
        uid_t outside_uid;      /* the same user as we see it; if we are root, the shared files are given to it */
        const char *const *cpu_lists;   /* NULL, or size entries: "0-3,8", where a rank is bound; "": it is not */
};

/*
 * Start to serve all ranks. Changes our own environment: PMIX_* (but PMIX_MCA_*, which is
 * the user's) is removed, since libpmix takes the words of a server above us for its own.
 *
 * Ranks are taken at their word (PMIX_MCA_psec=none, unless the environment says
 * otherwise). "native" would compare `uid` and `gid` with what the rank says of
 * itself over TCP: no protection, but a container whose entry point changes the user
 * would be refused, and libpmix 4.2.2 hangs after a refusal.
 *
 * -EINVAL: a field of the job; -EBUSY: not the first server of this process;
 * -ENOSYS: built without PMIx; -ENOENT and the like: `dir`; -EIO: libpmix, in its words.
 */
int wire_start(const struct wire_job *job, struct wire **ret, struct error *err) MUST_CHECK;

/* The variables a rank needs ("NAME=value", NULL-terminated, the vector and each
 * string malloc()ed; free with wire_env_free). -EINVAL: no such rank. */
int wire_rank_env(struct wire *wire, unsigned rank, char ***ret_env, struct error *err) MUST_CHECK;
void wire_env_free(char **env);

/* True for "NAME=value" or "NAME" that speaks of some other server or launcher (PMIX_*, PMI_*, ...)
 * and must not reach our ranks from the launcher's environment or from config.json. */
bool wire_env_is_foreign(const char *assignment);

enum wire_event_kind { WIRE_ABORT };    /* a rank called MPI_Abort / PMIx_Abort */
struct wire_event {
        enum wire_event_kind kind;
        unsigned rank;
        int status;
        char message[256];      /* from the rank: cut to length, printable, may be "" */
};

/* Readable while events are waiting (an eventfd). Borrowed. */
int wire_event_fd(const struct wire *wire);
/* 1 and the event, or 0 if none is waiting. Never blocks. A rank aborts at most once:
 * what it says after that is dropped, so a rank cannot fill our memory. */
int wire_next_event(struct wire *wire, struct wire_event *ret);

/*
 * How far a rank has come. One that ended while it was CONNECTED left without
 * MPI_Finalize(), even if with status 0: the others may wait for it for ever.
 */
enum wire_rank_state {
        WIRE_RANK_SILENT,       /* has not called MPI_Init (yet); maybe it is no MPI program */
        WIRE_RANK_CONNECTED,
        WIRE_RANK_FINALIZED,
};
enum wire_rank_state wire_rank_state(struct wire *wire, unsigned rank);

/*
 * Stop serving and empty `dir`. The ranks must have ended: they may write to `dir`.
 * Takes milliseconds, and two seconds if libpmix hangs; its threads are left behind then,
 * and the process should end soon.
 */
void wire_stop(struct wire *wire);
CLEANUP_DEFINE(struct wire *, wire_stop)
#define auto_wire CLEANUP(wire_stop)

/* False in a build without PMIx: wire_start() then fails with one line that says so. */
bool wire_available(void);

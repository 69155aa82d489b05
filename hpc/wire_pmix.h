#pragma once
/*
 * wire_pmix - what the three parts of the PMIx server share. For hpc/wire_pmix*.c only.
 *
 *      wire_pmix.c         life of the server, environment of the ranks, events
 *      wire_pmix_info.c    what the server tells its ranks about the job
 *      wire_pmix_serve.c   what the ranks ask: runs in libpmix's progress thread
 *
 * The callbacks get no pointer of ours for fences and direct modex, so there is
 * one static `struct wire *` in wire_pmix_serve.c; hence one server per process.
 */

#include <pmix.h>
#include <pmix_server.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "hpc/wire.h"

/*
 * What the progress thread tells the launcher's loop. Room for one abort of each
 * rank is taken beforehand, so the progress thread neither allocates nor waits:
 * the lock is held for the copy of one event.
 */
struct wire_news {
        pthread_mutex_t lock;
        int fd;                         /* eventfd: readable while n_read < n_written */
        struct wire_event *events;      /* `size` of them */
        size_t n_written, n_read;
        struct wire_rank {
                enum wire_rank_state state;
                bool aborted;
        } *ranks;
};

struct wire {
        /* constant while the server runs; read by both threads */
        pmix_nspace_t name;             /* a whole one: libpmix copies all of its 256 bytes */
        unsigned size;

        struct wire_news news;

        /* the launcher's thread only */
        int dir_fd;
        bool serving;                   /* PMIx_server_init() succeeded */
};

/* A growing pmix_info_t array. Remembers the first failure, like struct str. */
struct wire_infos {
        pmix_info_t *at;
        size_t n, room;
        int failed;                     /* negative errno */
};

#define WIRE_INFOS_INIT ((struct wire_infos){ 0 })

void wire_infos_clear(struct wire_infos *infos);
static inline void wire_infos_clear_p(struct wire_infos *infos) { wire_infos_clear(infos); }
#define auto_wire_infos CLEANUP(wire_infos_clear)

/* The words for PMIx_server_init(). */
void wire_server_info(struct wire_infos *infos, const struct wire_job *job);
/* The words for PMIx_server_register_nspace(); the server must run (it knows the machine). */
int wire_job_info(struct wire_infos *infos, const struct wire_job *job, struct error *err) MUST_CHECK;

/* The callbacks; they serve `wire` from now on (NULL: nobody). Set it before PMIx_server_init()
 * and clear it after PMIx_server_finalize(): the creation and the end of the thread order the accesses. */
pmix_server_module_t *wire_server_module(struct wire *wire);

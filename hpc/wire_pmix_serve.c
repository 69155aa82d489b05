/*
 * What the ranks ask of the server. All of this runs in libpmix's progress
 * thread, which serves every rank: nothing here may wait, allocate without
 * need, or touch what belongs to the launcher's loop. An answer that takes
 * time is given later, by calling `done` from whoever got it.
 */
#include "hpc/wire_pmix.h"

#include <string.h>
#include <sys/eventfd.h>

/* The one static variable of this folder: see wire_pmix.h. */
static struct wire *served;

static bool is_our_job(const pmix_proc_t *proc)
{
        return served && strncmp(proc->nspace, served->name, sizeof(served->name)) == 0;
}

static bool is_our_rank(const pmix_proc_t *proc) { return is_our_job(proc) && proc->rank < served->size; }

/* A rank waits in PMIx_Init(), PMIx_Finalize() or PMIx_Abort() for the answer: what it said
 * is noted before it can exit. */
static pmix_status_t note_state(const pmix_proc_t *proc, enum wire_rank_state state)
{
        if (is_our_rank(proc)) {        /* libpmix lets nobody else come this far */
                struct wire_news *news = &served->news;
                pthread_mutex_lock(&news->lock);
                news->ranks[proc->rank].state = state;
                pthread_mutex_unlock(&news->lock);
        }
        return PMIX_OPERATION_SUCCEEDED;
}

static pmix_status_t on_connected(const pmix_proc_t *proc, void *object, pmix_op_cbfunc_t done, void *data)
{
        (void) object;
        (void) done;
        (void) data;
        return note_state(proc, WIRE_RANK_CONNECTED);   /* never a refusal: see deregister_job() */
}

static pmix_status_t on_finalized(const pmix_proc_t *proc, void *object, pmix_op_cbfunc_t done, void *data)
{
        (void) object;
        (void) done;
        (void) data;
        return note_state(proc, WIRE_RANK_FINALIZED);
}

/* The text comes from inside a container and may end up on a terminal. */
static void copy_printable(char *to, size_t room, const char *from)
{
        size_t n = 0;
        for (; from && from[n] && n + 1 < room; n++) {
                unsigned char c = (unsigned char) from[n];
                to[n] = c < 0x20 || c == 0x7f ? ' ' : from[n];
        }
        to[n] = '\0';
}

static pmix_status_t on_abort(const pmix_proc_t *proc, void *object, int status, const char message[],
                              pmix_proc_t procs[], size_t n_procs, pmix_op_cbfunc_t done, void *data)
{
        (void) object;
        (void) procs;   /* whoever was meant: an MPI job that lost a rank is lost */
        (void) n_procs;
        (void) done;
        (void) data;
        if (!is_our_rank(proc))
                return PMIX_ERR_NOT_FOUND;

        struct wire_news *news = &served->news;
        pthread_mutex_lock(&news->lock);
        if (!news->ranks[proc->rank].aborted) {
                news->ranks[proc->rank].aborted = true;
                struct wire_event *event = &news->events[news->n_written++];
                *event = (struct wire_event){ .kind = WIRE_ABORT, .rank = proc->rank, .status = status };
                copy_printable(event->message, sizeof(event->message), message);
                (void) eventfd_write(news->fd, 1);      /* cannot fail: non-blocking and far from overflow */
        }
        pthread_mutex_unlock(&news->lock);
        return PMIX_OPERATION_SUCCEEDED;
}

static bool all_local(const pmix_proc_t procs[], size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (!is_our_rank(&procs[i]) && !(is_our_job(&procs[i]) && procs[i].rank == PMIX_RANK_WILDCARD))
                        return false;
        return n > 0;
}

/*
 * Every local participant has arrived and `blob` is what they put. libpmix
 * finishes purely local fences by itself and does not ask, but may (its
 * parameter pmix_server_fence_localonly_opt): then there is nobody to wait for,
 * and the ranks' data is in the server already.
 *
 * A fence over more nodes goes from here to the relay's thread, which exchanges
 * the blobs with the other launchers and calls done() with all of them, one after the other.
 */
static pmix_status_t on_fence(const pmix_proc_t procs[], size_t n_procs, const pmix_info_t info[], size_t n_info,
                              char *blob, size_t blob_size, pmix_modex_cbfunc_t done, void *data)
{
        (void) info;
        (void) n_info;
        (void) blob;
        (void) blob_size;
        if (!all_local(procs, n_procs))
                return PMIX_ERR_NOT_SUPPORTED;
        if (done)
                done(PMIX_SUCCESS, NULL, 0, data, NULL, NULL);
        return PMIX_SUCCESS;
}

/*
 * Somebody wants the data of a rank that is not on this node. While all are
 * here, such a rank does not exist; later the launcher that owns it is asked.
 */
static pmix_status_t on_direct_modex(const pmix_proc_t *proc, const pmix_info_t info[], size_t n_info,
                                     pmix_modex_cbfunc_t done, void *data)
{
        (void) proc;
        (void) info;
        (void) n_info;
        (void) done;
        (void) data;
        return PMIX_ERR_NOT_FOUND;
}

/* Open MPI registers for events in MPI_Init() and gives up if that fails; we have none to send. */
static pmix_status_t on_register_events(pmix_status_t *codes, size_t n_codes, const pmix_info_t info[],
                                        size_t n_info, pmix_op_cbfunc_t done, void *data)
{
        (void) codes;
        (void) n_codes;
        (void) info;
        (void) n_info;
        (void) done;
        (void) data;
        return PMIX_OPERATION_SUCCEEDED;
}

static pmix_status_t on_deregister_events(pmix_status_t *codes, size_t n_codes, pmix_op_cbfunc_t done, void *data)
{
        (void) codes;
        (void) n_codes;
        (void) done;
        (void) data;
        return PMIX_OPERATION_SUCCEEDED;
}

pmix_server_module_t *wire_server_module(struct wire *wire)
{
        /* not const: the library's prototype is not; it copies the table */
        static pmix_server_module_t module = {
                .client_connected = on_connected,
                .client_finalized = on_finalized,
                .abort = on_abort,
                .fence_nb = on_fence,
                .direct_modex = on_direct_modex,
                .register_events = on_register_events,
                .deregister_events = on_deregister_events,
        };
        served = wire;
        return &module;
}

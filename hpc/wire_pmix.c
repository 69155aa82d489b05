/* The life of the PMIx server; libpmix 4.2 or newer. */
#include "hpc/wire_pmix.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/str.h"
#include "hpc/wire_dir.h"

bool wire_available(void) { return true; }

static int check_job(const struct wire_job *job, struct error *err)
{
        if (job->size == 0 || job->size > UINT16_MAX)   /* PMIX_LOCAL_RANK has 16 bits */
                return error_say(err, -EINVAL, "%u ranks: PMIx serves 1 to %u on a node", job->size, UINT16_MAX);
        /* the name becomes a file name in `dir` */
        size_t length = job->name ? strlen(job->name) : 0;
        if (length == 0 || length > PMIX_MAX_NSLEN || strchr(job->name, '/') || job->name[0] == '.')
                return error_say(err, -EINVAL,
                                 "PMIx job name \"%s\": 1 to %d bytes without '/' and without '.' in front are wanted",
                                 job->name ? job->name : "", PMIX_MAX_NSLEN);
        /* ',' and ';' separate nodes and ranks in the maps */
        if (!job->hostname || !*job->hostname || strpbrk(job->hostname, ",;"))
                return error_say(err, -EINVAL, "host name \"%s\": not a name PMIx can put into its node map",
                                 job->hostname ? job->hostname : "");
        if (!job->dir || job->dir[0] != '/')
                return error_say(err, -EINVAL, "PMIx directory \"%s\": an absolute path is wanted",
                                 job->dir ? job->dir : "");
        return 0;
}

static int open_news(struct wire_news *news, unsigned size)
{
        news->events = calloc(size, sizeof(*news->events));
        news->ranks = calloc(size, sizeof(*news->ranks));
        if (!news->events || !news->ranks)
                return -ENOMEM;
        news->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        return news->fd < 0 ? -errno : 0;
}

static int new_wire(const struct wire_job *job, struct wire **ret, struct error *err)
{
        auto_wire struct wire *wire = calloc(1, sizeof(*wire));
        if (!wire)
                return error_set(err, -ENOMEM, "PMIx server");
        wire->dir_fd = wire->news.fd = -1;
        pthread_mutex_init(&wire->news.lock, NULL);
        memcpy(wire->name, job->name, strlen(job->name));
        wire->size = job->size;

        int r = open_news(&wire->news, job->size);
        if (r < 0)
                return error_set(err, r, "memory for %u ranks", job->size);
        wire->dir_fd = open(job->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (wire->dir_fd < 0)
                return error_set(err, -errno, "PMIx directory %s", job->dir);
        *ret = take_ptr(&wire);
        return 0;
}

/* Words of a server above us (rendezvous, security mode, directories) that libpmix would obey. */
static int forget_upper_server(void)
{
        for (char **e = environ; *e;) {
                if (!str_starts(*e, "PMIX_") || str_starts(*e, "PMIX_MCA_")) {
                        e++;
                        continue;
                }
                auto_free char *name = strndup(*e, strcspn(*e, "="));
                if (!name || unsetenv(name) < 0)
                        return -ENOMEM;
                e = environ;
        }
        return 0;
}

static pmix_status_t init_server(struct wire *wire, const struct wire_job *job)
{
        auto_wire_infos struct wire_infos infos = WIRE_INFOS_INIT;
        wire_server_info(&infos, job);
        if (infos.failed)
                return PMIX_ERR_NOMEM;

        /* why "none": wire.h, wire_start() */
        bool chosen = getenv("PMIX_MCA_psec");
        if (!chosen && setenv("PMIX_MCA_psec", "none", 1) < 0)
                return PMIX_ERR_NOMEM;
        /* its threads inherit our mask: with all signals blocked none can be delivered to them */
        sigset_t all, before;
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        pmix_status_t status = PMIx_server_init(wire_server_module(wire), infos.at, infos.n);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        if (!chosen)
                (void) unsetenv("PMIX_MCA_psec");       /* fails for bad names only */
        wire->serving = status == PMIX_SUCCESS;
        return status;
}

/*
 * The job and all its ranks, before any rank runs. These calls wait for the
 * progress thread; once ranks can talk to it nothing of ours waits for it any more.
 * Without a callback libpmix itself waits and says OPERATION_SUCCEEDED.
 */
static int register_job(struct wire *wire, const struct wire_job *job, struct error *err)
{
        auto_wire_infos struct wire_infos infos = WIRE_INFOS_INIT;
        int r = wire_job_info(&infos, job, err);
        if (r < 0)
                return r;
        pmix_status_t status = PMIx_server_register_nspace(wire->name, (int) job->size, infos.at, infos.n, NULL, NULL);
        if (status != PMIX_SUCCESS && status != PMIX_OPERATION_SUCCEEDED)
                return error_say(err, -EIO, "register job %s with PMIx: %s", job->name, PMIx_Error_string(status));

        for (unsigned rank = 0; rank < job->size; rank++) {
                pmix_proc_t proc;
                PMIX_LOAD_PROCID(&proc, wire->name, rank);
                status = PMIx_server_register_client(&proc, job->uid, job->gid, NULL, NULL, NULL);
                if (status != PMIX_SUCCESS && status != PMIX_OPERATION_SUCCEEDED)
                        return error_say(err, -EIO, "register rank %u with PMIx: %s", rank, PMIx_Error_string(status));
        }
        return 0;
}

int wire_start(const struct wire_job *job, struct wire **ret, struct error *err)
{
        static bool spent;      /* libpmix 4.2 never listens again: `setup_complete` in its ptl_base_listener.c */

        int r = check_job(job, err);
        if (r < 0)
                return r;
        if (spent)
                return error_say(err, -EBUSY, "a process can start the PMIx server once; this one did already");

        auto_wire struct wire *wire = NULL;
        r = new_wire(job, &wire, err);
        if (r < 0 || !wire)
                return r;
        r = forget_upper_server();
        if (r < 0)
                return error_set(err, r, "remove PMIX_* from the environment");

        spent = true;
        pmix_status_t status = init_server(wire, job);
        if (status != PMIX_SUCCESS)
                return error_say(err, -EIO, "start the PMIx server in %s: %s", job->dir, PMIx_Error_string(status));

        r = register_job(wire, job, err);
        if (r < 0)
                return r;
        *ret = take_ptr(&wire);
        return 0;
}

/*
 * Open MPI 4 takes a process with PMIX_* for a singleton, silently, unless it
 * knows who launched it. A JSM port, whatever its value, says "launched directly
 * and bound by somebody else". It also outranks Slurm's word (orte/mca/schizo:
 * 80 to 50), which would need SLURM_* in the container. Open MPI 5 does not look at it.
 */
static const char direct_launch[] = "JSM_JSRUN_PORT=1";

int wire_rank_env(struct wire *wire, unsigned rank, char ***ret_env, struct error *err)
{
        if (rank >= wire->size)
                return error_say(err, -EINVAL, "rank %u of a job of %u", rank, wire->size);
        pmix_proc_t proc;
        PMIX_LOAD_PROCID(&proc, wire->name, rank);

        /* an empty vector to begin with: nothing of our own environment can slip in */
        char **env = NULL;
        pmix_status_t status = PMIx_server_setup_fork(&proc, &env);
        if (status == PMIX_SUCCESS)
                PMIX_ARGV_APPEND(status, env, direct_launch);
        if (status != PMIX_SUCCESS) {
                wire_env_free(env);
                return error_say(err, -EIO, "environment of rank %u from PMIx: %s", rank, PMIx_Error_string(status));
        }
        *ret_env = env;
        return 0;
}

int wire_event_fd(const struct wire *wire) { return wire->news.fd; }

int wire_next_event(struct wire *wire, struct wire_event *ret)
{
        struct wire_news *news = &wire->news;
        int found = 0;
        pthread_mutex_lock(&news->lock);
        if (news->n_read < news->n_written) {
                *ret = news->events[news->n_read++];
                found = 1;
        }
        if (news->n_read == news->n_written) {
                eventfd_t count;
                (void) eventfd_read(news->fd, &count);  /* -EAGAIN if it was quiet already */
        }
        pthread_mutex_unlock(&news->lock);
        return found;
}

enum wire_rank_state wire_rank_state(struct wire *wire, unsigned rank)
{
        if (rank >= wire->size)
                return WIRE_RANK_SILENT;
        pthread_mutex_lock(&wire->news.lock);
        enum wire_rank_state state = wire->news.ranks[rank].state;
        pthread_mutex_unlock(&wire->news.lock);
        return state;
}

static void on_deregistered(pmix_status_t status, void *data)
{
        (void) status;
        (void) eventfd_write((int) (intptr_t) data, 1); /* whoever waits times out if this fails */
}

/*
 * False if the progress thread does not answer any more. It can hang: libpmix
 * 4.2.2 releases its record of a rank once too often when it refuses a connection
 * (ptl_base_connection_hdlr.c), and later waits for a lock in freed memory.
 */
static bool deregister_job(struct wire *wire)
{
        enum { PATIENCE_MS = 2000 };
        int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (fd < 0)
                return false;
        PMIx_server_deregister_nspace(wire->name, on_deregistered, (void *) (intptr_t) fd);
        struct pollfd answer = { .fd = fd, .events = POLLIN };
        int n;
        do
                n = poll(&answer, 1, PATIENCE_MS);
        while (n < 0 && errno == EINTR);
        if (n == 1)
                fd_close(fd);   /* else it stays open: the answer may still come */
        return n == 1;
}

void wire_stop(struct wire *wire)
{
        if (!wire)
                return;
        /* First by us: libpmix removes its files by path, and a rank could have left a link in their place. */
        wire_dir_empty(wire->dir_fd);
        if (wire->serving) {
                if (!deregister_job(wire))
                        return; /* and `wire` stays, for callbacks that may still come */
                (void) PMIx_server_finalize();  /* nothing to be done about a failure */
                wire_dir_empty(wire->dir_fd);
        }
        (void) wire_server_module(NULL);
        fd_close(wire->dir_fd);
        fd_close(wire->news.fd);
        pthread_mutex_destroy(&wire->news.lock);
        free(wire->news.events);
        free(wire->news.ranks);
        free(wire);
}

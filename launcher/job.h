#pragma once
/*
 * job - all instances of one launch: started, watched, and counted.
 *
 * job_prepare.c makes everything that has to be there first; job.c is the life
 * of the job (jobstate.h) in one event loop; job_start.c starts ranks. Handlers of
 * the loop only note what happened. After each round job_turn() moves the
 * state on and calls its action.
 */

#include "base/log.h"
#include "hpc/place.h"
#include "hpc/wire.h"
#include "launcher/holder.h"
#include "launcher/jobclass.h"
#include "launcher/jobdir.h"
#include "launcher/jobgroup.h"
#include "launcher/jobstate.h"
#include "launcher/options.h"
#include "launcher/rank.h"
#include "launcher/rank_devices.h"
#include "launcher/signals.h"
#include "launcher/spawner.h"
#include "spec/spec.h"

/* How many failing ranks are told of at once; the report has them all. */
#define FAILURES_SHOWN 5u

struct job {
        const struct launch_options *options;
        char id[STATE_ID_MAX + 1];
        char *bundle;                   /* absolute */
        struct host host;
        struct spec *spec;
        struct placement *placement;
        struct rank_devices devices;    /* n 0: none are dealt out, all instances have the same plan */
        struct error warning;           /* of preparing: what does not keep the job from running; code 0: nothing */

        struct log listener;            /* of --debug */
        const struct log *log;          /* NULL: nobody listens */
        struct loop loop;
        struct signals signals;
        struct output output;
        struct watch kill_timer;        /* --kill-wait */
        struct watch tick;              /* the status line; not watched without a terminal */
        struct watch wire_watch;

        struct spawner_job spawner_job;
        struct spawner *spawner;
        unsigned n_spawners;
        struct holder holder;
        struct jobgroup group;
        struct jobclass class;
        struct jobdir dir;
        struct wire *wire;
        int null_fd;                    /* everybody's stdin */

        struct rank *rank;
        unsigned n;
        uint32_t *free_slot;            /* a ring: first come, first served */
        size_t n_slots, free_first, n_free;

        enum job_state state;
        unsigned next;                  /* the first rank that was not asked for */
        unsigned asked, running, ended, not_started;
        unsigned failed, stopped;       /* of those that ended: by themselves with a status, or by our signal */
        unsigned shown;                 /* failures that were told of */
        unsigned interrupts;            /* not yet taken into account */
        bool failure, timeout;          /* the same */
        bool stopping;          /* the timer of --kill-wait runs */
        int signal;                     /* the first that asked us to stop; 0: none */
        int abort_status;               /* a rank aborted the job; -1: none did */
        bool lost;                      /* a spawner is gone, or a rank could not be started */
        uint64_t started_ns, ended_ns;
        char started[64];               /* as people read it */
};

#define JOB_INIT                                                                                                \
        ((struct job){ .loop = LOOP_INIT, .kill_timer = WATCH_INIT, .tick = WATCH_INIT, .wire_watch = WATCH_INIT, \
                       .signals = { .watch = WATCH_INIT }, .holder = HOLDER_INIT, .group = JOBGROUP_INIT,       \
                       .class = JOBCLASS_INIT,                                                                   \
                       .dir = JOBDIR_INIT, .null_fd = -1, .abort_status = -1,                                   \
                       .output = { .sink = { { .watch = WATCH_INIT }, { .watch = WATCH_INIT } } } })

/* Everything up to the first rank. On failure job_close() clears up what was made. */
int job_prepare(struct job *job, const struct launch_options *options, char **environ_, struct error *err) MUST_CHECK;

/* From the first rank to the last, and until everything is written. The exit status of the launcher. */
int job_run(struct job *job);

void job_close(struct job *job);

uint64_t job_now_ns(void);

/* ---- between the files of job.h ---- */

/* job.c: the loop with its signals, timers and outputs. */
int job_open_loop(struct job *job, struct error *err) MUST_CHECK;

/* job_debug.c: what --debug tells of the job and of its ranks. */
void job_debug_open(struct job *job);
void job_debug_asked(const struct job *job, const struct rank *r, const struct spawner *s);
void job_debug_ended(const struct job *job, const struct rank *r);

/* job_start.c: start ranks while there are slots and spawners; idempotent. */
void job_start_ranks(struct job *job);
void job_spawner_ready(struct watch *w, uint32_t events);

/* job_end.c: what happens when ranks end. */
void job_rank_ready(struct watch *w, uint32_t events);
void job_tell_ranks(struct job *job, int sig);
void job_free_slot(struct job *job, uint32_t slot);
void job_wire_ready(struct watch *w, uint32_t events);
int job_status(const struct job *job);

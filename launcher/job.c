#include "launcher/job.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "launcher/report.h"

#define TICK_NS 250000000

uint64_t job_now_ns(void)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000000u + (uint64_t) t.tv_nsec;
}

/* ---- the actions of the states: idempotent ---- */

static void no_action(struct job *job)
{
        (void) job;
}

static void start_kill_timer(struct job *job)
{
        uint64_t ms = job->options->kill_wait_ms;
        struct itimerspec when = { .it_value = { (time_t) (ms / 1000), (long) (ms % 1000) * 1000000 } };
        if (ms == 0)
                when.it_value.tv_nsec = 1; /* zero would mean never */
        if (timerfd_settime(job->kill_timer.fd, 0, &when, NULL) < 0)
                job->timeout = true;
}

static void stop_ranks(struct job *job)
{
        job_tell_ranks(job, SIGTERM);
        if (!job->stopping)
                start_kill_timer(job);
        job->stopping = true;
}

static void kill_ranks(struct job *job)
{
        job_tell_ranks(job, SIGKILL);
        holder_kill(&job->holder);
}

static void (*const actions[JOB_STATES])(struct job *job) = {
        [JOB_PLACING] = no_action,   [JOB_STARTING] = job_start_ranks, [JOB_RUNNING] = no_action,
        [JOB_STOPPING] = stop_ranks, [JOB_KILLING] = kill_ranks,       [JOB_DONE] = no_action,
};

/* ---- what happened, as events ---- */

/* One event that is due, if any. Facts stay true until the state has taken them in. */
static bool next_event(struct job *job, enum job_event *ret)
{
        bool idle = job->asked == 0 && job->running == 0;
        bool all = job->next == job->n;
        if (job->failure && job->state < JOB_STOPPING) {
                *ret = EV_FAILURE;
        } else if (job->interrupts > 0) {
                job->interrupts--;
                *ret = EV_INTERRUPT;
        } else if (job->timeout) {
                job->timeout = false;
                *ret = EV_TIMEOUT;
        } else if (job->state == JOB_STARTING && all && job->asked == 0) {
                *ret = EV_ALL_STARTED;
        } else if (idle && job->state < JOB_DONE && (all || job->state >= JOB_STOPPING)) {
                *ret = EV_LAST_EXITED;
        } else {
                return false;
        }
        return true;
}

/* After each round of the loop: move on as far as it goes, and do what is to be done there. */
static void turn(struct job *job)
{
        enum job_event event;
        actions[job->state](job);
        while (next_event(job, &event)) {
                job->state = jobstate_next(job->state, event);
                log_say(job->log, "job: %s, now %s", jobevent_name(event), jobstate_name(job->state));
                actions[job->state](job);
        }
}

/* ---- the loop ---- */

static void kill_timer_ready(struct watch *w, uint32_t events)
{
        (void) events;
        struct job *job = watch_owner(w, struct job, kill_timer);
        uint64_t n;
        job->timeout |= read(w->fd, &n, sizeof(n)) == (ssize_t) sizeof(n);
}

static void tick_ready(struct watch *w, uint32_t events)
{
        (void) events;
        struct job *job = watch_owner(w, struct job, tick);
        uint64_t n;
        char line[160];
        if (read(w->fd, &n, sizeof(n)) != (ssize_t) sizeof(n) || job->state == JOB_DONE)
                return;
        report_status(job, line, sizeof(line));
        output_status(&job->output, line);
}

/* Stand still as a whole: the instances first, then we. A shell does this with Ctrl-Z. */
static void suspend(struct job *job)
{
        bool frozen = jobgroup_set_frozen(&job->group, true);
        if (!frozen)
                job_tell_ranks(job, SIGSTOP);
        output_status(&job->output, NULL);
        output_flush(&job->output);
        (void) kill(getpid(), SIGSTOP); /* returns when somebody continues us */
        if (frozen)
                (void) jobgroup_set_frozen(&job->group, false); /* the freezer was there a moment ago */
        else
                job_tell_ranks(job, SIGCONT);
}

static void take_signal(void *arg, int sig)
{
        struct job *job = arg;
        switch (sig) {
        case SIGUSR1:
        case SIGUSR2:
                job_tell_ranks(job, sig);
                break;
        case SIGTSTP:
                suspend(job);
                break;
        default:
                job->signal = job->signal ? job->signal : sig;
                job->interrupts++;
        }
}

static int open_timer(struct job *job, struct watch *w, void (*ready)(struct watch *, uint32_t), struct error *err)
{
        *w = (struct watch){ timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), ready };
        int r = w->fd < 0 ? -errno : loop_add(&job->loop, w, EPOLLIN);
        return r < 0 ? error_set(err, r, "make a timer") : 0;
}

int job_open_loop(struct job *job, struct error *err)
{
        bool raw = job->n == 1 && !job->options->label;
        int r = loop_open(&job->loop, err);
        if (r == 0)
                r = signals_open(&job->signals, &job->loop, take_signal, job, err);
        if (r == 0)
                r = output_open(&job->output, &job->loop, raw, err);
        if (r == 0)
                r = open_timer(job, &job->kill_timer, kill_timer_ready, err);
        if (r < 0 || job->options->quiet || !output_is_terminal(&job->output))
                return r;
        r = open_timer(job, &job->tick, tick_ready, err);
        struct itimerspec every = { { 0, TICK_NS }, { 0, TICK_NS } };
        if (r == 0 && timerfd_settime(job->tick.fd, 0, &every, NULL) < 0)
                r = error_set(err, -errno, "set the timer of the status line");
        return r;
}

/* Nothing of the job may be left before its last output is: the pipes end with their writers. */
static void end_processes(struct job *job)
{
        for (unsigned i = 0; i < job->n_spawners; i++)
                spawner_stop(&job->spawner[i], &job->loop);
        holder_stop(&job->holder);
        jobgroup_close(&job->group);
        jobclass_close(&job->class);
        for (unsigned i = 0; i < job->n; i++)
                for (int k = 0; k < 2; k++)
                        output_finish(&job->output, &job->rank[i].out[k]);
}

/* A slow reader gets all the time it needs; but told to stop, we wait for it no longer than for an instance. */
static void write_the_rest(struct job *job)
{
        job->interrupts = 0;
        job->timeout = false;
        if (job->signal)
                start_kill_timer(job);
        output_flush(&job->output);
        while ((output_pending(&job->output) || job->output.open > 0) && job->interrupts == 0 && !job->timeout) {
                if (loop_once(&job->loop) < 0)
                        break;
                output_flush(&job->output);
        }
}

int job_run(struct job *job)
{
        job_debug_open(job);
        job->state = jobstate_next(job->state, EV_PLACED);
        turn(job);
        output_flush(&job->output);
        while (job->state != JOB_DONE) {
                if (loop_once(&job->loop) < 0)
                        break;
                turn(job);
                output_flush(&job->output);
        }
        if (job->wire)          /* an abort may be told later than the exit it led to */
                job_wire_ready(&job->wire_watch, 0);
        job->ended_ns = job_now_ns();
        end_processes(job);
        output_status(&job->output, NULL);
        job->not_started += job->n - job->next;
        int status = job_status(job);
        report_job(job, status);
        write_the_rest(job);
        return status;
}

void job_close(struct job *job)
{
        for (unsigned i = 0; i < job->n_spawners; i++)
                spawner_stop(&job->spawner[i], &job->loop);
        holder_stop(&job->holder);
        jobgroup_close(&job->group);
        loop_drop(&job->loop, &job->wire_watch);
        wire_stop(take_ptr(&job->wire));
        jobdir_close(&job->dir);
        output_close(&job->output);
        signals_close(&job->signals, &job->loop);
        loop_drop(&job->loop, &job->kill_timer);
        loop_drop(&job->loop, &job->tick);
        loop_close(&job->loop);
        fd_close(job->null_fd);
        placement_free(job->placement);
        spec_free(job->spec);
        rank_devices_clear(&job->devices);
        free(job->spawner);
        free(job->rank);
        free(job->free_slot);
        free(job->bundle);
}

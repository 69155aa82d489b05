#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "launcher/job.h"
#include "syscall/sys.h"

void job_free_slot(struct job *job, uint32_t slot)
{
        job->free_slot[(job->free_first + job->n_free) % job->n_slots] = slot;
        job->n_free++;
}

/* Did it fail by itself, and not because the job was being stopped? */
static bool failed_alone(const struct rank *r)
{
        return rank_status(r) != 0 && !r->told && !r->killed;
}

static void tell_of_failure(struct job *job, const struct rank *r)
{
        if (job->shown++ == FAILURES_SHOWN)
                output_say(&job->output, "further failing ranks are only counted");
        if (job->shown > FAILURES_SHOWN)
                return;
        char text[128];
        rank_describe(r, text, sizeof(text));
        output_say(&job->output, "rank %u: %s", r->number, text);
}

void job_rank_ready(struct watch *w, uint32_t events)
{
        (void) events;
        struct rank *r = watch_owner(w, struct rank, exit);
        struct job *job = r->job;
        if (rank_reap(r) == -EAGAIN)
                return;
        r->ended_ns = job_now_ns();
        r->state = RANK_ENDED;
        r->early = job->wire && wire_rank_state(job->wire, r->number) == WIRE_RANK_CONNECTED;
        loop_drop(&job->loop, &r->exit);
        if (jobgroup_has_ranks(&job->group)) {
                struct cgroup_usage used = { 0 };
                jobgroup_rank_done(&job->group, r->number, &used);
                r->memory_peak = used.memory_peak;
                r->oom_kills = used.oom_kills;
        }
        job_debug_ended(job, r);
        if (job->spec->hooks[HOOK_POSTSTOP].n > 0)
                spawner_tell_stopped(&job->spawner[r->number % job->n_spawners], r->number);
        output_finish(&job->output, &r->out[0]);
        output_finish(&job->output, &r->out[1]);
        job->running--;
        job->ended++;
        job_free_slot(job, r->slot);
        if (rank_status(r) != 0 && !failed_alone(r))
                job->stopped++;
        if (!failed_alone(r))
                return;
        job->failed++;
        tell_of_failure(job, r);
        if (job->options->mpi == WIRE_UP_PMIX)
                job->failure = true;
}

/* SIGTERM and SIGKILL go to a rank once, whoever asks; others each time. */
void job_tell_ranks(struct job *job, int sig)
{
        for (unsigned i = 0; i < job->next; i++) {
                struct rank *r = &job->rank[i];
                if (r->state != RANK_RUNNING || (sig == SIGTERM && r->told) || (sig == SIGKILL && r->killed))
                        continue;
                (void) sys_pidfd_kill(r->exit.fd, sig); /* it may have ended: its event is on the way */
                r->told |= sig == SIGTERM;
                r->killed |= sig == SIGKILL;
        }
}

void job_wire_ready(struct watch *w, uint32_t events)
{
        (void) events;
        struct job *job = watch_owner(w, struct job, wire_watch);
        struct wire_event ev;
        while (wire_next_event(job->wire, &ev)) {
                output_say(&job->output, "rank %u: aborts the job with status %d%s%s", ev.rank, ev.status,
                           ev.message[0] ? ": " : "", ev.message);
                if (job->abort_status < 0)
                        job->abort_status = ev.status & 0xff ? ev.status & 0xff : 1;
                job->failure = true;
        }
}

int job_status(const struct job *job)
{
        int highest = 0;
        if (job->signal)
                return 128 + job->signal;
        if (job->lost)
                return 1;
        if (job->abort_status >= 0)
                return job->abort_status;
        for (unsigned i = 0; i < job->n; i++) {
                const struct rank *r = &job->rank[i];
                if (r->state == RANK_ENDED && failed_alone(r) && rank_status(r) > highest)
                        highest = rank_status(r);
        }
        return highest;
}

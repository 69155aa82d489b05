#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "launcher/job.h"

/* Seconds since the job began in front. */
static void say(void *arg, const char *text)
{
        struct job *job = arg;
        uint64_t us = (job_now_ns() - job->started_ns) / 1000;
        output_say(&job->output, "debug %" PRIu64 ".%06" PRIu64 ": %s", us / 1000000, us % 1000000, text);
}

void job_debug_open(struct job *job)
{
        const struct placement *p = job->placement;
        if (!job->options->debug)
                return;
        job->listener = (struct log){ say, job };
        job->log = &job->listener;
        log_say(job->log, "job \"%s\": process %d, %u instances, %zu slots, %s, %u spawners", job->id, (int) getpid(), job->n,
                job->n_slots, p->bound ? "bound" : "not bound", job->n_spawners);
        for (unsigned i = 0; i < job->n_spawners; i++)
                log_say(job->log, "spawner %u: process %d", i, (int) job->spawner[i].pid);
        if (job->group.exists)
                log_say(job->log, "cgroup of the job: \"%s\"; instances without one of their own: \"%s\"", job->group.path,
                        job->group.launch);
        if (job->class.group.fd >= 0)
                log_say(job->log, "class of resctrl of the job: \"%s\"", job->class.group.name);
}

void job_debug_asked(const struct job *job, const struct rank *r, const struct spawner *s)
{
        const struct place_slot *slot = &job->placement->slot[r->slot];
        char path[JOBGROUP_PATH_MAX + 32] = "";
        if (!job->log)
                return;
        if (jobgroup_has_ranks(&job->group))
                jobgroup_rank_path(&job->group, r->number, path, sizeof(path));
        log_say(job->log, "rank %u: slot %u, %s%s, memory: %s %s, cgroup \"%s\": asked of spawner %d", r->number, r->slot,
                job->placement->bound ? "CPUs " : "any CPU", job->placement->bound ? slot->cpu_list : "",
                placement_policy_name(job->placement), job->placement->memory ? slot->numa_list : "",
                *path ? path : job->group.launch, (int) s->pid);
}

void job_debug_ended(const struct job *job, const struct rank *r)
{
        char how[128];
        if (!job->log)
                return;
        rank_describe(r, how, sizeof(how));
        log_say(job->log, "rank %u: process %d %s%s after %" PRIu64 " ms, %" PRIu64 " ms of CPU time, %" PRIu64 " KiB", r->number,
                (int) r->pid, how, r->killed ? ", killed by us" : r->told ? ", told to stop by us" : "",
                (r->ended_ns - r->started_ns) / 1000000, r->cpu_us / 1000, (r->memory_peak ? r->memory_peak : r->max_rss) / 1024);
}

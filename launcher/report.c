#include "launcher/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "launcher/place_job.h"
#include "runtime/jot.h"

void report_status(const struct job *job, char *buf, size_t size)
{
        unsigned waiting = job->n - job->next + job->asked;
        uint64_t seconds = (job_now_ns() - job->started_ns) / 1000000000u;
        snprintf(buf, size, "%s: %u running, %u done, %u failed, %u waiting, %llu s", job->id, job->running, job->ended,
                 job->failed, waiting, (unsigned long long) seconds);
}

struct totals {
        uint64_t cpu_us, max_rss, memory_peak, oom_kills;
};

static struct totals add_up(const struct job *job)
{
        struct totals t = { 0 };
        for (unsigned i = 0; i < job->n; i++) {
                const struct rank *r = &job->rank[i];
                t.cpu_us += r->cpu_us;
                t.oom_kills += r->oom_kills;
                t.max_rss = r->max_rss > t.max_rss ? r->max_rss : t.max_rss;
                t.memory_peak = r->memory_peak > t.memory_peak ? r->memory_peak : t.memory_peak;
        }
        return t;
}

static void say_summary(struct job *job)
{
        struct totals t = add_up(job);
        uint64_t peak = t.memory_peak ? t.memory_peak : t.max_rss;
        char stopped[48] = "", missing[48] = "", oom[64] = "";
        if (job->stopped)
                snprintf(stopped, sizeof(stopped), ", %u stopped", job->stopped);
        if (job->not_started)
                snprintf(missing, sizeof(missing), ", %u not started", job->not_started);
        if (t.oom_kills)
                snprintf(oom, sizeof(oom), ", %llu out-of-memory kills", (unsigned long long) t.oom_kills);
        output_say(&job->output, "%s: %u instances, %u failed%s%s; %.3f s, cpu %.3f s, peak memory %.1f MiB%s", job->id,
                   job->n, job->failed, stopped, missing, (double) (job->ended_ns - job->started_ns) / 1e9,
                   (double) t.cpu_us / 1e6, (double) peak / 1048576.0, oom);
}

/* Microseconds since the start of the job: 0 was not started. */
static int64_t since(const struct job *job, uint64_t ns)
{
        return ns > job->started_ns ? (int64_t) ((ns - job->started_ns) / 1000) : 0;
}

static void jot_rank(struct jot *j, const struct job *job, const struct rank *r)
{
        const struct placement *p = job->placement;
        jot_open(j, NULL, '{');
        jot_number(j, "rank", r->number);
        jot_bool(j, "started", r->pid > 0);
        if (r->pid > 0) {
                jot_number(j, "pid", r->pid);
                jot_number(j, "exit_code", r->signal ? 128 + r->signal : r->code);
                jot_number(j, "signal", r->signal);
                jot_bool(j, "stopped_by_launcher", r->told || r->killed);
                jot_number(j, "start_us", since(job, r->started_ns));
                jot_number(j, "end_us", since(job, r->ended_ns));
                jot_number(j, "cpu_us", (int64_t) r->cpu_us);
                jot_number(j, "max_rss_bytes", (int64_t) r->max_rss);
                if (r->memory_peak)
                        jot_number(j, "memory_peak_bytes", (int64_t) r->memory_peak);
                jot_number(j, "oom_kills", (int64_t) r->oom_kills);
                jot_text(j, "cpus", p && p->bound ? p->slot[r->slot].cpu_list : "");
                jot_text(j, "numa", p && p->memory ? p->slot[r->slot].numa_list : "");
                jot_text(j, "binding", p && p->bound ? p->slot[r->slot].report : "");
                place_job_jot_devices(j, &job->devices, r->slot);
        }
        jot_close(j, '}');
}

char *report_json(const struct job *job, int status)
{
        struct totals t = add_up(job);
        auto_jot struct jot j = JOT_INIT(1);
        jot_open(&j, NULL, '{');
        jot_text(&j, "job", job->id);
        jot_text(&j, "bundle", job->bundle ? job->bundle : "");
        jot_text(&j, "started", job->started);
        jot_number(&j, "status", status);
        jot_number(&j, "instances", job->n);
        jot_number(&j, "failed", job->failed);
        jot_number(&j, "stopped", job->stopped);
        jot_number(&j, "not_started", job->not_started);
        jot_number(&j, "slots", (int64_t) job->n_slots);
        jot_text(&j, "memory_policy", job->placement ? placement_policy_name(job->placement) : "none");
        jot_number(&j, "wall_us", since(job, job->ended_ns));
        jot_number(&j, "cpu_us", (int64_t) t.cpu_us);
        jot_number(&j, "max_rss_bytes", (int64_t) t.max_rss);
        jot_number(&j, "oom_kills", (int64_t) t.oom_kills);
        jot_open(&j, "ranks", '[');
        for (unsigned i = 0; i < job->n; i++)
                jot_rank(&j, job, &job->rank[i]);
        jot_close(&j, ']');
        jot_close(&j, '}');
        return jot_take(&j);
}

static int write_report(const struct job *job, int status)
{
        auto_free char *json = report_json(job, status);
        if (!json)
                return -ENOMEM;
        /* Not replaced by rename: /dev/stderr and pipes are fine as reports. */
        auto_fd int fd = open(job->options->report, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (fd < 0)
                return -errno;
        int r = io_write_all(fd, json, strlen(json));
        return r < 0 ? r : io_write_all(fd, "\n", 1);
}

void report_job(struct job *job, int status)
{
        if (job->options->report) {
                int r = write_report(job, status);
                if (r < 0)
                        output_say(&job->output, "report \"%s\": %s", job->options->report, strerror(-r));
        }
        if (!job->options->quiet)
                say_summary(job);
}

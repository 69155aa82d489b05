#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "launcher/job.h"
#include "syscall/sys.h"

static struct spawner *least_busy(const struct job *job)
{
        struct spawner *best = NULL;
        for (unsigned i = 0; i < job->n_spawners; i++) {
                struct spawner *s = &job->spawner[i];
                if (s->watch.fd >= 0 && s->asked < SPAWNER_DEPTH && (!best || s->asked < best->asked))
                        best = s;
        }
        return best;
}

static void not_started(struct job *job, struct rank *r, const char *why)
{
        r->state = RANK_NOT_STARTED;
        job->not_started++;
        log_say(job->log, "rank %u: not started: %s", r->number, why);
        job_free_slot(job, r->slot);
        /* The first says it; those asked for meanwhile fail for the same reason. */
        if (!job->failure && !job->lost)
                output_say(&job->output, "rank %u: %s", r->number, why);
        job->lost = job->failure = true;
}

static int make_env(const struct job *job, const struct rank *r, struct str *env, struct error *err)
{
        str_addf(env, "BERTH_RANK=%u", r->number);
        str_addn(env, "", 1);
        str_addf(env, "BERTH_LOCAL_RANK=%u", r->number);
        str_addn(env, "", 1);
        if (job->wire) {
                char **more = NULL;
                int code = wire_rank_env(job->wire, r->number, &more, err);
                if (code < 0)
                        return code;
                for (char **p = more; *p; p++)
                        str_addn(env, *p, strlen(*p) + 1);
                wire_env_free(more);
        }
        return str_failed(env) ? error_set(err, -ENOMEM, "make its environment") : 0;
}

static struct plan_bytes text_slot(const char *text)
{
        return (struct plan_bytes){ text, strlen(text) + 1 };
}

static void fill_slots(const struct job *job, const struct rank *r, char *path, size_t size, struct request *q)
{
        const struct place_slot *slot = &job->placement->slot[r->slot];
        if (job->placement->bound) {
                q->slot[SLOT_CPUS] = (struct plan_bytes){ slot->cpus.word, bind_bytes(&slot->cpus) };
                q->slot[SLOT_CPUSET_CPUS] = text_slot(slot->cpu_list);
                q->slot[SLOT_CPUSET_MEMS] = text_slot(slot->mems_list);
        }
        if (job->placement->memory)
                q->slot[SLOT_NUMA] = (struct plan_bytes){ slot->numa.word, bind_bytes(&slot->numa) };
        if (jobgroup_has_ranks(&job->group)) {
                jobgroup_rank_path(&job->group, r->number, path, size);
                q->slot[SLOT_CGROUP] = text_slot(path);
        }
}

/* A pipe of which only our end is non-blocking: the instance's must not be. */
static int make_pipe(int *ret_ours, int *ret_theirs)
{
        int pair[2];
        if (pipe2(pair, O_CLOEXEC) < 0)
                return -errno;
        *ret_ours = pair[0];
        *ret_theirs = pair[1];
        return fcntl(pair[0], F_SETFL, O_NONBLOCK) < 0 ? -errno : 0;
}

/* 0: asked; -EAGAIN: later; else it cannot be. */
static int ask(struct job *job, struct spawner *s, struct rank *r, struct error *err)
{
        auto_fd int our_out = -1;
        auto_fd int our_err = -1;
        auto_fd int out = -1;
        auto_fd int errors = -1;
        auto_str struct str env = STR_INIT;
        char path[JOBGROUP_PATH_MAX + 32];
        struct request q = { .rank = r->number, .pattern = job->devices.n > 0 ? r->slot : 0 };

        int code = make_env(job, r, &env, err);
        if (code < 0)
                return code;
        q.env = (struct plan_bytes){ env.text, env.size };
        fill_slots(job, r, path, sizeof(path), &q);
        code = make_pipe(&our_out, &out);
        if (code == 0)
                code = make_pipe(&our_err, &errors);
        if (code < 0)
                return error_set(err, code, "make a pipe for its output");
        code = spawner_ask(s, &q, (const int[]){ job->null_fd, out, errors }, err);
        if (code < 0)
                return code;
        if (job->options->label)
                snprintf(r->label, sizeof(r->label), "[%u] ", r->number);
        code = output_add(&job->output, &r->out[0], 0, r->label, &our_out, err);
        if (code == 0)
                code = output_add(&job->output, &r->out[1], 1, r->label, &our_err, err);
        /* It will be started, and stopped with the job: its output is lost. */
        return code;
}

void job_start_ranks(struct job *job)
{
        while (job->next < job->n && job->n_free > 0 && !job->failure) {
                struct spawner *s = least_busy(job);
                if (!s)
                        return;
                struct rank *r = &job->rank[job->next];
                struct error err = ERROR_INIT;
                r->slot = job->free_slot[job->free_first];
                int code = ask(job, s, r, &err);
                if (code == -EAGAIN)
                        return;
                job->next++;
                job->n_free--;
                job->free_first = (job->free_first + 1) % job->n_slots;
                if (code < 0) {
                        not_started(job, r, err.text);
                        return;
                }
                r->state = RANK_ASKED;
                job->asked++;
                job_debug_asked(job, r, s);
        }
}

static void take_reply(struct job *job, const struct reply *reply, int pidfd_)
{
        auto_fd int pidfd = pidfd_;
        struct rank *r = &job->rank[reply->rank];
        job->asked--;
        /* As a zombie it would keep the job's pid namespace from ending. */
        if (reply->first_pid > 0)
                while (waitpid(reply->first_pid, NULL, 0) < 0 && errno == EINTR)
                        continue;
        if (reply->code < 0) {
                int code, status;
                /* The child was killed by its spawner; as its parent we reap it. */
                if (pidfd >= 0)
                        (void) sys_pidfd_wait(pidfd, &code, &status);
                not_started(job, r, reply->text);
                output_finish(&job->output, &r->out[0]);
                output_finish(&job->output, &r->out[1]);
                return;
        }
        r->state = RANK_RUNNING;
        r->pid = reply->pid;
        r->started_ns = reply->started_ns;
        log_say(job->log, "rank %u: process %d runs", r->number, (int) r->pid);
        r->exit = (struct watch){ take_fd(&pidfd), job_rank_ready };
        job->running++;
        int code = loop_add(&job->loop, &r->exit, EPOLLIN);
        if (code < 0) {
                output_say(&job->output, "rank %u: cannot be watched: %s", r->number, strerror(-code));
                (void) sys_pidfd_kill(r->exit.fd, SIGKILL); /* just started: it is there */
                job->lost = job->failure = true;
        }
}

void job_spawner_ready(struct watch *w, uint32_t events)
{
        (void) events;
        struct spawner *s = watch_owner(w, struct spawner, watch);
        struct job *job = s->owner;
        for (;;) {
                struct reply reply;
                struct error err = ERROR_INIT;
                int pidfd = -1;
                int code = spawner_hear(s, &reply, &pidfd, &err);
                if (code == -EAGAIN)
                        return;
                if (code < 0 || reply.rank >= job->n || job->rank[reply.rank].state != RANK_ASKED) {
                        fd_close(pidfd);
                        output_say(&job->output, "%s", code < 0 ? err.text : "a spawner answers what nobody asked");
                        loop_drop(&job->loop, &s->watch);
                        /* What it was asked for is not answered any more. Ranks it started die with us. */
                        job->asked -= s->asked;
                        job->not_started += s->asked;
                        s->asked = 0;
                        job->lost = job->failure = true;
                        return;
                }
                take_reply(job, &reply, pidfd);
        }
}

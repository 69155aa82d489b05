#pragma once
/*
 * spawner - a small process that clones instances.
 *
 * Forked before hwloc and PMIx are touched: their threads and memory are not in
 * it, so cloning from it is cheap and safe. It maps the sealed plan, receives
 * what is different for a rank, and starts it as a child of the launcher
 * (CLONE_PARENT). It knows nothing of jobs. It ends when its socket does.
 *
 *      struct spawner s[4];
 *      spawner_fork(s, 0, &host, &err) ...             // early
 *      spawner_give_pattern(&s[i], 0, &pattern, cgroup, &err);
 *      spawner_ask(&s[i], &request, stdio, &err);      // several at a time
 *      ... s[i].fd is readable: spawner_hear(&s[i], &reply, &pidfd, &err)
 */

#include <sys/types.h>

#include "host/host.h"
#include "launcher/loop.h"
#include "launcher/pattern.h"
#include "launcher/request.h"
#include "spec/spec.h"

/* How many requests wait at a spawner: enough that it never waits for us. */
#define SPAWNER_DEPTH 4u

struct spawner {
        pid_t pid;
        struct watch watch;     /* our end of the socket */
        unsigned asked;         /* requests that were not answered yet */
        void *owner;
};

/*
 * Fork spawner `i` of `all`; those before it exist. `job_id` and `bundle` are for the state that hooks read.
 * The process has its own session: what a terminal sends does not reach the instances, we pass it on.
 */
struct spawner_job {
        const struct host *host;
        const char *id, *bundle;
        const struct spec *spec;
};
int spawner_fork(struct spawner *all, unsigned i, const struct spawner_job *job, struct error *err) MUST_CHECK;

/* The first has number 0, and so on. `cgroup`: it enters this one; "": it stays. What goes wrong there comes as the answer to the first request. */
int spawner_give_pattern(struct spawner *s, unsigned number, const struct pattern *pattern, const char *cgroup,
                         struct error *err) MUST_CHECK;

/* -EAGAIN if its queue is full (ask again after an answer). The descriptors stay the caller's. */
int spawner_ask(struct spawner *s, const struct request *request, const int stdio[3], struct error *err) MUST_CHECK;

/* One answer. -ECONNRESET if the spawner is gone. `*ret_pidfd` -1: none came along. */
int spawner_hear(struct spawner *s, struct reply *ret, int *ret_pidfd, struct error *err) MUST_CHECK;

/* Close the socket and wait for its end. */
void spawner_stop(struct spawner *s, struct loop *loop);

/* The instance is gone: run its poststop hooks. Not waited for; spawner_stop() does. */
void spawner_tell_stopped(struct spawner *s, unsigned rank);

/* ---- the process itself: spawner_main.c, spawner_hooks.c ---- */

/* Who is being started: what hooks are told of. */
struct spawner_rank {
        const struct spawner_job *job;
        unsigned rank;
};
struct session;
struct hook_run;
void spawner_hook_place(void *arg, struct hook_run *hook);
int spawner_hook_state(void *arg, const struct session *s, unsigned kind, char **ret_json, struct error *err);
void spawner_poststop(const struct spawner_job *job, unsigned rank);

/* Never returns. */
_Noreturn void spawner_main(int fd, const struct spawner_job *job);

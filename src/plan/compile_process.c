#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/personality.h>

#include "plan/compile_parts.h"

#define MPOL_PREFERRED 1

void compile_state(struct compile *c, unsigned state)
{
        if (!c->wish->no_state)
                plan_add(c->b, STEP_WRITE_STATE, state);
}

/*
 * Written for those who look while it comes into being: hooks, seccomp agents, the one who waits for `create`, and
 * whoever finds it when we were killed. A process that dies with us and has none of the former needs no such line.
 */
static bool is_looked_at(const struct compile *c)
{
        bool looked_at = c->wish->await_start || !c->wish->die_with_parent || c->spec->seccomp.notifies;
        for (unsigned kind = 0; kind < HOOK_KINDS; kind++)
                looked_at = looked_at || c->spec->hooks[kind].n > 0;
        return looked_at;
}

void compile_creating(struct compile *c)
{
        if (is_looked_at(c))
                compile_state(c, PLAN_CREATING);
}

/* After exec() there is then little left to write, which a short process would be waited for with. One that is forked
 * again is not known yet. */
void compile_state_ahead(struct compile *c)
{
        if (!c->wish->no_state && !c->forks_again && !is_looked_at(c))
                plan_add(c->b, STEP_STATE_AHEAD, 0);
}

/* `exec` alone: where the runtime itself runs until the process is in the container's cgroup. */
void compile_run_on(struct compile *c)
{
        const struct id_set *cpus = &c->spec->process.exec_affinity.initial;
        if (cpus->size > 0)
                plan_add(c->b, STEP_RUN_ON_CPUS, plan_build_blob(c->b, cpus->words, cpus->size));
}

static void compile_scheduling(struct compile *c)
{
        const struct spec_scheduler *s = &c->spec->process.scheduler;
        const struct spec_io_priority *io = &c->spec->process.io_priority;
        if (s->wanted) {
                const uint64_t times[] = { s->runtime, s->deadline, s->period };
                bool deadline = s->policy == SPEC_SCHED_DEADLINE;
                plan_add(c->b, STEP_SET_SCHEDULER, s->policy, (uint64_t) (int64_t) s->nice, s->priority, s->flags,
                         plan_build_blob(c->b, times, deadline ? sizeof(times) : 0));
        }
        if (io->wanted)
                plan_add(c->b, STEP_SET_IO_PRIORITY, io->class, io->level);
}

/* Where it runs and where its memory comes from. Without a wish the caller's binding is kept; a wish is newer than
 * the config. */
void compile_place(struct compile *c)
{
        const struct spec_memory_policy *p = &c->spec->memory_policy;
        if (c->wish->own_cpus.size > 0)
                plan_add(c->b, STEP_BIND_CPUS, plan_build_blob(c->b, c->wish->own_cpus.words, c->wish->own_cpus.size));
        else if (c->wish->cpus)
                plan_add(c->b, STEP_BIND_CPUS, SLOT(SLOT_CPUS));
        if (c->wish->numa)
                plan_add(c->b, STEP_BIND_MEMORY, c->wish->numa_policy ? c->wish->numa_policy : MPOL_PREFERRED, SLOT(SLOT_NUMA));
        else if (p->wanted)
                plan_add(c->b, STEP_BIND_MEMORY, p->mode | p->flags, plan_build_blob(c->b, p->nodes.words, p->nodes.size));
        if (c->spec->linux32)
                plan_add(c->b, STEP_SET_PERSONALITY, PER_LINUX32);
        compile_scheduling(c);
}

/*
 * pidfd_getfd(2) takes the listener from a process that only has to write, but
 * wants the right to trace it; sendmsg(2) hands it over without, if no agent is
 * to be asked about it.
 */
static uint64_t filter_how(const struct compile *c, bool last)
{
        const struct spec_seccomp *s = &c->spec->seccomp;
        if (!s->notifies)
                return last ? FILTER_LAST : 0u;
        return c->host->privileged || s->notifies_sendmsg ? 0u : FILTER_SEND;
}

static void compile_seccomp(struct compile *c, bool last)
{
        if (!c->spec->seccomp.wanted)
                return;
        struct plan_bytes filter;
        struct error err = ERROR_INIT;
        if (compile_filter(&c->spec->seccomp, c->arena, &filter, &err) < 0) {
                plan_build_fail(c->b, &err);
                return;
        }
        const struct spec_seccomp *s = &c->spec->seccomp;
        /* Without a listener the kernel refuses what is about one. */
        uint64_t flags = s->notifies ? s->flags | SECCOMP_FILTER_FLAG_NEW_LISTENER
                                     : s->flags & ~(uint64_t) SPEC_FILTER_WAIT_KILLABLE;
        plan_add(c->b, STEP_LOAD_FILTER, plan_build_blob(c->b, filter.data, filter.size), flags,
                 filter_how(c, last));
        if (s->notifies)
                plan_add(c->b, STEP_SEND_LISTENER, S(c, s->listener_path), S(c, s->listener_metadata));
}

/* "run.oci.keep_original_groups" (crun): the caller's groups stay. Podman sets it for --group-add keep-groups. */
static bool keeps_groups(const struct compile *c)
{
        return spec_annotation_on(c->spec->annotations, c->spec->n_annotations, "run.oci.keep_original_groups");
}

/* The kernel raises only what is permitted and inheritable (capabilities(7)); the rest is warned of. */
static uint64_t ambient_of(const uint64_t caps[CAP_SETS])
{
        return caps[CAPS_AMBIENT] & caps[CAPS_PERMITTED] & caps[CAPS_INHERITABLE];
}

/*
 * The order is the kernel's: bounding set while we may, ids while capabilities
 * let us, capabilities at last (keep-caps carries them over the change of ids).
 * Without no-new-privs a filter needs CAP_SYS_ADMIN and has to come first.
 */
void compile_privileges(struct compile *c)
{
        const struct spec_process *p = &c->spec->process;
        uint64_t cwd = S(c, p->cwd ? p->cwd : "/");
        plan_add(c->b, STEP_FIND_HOME, p->user.uid);
        plan_add(c->b, STEP_CHDIR, cwd, 1);
        if (p->no_new_privileges)
                plan_add(c->b, STEP_NO_NEW_PRIVS, 0);
        else
                compile_seccomp(c, false);
        uint64_t none = 0;
        const uint64_t *caps = p->has_capabilities ? p->caps : NULL;
        compile_own_limits(c);
        if (p->user.uid != 0)   /* root may open /dev/stdout whoever owns it */
                plan_add(c->b, STEP_OWN_STDIO, p->user.uid, p->user.gid);
        plan_add(c->b, STEP_DROP_BOUNDING, caps ? caps[CAPS_BOUNDING] : none);
        if ((compile_may_set_groups(c) || p->user.n_groups > 0) && !keeps_groups(c))
                plan_add(c->b, STEP_SET_GROUPS,
                         plan_build_blob(c->b, p->user.groups, p->user.n_groups * sizeof(uint32_t)));
        plan_add(c->b, STEP_SET_IDS, p->user.uid, p->user.gid);
        plan_add(c->b, STEP_SET_CAPS, caps ? caps[CAPS_EFFECTIVE] : none, caps ? caps[CAPS_PERMITTED] : none,
                 caps ? caps[CAPS_INHERITABLE] : none);
        if (caps && ambient_of(caps))
                plan_add(c->b, STEP_SET_AMBIENT, ambient_of(caps));
        plan_add(c->b, STEP_CHDIR, cwd, 0);
        plan_add(c->b, STEP_SET_UMASK, p->user.has_umask ? p->user.umask : 0022u);
        plan_add(c->b, STEP_FIND_PROGRAM, 0);
}

void compile_await_start(struct compile *c)
{
        if (!c->wish->await_start)
                return;
        compile_state(c, PLAN_CREATED);
        plan_add(c->b, STEP_AWAIT_START, 0);
}

void compile_exec(struct compile *c)
{
        if (c->wish->die_with_parent)
                plan_add(c->b, STEP_DIE_WITH_PARENT, 0);
        if (c->spec->process.no_new_privileges)
                compile_seccomp(c, !c->runs_hooks);
        compile_start_hooks(c);
        plan_add(c->b, STEP_EXEC, 0);
}

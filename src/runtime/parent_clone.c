#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "child/child.h"
#include "runtime/parent.h"
#include "spec/spec.h"
#include "syscall/sys.h"

struct birth {
        const struct session *s;
        size_t first;
        uint64_t cpus[SYS_CPUS_MAX / 64];
        size_t cpus_size;
};

static int be_born(void *arg)
{
        const struct birth *birth = arg;
        const struct session *s = birth->s;
        /* With our end open here, the child would not notice our death. */
        fd_close(s->sync_fd);
        const struct child_start start = {
                .plan = s->plan, .in = s->in, .sync_fd = s->child_sync_fd, .listen_fd = s->opts->listen_fd,
                .alive_fd = s->opts->for_grandparent ? s->opts->alive_fd : -1,
                .own_cpus = { birth->cpus, birth->cpus_size }, .first = birth->first,
        };
        child_run(&start);
}

/* Does the child get to exec() without us? Then we may stand still meanwhile. */
static bool runs_alone(const struct session *s, size_t first)
{
        for (size_t i = first; i < s->plan->n_steps; i++) {
                const struct step *step = &s->plan->steps[i];
                if (step->op == STEP_EXEC)
                        return true;
                if (step->lane != LANE_CHILD || step->op == STEP_FORK_AGAIN || step->op == STEP_AWAIT_START)
                        return false;
                if (step->op == STEP_BIND && (step->arg[4] & BIND_ASK))
                        return false;
        }
        return false;
}

/* What clone(2) can say; the rest needs clone3(). */
#define LEAN_FLAGS ((uint64_t) (CLONE_PARENT | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET))

/* AddressSanitizer believes to know the stack of each thread, and is led astray by a borrowed one. */
#if defined(__SANITIZE_ADDRESS__)
#define LEAN_WORKS false
#elif defined(__has_feature)
#define LEAN_WORKS (!__has_feature(address_sanitizer))
#else
#define LEAN_WORKS true
#endif

pid_t clone_child(struct session *s, const struct step *step, uint64_t more)
{
        struct birth birth = { .s = s, .first = (size_t) (step - s->plan->steps) + 1 };
        int size = sys_sched_getaffinity(birth.cpus, sizeof(birth.cpus));
        if (size < 0)
                return size;
        birth.cpus_size = (size_t) size;
        uint64_t flags = step->arg[0] | more | (s->opts->for_grandparent ? (uint64_t) CLONE_PARENT : 0);
        uint64_t lean = flags & ~(uint64_t) CLONE_CLEAR_SIGHAND;
        int cgroup_fd = s->opts->host->clone3 && !s->opts->attached ? cgroup_v2_fd(&s->cgroup) : -1;
        if (LEAN_WORKS && s->opts->stack && s->opts->host->privileged && cgroup_fd < 0 && !(lean & ~LEAN_FLAGS) &&
            runs_alone(s, birth.first))
                return sys_clone_lean(lean, be_born, (char *) s->opts->stack + SESSION_STACK_SIZE, &birth, &s->pidfd);
        pid_t pid = sys_clone3(flags, cgroup_fd, &s->pidfd);
        if (pid == 0)
                be_born(&birth);
        return pid;
}

int parent_clone(struct session *s, const struct step *step, struct error *err)
{
        (void) err;
        /* Until the child has reset them, a handler of ours would run in it and
         * work on its copy of our data. So no signal may arrive before that. */
        uint64_t mask;
        int r = sys_block_signals(&mask);
        if (r < 0)
                return r;
        pid_t pid = parent_joins_apart(s) ? clone_apart(s, step) : clone_child(s, step, 0);
        (void) sys_set_sigmask(mask);
        fd_close(take_fd(&s->child_sync_fd));
        parent_return(s);
        s->pid = pid;
        return pid < 0 ? pid : 0;
}

static int write_proc(const struct session *s, const char *file, const char *text)
{
        char path[64];
        snprintf(path, sizeof(path), "/proc/%d/%s", (int) s->pid, file);
        return io_write_file(AT_FDCWD, path, text);
}

int parent_write_uid_map(struct session *s, const struct step *step, struct error *err)
{
        (void) err;
        return write_proc(s, "uid_map", plan_string(s->plan, s->in, step, 0));
}

int parent_deny_setgroups(struct session *s, const struct step *step, struct error *err)
{
        (void) step, (void) err;
        return write_proc(s, "setgroups", "deny");
}

int parent_write_gid_map(struct session *s, const struct step *step, struct error *err)
{
        (void) err;
        return write_proc(s, "gid_map", plan_string(s->plan, s->in, step, 0));
}

int parent_set_oom_score(struct session *s, const struct step *step, struct error *err)
{
        (void) err;
        char text[24];
        snprintf(text, sizeof(text), "%lld", (long long) (int64_t) step->arg[0]);
        return write_proc(s, "oom_score_adj", text);
}

int parent_set_rlimit(struct session *s, const struct step *step, struct error *err)
{
        (void) err;
        return sys_prlimit(s->pid, (int) step->arg[0], step->arg[1], step->arg[2]);
}

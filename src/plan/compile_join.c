#include <errno.h>
#include <linux/sched.h>

#include "plan/compile_parts.h"
#include "plan/plan_build.h"

/* In this order a further process enters a running container. */
int plan_compile_join(const struct spec *spec, const struct host *host, const struct join_wish *wish, void **ret_block,
                      size_t *ret_size, struct error *err)
{
        auto_plan_build struct plan_build *b = plan_build_new();
        auto_arena struct arena *arena = arena_new();
        if (!b || !arena)
                return error_set(err, -ENOMEM, "compile the plan");

        const struct wish as_wish = { .id = wish->id, .preserve_fds = wish->preserve_fds,
                                      .die_with_parent = wish->die_with_parent };
        struct compile c = { .b = b, .arena = arena, .spec = spec, .host = host, .wish = &as_wish,
                             .terminal = spec->process.terminal,
                             .user_ns = (wish->joins & CLONE_NEWUSER) != 0 };
        uint64_t pidfd = plan_build_fd(b), root = plan_build_fd(b);

        /* Without privilege here, there is some only in the container's user namespace: the pid namespace is joined from
         * within it, and then only a child of who joined is in it (pid_namespaces(7)). */
        bool from_within = (wish->joins & CLONE_NEWUSER) && (wish->joins & CLONE_NEWPID) && !host->privileged;
        uint64_t inside = from_within ? wish->joins : wish->joins & ~(uint64_t) CLONE_NEWPID;

        c.forks_again = from_within;

        compile_run_on(&c);
        if ((wish->joins & CLONE_NEWPID) && !from_within)
                plan_add(b, STEP_JOIN_PID_OF, pidfd);
        compile_cgroup_entrances(&c, wish->cgroup && !wish->unit);
        compile_clone(&c);
        if (wish->resctrl)
                plan_add(b, STEP_RESCTRL_ENTER, 0);
        if (wish->unit)
                plan_add(b, STEP_UNIT_ATTACH, S(&c, wish->unit), 1u);
        compile_limits(&c);

        compile_signals(&c);
        compile_cgroup_enter(&c);
        if (spec->process.exec_affinity.final.size > 0)
                plan_add(b, STEP_BIND_CPUS, plan_build_blob(b, spec->process.exec_affinity.final.words,
                                                            spec->process.exec_affinity.final.size));
        compile_label(&c);
        if (inside)
                plan_add(b, STEP_JOIN_PROCESS, pidfd, inside);
        if (from_within) {
                plan_add(b, STEP_FORK_AGAIN, 0);
                compile_session(&c);
        }
        if (wish->joins & CLONE_NEWUSER)
                plan_add(b, STEP_BECOME_ROOT, 0);
        if (wish->no_pivot)
                plan_add(b, STEP_CHROOT_OF, root);
        compile_console(&c);
        compile_place(&c);
        compile_privileges(&c);
        compile_exec(&c);
        return plan_build_finish(b, ret_block, ret_size, err);
}

#include "child/child.h"

#include <errno.h>
#include <sys/mount.h>

#include "child/child_steps.h"
#include "syscall/sys.h"

#define EXIT_STEP_FAILED 70

/* With the parent gone this is EPIPE, or SIGPIPE: either ends us. */
static void tell(const struct child *c, enum report_kind kind, size_t step, int code)
{
        struct report report = { (uint16_t) kind, (uint16_t) step, code };
        if (sys_write(c->sync_fd, &report, sizeof(report)) < 0)
                sys_exit(EXIT_STEP_FAILED);
}

void child_tell(const struct child *c, enum report_kind kind, int code)
{
        tell(c, kind, c->at, code);
}

void child_await_release(const struct child *c)
{
        struct release release;
        if (sys_read(c->sync_fd, &release, sizeof(release)) != sizeof(release) || release.step >= c->plan->n_steps)
                sys_exit(EXIT_STEP_FAILED);
}

void child_await_tree(struct child *c)
{
        struct release release;
        if (sys_receive_fd(c->sync_fd, &release, sizeof(release), &c->tree_fd) != sizeof(release) ||
            release.step >= c->plan->n_steps)
                sys_exit(EXIT_STEP_FAILED);
}

static _Noreturn void give_up(const struct child *c, int code)
{
        if (c->undo_root && sys_fchdir(c->root_fd) >= 0)
                (void) sys_umount(".", MNT_DETACH);
        child_tell(c, REPORT_FAILED, code);
        sys_exit(EXIT_STEP_FAILED);
}

/* The list changes sides after `step`, and is back on ours after that. */
static void hand_over(struct child *c, size_t step)
{
        if (!c->met) {
                const struct step *next = &c->plan->steps[c->at];
                tell(c, REPORT_REACHED, step, 0);
                if (next->op == STEP_BIND && (next->arg[4] & BIND_GIVEN))
                        child_await_tree(c);
                else
                        child_await_release(c);
        }
        c->met = false;
}

_Noreturn void child_run(const struct child_start *start)
{
        struct child c = {
                .plan = start->plan, .in = start->in,
                .sync_fd = start->sync_fd, .listen_fd = start->listen_fd, .alive_fd = start->alive_fd,
                .own_cpus = start->own_cpus,
                .root_fd = -1, .tree_fd = -1, .null_fd = -1, .nodes_fd = -1, .empty_fd = -1,
        };
        size_t last_own = start->first;
        bool parent_worked = false;

        for (c.at = start->first; c.at < c.plan->n_steps; c.at++) {
                const struct step *step = &c.plan->steps[c.at];
                if (step->lane != LANE_CHILD) {
                        parent_worked = parent_worked || step->lane == LANE_PARENT;
                        continue;
                }
                if (parent_worked) {
                        hand_over(&c, last_own);
                        parent_worked = false;
                }
                int r = child_steps[step->op](&c, step);
                if (r < 0)
                        give_up(&c, r);
                last_own = c.at;
        }
        give_up(&c, -ENOEXEC);
}

#include "child/child.h"

#include <errno.h>

#include "child/child_steps.h"
#include "syscall/sys.h"

#define EXIT_STEP_FAILED 70

static _Noreturn void give_up(int sync_fd, size_t step, int code)
{
        struct report report = { REPORT_FAILED, (uint16_t) step, code };
        (void) sys_send(sync_fd, &report, sizeof(report));
        sys_exit(EXIT_STEP_FAILED);
}

/* The list changes sides after `step`: tell the parent, wait until it is back
 * on our side. A parent that is gone (EOF) ends us too. */
static void hand_over(const struct child *c, size_t step)
{
        struct report report = { REPORT_REACHED, (uint16_t) step, 0 };
        if (sys_send(c->sync_fd, &report, sizeof(report)) < 0)
                sys_exit(EXIT_STEP_FAILED);

        struct release release;
        if (sys_receive(c->sync_fd, &release, sizeof(release)) != sizeof(release) ||
            release.step >= c->plan->n_steps)
                sys_exit(EXIT_STEP_FAILED);
}

_Noreturn void child_run(const struct child_start *start)
{
        struct child c = {
                .plan = start->plan, .in = start->in,
                .sync_fd = start->sync_fd, .listen_fd = start->listen_fd, .alive_fd = start->alive_fd,
                .own_cpus = start->own_cpus,
                .root_fd = -1, .null_fd = -1, .empty_fd = -1,
        };
        size_t last_own = start->first;
        bool parent_worked = false;

        for (c.at = start->first; c.at < c.plan->n_steps; c.at++) {
                const struct step *step = &c.plan->steps[c.at];
                if (step->lane == LANE_PARENT) {
                        parent_worked = true;
                        continue;
                }
                if (parent_worked) {
                        hand_over(&c, last_own);
                        parent_worked = false;
                }
                int r = child_steps[step->op](&c, step);
                if (r < 0)
                        give_up(c.sync_fd, c.at, r);
                last_own = c.at;
        }
        give_up(c.sync_fd, c.plan->n_steps, -ENOEXEC);
}

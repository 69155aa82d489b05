#include <errno.h>
#include <string.h>

#include "runtime/parent.h"
#include "spec/spec.h"
#include "syscall/sys.h"

/* From outside, as with limits: root of a user namespace may not raise any of these for itself. */

int parent_set_scheduler(struct session *s, const struct step *step, struct error *err)
{
        struct sys_sched_attr attr = {
                .policy = (uint32_t) step->arg[0], .nice = (int32_t) (int64_t) step->arg[1],
                .priority = (uint32_t) step->arg[2], .flags = step->arg[3],
        };
        struct plan_bytes times = plan_bytes(s->plan, s->in, step, 4);
        if (times.size == 3 * sizeof(uint64_t)) {
                uint64_t t[3];
                memcpy(t, times.data, sizeof(t));
                attr.runtime = t[0];
                attr.deadline = t[1];
                attr.period = t[2];
        }
        int r = sys_sched_setattr(s->pid, &attr);
        if (r == -EPERM && attr.policy == SPEC_SCHED_DEADLINE)
                return error_say(err, r, "process.scheduler: not permitted; process scheduler can't be used together with "
                                 "AllowedCPUs (linux.resources.cpu.cpus): SCHED_DEADLINE wants all CPUs of the machine");
        return r < 0 ? error_set(err, r, "process.scheduler") : 0;
}

int parent_set_io_priority(struct session *s, const struct step *step, struct error *err)
{
        int r = sys_ioprio_set(s->pid, (int) step->arg[0], (int) step->arg[1]);
        return r < 0 ? error_set(err, r, "process.ioPriority") : 0;
}

/* What we clone afterwards begins there, too. */
int parent_run_on_cpus(struct session *s, const struct step *step, struct error *err)
{
        struct plan_bytes mask = plan_bytes(s->plan, s->in, step, 0);
        int r = sys_sched_setaffinity(mask.data, mask.size);
        return r < 0 ? error_set(err, r, "process.execCPUAffinity.initial") : 0;
}

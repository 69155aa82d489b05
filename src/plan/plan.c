#include "plan/plan.h"

#include <errno.h>
#include <string.h>

static bool blob_ok(const struct plan *plan, uint64_t at, bool strings)
{
        if (at % 8 != 0 || at >= plan->data_size || plan->data_size - at < sizeof(uint64_t))
                return false;
        uint64_t size;
        memcpy(&size, plan->data + at, sizeof(size));
        if (size > plan->data_size - at - sizeof(uint64_t))
                return false;
        return !strings || size == 0 || plan->data[at + sizeof(size) + size - 1] == '\0';
}

static bool arg_ok(const struct plan *plan, enum arg_kind kind, uint64_t arg)
{
        if (arg_may_vary(kind) && (arg & ARG_SLOT))
                return (arg & ~ARG_SLOT) < plan->n_slots;
        if (kind == ARG_STRING)
                return arg < plan->data_size;
        if (kind == ARG_BLOB || kind == ARG_STRV)
                return blob_ok(plan, arg, kind == ARG_STRV);
        if (kind == ARG_FD)
                return arg == FD_NONE || arg < plan->n_fds;
        return true;
}

static bool step_ok(const struct plan *plan, const struct step *step)
{
        const struct step_info *info = step_info(step->op);
        if (!info || info->lane != step->lane)
                return false;
        for (unsigned i = 0; i < STEP_ARGS; i++)
                if (!arg_ok(plan, info->arg[i], step->arg[i]))
                        return false;
        /* Some take a range: the standard streams, the files of hooks, the entrances of cgroups. */
        if (step->op == STEP_STDIO)
                return step->arg[0] + 3 <= plan->n_fds;
        if (step->op == STEP_HOOK_FILES || step->op == STEP_HOOK_STATE)
                return step->arg[0] + 2 <= plan->n_fds;
        if (step->op == STEP_RUN_HOOK)
                return step->arg[6] + 2 <= plan->n_fds;
        if (step->op == STEP_CGROUP_ENTER || step->op == STEP_CGROUP_ENTRANCES)
                return step->arg[1] <= plan->n_fds && step->arg[0] + step->arg[1] <= plan->n_fds;
        return true;
}

int plan_open(struct plan *ret_plan, const void *block, size_t size, struct error *err)
{
        const struct plan_header *h = block;
        if (size < sizeof(*h) || h->magic != PLAN_MAGIC)
                return error_say(err, -EINVAL, "not a plan");
        if (h->format != PLAN_FORMAT)
                return error_say(err, -ESTALE, "the plan was made by another build of berth");

        size_t room = size - sizeof(*h), steps_size = (size_t) h->n_steps * sizeof(struct step);
        if (h->n_slots > PLAN_SLOTS_MAX || h->n_fds > PLAN_FDS_MAX || h->n_steps > PLAN_STEPS_MAX ||
            h->data_size == 0 || room < steps_size || room - steps_size != h->data_size)
                return error_say(err, -EINVAL, "the plan is truncated");

        struct plan plan = {
                .steps = (const struct step *) (h + 1),
                .n_steps = h->n_steps,
                .data = (const char *) block + sizeof(*h) + steps_size,
                .data_size = h->data_size,
                .n_slots = h->n_slots,
                .n_fds = h->n_fds,
        };
        if (plan.data[plan.data_size - 1] != '\0')
                return error_say(err, -EINVAL, "the plan has an unterminated string");
        for (size_t i = 0; i < plan.n_steps; i++)
                if (!step_ok(&plan, &plan.steps[i]))
                        return error_say(err, -EINVAL, "step %zu of the plan is malformed", i);

        *ret_plan = plan;
        return 0;
}

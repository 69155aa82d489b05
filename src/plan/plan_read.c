#include "plan/plan.h"

/* Called by the child: only memory access here, no library calls. */

struct plan_bytes plan_bytes(const struct plan *plan, const struct instance *in, const struct step *step, unsigned n)
{
        uint64_t arg = step->arg[n];
        if (arg & ARG_SLOT)
                return in->slot[arg & ~ARG_SLOT];
        const uint64_t *size = (const void *) (plan->data + arg);
        return (struct plan_bytes){ size + 1, *size };
}

const char *plan_string(const struct plan *plan, const struct instance *in, const struct step *step, unsigned n)
{
        uint64_t arg = step->arg[n];
        return arg & ARG_SLOT ? in->slot[arg & ~ARG_SLOT].data : plan->data + arg;
}

/*
 * linux.intelRdt: a class of resctrl (cgroups/resctrl.h). First of all, so that on a machine without any nothing has been
 * made yet. A launcher's instances inherit the class of the process that clones them.
 */
#include "plan/compile_parts.h"

static bool is_wanted(const struct compile *c)
{
        return c->spec->rdt.wanted && !c->wish->cgroup_inherit;
}

void compile_rdt(struct compile *c)
{
        const struct rdt *rdt = &c->spec->rdt;
        const char *id = c->wish->id ? c->wish->id : "";
        if (!is_wanted(c))
                return;
        bool makes = !rdt->clos || rdt->l3 || rdt->memory || rdt->schemata;
        plan_add(c->b, STEP_RESCTRL_OPEN, S(c, rdt->clos ? rdt->clos : id), makes ? 1u : 0u);
        /* A class with a name can be shared: then these two have to be as they are, and only `schemata` are written. */
        uint64_t compared = rdt->clos ? 1 : 0;
        if (rdt->l3)
                plan_add(c->b, STEP_RESCTRL_WRITE, S(c, rdt->l3), compared);
        if (rdt->memory)
                plan_add(c->b, STEP_RESCTRL_WRITE, S(c, rdt->memory), compared);
        for (const char **line = rdt->schemata; line && *line; line++)
                plan_add(c->b, STEP_RESCTRL_WRITE, S(c, *line), 0u);
        if (rdt->monitoring)
                plan_add(c->b, STEP_RESCTRL_MONITOR, S(c, id));
}

void compile_rdt_enter(struct compile *c)
{
        if (is_wanted(c))
                plan_add(c->b, STEP_RESCTRL_ENTER, 0);
}

#include <errno.h>

#include "runtime/parent.h"

int parent_resctrl_open(struct session *s, const struct step *step, struct error *err)
{
        int r = resctrl_find(&s->resctrl.root_fd, err);
        return r < 0 ? r : resctrl_open(&s->resctrl, plan_string(s->plan, s->in, step, 0), step->arg[1] != 0, err);
}

int parent_resctrl_write(struct session *s, const struct step *step, struct error *err)
{
        return resctrl_write(&s->resctrl, plan_string(s->plan, s->in, step, 0), step->arg[1] != 0, err);
}

int parent_resctrl_monitor(struct session *s, const struct step *step, struct error *err)
{
        return resctrl_monitor(&s->resctrl, plan_string(s->plan, s->in, step, 0), err);
}

/* A container whose class somebody has removed is in that of everybody, and so is whoever joins it. */
int parent_resctrl_enter(struct session *s, const struct step *step, struct error *err)
{
        (void) step;
        return s->resctrl.fd < 0 ? 0 : resctrl_enter(&s->resctrl, s->pid, err);
}

#include "launcher/jobclass.h"

static int write_lines(const struct resctrl *g, const struct rdt *rdt, struct error *err)
{
        bool is_shared = rdt->clos != NULL;
        int r = rdt->l3 ? resctrl_write(g, rdt->l3, is_shared, err) : 0;
        if (r == 0 && rdt->memory)
                r = resctrl_write(g, rdt->memory, is_shared, err);
        for (const char **line = rdt->schemata; r == 0 && line && *line; line++)
                r = resctrl_write(g, *line, false, err);
        return r;
}

int jobclass_open(struct jobclass *c, const struct rdt *rdt, struct jobdir *dir, struct error *err)
{
        struct resctrl *g = &c->group;
        const char *id = dir->state.id, *name = rdt->clos ? rdt->clos : id;
        if (!rdt->wanted)
                return 0;
        int r = resctrl_find(&g->root_fd, err);
        if (r < 0)
                return r;
        c->own = !rdt->clos && !resctrl_has(g->root_fd, name);
        r = jobdir_note_class(dir, name, c->own, rdt->monitoring, err);
        if (r == 0)
                r = resctrl_open(g, name, !rdt->clos || rdt->l3 || rdt->memory || rdt->schemata, err);
        if (r == 0)
                r = write_lines(g, rdt, err);
        if (r == 0 && rdt->monitoring)
                r = resctrl_monitor(g, id, err);
        if (r < 0)
                resctrl_undo(g);
        return r;
}

int jobclass_enter(const struct jobclass *c, const struct spawner *spawner, size_t n, struct error *err)
{
        int r = 0;
        for (size_t i = 0; r == 0 && c->group.fd >= 0 && i < n; i++)
                r = resctrl_enter(&c->group, spawner[i].pid, err);
        return r;
}

void jobclass_close(struct jobclass *c)
{
        struct resctrl *g = &c->group;
        /* Best effort: what stays is removed with the entry that names it, or bears a name that others know, too. */
        if (g->fd >= 0 && g->monitor[0])
                ignore_result(resctrl_remove(g->root_fd, g->name, g->monitor, NULL));
        if (g->fd >= 0 && c->own)
                ignore_result(resctrl_remove(g->root_fd, g->name, NULL, NULL));
        resctrl_clear(g);
        *c = JOBCLASS_INIT;
}

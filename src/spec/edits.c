#include "spec/edit.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"

bool edits_empty(const struct edits *e)
{
        return !e->env && e->n_nodes == 0 && e->n_mounts == 0 && e->n_hooks == 0 && e->n_groups == 0 && !e->rdt &&
               e->n_nets == 0 && !e->place && !e->raises_memlock;
}

static int append(struct arena *arena, void *list, size_t *n, const void *more, size_t n_more, size_t size)
{
        void **array = list;
        if (n_more == 0)
                return 0;
        char *grown = arena_grow(arena, *array, *n, n_more + 1, size);
        if (!grown)
                return -ENOMEM;
        memcpy(grown + *n * size, more, n_more * size);
        *array = grown;
        *n += n_more;
        return 0;
}

int edits_append(struct arena *arena, struct edits *e, const struct edits *more)
{
        size_t n_env = strv_len(e->env);
        struct edits all = *e;
        int r = append(arena, &all.env, &n_env, more->env, strv_len(more->env), sizeof(*all.env));
        if (r == 0)
                r = append(arena, &all.nodes, &all.n_nodes, more->nodes, more->n_nodes, sizeof(*all.nodes));
        if (r == 0)
                r = append(arena, &all.mounts, &all.n_mounts, more->mounts, more->n_mounts, sizeof(*all.mounts));
        if (r == 0)
                r = append(arena, &all.hooks, &all.n_hooks, more->hooks, more->n_hooks, sizeof(*all.hooks));
        if (r == 0)
                r = append(arena, &all.groups, &all.n_groups, more->groups, more->n_groups, sizeof(*all.groups));
        if (r == 0)
                r = append(arena, &all.nets, &all.n_nets, more->nets, more->n_nets, sizeof(*all.nets));
        if (r < 0)
                return r;
        if (more->rdt)
                all.rdt = more->rdt;
        if (more->place)
                all.place = more->place;
        if (more->raises_memlock) {
                all.memlock = all.raises_memlock && all.memlock > more->memlock ? all.memlock : more->memlock;
                all.raises_memlock = true;
        }
        *e = all;
        return 0;
}

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hpc/place_parts.h"

static struct place_mask all_nodes(const struct machine *m)
{
        struct place_mask all = PLACE_MASK_INIT;
        for (unsigned i = 0; i < m->n_memory; i++)
                bind_set(&all, m->memory[i].os);
        return all;
}

/* "2" -> node 2, or "0x2" -> the nodes of the mask. */
static bool read_nodes(struct place_text t, bool mask, struct place_mask *ret)
{
        unsigned node;
        *ret = PLACE_MASK_INIT;
        if (mask)
                return list_mask(t, ret) == 0 && !bind_empty(ret);
        if (list_number(t, &node) < 0)
                return false;
        bind_set(ret, node);
        return true;
}

/* Slot i gets the i-th item; the list starts over at its end. */
static int from_list(const struct machine *m, const struct place_wish *w, struct placement *p, struct error *err)
{
        const struct place_text list = w->memory.list;
        const struct place_mask all = all_nodes(m);
        bool mask = w->memory.kind == MEMORY_MASK;
        const char *rest = list.text, *end = list.text + list.size;
        struct list_item item = { .times = 0 };
        struct place_mask nodes = PLACE_MASK_INIT;

        for (size_t i = 0; i < p->n_slots; i++) {
                if (item.times == 0) {
                        rest = rest ? rest : list.text;
                        if (list_next(&rest, end, &item) < 0 || !read_nodes(item.text, mask, &nodes))
                                return error_say(err, -EINVAL, "--mem-bind %s:%.*s: \"%.*s\" is not %s",
                                                 mask ? "mask_mem" : "map_mem", (int) list.size, list.text,
                                                 (int) item.text.size, item.text.text,
                                                 mask ? "a mask of NUMA nodes such as 0x3" : "a NUMA node such as 0");
                }
                item.times--;
                for (unsigned bit = 0; bit < nodes.bits; bit++)
                        if (bind_has(&nodes, bit) && !bind_has(&all, bit)) {
                                auto_free char *have = bind_format(&all);
                                return error_say(err, -EINVAL, "--mem-bind: this machine has no NUMA node %u for us; it "
                                                 "has %s", bit, have ? have : "others");
                        }
                p->slot[i].numa = nodes;
        }
        return 0;
}

static unsigned policy_of(const struct place_memory *wish, const struct placement *p)
{
        bool many = false;
        for (size_t i = 0; i < p->n_slots; i++)
                many = many || bind_count(&p->slot[i].numa) > 1;
        switch (wish->kind) {
        case MEMORY_LOCAL:      return MPOL_LOCAL;
        case MEMORY_BIND:       return MPOL_BIND;
        case MEMORY_INTERLEAVE: return MPOL_INTERLEAVE;
        case MEMORY_WEIGHTED:   return MPOL_WEIGHTED_INTERLEAVE;
        case MEMORY_PREFER:     return many ? MPOL_PREFERRED_MANY : MPOL_PREFERRED;
        case MEMORY_MAP:
        case MEMORY_MASK:
                if (!wish->prefer)
                        return MPOL_BIND;
                return many ? MPOL_PREFERRED_MANY : MPOL_PREFERRED;
        default:                return many ? MPOL_PREFERRED_MANY : MPOL_PREFERRED;
        }
}

/* The lists that people and cpusets read; those that only prefer something may use it all. */
static int name_nodes(const struct machine *m, const struct place_wish *w, struct placement *p)
{
        const struct place_mask all = all_nodes(m);
        enum memory_kind kind = w->memory.kind;
        bool strict = kind == MEMORY_DEFAULT || kind == MEMORY_BIND || kind == MEMORY_INTERLEAVE ||
                      kind == MEMORY_WEIGHTED || ((kind == MEMORY_MAP || kind == MEMORY_MASK) && !w->memory.prefer);

        for (size_t i = 0; i < p->n_slots; i++) {
                struct place_slot *s = &p->slot[i];
                if (kind == MEMORY_NONE || kind == MEMORY_LOCAL)
                        s->numa = PLACE_MASK_INIT;
                free(s->numa_list);
                s->numa_list = bind_format(&s->numa);
                s->mems_list = p->bound ? bind_format(strict && !bind_empty(&s->numa) ? &s->numa : &all) : strdup("");
                if (!s->numa_list || !s->mems_list)
                        return -ENOMEM;
        }
        return 0;
}

int place_memory(const struct machine *m, const struct place_wish *w, struct placement *p, struct error *err)
{
        enum memory_kind kind = w->memory.kind;
        const struct place_mask all = all_nodes(m);
        bool want_nodes = kind != MEMORY_NONE && kind != MEMORY_LOCAL && kind != MEMORY_DEFAULT;

        if (want_nodes && bind_empty(&all))
                return error_say(err, -EINVAL, "--mem-bind: this machine has no NUMA nodes");
        for (size_t i = 0; i < p->n_slots && want_nodes; i++)
                if (bind_empty(&p->slot[i].numa))
                        p->slot[i].numa = all;
        int r = kind == MEMORY_MAP || kind == MEMORY_MASK ? from_list(m, w, p, err) : 0;
        if (r < 0)
                return r;
        p->policy = policy_of(&w->memory, p);
        r = name_nodes(m, w, p);
        p->memory = kind != MEMORY_NONE && (kind != MEMORY_DEFAULT || p->bound);
        for (size_t i = 0; i < p->n_slots && kind != MEMORY_LOCAL; i++)
                p->memory = p->memory && !bind_empty(&p->slot[i].numa);
        return r < 0 ? error_set(err, r, "place the memory of %u instances", p->instances) : 0;
}

const char *placement_policy_name(const struct placement *p)
{
        if (!p->memory)
                return "none";
        switch (p->policy) {
        case MPOL_BIND:                return "bind";
        case MPOL_INTERLEAVE:          return "interleave";
        case MPOL_LOCAL:               return "local";
        case MPOL_WEIGHTED_INTERLEAVE: return "weighted";
        default:                       return "prefer";
        }
}

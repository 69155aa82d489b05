#include "hpc/place_slot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

void slot_add_span(struct place_mask *threads, struct machine_span span)
{
        for (unsigned i = 0; i < span.n; i++)
                bind_set(threads, span.first + i);
}

/* A word at a time: with a thousand instances on hundreds of cores this is where the time goes. */
static unsigned count_in(const struct place_mask *threads, struct machine_span span)
{
        int n = 0;

        for (unsigned bit = span.first, end = span.first + span.n; bit < end;) {
                unsigned here = 64 - bit % 64 < end - bit ? 64 - bit % 64 : end - bit;
                uint64_t some = threads->word[bit / 64] >> bit % 64;
                n += __builtin_popcountll(here < 64 ? some & ((UINT64_C(1) << here) - 1) : some);
                bit += here;
        }
        return (unsigned) n;
}

/* From the first to the last thread of the set: most objects lie outside, and need no second look. */
static struct machine_span extent(const struct place_mask *threads)
{
        unsigned first = 0;

        while (first < threads->bits && !bind_has(threads, first))
                first++;
        return (struct machine_span){ first, threads->bits - first };
}

/* Are the threads whole cores, all of them? Then people want to hear of cores. */
static bool whole_cores(const struct machine *m, const struct place_mask *threads)
{
        const struct machine_objects *core = &m->objects[MACHINE_CORE];
        const struct machine_span around = extent(threads);
        unsigned covered = 0;

        for (unsigned i = 0; i < core->n; i++) {
                if (!span_touches(core->span[i], around))
                        continue;
                unsigned n = count_in(threads, core->span[i]);
                if (n > 0 && n < core->span[i].n)
                        return false;
                covered += n;
        }
        return covered == bind_count(threads);
}

/* The objects of the group that the threads are in, by number: "0-3". */
static char *list_units(const struct machine_objects *unit, struct machine_span group, const struct place_mask *threads)
{
        const struct machine_span around = extent(threads);
        struct place_mask units = PLACE_MASK_INIT;

        if (!span_touches(group, around))
                return strdup("");
        for (unsigned u = 0; u < unit->n; u++)
                if (span_touches(unit->span[u], around) && span_inside(unit->span[u], group) &&
                    count_in(threads, unit->span[u]))
                        bind_set(&units, u);
        return bind_format(&units);
}

/* "package[0][core:0-3]"; one such group for each package, with a blank between. */
static char *describe(const struct machine *m, const struct place_mask *threads)
{
        bool cores = whole_cores(m, threads);
        const struct machine_objects *unit = &m->objects[cores ? MACHINE_CORE : MACHINE_PU];
        bool packages = m->objects[MACHINE_PACKAGE].n > 0;
        const struct machine_objects *group = &m->objects[packages ? MACHINE_PACKAGE : MACHINE_ALL];
        auto_str struct str s = STR_INIT;

        for (unsigned i = 0; i < group->n; i++) {
                auto_free char *list = list_units(unit, group->span[i], threads);
                if (!list)
                        return NULL;
                if (*list)
                        str_addf(&s, "%s%s[%u][%s:%s]", s.size ? " " : "", packages ? "package" : "machine", i,
                                 cores ? "core" : "hwt", list);
        }
        return str_take(&s);
}

static int make_slot(struct place_slot *slot, const struct machine *m, const struct place_mask *threads)
{
        static const struct place_mask unbound = PLACE_MASK_INIT;
        if (!threads)
                threads = &unbound;

        for (unsigned i = 0; i < threads->bits; i++)
                if (bind_has(threads, i))
                        bind_set(&slot->cpus, m->pu_os[i]);
        for (unsigned i = 0; i < m->n_memory; i++)
                if (count_in(threads, m->memory[i].span))
                        bind_set(&slot->numa, m->memory[i].os);
        slot->cpu_list = bind_format(&slot->cpus);
        slot->numa_list = bind_format(&slot->numa);
        slot->report = describe(m, threads);
        return slot->cpu_list && slot->numa_list && slot->report ? 0 : -ENOMEM;
}

int slots_make(struct placement *p, const struct machine *m, size_t n, const struct place_mask *threads)
{
        p->slot = calloc(n, sizeof(*p->slot));
        if (!p->slot)
                return -ENOMEM;
        p->n_slots = n;
        for (size_t i = 0; i < n; i++) {
                int r = make_slot(&p->slot[i], m, threads ? &threads[i] : NULL);
                if (r < 0)
                        return r;
        }
        return 0;
}

void placement_free(struct placement *p)
{
        if (!p)
                return;
        for (size_t i = 0; i < p->n_slots; i++) {
                free(p->slot[i].cpu_list);
                free(p->slot[i].numa_list);
                free(p->slot[i].mems_list);
                free(p->slot[i].report);
        }
        free(p->slot);
        free(p);
}

void placement_report_rank(const struct placement *p, unsigned rank, size_t slot, FILE *out)
{
        const struct place_slot *s = &p->slot[slot];
        const char *policy = placement_policy_name(p), *list = s->numa_list;
        bool preferred = !p->memory || strcmp(policy, "prefer") == 0;

        if (p->bound)
                fprintf(out, "rank %u bound to %s (cpus %s%s%s)", rank, s->report, s->cpu_list,
                        bind_empty(&s->numa) ? "" : ", numa ", bind_empty(&s->numa) ? "" : list);
        else
                fprintf(out, "rank %u is not bound", rank);
        if (!preferred || (p->memory && !p->bound))
                fprintf(out, ", memory: %s%s%s", policy, *list ? " " : "", list);
}

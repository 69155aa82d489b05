#include "hpc/deal.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "hpc/machine.h"

/* From the first to the last of the threads, by hwloc's numbers; n 0: none. */
static struct machine_span around(const struct machine *m, const struct place_mask *a, const struct place_mask *b)
{
        unsigned first = UINT_MAX, last = 0;
        for (unsigned i = 0; i < machine_pus(m); i++)
                if (bind_has(a, m->pu_os[i]) || bind_has(b, m->pu_os[i])) {
                        first = first == UINT_MAX ? i : first;
                        last = i;
                }
        struct machine_span span = { 0 };
        if (first != UINT_MAX) {
                span.first = first;
                span.n = last - first + 1;
        }
        return span;
}

/* The size of the smallest object that both are in. */
static unsigned distance(const struct machine *m, const struct place_mask *cpus, const struct place_mask *near)
{
        unsigned least = machine_pus(m);
        if (bind_empty(cpus) || bind_empty(near))
                return least;
        struct machine_span both = around(m, cpus, near);
        for (int level = 0; level < MACHINE_LEVELS; level++)
                for (unsigned i = 0; i < m->objects[level].n; i++) {
                        struct machine_span span = m->objects[level].span[i];
                        if (span_inside(both, span) && span.n < least)
                                least = span.n;
                }
        return least;
}

struct hand {
        const struct deal *deal;
        unsigned *far;          /* by slot and device */
        bool *taken;            /* by device */
        bool *served;           /* by slot, in this round */
        unsigned *ret;
};

/* The nearest pair; of equal ones the first slot, then the first device. */
static void deal_one(struct hand *h, size_t round)
{
        const struct deal *d = h->deal;
        size_t slot = 0, device = 0;
        unsigned least = UINT_MAX;
        for (size_t s = 0; s < d->n_slots; s++)
                for (size_t i = 0; !h->served[s] && i < d->n_devices; i++)
                        if (!h->taken[i] && h->far[s * d->n_devices + i] < least) {
                                least = h->far[s * d->n_devices + i];
                                slot = s;
                                device = i;
                        }
        h->taken[device] = h->served[slot] = true;
        h->ret[slot * d->each + round] = (unsigned) device;
}

static int ascending(const void *a, const void *b)
{
        unsigned x = *(const unsigned *) a, y = *(const unsigned *) b;
        return (x > y) - (x < y);
}

int deal_devices(const struct topology *t, const struct deal *d, unsigned *ret)
{
        const struct machine *m = topology_machine(t);
        if (d->each == 0 || d->n_slots > d->n_devices / d->each)
                return -ENOSPC;
        auto_free unsigned *far = calloc(d->n_slots * d->n_devices + 1, sizeof(*far));
        auto_free bool *taken = calloc(d->n_devices + 1, sizeof(*taken));
        auto_free bool *served = calloc(d->n_slots + 1, sizeof(*served));
        if (!far || !taken || !served)
                return -ENOMEM;
        for (size_t s = 0; s < d->n_slots; s++)
                for (size_t i = 0; i < d->n_devices; i++)
                        far[s * d->n_devices + i] = distance(m, &d->cpus[s], &d->near[i]);
        struct hand hand = { d, far, taken, served, ret };
        for (size_t round = 0; round < d->each; round++) {
                for (size_t s = 0; s < d->n_slots; s++)
                        served[s] = false;
                for (size_t s = 0; s < d->n_slots; s++)
                        deal_one(&hand, round);
        }
        for (size_t s = 0; s < d->n_slots; s++)
                qsort(ret + s * d->each, d->each, sizeof(*ret), ascending);
        return 0;
}

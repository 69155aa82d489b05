/* Where Slurm's task/affinity puts the tasks of one node; the rules are in place_slurm.h. */
#include "hpc/place_slurm.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "hpc/place_parts.h"
#include "hpc/place_slot.h"

struct slurm {
        const struct machine *m;
        const struct place_wish *wish;
        unsigned cpus;                  /* threads of an instance */
        unsigned want;                  /* instances */
        enum slurm_bind bind;
        bool first_only;                /* of each core's threads only the first counts */
        struct machine_objects socket;  /* borrowed */
        unsigned *order;                /* threads in the order in which they are given away ... */
        unsigned n;                     /* ... and how many count */
        struct places *places;
};

static const struct machine_objects *objects_or_all(const struct machine *m, enum machine_level level)
{
        return m->objects[level].n ? &m->objects[level] : &m->objects[MACHINE_ALL];
}

static unsigned object_of(const struct machine_objects *objects, unsigned thread)
{
        for (unsigned i = 0; i < objects->n; i++)
                if (thread - objects->span[i].first < objects->span[i].n)
                        return i;
        return 0;
}

static bool counts(const struct slurm *s, unsigned thread)
{
        const struct machine_objects *core = &s->m->objects[MACHINE_CORE];
        if (!machine_has_cores(s->m))
                return true;
        unsigned number = object_of(core, thread);
        if (s->first_only && core->span[number].first != thread)
                return false;
        /* One core of each socket, for memory's sake. */
        if (s->wish->slurm.hint != SLURM_HINT_MEMORY)
                return true;
        struct machine_span socket = s->socket.span[object_of(&s->socket, thread)];
        return number == object_of(core, socket.first);
}

/* The threads of one socket, core by core, or the first of each core, then the second ones. */
static unsigned order_socket(const struct slurm *s, struct machine_span socket, unsigned *ret)
{
        unsigned n = 0;
        for (unsigned t = socket.first; t < socket.first + socket.n; t++)
                if (counts(s, t))
                        ret[n++] = t;
        return n;
}

/*
 * Deal the threads out: to[i] of instance i. `s->n` threads, socket by socket in `order`.
 */
struct dealer {
        unsigned *first, *left, *at;    /* of each socket: its place in `order`, how many, how many are gone */
        unsigned socket;
};

static bool next_socket(const struct slurm *s, struct dealer *d)
{
        for (unsigned i = 0; i < s->socket.n; i++) {
                if (d->at[d->socket] < d->left[d->socket])
                        return true;
                d->socket = (d->socket + 1) % s->socket.n;
        }
        return false;
}

/* Bound to cores, an instance begins with a core of which nobody has a thread yet, in this round. */
static void skip_begun_core(const struct slurm *s, struct dealer *d)
{
        const struct machine_objects *core = &s->m->objects[MACHINE_CORE];
        if (s->bind != SLURM_BIND_CORES || !machine_has_cores(s->m))
                return;
        for (unsigned i = 0; i < s->socket.n; i++) {
                unsigned *at = &d->at[i];
                while (*at > 0 && *at < d->left[i] &&
                       object_of(core, s->order[d->first[i] + *at]) == object_of(core, s->order[d->first[i] + *at - 1]))
                        (*at)++;
        }
}

static void deal(struct slurm *s, struct dealer *d)
{
        enum slurm_order order = s->wish->slurm.sockets;
        for (unsigned i = 0; i < s->want; i++) {
                skip_begun_core(s, d);
                for (unsigned k = 0; k < s->cpus; k++) {
                        if (!next_socket(s, d)) {       /* all are given: from the start */
                                memset(d->at, 0, s->socket.n * sizeof(*d->at));
                                d->socket = 0;
                        }
                        unsigned thread = s->order[d->first[d->socket] + d->at[d->socket]++];
                        slot_add_span(&s->places->set[i], (struct machine_span){ thread, 1 });
                        if (order == SLURM_FCYCLIC)
                                d->socket = (d->socket + 1) % s->socket.n;
                }
                if (order == SLURM_CYCLIC || order == SLURM_DEFAULT)
                        d->socket = (d->socket + 1) % s->socket.n;
        }
}

/* Whole objects instead of the threads. */
static void widen(struct slurm *s)
{
        static const enum machine_level level[] = { [SLURM_BIND_CORES] = MACHINE_CORE,
                                                    [SLURM_BIND_SOCKETS] = MACHINE_PACKAGE,
                                                    [SLURM_BIND_LDOMS] = MACHINE_NUMA };
        if (s->bind != SLURM_BIND_CORES && s->bind != SLURM_BIND_SOCKETS && s->bind != SLURM_BIND_LDOMS)
                return;
        const struct machine_objects *objects = objects_or_all(s->m, level[s->bind]);
        if (s->bind == SLURM_BIND_CORES && !machine_has_cores(s->m))
                return;
        for (unsigned i = 0; i < s->want; i++) {
                struct place_mask wide = PLACE_MASK_INIT, *set = &s->places->set[i];
                for (unsigned t = 0; t < set->bits; t++)
                        if (bind_has(set, t))
                                slot_add_span(&wide, objects->span[object_of(objects, t)]);
                *set = wide;
        }
}

static enum slurm_bind choose_bind(const struct slurm *s)
{
        enum slurm_bind bind = s->wish->slurm.bind;
        uint64_t all = (uint64_t) s->want * s->cpus;

        if (bind != SLURM_BIND_AUTO)
                return bind;
        if (s->wish->slurm.hint == SLURM_HINT_COMPUTE || s->wish->slurm.hint == SLURM_HINT_MEMORY)
                return SLURM_BIND_CORES;
        if (s->wish->slurm.hint != SLURM_HINT_NONE)
                return SLURM_BIND_THREADS;
        if (all == machine_pus(s->m))
                return SLURM_BIND_THREADS;
        if (all == s->m->objects[MACHINE_CORE].n)
                return SLURM_BIND_CORES;
        return all == s->m->objects[MACHINE_PACKAGE].n ? SLURM_BIND_SOCKETS : SLURM_BIND_NONE;
}

/* Socket by socket, the threads that count. */
static void order_threads(struct slurm *s, struct dealer *d)
{
        s->n = 0;
        for (unsigned i = 0; i < s->socket.n; i++) {
                d->first[i] = s->n;
                d->left[i] = order_socket(s, s->socket.span[i], s->order + s->n);
                s->n += d->left[i];
        }
}

static int refuse_count(const struct slurm *s, struct error *err)
{
        const char *what = s->first_only ? "cores" : "hardware threads";
        return error_say(err, -EINVAL, "an instance of %u CPUs: %u %s are free (Slurm's words count %s)", s->cpus, s->n,
                         what, what);
}

static int place_by_distribution(struct slurm *s, struct error *err)
{
        unsigned pus = machine_pus(s->m), sockets = s->socket.n;
        auto_free unsigned *numbers = calloc((size_t) pus + (size_t) sockets * 3, sizeof(*numbers));
        if (!numbers)
                return error_set(err, -ENOMEM, "place %u instances", s->want);
        struct dealer d = { .first = numbers + pus, .left = numbers + pus + sockets, .at = numbers + pus + sockets + sockets };
        s->order = numbers;
        order_threads(s, &d);

        unsigned slots = s->n / s->cpus;
        if (slots == 0)
                return refuse_count(s, err);
        if (s->want == 0)
                s->want = slots;
        s->places->instances = s->want;
        s->bind = choose_bind(s);
        if (s->want > slots && s->wish->oversubscribe)
                s->bind = SLURM_BIND_NONE;      /* as srun --overcommit */
        else if (s->want > slots)
                s->want = slots;                /* the others wait */
        s->places->unbound = s->bind == SLURM_BIND_NONE;
        s->places->n = s->want;
        s->places->set = calloc(s->want, sizeof(*s->places->set));
        if (!s->places->set)
                return error_set(err, -ENOMEM, "place %u instances", s->want);
        if (s->bind == SLURM_BIND_NONE)
                return 0;
        deal(s, &d);
        widen(s);
        return 0;
}

/* The thread that the kernel calls CPU `os`; -1: not ours. */
static long thread_of(const struct machine *m, unsigned os)
{
        for (unsigned i = 0; i < machine_pus(m); i++)
                if (m->pu_os[i] == os)
                        return (long) i;
        return -1;
}

static int add_named(const struct slurm *s, bool ldom, unsigned number, struct place_mask *set, struct error *err)
{
        const struct machine_objects *numa = objects_or_all(s->m, MACHINE_NUMA);
        if (ldom) {
                if (number >= numa->n)
                        return error_say(err, -EINVAL, "--cpu-bind: there is no locality domain %u; this machine has 0-%u",
                                         number, numa->n - 1);
                slot_add_span(set, numa->span[number]);
                return 0;
        }
        long thread = thread_of(s->m, number);
        if (thread < 0)
                return error_say(err, -EINVAL, "--cpu-bind: CPU %u is not there, or not ours; we have %u CPUs", number,
                                 machine_pus(s->m));
        slot_add_span(set, (struct machine_span){ (unsigned) thread, 1 });
        return 0;
}

static int refuse_item(const struct place_text t, struct error *err)
{
        return error_say(err, -ERANGE, "--cpu-bind: \"%.*s\" is too large: CPUs and domains are counted up to %d", (int) t.size,
                         t.text, PLACE_MASK_BITS - 1);
}

static int add_mask(const struct slurm *s, bool ldom, struct place_text t, struct place_mask *set, struct error *err)
{
        struct place_mask mask = PLACE_MASK_INIT;
        if (list_mask(t, &mask) < 0)
                return refuse_item(t, err);
        for (unsigned bit = 0; bit < mask.bits; bit++) {
                int r = bind_has(&mask, bit) ? add_named(s, ldom, bit, set, err) : 0;
                if (r < 0)
                        return r;
        }
        return bind_empty(set) ? error_say(err, -EINVAL, "--cpu-bind: a mask is empty") : 0;
}

static int add_number(const struct slurm *s, bool ldom, struct place_text t, struct place_mask *set, struct error *err)
{
        unsigned number = 0;
        if (list_number(t, &number) < 0)
                return refuse_item(t, err);
        return add_named(s, ldom, number, set, err);
}

/* How many items a list has, stars multiplied out. */
static unsigned count_items(struct place_text list)
{
        const char *rest = list.text;
        uint64_t n = 0;
        while (rest) {
                struct list_item item = { .times = 0 };
                if (list_next(&rest, list.text + list.size, &item) < 0)
                        break;
                n += item.times;
        }
        return n > PLACE_INSTANCES_MAX ? PLACE_INSTANCES_MAX : (unsigned) n;
}

static int fill_from_list(struct slurm *s, struct error *err)
{
        const struct place_text list = s->wish->slurm.list;
        bool ldom = s->bind == SLURM_BIND_MAP_LDOM || s->bind == SLURM_BIND_MASK_LDOM;
        bool mask = s->bind == SLURM_BIND_MASK_CPU || s->bind == SLURM_BIND_MASK_LDOM;
        const char *rest = list.text;
        struct list_item item = { .times = 0 };
        int r = 0;

        for (unsigned i = 0; r == 0 && i < s->want; i++, item.times--) {
                if (item.times == 0) {
                        rest = rest ? rest : list.text;
                        (void) list_next(&rest, list.text + list.size, &item); /* the parser has seen that it is good */
                }
                r = (mask ? add_mask : add_number)(s, ldom, item.text, &s->places->set[i], err);
        }
        return r;
}

/* Places by number: nobody asks whether they are free. */
static int place_by_name(struct slurm *s, struct error *err)
{
        bool rank = s->bind == SLURM_BIND_RANK, ldom = s->bind == SLURM_BIND_RANK_LDOM;
        const struct machine_objects *numa = objects_or_all(s->m, MACHINE_NUMA);

        if (s->want == 0)
                s->want = rank ? machine_pus(s->m) : ldom ? numa->n : count_items(s->wish->slurm.list);
        if (s->want > PLACE_INSTANCES_MAX)
                return error_say(err, -E2BIG, "%u instances at once are too many; one node takes %d", s->want,
                                 PLACE_INSTANCES_MAX);
        s->places->n = s->places->instances = s->want;
        s->places->set = calloc((size_t) s->want + 1, sizeof(*s->places->set));
        if (!s->places->set)
                return error_set(err, -ENOMEM, "place %u instances", s->want);
        if (!rank && !ldom)
                return fill_from_list(s, err);
        for (unsigned i = 0; i < s->want; i++)
                slot_add_span(&s->places->set[i],
                              ldom ? numa->span[i % numa->n] : (struct machine_span){ i % machine_pus(s->m), 1 });
        return 0;
}

int place_slurm(const struct machine *m, const struct place_wish *wish, struct places *ret, struct error *err)
{
        auto_places struct places places = { 0 };
        struct slurm s = { .m = m, .wish = wish, .cpus = wish->cpus ? wish->cpus : 1, .want = wish->instances,
                           .bind = wish->slurm.bind, .socket = *objects_or_all(m, MACHINE_PACKAGE), .places = &places };
        enum slurm_hint hint = wish->slurm.hint;
        s.first_only = hint != SLURM_HINT_NONE && hint != SLURM_HINT_MULTI;

        int r = s.bind >= SLURM_BIND_RANK ? place_by_name(&s, err) : place_by_distribution(&s, err);
        if (r < 0)
                return r;
        *ret = places;
        places.set = NULL;
        return 0;
}

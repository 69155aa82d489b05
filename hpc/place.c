#include "hpc/place.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "hpc/machine.h"
#include "hpc/place_parts.h"
#include "hpc/place_slot.h"

/* What the wish means on this machine, and who got what so far. Ranges are spans of PEs, not of PUs. */
struct layout {
        const struct machine *m;
        const struct place_wish *wish;
        enum place_object map_by, bind_to;
        unsigned cpus;                  /* PEs of an instance */
        bool bind_given;
        bool threads;                   /* a PE is a hardware thread, not a core */
        const struct machine_objects *pe;
        unsigned *pe_of;                /* PU -> its PE */
        unsigned *used;                 /* instances on each PE */
        struct machine_objects place;   /* what --map-by names */
        struct machine_objects device;  /* those that --map-by names, as threads */
        struct machine_objects package; /* empty unless instances are to be kept inside one */
        struct machine_objects target;  /* what --bind-to names; empty: nothing, or the PEs themselves */
        unsigned *bound;                /* instances on each target */
        unsigned *pick;                 /* the PEs of the instance in work: `cpus` of them */
        struct mapped *mapped;          /* of each instance */
};

static void layout_clear(struct layout *l)
{
        free(l->pe_of);
        free(l->used);
        free(l->place.span);
        free(l->package.span);
        free(l->target.span);
        free(l->bound);
        free(l->pick);
        free(l->device.span);
        free(l->mapped);
}

static void layout_clear_p(struct layout *l) { layout_clear(l); }

static enum machine_level level_of(enum place_object object)
{
        switch (object) {
        case PLACE_HWTHREAD: return MACHINE_PU;
        case PLACE_CORE:     return MACHINE_CORE;
        case PLACE_L1CACHE:  return MACHINE_L1;
        case PLACE_L2CACHE:  return MACHINE_L2;
        case PLACE_L3CACHE:  return MACHINE_L3;
        case PLACE_NUMA:     return MACHINE_NUMA;
        case PLACE_PACKAGE:  return MACHINE_PACKAGE;
        default:             return MACHINE_ALL;
        }
}

static const struct machine_objects *objects_of(const struct layout *l, enum place_object object)
{
        return object == PLACE_DEVICE ? &l->device : &l->m->objects[level_of(object)];
}

/* "8 cores", "1 hardware thread". */
static const char *pes(const struct layout *l, unsigned n)
{
        if (l->threads)
                return n == 1 ? "hardware thread" : "hardware threads";
        return n == 1 ? "core" : "cores";
}

static int refuse_object(const struct layout *l, const char *option, enum place_object object, struct error *err)
{
        auto_str struct str has = STR_INIT;

        for (enum place_object o = PLACE_HWTHREAD; o <= PLACE_PACKAGE; o++)
                if (objects_of(l, o)->n)
                        str_addf(&has, "%s%s", has.size ? ", " : "", place_object_name(o));
        auto_free char *words = str_take(&has);
        return error_say(err, -EINVAL, "%s %s: this machine has no %s; it has %s", option, place_object_name(object),
                         place_object_name(object), words ? words : "other objects");
}

/*
 * Which object
 */

bool machine_has_cores(const struct machine *m)
{
        unsigned covered = 0;
        for (unsigned i = 0; i < m->objects[MACHINE_CORE].n; i++)
                covered += m->objects[MACHINE_CORE].span[i].n;
        return covered == machine_pus(m);
}

/* Machines (virtual ones, mostly) that report no cores: a thread is the best there is. */
static enum place_object or_thread(const struct machine *m, enum place_object object)
{
        return object == PLACE_CORE && !machine_has_cores(m) ? PLACE_HWTHREAD : object;
}

static void resolve_defaults(struct layout *l)
{
        const struct place_wish *w = l->wish;

        l->cpus = w->cpus ? w->cpus : 1;
        l->map_by = or_thread(l->m, w->map_by);
        l->bind_to = or_thread(l->m, w->bind_to);
        l->bind_given = w->bind_to != PLACE_DEFAULT && w->bind_to != PLACE_NONE;
        l->threads = w->hwtcpus || l->map_by == PLACE_HWTHREAD || !machine_has_cores(l->m) ||
                     (l->map_by == PLACE_DEFAULT && l->bind_to == PLACE_HWTHREAD);
        l->pe = &l->m->objects[l->threads ? MACHINE_PU : MACHINE_CORE];

        enum place_object one = l->threads ? PLACE_HWTHREAD : PLACE_CORE;
        if (l->map_by == PLACE_DEFAULT) {
                if (l->bind_to == PLACE_NONE || (l->bind_given && l->cpus > 1))
                        l->map_by = PLACE_SLOT;
                else
                        l->map_by = l->bind_given ? l->bind_to : one;
        }
        if (l->bind_to == PLACE_DEFAULT) {
                bool whole = l->map_by == PLACE_SLOT || l->map_by == PLACE_NODE;
                l->bind_to = whole || l->cpus > 1 ? one : l->map_by;
        }
}

static bool is_asked(const struct machine_device *d, struct place_text word)
{
        static const struct { const char *word; enum machine_device_kind kind; } kinds[] = {
                { "gpu", DEVICE_GPU }, { "network", DEVICE_NETWORK },
        };
        for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
                if (strlen(kinds[i].word) == word.size && strncasecmp(kinds[i].word, word.text, word.size) == 0)
                        return d->kind == kinds[i].kind && d->main;
        return strlen(d->name) == word.size && strncmp(d->name, word.text, word.size) == 0;
}

static int find_devices(struct layout *l, struct error *err)
{
        const struct machine *m = l->m;
        const struct place_text word = l->wish->list;
        auto_str struct str has = STR_INIT;

        if (l->map_by != PLACE_DEVICE)
                return 0;
        l->device.span = calloc(m->n_devices + 1, sizeof(*l->device.span));
        if (!l->device.span)
                return error_set(err, -ENOMEM, "look for devices");
        for (unsigned i = 0; i < m->n_devices; i++) {
                str_addf(&has, "%s%s", i ? ", " : "", m->device[i].name);
                if (is_asked(&m->device[i], word))
                        l->device.span[l->device.n++] = m->device[i].span;
        }
        if (l->device.n)
                return 0;
        auto_free char *names = str_take(&has);
        return error_say(err, -EINVAL, "--map-by device=%.*s: this machine has no such device; it has %s", (int) word.size,
                         word.text, names && *names ? names : "none that hwloc knows");
}

static int resolve_support(struct layout *l, struct error *err)
{
        int r = find_devices(l, err);
        if (r < 0)
                return r;
        if (l->bind_given && !objects_of(l, l->bind_to)->n) {
                if (!l->wish->bind_if_supported)
                        return refuse_object(l, "--bind-to", l->bind_to, err);
                l->bind_to = PLACE_NONE;
                if (l->wish->map_by == PLACE_DEFAULT)
                        l->map_by = PLACE_SLOT;
        }
        if (!objects_of(l, l->map_by)->n)
                return refuse_object(l, "--map-by", l->map_by, err);
        if (l->wish->rank >= PLACE_RANK_OBJECT && !objects_of(l, l->wish->rank_by)->n)
                return refuse_object(l, "--rank-by", l->wish->rank_by, err);
        return 0;
}

/*
 * From threads to PEs
 */

static int number_pes(struct layout *l)
{
        l->pe_of = calloc(machine_pus(l->m), sizeof(*l->pe_of));
        l->used = calloc(l->pe->n, sizeof(*l->used));
        l->pick = calloc(l->pe->n, sizeof(*l->pick));
        if (!l->pe_of || !l->used || !l->pick)
                return -ENOMEM;
        for (unsigned pe = 0; pe < l->pe->n; pe++)
                for (unsigned i = 0; i < l->pe->span[pe].n; i++)
                        l->pe_of[l->pe->span[pe].first + i] = pe;
        return 0;
}

/* The objects as ranges of PEs. What is smaller than a PE counts as the PE around it. */
static int ranges_of(const struct layout *l, const struct machine_objects *objects, struct machine_objects *ret)
{
        ret->span = calloc(objects->n, sizeof(*ret->span));
        if (!ret->span)
                return -ENOMEM;
        for (unsigned i = 0; i < objects->n; i++) {
                struct machine_span pus = objects->span[i];
                unsigned first = l->pe_of[pus.first], last = l->pe_of[pus.first + pus.n - 1];
                ret->span[i] = (struct machine_span){ first, last - first + 1 };
        }
        ret->n = objects->n;
        return 0;
}

static unsigned largest(const struct machine_objects *objects)
{
        unsigned most = 0;
        for (unsigned i = 0; i < objects->n; i++)
                if (objects->span[i].n > most)
                        most = objects->span[i].n;
        return most;
}

/* What to deal instances out to. Nothing holds four cores that is called a core, so -c 4 means four in a row. */
static const struct machine_objects *choose_places(const struct layout *l)
{
        const struct machine_objects *objects = objects_of(l, l->map_by);
        bool single = l->map_by == PLACE_CORE || l->map_by == PLACE_HWTHREAD;
        unsigned holds = l->threads ? largest(objects) : 1;

        return single && !l->wish->per_object && holds < l->cpus ? &l->m->objects[MACHINE_ALL] : objects;
}

static int lay_out(struct layout *l, struct error *err)
{
        bool is_pe = level_of(l->bind_to) <= (l->threads ? MACHINE_PU : MACHINE_CORE);

        int r = number_pes(l);
        if (r == 0)
                r = ranges_of(l, choose_places(l), &l->place);
        if (r == 0 && l->cpus > 1 && l->m->objects[MACHINE_PACKAGE].n)
                r = ranges_of(l, &l->m->objects[MACHINE_PACKAGE], &l->package);
        if (r == 0 && l->bind_to != PLACE_NONE && !is_pe) {
                r = ranges_of(l, objects_of(l, l->bind_to), &l->target);
                if (r == 0 && !(l->bound = calloc(l->target.n + 1, sizeof(*l->bound))))
                        r = -ENOMEM;
        }
        if (r < 0)
                return error_set(err, r, "place %u instances", l->wish->instances);

        if (!l->wish->per_object && !l->wish->oversubscribe && l->place.n > 1 && largest(&l->place) < l->cpus)
                return error_say(err, -EINVAL, "--map-by %s: an instance of %u %s does not fit into a %s of this "
                                 "machine, which has %u; ask for fewer, or map by a larger object",
                                 place_object_name(l->map_by), l->cpus, pes(l, l->cpus), place_object_name(l->map_by),
                                 largest(&l->place));
        return 0;
}

/*
 * One instance
 */

/*
 * Put the n PEs of the range that the fewest instances use into `pick` (or only
 * count, with NULL), in order among equals. Returns how many instances the last
 * of them has already: 0 if all are free; UINT_MAX if the range has no n PEs.
 */
static unsigned choose_pes(const struct layout *l, struct machine_span range, unsigned n, unsigned *pick)
{
        unsigned got = 0, level = 0;

        if (range.n < n)
                return UINT_MAX;
        for (;;) {
                unsigned next = UINT_MAX;
                for (unsigned pe = range.first; pe < range.first + range.n; pe++) {
                        if (l->used[pe] == level) {
                                if (pick)
                                        pick[got] = pe;
                                if (++got == n)
                                        return level;
                        } else if (l->used[pe] > level && l->used[pe] < next) {
                                next = l->used[pe];
                        }
                }
                level = next;
        }
}

static bool has_room(const struct layout *l, struct machine_span range, unsigned n)
{
        if (!l->wish->overload_allowed)
                return choose_pes(l, range, n, NULL) == 0;
        if (!l->wish->limit || l->target.n)
                return range.n >= n;
        return choose_pes(l, range, n, NULL) < l->wish->limit;
}

static struct machine_span common(struct machine_span a, struct machine_span b)
{
        unsigned first = a.first > b.first ? a.first : b.first;
        unsigned a_end = a.first + a.n, b_end = b.first + b.n;
        return (struct machine_span){ first, (a_end < b_end ? a_end : b_end) - first };
}

/* The first, among the least used, of the packages inside the range that has room; else the range itself. */
static struct machine_span keep_in_package(const struct layout *l, struct machine_span range)
{
        struct machine_span best = range;
        unsigned least = UINT_MAX;

        for (unsigned i = 0; i < l->package.n; i++) {
                struct machine_span package = l->package.span[i];
                if (!span_inside(package, range))
                        continue;
                unsigned load = choose_pes(l, package, l->cpus, NULL);
                if (load < least && (load == 0 || l->wish->overload_allowed)) {
                        least = load;
                        best = package;
                }
        }
        return best;
}

enum { TARGET_NONE = -1, TARGET_SEVERAL = -2 };

/* The target, inside the place or around it, with the fewest instances among those that have room. */
static int choose_target(const struct layout *l, struct machine_span place)
{
        int best = TARGET_NONE;
        bool limited = false;

        for (unsigned i = 0; i < l->target.n; i++) {
                struct machine_span target = l->target.span[i];
                if (!span_touches(target, place))
                        continue;
                if (l->wish->limit && l->bound[i] >= l->wish->limit) {
                        limited = true;
                        continue;
                }
                if (best == TARGET_NONE)
                        best = TARGET_SEVERAL;
                if (!has_room(l, common(target, place), l->cpus))
                        continue;
                if (best < 0 || l->bound[i] < l->bound[best])
                        best = (int) i;
        }
        return best == TARGET_SEVERAL && limited ? TARGET_NONE : best;
}

/* Which threads an instance is bound to, once it has its PEs. */
static void add_threads(struct layout *l, int target, struct place_mask *threads)
{
        const struct machine_objects *objects = objects_of(l, l->bind_to);
        bool one = l->bind_to == PLACE_HWTHREAD && !l->threads;   /* a core each, but of it a thread only */

        if (l->bind_to == PLACE_NONE)
                return;
        if (target >= 0)
                slot_add_span(threads, objects->span[target]);
        for (unsigned i = 0; i < l->cpus && target < 0; i++) {
                unsigned pe = l->pick[i];
                struct machine_span span = l->pe->span[pe];
                if (one)
                        span = (struct machine_span){ span.first + l->used[pe] % span.n, 1 };
                if (target == TARGET_NONE)
                        slot_add_span(threads, span);
                for (unsigned t = 0; target == TARGET_SEVERAL && t < objects->n; t++)
                        if (span_touches(objects->span[t], span))
                                slot_add_span(threads, objects->span[t]);
        }
}

/* False: no room there, or nothing to bind to. */
static bool place_one(struct layout *l, struct machine_span place, struct place_mask *threads)
{
        struct machine_span range = place;
        int target = TARGET_NONE;

        if (!has_room(l, place, l->cpus))
                return false;
        if (l->target.n) {
                target = choose_target(l, place);
                if (target == TARGET_NONE)
                        return false;
                if (target >= 0)
                        range = common(l->target.span[target], place);
        }
        if (l->package.n)
                range = keep_in_package(l, range);
        (void) choose_pes(l, range, l->cpus, l->pick);  /* there is room: has_room() said so */
        add_threads(l, target, threads);
        for (unsigned i = 0; i < l->cpus; i++)
                l->used[l->pick[i]]++;
        if (target >= 0)
                l->bound[target]++;
        return true;
}

/*
 * All instances
 */

/* Instance n was dealt to that place. The number of the next one. */
static unsigned note(struct layout *l, unsigned n, unsigned place)
{
        l->mapped[n] = (struct mapped){ place, l->pe->span[l->pick[0]].first };
        return n + 1;
}

/* N in a row on each place that has room for N. */
static unsigned fill_pattern(struct layout *l, struct place_mask *threads, unsigned want)
{
        unsigned n = 0;

        for (unsigned i = 0; i < l->place.n; i++) {
                uint64_t need = (uint64_t) l->wish->per_object * l->cpus;
                unsigned each = l->wish->overload_allowed ? l->cpus : need > UINT_MAX ? UINT_MAX : (unsigned) need;
                if (!has_room(l, l->place.span[i], each))
                        continue;
                for (unsigned k = 0; k < l->wish->per_object && n < want; k++)
                        if (place_one(l, l->place.span[i], &threads[n]))
                                n = note(l, n, i);
        }
        return n;
}

/* One on each place in turn, until all are placed or nobody has room. */
static unsigned fill_in_turn(struct layout *l, struct place_mask *threads, unsigned want)
{
        unsigned n = 0, full = 0;

        for (unsigned i = 0; n < want && full < l->place.n; i = (i + 1) % l->place.n) {
                if (place_one(l, l->place.span[i], &threads[n])) {
                        n = note(l, n, i);
                        full = 0;
                } else {
                        full++;
                }
        }
        return n;
}

/* How many are to run: as asked for, else as many as there is room for. */
static int count_wanted(const struct layout *l, unsigned *ret, struct error *err)
{
        const struct place_wish *w = l->wish;
        uint64_t want = w->instances;

        if (!want && w->per_object)
                want = (uint64_t) w->per_object * l->place.n;
        if (!want)
                want = l->pe->n / l->cpus;
        if (want > UINT_MAX || (w->oversubscribe && want > PLACE_INSTANCES_MAX))
                return error_say(err, -E2BIG, "%llu instances at once are too many; one node takes %d",
                                 (unsigned long long) want, PLACE_INSTANCES_MAX);
        *ret = want ? (unsigned) want : 1;
        return 0;
}

static int refuse_count(const struct layout *l, unsigned want, struct error *err)
{
        uint64_t need = (uint64_t) want * l->cpus;

        if (l->wish->per_object)
                return error_say(err, -EINVAL, "--map-by ppr:%u:%s: %u instance%s of %u %s do%s not fit into every %s "
                                 "of this machine, which has %u %s in all; ask for fewer, or --oversubscribe",
                                 l->wish->per_object, place_object_name(l->map_by), l->wish->per_object,
                                 l->wish->per_object == 1 ? "" : "s", l->cpus, pes(l, l->cpus),
                                 l->wish->per_object == 1 ? "es" : "", place_object_name(l->map_by), l->pe->n,
                                 pes(l, l->pe->n));
        return error_say(err, -EINVAL, "%u instance%s of %u %s each need%s %llu %s, %u %s free; ask for fewer, or "
                         "--oversubscribe", want, want == 1 ? "" : "s", l->cpus, pes(l, l->cpus), want == 1 ? "s" : "",
                         (unsigned long long) need, pes(l, need == 1 ? 1 : 2), l->pe->n, l->pe->n == 1 ? "is" : "are");
}

/* There are more instances than places for them. What then? */
static int decide_overflow(struct layout *l, unsigned want, unsigned *n, struct error *err)
{
        const struct place_wish *w = l->wish;

        if (!w->oversubscribe) {
                bool all_at_once = w->per_object && !w->instances;
                return *n == 0 || all_at_once ? refuse_count(l, want, err) : 0;
        }
        if (l->bind_given && l->bind_to != PLACE_NONE && !w->bind_if_supported)
                return error_say(err, -EINVAL, "--bind-to %s: %u instances of %u %s each on %u %s would share them; "
                                 "say --bind-to %s:overload-allowed, --bind-to none, or ask for fewer",
                                 place_object_name(l->bind_to), want, l->cpus, pes(l, l->cpus), l->pe->n,
                                 pes(l, l->pe->n), place_object_name(l->bind_to));
        l->bind_to = PLACE_NONE;
        *n = want;
        return 0;
}

static int fill(struct layout *l, struct places *places, struct error *err)
{
        unsigned want = 0;
        int r = count_wanted(l, &want, err);
        if (r < 0)
                return r;

        /* Slots that wait are no slots: without sharing there are never more than PEs. */
        unsigned most = l->pe->n / l->cpus;
        if (l->wish->overload_allowed)
                most = l->wish->oversubscribe ? want : l->pe->n;
        unsigned room = want < most ? want : most;
        l->mapped = calloc(room ? room : 1, sizeof(*l->mapped));
        places->set = calloc(room ? room : 1, sizeof(*places->set));
        if (!places->set || !l->mapped)
                return error_set(err, -ENOMEM, "place %u instances", want);

        unsigned n = l->wish->per_object ? fill_pattern(l, places->set, room) : fill_in_turn(l, places->set, room);
        if (place_rank(l->wish, objects_of(l, l->wish->rank_by), l->mapped, places->set, n) < 0)
                return error_set(err, -ENOMEM, "place %u instances", want);
        if (n < want) {
                r = decide_overflow(l, want, &n, err);
                if (r < 0)
                        return r;
        }
        places->n = n;
        places->instances = l->wish->instances ? want : n;
        places->unbound = l->bind_to == PLACE_NONE;
        return 0;
}

static int place_objects(const struct machine *m, const struct place_wish *wish, struct placement *p,
                         struct places *places, struct error *err)
{
        CLEANUP(layout_clear) struct layout l = { .m = m, .wish = wish };

        resolve_defaults(&l);
        int r = resolve_support(&l, err);
        if (r == 0)
                r = lay_out(&l, err);
        if (r == 0)
                r = fill(&l, places, err);
        p->map_by = l.map_by;
        p->bind_to = l.bind_to;
        return r;
}

int place(const struct topology *topology, const struct place_wish *wish, struct placement **ret_placement,
          struct error *err)
{
        const struct machine *m = topology_machine(topology);
        auto_places struct places places = { 0 };
        auto_placement struct placement *p = calloc(1, sizeof(*p));
        if (!p)
                return error_set(err, -ENOMEM, "place %u instances", wish->instances);

        int r;
        if (wish->way == PLACE_BY_OBJECT)
                r = place_objects(m, wish, p, &places, err);
        else
                r = (wish->way == PLACE_AS_SLURM ? place_slurm : place_given)(m, wish, &places, err);
        if (r < 0)
                return r;
        p->instances = places.instances;
        p->bound = !places.unbound;
        p->bind_to = places.unbound ? PLACE_NONE : p->bind_to;
        r = slots_make(p, m, places.n, p->bound ? places.set : NULL);
        if (r < 0)
                return error_set(err, r, "place %u instances", p->instances);
        r = place_memory(m, wish, p, err);
        if (r < 0)
                return r;
        *ret_placement = take_ptr(&p);
        return 0;
}

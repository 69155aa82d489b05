/*
 * Places that somebody wrote down: pe-list=, rankfile:FILE=, seq:FILE=.
 *
 * PRRTE's rankfile has a line for each rank, `#` begins a comment:
 *
 *      rank 0=localhost slot=0-1           processing elements, by hwloc's numbers
 *      rank 1=+n0 slot=1:0-2               package 1, its PEs 0 to 2; with * all of them
 *      rank 2=node7 slot=0:3;1:3           several of those
 *
 * Its file for seq has a line for each instance, in order: a host, and maybe PEs as
 * above; without them the instance gets the next PE that nobody has.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "hpc/place_parts.h"
#include "hpc/place_slot.h"

#define NOBODY UINT32_MAX

struct given {
        const struct machine *m;
        const struct place_wish *wish;
        const char *what;               /* "rankfile", ... */
        const struct machine_objects *pe;
        bool threads;
        unsigned line;                  /* of the file */
        uint32_t *owner;                /* of each PE */
        struct places *places;
        size_t room;
};

static const char *pe_name(const struct given *g)
{
        return g->threads ? "hardware thread" : "core";
}

/* "8 of 16 cores are free: 4-11" */
static int refuse_taken(const struct given *g, unsigned pe, struct error *err)
{
        struct place_mask free_ = PLACE_MASK_INIT;
        for (unsigned i = 0; i < g->pe->n; i++)
                if (g->owner[i] == NOBODY)
                        bind_set(&free_, i);
        auto_free char *list = bind_format(&free_);
        return error_say(err, -EINVAL, "--map-by %s: %s %u is given to instance %u already; free are %s; or say "
                         "--bind-to core:overload-allowed", g->what, pe_name(g), pe, g->owner[pe],
                         list && *list ? list : "none");
}

static int refuse_absent(const struct given *g, unsigned pe, unsigned n, const char *of, struct error *err)
{
        if (n == 0)
                return error_say(err, -EINVAL, "--map-by %s: this machine has no %s", g->what, of);
        return error_say(err, -EINVAL, "--map-by %s: there is no %s %u; this machine has 0-%u", g->what, of, pe,
                         n - 1);
}

static int add_set(struct given *g, size_t rank)
{
        struct places *p = g->places;
        while (g->room <= rank) {
                size_t more = g->room ? g->room * 2 : 64;
                struct place_mask *set = realloc(p->set, more * sizeof(*set));
                if (!set)
                        return -ENOMEM;
                memset(set + g->room, 0, (more - g->room) * sizeof(*set));
                p->set = set;
                g->room = more;
        }
        if (p->n <= rank)
                p->n = rank + 1;
        return 0;
}

static int take_pe(struct given *g, size_t rank, unsigned pe, struct error *err)
{
        if (pe >= g->pe->n)
                return refuse_absent(g, pe, g->pe->n, pe_name(g), err);
        if (g->owner[pe] != NOBODY && !g->wish->overload_allowed)
                return refuse_taken(g, pe, err);
        g->owner[pe] = (uint32_t) rank;
        slot_add_span(&g->places->set[rank], g->pe->span[pe]);
        return 0;
}

static int copy_list(const char *text, size_t size, char *buf, size_t room)
{
        if (size >= room)
                return -E2BIG;
        memcpy(buf, text, size);
        buf[size] = '\0';
        return 0;
}

/* The PEs that touch the package, as a range. */
static struct machine_span pes_of(const struct given *g, struct machine_span package)
{
        struct machine_span range = { 0, 0 };
        for (unsigned i = 0; i < g->pe->n; i++)
                if (span_touches(g->pe->span[i], package)) {
                        range.first = range.n ? range.first : i;
                        range.n++;
                }
        return range;
}

/* "0-1", "1:0-2", "1:*": one of those that semicolons separate. */
static int take_slots(struct given *g, size_t rank, const char *text, size_t size, struct error *err)
{
        char buf[4096];
        if (copy_list(text, size, buf, sizeof(buf)) < 0)
                return error_say(err, -E2BIG, "--map-by %s: line %u is too long", g->what, g->line);
        char *list = buf, *colon = strchr(buf, ':');
        struct machine_span range = { 0, g->pe->n };
        if (colon) {
                const struct machine_objects *package = &g->m->objects[MACHINE_PACKAGE];
                uint32_t number;
                *colon = '\0';
                if (parse_u32(buf, &number) < 0)
                        return error_say(err, -EINVAL, "--map-by %s: line %u: \"%s\" is not the number of a package",
                                         g->what, g->line, buf);
                if (number >= package->n)
                        return refuse_absent(g, number, package->n, "package", err);
                range = pes_of(g, package->span[number]);
                list = colon + 1;
        }
        struct place_mask pes = PLACE_MASK_INIT;
        bool all = strcmp(list, "*") == 0;
        int r = all ? 0 : bind_parse(list, &pes, err);
        if (r < 0)
                return error_wrap(err, "--map-by %s: line %u", g->what, g->line);
        if (!all && bind_empty(&pes))
                return error_say(err, -EINVAL, "--map-by %s: line %u names no place", g->what, g->line);
        if (!all && pes.bits > range.n)
                return refuse_absent(g, pes.bits - 1, range.n, pe_name(g), err);
        for (unsigned i = 0; r == 0 && i < range.n; i++)
                if (all || bind_has(&pes, i))
                        r = take_pe(g, rank, range.first + i, err);
        return r;
}

static int take_place(struct given *g, size_t rank, const char *text, size_t size, struct error *err)
{
        const char *end = text + size;
        for (;;) {
                const char *stop = memchr(text, ';', (size_t) (end - text));
                int r = take_slots(g, rank, text, (size_t) ((stop ? stop : end) - text), err);
                if (r < 0 || !stop)
                        return r;
                text = stop + 1;
        }
}

static bool is_here(const struct given *g, struct place_text host)
{
        static const char *const here[] = { "localhost", "127.0.0.1", "+n0", "*" };
        const char *own = g->wish->host;
        for (size_t i = 0; i < sizeof(here) / sizeof(*here); i++)
                if (strlen(here[i]) == host.size && strncmp(here[i], host.text, host.size) == 0)
                        return true;
        if (!own)
                return host.size > 0;
        size_t n = strcspn(own, ".");
        return (strlen(own) == host.size || n == host.size) && strncasecmp(own, host.text, host.size) == 0;
}

static int check_host(const struct given *g, struct place_text host, struct error *err)
{
        if (is_here(g, host))
                return 0;
        return error_say(err, -EINVAL, "--map-by %s: line %u: \"%.*s\" is not this machine (%s, localhost); a launcher "
                         "serves one", g->what, g->line, (int) host.size, host.text, g->wish->host ? g->wish->host : "");
}

static struct place_text next_word(const char **p, const char *end)
{
        while (*p < end && (**p == ' ' || **p == '\t' || **p == '\r'))
                (*p)++;
        struct place_text word = { *p, 0 };
        while (*p < end && **p != ' ' && **p != '\t' && **p != '\r')
                (*p)++;
        word.size = (size_t) (*p - word.text);
        return word;
}

/* "rank 3=HOST slot=SPEC" */
static int rank_line(struct given *g, const char *p, const char *end, struct error *err)
{
        struct place_text key = next_word(&p, end), who = next_word(&p, end), slot = next_word(&p, end);
        struct place_text rest = next_word(&p, end);
        const char *equals = memchr(who.text, '=', who.size);
        char digits[16] = "";
        uint32_t rank;

        bool good = key.size == 4 && strncmp(key.text, "rank", 4) == 0 && equals && !rest.size && slot.size > 5 &&
                    strncmp(slot.text, "slot=", 5) == 0 &&
                    copy_list(who.text, (size_t) (equals - who.text), digits, sizeof(digits)) == 0 &&
                    parse_u32(digits, &rank) == 0;
        if (!good)
                return error_say(err, -EINVAL, "--map-by rankfile: line %u is not of the form rank 0=localhost slot=0-1",
                                 g->line);
        if (rank >= PLACE_INSTANCES_MAX)
                return error_say(err, -E2BIG, "--map-by rankfile: line %u: rank %u is too high; one node takes %d", g->line,
                                 rank, PLACE_INSTANCES_MAX);
        int r = check_host(g, (struct place_text){ equals + 1, (size_t) (who.text + who.size - equals - 1) }, err);
        if (r == 0 && add_set(g, rank) < 0)
                r = error_set(err, -ENOMEM, "read the rankfile");
        if (r == 0 && !bind_empty(&g->places->set[rank]))
                r = error_say(err, -EINVAL, "--map-by rankfile: line %u: rank %u has a place already", g->line, rank);
        return r < 0 ? r : take_place(g, rank, slot.text + 5, slot.size - 5, err);
}

static int seq_line(struct given *g, const char *p, const char *end, struct error *err)
{
        struct place_text host = next_word(&p, end), pes = next_word(&p, end);
        size_t rank = g->places->n;
        int r = check_host(g, host, err);
        if (r == 0 && add_set(g, rank) < 0)
                r = error_set(err, -ENOMEM, "read the list of hosts");
        if (r < 0)
                return r;
        if (pes.size)
                return take_place(g, rank, pes.text, pes.size, err);
        unsigned n = 0, want = g->wish->cpus ? g->wish->cpus : 1;
        for (unsigned pe = 0; r == 0 && pe < g->pe->n && n < want; pe++)
                if (g->owner[pe] == NOBODY) {
                        r = take_pe(g, rank, pe, err);
                        n++;
                }
        if (r == 0 && n < want)
                return error_say(err, -EINVAL, "--map-by seq: line %u: instance %zu wants %u %s%s, %u %s free", g->line, rank,
                                 want, pe_name(g), want == 1 ? "" : "s", n, n == 1 ? "is" : "are");
        return r;
}

static int read_lines(struct given *g, struct error *err)
{
        int r = 0;
        for (const char *p = g->wish->places; r == 0 && *p;) {
                const char *end = p + strcspn(p, "\n"), *stop = p + strcspn(p, "#\n");
                g->line++;
                const char *look = p;
                if (next_word(&look, stop).size)
                        r = g->wish->way == PLACE_BY_RANKFILE ? rank_line(g, p, stop, err) : seq_line(g, p, stop, err);
                p = *end ? end + 1 : end;
        }
        return r;
}

/* The file says how many there are, unless fewer are asked for. */
static int count_lines(struct given *g, struct error *err)
{
        unsigned want = g->wish->instances;
        if (g->places->n == 0)
                return error_say(err, -EINVAL, "--map-by %s: the file names no place", g->what);
        if (want > g->places->n)
                return error_say(err, -EINVAL, "--map-by %s: %u instances, and the file has places for %zu", g->what, want,
                                 g->places->n);
        if (want)
                g->places->n = want;
        for (size_t i = 0; i < g->places->n; i++)
                if (bind_empty(&g->places->set[i]))
                        return error_say(err, -EINVAL, "--map-by %s: the file has no place for instance %zu", g->what, i);
        g->places->instances = (unsigned) g->places->n;
        return 0;
}

/*
 * pe-list
 */

static int read_list(struct given *g, unsigned **ret, size_t *ret_n, struct error *err)
{
        char buf[4096];
        const struct place_text list = g->wish->list;
        auto_free unsigned *pe = calloc(PLACE_MASK_BITS, sizeof(*pe));
        size_t n = 0;
        if (!pe || copy_list(list.text, list.size, buf, sizeof(buf)) < 0)
                return error_set(err, -ENOMEM, "read the pe-list");
        /* Range by range: ORDERED wants to know which came first. */
        for (char *rest = buf, *item; (item = strsep(&rest, ",")) != NULL;) {
                struct place_mask some = PLACE_MASK_INIT;
                if (bind_parse(item, &some, err) < 0)
                        return error_wrap(err, "--map-by pe-list");
                if (bind_empty(&some))
                        return error_say(err, -EINVAL, "--map-by pe-list=%s: an item is empty", buf);
                for (unsigned bit = 0; bit < some.bits; bit++) {
                        if (!bind_has(&some, bit))
                                continue;
                        if (bit >= g->pe->n)
                                return refuse_absent(g, bit, g->pe->n, pe_name(g), err);
                        if (g->owner[bit] != NOBODY && !g->wish->overload_allowed)
                                return error_say(err, -EINVAL, "--map-by pe-list: %s %u is in the list twice; say --bind-to "
                                                 "core:overload-allowed", pe_name(g), bit);
                        g->owner[bit] = 0;
                        if (n < PLACE_MASK_BITS)
                                pe[n++] = bit;
                }
        }
        *ret = take_ptr(&pe);
        *ret_n = n;
        return 0;
}

static int place_list(struct given *g, struct error *err)
{
        const struct place_wish *w = g->wish;
        auto_free unsigned *pe = NULL;
        size_t n_pe = 0, cpus = w->cpus ? w->cpus : 1;
        int r = read_list(g, &pe, &n_pe, err);
        if (r < 0)
                return r;
        size_t slots = n_pe / cpus, want = w->instances ? w->instances : slots;
        if (slots == 0)
                return error_say(err, -EINVAL, "--map-by pe-list: an instance of %zu %ss, and the list has %zu", cpus,
                                 pe_name(g), n_pe);
        if (want > slots && w->oversubscribe) {
                if (want > PLACE_INSTANCES_MAX)
                        return error_say(err, -E2BIG, "%zu instances at once are too many; one node takes %d", want,
                                         PLACE_INSTANCES_MAX);
                g->places->unbound = !w->overload_allowed;
                slots = want;
        }
        slots = want < slots ? want : slots;
        if (add_set(g, slots - 1) < 0)
                return error_set(err, -ENOMEM, "place %zu instances", want);
        for (size_t i = 0; i < slots; i++)
                for (size_t k = 0; k < (w->ordered ? cpus : n_pe); k++)
                        slot_add_span(&g->places->set[i], g->pe->span[pe[w->ordered ? (i * cpus + k) % n_pe : k]]);
        g->places->instances = (unsigned) want;
        return 0;
}

int place_given(const struct machine *m, const struct place_wish *wish, struct places *ret, struct error *err)
{
        bool threads = wish->hwtcpus || wish->bind_to == PLACE_HWTHREAD || !machine_has_cores(m);
        const struct machine_objects *pe = &m->objects[threads ? MACHINE_PU : MACHINE_CORE];
        auto_free uint32_t *owner = malloc((pe->n + 1) * sizeof(*owner));
        auto_places struct places places = { 0 };
        struct given g = { .m = m, .wish = wish, .pe = pe, .threads = threads, .owner = owner, .places = &places,
                           .what = wish->way == PLACE_BY_LIST       ? "pe-list"
                                   : wish->way == PLACE_BY_RANKFILE ? "rankfile"
                                                                    : "seq" };
        if (!owner)
                return error_set(err, -ENOMEM, "place %u instances", wish->instances);
        for (unsigned i = 0; i < pe->n; i++)
                owner[i] = NOBODY;
        int r;
        if (wish->way == PLACE_BY_LIST) {
                r = place_list(&g, err);
        } else {
                r = read_lines(&g, err);
                if (r == 0)
                        r = count_lines(&g, err);
        }
        if (r < 0)
                return r;
        places.unbound = places.unbound || wish->bind_to == PLACE_NONE;
        *ret = places;
        places.set = NULL;
        return 0;
}

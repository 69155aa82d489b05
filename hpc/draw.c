#include "hpc/draw.h"

#include <string.h>

#include "base/str.h"
#include "hpc/machine.h"

struct picture {
        const struct machine *m;
        const struct occupant *who;
        size_t n;
        struct str *out;
        const struct machine_objects *package, *core;
        bool cores;                     /* else the boxes are hardware threads */
};

static struct picture picture_of(const struct topology *t, const struct occupant *who, size_t n, struct str *out)
{
        const struct machine *m = topology_machine(t);
        struct picture p = { .m = m, .who = who, .n = n, .out = out, .cores = m->objects[MACHINE_CORE].n > 0 };
        p.package = &m->objects[m->objects[MACHINE_PACKAGE].n ? MACHINE_PACKAGE : MACHINE_ALL];
        p.core = &m->objects[p.cores ? MACHINE_CORE : MACHINE_PU];
        return p;
}

static bool runs_on(const struct picture *p, const struct occupant *o, struct machine_span span)
{
        for (unsigned i = 0; i < span.n; i++)
                if (bind_has(&o->cpus, p->m->pu_os[span.first + i]))
                        return true;
        return false;
}

/* Bound to a part of the machine, that is: what may run anywhere would stand everywhere. */
static bool is_bound(const struct picture *p, const struct occupant *o)
{
        unsigned all = machine_pus(p->m), ours = 0;
        for (unsigned i = 0; i < all; i++)
                ours += bind_has(&o->cpus, p->m->pu_os[i]);
        return ours > 0 && ours * 2 <= all;
}

static void add_cpus(struct picture *p, struct machine_span span)
{
        struct place_mask mask = PLACE_MASK_INIT;
        for (unsigned i = 0; i < span.n; i++)
                bind_set(&mask, p->m->pu_os[span.first + i]);
        auto_free char *list = bind_format(&mask);
        str_add(p->out, list ? list : "?");
}

static void count(struct picture *p, enum machine_level level, const char *one, const char *many)
{
        unsigned n = p->m->objects[level].n;
        if (n)
                str_addf(p->out, "%s%u %s", p->out->size ? ", " : "", n, n == 1 ? one : many);
}

static void add_head(struct picture *p)
{
        count(p, MACHINE_PACKAGE, "package", "packages");
        count(p, MACHINE_NUMA, "NUMA node", "NUMA nodes");
        count(p, MACHINE_L3, "L3 cache", "L3 caches");
        count(p, MACHINE_CORE, "core", "cores");
        count(p, MACHINE_PU, "CPU", "CPUs");
        str_add(p->out, "\n");
}

static void add_unbound(struct picture *p, const char *before, const char *between)
{
        bool any = false;
        for (size_t i = 0; i < p->n; i++)
                if (!is_bound(p, &p->who[i])) {
                        str_addf(p->out, "%s%s", any ? between : before, p->who[i].name);
                        any = true;
                }
        if (any)
                str_add(p->out, "\n");
}

static void text_core(struct picture *p, unsigned number, unsigned depth)
{
        struct machine_span span = p->core->span[number];
        bool any = false;

        str_addf(p->out, "%*s%s[%u] cpus ", (int) depth, "", p->cores ? "core" : "hwt", number);
        add_cpus(p, span);
        for (size_t i = 0; i < p->n; i++)
                if (is_bound(p, &p->who[i]) && runs_on(p, &p->who[i], span)) {
                        str_addf(p->out, "%s%s", any ? ", " : ": ", p->who[i].name);
                        any = true;
                }
        str_add(p->out, "\n");
}

/* The NUMA nodes inside the package. False: there are none, one spans several packages. */
static bool has_numa(const struct picture *p, struct machine_span package)
{
        const struct machine_objects *numa = &p->m->objects[MACHINE_NUMA];
        unsigned covered = 0;
        for (unsigned i = 0; i < numa->n; i++)
                if (span_inside(numa->span[i], package))
                        covered += numa->span[i].n;
        return covered == package.n;
}

static void text_cores(struct picture *p, struct machine_span around, unsigned depth)
{
        for (unsigned c = 0; c < p->core->n; c++)
                if (span_inside(p->core->span[c], around))
                        text_core(p, c, depth);
}

char *draw_text(const struct topology *t, const struct occupant *who, size_t n)
{
        auto_str struct str s = STR_INIT;
        struct picture p = picture_of(t, who, n, &s);
        const struct machine_objects *numa = &p.m->objects[MACHINE_NUMA];
        const char *group = p.m->objects[MACHINE_PACKAGE].n ? "package" : "machine";

        add_head(&p);
        for (unsigned i = 0; i < p.package->n; i++) {
                struct machine_span package = p.package->span[i];
                str_addf(&s, "%s[%u]\n", group, i);
                if (!has_numa(&p, package)) {
                        text_cores(&p, package, 2);
                        continue;
                }
                for (unsigned k = 0; k < numa->n; k++) {
                        if (!span_inside(numa->span[k], package))
                                continue;
                        str_addf(&s, "  numa[%u]\n", k);
                        text_cores(&p, numa->span[k], 4);
                }
        }
        add_unbound(&p, "anywhere: ", ", ");
        return str_take(&s);
}

/*
 * The picture. All boxes of a kind have one size; cores stand in rows of eight.
 */

enum { CORE_W = 92, CORE_H = 62, GAP = 8, TITLE = 20, ROW = 8, FONT = 11, NAME = 12 /* letters */ };

struct box {
        unsigned x, y, w, h;
};

/* Eight colours that people can tell apart, and black text reads on all of them. */
static const char *colour(size_t i)
{
        static const char *const colours[] = { "#8dd3c7", "#ffd37f", "#bebada", "#fb9a8f",
                                               "#80b1d3", "#b3de69", "#fccde5", "#d9c27f" };
        return colours[i % (sizeof(colours) / sizeof(*colours))];
}

static void add_box(struct str *out, struct box b, const char *fill, const char *title, unsigned number)
{
        str_addf(out, "<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" fill=\"%s\" stroke=\"#000\"/>\n", b.x, b.y, b.w, b.h,
                 fill);
        str_addf(out, "<text x=\"%u\" y=\"%u\">%s L#%u</text>\n", b.x + 5, b.y + 14, title, number);
}

static unsigned cores_in(const struct picture *p, struct machine_span around)
{
        unsigned n = 0;
        for (unsigned c = 0; c < p->core->n; c++)
                n += span_inside(p->core->span[c], around);
        return n;
}

static struct box cores_size(unsigned n)
{
        unsigned columns = n < ROW ? n : ROW, rows = (n + ROW - 1) / ROW;
        return (struct box){ 0, 0, columns * (CORE_W + GAP) + GAP, TITLE + rows * (CORE_H + GAP) + GAP };
}

static void svg_core(struct picture *p, unsigned number, struct box b)
{
        struct machine_span span = p->core->span[number];
        size_t first = p->n, all = 0;

        for (size_t i = 0; i < p->n; i++)
                if (is_bound(p, &p->who[i]) && runs_on(p, &p->who[i], span)) {
                        first = all++ ? first : i;
                }
        add_box(p->out, b, all ? colour(first) : "#bebebe", p->cores ? "Core" : "PU", number);
        str_addf(p->out, "<text x=\"%u\" y=\"%u\">P#", b.x + 5, b.y + 30);
        add_cpus(p, span);
        str_add(p->out, "</text>\n");
        const char *name = all ? p->who[first].name : "";
        if (strlen(name) > NAME)        /* the end tells ranks apart */
                name += strlen(name) - NAME;
        if (all)
                str_addf(p->out, "<text x=\"%u\" y=\"%u\" font-weight=\"bold\">%s", b.x + 5, b.y + 50, name);
        if (all > 1)
                str_addf(p->out, " +%zu", all - 1);
        if (all)
                str_add(p->out, "</text>\n");
}

static void svg_cores(struct picture *p, struct machine_span around, struct box at)
{
        unsigned k = 0;
        for (unsigned c = 0; c < p->core->n; c++) {
                if (!span_inside(p->core->span[c], around))
                        continue;
                svg_core(p, c, (struct box){ at.x + GAP + k % ROW * (CORE_W + GAP), at.y + TITLE + k / ROW * (CORE_H + GAP),
                                             CORE_W, CORE_H });
                k++;
        }
}

/* One package at (x, y); its size. With NUMA nodes inside they stand below each other. */
static struct box svg_package(struct picture *p, unsigned number, unsigned x, bool draw)
{
        const struct machine_objects *numa = &p->m->objects[MACHINE_NUMA];
        struct machine_span package = p->package->span[number];
        struct box b = { x, GAP, 0, TITLE };
        const char *title = p->m->objects[MACHINE_PACKAGE].n ? "Package" : "Machine";

        if (!has_numa(p, package)) {
                struct box inner = cores_size(cores_in(p, package));
                b.w = inner.w;
                b.h = inner.h;
                if (draw) {
                        add_box(p->out, b, "#dedede", title, number);
                        svg_cores(p, package, b);
                }
                return b;
        }
        if (draw)
                add_box(p->out, svg_package(p, number, x, false), "#dedede", title, number);
        for (unsigned i = 0; i < numa->n; i++) {
                if (!span_inside(numa->span[i], package))
                        continue;
                struct box inner = cores_size(cores_in(p, numa->span[i]));
                inner.x = x + GAP;
                inner.y = GAP + b.h;
                if (draw) {
                        add_box(p->out, inner, "#efdfde", "NUMANode", i);
                        svg_cores(p, numa->span[i], inner);
                }
                b.h += inner.h + GAP;
                b.w = inner.w + 2 * GAP > b.w ? inner.w + 2 * GAP : b.w;
        }
        return b;
}

char *draw_svg(const struct topology *t, const struct occupant *who, size_t n)
{
        auto_str struct str s = STR_INIT;
        struct picture p = picture_of(t, who, n, &s);
        unsigned width = GAP, height = 0;

        for (unsigned i = 0; i < p.package->n; i++) {
                struct box b = svg_package(&p, i, 0, false);
                width += b.w + GAP;
                height = b.h > height ? b.h : height;
        }
        height += GAP + TITLE + GAP;
        str_addf(&s, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" font-family=\"sans-serif\" "
                 "font-size=\"%d\">\n<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n", width, height, FONT);
        for (unsigned i = 0, x = GAP; i < p.package->n; i++)
                x += svg_package(&p, i, x, true).w + GAP;
        str_addf(&s, "<text x=\"%d\" y=\"%u\">", GAP, height - GAP);
        add_unbound(&p, "anywhere: ", ", ");
        str_add(&s, "</text>\n</svg>\n");
        return str_take(&s);
}

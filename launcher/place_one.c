#include "launcher/place_one.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "hpc/place.h"
#include "launcher/place_job.h"

#define NODES "/sys/devices/system/node"
#define FILE_MAX ((size_t) 1 << 20)

struct asked {
        const char *cpus, *numa, *bind, *mem_bind, *within_cpus, *within_mems;
};

/* What may be given, and what is wanted of it. */
struct room {
        struct place_mask cpus, mems;   /* ours to give */
        struct place_mask want;         /* CPUs */
        struct place_mask nodes;        /* of --numa */
        bool bound;                     /* to be confined to some of the CPUs */
};

struct found {
        char *cpus, *mems, *nodes;      /* lists; NULL: left alone */
        const char *mode, *memory;
};
static void found_clear_p(struct found *f)
{
        free(f->cpus);
        free(f->mems);
        free(f->nodes);
}

static int parse(int argc, char **argv, struct asked *ret, struct error *err)
{
        struct asked a = { 0 };
        const struct { const char *name; const char **value; } rows[] = {
                { "--cpus", &a.cpus }, { "--numa", &a.numa }, { "--bind", &a.bind }, { "--mem-bind", &a.mem_bind },
                { "--within-cpus", &a.within_cpus }, { "--within-mems", &a.within_mems },
        };
        for (int i = 0; i < argc; i += 2) {
                size_t k = 0;
                while (k < sizeof(rows) / sizeof(*rows) && strcmp(rows[k].name, argv[i]) != 0)
                        k++;
                if (k == sizeof(rows) / sizeof(*rows) || i + 1 == argc)
                        return error_say(err, -EINVAL, "unexpected argument \"%s\"", argv[i]);
                *rows[k].value = argv[i + 1];
        }
        *ret = a;
        return 0;
}

static struct place_mask both(const struct place_mask *a, const struct place_mask *b)
{
        struct place_mask mask = PLACE_MASK_INIT;
        for (unsigned bit = 0; bit < a->bits; bit++)
                if (bind_has(a, bit) && bind_has(b, bit))
                        bind_set(&mask, bit);
        return mask;
}

/* The first bit of `a` that `b` has not got; -1: there is none. */
static int outside(const struct place_mask *a, const struct place_mask *b)
{
        for (unsigned bit = 0; bit < a->bits; bit++)
                if (bind_has(a, bit) && !bind_has(b, bit))
                        return (int) bit;
        return -1;
}

/* "CPU 9 is not ours to give: 0-3 are" */
static int refuse(const char *option, const char *list, const char *what, unsigned which, const struct place_mask *have,
                  struct error *err)
{
        auto_free char *text = bind_format(have);
        return error_say(err, -EINVAL, "%s \"%s\": %s %u is not ours to give; allowed are %s", option, list, what, which,
                         text && *text ? text : "none");
}

static int parse_list(const char *option, const char *list, struct place_mask *ret, struct error *err)
{
        int r = bind_parse(list, ret, err);
        if (r == 0 && bind_empty(ret))
                r = error_say(err, -EINVAL, "the list is empty");
        return r < 0 ? error_wrap(err, "%s", option) : 0;
}

/* ---- what is ours ---- */

static int read_affinity(struct place_mask *ret, struct error *err)
{
        struct place_mask mask = PLACE_MASK_INIT;
        if (sched_getaffinity(0, sizeof(mask.word), (cpu_set_t *) mask.word) < 0)
                return error_set(err, -errno, "read our CPU affinity");
        for (unsigned bit = 0; bit < PLACE_MASK_BITS; bit++)
                if (mask.word[bit / 64] >> (bit % 64) & 1)
                        bind_set(ret, bit);
        return 0;
}

/* A line "Mems_allowed_list:\t0-3" of /proc/self/status; not there: a kernel without NUMA. */
static int read_mems(struct place_mask *ret, struct error *err)
{
        static const char key[] = "\nMems_allowed_list:";
        auto_free char *text = NULL;
        int r = io_read_file(AT_FDCWD, "/proc/self/status", FILE_MAX, &text, NULL);
        char *line = r == 0 ? strstr(text, key) : NULL;
        if (r < 0)
                return error_set(err, r, "read \"/proc/self/status\"");
        if (!line)
                return 0;
        line += strlen(key);
        line[strcspn(line, "\n")] = '\0';
        return bind_parse(line, ret, err);
}

static int narrow(struct place_mask *mask, const char *list, const char *what, struct error *err)
{
        struct place_mask within = PLACE_MASK_INIT;
        if (!list)
                return 0;
        int r = bind_parse(list, &within, err);
        if (r < 0)
                return error_wrap(err, "linux.resources.cpu.%s", what);
        auto_free char *ours = bind_format(mask);
        *mask = both(mask, &within);
        if (bind_empty(mask))
                return error_say(err, -EINVAL, "linux.resources.cpu.%s: none of \"%s\" is ours to give; allowed are %s", what, list,
                                 ours ? ours : "others");
        return 0;
}

/* ---- what is wanted ---- */

static int read_node(unsigned node, struct place_mask *ret, struct error *err)
{
        char path[64];
        auto_free char *list = NULL, *have = NULL;
        snprintf(path, sizeof(path), NODES "/node%u/cpulist", node);
        int r = io_read_file(AT_FDCWD, path, FILE_MAX, &list, NULL);
        if (r == 0)
                return bind_parse(list, ret, err);
        if (r != -ENOENT)
                return error_set(err, r, "read \"%s\"", path);
        if (io_read_file(AT_FDCWD, NODES "/online", FILE_MAX, &have, NULL) == 0)
                have[strcspn(have, "\n")] = '\0';
        return error_say(err, -EINVAL, "--numa: this machine has no NUMA node %u; it has %s", node, have ? have : "none");
}

static int want_nodes(struct room *room, const char *list, struct error *err)
{
        struct place_mask cpus = PLACE_MASK_INIT;
        int r = parse_list("--numa", list, &room->nodes, err);
        for (unsigned node = 0; r == 0 && node < room->nodes.bits; node++) {
                struct place_mask own = PLACE_MASK_INIT;
                if (!bind_has(&room->nodes, node))
                        continue;
                r = read_node(node, &own, err);
                bind_merge(&cpus, &own);
        }
        if (r < 0)
                return r;
        int bad = outside(&room->nodes, &room->mems);
        if (bad >= 0)
                return refuse("--numa", list, "the memory of node", (unsigned) bad, &room->mems, err);
        if (room->bound || bind_empty(&cpus))   /* --cpus has said it, or it is memory alone (HBM, CXL) */
                return 0;
        room->want = both(&cpus, &room->cpus);
        room->bound = true;
        if (!bind_empty(&room->want))
                return 0;
        auto_free char *ours = bind_format(&room->cpus), *its = bind_format(&cpus);
        return error_say(err, -EINVAL, "--numa \"%s\": none of its CPUs (%s) is ours to give; allowed are %s", list,
                         its ? its : "others", ours ? ours : "others");
}

static int measure(const struct asked *a, struct room *room, struct error *err)
{
        int r = read_affinity(&room->cpus, err);
        if (r == 0)
                r = read_mems(&room->mems, err);
        if (r == 0)
                r = narrow(&room->cpus, a->within_cpus, "cpus", err);
        if (r == 0)
                r = narrow(&room->mems, a->within_mems, "mems", err);
        room->want = room->cpus;
        if (r == 0 && a->cpus) {
                r = parse_list("--cpus", a->cpus, &room->want, err);
                int bad = r == 0 ? outside(&room->want, &room->cpus) : -1;
                if (bad >= 0)
                        r = refuse("--cpus", a->cpus, "CPU", (unsigned) bad, &room->cpus, err);
                room->bound = true;
        }
        if (r == 0 && a->numa)
                r = want_nodes(room, a->numa, err);
        return r;
}

static bool names_nodes(const struct place_wish *wish)
{
        return wish->memory.kind == MEMORY_MAP || wish->memory.kind == MEMORY_MASK;
}

static int make_wish(const struct asked *a, const struct room *room, const struct topology *t, struct place_wish *ret,
                     struct error *err)
{
        struct place_wish wish = PLACE_WISH_INIT;
        int r = 0;
        wish.instances = 1;
        if (a->bind) {
                r = place_parse_bind(&wish, a->bind, err);
        } else if (room->bound) {       /* all that is left */
                wish.map_by = PLACE_SLOT;
                wish.hwtcpus = true;
                wish.cpus = topology_pus(t);
        } else {
                wish.bind_to = PLACE_NONE;
        }
        if (r == 0 && a->mem_bind)
                r = place_parse_mem_bind(&wish, a->mem_bind, err);
        if (r < 0)
                return r;
        if (a->numa && names_nodes(&wish))
                return error_say(err, -EINVAL, "--numa and --mem-bind \"%s\" both say which nodes: use one of them", a->mem_bind);
        *ret = wish;
        return 0;
}

/* ---- memory ---- */

static const struct mode {
        const char *name, *memory;
        bool confines;                  /* cpuset.mems may say the same */
} modes[] = {
        [MPOL_PREFERRED] = { "MPOL_PREFERRED", "prefer", false },
        [MPOL_BIND] = { "MPOL_BIND", "bind", true },
        [MPOL_INTERLEAVE] = { "MPOL_INTERLEAVE", "interleave", true },
        [MPOL_LOCAL] = { "MPOL_LOCAL", "local", false },
        [MPOL_PREFERRED_MANY] = { "MPOL_PREFERRED_MANY", "prefer", false },
        [MPOL_WEIGHTED_INTERLEAVE] = { "MPOL_WEIGHTED_INTERLEAVE", "weighted", true },
};

/* The policy that we were started with is the container's, if nobody says anything else. */
static bool has_policy(void)
{
        int mode = 0;
        unsigned long nodes[PLACE_MASK_BITS / (8 * sizeof(unsigned long)) + 1];
        return syscall(SYS_get_mempolicy, &mode, nodes, (unsigned long) sizeof(nodes) * 8, NULL, 0ul) == 0 && mode != 0;
}

static unsigned mode_for_nodes(const struct place_wish *wish, const struct place_mask *nodes)
{
        switch (wish->memory.kind) {
        case MEMORY_PREFER:     return bind_count(nodes) > 1 ? MPOL_PREFERRED_MANY : MPOL_PREFERRED;
        case MEMORY_INTERLEAVE: return MPOL_INTERLEAVE;
        case MEMORY_WEIGHTED:   return MPOL_WEIGHTED_INTERLEAVE;
        case MEMORY_LOCAL:      return MPOL_LOCAL;
        default:                return MPOL_BIND;
        }
}

static int put_nodes(struct found *f, const struct place_mask *nodes, bool mems)
{
        char **to = mems ? &f->mems : &f->nodes;
        free(*to);
        *to = bind_format(nodes);
        return *to ? 0 : -ENOMEM;
}

static int find_memory(const struct asked *a, const struct room *room, const struct place_wish *wish,
                       const struct placement *p, struct found *f, struct error *err)
{
        const struct place_slot *slot = &p->slot[0];
        bool asked = a->numa || a->mem_bind;
        struct place_mask nodes = a->numa ? room->nodes : both(&slot->numa, &room->mems);
        unsigned mode = place_job_policy(a->numa ? mode_for_nodes(wish, &nodes) : p->policy, &nodes);
        bool any = (a->numa ? wish->memory.kind != MEMORY_NONE : p->memory) && (asked || !has_policy());
        int bad = names_nodes(wish) ? outside(&slot->numa, &room->mems) : -1;
        if (bad >= 0)
                return refuse("--mem-bind", a->mem_bind, "the memory of node", (unsigned) bad, &room->mems, err);
        if (any && mode != MPOL_LOCAL && bind_empty(&nodes)) {
                if (asked)
                        return error_say(err, -EINVAL, "--mem-bind: none of the memory near the CPUs is ours to give");
                any = false;
        }
        bool confines = wish->memory.kind == MEMORY_DEFAULT || modes[mode].confines;
        int r = 0;
        if (!bind_empty(&room->mems) && (room->bound || a->bind || a->numa))
                r = put_nodes(f, any && confines && !bind_empty(&nodes) ? &nodes : &room->mems, true);
        if (r < 0 || !any)
                return r < 0 ? error_set(err, r, "find the place") : 0;
        f->mode = modes[mode].name;
        f->memory = modes[mode].memory;
        r = mode == MPOL_LOCAL ? 0 : put_nodes(f, &nodes, false);
        return r < 0 ? error_set(err, r, "find the place") : 0;
}

/* ---- all of it ---- */

static int find(const struct asked *a, struct found *ret, struct error *err)
{
        struct room room = { .bound = false };
        struct place_wish wish = PLACE_WISH_INIT;
        auto_topology struct topology *t = NULL;
        auto_placement struct placement *p = NULL;
        int r = measure(a, &room, err);
        /* The topology is of what we may use: from here on that is what is wanted. */
        if (r == 0 && sched_setaffinity(0, bind_bytes(&room.want), (const cpu_set_t *) room.want.word) < 0)
                r = error_set(err, -errno, "bind to the CPUs that are wanted");
        if (r == 0)
                r = a->bind && strstr(a->bind, "device=") ? topology_load_devices(&t, err) : topology_load(&t, err);
        if (r == 0 && !topology_is_real(t))
                r = error_say(err, -EINVAL, "the topology (HWLOC_SYNTHETIC, HWLOC_XMLFILE) is not this machine's");
        if (r == 0)
                r = make_wish(a, &room, t, &wish, err);
        if (r == 0)
                r = place(t, &wish, &p, err);
        if (r < 0 || !p)
                return a->bind && !str_starts(err->text, "--") ? error_wrap(err, "--bind \"%s\"", a->bind) : r;
        if (p->bound && *p->slot[0].cpu_list && !(ret->cpus = strdup(p->slot[0].cpu_list)))
                return error_set(err, -ENOMEM, "find the place");
        return find_memory(a, &room, &wish, p, ret, err);
}

static void print(const char *key, const char *value)
{
        if (value && *value)
                printf("%s=%s ", key, value);
}

int place_one_main(int argc, char **argv)
{
        CLEANUP(found_clear) struct found f = { 0 };
        struct asked a = { 0 };
        struct error err = ERROR_INIT;
        int r = parse(argc, argv, &a, &err);
        if (r == 0)
                r = find(&a, &f, &err);
        if (r < 0) {
                fprintf(stderr, "%s\n", err.text);
                return 1;
        }
        print("cpus", f.cpus);
        print("mems", f.mems);
        print("mode", f.mode);
        print("nodes", f.nodes);
        print("memory", f.memory);
        return fflush(stdout) == 0 ? 0 : 1;
}

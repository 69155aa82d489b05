/* Places that are written down: rankfiles, lists, devices; Slurm's lists; memory; the numbering. */
#include "place_fixture.h"

#include <errno.h>

#include "base/str.h"

#define NODE "package:2 numa:2 core:2 pu:2"

struct words {
        const char *map_by, *rank_by, *bind_to, *cpu_bind, *distribution, *hint, *mem_bind, *places, *host;
        unsigned n, cpus;
};

static int ask(const char *machine, const struct words *w, struct placement **ret, struct error *err)
{
        struct place_wish wish = PLACE_WISH_INIT;
        struct topology *loaded = load_machine(machine);
        if (strstr(machine, "gpus")) {
                topology_free(loaded);
                assert_int_equal(topology_load_devices(&loaded, err), 0);
        }
        auto_topology struct topology *t = loaded;

        wish.instances = w->n;
        wish.cpus = w->cpus;
        const struct { const char *text; int (*parse)(struct place_wish *, const char *, struct error *); } texts[] = {
                { w->map_by, place_parse_map_by },     { w->rank_by, place_parse_rank_by },
                { w->bind_to, place_parse_bind_to },   { w->cpu_bind, place_parse_cpu_bind },
                { w->hint, place_parse_hint },         { w->distribution, place_parse_distribution },
                { w->mem_bind, place_parse_mem_bind },
        };
        for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
                if (texts[i].text && texts[i].parse(&wish, texts[i].text, err) < 0)
                        fail_msg("%s", err->text);
        wish.places = w->places;
        wish.host = w->host;
        return place(t, &wish, ret, err);
}

static void expect(const char *machine, struct words w, const char *cpus)
{
        auto_placement struct placement *p = NULL;
        auto_str struct str s = STR_INIT;
        struct error err = ERROR_INIT;

        if (ask(machine, &w, &p, &err) < 0)
                fail_msg("%s", err.text);
        for (size_t i = 0; i < p->n_slots; i++)
                str_addf(&s, "%s%s", i ? " " : "", p->bound ? p->slot[i].cpu_list : "unbound");
        assert_string_equal(s.text, cpus);
}

static void refused(const char *machine, struct words w, const char *says)
{
        auto_placement struct placement *p = NULL;
        struct error err = ERROR_INIT;

        assert_true(ask(machine, &w, &p, &err) < 0);
        assert_null(p);
        if (!strstr(err.text, says))
                fail_msg("\"%s\" does not say \"%s\"", err.text, says);
        assert_null(strchr(err.text, '\n'));
}

#define RANKS(text, ...) (struct words){ .map_by = "rankfile:FILE=x", .places = (text), __VA_ARGS__ }
#define SEQ(text, ...) (struct words){ .map_by = "seq:FILE=x", .places = (text), __VA_ARGS__ }

static void a_rankfile_names_the_place_of_each_rank(void **state)
{
        (void) state;
        expect(NODE, RANKS("rank 0=localhost slot=0:0-1\nrank 1=+n0 slot=1:0 # comment\n\n  # nothing\nrank 2=* slot=6;7\n"),
               "0-3 8-9 12-15");
        expect(NODE, RANKS("rank 1=localhost slot=0\nrank 0=localhost slot=1:*"), "8-15 0-1");
        expect(NODE, RANKS("rank 0=localhost slot=0\nrank 1=localhost slot=1\n", .n = 1), "0-1");
        expect(NODE, RANKS("rank 0=n7 slot=3", .host = "n7.cluster"), "6-7");
        expect(NODE, RANKS("rank 0=localhost slot=3", .bind_to = "hwthread"), "3");
        expect(NODE, RANKS("rank 0=localhost slot=0\nrank 1=localhost slot=0", .bind_to = "core:overload-allowed"), "0-1 0-1");
}

static void a_bad_rankfile_is_refused_with_its_line(void **state)
{
        (void) state;
        refused(NODE, RANKS(""), "the file names no place");
        refused(NODE, RANKS("rank 0=localhost\n"), "line 1 is not of the form rank 0=localhost slot=0-1");
        refused(NODE, RANKS("\nrank x=localhost slot=0\n"), "line 2 is not of the form");
        refused(NODE, RANKS("rank 0=localhost slot=0 more\n"), "line 1 is not of the form");
        refused(NODE, RANKS("rank 99999999=localhost slot=0\n"), "rank 99999999 is too high");
        refused(NODE, RANKS("rank 0=n8 slot=0", .host = "n7"), "\"n8\" is not this machine (n7, localhost)");
        refused(NODE, RANKS("rank 0=localhost slot=8"), "there is no core 8; this machine has 0-7");
        refused(NODE, RANKS("rank 0=localhost slot=0:4"), "there is no core 4; this machine has 0-3");
        refused(NODE, RANKS("rank 0=localhost slot=2:0"), "there is no package 2; this machine has 0-1");
        refused(NODE, RANKS("rank 0=localhost slot=x:0"), "\"x\" is not the number of a package");
        refused(NODE, RANKS("rank 0=localhost slot=0-"), "line 1: \"0-\": a range ends without a number");
        refused(NODE, RANKS("rank 0=localhost slot=0;;1"), "line 1 names no place");
        refused(NODE, RANKS("rank 0=localhost slot=0-2\nrank 1=localhost slot=2"),
                "core 2 is given to instance 0 already; free are 3-7");
        refused(NODE, RANKS("rank 0=localhost slot=0\nrank 0=localhost slot=1"), "rank 0 has a place already");
        refused(NODE, RANKS("rank 1=localhost slot=0"), "no place for instance 0");
        refused(NODE, RANKS("rank 0=localhost slot=0", .n = 2), "2 instances, and the file has places for 1");
}

static void seq_takes_line_by_line(void **state)
{
        (void) state;
        expect(NODE, SEQ("localhost 3\nlocalhost\nlocalhost 1:*\n"), "6-7 0-1 8-15");
        expect(NODE, SEQ("localhost\nlocalhost\n", .cpus = 2), "0-3 4-7");
        refused("core:2 pu:1", SEQ("localhost\nlocalhost\nlocalhost\n"), "line 3: instance 2 wants 1 core, 0 are free");
}

static void a_list_of_processing_elements(void **state)
{
        (void) state;
        expect(NODE, (struct words){ .map_by = "pe-list=5,0-1:ORDERED" }, "10-11 0-1 2-3");
        expect(NODE, (struct words){ .map_by = "pe-list=5,0-2:ORDERED:PE=2" }, "0-1,10-11 2-5");
        expect(NODE, (struct words){ .map_by = "pe-list=5,0" }, "0-1,10-11 0-1,10-11");
        expect(NODE, (struct words){ .map_by = "pe-list=5,0:HWTCPUS:ORDERED" }, "5 0");
        expect(NODE, (struct words){ .map_by = "pe-list=1,2:ORDERED", .n = 5 }, "2-3 4-5");      /* three wait */
        expect(NODE, (struct words){ .map_by = "pe-list=1,2:ORDERED:OVERSUBSCRIBE", .n = 3 }, "unbound unbound unbound");
        expect(NODE, (struct words){ .map_by = "pe-list=1,2:ORDERED:OVERSUBSCRIBE", .n = 3, .bind_to = "core:overload-allowed" },
               "2-3 4-5 2-3");
        refused(NODE, (struct words){ .map_by = "pe-list=1,1" }, "core 1 is in the list twice");
        refused(NODE, (struct words){ .map_by = "pe-list=9" }, "there is no core 9; this machine has 0-7");
        refused(NODE, (struct words){ .map_by = "pe-list=1,,2" }, "an item is empty");
        refused(NODE, (struct words){ .map_by = "pe-list=a" }, "\"a\" is not a list of numbers");
        refused(NODE, (struct words){ .map_by = "pe-list=1:PE=2" }, "an instance of 2 cores, and the list has 1");
}

static void devices_are_places_too(void **state)
{
        (void) state;
        expect("gpus.xml", (struct words){ .map_by = "device=gpu", .n = 4 }, "0-3 4-7 0-3 4-7");
        expect("gpus.xml", (struct words){ .map_by = "device=gpu", .n = 3, .bind_to = "core" }, "0 4 1");
        expect("gpus.xml", (struct words){ .map_by = "ppr:2:device=gpu", .bind_to = "core" }, "0 1 4 5");
        expect("gpus.xml", (struct words){ .map_by = "device=mlx5_0", .n = 2, .bind_to = "core" }, "4 5");
        expect("gpus.xml", (struct words){ .map_by = "device=network:PE=2", .n = 2 }, "4-5 6-7");
        refused("gpus.xml", (struct words){ .map_by = "device=mlx5_1" },
                "--map-by device=mlx5_1: this machine has no such device; it has card0, renderD128, card1, mlx5_0");
        refused(NODE, (struct words){ .map_by = "device=gpu" }, "it has none that hwloc knows");
}

static void limits_of_what_is_bound(void **state)
{
        (void) state;
        expect(NODE, (struct words){ .map_by = "package", .bind_to = "numa:limit=1", .n = 8 }, "0-3 8-11 4-7 12-15");
        expect(NODE, (struct words){ .map_by = "package", .bind_to = "package:limit=1", .n = 8 }, "0-7 8-15");
        expect("core:2 pu:1", (struct words){ .map_by = "core", .bind_to = "core:overload-allowed:limit=2", .n = 9 }, "0 1");
        expect("core:2 pu:1", (struct words){ .map_by = "core:OVERSUBSCRIBE", .bind_to = "core:overload-allowed:limit=2", .n = 4 },
               "0 1 0 1");
}

static void numbering(void **state)
{
        (void) state;
        expect(NODE, (struct words){ .map_by = "numa", .bind_to = "core", .rank_by = "fill" }, "0-1 2-3 4-5 6-7 8-9 10-11 12-13 14-15");
        expect(NODE, (struct words){ .map_by = "core", .rank_by = "package", .n = 8 }, "0-1 8-9 2-3 10-11 4-5 12-13 6-7 14-15");
        expect(NODE, (struct words){ .map_by = "core", .rank_by = "numa:fill", .n = 4 }, "0-1 2-3 4-5 6-7");
        expect(NODE, (struct words){ .map_by = "ppr:2:numa", .bind_to = "core", .rank_by = "span" },
               "0-1 4-5 8-9 12-13 2-3 6-7 10-11 14-15");
        refused("core:4 pu:1", (struct words){ .map_by = "core", .rank_by = "l3cache" },
                "--rank-by l3cache: this machine has no l3cache; it has hwthread, core");
}

static void lists_of_srun(void **state)
{
        (void) state;
        expect(NODE, (struct words){ .cpu_bind = "map_cpu:0,3*2" }, "0 3 3");
        expect(NODE, (struct words){ .cpu_bind = "map_cpu:0,3", .n = 5 }, "0 3 0 3 0");
        expect(NODE, (struct words){ .cpu_bind = "mask_cpu:0x3,c,0xf000" }, "0-1 2-3 12-15");
        expect(NODE, (struct words){ .cpu_bind = "map_ldom:3,0" }, "12-15 0-3");
        expect(NODE, (struct words){ .cpu_bind = "mask_ldom:0x3" }, "0-7");
        expect(NODE, (struct words){ .cpu_bind = "rank_ldom", .n = 5 }, "0-3 4-7 8-11 12-15 0-3");
        expect(NODE, (struct words){ .cpu_bind = "none", .n = 2 }, "unbound unbound");
        refused(NODE, (struct words){ .cpu_bind = "map_cpu:16" }, "CPU 16 is not there, or not ours; we have 16 CPUs");
        refused(NODE, (struct words){ .cpu_bind = "mask_cpu:0x10000" }, "CPU 16 is not there");
        refused(NODE, (struct words){ .cpu_bind = "mask_cpu:0" }, "a mask is empty");
        refused(NODE, (struct words){ .cpu_bind = "map_ldom:4" }, "no locality domain 4; this machine has 0-3");
        refused(NODE, (struct words){ .cpu_bind = "cores", .cpus = 17 }, "an instance of 17 CPUs: 16 hardware threads are free");
        refused(NODE, (struct words){ .hint = "nomultithread", .cpus = 9 }, "an instance of 9 CPUs: 8 cores are free");
}

static void memory(const char *mem_bind, const char *bind_to, const char *policy, const char *nodes, const char *mems)
{
        auto_placement struct placement *p = NULL;
        auto_str struct str n = STR_INIT, m = STR_INIT;
        struct error err = ERROR_INIT;
        struct words w = { .map_by = "package", .bind_to = bind_to, .mem_bind = mem_bind, .n = 2 };

        if (ask(NODE, &w, &p, &err) < 0)
                fail_msg("%s", err.text);
        for (size_t i = 0; i < 2; i++) {
                str_addf(&n, "%s%s", i ? " " : "", p->slot[i].numa_list);
                str_addf(&m, "%s%s", i ? " " : "", p->slot[i].mems_list);
        }
        assert_string_equal(placement_policy_name(p), policy);
        assert_string_equal(n.text, nodes);
        assert_string_equal(m.text, mems);
}

static void where_memory_comes_from(void **state)
{
        (void) state;
        memory(NULL, NULL, "prefer", "0-1 2-3", "0-1 2-3");
        memory("none", NULL, "none", " ", "0-3 0-3");
        memory("local", NULL, "local", " ", "0-3 0-3");
        memory("prefer", NULL, "prefer", "0-1 2-3", "0-3 0-3");
        memory("bind", NULL, "bind", "0-1 2-3", "0-1 2-3");
        memory("interleave", NULL, "interleave", "0-1 2-3", "0-1 2-3");
        memory("weighted", "none", "weighted", "0-3 0-3", " ");
        memory("map_mem:3,0", NULL, "bind", "3 0", "3 0");
        memory("mask_mem:0x6", NULL, "bind", "1-2 1-2", "1-2 1-2");
        memory("prefer,map_mem:1*2", "none", "prefer", "1 1", " ");
        memory(NULL, "none", "none", " ", " ");
        refused(NODE, (struct words){ .mem_bind = "map_mem:4", .n = 1 }, "no NUMA node 4 for us; it has 0-3");
        refused(NODE, (struct words){ .mem_bind = "mask_mem:0", .n = 1 }, "\"0\" is not a mask of NUMA nodes");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_rankfile_names_the_place_of_each_rank),
                cmocka_unit_test(a_bad_rankfile_is_refused_with_its_line),
                cmocka_unit_test(seq_takes_line_by_line),
                cmocka_unit_test(a_list_of_processing_elements),
                cmocka_unit_test(devices_are_places_too),
                cmocka_unit_test(limits_of_what_is_bound),
                cmocka_unit_test(numbering),
                cmocka_unit_test(lists_of_srun),
                cmocka_unit_test(where_memory_comes_from),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

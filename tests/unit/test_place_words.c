#include "place_fixture.h"

#include <errno.h>

static struct place_wish map(const char *text)
{
        struct place_wish wish = PLACE_WISH_INIT;
        struct error err = ERROR_INIT;
        if (place_parse_map_by(&wish, text, &err) < 0)
                fail_msg("%s", err.text);
        return wish;
}

static struct place_wish bind_to(const char *text)
{
        struct place_wish wish = PLACE_WISH_INIT;
        struct error err = ERROR_INIT;
        if (place_parse_bind_to(&wish, text, &err) < 0)
                fail_msg("%s", err.text);
        return wish;
}

static void refused(int (*parse)(struct place_wish *, const char *, struct error *), const char *text, const char *why)
{
        struct place_wish wish = PLACE_WISH_INIT;
        const struct place_wish before = PLACE_WISH_INIT;
        struct error err = ERROR_INIT;

        assert_int_equal(parse(&wish, text, &err), -EINVAL);
        assert_string_equal(err.text, why);
        assert_int_equal(wish.map_by, before.map_by);
        assert_int_equal(wish.bind_to, before.bind_to);
        assert_int_equal(wish.cpus, before.cpus);
        assert_int_equal(wish.oversubscribe, before.oversubscribe);
}

static void objects_to_map_by(void **state)
{
        (void) state;
        assert_int_equal(map("slot").map_by, PLACE_SLOT);
        assert_int_equal(map("hwthread").map_by, PLACE_HWTHREAD);
        assert_int_equal(map("core").map_by, PLACE_CORE);
        assert_int_equal(map("L1cache").map_by, PLACE_L1CACHE);
        assert_int_equal(map("l2cache").map_by, PLACE_L2CACHE);
        assert_int_equal(map("L3CACHE").map_by, PLACE_L3CACHE);
        assert_int_equal(map("numa").map_by, PLACE_NUMA);
        assert_int_equal(map("package").map_by, PLACE_PACKAGE);
        assert_int_equal(map("socket").map_by, PLACE_PACKAGE);
        assert_int_equal(map("node").map_by, PLACE_NODE);
}

static void words_may_be_cut_short_while_unique(void **state)
{
        (void) state;
        assert_int_equal(map("L3").map_by, PLACE_L3CACHE);
        assert_int_equal(map("pack").map_by, PLACE_PACKAGE);
        assert_int_equal(map("HWT").map_by, PLACE_HWTHREAD);
        assert_true(map("core:OVER").oversubscribe);
        assert_true(bind_to("core:overload").overload_allowed);
        assert_true(bind_to("l3:if").bind_if_supported);
}

static void qualifiers_of_a_mapping(void **state)
{
        (void) state;
        struct place_wish w = map("numa:PE=4:SPAN:oversubscribe:HWTCPUS");
        assert_int_equal(w.map_by, PLACE_NUMA);
        assert_int_equal(w.cpus, 4);
        assert_true(w.span && w.oversubscribe && w.hwtcpus);

        w = map("numa:pe=2,span");
        assert_int_equal(w.cpus, 2);
        assert_true(w.span);

        w = map("core:OVERSUBSCRIBE:HWTCPUS:NOOVERSUBSCRIBE:CORECPUS");
        assert_false(w.oversubscribe);
        assert_false(w.hwtcpus);

        w = map(":OVERSUBSCRIBE");
        assert_int_equal(w.map_by, PLACE_DEFAULT);
        assert_true(w.oversubscribe);
}

static void patterns(void **state)
{
        (void) state;
        struct place_wish w = map("ppr:2:package");
        assert_int_equal(w.per_object, 2);
        assert_int_equal(w.map_by, PLACE_PACKAGE);

        w = map("PPR:1:l3:PE=2");
        assert_int_equal(w.per_object, 1);
        assert_int_equal(w.map_by, PLACE_L3CACHE);
        assert_int_equal(w.cpus, 2);

        struct error err = ERROR_INIT;
        assert_int_equal(place_parse_map_by(&w, "core", &err), 0);
        assert_int_equal(w.per_object, 0);      /* the last one counts */
}

static void objects_to_bind_to(void **state)
{
        (void) state;
        assert_int_equal(bind_to("none").bind_to, PLACE_NONE);
        assert_int_equal(bind_to("HWTHREAD").bind_to, PLACE_HWTHREAD);
        assert_int_equal(bind_to("core").bind_to, PLACE_CORE);
        assert_int_equal(bind_to("socket").bind_to, PLACE_PACKAGE);
        struct place_wish w = bind_to("numa:overload-allowed:if-supported");
        assert_true(w.overload_allowed && w.bind_if_supported);
        assert_false(bind_to("numa:overload-allowed:no-overload").overload_allowed);
}

#define MORE ", pe-list=LIST, rankfile:FILE=PATH, seq:FILE=PATH, device=NAME"
#define QUALIFIERS ", ORDERED, FILE=PATH, INHERIT, NOLOCAL"

static bool is_text(struct place_text t, const char *expected)
{
        return t.size == strlen(expected) && memcmp(t.text, expected, t.size) == 0;
}

static void places_that_are_given(void **state)
{
        (void) state;
        struct place_wish w = map("pe-list=0,2-3,5:ORDERED:PE=2");
        assert_int_equal(w.way, PLACE_BY_LIST);
        assert_true(is_text(w.list, "0,2-3,5"));
        assert_true(w.ordered);
        assert_int_equal(w.cpus, 2);

        w = map("rankfile:FILE=/a/b,c:HWTCPUS");
        assert_int_equal(w.way, PLACE_BY_RANKFILE);
        assert_true(is_text(w.file, "/a/b,c"));
        assert_true(w.hwtcpus);
        w = map("seq:file=x");
        assert_int_equal(w.way, PLACE_BY_SEQ);
        assert_true(is_text(w.file, "x"));

        w = map("device=gpu:PE=2");
        assert_int_equal(w.map_by, PLACE_DEVICE);
        assert_true(is_text(w.list, "gpu"));
        w = map("ppr:2:device=mlx5_0");
        assert_int_equal(w.per_object, 2);
        assert_true(is_text(w.list, "mlx5_0"));
}

static struct place_wish rank(const char *text)
{
        struct place_wish wish = PLACE_WISH_INIT;
        struct error err = ERROR_INIT;
        if (place_parse_rank_by(&wish, text, &err) < 0)
                fail_msg("%s", err.text);
        return wish;
}

static void ways_to_number(void **state)
{
        (void) state;
        assert_int_equal(rank("slot").rank, PLACE_RANK_SLOT);
        assert_int_equal(rank("FILL").rank, PLACE_RANK_FILL);
        assert_int_equal(rank("span").rank, PLACE_RANK_SPAN);
        assert_int_equal(rank("numa").rank, PLACE_RANK_OBJECT);
        assert_int_equal(rank("numa").rank_by, PLACE_NUMA);
        assert_int_equal(rank("socket:fill").rank, PLACE_RANK_OBJECT_FILL);
        assert_int_equal(rank("socket:span").rank, PLACE_RANK_OBJECT);
        assert_int_equal(bind_to("numa:limit=3").limit, 3);
}

static struct place_wish slurm(int (*parse)(struct place_wish *, const char *, struct error *), const char *text)
{
        struct place_wish wish = PLACE_WISH_INIT;
        struct error err = ERROR_INIT;
        if (parse(&wish, text, &err) < 0)
                fail_msg("%s", err.text);
        return wish;
}

static void words_of_srun(void **state)
{
        (void) state;
        struct place_wish w = slurm(place_parse_cpu_bind, "verbose,map_cpu:0,3*2");
        assert_int_equal(w.way, PLACE_AS_SLURM);
        assert_int_equal(w.slurm.bind, SLURM_BIND_MAP_CPU);
        assert_true(w.slurm.verbose);
        assert_true(is_text(w.slurm.list, "0,3*2"));
        assert_int_equal(slurm(place_parse_cpu_bind, "quiet,rank_ldom").slurm.bind, SLURM_BIND_RANK_LDOM);

        w = slurm(place_parse_distribution, "plane=4:cyclic:fcyclic,Pack");
        assert_int_equal(w.slurm.sockets, SLURM_CYCLIC);
        assert_int_equal(w.slurm.cores, SLURM_FCYCLIC);
        assert_int_equal(slurm(place_parse_distribution, "block:block").slurm.sockets, SLURM_BLOCK);
        assert_int_equal(slurm(place_parse_distribution, "*").slurm.sockets, SLURM_DEFAULT);
        assert_int_equal(slurm(place_parse_hint, "nomultithread").slurm.hint, SLURM_HINT_NOMULTI);

        w = slurm(place_parse_mem_bind, "prefer,map_mem:0,1");
        assert_int_equal(w.way, PLACE_BY_OBJECT);
        assert_int_equal(w.memory.kind, MEMORY_MAP);
        assert_true(w.memory.prefer);
        assert_true(is_text(w.memory.list, "0,1"));
        assert_int_equal(slurm(place_parse_mem_bind, "prefer").memory.kind, MEMORY_PREFER);
}

static void every_bad_word_is_one_line(void **state)
{
        (void) state;
        static const struct {
                int (*parse)(struct place_wish *, const char *, struct error *);
                const char *text, *says;
        } bad[] = {
                { place_parse_map_by, "pe-list=", "the list is empty" },
                { place_parse_map_by, "rankfile", "which file? Say :FILE=PATH" },
                { place_parse_map_by, "seq:FILE=", "which file?" },
                { place_parse_map_by, "core:FILE=x", "FILE= goes with rankfile and seq" },
                { place_parse_map_by, "core:ORDERED", "ORDERED goes with pe-list=" },
                { place_parse_map_by, "core:NOLOCAL", "leaves no node" },
                { place_parse_map_by, "device=", "which device?" },
                { place_parse_bind_to, "core:limit=0", "limit=0 is not a number above 0" },
                { place_parse_rank_by, "slots", "\"slots\" is not a way to number; there are slot, fill, span, hwthread" },
                { place_parse_rank_by, "slot:fill", "\"fill\" is not a qualifier" },
                { place_parse_rank_by, "", "\"\" is not a way to number" },
                { place_parse_cpu_bind, "fast", "\"fast\" is none of none, threads, cores" },
                { place_parse_cpu_bind, "", "\"\" is none of" },
                { place_parse_cpu_bind, "verbose,", "\"\" is none of" },
                { place_parse_cpu_bind, "map_cpu:", "not a list of numbers" },
                { place_parse_cpu_bind, "map_cpu:1,x", "\"1,x\" is not a list of numbers" },
                { place_parse_cpu_bind, "map_cpu:1*0", "not a list of numbers" },
                { place_parse_cpu_bind, "mask_cpu:0xg", "not a list of masks" },
                { place_parse_distribution, "blocks", "\"blocks\" is none of block, cyclic" },
                { place_parse_distribution, "plane=0", "\"plane=0\" is none of" },
                { place_parse_distribution, "block:round", "\"round\" is none of block, cyclic, fcyclic" },
                { place_parse_distribution, "block:block:block:block", "three levels" },
                { place_parse_distribution, "block,Unpack", "neither Pack nor NoPack" },
                { place_parse_hint, "fast", "\"fast\" is none of compute_bound" },
                { place_parse_mem_bind, "near", "\"near\" is none of none, local" },
                { place_parse_mem_bind, "map_mem:a", "not a list of numbers" },
        };
        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
                struct place_wish wish = PLACE_WISH_INIT;
                struct error err = ERROR_INIT;
                assert_int_equal(bad[i].parse(&wish, bad[i].text, &err), -EINVAL);
                if (!strstr(err.text, bad[i].says))
                        fail_msg("\"%s\" does not say \"%s\"", err.text, bad[i].says);
                assert_null(strchr(err.text, '\n'));
                assert_int_equal(wish.way, PLACE_BY_OBJECT);
        }
}

static void a_bad_word_is_answered_with_the_good_ones(void **state)
{
        (void) state;
        refused(place_parse_map_by, "cores", "--map-by \"cores\": \"cores\" is not a kind of object; there are slot, "
                "hwthread, core, l1cache, l2cache, l3cache, numa, package, node, ppr:N:OBJECT" MORE);
        refused(place_parse_map_by, "n", "--map-by \"n\": \"n\" is not a kind of object; there are slot, "
                "hwthread, core, l1cache, l2cache, l3cache, numa, package, node, ppr:N:OBJECT" MORE);
        refused(place_parse_map_by, "", "--map-by \"\": \"\" is not a kind of object; there are slot, "
                "hwthread, core, l1cache, l2cache, l3cache, numa, package, node, ppr:N:OBJECT" MORE);
        refused(place_parse_map_by, "core:PE", "--map-by \"core:PE\": \"PE\" is not a qualifier; there are PE=N, SPAN, "
                "OVERSUBSCRIBE, NOOVERSUBSCRIBE, HWTCPUS, CORECPUS" QUALIFIERS);
        refused(place_parse_map_by, "core:", "--map-by \"core:\": \"\" is not a qualifier; there are PE=N, SPAN, "
                "OVERSUBSCRIBE, NOOVERSUBSCRIBE, HWTCPUS, CORECPUS" QUALIFIERS);
        refused(place_parse_map_by, "core:SPAN:PE=0", "--map-by \"core:SPAN:PE=0\": PE=0 is not a number of processing "
                "elements, such as PE=2");
        refused(place_parse_map_by, "core:PE=2x", "--map-by \"core:PE=2x\": PE=2x is not a number of processing "
                "elements, such as PE=2");
        refused(place_parse_map_by, "core:PE=99999999999999999999", "--map-by \"core:PE=99999999999999999999\": "
                "PE=99999999999999999999 is not a number of processing elements, such as PE=2");
        refused(place_parse_map_by, "ppr", "--map-by \"ppr\": ppr wants a number and an object, such as ppr:2:package");
        refused(place_parse_map_by, "ppr:0:core", "--map-by \"ppr:0:core\": ppr wants a number and an object, such as "
                "ppr:2:package");
        refused(place_parse_map_by, "ppr:2", "--map-by \"ppr:2\": \"\" is not a kind of object for ppr; there are "
                "hwthread, core, l1cache, l2cache, l3cache, numa, package, node");
        refused(place_parse_map_by, "ppr:2:slot", "--map-by \"ppr:2:slot\": \"slot\" is not a kind of object for ppr; "
                "there are hwthread, core, l1cache, l2cache, l3cache, numa, package, node");
        refused(place_parse_bind_to, "slot", "--bind-to \"slot\": \"slot\" is not a kind of object; there are none, "
                "hwthread, core, l1cache, l2cache, l3cache, numa, package");
        refused(place_parse_bind_to, "core:fast", "--bind-to \"core:fast\": \"fast\" is not a qualifier; there are "
                "overload-allowed, no-overload, if-supported, limit=N");
}

static void one_container_may_use_either_language(void **state)
{
        (void) state;
        static const struct { const char *text; enum place_way way; } good[] = {
                { "core", PLACE_BY_OBJECT },      { "numa:PE=2", PLACE_BY_OBJECT }, { "pe-list=1,2", PLACE_BY_LIST },
                { "device=gpu", PLACE_BY_OBJECT }, { "cores", PLACE_AS_SLURM },     { "none", PLACE_AS_SLURM },
                { "map_cpu:3", PLACE_AS_SLURM },  { "quiet,ldoms", PLACE_AS_SLURM }, { "VERBOSE,sockets", PLACE_AS_SLURM },
        };
        for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
                struct place_wish wish = PLACE_WISH_INIT;
                struct error err = ERROR_INIT;
                assert_int_equal(place_parse_bind(&wish, good[i].text, &err), 0);
                assert_int_equal(wish.way, good[i].way);
        }
        refused(place_parse_bind, "rankfile:FILE=x", "--bind \"rankfile:FILE=x\": a file is for many instances "
                "(berth launch --map-by)");
        refused(place_parse_bind, "core:PE=0", "--bind \"core:PE=0\": PE=0 is not a number of processing elements, such as "
                "PE=2; or srun's none, threads, cores, sockets, ldoms, map_cpu:LIST, mask_cpu:LIST, map_ldom:LIST, "
                "mask_ldom:LIST");
        refused(place_parse_bind, "cores,more", "--bind \"cores,more\": \"more\" is none of none, threads, cores, sockets, "
                "ldoms, rank, map_cpu:LIST, mask_cpu:LIST, rank_ldom, map_ldom:LIST, mask_ldom:LIST");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(objects_to_map_by),
                cmocka_unit_test(words_may_be_cut_short_while_unique),
                cmocka_unit_test(qualifiers_of_a_mapping),
                cmocka_unit_test(patterns),
                cmocka_unit_test(objects_to_bind_to),
                cmocka_unit_test(places_that_are_given),
                cmocka_unit_test(ways_to_number),
                cmocka_unit_test(words_of_srun),
                cmocka_unit_test(one_container_may_use_either_language),
                cmocka_unit_test(every_bad_word_is_one_line),
                cmocka_unit_test(a_bad_word_is_answered_with_the_good_ones),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

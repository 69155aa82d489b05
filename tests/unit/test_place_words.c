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

static void a_bad_word_is_answered_with_the_good_ones(void **state)
{
        (void) state;
        refused(place_parse_map_by, "cores", "--map-by \"cores\": \"cores\" is not a kind of object; there are slot, "
                "hwthread, core, l1cache, l2cache, l3cache, numa, package, node, ppr:N:OBJECT");
        refused(place_parse_map_by, "n", "--map-by \"n\": \"n\" is not a kind of object; there are slot, "
                "hwthread, core, l1cache, l2cache, l3cache, numa, package, node, ppr:N:OBJECT");
        refused(place_parse_map_by, "", "--map-by \"\": \"\" is not a kind of object; there are slot, "
                "hwthread, core, l1cache, l2cache, l3cache, numa, package, node, ppr:N:OBJECT");
        refused(place_parse_map_by, "core:PE", "--map-by \"core:PE\": \"PE\" is not a qualifier; there are PE=N, SPAN, "
                "OVERSUBSCRIBE, NOOVERSUBSCRIBE, HWTCPUS, CORECPUS");
        refused(place_parse_map_by, "core:", "--map-by \"core:\": \"\" is not a qualifier; there are PE=N, SPAN, "
                "OVERSUBSCRIBE, NOOVERSUBSCRIBE, HWTCPUS, CORECPUS");
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
                "overload-allowed, no-overload, if-supported");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(objects_to_map_by),
                cmocka_unit_test(words_may_be_cut_short_while_unique),
                cmocka_unit_test(qualifiers_of_a_mapping),
                cmocka_unit_test(patterns),
                cmocka_unit_test(objects_to_bind_to),
                cmocka_unit_test(a_bad_word_is_answered_with_the_good_ones),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

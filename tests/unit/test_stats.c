#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cgroups/stats.h"

static int setup(void **state)
{
        *state = arena_new();
        return *state ? 0 : -1;
}

static int teardown(void **state)
{
        arena_free(*state);
        return 0;
}

static void a_list_of_cpus_is_expanded(void **state)
{
        struct stats_numbers n = { 0 };
        assert_int_equal(stats_parse_list("0-2,7,9-9", *state, &n), 0);
        const uint64_t want[] = { 0, 1, 2, 7, 9 };
        assert_int_equal(n.n, 5);
        assert_memory_equal(n.list, want, sizeof(want));
        assert_int_equal(stats_parse_list("", *state, &n), 0);
        assert_int_equal(n.n, 0);
}

static void what_is_no_list_is_refused(void **state)
{
        static const char *const bad[] = { "a", "1-", "-1", "3-1", "1,,2", "0-99999999999", "1 2", "0-65536" };
        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
                struct stats_numbers n = { .n = 77 };
                assert_int_equal(stats_parse_list(bad[i], *state, &n), -EINVAL);
                assert_int_equal(n.n, 77);
        }
}

static void pressure_is_read_in_hundredths(void **state)
{
        struct stats_psi psi = { 0 };
        (void) state;
        assert_true(stats_parse_psi("some avg10=1.50 avg60=0.07 avg300=100.00 total=18446744073709551615\n"
                                    "full avg10=0.00 avg60=0.00 avg300=0.00 total=9\n", &psi));
        assert_int_equal(psi.some.avg10, 150);
        assert_int_equal(psi.some.avg60, 7);
        assert_int_equal(psi.some.avg300, 10000);
        assert_true(psi.some.total == UINT64_MAX);
        assert_int_equal(psi.full.total, 9);
}

static void pressure_without_full_is_pressure_and_garbage_is_not(void **state)
{
        struct stats_psi psi = { 0 };
        (void) state;
        assert_false(stats_parse_psi("", &psi));
        assert_false(stats_parse_psi("some avg10=x\n", &psi));
        assert_false(psi.has);
        assert_true(stats_parse_psi("some avg10=0.00 avg60=0.00 avg300=0.00 total=5", &psi)); /* cpu before 5.13 */
        assert_int_equal(psi.some.total, 5);
        assert_int_equal(psi.full.total, 0);
}

static void named_numbers_are_sorted(void **state)
{
        struct stats_named *list = NULL;
        size_t n = 0;
        assert_int_equal(stats_parse_named("file 2\nanon 1\nbroken\nodd x\nz 3", *state, &list, &n), 0);
        assert_int_equal(n, 3);
        assert_string_equal(list[0].name, "anon");
        assert_string_equal(list[1].name, "file");
        assert_int_equal(list[1].value, 2);
        assert_string_equal(list[2].name, "z");
}

static void io_of_v2_gets_the_names_of_v1(void **state)
{
        struct stats_io_list io[STATS_IO_KINDS] = { 0 };
        assert_int_equal(stats_parse_io_stat("8:16 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=7 dios=7\n"
                                             "253:0 \nunknown\n", *state, io), 0);
        assert_int_equal(io[STATS_IO_BYTES].n, 2);
        assert_int_equal(io[STATS_IO_SERVICED].n, 2);
        assert_int_equal(io[STATS_IO_BYTES].list[0].major, 8);
        assert_int_equal(io[STATS_IO_BYTES].list[0].minor, 16);
        assert_int_equal(io[STATS_IO_BYTES].list[0].value, 4096);
        assert_string_equal(io[STATS_IO_BYTES].list[0].op, "Read");
        assert_string_equal(io[STATS_IO_SERVICED].list[1].op, "Write");
}

static void blkio_lines_have_an_operation_or_not(void **state)
{
        struct stats_io_list l = { 0 };
        assert_int_equal(stats_parse_blkio("8:0 Read 12\n8:0 Total 12\n8:0 99\nTotal 12\n", *state, &l), 0);
        assert_int_equal(l.n, 3);
        assert_string_equal(l.list[1].op, "Total");
        assert_string_equal(l.list[2].op, "");
        assert_int_equal(l.list[2].value, 99);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
        const struct CMUnitTest tests[] = {
                TEST(a_list_of_cpus_is_expanded),
                TEST(what_is_no_list_is_refused),
                TEST(pressure_is_read_in_hundredths),
                TEST(pressure_without_full_is_pressure_and_garbage_is_not),
                TEST(named_numbers_are_sorted),
                TEST(io_of_v2_gets_the_names_of_v1),
                TEST(blkio_lines_have_an_operation_or_not),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

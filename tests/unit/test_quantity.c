#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/quantity.h"

static void bytes_have_units_of_1024(void **state)
{
        static const struct { const char *text; int64_t value; } rows[] = {
                { "0", 0 }, { "-1", -1 }, { "1048576", 1048576 }, { "50M", 50 << 20 }, { "50m", 50 << 20 },
                { "1g", 1 << 30 }, { "1.5g", 3 << 29 }, { "64KiB", 65536 }, { "64kb", 65536 }, { "1 GB", 1 << 30 },
                { "10b", 10 }, { "2T", INT64_C(2) << 40 }, { "1p", INT64_C(1) << 50 },
                { "4503599627370497", INT64_C(4503599627370497) },
        };
        (void) state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
                int64_t v = 77;
                assert_int_equal(quantity_bytes(rows[i].text, &v), 0);
                assert_int_equal(v, rows[i].value);
        }
}

static void what_is_no_size_is_refused(void **state)
{
        static const char *const bad[] = {
                "", "M", "-2", "1x", "1MM", "1ib", "1  M", "0x10", "1e3", "1,5g", "nan", ".",
        };
        int64_t v = 77;
        (void) state;
        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
                assert_int_equal(quantity_bytes(bad[i], &v), -EINVAL);
        assert_int_equal(quantity_bytes("8192p", &v), -ERANGE);
        assert_int_equal(quantity_bytes("99999999999999999999", &v), -ERANGE);
        assert_int_equal(v, 77);
}

static void durations_are_those_of_go(void **state)
{
        static const struct { const char *text; uint64_t ns; } rows[] = {
                { "0", 0 }, { "0s", 0 }, { "5s", 5000000000 }, { "100ms", 100000000 }, { "1.5s", 1500000000 },
                { "1h2m3s", 3723000000000 }, { "7us", 7000 }, { "9ns", 9 }, { ".5s", 500000000 }, { "1m", 60000000000 },
        };
        (void) state;
        for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
                uint64_t v = 77;
                assert_int_equal(quantity_duration(rows[i].text, &v), 0);
                assert_int_equal(v, rows[i].ns);
        }
}

static void what_is_no_duration_is_refused(void **state)
{
        static const char *const bad[] = { "", "5", "s", "-1s", "5 s", "5x", "1s2", "1..5s" };
        uint64_t v = 77;
        (void) state;
        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
                assert_int_equal(quantity_duration(bad[i], &v), -EINVAL);
        assert_int_equal(quantity_duration("99999999h", &v), -ERANGE);
        assert_int_equal(v, 77);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(bytes_have_units_of_1024),
                cmocka_unit_test(what_is_no_size_is_refused),
                cmocka_unit_test(durations_are_those_of_go),
                cmocka_unit_test(what_is_no_duration_is_refused),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

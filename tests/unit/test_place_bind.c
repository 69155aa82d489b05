#include "place_fixture.h"

#include <errno.h>

#include "hpc/bind.h"

static void round_trip(const char *list, const char *expected)
{
        struct place_mask mask = PLACE_MASK_INIT;
        struct error err = ERROR_INIT;

        if (bind_parse(list, &mask, &err) < 0)
                fail_msg("%s", err.text);
        auto_free char *text = bind_format(&mask);
        assert_string_equal(text, expected);
}

static void refused(const char *list, int code, const char *words)
{
        struct place_mask mask = PLACE_MASK_INIT;
        struct error err = ERROR_INIT;

        bind_set(&mask, 7);
        assert_int_equal(bind_parse(list, &mask, &err), code);
        assert_non_null(strstr(err.text, words));
        assert_true(bind_has(&mask, 7));
        assert_int_equal(bind_count(&mask), 1);
}

static void lists_are_read_and_written(void **state)
{
        (void) state;
        round_trip("", "");
        round_trip("0", "0");
        round_trip("0-3,8", "0-3,8");
        round_trip("8,0-3", "0-3,8");
        round_trip("0,1,2,4-5,3", "0-5");
        round_trip("1,1,1-1", "1");
        round_trip(" 0 - 3 , 8 \n", "0-3,8");
        round_trip("63,64,127-128,4095", "63-64,127-128,4095");
        round_trip("0-4095", "0-4095");
}

static void bad_lists_are_quoted_back(void **state)
{
        (void) state;
        refused("a", -EINVAL, "\"a\" is not a list of numbers such as 0-3,8");
        refused("0-3;8", -EINVAL, "\"0-3;8\"");
        refused("1,,2", -EINVAL, "\"1,,2\"");
        refused("1,", -EINVAL, "ends with a comma");
        refused("0-", -EINVAL, "a range ends without a number");
        refused("-1", -EINVAL, "\"-1\"");
        refused("3-1", -EINVAL, "the range 3-1 runs backwards");
        refused("4096", -ERANGE, "numbers end at 4095");
        refused("99999999999999999999", -ERANGE, "numbers end at 4095");
        refused("0x3", -EINVAL, "\"0x3\"");
        refused("1 2", -EINVAL, "\"1 2\"");
}

static void masks_are_what_the_kernel_takes(void **state)
{
        (void) state;
        struct place_mask mask = PLACE_MASK_INIT, more = PLACE_MASK_INIT;

        assert_true(bind_empty(&mask));
        assert_int_equal(bind_bytes(&mask), 8);
        bind_set(&mask, 63);
        assert_int_equal(bind_bytes(&mask), 8);
        assert_int_equal(mask.bits, 64);
        bind_set(&more, 64);
        bind_merge(&mask, &more);
        assert_int_equal(bind_bytes(&mask), 16);
        assert_int_equal(bind_count(&mask), 2);
        assert_true(mask.word[0] == UINT64_C(1) << 63);
        assert_true(mask.word[1] == 1);
        assert_false(bind_has(&mask, 65));
        assert_false(bind_has(&mask, 4096));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(lists_are_read_and_written),
                cmocka_unit_test(bad_lists_are_quoted_back),
                cmocka_unit_test(masks_are_what_the_kernel_takes),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cli/option.h"

struct args {
        bool all, force;
        const char *text, *path;
        const char **list;
        uint32_t number;
};

static const struct option options[] = {
        { "all", 'a', OPTION_FLAG, offsetof(struct args, all), "all of it" },
        { "force", 0, OPTION_FLAG, offsetof(struct args, force), "do it" },
        { "text", 't', OPTION_TEXT, offsetof(struct args, text), "some words" },
        { "path", 'p', OPTION_PATH, offsetof(struct args, path), "a file" },
        { "env", 'e', OPTION_LIST, offsetof(struct args, list), "may be repeated" },
        { "n", 0, OPTION_NUMBER, offsetof(struct args, number), "how many" },
        { "old", 0, OPTION_IGNORED_VALUE, 0, "of former times" },
        { "lazy", 0, OPTION_REFUSED_FLAG, 0, "we are not" },
        { "label", 0, OPTION_REFUSED_VALUE, 0, "no SELinux" },
};
static const struct option_set mixed = { options, sizeof(options) / sizeof(*options), false };
static const struct option_set rest = { options, sizeof(options) / sizeof(*options), true };

static struct arena *arena;
static struct args got;
static struct positional pos;
static struct error err;

static int setup(void **state)
{
        (void) state;
        arena = arena_new();
        return !arena;
}

static int teardown(void **state)
{
        (void) state;
        arena_free(arena);
        return 0;
}

static int parse(const struct option_set *set, const char *const *argv)
{
        got = (struct args){ 0 };
        err = ERROR_INIT;
        return option_parse(set, (int) strv_len(argv), argv, arena, &got, &pos, &err);
}
#define PARSE(set, ...) parse(set, (const char *const[]){ __VA_ARGS__, NULL })

static void options_may_stand_on_either_side_of_the_id(void **state)
{
        (void) state;
        assert_int_equal(PARSE(&mixed, "-a", "id", "--text", "x", "--force"), 0);
        assert_true(got.all && got.force);
        assert_string_equal(got.text, "x");
        assert_int_equal(pos.n, 1);
        assert_string_equal(pos.list[0], "id");
        assert_null(pos.list[1]);
}

static void after_the_id_of_exec_everything_is_an_argument(void **state)
{
        (void) state;
        assert_int_equal(PARSE(&rest, "-a", "id", "ls", "--text", "--", "--nonsense"), 0);
        assert_true(got.all);
        assert_null(got.text);
        assert_int_equal(pos.n, 5);
        assert_string_equal(pos.list[4], "--nonsense");
}

static void two_dashes_end_the_options(void **state)
{
        (void) state;
        assert_int_equal(PARSE(&mixed, "--", "-a", "--", "b"), 0);
        assert_false(got.all);
        assert_int_equal(pos.n, 3);
        assert_string_equal(pos.list[0], "-a");
}

static void values_come_with_a_space_or_an_equals_sign(void **state)
{
        (void) state;
        assert_int_equal(PARSE(&mixed, "--text=a=b", "-p=/x", "-n", "7", "-text", "-1", "--old", "y"), 0);
        assert_string_equal(got.text, "-1");
        assert_string_equal(got.path, "/x");
        assert_int_equal(got.number, 7);
        assert_int_equal(PARSE(&mixed, "--text="), 0);
        assert_string_equal(got.text, "");
        assert_int_equal(PARSE(&mixed, "-"), 0);
        assert_string_equal(pos.list[0], "-");
}

static void flags_can_be_switched_off(void **state)
{
        (void) state;
        assert_int_equal(PARSE(&mixed, "-a", "--all=false", "--force=TRUE"), 0);
        assert_false(got.all);
        assert_true(got.force);
        assert_int_equal(PARSE(&mixed, "--lazy=false"), 0);
        assert_int_equal(PARSE(&mixed, "--all=maybe"), -EINVAL);
        assert_string_equal(err.text, "--all=maybe: expected true or false");
}

static void lists_keep_their_order_and_their_commas(void **state)
{
        (void) state;
        assert_int_equal(PARSE(&mixed, "-e", "A=1,2", "id", "--env=B=", "-e", "A=3"), 0);
        assert_int_equal(strv_len(got.list), 3);
        assert_string_equal(got.list[0], "A=1,2");
        assert_string_equal(got.list[1], "B=");
        assert_string_equal(got.list[2], "A=3");
        for (int i = 0; i < 3; i++) {
                const char *argv[301];
                for (int k = 0; k < 300; k++)
                        argv[k] = k % 2 ? "x" : "-e";
                argv[300] = NULL;
                assert_int_equal(parse(&mixed, argv), 0);
                assert_int_equal(strv_len(got.list), 150);
        }
}

static void paths_are_relative_to_the_callers_directory(void **state)
{
        (void) state;
        assert_int_equal(chdir("/tmp"), 0);
        assert_int_equal(PARSE(&mixed, "--path", "a/b"), 0);
        assert_string_equal(got.path, "/tmp/a/b");
        assert_int_equal(chdir("/"), 0);
        assert_int_equal(PARSE(&mixed, "--path", "a"), 0);
        assert_string_equal(got.path, "/a");
}

static void wrong_options_are_named(void **state)
{
        (void) state;
        assert_int_equal(PARSE(&mixed, "--wrong=1"), -EINVAL);
        assert_string_equal(err.text, "flag provided but not defined: --wrong");
        assert_int_equal(PARSE(&mixed, "-x"), -EINVAL);
        assert_string_equal(err.text, "flag provided but not defined: -x");
        assert_int_equal(PARSE(&mixed, "--tex", "x"), -EINVAL);
        assert_int_equal(PARSE(&mixed, "--", "--wrong"), 0);
        assert_int_equal(PARSE(&mixed, "id", "--text"), -EINVAL);
        assert_string_equal(err.text, "flag needs an argument: --text");
        assert_int_equal(PARSE(&mixed, "--n", "-1"), -EINVAL);
        assert_int_equal(PARSE(&mixed, "--n", "4294967296"), -EINVAL);
}

static void what_is_not_done_is_refused_by_name(void **state)
{
        (void) state;
        assert_int_equal(PARSE(&mixed, "--lazy"), -EOPNOTSUPP);
        assert_string_equal(err.text, "--lazy is not supported: we are not");
        assert_int_equal(PARSE(&mixed, "--label", "x"), -EOPNOTSUPP);
        assert_string_equal(err.text, "--label is not supported: no SELinux");
}

static void help_is_an_option_of_every_set(void **state)
{
        (void) state;
        assert_int_equal(PARSE(&rest, "--help"), 0);
        assert_true(pos.help);
        assert_int_equal(PARSE(&mixed, "id", "-h"), 0);
        assert_true(pos.help);
        assert_int_equal(PARSE(&rest, "id", "-h"), 0);
        assert_false(pos.help);
        auto_str struct str s = STR_INIT;
        option_help(&mixed, &s);
        assert_non_null(strstr(s.text, "   --text value, -t value  some words\n"));
        assert_non_null(strstr(s.text, "   --all, -a               all of it\n"));
        assert_non_null(strstr(s.text, "   --lazy                  (not supported) we are not\n"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(options_may_stand_on_either_side_of_the_id),
                cmocka_unit_test(after_the_id_of_exec_everything_is_an_argument),
                cmocka_unit_test(two_dashes_end_the_options),
                cmocka_unit_test(values_come_with_a_space_or_an_equals_sign),
                cmocka_unit_test(flags_can_be_switched_off),
                cmocka_unit_test(lists_keep_their_order_and_their_commas),
                cmocka_unit_test(paths_are_relative_to_the_callers_directory),
                cmocka_unit_test(wrong_options_are_named),
                cmocka_unit_test(what_is_not_done_is_refused_by_name),
                cmocka_unit_test(help_is_an_option_of_every_set),
        };
        return cmocka_run_group_tests(tests, setup, teardown);
}

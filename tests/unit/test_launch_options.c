#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/io.h"
#include "base/str.h"
#include "launcher/options.h"

/* The manual is read from the source tree. */
#define MANUAL TESTS_DIR "/../docs/launch.md"

static int parse(struct launch_options *o, struct error *err, const char *const *words)
{
        static char *argv[16];  /* the options point into it */
        int argc = 0;
        for (; words[argc]; argc++)
                argv[argc] = (char *) (uintptr_t) words[argc];
        argv[argc] = NULL;
        return options_parse(o, argc, argv, err);
}

#define PARSE(o, err, ...) parse((o), (err), (const char *const[]){ __VA_ARGS__, NULL })

static void lists_grow(void **state)
{
        (void) state;
        struct launch_options o;
        struct error err = ERROR_INIT;
        assert_int_equal(PARSE(&o, &err, "--device", "/dev/a", "--device=/dev/b", "--gpus-per-rank", "2", "b"), 0);
        assert_string_equal(o.devices[0], "/dev/a");
        assert_string_equal(o.devices[1], "/dev/b");
        assert_null(o.devices[2]);
        assert_null(o.groups);
        assert_int_equal(o.gpus_per_rank, 2);
        options_clear(&o);
        assert_null(o.devices);
        assert_int_equal(PARSE(&o, &err, "--cdi-dir", "/a", "--cdi-dir", "", "b"), -EINVAL);
        assert_string_equal(err.text, "--cdi-dir: the value is empty");
}

static void values_stand_behind_or_in_the_word(void **state)
{
        (void) state;
        struct launch_options o;
        struct error err = ERROR_INIT;
        assert_int_equal(PARSE(&o, &err, "-n", "8", "-c2", "--map-by=numa:PE=2", "--bind-to", "core", "b"), 0);
        assert_int_equal(o.instances, 8);
        assert_int_equal(o.cpus, 2);
        assert_string_equal(o.map_by, "numa:PE=2");
        assert_string_equal(o.bind_to, "core");
        assert_string_equal(o.bundle, "b");
        assert_null(o.command);
}

static void letters_may_be_joined(void **state)
{
        (void) state;
        struct launch_options o;
        assert_int_equal(PARSE(&o, NULL, "-lqn3", "b"), 0);
        assert_true(o.label && o.quiet);
        assert_int_equal(o.instances, 3);
}

static void options_may_follow_the_bundle_but_not_the_dashes(void **state)
{
        (void) state;
        struct launch_options o;
        assert_int_equal(PARSE(&o, NULL, "b", "-l", "--", "prog", "-n", "4"), 0);
        assert_true(o.label);
        assert_int_equal(o.instances, 0);
        assert_string_equal(o.command[0], "prog");
        assert_string_equal(o.command[2], "4");
        assert_null(o.command[3]);
}

static void mpi_chooses_ranks_unless_told_otherwise(void **state)
{
        (void) state;
        struct launch_options o;
        assert_int_equal(PARSE(&o, NULL, "b"), 0);
        assert_int_equal(o.isolate, ISOLATE_FULL);
        assert_int_equal(PARSE(&o, NULL, "--mpi=pmix", "b"), 0);
        assert_int_equal(o.isolate, ISOLATE_RANKS);
        assert_int_equal(PARSE(&o, NULL, "--mpi=pmix", "--isolate=full", "b"), 0);
        assert_int_equal(o.isolate, ISOLATE_FULL);
        assert_int_equal(PARSE(&o, NULL, "--isolate", "ranks", "b"), 0);
        assert_int_equal(o.isolate, ISOLATE_RANKS);
}

static void seconds_may_have_a_fraction(void **state)
{
        (void) state;
        struct launch_options o;
        assert_int_equal(PARSE(&o, NULL, "b"), 0);
        assert_int_equal(o.kill_wait_ms, 5000);
        assert_int_equal(PARSE(&o, NULL, "--kill-wait", "0.25", "b"), 0);
        assert_int_equal(o.kill_wait_ms, 250);
        assert_int_equal(PARSE(&o, NULL, "--kill-wait=0", "b"), 0);
        assert_int_equal(o.kill_wait_ms, 0);
        assert_int_equal(PARSE(&o, NULL, "--kill-wait=12", "b"), 0);
        assert_int_equal(o.kill_wait_ms, 12000);
}

static void bindings_are_reported_as_text_unless_told_otherwise(void **state)
{
        (void) state;
        struct launch_options o;
        assert_int_equal(PARSE(&o, NULL, "b"), 0);
        assert_int_equal(o.report_bindings, BINDINGS_NONE);
        assert_int_equal(PARSE(&o, NULL, "--report-bindings", "b"), 0);
        assert_int_equal(o.report_bindings, BINDINGS_TEXT);
        assert_string_equal(o.bundle, "b");
        assert_int_equal(PARSE(&o, NULL, "--report-bindings=json", "b"), 0);
        assert_int_equal(o.report_bindings, BINDINGS_JSON);
        assert_int_equal(PARSE(&o, NULL, "-m", "block", "--hint=nomultithread", "--mem-bind", "local", "--rank-by", "fill", "b"), 0);
        assert_string_equal(o.distribution, "block");
        assert_string_equal(o.hint, "nomultithread");
        assert_string_equal(o.mem_bind, "local");
        assert_string_equal(o.rank_by, "fill");
}

static void every_wrong_line_is_refused_with_its_reason(void **state)
{
        (void) state;
        static const struct {
                const char *words[4], *says;
        } bad[] = {
                { { "--frob", "b" }, "--frob" },
                { { "-x", "b" }, "-x" },
                { { "-n" }, "needs a value" },
                { { "-n", "0", "b" }, "\"0\"" },
                { { "-n", "two", "b" }, "\"two\"" },
                { { "-n", "99999999999", "b" }, "99999999999" },
                { { "--cpus=", "b" }, "--cpus" },
                { { "--label=yes", "b" }, "takes no value" },
                { { "--isolate=some", "b" }, "full|ranks" },
                { { "--report-bindings=xml", "b" }, "text, json" },
                { { "--cpu-bind" }, "needs a value" },
                { { "--mpi", "pmi2", "b" }, "none|pmix" },
                { { "--kill-wait=1s", "b" }, "seconds" },
                { { "--kill-wait=.", "b" }, "seconds" },
                { { "--report=", "b" }, "empty" },
                { { "b", "echo" }, "\"echo\"" },
                { { "-l" }, "which bundle" },
        };
        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
                struct launch_options o = { .bundle = "untouched" };
                struct error err = ERROR_INIT;
                assert_int_equal(parse(&o, &err, bad[i].words), -EINVAL);
                assert_non_null(strstr(err.text, bad[i].says));
                assert_null(strchr(err.text, '\n'));
                assert_string_equal(o.bundle, "untouched");
        }
}

static void help_and_dry_run_need_no_bundle(void **state)
{
        (void) state;
        struct launch_options o;
        assert_int_equal(PARSE(&o, NULL, "--help"), 0);
        assert_true(o.help);
        assert_int_equal(PARSE(&o, NULL, "--dry-run", "-n", "4"), 0);
        assert_null(o.bundle);
}

static void help_and_manual_have_every_option(void **state)
{
        (void) state;
        char *help = NULL, *manual = NULL, word[64], line[96];
        size_t size;
        FILE *f = open_memstream(&help, &size);
        options_help(f);
        fclose(f);
        assert_int_equal(io_read_file(AT_FDCWD, MANUAL, 1 << 20, &manual, NULL), 0);
        unsigned i = 0;
        for (; options_word(i, word, sizeof(word)); i++) {
                assert_non_null(strstr(help, word));
                snprintf(line, sizeof(line), "\n`%s`\n", word + strspn(word, " "));
                if (!strstr(manual, line))
                        fail_msg("docs/launch.md has no line %s", line);
        }
        assert_true(i > 10);
        free(help);
        free(manual);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(lists_grow),
                cmocka_unit_test(values_stand_behind_or_in_the_word),
                cmocka_unit_test(letters_may_be_joined),
                cmocka_unit_test(options_may_follow_the_bundle_but_not_the_dashes),
                cmocka_unit_test(mpi_chooses_ranks_unless_told_otherwise),
                cmocka_unit_test(seconds_may_have_a_fraction),
                cmocka_unit_test(bindings_are_reported_as_text_unless_told_otherwise),
                cmocka_unit_test(every_wrong_line_is_refused_with_its_reason),
                cmocka_unit_test(help_and_dry_run_need_no_bundle),
                cmocka_unit_test(help_and_manual_have_every_option),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

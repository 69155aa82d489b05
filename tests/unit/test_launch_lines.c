#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "launcher/lines.h"

static struct gather g;

static int setup(void **state)
{
        (void) state;
        return gather_open(&g, 4 * LINES_MAX);
}

static int teardown(void **state)
{
        (void) state;
        gather_clear(&g);
        return 0;
}

static void feed(struct lines *l, const char *label, const char *text)
{
        assert_true(lines_room(l, &g, label) >= strlen(text));
        assert_int_equal(lines_feed(l, &g, label, text, strlen(text)), 0);
}

/* Compare what waits, and take it as written. */
static void written(const char *want)
{
        assert_int_equal(gather_waiting(&g), strlen(want));
        assert_memory_equal(g.text + g.head, want, strlen(want));
        gather_written(&g, strlen(want));
}

static void whole_lines_pass_at_once_and_take_no_memory(void **state)
{
        (void) state;
        struct lines l = LINES_INIT;
        feed(&l, "", "a\nb\n");
        assert_null(l.text);
        written("a\nb\n");
}

static void an_unfinished_line_waits_for_its_end(void **state)
{
        (void) state;
        struct lines a = LINES_INIT, b = LINES_INIT;
        feed(&a, "", "from a, ");
        feed(&b, "", "from b\n");
        feed(&a, "", "still a\nand more");
        written("from b\nfrom a, still a\n");
        lines_end(&a, &g, "");
        lines_end(&b, &g, "");
        written("and more");
}

static void every_line_has_its_label(void **state)
{
        (void) state;
        struct lines a = LINES_INIT, b = LINES_INIT;
        feed(&a, "[0] ", "one\ntwo\nthr");
        feed(&b, "[1] ", "x\n\n");
        feed(&a, "[0] ", "ee\n");
        written("[0] one\n[0] two\n[1] x\n[1] \n[0] three\n");
        lines_end(&a, &g, "[0] ");
        written("");
        lines_clear(&a);
        lines_clear(&b);
}

static void partial_lines_of_two_do_not_join(void **state)
{
        (void) state;
        struct lines a = LINES_INIT, b = LINES_INIT;
        feed(&a, "", "no newline");
        feed(&b, "", "neither here");
        lines_end(&a, &g, "");
        lines_end(&b, &g, "");
        written("no newline\nneither here");
}

static void a_line_without_end_is_broken(void **state)
{
        (void) state;
        struct lines l = LINES_INIT;
        char *big = malloc(LINES_MAX);
        memset(big, 'x', LINES_MAX);
        size_t fed = 0;
        while (gather_waiting(&g) == 0) {
                size_t room = lines_room(&l, &g, "[0] ");
                assert_true(room > 0);
                size_t n = room < 30000 ? room : 30000;
                assert_int_equal(lines_feed(&l, &g, "[0] ", big, n), 0);
                fed += n;
                assert_true(fed < 2 * LINES_MAX);
        }
        assert_int_equal(gather_waiting(&g), 4 + fed + 1);
        assert_memory_equal(g.text, "[0] xxx", 7);
        assert_int_equal(g.text[g.tail - 1], '\n');
        assert_int_equal(l.size, 0);
        lines_clear(&l);
        free(big);
}

static void a_full_buffer_takes_nothing_and_a_fed_one_never_overflows(void **state)
{
        (void) state;
        /* The worst: nothing but newlines, with a label for each. */
        struct lines l = LINES_INIT;
        char *newlines = malloc(LINES_MAX);
        memset(newlines, '\n', LINES_MAX);
        const char *label = "[4294967295] ";
        for (size_t room; (room = lines_room(&l, &g, label)) > 0;)
                assert_int_equal(lines_feed(&l, &g, label, newlines, room), 0); /* asserts inside */
        assert_true(gather_waiting(&g) <= g.room);
        assert_true(gather_waiting(&g) > 0);
        gather_written(&g, gather_waiting(&g));
        assert_true(lines_room(&l, &g, label) > 0);
        free(newlines);
}

static void raw_bytes_pass_as_they_are(void **state)
{
        (void) state;
        struct lines l = LINES_INIT;
        g.raw = true;
        assert_int_equal(lines_feed(&l, &g, "", "a\0b", 3), 0);
        assert_int_equal(lines_feed(&l, &g, "", "\nc", 2), 0);
        lines_end(&l, &g, "");
        assert_int_equal(gather_waiting(&g), 5);
        assert_memory_equal(g.text, "a\0b\nc", 5);
}

static void our_own_lines_stand_alone(void **state)
{
        (void) state;
        struct lines l = LINES_INIT;
        g.raw = true;
        feed(&l, "", "half");
        assert_int_equal(gather_say(&g, "rank 1: gone"), 0);
        written("half\nrank 1: gone\n");
}

static void our_own_lines_fit_into_a_full_buffer(void **state)
{
        (void) state;
        struct lines l = LINES_INIT;
        char *lots = malloc(LINES_MAX);
        memset(lots, '\n', LINES_MAX);
        for (size_t room; (room = lines_room(&l, &g, "")) > 0;)
                assert_int_equal(lines_feed(&l, &g, "", lots, room), 0);
        for (int i = 0; i < 1000; i++)
                assert_int_equal(gather_say(&g, "this has to be said"), 0);
        free(lots);
}

static void the_status_line_goes_before_anything_else(void **state)
{
        (void) state;
        struct lines l = LINES_INIT;
        gather_status(&g, "3 running");
        gather_status(&g, "2 running");
        feed(&l, "", "out\n");
        gather_status(&g, NULL);
        written("3 running\r\033[K2 running\r\033[Kout\n");
        gather_status(&g, "1 running");
        gather_status(&g, NULL);
        written("1 running\r\033[K");
}

static void the_status_line_is_not_put_behind_half_a_line(void **state)
{
        (void) state;
        struct lines l = LINES_INIT;
        g.raw = true;
        feed(&l, "", "Password: ");
        gather_status(&g, "1 running");
        written("Password: ");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        const struct CMUnitTest tests[] = {
                TEST(whole_lines_pass_at_once_and_take_no_memory),
                TEST(an_unfinished_line_waits_for_its_end),
                TEST(every_line_has_its_label),
                TEST(partial_lines_of_two_do_not_join),
                TEST(a_line_without_end_is_broken),
                TEST(a_full_buffer_takes_nothing_and_a_fed_one_never_overflows),
                TEST(raw_bytes_pass_as_they_are),
                TEST(our_own_lines_stand_alone),
                TEST(our_own_lines_fit_into_a_full_buffer),
                TEST(the_status_line_goes_before_anything_else),
                TEST(the_status_line_is_not_put_behind_half_a_line),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

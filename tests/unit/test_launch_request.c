#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "launcher/request.h"

static struct request example(void)
{
        static const uint64_t cpus[3] = { 1, 2, 3 };
        struct request q = { .rank = 7 };
        q.slot[SLOT_CPUS] = (struct plan_bytes){ cpus, sizeof(cpus) };
        q.slot[SLOT_CGROUP] = (struct plan_bytes){ "job/rank-7", 11 };
        q.env = (struct plan_bytes){ "A=1\0BB=22", 10 };
        return q;
}

static void a_request_arrives_as_it_was_sent(void **state)
{
        (void) state;
        uint64_t buf[64];
        struct request q = example(), got;
        long n = request_encode(&q, buf, sizeof(buf));
        assert_true(n > 0);
        assert_int_equal(request_decode(buf, (size_t) n, &got), 0);
        assert_int_equal(got.rank, 7);
        for (size_t i = 0; i < SLOT_COUNT; i++) {
                assert_int_equal(got.slot[i].size, q.slot[i].size);
                if (q.slot[i].size)
                        assert_memory_equal(got.slot[i].data, q.slot[i].data, q.slot[i].size);
                /* masks are read as words */
                assert_int_equal((uintptr_t) got.slot[i].data % 8, 0);
        }
        assert_memory_equal(got.env.data, q.env.data, q.env.size);
}

static void what_does_not_fit_is_refused(void **state)
{
        (void) state;
        uint64_t buf[64];
        struct request q = example();
        long n = request_encode(&q, buf, sizeof(buf));
        for (size_t room = 0; room < (size_t) n; room++) {
                uint64_t *exact = malloc(room + 1);
                if (room >= 64) /* the head itself always fits in the callers' buffers */
                        assert_int_equal(request_encode(&q, exact, room), -EMSGSIZE);
                free(exact);
        }
}

static void a_damaged_record_is_refused_or_stays_inside(void **state)
{
        (void) state;
        uint64_t buf[64];
        struct request q = example(), got;
        size_t n = (size_t) request_encode(&q, buf, sizeof(buf));
        for (size_t size = 0; size < n; size++)
                assert_int_equal(request_decode(buf, size, &got), -EPROTO);
        for (size_t bit = 0; bit < 8 * n; bit++) {
                uint64_t *copy = malloc(n);
                memcpy(copy, buf, n);
                ((unsigned char *) copy)[bit / 8] ^= (unsigned char) (1u << bit % 8);
                if (request_decode(copy, n, &got) == 0)
                        for (size_t i = 0; i <= SLOT_COUNT; i++) {
                                const struct plan_bytes *p = i < SLOT_COUNT ? &got.slot[i] : &got.env;
                                size_t at = (size_t) ((const char *) p->data - (const char *) copy);
                                assert_true(at <= n && p->size <= n - at);
                        }
                free(copy);
        }
}

static void an_environment_that_does_not_end_is_refused(void **state)
{
        (void) state;
        uint64_t buf[64];
        struct request q = { .env = { "A=1", 3 } }, got;
        long n = request_encode(&q, buf, sizeof(buf));
        assert_int_equal(request_decode(buf, (size_t) n, &got), -EPROTO);
}

static void words_are_the_same_on_the_other_side(void **state)
{
        (void) state;
        const char *const argv[] = { "prog", "", "b c", NULL }, *const envp[] = { "A=1", "B=", NULL };
        void *block;
        size_t size;
        struct words w;
        assert_int_equal(words_pack(argv, envp, &block, &size), 0);
        assert_int_equal(words_open(block, size, 4, &w), 0);
        for (size_t i = 0; i < 3; i++)
                assert_string_equal(w.argv[i], argv[i]);
        assert_null(w.argv[3]);
        assert_int_equal(w.n_env, 2);
        assert_string_equal(w.envp[1], "B=");
        assert_null(w.envp[2]);
        words_clear(&w);
        for (size_t cut = 0; cut < size; cut++)
                assert_int_equal(words_open(block, cut, 4, &w), -EPROTO);
        free(block);
}

static void no_words_are_words_too(void **state)
{
        (void) state;
        void *block;
        size_t size;
        struct words w;
        assert_int_equal(words_pack(NULL, NULL, &block, &size), 0);
        assert_int_equal(words_open(block, size, 0, &w), 0);
        assert_null(w.argv[0]);
        assert_null(w.envp[0]);
        words_clear(&w);
        free(block);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_request_arrives_as_it_was_sent),
                cmocka_unit_test(what_does_not_fit_is_refused),
                cmocka_unit_test(a_damaged_record_is_refused_or_stays_inside),
                cmocka_unit_test(an_environment_that_does_not_end_is_refused),
                cmocka_unit_test(words_are_the_same_on_the_other_side),
                cmocka_unit_test(no_words_are_words_too),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

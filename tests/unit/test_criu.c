/* The messages that go to criu and come back, byte for byte; and what no criu would send. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/criu_image.h"
#include "runtime/criu_rpc.h"

#define BYTES(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

static void assert_bytes(const struct str *got, const uint8_t *want, size_t size)
{
        assert_false(str_failed(got));
        assert_int_equal(got->size, size);
        assert_memory_equal(got->text, want, size);
}

/* ---- writing: the examples of protobuf's own documentation, then limits ---- */

static void numbers_and_texts_are_written(void **state)
{
        (void) state;
        auto_str struct str a = STR_INIT, b = STR_INIT, c = STR_INIT, d = STR_INIT;
        pb_number(&a, 1, 150);
        assert_bytes(&a, BYTES(0x08, 0x96, 0x01));
        pb_text(&b, 2, "testing");
        assert_bytes(&b, BYTES(0x12, 0x07, 't', 'e', 's', 't', 'i', 'n', 'g'));
        pb_message(&c, 3, &a);
        assert_bytes(&c, BYTES(0x1a, 0x03, 0x08, 0x96, 0x01));
        pb_number(&d, 1, 0);
        pb_number(&d, 71, -1);
        pb_text(&d, 5, NULL);
        pb_text(&d, 5, "");
        assert_bytes(&d, BYTES(0x08, 0x00, 0xb8, 0x04, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0x2a,
                               0x00));
}

static void what_is_written_can_be_read(void **state)
{
        static const int64_t numbers[] = { 0, 1, 127, 128, 16383, 16384, INT32_MAX, INT64_MAX, INT64_MIN, -1 };
        (void) state;
        auto_str struct str s = STR_INIT;
        for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
                pb_number(&s, (uint32_t) i + 1, numbers[i]);
        pb_text(&s, (1u << 29) - 1, "last");
        struct pb_reader in = { (const uint8_t *) s.text, s.size };
        struct pb_field f;
        for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
                assert_int_equal(pb_next(&in, &f), 1);
                assert_int_equal(f.number, i + 1);
                assert_int_equal(f.wire, PB_VARINT);
                assert_true((int64_t) f.value == numbers[i]);
        }
        assert_int_equal(pb_next(&in, &f), 1);
        assert_int_equal(f.number, (1u << 29) - 1);
        assert_int_equal(f.size, 4);
        assert_memory_equal(f.data, "last", 4);
        assert_int_equal(pb_next(&in, &f), 0);
}

/* ---- reading what is hostile ---- */

static int read_all(const uint8_t *data, size_t size)
{
        /* On the heap and of this size: a sanitizer sees each byte that is read too much. */
        uint8_t *copy = malloc(size ? size : 1);
        assert_non_null(copy);
        memcpy(copy, data, size);
        struct pb_reader in = { copy, size };
        struct pb_field f;
        int r;
        while ((r = pb_next(&in, &f)) > 0)
                ;
        free(copy);
        return r;
}

static void broken_messages_are_refused(void **state)
{
        (void) state;
        assert_int_equal(read_all(BYTES(0x08)), -EBADMSG);                      /* no value */
        assert_int_equal(read_all(BYTES(0x08, 0x80)), -EBADMSG);                /* a varint without end */
        assert_int_equal(read_all(BYTES(0x80)), -EBADMSG);                      /* a tag without end */
        assert_int_equal(read_all(BYTES(0x00, 0x01)), -EBADMSG);                /* field 0 */
        assert_int_equal(read_all(BYTES(0x0b, 0x0c)), -EBADMSG);                /* groups */
        assert_int_equal(read_all(BYTES(0x0e)), -EBADMSG);                      /* wire type 6 */
        assert_int_equal(read_all(BYTES(0x12, 0x05, 'a')), -EBADMSG);           /* longer than there is */
        assert_int_equal(read_all(BYTES(0x09, 1, 2, 3)), -EBADMSG);             /* half a fixed64 */
        assert_int_equal(read_all(BYTES(0x0d, 1, 2, 3)), -EBADMSG);             /* ... fixed32 */
        /* a length of 2^64 - 1, of 2^63 */
        assert_int_equal(read_all(BYTES(0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 'a')), -EBADMSG);
        assert_int_equal(read_all(BYTES(0x12, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01, 'a')), -EBADMSG);
        /* more than 64 bits, more than ten bytes, a field number above 2^29 */
        assert_int_equal(read_all(BYTES(0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02)), -EBADMSG);
        assert_int_equal(read_all(BYTES(0x08, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00)), -EBADMSG);
        assert_int_equal(read_all(BYTES(0xf8, 0xff, 0xff, 0xff, 0x1f, 0x00)), -EBADMSG);
        /* odd, but allowed: needless bytes, empty ones, nothing */
        assert_int_equal(read_all(BYTES(0x88, 0x00, 0x80, 0x00)), 0);
        assert_int_equal(read_all(BYTES(0x12, 0x00)), 0);
        assert_int_equal(read_all((const uint8_t *) "", 0), 0);
}

static void noise_never_reads_beyond_the_end(void **state)
{
        uint32_t seed = 7;
        (void) state;
        for (int i = 0; i < 20000; i++) {
                uint8_t data[48];
                size_t size = (size_t) i % sizeof(data);
                for (size_t k = 0; k < size; k++) {
                        seed = seed * 1664525u + 1013904223u;
                        /* Small numbers are lengths and tags more often than not. */
                        data[k] = (uint8_t) (seed >> 24 & (k % 3 ? 0x1f : 0xff));
                }
                struct criu_response resp;
                auto_str struct str out = STR_INIT;
                uint8_t *copy = malloc(size ? size : 1);
                assert_non_null(copy);
                memcpy(copy, data, size);
                int r = criu_response_parse(copy, size, &resp);
                assert_true(r == 0 || r == -EBADMSG);
                r = criu_image_edit(copy, size, &out);
                assert_true(r == 0 || r == 1 || r == -EBADMSG);
                free(copy);
        }
}

/* ---- requests ---- */

static void requests_are_those_of_the_protocol(void **state)
{
        (void) state;
        auto_str struct str version = STR_INIT, feature = STR_INIT, go_on = STR_INIT, opts = STR_INIT, dump = STR_INIT;
        criu_request(CRIU_VERSION, NULL, &version);
        assert_bytes(&version, BYTES(0x08, 10));
        criu_request_feature(CRIU_MEM_TRACK, &feature);
        assert_bytes(&feature, BYTES(0x08, 9, 0x2a, 2, 0x08, 1));
        criu_request_go_on(&go_on);
        assert_bytes(&go_on, BYTES(0x08, 6, 0x18, 1));
        pb_number(&opts, CRIU_IMAGES_DIR_FD, 5);
        criu_opt_pair(&opts, CRIU_EXT_MNT, "/a", "b");
        criu_opt_fd(&opts, "k", 4);
        criu_opt_page_server(&opts, "h", 300);
        criu_request(CRIU_DUMP, &opts, &dump);
        assert_bytes(&dump, BYTES(0x08, 1, 0x12, 28, 0x08, 5,
                                  0xba, 0x01, 7, 0x0a, 2, '/', 'a', 0x12, 1, 'b',
                                  0xda, 0x01, 5, 0x0a, 1, 'k', 0x10, 4,
                                  0x5a, 6, 0x0a, 1, 'h', 0x10, 0xac, 0x02));
}

/* ---- responses ---- */

static void responses_are_understood(void **state)
{
        struct criu_response r;
        (void) state;
        assert_int_equal(criu_response_parse(BYTES(0x08, 2, 0x10, 1, 0x22, 3, 0x08, 0xac, 0x02), &r), 0);
        assert_int_equal(r.type, CRIU_RESTORE);
        assert_true(r.success);
        assert_int_equal(r.pid, 300);
        assert_int_equal(criu_response_parse(BYTES(0x08, 6, 0x10, 1, 0x2a, 6, 0x0a, 2, 'h', 'i', 0x10, 7), &r), 0);
        assert_int_equal(r.type, CRIU_NOTIFY);
        assert_string_equal(r.script, "hi");
        assert_int_equal(r.pid, 7);
        assert_int_equal(criu_response_parse(BYTES(0x08, 10, 0x10, 1, 0x52, 6, 0x08, 3, 0x10, 17, 0x20, 1), &r), 0);
        assert_int_equal(r.version, 31701);
        assert_int_equal(criu_response_parse(BYTES(0x08, 9, 0x10, 1, 0x42, 4, 0x08, 0, 0x10, 1), &r), 0);
        assert_false(r.has_feature[CRIU_MEM_TRACK]);
        assert_true(r.has_feature[CRIU_CAN_LAZY_PAGES]);
        /* a failure, with a reason of two lines: ours has one */
        assert_int_equal(criu_response_parse(BYTES(0x08, 1, 0x10, 0, 0x38, 52, 0x4a, 5, 'n', 'o', '\n', 'x', '\n'), &r), 0);
        assert_false(r.success);
        assert_int_equal(r.cr_errno, 52);
        assert_string_equal(r.errmsg, "no x");
        /* a later criu says more */
        assert_int_equal(criu_response_parse(BYTES(0x08, 1, 0x10, 1, 0xba, 0x3e, 1, 'x', 0xb8, 0x3e, 9), &r), 0);
}

static void what_is_no_response_is_refused(void **state)
{
        struct criu_response r;
        uint8_t text[1000] = { 0x08, 1, 0x10, 1, 0x4a, 0xe1, 0x07 };    /* errmsg of 993 bytes */
        (void) state;
        assert_int_equal(criu_response_parse("", 0, &r), -EBADMSG);
        assert_int_equal(criu_response_parse(BYTES(0x08, 1), &r), -EBADMSG);            /* no success */
        assert_int_equal(criu_response_parse(BYTES(0x10, 1), &r), -EBADMSG);            /* no type */
        assert_int_equal(criu_response_parse(BYTES(0x0a, 0, 0x12, 0), &r), -EBADMSG);   /* neither is a number */
        assert_int_equal(criu_response_parse(BYTES(0x08, 6, 0x10, 1, 0x2a, 2, 0x0a, 9), &r), -EBADMSG); /* inside */
        /* a pid that is none, a script that does not fit */
        assert_int_equal(criu_response_parse(BYTES(0x08, 2, 0x10, 1, 0x22, 6, 0x08, 0xff, 0xff, 0xff, 0xff, 0x0f), &r), 0);
        assert_int_equal(r.pid, 0);
        memset(text + 7, 'e', sizeof(text) - 7);
        assert_int_equal(criu_response_parse(text, sizeof(text), &r), 0);
        assert_int_equal(strlen(r.errmsg), CRIU_ERRMSG_MAX - 1);
}

/* ---- images ---- */

/* Two magic numbers and one entry: mtype, thread_core { futex_rla, pdeath_sig, comm }. */
#define CORE(size, core_size, ...)                                                                              \
        BYTES(0x19, 0x43, 0x56, 0x54, 0x43, 0x67, 0x58, 0x55, size, 0, 0, 0, 0x08, 1, 0x2a, core_size, __VA_ARGS__)

static void the_parent_death_signal_is_taken_out(void **state)
{
        (void) state;
        auto_str struct str out = STR_INIT, other = STR_INIT, none = STR_INIT;
        assert_int_equal(criu_image_edit(CORE(10, 6, 0x08, 0, 0x40, SIGKILL, 0x6a, 0), &out), 1);
        assert_bytes(&out, CORE(8, 4, 0x08, 0, 0x6a, 0));
        /* one that the process chose itself stays; so does everything when there is none */
        assert_int_equal(criu_image_edit(CORE(10, 6, 0x08, 0, 0x40, SIGTERM, 0x6a, 0), &other), 0);
        assert_bytes(&other, CORE(10, 6, 0x08, 0, 0x40, SIGTERM, 0x6a, 0));
        assert_int_equal(criu_image_edit(CORE(8, 4, 0x08, 0, 0x6a, 0), &none), 0);
        assert_bytes(&none, CORE(8, 4, 0x08, 0, 0x6a, 0));
}

static void broken_images_are_refused(void **state)
{
        (void) state;
        auto_str struct str out = STR_INIT;
        assert_int_equal(criu_image_edit("", 0, &out), -EBADMSG);
        assert_int_equal(criu_image_edit(BYTES(1, 2, 3, 4, 5, 6, 7), &out), -EBADMSG);
        assert_int_equal(criu_image_edit(BYTES(1, 2, 3, 4, 5, 6, 7, 8, 9), &out), -EBADMSG);
        assert_int_equal(criu_image_edit(BYTES(1, 2, 3, 4, 5, 6, 7, 8, 1, 0, 0, 0), &out), -EBADMSG);
        assert_int_equal(criu_image_edit(BYTES(1, 2, 3, 4, 5, 6, 7, 8, 0xff, 0xff, 0xff, 0xff, 0), &out), -EBADMSG);
        assert_int_equal(criu_image_edit(BYTES(1, 2, 3, 4, 5, 6, 7, 8, 2, 0, 0, 0, 0x2a, 5), &out), -EBADMSG);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(numbers_and_texts_are_written),
                cmocka_unit_test(what_is_written_can_be_read),
                cmocka_unit_test(broken_messages_are_refused),
                cmocka_unit_test(noise_never_reads_beyond_the_end),
                cmocka_unit_test(requests_are_those_of_the_protocol),
                cmocka_unit_test(responses_are_understood),
                cmocka_unit_test(what_is_no_response_is_refused),
                cmocka_unit_test(the_parent_death_signal_is_taken_out),
                cmocka_unit_test(broken_images_are_refused),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Texts that nobody wrote on purpose, or that somebody did. */
#include "spec_help.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/io.h"
#include "base/str.h"

#define CORPUS TESTS_DIR "/fuzz/corpus/spec"

/* A text is read, or refused with a sentence about it. Nothing else. */
static bool is_read(read_text_fn *read, const char *text, size_t size)
{
        struct error err = ERROR_INIT;
        auto_spec struct spec *spec = NULL;
        /* The size of the allocation is that of the text: a byte too far is seen by the sanitizer. */
        auto_free char *copy = malloc(size > 0 ? size : 1);
        assert_non_null(copy);
        memcpy(copy, text, size);

        int r = read(copy, size, "name", &spec, &err);
        assert_true(r <= 0);
        if (r == 0) {
                assert_non_null(spec);
                assert_int_equal(err.code, 0);
                return true;
        }
        assert_null(spec);
        assert_int_equal(err.code, r);
        assert_true(str_starts(err.text, "name: "));
        assert_true(strlen(err.text) > strlen("name: "));
        return false;
}

static void read_all(const char *text, size_t size)
{
        (void) is_read(spec_read_text, text, size);
        (void) is_read(spec_read_process, text, size);
        (void) is_read(spec_read_resources, text, size);
}

static void the_corpus_of_the_fuzzer_is_harmless(void **state)
{
        (void) state;
        DIR *dir = opendir(CORPUS);
        assert_non_null(dir);
        size_t n = 0;
        for (struct dirent *e; (e = readdir(dir));) {
                if (e->d_name[0] == '.')
                        continue;
                auto_free char *text = NULL;
                size_t size;
                assert_int_equal(io_read_file(dirfd(dir), e->d_name, 1 << 20, &text, &size), 0);
                read_all(text, size);
                n++;
        }
        closedir(dir);
        assert_true(n >= 10);
}

static char *example(size_t *ret_size)
{
        char *text = NULL;
        assert_int_equal(io_read_file(AT_FDCWD, CORPUS "/everything.json", 1 << 20, &text, ret_size), 0);
        assert_true(is_read(spec_read_text, text, *ret_size));
        return text;
}

static void a_truncated_config_is_refused(void **state)
{
        (void) state;
        size_t size;
        auto_free char *text = example(&size);
        while (text[size - 1] == '\n')
                size--;
        for (size_t n = 0; n < size; n++)
                assert_false(is_read(spec_read_text, text, n));
}

static void a_flipped_bit_is_refused_or_harmless(void **state)
{
        (void) state;
        size_t size;
        auto_free char *text = example(&size);
        for (size_t i = 0; i < size; i++) {
                char was = text[i];
                text[i] = (char) (was ^ (1 << i % 8));
                (void) is_read(spec_read_text, text, size);
                text[i] = was;
        }
        assert_true(is_read(spec_read_text, text, size));
}

static void a_missing_byte_is_refused_or_harmless(void **state)
{
        (void) state;
        size_t size;
        auto_free char *text = example(&size);
        auto_free char *less = malloc(size);
        assert_non_null(less);
        for (size_t i = 0; i < size; i += 3) {
                memcpy(less, text, i);
                memcpy(less + i, text + i + 1, size - i - 1);
                (void) is_read(spec_read_text, less, size - 1);
        }
}

/* ---- too much of something ---- */

static void repeat(struct str *s, const char *begin, const char *what, size_t n, const char *end)
{
        str_add(s, begin);
        for (size_t i = 0; i < n; i++)
                str_add(s, what);
        str_add(s, end);
        assert_false(str_failed(s));
}

static void assert_refused(const char *begin, const char *what, size_t n, const char *end, int code,
                           const char *sentence)
{
        auto_str struct str s = STR_INIT;
        repeat(&s, begin, what, n, end);
        auto_free char *json = quotes(s.text);
        struct spec *spec = NULL;
        struct error err = ERROR_INIT;
        assert_int_equal(spec_read_text(json, strlen(json), "name", &spec, &err), code);
        assert_string_equal(err.text, sentence);
}

static void too_much_of_something_is_refused(void **state)
{
        (void) state;
        assert_refused("{'x':", "[", 100000, "", -EINVAL, "name: line 1, column 69 (byte 68): nesting too deep");
        assert_refused("{'x':[0", ",0", 1 << 20, "]}", -EFBIG, "name: more than 1048576 values");
        assert_refused("{'x':'", "0123456789abcdef", 1 << 20, "'}", -EFBIG, "name: larger than 16 MiB");
        assert_refused("{'ociVersion':'1.0.0','root':{'path':'", "aaaaaaaa", 512, "'}}", -EINVAL,
                       "name: root.path: a path of 4096 bytes, at most 4095 are possible");
        assert_refused("{'ociVersion':'1.0.0','process':{'cwd':'/','user':{'additionalGids':[0", ",0", 65536, "]}}}",
                       -EINVAL, "name: process.user.additionalGids: 65537 elements, at most 65536 are possible");
        assert_refused("{'ociVersion':'1.0.0','root':{'path':'r'},'linux':{'uidMappings':[0", ",0", 340, "]}}", -EINVAL,
                       "name: linux.uidMappings: 341 elements, at most 340 are possible");
        assert_refused("{'ociVersion':'1.0.0','process':{'cwd':'/','args':['a'],'env':['A=',", "'A=',", 131072,
                       "'A=']}}", -EINVAL, "name: process.env: 131074 elements, at most 131072 are possible");
}

static void what_is_long_and_allowed_is_read(void **state)
{
        (void) state;
        auto_str struct str s = STR_INIT;
        repeat(&s, "{'ociVersion':'1.0.0','root':{'path':'r'},'process':{'cwd':'/','args':['a'],'env':['A=',",
               "'LONG=0123456789012345678901234567890123456789',", 20000, "'B=']}}");
        auto_free char *json = quotes(s.text);
        assert_true(is_read(spec_read_text, json, strlen(json)));
}

static void a_sentence_is_cut_and_not_lost(void **state)
{
        (void) state;
        auto_str struct str name = STR_INIT;
        repeat(&name, "", "n", 5000, "");
        struct spec *spec = NULL;
        struct error err = ERROR_INIT;
        assert_int_equal(spec_read_text("{}", 2, name.text, &spec, &err), -EINVAL);
        assert_int_equal(strlen(err.text), ERROR_TEXT_MAX - 1);
        assert_int_equal(spec_read_text("{}", 2, "nobody listens", &spec, NULL), -EINVAL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_corpus_of_the_fuzzer_is_harmless),
                cmocka_unit_test(a_truncated_config_is_refused),
                cmocka_unit_test(a_flipped_bit_is_refused_or_harmless),
                cmocka_unit_test(a_missing_byte_is_refused_or_harmless),
                cmocka_unit_test(too_much_of_something_is_refused),
                cmocka_unit_test(what_is_long_and_allowed_is_read),
                cmocka_unit_test(a_sentence_is_cut_and_not_lost),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

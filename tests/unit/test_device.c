/* Where devices are found: directories of CDI files, YAML, nodes of this machine (hpc/device). */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "device/choice.h"
#include "device/device.h"
#include "device/node.h"
#include "device/store.h"
#include "device/yaml.h"

/* ---- YAML ---- */

static void yaml_becomes_json(void **state)
{
        (void) state;
        static const char *const good[][2] = {
                { "a: 1\nb: [x, \"2\", '3', -4, 0x1f, 0o17, 0660, 1.5]", "{\"a\":1,\"b\":[\"x\",\"2\",\"3\",-4,31,15,432,1.5]}" },
                { "a:\n- {b: true, c: null, d: ~, e: , f: FALSE}\n", "{\"a\":[{\"b\":true,\"c\":null,\"d\":null,\"e\":null,\"f\":false}]}" },
                { "a: yes\nb: 1.2.3\nc: 08\nd: 99999999999999999999", "{\"a\":\"yes\",\"b\":\"1.2.3\",\"c\":\"08\",\"d\":\"99999999999999999999\"}" },
                { "a: &x {b: 1}\nc: *x", "{\"a\":{\"b\":1},\"c\":{\"b\":1}}" },
                { "a: |\n  two\n  \"lines\"\n", "{\"a\":\"two\\u000a\\\"lines\\\"\\u000a\"}" },
                { "{\"a\": \"\\u00e9\"}", "{\"a\":\"\xc3\xa9\"}" },
                { "---\na: {}\n...\n", "{\"a\":{}}" },
        };
        for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
                auto_free char *json = NULL;
                size_t size = 0;
                struct error err = ERROR_INIT;
                int r = yaml_to_json(good[i][0], strlen(good[i][0]), "f.yaml", &json, &size, &err);
                if (r == -EOPNOTSUPP)
                        skip();
                if (r < 0)
                        fail_msg("%s", err.text);
                assert_string_equal(json, good[i][1]);
                assert_int_equal(size, strlen(json));
        }
}

static bool str_ends(const char *s, const char *end)
{
        size_t n = strlen(s), m = strlen(end);
        return n >= m && strcmp(s + n - m, end) == 0;
}

static void mistakes_in_yaml_have_a_line(void **state)
{
        (void) state;
        static const char *const bad[][2] = {
                { "", "f.yaml: is empty" },
                { "a: 1\nb: [1, 2\n", "f.yaml: line 3, column 1: " },
                { "a: 1\n\tb: 2\n", "f.yaml: line 2, column 1: " },
                { "a: 1\nb: 2\na: 3\n", "f.yaml: line 3, column 1: the key is there twice" },
                { "? [a]\n: 1\n", "f.yaml: line 1, column 1: expected a word as key" },
                { "a: !thing b\n", "f.yaml: line 1, column 4: a tag, which JSON has not got" },
                { "a: &x [*x]\n", "f.yaml: line 1, column 4: too deep, or an alias of what it is in" },
                { "a: 1\n---\nb: 2\n", "f.yaml: line 3, column 1: a second document" },
                { "a: *none\n", "f.yaml: line 1, column 4: " },
                { "a: \xff\n", "f.yaml: byte 3: " },
        };
        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
                char *json = NULL;
                size_t size = 0;
                struct error err = ERROR_INIT;
                int r = yaml_to_json(bad[i][0], strlen(bad[i][0]), "f.yaml", &json, &size, &err);
                if (r == -EOPNOTSUPP)
                        skip();
                assert_int_equal(r, -EINVAL);
                assert_null(json);
                /* the library's own words differ between versions */
                bool open = str_ends(bad[i][1], ": ");
                if (open ? !str_starts(err.text, bad[i][1]) : strcmp(err.text, bad[i][1]) != 0)
                        fail_msg("got \"%s\", not \"%s\"", err.text, bad[i][1]);
        }
}

/* A few lines that mean gigabytes. */
static void aliases_of_aliases_end(void **state)
{
        (void) state;
        auto_str struct str s = STR_INIT;
        str_add(&s, "a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for (int i = 1; i < 12; i++)
                str_addf(&s, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
        char *json = NULL;
        size_t size = 0;
        struct error err = ERROR_INIT;
        int r = yaml_to_json(s.text, s.size, "f.yaml", &json, &size, &err);
        if (r == -EOPNOTSUPP)
                skip();
        assert_int_equal(r, -EFBIG);
        assert_string_equal(err.text, "f.yaml: larger than 16 MiB");
}

/* ---- directories ---- */

struct place {
        char low[64], high[80];
        const char *dirs[3];
        struct arena *arena;
};

static int make_place(void **state)
{
        struct place *p = calloc(1, sizeof(*p));
        assert_non_null(p);
        strcpy(p->low, "/tmp/test_device.XXXXXX");
        assert_non_null(mkdtemp(p->low));
        snprintf(p->high, sizeof(p->high), "%s/high", p->low);
        assert_int_equal(mkdir(p->high, 0700), 0);
        p->dirs[0] = p->low;
        p->dirs[1] = p->high;
        p->arena = arena_new();
        *state = p;
        return 0;
}

static int remove_place(void **state)
{
        struct place *p = *state;
        for (int i = 0; i < 2; i++) {
                const char *dir = i ? p->low : p->high;
                for (const char *const *name = (const char *const[]){ "a.json", "b.json", "c.yaml", "d.txt", "e.json", NULL }; *name; name++) {
                        char path[160];
                        snprintf(path, sizeof(path), "%s/%s", dir, *name);
                        (void) unlink(path);
                }
                assert_int_equal(rmdir(dir), 0);
        }
        arena_free(p->arena);
        free(p);
        return 0;
}

/* A file whose only device says where it is from. */
static void put(const char *dir, const char *name, const char *class, const char *device, const char *value)
{
        char text[512], path[160];
        snprintf(path, sizeof(path), "%s/%s", dir, name);
        int n = snprintf(text, sizeof(text), "{\"cdiVersion\":\"1.1.0\",\"kind\":\"acme.org/%s\",\"containerEdits\":{\"env\":[\"FILE=%s\"]},"
                         "\"devices\":[{\"name\":\"%s\",\"containerEdits\":{\"env\":[\"DEVICE=%s\"]}}]}", class, value, device, value);
        assert_int_equal(io_create_file(AT_FDCWD, path, text, (size_t) n, 0600), 0);
}

static int take(struct place *p, const char *text, struct edits *edits, struct error *err)
{
        struct store store = { 0 };
        struct cdi_name name = { 0 };
        *edits = (struct edits){ 0 };
        assert_int_equal(cdi_parse_name(p->arena, text, &name, err), 0);
        int r = store_load(&store, p->arena, p->dirs, err);
        return r < 0 ? r : store_take(&store, &name, edits, err);
}

static void later_directories_win(void **state)
{
        struct place *p = *state;
        struct edits e;
        struct error err = ERROR_INIT;
        put(p->low, "a.json", "nic", "0", "low");
        put(p->high, "b.json", "nic", "0", "high");
        put(p->low, "d.txt", "nic", "0", "no CDI file");
        assert_int_equal(take(p, "acme.org/nic=0", &e, &err), 0);
        assert_string_equal(e.env[0], "FILE=high");
        assert_string_equal(e.env[1], "DEVICE=high");
        assert_null(e.env[2]);
        /* of two below one that decides nobody needs to know */
        put(p->low, "b.json", "nic", "0", "low");
        assert_int_equal(take(p, "acme.org/nic=0", &e, &err), 0);
        assert_string_equal(e.env[0], "FILE=high");
}

static void equals_are_an_error_when_asked_for(void **state)
{
        struct place *p = *state;
        struct edits e;
        struct error err = ERROR_INIT;
        char want[512];
        put(p->low, "a.json", "nic", "0", "a");
        put(p->low, "b.json", "nic", "0", "b");
        put(p->low, "e.json", "nic", "1", "e");
        assert_int_equal(take(p, "acme.org/nic=1", &e, &err), 0);
        assert_string_equal(e.env[0], "FILE=e");
        assert_int_equal(take(p, "acme.org/nic=0", &e, &err), -EEXIST);
        snprintf(want, sizeof(want), "device \"acme.org/nic=0\": it is in %s/a.json and in %s/b.json, and neither takes precedence",
                 p->low, p->low);
        assert_string_equal(err.text, want);
        assert_int_equal(take(p, "acme.org/nic=all", &e, &err), -EEXIST);
}

static void all_is_every_device_or_one_of_that_name(void **state)
{
        struct place *p = *state;
        struct edits e;
        struct error err = ERROR_INIT;
        put(p->low, "a.json", "nic", "10", "ten");
        put(p->low, "b.json", "nic", "9", "nine");
        put(p->low, "e.json", "gpu", "0", "gpu");
        assert_int_equal(take(p, "acme.org/nic=all", &e, &err), 0);
        assert_int_equal(strv_len(e.env), 4);
        assert_string_equal(e.env[1], "DEVICE=nine");
        assert_string_equal(e.env[3], "DEVICE=ten");
        put(p->high, "a.json", "nic", "all", "itself");
        assert_int_equal(take(p, "acme.org/nic=all", &e, &err), 0);
        assert_int_equal(strv_len(e.env), 2);
        assert_string_equal(e.env[1], "DEVICE=itself");
}

static void what_is_missing_is_said(void **state)
{
        struct place *p = *state;
        struct edits e;
        struct error err = ERROR_INIT;
        char want[512], path[160];
        snprintf(want, sizeof(want), "device \"acme.org/nic=0\": no CDI file in %s, %s describes devices of acme.org/nic", p->low, p->high);
        assert_int_equal(take(p, "acme.org/nic=0", &e, &err), -ENODEV);
        assert_string_equal(err.text, want);
        put(p->low, "a.json", "nic", "1", "x");
        assert_int_equal(take(p, "acme.org/nic=0", &e, &err), -ENODEV);
        assert_string_equal(err.text, "device \"acme.org/nic=0\": there is none of that name, but 1");
        /* a file that cannot be read may be the one */
        snprintf(path, sizeof(path), "%s/b.json", p->low);
        assert_int_equal(io_create_file(AT_FDCWD, path, "{}", 2, 0600), 0);
        snprintf(want, sizeof(want), "device \"acme.org/nic=0\": there is none of that name, but 1; and a file cannot be used: %s: "
                 "cdiVersion: missing", path);
        assert_int_equal(take(p, "acme.org/nic=0", &e, &err), -ENODEV);
        assert_string_equal(err.text, want);
        assert_int_equal(take(p, "acme.org/nic=1", &e, &err), 0);
        p->dirs[1] = "/no/such";
        assert_int_equal(take(p, "acme.org/nic=1", &e, &err), -ENOENT);
        assert_string_equal(err.text, "CDI directory \"/no/such\": No such file or directory");
}

/* ---- nodes ---- */

static void nodes_are_filled_from_the_host(void **state)
{
        (void) state;
        struct error err = ERROR_INIT;
        struct edit_node n = { .path = "/dev/x", .host = "/dev/null" };
        assert_int_equal(node_fill(&n, &err), 0);
        assert_true(n.type == 'c' && n.major == 1 && n.minor == 3 && n.has_mode);
        n = (struct edit_node){ .path = "/dev/none", .type = 'c', .major = 7, .minor = 2 };
        assert_int_equal(node_fill(&n, &err), 0);
        assert_false(n.has_mode);
        n = (struct edit_node){ .path = "/dev/null", .type = 'b', .major = 0 };
        assert_int_equal(node_fill(&n, &err), -EINVAL);
        assert_string_equal(err.text, "\"/dev/null\" is a device of type c, not b");
        n = (struct edit_node){ .path = "/dev/none" };
        assert_int_equal(node_fill(&n, &err), -ENOENT);
        assert_string_equal(err.text, "look at \"/dev/none\": No such file or directory");
        n = (struct edit_node){ .path = "/etc/passwd" };
        assert_int_equal(node_fill(&n, &err), -ENODEV);
        assert_string_equal(err.text, "\"/etc/passwd\" is not a device");
}

static void plain_devices_have_three_parts(void **state)
{
        (void) state;
        static const struct {
                const char *text, *path;
                bool read, write, mknod;
        } good[] = {
                { "/dev/null", "/dev/null", true, true, true },
                { "/dev/null:r", "/dev/null", true, false, false },
                { "/dev/null:/dev//x", "/dev/x", true, true, true },
                { "/dev/null:/x:wm", "/x", false, true, true },
        };
        static const char *const bad[][2] = {
                { "/dev/null:", "device \"/dev/null:\": expected letters of \"rwm\" for the access, found \"\"" },
                { "/dev/null:x", "device \"/dev/null:x\": expected letters of \"rwm\" for the access, found \"x\"" },
                { "/dev/null:/:r", "device \"/dev/null:/:r\": \"/\" cannot be a device" },
                { "/a:/b:r:r", "device \"/a:/b:r:r\": expected PATH[:PATH-IN-CONTAINER][:rwm], with absolute paths, or VENDOR/CLASS=NAME" },
                { "/dev/none", "device \"/dev/none\": No such file or directory" },
        };
        struct error err = ERROR_INIT;
        auto_arena struct arena *arena = arena_new();
        for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
                struct edits e = { 0 };
                assert_int_equal(node_plain(arena, good[i].text, &e, &err), 0);
                assert_int_equal(e.n_nodes, 1);
                const struct edit_node *n = e.nodes;
                assert_string_equal(n->path, good[i].path);
                assert_string_equal(n->host, "/dev/null");
                assert_true(n->read == good[i].read && n->write == good[i].write && n->mknod == good[i].mknod);
                assert_true(n->major == 1 && n->minor == 3);
        }
        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
                struct edits e = { 0 };
                assert_true(node_plain(arena, bad[i][0], &e, &err) < 0);
                assert_string_equal(err.text, bad[i][1]);
        }
}

/* Index, UUID and "all", as generators write them; a device without nodes is one, too. */
static void names_for_one_device_are_one_choice(void **state)
{
        struct place *p = *state;
        struct device_choice *choices;
        size_t n = 0;
        struct error err = ERROR_INIT;
        char path[160];
        static const char text[] = "{\"cdiVersion\":\"1.1.0\",\"kind\":\"acme.org/gpu\",\"devices\":["
                "{\"name\":\"GPU-b\",\"containerEdits\":{\"deviceNodes\":[{\"path\":\"/dev/zero\"}]}},"
                "{\"name\":\"10\",\"containerEdits\":{\"env\":[\"A=1\"]}},"
                "{\"name\":\"2\",\"containerEdits\":{\"deviceNodes\":[{\"path\":\"/dev/zero\"}]}},"
                "{\"name\":\"1\",\"containerEdits\":{\"deviceNodes\":[{\"path\":\"/dev/null\"}]}},"
                "{\"name\":\"both\",\"containerEdits\":{\"deviceNodes\":[{\"path\":\"/dev/null\"},{\"path\":\"/dev/zero\"}]}},"
                "{\"name\":\"all\",\"containerEdits\":{\"env\":[\"A=all\"]}}]}";
        snprintf(path, sizeof(path), "%s/a.json", p->low);
        assert_int_equal(io_create_file(AT_FDCWD, path, text, sizeof(text) - 1, 0600), 0);
        if (device_choices(p->arena, p->dirs, "acme.org/gpu", &choices, &n, &err) < 0)
                fail_msg("%s", err.text);
        assert_int_equal(n, 3);
        assert_string_equal(choices[0].name, "acme.org/gpu=1");
        assert_string_equal(choices[1].name, "acme.org/gpu=2");
        assert_string_equal(choices[2].name, "acme.org/gpu=10");
        assert_string_equal(choices[0].pci, "");
        assert_int_equal(device_choices(p->arena, p->dirs, "acme.org/cpu", &choices, &n, &err), -ENODEV);
        assert_int_equal(device_choices(p->arena, p->dirs, "gpu", &choices, &n, &err), -EINVAL);
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, make_place, remove_place)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(yaml_becomes_json),
                cmocka_unit_test(mistakes_in_yaml_have_a_line),
                cmocka_unit_test(aliases_of_aliases_end),
                IN_PLACE(later_directories_win),
                IN_PLACE(equals_are_an_error_when_asked_for),
                IN_PLACE(all_is_every_device_or_one_of_that_name),
                IN_PLACE(what_is_missing_is_said),
                IN_PLACE(names_for_one_device_are_one_choice),
                cmocka_unit_test(nodes_are_filled_from_the_host),
                cmocka_unit_test(plain_devices_have_three_parts),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

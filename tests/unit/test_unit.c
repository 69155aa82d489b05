/* Containers as units of systemd: names, places, properties, and the text of their values. No systemd is needed. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/str.h"
#include "cgroups/unit.h"
#include "cgroups/variant.h"

#define I(n) { true, n }
#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static struct arena *arena;

static int setup(void **state)
{
        (void) state;
        arena = arena_new();
        return arena ? 0 : -1;
}

static int teardown(void **state)
{
        (void) state;
        arena_free(arena);
        return 0;
}

/* ---- names ---- */

static void names_are_runcs(void **state)
{
        (void) state;
        static const struct {
                const char *path;
                bool user;
                const char *name, *slice;
        } rows[] = {
                { NULL, false, "berth-a+b.scope", "system.slice" },
                { "", true, "berth-a+b.scope", "user.slice" },
                { "machine.slice:libpod:1234", false, "libpod-1234.scope", "machine.slice" },
                { "kubepods-burstable-pod1_2.slice:cri-containerd:ab", false, "cri-containerd-ab.scope",
                  "kubepods-burstable-pod1_2.slice" },
                { ":x:y", false, "x-y.scope", "system.slice" },
                { ":x:y", true, "x-y.scope", "user.slice" },
                { "-.slice:x:y", false, "x-y.scope", "-.slice" },
                { "system.slice:x:pod.slice", false, "pod.slice", "system.slice" },
        };
        for (size_t i = 0; i < COUNT(rows); i++) {
                struct unit u = { 0 };
                struct error err = ERROR_INIT;
                if (unit_name(rows[i].path, "a+b", rows[i].user, arena, &u, &err) < 0)
                        fail_msg("%s: %s", rows[i].path, err.text);
                /* "+" is for ids, not for units */
                assert_string_equal(u.name, i < 2 ? "berth-a\\x2bb.scope" : rows[i].name);
                assert_string_equal(u.slice, rows[i].slice);
                assert_int_equal(u.user, rows[i].user);
        }
}

static void what_can_be_no_unit_is_refused(void **state)
{
        (void) state;
        static const char *const rows[] = {
                "/box", "a", "a:b", "a.slice:b:c:d", "a:b:c", "system.slice:b:", ".slice:b:c", "-a.slice:b:c", "a-.slice:b:c",
                "a--b.slice:b:c", "a/b.slice:b:c", "a.slice:b c:d", "a.slice:b:c\n", "a.slice:b:-.slice", "a.slice:b:-.x.slice", "a.scope:b:c",
        };
        for (size_t i = 0; i < COUNT(rows); i++) {
                struct unit u = { 0 };
                struct error err = ERROR_INIT;
                if (unit_name(rows[i], "box", false, arena, &u, &err) != -EINVAL)
                        fail_msg("%s became %s", rows[i], u.name);
                assert_non_null(strstr(err.text, "linux.cgroupsPath"));
        }
        char longest[400] = "a.slice:b:";
        struct unit u;
        memset(longest + strlen(longest), 'x', sizeof(longest) - strlen(longest) - 1);
        longest[sizeof(longest) - 1] = '\0';
        assert_int_equal(unit_name(longest, "box", false, arena, &u, NULL), -ENAMETOOLONG);
}

static void a_slice_is_inside_those_its_name_begins_with(void **state)
{
        (void) state;
        static const struct {
                const char *slice, *name, *path;
        } rows[] = {
                { "system.slice", "x-y.scope", "/system.slice/x-y.scope" },
                { "-.slice", "x-y.scope", "/x-y.scope" },
                { "a-b-c.slice", "x-y.scope", "/a.slice/a-b.slice/a-b-c.slice/x-y.scope" },
                { "v1.2-b.slice", "x.scope", "/v1.2.slice/v1.2-b.slice/x.scope" },
                { "system.slice", "pod-one.slice", "/pod.slice/pod-one.slice" },
        };
        for (size_t i = 0; i < COUNT(rows); i++) {
                const struct unit u = { .slice = rows[i].slice, .name = rows[i].name };
                const char *path = NULL;
                assert_int_equal(unit_path(&u, arena, &path, NULL), 0);
                assert_string_equal(path, rows[i].path);
        }
}

/* ---- properties ---- */

static const struct cgroup_host v2 = { .mode = CGROUP_V2 }, v1 = { .mode = CGROUP_V1 };

static void assert_limits(const struct resources *res, const struct cgroup_host *host, const char *wanted)
{
        struct unit_properties p = { 0 };
        struct error err = ERROR_INIT;
        auto_str struct str s = STR_INIT;
        str_add(&s, "");
        if (unit_limits(res, host, arena, &p, &err) < 0)
                fail_msg("%s", err.text);
        for (size_t i = 0; i < p.n; i++)
                str_addf(&s, "%s%s", i ? "\n" : "", p.list[i]);
        assert_string_equal(s.text, wanted);
}

static void limits_become_properties(void **state)
{
        (void) state;
        const struct resources res = {
                .memory = { .limit = I(33554432), .reservation = I(16777216), .swap = I(67108864) },
                .cpu = { .shares = I(512), .quota = I(4000), .period = I(10000), .cpus = "0-3,9", .mems = "1" },
                .pids_limit = I(0),
                .block_io = { .weight = I(100) },
        };
        assert_limits(&res, &v2,
                      "MemoryMax=uint64 33554432\nMemoryLow=uint64 16777216\nMemorySwapMax=uint64 33554432\n"
                      "CPUWeight=uint64 59\nCPUQuotaPeriodUSec=uint64 10000\nCPUQuotaPerSecUSec=uint64 400000\n"
                      "AllowedCPUs=[byte 15, 2]\nAllowedMemoryNodes=[byte 2]\nTasksMax=uint64 1\nIOWeight=uint64 910");
        assert_limits(&res, &v1,
                      "MemoryLimit=uint64 33554432\n"
                      "CPUShares=uint64 512\nCPUQuotaPeriodUSec=uint64 10000\nCPUQuotaPerSecUSec=uint64 400000\n"
                      "AllowedCPUs=[byte 15, 2]\nAllowedMemoryNodes=[byte 2]\nTasksMax=uint64 1\nBlockIOWeight=uint64 100");
}

static void no_limit_is_infinity_and_nothing_is_nothing(void **state)
{
        (void) state;
        const struct resources none = { 0 }, zero = { .memory = { .limit = I(0), .swap = I(0) }, .cpu = { .quota = I(0) } };
        const struct resources infinite = { .memory.limit = I(-1), .cpu.quota = I(-1), .pids_limit = I(-1) };
        assert_limits(&none, &v2, "");
        assert_limits(&zero, &v2, "");
        assert_limits(&infinite, &v2,
                      "MemoryMax=uint64 18446744073709551615\nMemorySwapMax=uint64 18446744073709551615\n"
                      "CPUQuotaPerSecUSec=uint64 18446744073709551615\nTasksMax=uint64 18446744073709551615");
}

static void idle_is_a_weight_of_0_for_who_knows_it(void **state)
{
        (void) state;
        const struct resources idle = { .cpu = { .idle = I(1), .shares = I(1024) } };
        const struct resources busy = { .cpu = { .idle = I(0), .shares = I(1024) } };
        assert_limits(&idle, &v2, "CPUWeight@252=uint64 0");
        assert_limits(&busy, &v2, "CPUWeight=uint64 100");
}

static void a_quota_is_rounded_up_to_percent(void **state)
{
        (void) state;
        static const struct {
                int64_t quota;
                uint64_t period;
                int64_t rounded;
        } rows[] = {
                { 50000, 100000, 50000 }, { 33333, 100000, 34000 }, { 1000, 1000000, 10000 }, { -1, 100000, -1 },
                { 0, 100000, 0 },         { 33333, 0, 34000 },      { 4000, 10000, 4000 },    { INT64_MAX, 1000, INT64_MAX },
        };
        for (size_t i = 0; i < COUNT(rows); i++) {
                struct resources res = { .cpu = { .quota = I(rows[i].quota), .period = I(rows[i].period) } };
                assert_int_equal(unit_adjust(&res, arena, NULL), 0);
                assert_int_equal(res.cpu.quota.value, rows[i].rounded);
        }
}

static void who_is_idle_has_no_weight(void **state)
{
        (void) state;
        const struct key_value idle[] = { { "cpu.weight", "5" }, { "cpu.idle", "1" } }, busy[] = { { "cpu.weight", "5" }, { "cpu.idle", "0" } };
        struct resources res = { .cpu = { .idle = I(1), .shares = I(9) }, .unified = idle, .n_unified = 2 };
        struct error warning = ERROR_INIT;
        assert_int_equal(unit_adjust(&res, arena, &warning), 0);
        assert_string_equal(warning.text, "unable to apply both CPUWeight and CpuIdle to systemd, ignoring CPUWeight");
        assert_false(res.cpu.shares.has);
        assert_int_equal(res.n_unified, 1);
        assert_string_equal(res.unified[0].key, "cpu.idle");
        struct resources other = { .cpu = { .idle = I(0), .shares = I(9) }, .unified = busy, .n_unified = 2 };
        warning = ERROR_INIT;
        assert_int_equal(unit_adjust(&other, arena, &warning), 0);
        assert_int_equal(warning.code, 0);
        assert_true(other.cpu.shares.has);
        assert_int_equal(other.n_unified, 2);
}

static void unified_keys_have_properties(void **state)
{
        (void) state;
        const struct key_value all[] = {
                { "memory.high", "max" },    { "memory.low", " 1 " },     { "memory.min", "2" },  { "memory.max", "3\n" },
                { "memory.swap.max", "4" },  { "pids.max", "0" },         { "cpu.max", "max" },   { "cpu.weight", "77" },
                { "cpuset.cpus", "0, 2-3" }, { "cpuset.mems", "8" },      { "io.max", "8:0 rbps=1" }, { "hugetlb.2MB.max", "0" },
        };
        const struct key_value quota[] = { { "cpu.max", "12345 50000" } };
        const struct key_value idle[] = { { "cpu.idle", "1" }, { "cpu.weight", "5" } };
        assert_limits(&(struct resources){ .unified = all, .n_unified = COUNT(all) }, &v2,
                      "MemoryHigh=uint64 18446744073709551615\nMemoryLow=uint64 1\nMemoryMin=uint64 2\nMemoryMax=uint64 3\n"
                      "MemorySwapMax=uint64 4\nTasksMax=uint64 1\nCPUQuotaPeriodUSec=uint64 100000\n"
                      "CPUQuotaPerSecUSec=uint64 18446744073709551615\nCPUWeight=uint64 77\n"
                      "AllowedCPUs=[byte 13]\nAllowedMemoryNodes=[byte 0, 1]");
        assert_limits(&(struct resources){ .unified = quota, .n_unified = 1 }, &v2,
                      "CPUQuotaPeriodUSec=uint64 50000\nCPUQuotaPerSecUSec=uint64 250000");
        assert_limits(&(struct resources){ .unified = idle, .n_unified = 2 }, &v2, "CPUWeight@252=uint64 0");
}

static void bad_unified_values_are_named(void **state)
{
        (void) state;
        static const struct key_value rows[] = {
                { "memory.max", "lots" }, { "memory.max", "" },    { "pids.max", "-1" },        { "cpu.max", "" },
                { "cpu.max", "1 2 3" },   { "cpu.max", "1 0" },    { "cpu.weight", "max" },     { "cpuset.cpus", "0-" },
                { "cpuset.cpus", "3-1" }, { "cpuset.mems", "9999999" }, { "cpuset.cpus", "a" }, { "memory.max", "99999999999999999999" },
        };
        for (size_t i = 0; i < COUNT(rows); i++) {
                const struct resources res = { .unified = &rows[i], .n_unified = 1 };
                struct unit_properties p = { 0 };
                struct error err = ERROR_INIT;
                if (unit_limits(&res, &v2, arena, &p, &err) != -EINVAL)
                        fail_msg("%s = \"%s\" was taken", rows[i].key, rows[i].value);
                assert_non_null(strstr(err.text, rows[i].key));
        }
}

static const struct device_rule deny_all = { false, 'a', -1, -1, true, true, true };
static const struct device_rule allow_all = { true, 'a', -1, -1, true, true, true };

static void assert_devices(const struct device_rule *rules, size_t n, const struct cgroup_host *host, const char *wanted)
{
        assert_limits(&(struct resources){ .devices = rules, .n_devices = n }, host, wanted);
}

static void devices_are_a_list_of_what_is_allowed(void **state)
{
        (void) state;
        const struct device_rule rules[] = {
                deny_all, { true, 'c', 1, 3, true, true, true }, { true, 'c', 1, 3, false, false, true }, { true, 'b', 8, -1, true, false, false },
                { true, 'c', -1, -1, false, false, true }, { true, 'c', 10, 229, true, true, false }, { false, 'c', 10, 229, false, true, false },
        };
        const char *wanted = "DeviceAllow=@a(ss) []\nDevicePolicy='strict'\n"
                             "DeviceAllow=[('/dev/char/1:3', 'rwm'), ('block-8', 'r'), ('char-*', 'm'), ('/dev/char/10:229', 'r')]";
        assert_devices(rules, COUNT(rules), &v2, wanted);
        assert_devices(rules, COUNT(rules), &v1, wanted);
        assert_devices(rules, 1, &v2, "DeviceAllow=@a(ss) []\nDevicePolicy='strict'");
}

static void what_cannot_be_said_of_devices_is_left_to_us(void **state)
{
        (void) state;
        const struct device_rule all_but_one[] = { allow_all, { false, 'c', 1, 1, true, true, true } };
        const struct device_rule any_major[] = { deny_all, { true, 'c', -1, 3, true, true, true }, { true, 'c', 1, 5, true, false, false } };
        const struct device_rule more[] = { allow_all, { true, 'c', 1, 5, true, false, false } };
        const char *open = "DeviceAllow=@a(ss) []\nDevicePolicy='auto'", *shut = "DeviceAllow=@a(ss) []\nDevicePolicy='strict'";
        assert_devices(more, 2, &v2, open);
        assert_devices(more, 2, &v1, open);
        /* a program of ours agrees or not (v2); the same files, which systemd may write again, must not be open (v1) */
        assert_devices(all_but_one, 2, &v2, open);
        assert_devices(all_but_one, 2, &v1, shut);
        assert_devices(any_major, 3, &v2, open);
        assert_devices(any_major, 3, &v1, "DeviceAllow=@a(ss) []\nDevicePolicy='strict'\nDeviceAllow=[('/dev/char/1:5', 'r')]");
}

static void a_unit_is_described(void **state)
{
        (void) state;
        const struct key_value group = { "memory.oom.group", "1" };
        const struct resources res = { .unified = &group, .n_unified = 1 };
        const struct unit scope = { .name = "x-y.scope", .slice = "a.slice" }, slice = { .name = "p.slice", .slice = "a.slice" };
        struct unit_properties p = { 0 }, q = { 0 };
        assert_int_equal(unit_describe(&scope, "it's", &res, arena, &p), 0);
        assert_string_equal(p.list[0], "Description='container it\\'s'");
        assert_string_equal(p.list[1], "Slice='a.slice'");
        assert_string_equal(p.list[2], "Delegate=true");
        assert_string_equal(p.list[p.n - 1], "OOMPolicy@253='kill'");
        assert_null(p.list[p.n]);
        assert_int_equal(unit_describe(&slice, "y", &(struct resources){ 0 }, arena, &q), 0);
        assert_string_equal(q.list[1], "Wants=['a.slice']");
        for (size_t i = 0; i < q.n; i++)
                assert_false(str_starts(q.list[i], "Delegate") || str_starts(q.list[i], "OOM"));
}

static void annotations_become_properties(void **state)
{
        (void) state;
        static const struct {
                const char *name, *value, *wanted;      /* NULL: refused */
        } rows[] = {
                { "TimeoutStopUSec", "uint64 5000000", "TimeoutStopUSec=uint64 5000000" },
                { "TimeoutStopSec", "5", "TimeoutStopUSec=uint64 5000000" },
                { "TimeoutStopSec", "1.5", "TimeoutStopUSec=uint64 1500000" },
                { "TimeoutStopSec", "byte 2", "TimeoutStopUSec=uint64 2000000" },
                { "CollectMode", "'inactive-or-failed'", "CollectMode='inactive-or-failed'" },
                { "ABCSec", "5", "ABCSec=5" },
                { "TimeoutStopSec", "'5'", NULL }, { "TimeoutStopSec", "-1", NULL }, { "TimeoutStopSec", "@as []", NULL },
                { "No", "5", NULL }, { "With.Dot", "5", NULL }, { "", "5", NULL }, { "CollectMode", "inactive", NULL },
        };
        for (size_t i = 0; i < COUNT(rows); i++) {
                struct unit_properties p = { 0 };
                struct error err = ERROR_INIT;
                int r = unit_property(rows[i].name, rows[i].value, arena, &p, &err);
                assert_int_equal(r, rows[i].wanted ? 0 : -EINVAL);
                if (rows[i].wanted)
                        assert_string_equal(p.list[0], rows[i].wanted);
                else
                        assert_true(err.text[0]);
        }
}

/* ---- values ---- */

static void values_have_signatures(void **state)
{
        (void) state;
        static const struct {
                const char *text, *signature;
        } rows[] = {
                { "true", "b" }, { " false ", "b" }, { "5", "i" }, { "-5", "i" }, { "uint64 5", "t" }, { "@t 5", "t" }, { "1.5", "d" },
                { "double 2", "d" }, { "'x'", "s" }, { "\"x\"", "s" }, { "objectpath '/a'", "o" }, { "byte 0xff", "y" }, { "int16 -3", "n" },
                { "['a', 'b']", "as" }, { "@as []", "as" }, { "[byte 1, 2]", "ay" }, { "[('a', true), ('b', false)]", "a(sb)" },
                { "@a(ss) []", "a(ss)" }, { "(1, 'x', [2])", "(isai)" }, { "('one',)", "(s)" }, { "@(st) ('a', 5)", "(st)" },
                { "<5>", "v" }, { "[<5>, <'a'>]", "av" }, { "@aas [[], ['x']]", "aas" }, { "('a', uint32 7)", "(su)" },
        };
        for (size_t i = 0; i < COUNT(rows); i++) {
                struct variant v;
                struct error err = ERROR_INIT;
                if (variant_parse(rows[i].text, arena, &v, &err) < 0)
                        fail_msg("%s: %s", rows[i].text, err.text);
                assert_string_equal(v.signature, rows[i].signature);
        }
}

static void values_are_read(void **state)
{
        (void) state;
        struct variant v;
        assert_int_equal(variant_parse("uint64 18446744073709551615", arena, &v, NULL), 0);
        assert_true(v.large == UINT64_MAX);
        assert_int_equal(variant_parse("int64 -9223372036854775808", arena, &v, NULL), 0);
        assert_true(v.number == INT64_MIN);
        assert_int_equal(variant_parse("-2.25", arena, &v, NULL), 0);
        assert_true(v.fraction == -2.25);
        assert_int_equal(variant_parse("'a\\'b\\n\\u00e4\\U0001F600\\u20ac'", arena, &v, NULL), 0);
        assert_string_equal(v.text, "a'b\n\xc3\xa4\xf0\x9f\x98\x80\xe2\x82\xac");
        assert_int_equal(variant_parse("[('a', true), ('b', false)]", arena, &v, NULL), 0);
        assert_int_equal(v.n, 2);
        assert_string_equal(v.items[1].items[0].text, "b");
        assert_int_equal(v.items[0].items[1].number, 1);
        assert_int_equal(variant_parse(variant_quote("it's \\ so", arena), arena, &v, NULL), 0);
        assert_string_equal(v.text, "it's \\ so");
}

static void what_is_no_value_is_refused(void **state)
{
        (void) state;
        static const char *const rows[] = {
                "", " ", "x", "5 6", "'x", "\"x'", "'\\q'", "'\\u00'", "'\\ud800'", "'\\u0000'", "[", "[5", "[5,", "[5 6]", "[]", "[5, 'a']",
                "()", "(", "(5", "(5 6)", "@", "@z 5", "@a 5", "@() ()", "@(s 5", "@(ss) ('a')", "@(s) ('a', 'b')", "@as 5", "@s 5", "byte 256",
                "byte -1", "int16 32768", "2147483648", "uint64 18446744073709551616", "uint64 1.5", "int64 -9223372036854775809", "0x", "--5",
                "5x", "1.", "1.5e3", "truely", "boolean 1", "uint64 'a'", "string 5", "objectpath 'a'", "<5", "<>", "uint64 int32 5", "{'a': 5}",
                "@as [5]", "[byte 1, 'a']", "uint64 [5]", "[[[[[[[[[[[[[[[[[[[[5]]]]]]]]]]]]]]]]]]]]",
        };
        for (size_t i = 0; i < COUNT(rows); i++) {
                struct variant v;
                struct error err = ERROR_INIT;
                if (variant_parse(rows[i], arena, &v, &err) != -EINVAL)
                        fail_msg("%s was taken", rows[i]);
                assert_true(err.text[0]);
        }
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
        const struct CMUnitTest tests[] = {
                TEST(names_are_runcs),
                TEST(what_can_be_no_unit_is_refused),
                TEST(a_slice_is_inside_those_its_name_begins_with),
                TEST(limits_become_properties),
                TEST(no_limit_is_infinity_and_nothing_is_nothing),
                TEST(idle_is_a_weight_of_0_for_who_knows_it),
                TEST(a_quota_is_rounded_up_to_percent),
                TEST(who_is_idle_has_no_weight),
                TEST(unified_keys_have_properties),
                TEST(bad_unified_values_are_named),
                TEST(devices_are_a_list_of_what_is_allowed),
                TEST(what_cannot_be_said_of_devices_is_left_to_us),
                TEST(a_unit_is_described),
                TEST(annotations_become_properties),
                TEST(values_have_signatures),
                TEST(values_are_read),
                TEST(what_is_no_value_is_refused),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/events.h"
#include "runtime/update.h"
#include "spec/read.h"

static int setup(void **state)
{
        *state = arena_new();
        return *state ? 0 : -1;
}

static int teardown(void **state)
{
        arena_free(*state);
        return 0;
}

static struct opt_i64 i64(int64_t value) { return (struct opt_i64){ true, value }; }
static struct opt_u64 u64(uint64_t value) { return (struct opt_u64){ true, value }; }

static void only_what_is_given_is_written_and_all_is_kept(void **state)
{
        const struct resources stored = { .memory.limit = i64(100), .cpu.shares = u64(512), .cpu.cpus = "0" };
        const struct resources given = { .pids_limit = i64(30), .cpu.cpus = "1" };
        struct update u;
        assert_int_equal(update_merge(&given, &stored, true, *state, &u), 0);
        assert_false(u.write.memory.limit.has);
        assert_false(u.write.cpu.shares.has);
        assert_string_equal(u.write.cpu.cpus, "1");
        assert_int_equal(u.keep.memory.limit.value, 100);
        assert_int_equal(u.keep.cpu.shares.value, 512);
        assert_int_equal(u.keep.pids_limit.value, 30);
        assert_string_equal(u.keep.cpu.cpus, "1");
}

static void quota_and_period_complete_each_other(void **state)
{
        const struct resources stored = { .cpu.quota = i64(5000), .cpu.period = u64(50000) };
        const struct resources period = { .cpu.period = u64(70000) }, quota = { .cpu.quota = i64(-1) };
        struct update u;
        assert_int_equal(update_merge(&period, &stored, true, *state, &u), 0);
        assert_int_equal(u.write.cpu.quota.value, 5000);
        assert_int_equal(u.write.cpu.period.value, 70000);
        assert_int_equal(update_merge(&quota, &stored, true, *state, &u), 0);
        assert_int_equal(u.write.cpu.quota.value, -1);
        assert_int_equal(u.write.cpu.period.value, 50000);
}

static void a_sum_with_swap_needs_the_stored_limit_on_v2(void **state)
{
        const struct resources stored = { .memory.limit = i64(100) }, given = { .memory.swap = i64(150) };
        struct update u;
        assert_int_equal(update_merge(&given, &stored, true, *state, &u), 0);
        assert_int_equal(u.write.memory.limit.value, 100);
        assert_int_equal(update_merge(&given, &stored, false, *state, &u), 0);
        assert_false(u.write.memory.limit.has);
}

static void a_new_limit_leaves_swap_on_v2_and_the_sum_on_v1(void **state)
{
        const struct resources stored = { .memory.limit = i64(100), .memory.swap = i64(150) };
        const struct resources given = { .memory.limit = i64(200) }, none = { .memory.limit = i64(-1) };
        struct update u;
        assert_int_equal(update_merge(&given, &stored, true, *state, &u), 0);
        assert_int_equal(u.keep.memory.swap.value, 250);
        assert_int_equal(update_merge(&given, &stored, false, *state, &u), 0);
        assert_int_equal(u.keep.memory.swap.value, 150);
        assert_int_equal(update_merge(&none, &stored, false, *state, &u), 0);
        assert_int_equal(u.keep.memory.swap.value, -1);
}

static void unified_files_are_merged_by_name(void **state)
{
        const struct key_value old[] = { { "memory.high", "1" }, { "pids.max", "2" } };
        const struct key_value new[] = { { "pids.max", "3" }, { "cpu.weight", "4" } };
        const struct resources stored = { .unified = old, .n_unified = 2 }, given = { .unified = new, .n_unified = 2 };
        struct update u;
        assert_int_equal(update_merge(&given, &stored, true, *state, &u), 0);
        assert_int_equal(u.keep.n_unified, 3);
        assert_string_equal(u.keep.unified[1].value, "3");
        assert_string_equal(u.keep.unified[2].key, "cpu.weight");
        assert_int_equal(u.write.n_unified, 2);
}

static void device_rules_are_written_only_if_they_differ(void **state)
{
        const struct device_rule deny = { false, 'a', -1, -1, true, true, true };
        const struct device_rule null = { true, 'c', 1, 3, true, true, true };
        const struct resources stored = { .devices = &deny, .n_devices = 1 };
        const struct resources same = stored, other = { .devices = &null, .n_devices = 1 };
        struct update u;
        assert_int_equal(update_merge(&same, &stored, true, *state, &u), 0);
        assert_int_equal(u.write.n_devices, 0);
        assert_int_equal(u.keep.n_devices, 1);
        assert_int_equal(update_merge(&other, &stored, true, *state, &u), 0);
        assert_ptr_equal(u.write.devices, &null);
        assert_ptr_equal(u.keep.devices, &null);
}

static void nothing_given_is_empty(void **state)
{
        (void) state;
        const struct resources none = { .memory.check_before_update = true }, some = { .cpu.idle = i64(0) };
        assert_true(update_is_empty(&none));
        assert_false(update_is_empty(&some));
}

static void everything_survives_being_written_and_read(void **state)
{
        static const char text[] =
                "{\"memory\":{\"limit\":4096,\"reservation\":-1,\"swap\":8192,\"swappiness\":0,"
                "\"disableOOMKiller\":false,\"checkBeforeUpdate\":true},\"cpu\":{\"shares\":2,\"quota\":-1,\"burst\":0,\"period\":1000,"
                "\"realtimeRuntime\":1,\"realtimePeriod\":2,\"idle\":0,\"cpus\":\"0-1\",\"mems\":\"0\"},"
                "\"pids\":{\"limit\":0},\"devices\":[{\"allow\":true,\"type\":\"b\",\"major\":8,\"access\":\"rm\"}],"
                "\"unified\":{\"io.max\":\"8:0 rbps=1\\n8:1 rbps=2\"}}";
        auto_spec struct spec *a = NULL, *b = NULL;
        struct error err = ERROR_INIT;
        (void) state;
        assert_int_equal(spec_read_resources(text, strlen(text), "a", &a, &err), 0);
        auto_free char *first = update_format(&a->resources);
        assert_non_null(first);
        assert_int_equal(spec_read_resources(first, strlen(first), "b", &b, &err), 0);
        auto_free char *second = update_format(&b->resources);
        assert_string_equal(first, second);
        assert_memory_equal(&a->resources.memory, &b->resources.memory, sizeof(a->resources.memory));
        assert_int_equal(b->resources.cpu.quota.value, -1);
        assert_true(b->resources.cpu.burst.has && b->resources.cpu.idle.has && b->resources.pids_limit.has);
        assert_int_equal(b->resources.pids_limit.value, 0);
        assert_string_equal(b->resources.cpu.cpus, "0-1");
        assert_true(b->resources.devices[0].read && !b->resources.devices[0].write && b->resources.devices[0].mknod);
        assert_int_equal(b->resources.devices[0].minor, -1);
        assert_string_equal(b->resources.unified[0].value, "8:0 rbps=1\n8:1 rbps=2");
}

/* ---- events ---- */

static void a_line_of_stats_without_anything_is_runcs(void **state)
{
        const struct cgroup_stats none = { 0 };
        (void) state;
        auto_free char *line = events_format("box", &none, NULL);
        assert_string_equal(line,
                "{\"type\":\"stats\",\"id\":\"box\",\"data\":{\"cpu\":{\"usage\":{\"kernel\":0,\"user\":0},"
                "\"throttling\":{}},"
                "\"cpuset\":{\"cpu_exclusive\":0,\"mem_hardwall\":0,\"mem_exclusive\":0,\"memory_migrate\":0,"
                "\"memory_spread_page\":0,\"memory_spread_slab\":0,\"memory_pressure\":0,\"sched_load_balance\":0,"
                "\"sched_relax_domain_level\":0},\"memory\":{\"usage\":{\"limit\":0,\"failcnt\":0},"
                "\"swap\":{\"limit\":0,\"failcnt\":0},\"kernel\":{\"limit\":0,\"failcnt\":0},"
                "\"kernelTCP\":{\"limit\":0,\"failcnt\":0}},\"pids\":{},\"blkio\":{},\"hugetlb\":{},\"intel_rdt\":{},"
                "\"network_interfaces\":null}}");
}

static void stats_of_v2_have_pressure_with_short_decimals(void **state)
{
        struct stats_entry e = { 8, 0, 4096, "Read" };
        const struct cgroup_stats s = {
                .cpu_psi = { .some = { 150, 7, 10000, 5 }, .has = true },
                .memory.limit = UINT64_MAX,
                .io[STATS_IO_BYTES] = { &e, 1 },
        };
        (void) state;
        auto_free char *line = events_format("box", &s, NULL);
        assert_non_null(strstr(line, "\"throttling\":{},\"psi\":{\"some\":{\"avg10\":1.5,\"avg60\":0.07,\"avg300\":100,"
                                     "\"total\":5},\"full\":{\"avg10\":0,\"avg60\":0,\"avg300\":0,\"total\":0}}},"
                                     "\"cpuset\""));
        assert_non_null(strstr(line, "\"usage\":{\"limit\":18446744073709551615,\"failcnt\":0}"));
        assert_non_null(strstr(line, "\"blkio\":{\"ioServiceBytesRecursive\":[{\"major\":8,\"op\":\"Read\","
                                     "\"value\":4096}]}"));
}

static void stats_of_a_class_are_runcs(void **state)
{
        (void) state;
        const struct cgroup_stats none = { 0 };
        const struct resctrl_domain domains[] = { { 70000, 60000, 4096 }, { 0, 0, 0 } };
        const char *lines[] = { "L3:0=f;1=ff", "    MB:0= 20;1= 100", NULL };
        const struct resctrl_stats rdt = {
                .has_l3 = true, .has_memory = true, .has_traffic = true, .has_occupancy = true, .cbm_mask = "fffff",
                .min_cbm_bits = 1, .l3_classes = 16, .bandwidth_gran = 10, .delay_linear = 1, .min_bandwidth = 10,
                .memory_classes = 8, .l3_root = "L3:0=fffff;1=fffff", .l3 = "L3:0=f;1=ff",
                .memory_root = "MB:0= 100;1= 100", .memory = "MB:0= 20;1= 100", .lines = lines, .domains = domains, .n_domains = 2,
        };
        auto_free char *line = events_format("box", &none, &rdt);
        assert_non_null(strstr(line,
                "\"intel_rdt\":{\"l3_cache_info\":{\"cbm_mask\":\"fffff\",\"min_cbm_bits\":1,\"num_closids\":16},"
                "\"l3_cache_schema_root\":\"L3:0=fffff;1=fffff\",\"l3_cache_schema\":\"L3:0=f;1=ff\","
                "\"mem_bw_info\":{\"bandwidth_gran\":10,\"delay_linear\":1,\"min_bandwidth\":10,\"num_closids\":8},"
                "\"mem_bw_schema_root\":\"MB:0= 100;1= 100\",\"mem_bw_schema\":\"MB:0= 20;1= 100\","
                "\"schemata\":[\"L3:0=f;1=ff\",\"    MB:0= 20;1= 100\"],"
                "\"mbm_stats\":[{\"mbm_total_bytes\":70000,\"mbm_local_bytes\":60000},"
                "{\"mbm_total_bytes\":0,\"mbm_local_bytes\":0}],"
                "\"cmt_stats\":[{\"llc_occupancy\":4096},{\"llc_occupancy\":0}]},\"network_interfaces\""));
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
        const struct CMUnitTest tests[] = {
                TEST(only_what_is_given_is_written_and_all_is_kept),
                TEST(quota_and_period_complete_each_other),
                TEST(a_sum_with_swap_needs_the_stored_limit_on_v2),
                TEST(a_new_limit_leaves_swap_on_v2_and_the_sum_on_v1),
                TEST(unified_files_are_merged_by_name),
                TEST(device_rules_are_written_only_if_they_differ),
                TEST(nothing_given_is_empty),
                TEST(everything_survives_being_written_and_read),
                TEST(a_line_of_stats_without_anything_is_runcs),
                TEST(stats_of_v2_have_pressure_with_short_decimals),
                TEST(stats_of_a_class_are_runcs),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

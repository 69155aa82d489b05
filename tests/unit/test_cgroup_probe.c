/* What mountinfo and /proc/self/cgroup of many machines say. Nothing here touches the machine but the last tests. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "cgroups/probe.h"
#include "host/host.h"

static struct cgroup_host host;

static const struct cgroup_hierarchy *found(const char *controller)
{
        const struct cgroup_hierarchy *h = cgroup_find(&host, controller);
        assert_non_null(h);
        return h;
}

static const char systemd_hybrid_mounts[] =
        "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
        "30 27 0:26 / /sys/fs/cgroup ro,nosuid shared:9 - tmpfs tmpfs ro,mode=755\n"
        "31 30 0:27 / /sys/fs/cgroup/unified rw,nosuid shared:10 - cgroup2 cgroup2 rw,nsdelegate\n"
        "32 30 0:28 / /sys/fs/cgroup/systemd rw,nosuid shared:11 - cgroup cgroup rw,xattr,name=systemd\n"
        "36 30 0:32 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:16 - cgroup cgroup rw,cpu,cpuacct\n"
        "37 30 0:33 / /sys/fs/cgroup/cpuset rw,nosuid shared:17 master:3 - cgroup cgroup rw,cpuset,clone_children\n"
        "38 30 0:34 / /sys/fs/cgroup/freezer rw,nosuid - cgroup cgroup rw,freezer\n"
        "39 30 0:35 / /sys/fs/cgroup/devices rw,nosuid - cgroup cgroup rw,devices\n";

static void a_hybrid_machine_has_both(void **state)
{
        (void) state;
        probe_parse(systemd_hybrid_mounts,
                    "7:cpu,cpuacct:/user.slice\n6:devices:/user.slice\n5:freezer:/\n3:cpuset:/\n2:memory:/gone\n"
                    "1:name=systemd:/user.slice/user-0.slice/session-1.scope\n0::/user.slice/user-0.slice/x\n",
                    false, &host);
        assert_int_equal(host.mode, CGROUP_HYBRID);
        assert_int_equal(host.n, 6); /* memory is not mounted */
        assert_string_equal(found("cpu")->mount_point, "/sys/fs/cgroup/cpu,cpuacct");
        assert_ptr_equal(found("cpu"), found("cpuacct"));
        assert_string_equal(found("cpuacct")->own, "/user.slice");
        assert_string_equal(found("name=systemd")->mount_point, "/sys/fs/cgroup/systemd");
        assert_true(found("freezer")->freezer);
        assert_false(found("freezer")->devices);
        assert_true(found("devices")->devices);
        assert_true(found("")->v2);
        assert_string_equal(found("")->mount_point, "/sys/fs/cgroup/unified");
        assert_string_equal(found("")->own, "/user.slice/user-0.slice/x");
        assert_ptr_equal(found("memory"), found("")); /* what v1 has not got can only be there */
        assert_null(cgroup_find(&host, "name=elsewhere"));
        assert_int_equal(cgroup_set_of(&host, "cpu,cpuacct"), 1u << (found("cpu") - host.h));
        assert_int_equal(cgroup_set_of(&host, ""), 1u << (found("") - host.h));
        assert_int_equal(cgroup_set_of(&host, "cpu,freezer,name=nothing"),
                         1u << (found("cpu") - host.h) | 1u << (found("freezer") - host.h));
}

static void without_a_v2_mount_it_is_v1(void **state)
{
        (void) state;
        probe_parse("37 30 0:33 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n", "3:pids:/\n0::/\n", false, &host);
        assert_int_equal(host.mode, CGROUP_V1);
        assert_int_equal(host.n, 1);
        assert_null(cgroup_find(&host, ""));
        assert_null(cgroup_find(&host, "memory"));
        assert_int_equal(cgroup_set_of(&host, ""), 0);
        assert_int_equal(cgroup_set_of(&host, "memory,pids"), 1);
}

static void on_plain_v2_mountinfo_is_not_needed(void **state)
{
        (void) state;
        probe_parse(NULL, "0::/system.slice/ssh.service\n", true, &host);
        assert_int_equal(host.mode, CGROUP_V2);
        assert_int_equal(host.n, 1);
        assert_string_equal(host.h[0].mount_point, "/sys/fs/cgroup");
        assert_string_equal(host.h[0].own, "/system.slice/ssh.service");
        assert_ptr_equal(cgroup_find(&host, "memory"), &host.h[0]);
        assert_ptr_equal(cgroup_find(&host, "devices"), &host.h[0]);
        assert_null(cgroup_find(&host, "name=systemd"));
}

static void v1_lines_mean_nothing_when_v2_is_on_top(void **state)
{
        (void) state;
        probe_parse("40 1 0:20 / /sys/fs/cgroup rw - tmpfs t rw\n"
                    "41 40 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
                    "42 40 0:29 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
                    "43 40 0:29 / /sys/fs/cgroup rw - cgroup2 none rw\n",
                    "4:memory:/m\n3:name=systemd:/s\n0::/here\n", true, &host);
        assert_int_equal(host.mode, CGROUP_V2);
        assert_int_equal(host.n, 1);
        assert_string_equal(host.h[0].mount_point, "/sys/fs/cgroup");
        assert_string_equal(host.h[0].own, "/here");
}

static void v2_alone_in_another_place_is_still_v2(void **state)
{
        (void) state;
        probe_parse("42 40 0:29 / /mnt/cg\\0402 rw - cgroup2 cgroup2 rw\n", "4:memory:/m\n0::/here\n", false, &host);
        assert_int_equal(host.mode, CGROUP_V2);
        assert_string_equal(host.h[0].mount_point, "/mnt/cg 2");
}

static void a_bind_mount_shows_a_part(void **state)
{
        (void) state;
        static const char mounts[] = "41 40 0:28 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
                                     "42 40 0:29 /docker/abc /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n"
                                     "43 40 0:30 /docker/ab /sys/fs/cgroup/pids ro - cgroup cgroup rw,pids\n";
        probe_parse(mounts, "3:memory:/docker/abc\n2:cpu:/docker/abc/box\n1:pids:/docker/abc\n", false, &host);
        assert_string_equal(found("memory")->own, "/");
        assert_string_equal(found("cpu")->own, "/box");
        assert_string_equal(found("pids")->own, ""); /* "/docker/abc" is not below "/docker/ab" */
        assert_int_equal(host.mode, CGROUP_V1);
}

static void a_mount_from_above_our_namespace_hides_our_name(void **state)
{
        (void) state;
        probe_parse("41 40 0:28 /../.. /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "0::/\n", true, &host);
        assert_int_equal(host.n, 1);
        assert_string_equal(host.h[0].own, "");
        /* and a process that was moved out of its namespace */
        probe_parse("41 40 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "0::/../other\n", true, &host);
        assert_string_equal(host.h[0].own, "");
}

static void a_namespace_with_its_own_mount_is_plain(void **state)
{
        (void) state;
        probe_parse("41 40 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "0::/\n", true, &host);
        assert_string_equal(host.h[0].own, "/");
}

static void a_removed_cgroup_is_no_place(void **state)
{
        (void) state;
        probe_parse(NULL, "0::/job (deleted)\n", true, &host);
        assert_string_equal(host.h[0].own, "");
}

static void the_mount_that_shows_us_is_preferred(void **state)
{
        (void) state;
        probe_parse("41 40 0:28 /other /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
                    "42 40 0:28 / /mnt/memory rw - cgroup cgroup rw,memory\n",
                    "3:memory:/box\n", false, &host);
        assert_string_equal(host.h[0].mount_point, "/mnt/memory");
        /* of two good ones the usual place, wherever it stands in the list */
        probe_parse("41 40 0:28 / /mnt/memory rw - cgroup cgroup rw,memory\n"
                    "42 40 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
                    "43 40 0:28 / /srv/memory rw - cgroup cgroup rw,memory\n",
                    "3:memory:/box\n", false, &host);
        assert_string_equal(host.h[0].mount_point, "/sys/fs/cgroup/memory");
        /* on the same point the later one is on top */
        probe_parse("41 40 0:28 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
                    "42 41 0:28 /box /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n",
                    "3:memory:/box/in\n", false, &host);
        assert_string_equal(host.h[0].own, "/in");
}

static void a_controller_is_not_found_inside_another_word(void **state)
{
        (void) state;
        probe_parse("41 40 0:28 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
                    "42 40 0:28 / /sys/fs/cgroup/cpuacct rw - cgroup cgroup rw,cpuacct\n",
                    "3:cpu:/a\n2:cpuset:/b\n1:cpuacct:/c\n", false, &host);
        assert_int_equal(host.n, 2);
        assert_null(cgroup_find(&host, "cpu"));
        assert_string_equal(found("cpuset")->own, "/b");
        assert_string_equal(found("cpuacct")->own, "/c");
}

static void a_machine_without_cgroups_is_no_failure(void **state)
{
        (void) state;
        probe_parse("22 27 0:21 / /proc rw - proc proc rw\n", "", false, &host);
        assert_int_equal(host.mode, CGROUP_NONE);
        assert_int_equal(host.n, 0);
        probe_parse("", "1:cpu:/\n0::/\n", false, &host);
        assert_int_equal(host.mode, CGROUP_NONE);
        assert_null(cgroup_find(&host, ""));
}

static void nonsense_does_no_harm(void **state)
{
        (void) state;
        char big[4096];
        memset(big, 'x', sizeof(big) - 1);
        big[sizeof(big) - 1] = '\0';
        memcpy(big, "0::/", 4);
        probe_parse("- - -\n\n1\n1 2 3 4 5 6 7 8 9\n41 40 0:28 / /sys/fs/cgroup rw cgroup2\n- cgroup2", ":\n:::\n7\n",
                    false, &host);
        assert_int_equal(host.n, 0);
        probe_parse(NULL, big, true, &host); /* longer than `own`: not a place that we could name */
        assert_true(host.n == 0 || host.h[0].own[0] == '\0');
        probe_parse("41 40 0:28 / /sys/fs/cgroup\\ rw - cgroup2 cgroup2 rw", "0::/", false, &host);
        assert_int_equal(host.n, 1);
        char many[2048] = "";
        for (int i = 0; i < 40; i++)
                strcat(many, "9:name=x:/\n");
        probe_parse("41 40 0:28 / /x rw - cgroup cgroup rw,name=x\n", many, false, &host);
        assert_int_equal(host.n, CGROUP_HIERARCHIES_MAX);
}

static void lists_have_spaces_around_each_word(void **state)
{
        (void) state;
        char buf[32];
        probe_list("cpu memory\n", buf, sizeof(buf));
        assert_string_equal(buf, " cpu memory ");
        probe_list("", buf, sizeof(buf));
        assert_string_equal(buf, "");
        char small[10];
        probe_list("cpu memory io", small, sizeof(small));
        assert_string_equal(small, " cpu io "); /* what does not fit is left out whole */
}

static void this_machine_can_be_probed(void **state)
{
        (void) state;
        struct error err = ERROR_INIT;
        memset(&host, 0xff, sizeof(host)); /* nothing relies on zeros */
        if (cgroup_host_probe(&host, &err) < 0)
                fail_msg("%s", err.text);
        assert_true(host.n <= CGROUP_HIERARCHIES_MAX);
        for (size_t i = 0; i < host.n; i++) {
                assert_int_equal(host.h[i].mount_point[0], '/');
                assert_int_equal(host.h[i].v2, host.h[i].controllers[0] == '\0');
        }
        assert_true((host.mode == CGROUP_NONE) == (host.n == 0));
}

static void this_kernel_can_be_probed(void **state)
{
        (void) state;
        struct error err = ERROR_INIT;
        static struct host h;
        memset(&h, 0, sizeof(h));
        if (host_probe(&h, &err) < 0)
                fail_msg("%s", err.text);
        assert_true(h.own_caps != UINT64_MAX);
        /* Too small a size: EINVAL, if the call is there. */
        assert_int_equal(h.clone3, syscall(SYS_clone3, NULL, 0) < 0 && errno == EINVAL);
}

static void kernels_below_5_10_are_too_old(void **state)
{
        (void) state;
        static const char *const enough[] = { "5.10.0-33-amd64", "5.10", "6.1.0", "6.18.44-fc-v657", "10.0", "5.100.1",
                                              "custom", "" };
        static const char *const old[] = { "5.9.16", "4.18.0-553.el8", "3.10.0-1160.el7", "5.9", "5" };
        for (size_t i = 0; i < sizeof(enough) / sizeof(*enough); i++)
                assert_true(host_release_is_enough(enough[i]));
        for (size_t i = 0; i < sizeof(old) / sizeof(*old) - 1; i++)
                assert_false(host_release_is_enough(old[i]));
        assert_true(host_release_is_enough(old[4])); /* cannot be read */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_hybrid_machine_has_both),
                cmocka_unit_test(without_a_v2_mount_it_is_v1),
                cmocka_unit_test(on_plain_v2_mountinfo_is_not_needed),
                cmocka_unit_test(v1_lines_mean_nothing_when_v2_is_on_top),
                cmocka_unit_test(v2_alone_in_another_place_is_still_v2),
                cmocka_unit_test(a_bind_mount_shows_a_part),
                cmocka_unit_test(a_mount_from_above_our_namespace_hides_our_name),
                cmocka_unit_test(a_namespace_with_its_own_mount_is_plain),
                cmocka_unit_test(a_removed_cgroup_is_no_place),
                cmocka_unit_test(the_mount_that_shows_us_is_preferred),
                cmocka_unit_test(a_controller_is_not_found_inside_another_word),
                cmocka_unit_test(a_machine_without_cgroups_is_no_failure),
                cmocka_unit_test(nonsense_does_no_harm),
                cmocka_unit_test(lists_have_spaces_around_each_word),
                cmocka_unit_test(this_machine_can_be_probed),
                cmocka_unit_test(this_kernel_can_be_probed),
                cmocka_unit_test(kernels_below_5_10_are_too_old),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * Classes of resctrl, in a directory that looks like its root. What the kernel does by itself when a directory is made or
 * removed there, the wrapped mkdirat() and unlinkat() do; everything else is real. The machine with such a CPU is tested
 * by tests/integration/resctrl.sh.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "cgroups/probe.h"
#include "cgroups/resctrl.h"

#define ROOT_SCHEMATA "    L3:0=fffff;1=fffff\n    MB:0= 100;1= 100\n"

static char root_path[64];
static char written[4096];      /* every text that was written, in its order */

int __real_mkdirat(int fd, const char *name, mode_t mode);
int __real_unlinkat(int fd, const char *name, int flags);
int __real_io_write_file(int dirfd, const char *path, const char *text);
int __wrap_mkdirat(int fd, const char *name, mode_t mode);
int __wrap_unlinkat(int fd, const char *name, int flags);
int __wrap_io_write_file(int dirfd, const char *path, const char *text);

static void put_file(int dirfd, const char *name, const char *text)
{
        assert_int_equal(io_create_file(dirfd, name, text, strlen(text), 0600), 0);
}

/* A new class has all of the caches; what is in mon_groups has no schemata. */
int __wrap_mkdirat(int fd, const char *name, mode_t mode)
{
        if (__real_mkdirat(fd, name, mode) < 0)
                return -1;
        struct stat mon;
        auto_fd int dir = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        put_file(dir, "tasks", "");
        if (fstatat(fd, "schemata", &mon, 0) == 0) {
                put_file(dir, "schemata", ROOT_SCHEMATA);
                assert_int_equal(__real_mkdirat(dir, "mon_groups", 0755), 0);
        }
        return 0;
}

int __wrap_unlinkat(int fd, const char *name, int flags)
{
        char command[256], path[128];
        snprintf(command, sizeof(command), "/proc/self/fd/%d", fd);
        ssize_t n = readlink(command, path, sizeof(path) - 1);
        assert_true(n > 0 && (flags & AT_REMOVEDIR));
        path[n] = '\0';
        if (faccessat(fd, name, F_OK, 0) < 0)
                return -1;
        snprintf(command, sizeof(command), "rm -rf '%s/%s'", path, name);
        assert_int_equal(system(command), 0); /* NOLINT: names of ours */
        return 0;
}

int __wrap_io_write_file(int dirfd, const char *path, const char *text)
{
        size_t n = strlen(written);
        snprintf(written + n, sizeof(written) - n, "%s<%s>", path, text);
        return __real_io_write_file(dirfd, path, text);
}

static int make_root(void **state)
{
        (void) state;
        strcpy(root_path, "/tmp/resctrl-XXXXXX");
        assert_non_null(mkdtemp(root_path));
        auto_fd int root = open(root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(__real_mkdirat(root, "mon_groups", 0755), 0);
        assert_int_equal(__real_mkdirat(root, "info", 0755), 0);
        assert_int_equal(__real_mkdirat(root, "info/MB", 0755), 0);
        assert_int_equal(__real_mkdirat(root, "info/L3", 0755), 0);
        put_file(root, "tasks", "1\n");
        put_file(root, "schemata", ROOT_SCHEMATA);
        put_file(root, "info/last_cmd_status", "Mask f0f has non-consecutive 1-bits\n");
        put_file(root, "info/MB/bandwidth_gran", "10\n");
        put_file(root, "info/MB/delay_linear", "1\n");
        put_file(root, "info/MB/min_bandwidth", "10\n");
        put_file(root, "info/MB/num_closids", "8\n");
        put_file(root, "info/L3/cbm_mask", "fffff\n");
        put_file(root, "info/L3/min_cbm_bits", "1\n");
        put_file(root, "info/L3/num_closids", "16\n");
        written[0] = '\0';
        return 0;
}

static int remove_root(void **state)
{
        (void) state;
        char command[128];
        snprintf(command, sizeof(command), "rm -rf '%s'", root_path);
        return system(command); /* NOLINT: the name is ours */
}

static struct resctrl at_root(void)
{
        struct resctrl g = RESCTRL_INIT;
        g.root_fd = open(root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_true(g.root_fd >= 0);
        return g;
}

static bool there(const char *name)
{
        auto_fd int root = open(root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return faccessat(root, name, F_OK, 0) == 0;
}

static void a_new_class_is_made_filled_and_removed(void **state)
{
        (void) state;
        struct error err = ERROR_INIT;
        auto_resctrl struct resctrl g = at_root();
        assert_false(resctrl_has(g.root_fd, "box"));
        assert_int_equal(resctrl_open(&g, "box", true, &err), 0);
        assert_true(g.made && resctrl_has(g.root_fd, "box"));
        assert_int_equal(resctrl_write(&g, "L3:0=f;1=ff", true, &err), 0);
        assert_int_equal(resctrl_write(&g, "MB:0=20", true, &err), 0);
        assert_int_equal(resctrl_monitor(&g, "box", &err), 0);
        assert_int_equal(resctrl_enter(&g, 4711, &err), 0);
        /* The class first: who is not in it cannot be counted below it. */
        assert_string_equal(written, "schemata<L3:0=f;1=ff\n>schemata<MB:0=20\n>tasks<4711>tasks<4711>");
        assert_true(there("box/mon_groups/box"));

        resctrl_undo(&g);       /* somebody is in it */
        assert_true(there("box") && there("box/mon_groups/box"));
        assert_int_equal(resctrl_remove(g.root_fd, "box", "box", &err), 0);
        assert_false(there("box/mon_groups/box"));
        assert_int_equal(resctrl_remove(g.root_fd, "box", NULL, &err), 0);
        assert_int_equal(resctrl_remove(g.root_fd, "box", NULL, &err), 0); /* gone is fine */
        assert_int_equal(resctrl_remove(g.root_fd, "box", "box", &err), 0);
        assert_false(there("box"));
}

static void what_nobody_has_come_into_is_undone(void **state)
{
        (void) state;
        struct error err = ERROR_INIT;
        auto_resctrl struct resctrl g = at_root(), again = at_root(), root = at_root();
        assert_int_equal(resctrl_open(&g, "box", true, &err), 0);
        assert_int_equal(resctrl_monitor(&g, "c1", &err), 0);
        resctrl_undo(&g);
        assert_false(there("box"));

        __wrap_mkdirat(again.root_fd, "old", 0755);
        resctrl_clear(&g);
        assert_int_equal(resctrl_open(&again, "old", true, &err), 0);
        assert_false(again.made);
        assert_int_equal(resctrl_monitor(&again, "c1", &err), 0);
        resctrl_undo(&again);
        assert_true(there("old"));
        assert_false(there("old/mon_groups/c1"));
        resctrl_clear(&again);

        /* The class of everybody, in which only what is counted is ours. */
        assert_int_equal(resctrl_open(&root, "/", true, &err), 0);
        assert_false(root.made);
        assert_int_equal(resctrl_monitor(&root, "c1", &err), 0);
        assert_true(there("mon_groups/c1"));
        resctrl_undo(&root);
        assert_true(there("tasks"));
        assert_false(there("mon_groups/c1"));
}

static void a_class_that_was_there_has_to_be_the_same(void **state)
{
        (void) state;
        struct error err = ERROR_INIT;
        auto_resctrl struct resctrl g = at_root();
        __wrap_mkdirat(g.root_fd, "shared", 0755);
        assert_int_equal(resctrl_open(&g, "shared", true, &err), 0);
        assert_int_equal(resctrl_write(&g, "L3:1=fffff;0=0FFFFF", true, &err), 0);
        assert_int_equal(resctrl_write(&g, "MB:0=91;1=100", true, &err), 0);
        assert_string_equal(written, "");
        assert_int_equal(resctrl_write(&g, "L3:0=ff", true, &err), -EEXIST);
        assert_string_equal(err.text, "linux.intelRdt: class \"shared\" exists, and has other schemata than \"L3:0=ff\": "
                                      "L3:0=fffff;1=fffff,    MB:0= 100;1= 100");
        assert_int_equal(resctrl_write(&g, "L3:0=ff", false, &err), 0);
        assert_string_equal(written, "schemata<L3:0=ff\n>");
}

static void failures_say_what_and_why(void **state)
{
        (void) state;
        struct error err = ERROR_INIT;
        auto_resctrl struct resctrl g = at_root(), file = at_root(), other = at_root(), used = at_root();
        assert_int_equal(resctrl_open(&g, "none", false, &err), -ENOENT);
        assert_string_equal(err.text, "linux.intelRdt.closID: there is no class \"none\" (clos dir not accessible): make it, or "
                                      "give the schemata it is to have");
        assert_false(there("none"));
        resctrl_clear(&g);

        assert_int_equal(resctrl_open(&other, "info", true, &err), 0); /* a directory, but no class */
        assert_int_equal(resctrl_write(&other, "L3:0=f0f", false, &err), -ENOENT);
        assert_string_equal(err.text, "linux.intelRdt: class \"info\": write \"L3:0=f0f\" to its schemata: No such file or "
                                      "directory (the kernel says: Mask f0f has non-consecutive 1-bits)");
        assert_int_equal(resctrl_monitor(&other, "c1", &err), -EOPNOTSUPP);
        assert_string_equal(err.text, "linux.intelRdt.enableMonitoring: this CPU, or this kernel, counts nothing (no mon_groups "
                                      "in resctrl)");
        resctrl_clear(&other);

        assert_int_equal(resctrl_open(&file, "tasks", true, &err), -ENOTDIR);
        resctrl_clear(&file);

        assert_int_equal(resctrl_open(&used, "box", true, &err), 0);
        assert_int_equal(resctrl_monitor(&used, "c1", &err), 0);
        assert_int_equal(resctrl_enter(&used, 12, &err), 0);
        assert_int_equal(resctrl_monitor(&used, "c1", &err), -EEXIST);
        assert_string_equal(err.text, "linux.intelRdt.enableMonitoring: class \"box\" has mon_groups/c1 already, and it is in use");
}

static void others_are_kept_out_until_the_task_is_in(void **state)
{
        (void) state;
        struct error err = ERROR_INIT;
        auto_resctrl struct resctrl g = at_root();
        auto_fd int other = open(root_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        assert_int_equal(resctrl_open(&g, "box", true, &err), 0);
        assert_int_equal(flock(other, LOCK_EX | LOCK_NB), -1);
        assert_int_equal(resctrl_enter(&g, 1, &err), 0);
        assert_int_equal(flock(other, LOCK_EX | LOCK_NB), 0);
}

static void lines_are_compared_as_numbers(void **state)
{
        (void) state;
        static const struct {
                const char *line;
                uint64_t step;
                bool same;
        } list[] = {
                { "L3:0=fffff;1=fffff", 0, true },
                { "L3:1=fffff", 0, true },              /* what is not said is not asked for */
                { "L3: 0 = 0fffff ; 1=FFFFF;", 0, true },
                { "L3:0=ffff", 0, false },
                { "L3:2=fffff", 0, false },             /* no such cache */
                { "L2:0=fffff", 0, false },             /* nothing of that kind */
                { "MB:0=100;1=100", 10, true },
                { "MB:0=91;1=100", 10, true },          /* rounded up */
                { "MB:0=91", 0, false },
                { "MB:0=90", 10, false },
                { "MB:0=x", 10, false },
                { "L3:0=fffff\nMB:0=100", 0, true },
                { "L3:0=fffff\nMB:0=10", 0, false },
                { "", 0, true },
                { "nonsense", 0, false },
        };
        for (size_t i = 0; i < sizeof(list) / sizeof(*list); i++)
                if (resctrl_matches(list[i].line, ROOT_SCHEMATA, list[i].step) != list[i].same)
                        fail_msg("\"%s\": %s expected", list[i].line, list[i].same ? "the same" : "a difference");
}

static void what_is_used_is_read(void **state)
{
        (void) state;
        struct error err = ERROR_INIT;
        struct resctrl_stats s;
        auto_arena struct arena *arena = arena_new();
        auto_resctrl struct resctrl g = at_root(), again = at_root();
        assert_int_equal(resctrl_open(&g, "box", true, &err), 0);
        assert_int_equal(resctrl_stats_read(&g, arena, &s, &err), 0);
        assert_true(s.has_l3 && s.has_memory && !s.has_traffic && !s.has_occupancy);
        assert_string_equal(s.cbm_mask, "fffff");
        assert_int_equal(s.min_cbm_bits, 1);
        assert_int_equal(s.l3_classes, 16);
        assert_int_equal(s.memory_classes, 8);
        assert_int_equal(s.bandwidth_gran, 10);
        assert_string_equal(s.l3_root, "L3:0=fffff;1=fffff");
        assert_string_equal(s.memory, "MB:0= 100;1= 100");
        assert_string_equal(s.lines[0], "L3:0=fffff;1=fffff");
        assert_string_equal(s.lines[1], "    MB:0= 100;1= 100");
        assert_null(s.lines[2]);

        assert_int_equal(resctrl_monitor(&g, "c1", &err), 0);
        assert_int_equal(__real_mkdirat(g.root_fd, "info/L3_MON", 0755), 0);
        put_file(g.root_fd, "info/L3_MON/mon_features", "llc_occupancy\nmbm_total_bytes\nmbm_local_bytes\n");
        assert_int_equal(__real_mkdirat(g.monitor_fd, "mon_data", 0755), 0);
        static const char *const names[] = { "mon_data/mon_L3_01", "mon_data/mon_L3_00", "mon_data/mon_PERF_PKG_00" };
        for (int i = 0; i < 3; i++)
                assert_int_equal(__real_mkdirat(g.monitor_fd, names[i], 0755), 0);
        put_file(g.monitor_fd, "mon_data/mon_L3_00/llc_occupancy", "4096\n");
        put_file(g.monitor_fd, "mon_data/mon_L3_00/mbm_total_bytes", "70000\n");
        put_file(g.monitor_fd, "mon_data/mon_L3_00/mbm_local_bytes", "Unavailable\n");
        put_file(g.monitor_fd, "mon_data/mon_L3_01/mbm_local_bytes", "3\n");
        assert_int_equal(resctrl_reopen(&again, "box", "c1", &err), 0);
        assert_int_equal(resctrl_stats_read(&again, arena, &s, &err), 0);
        assert_true(s.has_traffic && s.has_occupancy);
        assert_int_equal(s.n_domains, 2);
        assert_int_equal(s.domains[0].occupancy, 4096);
        assert_int_equal(s.domains[0].total_bytes, 70000);
        assert_int_equal(s.domains[0].local_bytes, 0);
        assert_int_equal(s.domains[1].local_bytes, 3);
        resctrl_clear(&again);
        again = at_root();
        assert_int_equal(resctrl_reopen(&again, "gone", NULL, &err), -ENOENT);
}

static void the_mount_is_found(void **state)
{
        (void) state;
        static const char mounts[] = "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
                                     "50 30 0:50 / /mnt/a\\040b rw shared:7 - resctrl resctrl rw\n"
                                     "51 30 0:51 / /resctrl rw - tmpfs resctrl rw\n";
        char at[64] = "";
        assert_true(probe_mount_point(mounts, "resctrl", at, sizeof(at)));
        assert_string_equal(at, "/mnt/a b");
        assert_false(probe_mount_point(mounts, "cgroup2", at, sizeof(at)));
        assert_false(probe_mount_point("", "resctrl", at, sizeof(at)));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_root, remove_root)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(a_new_class_is_made_filled_and_removed),
                TEST(what_nobody_has_come_into_is_undone),
                TEST(a_class_that_was_there_has_to_be_the_same),
                TEST(failures_say_what_and_why),
                TEST(others_are_kept_out_until_the_task_is_in),
                TEST(lines_are_compared_as_numbers),
                TEST(what_is_used_is_read),
                TEST(the_mount_is_found),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

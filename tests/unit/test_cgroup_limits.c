/*
 * Limits of a configuration, on the machine that runs the test, and whether they hold: the same tests for v1 and v2.
 * Where a controller is missing the test is skipped, and says so.
 */
#include "test_cgroup_help.h"

#include <sys/mman.h>
#include <time.h>

#include "cgroups/devices.h"
#include "cgroups/translate.h"

#define I(n) { true, n }

/* Make the cgroup and set the limits, as a runtime does. False: this machine has no such controller. */
static bool with_limits(const struct resources *res, struct cgroup *cg)
{
        auto_arena struct arena *arena = arena_new();
        struct cgroup_writes w;
        err = ERROR_INIT;
        int r = cgroup_translate(res, &host, arena, &w, &err);
        if (r == -EOPNOTSUPP) {
                printf("# %s\n", err.text);
                return false;
        }
        if (r < 0)
                fail_msg("%s", err.text);
        must(cgroup_create(&host, base, cgroup_needed(res, &host), 0, cg, &err));
        must(cgroup_apply(cg, w.list, w.n, &err));
        return true;
}

static int run(int (*fn)(void *), struct cgroup *cg)
{
        struct child c = start(fn, cg);
        return finish(&c);
}

static int fork_ten(void *arg)
{
        int made = 0;
        if (cgroup_enter(arg, 0, false, NULL) < 0)
                return 100;
        for (int i = 0; i < 10; i++) {
                pid_t pid = fork();
                if (pid == 0) {
                        sleep(100);
                        _exit(0);
                }
                if (pid < 0 && errno != EAGAIN)
                        return 101;
                made += pid > 0;
        }
        return made;
}

static void pids_are_limited(void **state)
{
        (void) state;
        const struct resources res = { .pids_limit = I(5) };
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        if (!with_limits(&res, &cg))
                skip();
        assert_int_equal(WEXITSTATUS(run(fork_ten, &cg)), 4); /* and itself */
        must(cgroup_kill(&cg, SIGKILL, &err));
        must(cgroup_remove(&cg, &err));
}

static int touch_64m(void *arg)
{
        if (cgroup_enter(arg, 0, false, NULL) < 0)
                return 100;
        char *p = mmap(NULL, 64 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        for (size_t i = 0; i < 64 << 20; i += 4096)
                p[i] = 1;
        return 0;
}

static void memory_is_limited_and_reported(void **state)
{
        (void) state;
        const struct resources res = { .memory = { .limit = I(16 << 20), .swap = I(16 << 20) } };
        const struct resources enough = { .memory = { .limit = I(200 << 20) } };
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        struct cgroup_usage u;
        if (!with_limits(&res, &cg))
                skip();
        int status = run(touch_64m, &cg);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGKILL);
        cgroup_usage(&cg, &u);
        assert_true(u.has_oom);
        assert_in_range(u.oom_kills, 1, 10);
        must(cgroup_remove(&cg, &err));

        assert_true(with_limits(&enough, &cg));
        assert_int_equal(run(touch_64m, &cg), 0);
        cgroup_usage(&cg, &u);
        if (u.has_memory) /* v2 has memory.peak since 5.19 */
                assert_in_range(u.memory_peak, 64 << 20, 200 << 20);
        assert_int_equal(u.oom_kills, 0);
        must(cgroup_remove(&cg, &err));
}

static int spin_for_a_second(void *arg)
{
        struct timespec from, now;
        if (cgroup_enter(arg, 0, false, NULL) < 0)
                return 100;
        clock_gettime(CLOCK_MONOTONIC, &from);
        do
                clock_gettime(CLOCK_MONOTONIC, &now);
        while ((now.tv_sec - from.tv_sec) * 1000 + (now.tv_nsec - from.tv_nsec) / 1000000 < 1000);
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
        return now.tv_sec > 0 ? 99 : (int) (now.tv_nsec / 10000000); /* percent */
}

static void cpu_time_is_limited(void **state)
{
        (void) state;
        const struct resources res = { .cpu = { .quota = I(10000), .period = I(100000), .shares = I(512) } };
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        if (!with_limits(&res, &cg))
                skip();
        int percent = WEXITSTATUS(run(spin_for_a_second, &cg));
        assert_in_range(percent, 1, 25);
        must(cgroup_remove(&cg, &err));
}

static int which_cpu(void *arg)
{
        cpu_set_t set;
        if (cgroup_enter(arg, 0, false, NULL) < 0 || sched_getaffinity(0, sizeof(set), &set) < 0)
                return 100;
        return CPU_COUNT(&set) == 1 && CPU_ISSET(1, &set) ? 0 : 1;
}

static void cpus_and_memory_nodes_are_chosen(void **state)
{
        (void) state;
        const struct resources res = { .cpu = { .cpus = "1", .mems = "0" } };
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        if (sysconf(_SC_NPROCESSORS_ONLN) < 2 || !with_limits(&res, &cg))
                skip();
        assert_int_equal(run(which_cpu, &cg), 0);
        auto_free char *text = NULL;
        must(cgroup_read(&cg, "cpuset", "cpuset.cpus", &text, &err));
        assert_string_equal(text, "1");
        /* CPUs that there are not */
        assert_true(cgroup_write(&cg, "cpuset", "cpuset.cpus", "4000", &err) < 0);
        assert_non_null(strstr(err.text, "cpuset.cpus"));
        must(cgroup_remove(&cg, &err));
}

static int open_null_and_zero(void *arg)
{
        if (cgroup_enter(arg, 0, false, NULL) < 0)
                return 100;
        bool null = open("/dev/null", O_RDWR | O_CLOEXEC) >= 0;
        bool zero = open("/dev/zero", O_RDONLY | O_CLOEXEC) >= 0 || errno != EPERM;
        bool full = open("/dev/full", O_WRONLY | O_CLOEXEC) >= 0;
        return null && !zero && full ? 0 : 1 + null + 2 * zero + 4 * full;
}

/* Writes on v1, a program on v2: they mean the same. */
static void devices_are_limited(void **state)
{
        (void) state;
        static const struct device_rule rules[] = {
                { false, 'a', -1, -1, true, true, true },
                { true, 'c', 1, 3, true, true, true },
                { true, 'c', 1, 5, true, true, true },
                { true, 'c', 1, 7, false, true, false },
                { false, 'c', 1, 5, true, false, false },
        };
        const struct resources res = { .devices = rules, .n_devices = COUNT(rules) };
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        assert_true(with_limits(&res, &cg));
        if (cgroup_find(&host, "devices")->v2) {
                auto_arena struct arena *arena = arena_new();
                struct bpf_insn *insns;
                size_t n;
                must(devices_program(rules, COUNT(rules), arena, &insns, &n, &err));
                must(devices_attach(cgroup_v2_fd(&cg), insns, n, &err));
        }
        assert_int_equal(WEXITSTATUS(run(open_null_and_zero, &cg)), 0);
        must(cgroup_remove(&cg, &err));
}

static void apply(struct cgroup *cg, const struct resources *res)
{
        auto_arena struct arena *arena = arena_new();
        struct cgroup_writes w;
        must(cgroup_translate(res, &host, arena, &w, &err));
        must(cgroup_apply(cg, w.list, w.n, &err));
}

static void limits_can_be_raised_and_lowered(void **state)
{
        (void) state;
        const struct resources small = { .memory = { .limit = I(16 << 20), .swap = I(32 << 20) },
                                         .cpu = { .quota = I(20000), .period = I(100000) } };
        const struct resources big = { .memory = { .limit = I(64 << 20), .swap = I(96 << 20) },
                                       .cpu = { .quota = I(500000), .period = I(1000000) } };
        const struct resources unlimited = { .memory = { .limit = I(-1) }, .cpu = { .quota = I(-1) } };
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        if (!with_limits(&small, &cg))
                skip();
        apply(&cg, &big);
        apply(&cg, &small);
        apply(&cg, &unlimited);
        apply(&cg, &big);
        auto_free char *limit = NULL;
        bool v2 = cgroup_find(&host, "memory")->v2;
        must(cgroup_read(&cg, "memory", v2 ? "memory.max" : "memory.limit_in_bytes", &limit, &err));
        assert_string_equal(limit, "67108864");
        auto_free char *quota = NULL;
        v2 = cgroup_find(&host, "cpu")->v2;
        must(cgroup_read(&cg, "cpu", v2 ? "cpu.max" : "cpu.cfs_quota_us", &quota, &err));
        assert_string_equal(quota, v2 ? "500000 1000000" : "500000");
        /* nothing is lost when the last word is no: the kernel refuses this in any order */
        const struct cgroup_write_item wrong[] = {
                { v2 ? "" : "cpu", v2 ? "cpu.max" : "cpu.cfs_quota_us", "nonsense" },
                { v2 ? "" : "cpu", v2 ? "cpu.max" : "cpu.cfs_quota_us", "300000" },
        };
        assert_int_equal(cgroup_apply(&cg, wrong, 2, &err), -EINVAL);
        assert_non_null(strstr(err.text, "nonsense"));
        must(cgroup_remove(&cg, &err));
}

static int hold_32m(void *arg)
{
        char *p = mmap(NULL, 32 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (cgroup_enter(arg, 0, false, NULL) < 0)
                return 100;
        memset(p, 1, 32 << 20);
        kill(getpid(), SIGSTOP);
        return p[1] != 1;
}

static void a_limit_below_the_usage_can_be_checked_first(void **state)
{
        (void) state;
        const struct resources big = { .memory = { .limit = I(64 << 20) } };
        struct resources small = { .memory = { .limit = I(8 << 20), .check_before_update = true } };
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        if (!with_limits(&big, &cg))
                skip();
        struct child c = start(hold_32m, &cg);
        let_go(&c);
        assert_int_equal(waitpid(c.pid, NULL, WUNTRACED), c.pid);
        assert_int_equal(cgroup_check_memory(&cg, &small, &err), -EBUSY);
        assert_non_null(strstr(err.text, "linux.resources.memory.limit: 8388608"));
        must(cgroup_check_memory(&cg, &big, &err));
        small.memory.check_before_update = false;
        must(cgroup_check_memory(&cg, &small, &err));
        kill(c.pid, SIGCONT);
        assert_int_equal(finish(&c), 0);
        must(cgroup_remove(&cg, &err));
}

/* In a cgroup of its own on v2: what is below it, while it has processes, cannot have controllers. */
static int live_in_a_full_cgroup(void *arg)
{
        auto_cgroup struct cgroup own = CGROUP_INIT;
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        auto_arena struct arena *arena = arena_new();
        struct cgroup_writes w;
        const struct resources res = { .pids_limit = I(5) };
        static struct cgroup_host here;
        (void) arg;
        if (cgroup_create(&host, base, CGROUP_ALL, 0, &own, &err) < 0 || cgroup_enter(&own, 0, false, &err) < 0 ||
            cgroup_host_probe(&here, &err) < 0)
                return 1;
        if (cgroup_translate_at(&res, &here, "box", arena, &w, &err) != -EOPNOTSUPP || !strstr(err.text, base))
                return 2;
        if (cgroup_translate_at(&res, &here, "/box", arena, &w, &err) < 0)
                return 3;
        /* the directory is made all the same, takes a process, and our own cgroup is left as it was */
        if (cgroup_create(&here, "box", CGROUP_ALL, 0, &cg, &err) < 0)
                return 4;
        struct child c = start(sleep_long, NULL);
        if (cgroup_enter(&cg, c.pid, false, &err) < 0)
                return 5;
        if (cgroup_kill(&cg, SIGKILL, &err) < 0 || finish(&c) != SIGKILL)
                return 6;
        auto_free char *enabled = NULL;
        if (cgroup_read(&own, "", "cgroup.subtree_control", &enabled, &err) < 0 || *enabled)
                return 7;
        return cgroup_remove(&cg, &err) < 0 ? 8 : 0;
}

static void a_cgroup_with_processes_gives_no_controllers_down(void **state)
{
        (void) state;
        if (host.mode != CGROUP_V2 || !strstr(host.v2_top, " pids ")) {
                print_message("# the pids controller is not one of cgroup v2 here\n");
                skip();
        }
        auto_cgroup struct cgroup own = CGROUP_INIT;
        struct child c = start(live_in_a_full_cgroup, NULL);
        assert_int_equal(finish(&c), 0);
        must(cgroup_open(&host, base, &own, &err));
        must(cgroup_remove(&own, &err));
}

static void unified_files_are_written_as_they_are(void **state)
{
        (void) state;
        static const struct key_value files[] = { { "memory.high", "33554432" }, { "pids.max", "77" } };
        const struct resources res = { .unified = files, .n_unified = 2 };
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        auto_free char *text = NULL;
        if (!with_limits(&res, &cg))
                skip();
        must(cgroup_read(&cg, "", "pids.max", &text, &err));
        assert_string_equal(text, "77");
        must(cgroup_remove(&cg, &err));
}

static void controllers_are_enabled_along_the_way(void **state)
{
        (void) state;
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        auto_cgroup struct cgroup top = CGROUP_INIT;
        auto_free char *have = NULL;
        char deep[128];
        if (!v2_hierarchy()) {
                print_message("# no cgroup v2 hierarchy is mounted here\n");
                skip();
        }
        snprintf(deep, sizeof(deep), "%s/a/b", base);
        must(cgroup_create(&host, deep, cgroup_set_of(&host, ""), 0, &cg, &err));
        must(cgroup_read(&cg, "", "cgroup.controllers", &have, &err));
        char *save = NULL;
        char wanted[256];
        strcpy(wanted, host.v2_top);
        for (char *word = strtok_r(wanted, " ", &save); word; word = strtok_r(NULL, " ", &save))
                if (!strstr(have, word))
                        fail_msg("%s is missing in \"%s\"", word, have);
        must(cgroup_open(&host, base, &top, &err));
        must(cgroup_remove(&top, &err));
}

#define live(test) cmocka_unit_test_teardown(test, nothing_is_left)

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                live(pids_are_limited),
                live(memory_is_limited_and_reported),
                live(cpu_time_is_limited),
                live(cpus_and_memory_nodes_are_chosen),
                live(devices_are_limited),
                live(limits_can_be_raised_and_lowered),
                live(a_limit_below_the_usage_can_be_checked_first),
                live(a_cgroup_with_processes_gives_no_controllers_down),
                live(unified_files_are_written_as_they_are),
                live(controllers_are_enabled_along_the_way),
        };
        prepare(argc, argv);
        int r = cmocka_run_group_tests(tests, NULL, NULL);
        restore_enabled();
        return r;
}

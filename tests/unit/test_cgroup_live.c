/* The life of a cgroup on the machine that runs the test: made, entered, frozen, killed, removed. */
#include "test_cgroup_help.h"

#include <linux/sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include "cgroups/devices.h"

static void it_exists_in_every_hierarchy_until_it_is_removed(void **state)
{
        (void) state;
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        must(cgroup_create(&host, base, CGROUP_ALL, 0, &cg, &err));
        for (size_t i = 0; i < host.n; i++) {
                assert_true(exists(host.h[i].mount_point, base));
                assert_true(cg.dir[i].fd >= 0 && cg.dir[i].created);
                assert_string_equal(cg.dir[i].path, base);
        }
        must(cgroup_remove(&cg, &err));
        assert_false(exists_anywhere(base));
        must(cgroup_remove(&cg, &err)); /* absent is fine */
}

static void only_the_wanted_hierarchies_are_used(void **state)
{
        (void) state;
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        must(cgroup_create(&host, base, 1, 0, &cg, &err));
        assert_true(cg.dir[0].fd >= 0);
        for (size_t i = 1; i < host.n; i++) {
                assert_int_equal(cg.dir[i].fd, -1);
                assert_false(exists(host.h[i].mount_point, base));
        }
        must(cgroup_remove(&cg, &err));
}

static void parents_are_made_and_stay(void **state)
{
        (void) state;
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        auto_cgroup struct cgroup top = CGROUP_INIT;
        char deep[128];
        snprintf(deep, sizeof(deep), "%s//a/./b/", base);
        must(cgroup_create(&host, deep, CGROUP_ALL, 0, &cg, &err));
        snprintf(deep, sizeof(deep), "%s/a/b", base);
        assert_string_equal(cg.dir[0].path, deep);
        /* a process can enter, which on v1 needs CPUs and memory nodes all the way down */
        struct child c = start(sleep_long, NULL);
        must(cgroup_enter(&cg, c.pid, false, &err));
        assert_inside(c.pid, &cg);
        kill(c.pid, SIGKILL);
        finish(&c);
        must(cgroup_remove(&cg, &err));
        assert_true(exists_anywhere(base));
        must(cgroup_open(&host, base, &top, &err));
        must(cgroup_remove(&top, &err)); /* with the children left in it */
        assert_false(exists_anywhere(base));
}

static void a_failure_leaves_nothing(void **state)
{
        (void) state;
        static struct cgroup_host broken;
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        char deep[128];
        broken = host;
        /* the last hierarchy cannot take directories */
        broken.h[broken.n] = broken.h[0];
        strcpy(broken.h[broken.n].mount_point, "/proc/sys");
        broken.n++;
        snprintf(deep, sizeof(deep), "%s/a/b", base);
        assert_true(cgroup_create(&broken, deep, CGROUP_ALL, 0, &cg, &err) < 0);
        assert_non_null(strstr(err.text, "/proc/sys"));
        assert_false(exists_anywhere(base));
        /* unless it may be left out */
        must(cgroup_create(&broken, base, CGROUP_ALL, 1u << (broken.n - 1), &cg, &err));
        assert_int_equal(cg.dir[broken.n - 1].fd, -1);
        must(cgroup_remove(&cg, &err));
}

static void a_path_without_slash_is_below_our_own_cgroup(void **state)
{
        (void) state;
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        must(cgroup_create(&host, base + 1, CGROUP_ALL, 0, &cg, &err));
        for (size_t i = 0; i < host.n; i++) {
                char expected[2048];
                const char *own = host.h[i].own;
                snprintf(expected, sizeof(expected), "%s%s", strcmp(own, "/") == 0 ? "" : own, base);
                assert_string_equal(cg.dir[i].path, expected);
                assert_true(exists(host.h[i].mount_point, expected));
        }
        must(cgroup_remove(&cg, &err));
}

static void bad_paths_are_refused(void **state)
{
        (void) state;
        static const char *const bad[] = { "", "/", "//", ".", "/..", "/a/../b", "..", "a\nb" };
        for (size_t i = 0; i < COUNT(bad); i++) {
                auto_cgroup struct cgroup cg = CGROUP_INIT;
                assert_int_equal(cgroup_create(&host, bad[i], CGROUP_ALL, 0, &cg, &err), -EINVAL);
                assert_true(err.text[0] != '\0');
        }
        char *endless = malloc(8192);
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        assert_non_null(endless);
        for (size_t i = 0; i < 8191; i++)
                endless[i] = i % 100 ? 'x' : '/';
        endless[8191] = '\0';
        assert_int_equal(cgroup_create(&host, endless, CGROUP_ALL, 0, &cg, &err), -ENAMETOOLONG);
        free(endless);
}

static int enter_through(void *arg)
{
        const int *fds = arg; /* [0]: how many */
        for (int i = 1; i <= fds[0]; i++)
                if (write(fds[i], "0", 1) != 1)
                        return 1;
        sleep(100);
        return 0;
}

static void wait_for_pids(const struct cgroup *cg, size_t wanted)
{
        for (int i = 0; i < 2000; i++) {
                auto_free pid_t *pids = NULL;
                size_t n = 0;
                must(cgroup_pids(cg, &pids, &n, &err));
                if (n >= wanted)
                        return;
                usleep(1000);
        }
        fail_msg("%zu processes did not come", wanted);
}

static void a_child_enters_by_itself(void **state)
{
        (void) state;
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        must(cgroup_create(&host, base, CGROUP_ALL, 0, &cg, &err));
        int fds[1 + CGROUP_HIERARCHIES_MAX];
        size_t n = 0;
        must(cgroup_entrances(&cg, false, fds + 1, CGROUP_HIERARCHIES_MAX, &n, &err));
        assert_int_equal(n, host.n);
        fds[0] = (int) n;
        struct child c = start(enter_through, fds);
        let_go(&c);
        wait_for_pids(&cg, 1);
        for (int i = 0; i < 1000; i++) { /* the last one may not be written yet */
                char file[64], text[4096];
                snprintf(file, sizeof(file), "/proc/%d/cgroup", (int) c.pid);
                read_text(file, text, sizeof(text));
                size_t hits = 0;
                for (char *at = text; (at = strstr(at, base)); at++)
                        hits++;
                if (hits == host.n)
                        break;
                usleep(1000);
        }
        assert_inside(c.pid, &cg);
        int none;
        assert_int_equal(cgroup_entrances(&cg, false, &none, 0, &n, &err), -ENOSPC);
        kill(c.pid, SIGKILL);
        finish(&c);
        for (int i = 1; i <= fds[0]; i++)
                close(fds[i]);
        must(cgroup_remove(&cg, &err));
}

static int enter_self(void *arg)
{
        return cgroup_enter(arg, 0, false, NULL) < 0 ? 1 : sleep_long(NULL);
}

static void zero_is_the_caller(void **state)
{
        (void) state;
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        must(cgroup_create(&host, base, CGROUP_ALL, 0, &cg, &err));
        struct child c = start(enter_self, &cg);
        let_go(&c);
        wait_for_pids(&cg, 1);
        kill(c.pid, SIGKILL);
        assert_int_equal(finish(&c), SIGKILL);
        must(cgroup_remove(&cg, &err));
}

static void clone3_puts_a_child_into_the_v2_directory(void **state)
{
        (void) state;
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        if (!v2_hierarchy()) {
                print_message("# no cgroup v2 hierarchy is mounted here\n");
                skip();
        }
        must(cgroup_create(&host, base, CGROUP_ALL, 0, &cg, &err));
        struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD,
                                   .cgroup = (unsigned int) cgroup_v2_fd(&cg) };
        pid_t pid = (pid_t) syscall(SYS_clone3, &args, sizeof(args));
        if (pid == 0) {
                pause();
                _exit(0);
        }
        assert_true(pid > 0);
        must(cgroup_enter(&cg, pid, true, &err));
        assert_inside(pid, &cg);
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        must(cgroup_remove(&cg, &err));
}

static void a_cgroup_in_use_is_not_taken_over(void **state)
{
        (void) state;
        auto_cgroup struct cgroup first = CGROUP_INIT;
        auto_cgroup struct cgroup second = CGROUP_INIT;
        must(cgroup_create(&host, base, CGROUP_ALL, 0, &first, &err));
        struct child c = start(sleep_long, NULL);
        must(cgroup_enter(&first, c.pid, false, &err));
        char number[16];
        snprintf(number, sizeof(number), "%d", (int) c.pid);
        assert_int_equal(cgroup_create(&host, base, CGROUP_ALL, 0, &second, &err), -EEXIST);
        assert_non_null(strstr(err.text, number));
        assert_true(exists(host.h[host.n - 1].mount_point, base)); /* and it is still theirs */
        kill(c.pid, SIGKILL);
        finish(&c);
        for (int i = 0; i < 1000; i++) { /* it leaves a little later than we hear of it */
                auto_free pid_t *pids = NULL;
                size_t n = 0;
                must(cgroup_pids(&first, &pids, &n, &err));
                if (n == 0)
                        break;
                usleep(1000);
        }
        must(cgroup_create(&host, base, CGROUP_ALL, 0, &second, &err)); /* an empty leftover is */
        must(cgroup_remove(&second, &err));
        must(cgroup_remove(&first, &err));
}

static void what_was_saved_can_be_opened_again(void **state)
{
        (void) state;
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        auto_cgroup struct cgroup again = CGROUP_INIT;
        auto_cgroup struct cgroup gone = CGROUP_INIT;
        auto_free char *text = NULL;
        must(cgroup_create(&host, base + 1, CGROUP_ALL, 0, &cg, &err));
        must(cgroup_save(&cg, &text, &err));
        must(cgroup_restore(&host, text, &again, &err));
        for (size_t i = 0; i < host.n; i++) {
                assert_true(again.dir[i].fd >= 0);
                assert_string_equal(again.dir[i].path, cg.dir[i].path);
        }
        must(cgroup_remove(&again, &err));
        must(cgroup_remove(&cg, &err));
        must(cgroup_restore(&host, text, &gone, &err));
        for (size_t i = 0; i < host.n; i++)
                assert_int_equal(gone.dir[i].fd, -1);
        assert_int_equal(cgroup_restore(&host, "memory", &gone, &err), -EBADMSG);
        assert_int_equal(cgroup_restore(&host, "memory:../x\n", &gone, &err), -EBADMSG);
        must(cgroup_restore(&host, "", &gone, &err));
}

static int count_up(void *arg)
{
        volatile unsigned int *counter = arg;
        for (;;)
                ++*counter;
        return 0;
}

static bool moves(volatile unsigned int *counter)
{
        unsigned int before = *counter;
        for (int i = 0; i < 200; i++) {
                usleep(5000);
                if (*counter != before)
                        return true;
        }
        return false;
}

static void a_frozen_cgroup_stands_still(void **state)
{
        (void) state;
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        enum cgroup_freeze now = CGROUP_FROZEN;
        volatile unsigned int *counter = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        assert_ptr_not_equal(counter, MAP_FAILED);
        must(cgroup_create(&host, base, CGROUP_ALL, 0, &cg, &err));
        must(cgroup_set_frozen(&cg, CGROUP_FROZEN, &err)); /* an empty one too */
        must(cgroup_set_frozen(&cg, CGROUP_THAWED, &err));
        struct child c = start(count_up, (void *) (uintptr_t) counter);
        must(cgroup_enter(&cg, c.pid, false, &err));
        let_go(&c);
        assert_true(moves(counter));
        must(cgroup_get_frozen(&cg, &now, &err));
        assert_int_equal(now, CGROUP_THAWED);

        must(cgroup_set_frozen(&cg, CGROUP_FROZEN, &err));
        unsigned int stopped = *counter;
        usleep(50000);
        assert_int_equal(*counter, stopped);
        must(cgroup_get_frozen(&cg, &now, &err));
        assert_int_equal(now, CGROUP_FROZEN);
        must(cgroup_set_frozen(&cg, CGROUP_FROZEN, &err)); /* twice is once */

        must(cgroup_set_frozen(&cg, CGROUP_THAWED, &err));
        assert_true(moves(counter));
        must(cgroup_get_frozen(&cg, &now, &err));
        assert_int_equal(now, CGROUP_THAWED);

        must(cgroup_set_frozen(&cg, CGROUP_FROZEN, &err)); /* and a frozen one can be killed */
        must(cgroup_kill(&cg, SIGKILL, &err));
        assert_int_equal(finish(&c), SIGKILL);
        must(cgroup_remove(&cg, &err));
        munmap((void *) (uintptr_t) counter, 4096);
}

/* Fifty sleepers, some in sessions of their own, that keep being replaced. */
static int fork_bomb(void *arg)
{
        if (cgroup_enter(arg, 0, false, NULL) < 0)
                return 1;
        for (int i = 0; i < 50; i++)
                if (fork() == 0) {
                        if (i % 2)
                                setsid();
                        signal(SIGTERM, SIG_IGN);
                        for (int k = 0; k < 30; k++) {
                                if (fork() != 0) /* the parent goes, the child goes on */
                                        _exit(0);
                                usleep(2000);
                        }
                        sleep(100);
                        _exit(0);
                }
        sleep(100);
        return 0;
}

static void nobody_survives_kill(void **state)
{
        (void) state;
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        auto_cgroup struct cgroup inner = CGROUP_INIT;
        char deep[128];
        snprintf(deep, sizeof(deep), "%s/inner", base);
        must(cgroup_create(&host, base, CGROUP_ALL, 0, &cg, &err));
        struct child c = start(fork_bomb, &cg);
        let_go(&c);
        wait_for_pids(&cg, 50);
        must(cgroup_create(&host, deep, CGROUP_ALL, 0, &inner, &err)); /* the container's own sub-cgroup */
        struct child d = start(sleep_long, NULL);
        must(cgroup_enter(&inner, d.pid, false, &err));

        must(cgroup_kill(&cg, SIGKILL, &err));
        auto_free pid_t *pids = NULL;
        size_t n = 1;
        must(cgroup_pids(&cg, &pids, &n, &err));
        assert_int_equal(n, 0);
        assert_int_equal(finish(&c), SIGKILL);
        assert_int_equal(finish(&d), SIGKILL);
        must(cgroup_remove(&cg, &err));
        while (waitpid(-1, NULL, 0) > 0) /* orphans come to us: all of them are dead */
                ;
}

static int wait_for_term(void *arg)
{
        (void) arg;
        for (;;)
                pause();
        return 0;
}

static void another_signal_goes_to_each_process(void **state)
{
        (void) state;
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        must(cgroup_create(&host, base, CGROUP_ALL, 0, &cg, &err));
        struct child a = start(wait_for_term, NULL), b = start(wait_for_term, NULL);
        must(cgroup_enter(&cg, a.pid, false, &err));
        must(cgroup_enter(&cg, b.pid, false, &err));
        auto_free pid_t *pids = NULL;
        size_t n = 0;
        must(cgroup_pids(&cg, &pids, &n, &err));
        assert_int_equal(n, 2);
        assert_true(pids[0] < pids[1]);
        must(cgroup_kill(&cg, SIGTERM, &err));
        assert_int_equal(finish(&a), SIGTERM);
        assert_int_equal(finish(&b), SIGTERM);
        must(cgroup_kill(&cg, SIGKILL, &err)); /* nobody is there: fine */
        must(cgroup_remove(&cg, &err));
}

static int live_a_little(void *arg)
{
        (void) arg;
        usleep(150000);
        return 0;
}

static void removal_waits_for_the_dying_but_not_for_ever(void **state)
{
        (void) state;
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        must(cgroup_create(&host, base, CGROUP_ALL, 0, &cg, &err));
        struct child c = start(live_a_little, NULL);
        must(cgroup_enter(&cg, c.pid, false, &err));
        let_go(&c);
        must(cgroup_remove(&cg, &err));
        finish(&c);

        must(cgroup_create(&host, base, CGROUP_ALL, 0, &cg, &err));
        struct child d = start(sleep_long, NULL);
        must(cgroup_enter(&cg, d.pid, false, &err));
        char number[32];
        snprintf(number, sizeof(number), "process %d is still in it", (int) d.pid);
        assert_int_equal(cgroup_remove(&cg, &err), -EBUSY);
        assert_non_null(strstr(err.text, number));
        kill(d.pid, SIGKILL);
        finish(&d);
        must(cgroup_remove(&cg, &err));
}

static int open_devices(void *arg)
{
        if (cgroup_enter(arg, 0, false, NULL) < 0)
                return 1;
        int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);
        if (zero >= 0 || errno != EPERM)
                return 2;
        return null >= 0 ? 0 : 3;
}

static void the_kernel_obeys_the_device_filter(void **state)
{
        (void) state;
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        const struct device_rule rules[] = {
                { true, 'a', -1, -1, true, true, true },
                { false, 'c', 1, 5, true, true, true },
        };
        struct bpf_insn *insns;
        size_t n;
        if (!v2_hierarchy()) {
                print_message("# no cgroup v2 hierarchy is mounted here\n");
                skip();
        }
        auto_arena struct arena *arena = arena_new();
        must(cgroup_create(&host, base, CGROUP_ALL, 0, &cg, &err));
        int fd = cgroup_v2_fd(&cg);
        must(devices_program(rules, 0, arena, &insns, &n, &err)); /* nothing at all */
        must(devices_attach(fd, insns, n, &err));
        struct child c = start(open_devices, &cg);
        assert_int_equal(WEXITSTATUS(finish(&c)), 3);
        must(devices_program(rules, COUNT(rules), arena, &insns, &n, &err));
        must(devices_attach(fd, insns, n, &err)); /* replaces, does not add */
        struct child d = start(open_devices, &cg);
        assert_int_equal(finish(&d), 0);
        int prog = -1;
        must(devices_program(rules, 1, arena, &insns, &n, &err));
        must(devices_load(insns, n, &prog, &err));
        must(devices_attach_loaded(fd, prog, &err));
        close(prog);
        struct child e = start(open_devices, &cg);
        assert_int_equal(WEXITSTATUS(finish(&e)), 2); /* all is allowed again */
        must(cgroup_remove(&cg, &err));
}

static void the_kernel_takes_any_filter(void **state)
{
        (void) state;
        static const int64_t majors[] = { -1, 1, 8, 0xfff, 0x1000 }, minors[] = { -1, 3, 0xfffff, UINT32_MAX };
        if (!v2_hierarchy()) {
                print_message("# no cgroup v2 hierarchy is mounted here\n");
                skip();
        }
        srand(11);
        for (int round = 0; round < 200; round++) {
                auto_arena struct arena *arena = arena_new();
                struct device_rule rules[6];
                size_t n = (size_t) (rand() % 7), n_insns;
                struct bpf_insn *insns;
                for (size_t i = 0; i < n; i++)
                        rules[i] = (struct device_rule){ rand() & 1, "abc"[rand() % 3], majors[rand() % 5],
                                                         minors[rand() % 4], rand() & 1, rand() & 1, rand() & 1 };
                auto_fd int prog = -1;
                must(devices_program(rules, n, arena, &insns, &n_insns, &err));
                must(devices_load(insns, n_insns, &prog, &err));
        }
}

static int usage_of_nothing(void)
{
        struct cgroup none = CGROUP_INIT;
        struct cgroup_usage u;
        cgroup_usage(&none, &u);
        return u.has_cpu || u.has_memory || u.has_oom || u.cpu_ns || u.memory_peak || u.oom_kills;
}

static int spin(void *arg)
{
        struct timespec t;
        if (cgroup_enter(arg, 0, false, NULL) < 0)
                return 1;
        do
                clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
        while (t.tv_sec == 0 && t.tv_nsec < 50000000);
        return 0;
}

static void cpu_time_is_counted(void **state)
{
        (void) state;
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        struct cgroup_usage u;
        assert_int_equal(usage_of_nothing(), 0);
        must(cgroup_create(&host, base, CGROUP_ALL, 0, &cg, &err));
        struct child c = start(spin, &cg);
        assert_int_equal(finish(&c), 0);
        cgroup_usage(&cg, &u);
        assert_true(u.has_cpu);
        assert_in_range(u.cpu_ns, 40000000, 5000000000);
        must(cgroup_remove(&cg, &err));
}

static void a_file_that_cannot_be_written_is_named(void **state)
{
        (void) state;
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        auto_free char *text = NULL;
        must(cgroup_create(&host, base, CGROUP_ALL, 0, &cg, &err));
        const char *controller = host.h[0].v2 ? "" : host.h[0].controllers;
        assert_true(cgroup_write(&cg, controller, "cgroup.procs", "none", &err) < 0);
        assert_non_null(strstr(err.text, "write \"none\" to \"/sys/fs/cgroup"));
        assert_true(cgroup_read(&cg, controller, "no.such.file", &text, &err) < 0);
        assert_non_null(strstr(err.text, "no.such.file"));
        must(cgroup_read(&cg, controller, "cgroup.procs", &text, &err));
        assert_string_equal(text, "");
        assert_true(cgroup_write(&cg, "name=none", "tasks", "0", &err) < 0);
        assert_non_null(strstr(err.text, "no name=none cgroup hierarchy"));
        must(cgroup_remove(&cg, &err));
}

#define live(test) cmocka_unit_test_teardown(test, nothing_is_left)

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                live(it_exists_in_every_hierarchy_until_it_is_removed),
                live(only_the_wanted_hierarchies_are_used),
                live(parents_are_made_and_stay),
                live(a_failure_leaves_nothing),
                live(a_path_without_slash_is_below_our_own_cgroup),
                live(bad_paths_are_refused),
                live(a_child_enters_by_itself),
                live(zero_is_the_caller),
                live(clone3_puts_a_child_into_the_v2_directory),
                live(a_cgroup_in_use_is_not_taken_over),
                live(what_was_saved_can_be_opened_again),
                live(a_frozen_cgroup_stands_still),
                live(nobody_survives_kill),
                live(another_signal_goes_to_each_process),
                live(removal_waits_for_the_dying_but_not_for_ever),
                live(the_kernel_obeys_the_device_filter),
                live(the_kernel_takes_any_filter),
                live(cpu_time_is_counted),
                live(a_file_that_cannot_be_written_is_named),
        };
        prepare(argc, argv);
        int r = cmocka_run_group_tests(tests, NULL, NULL);
        restore_enabled();
        return r;
}

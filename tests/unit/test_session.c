#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "plan/compile.h"
#include "runtime/instance.h"
#include "runtime/session.h"
#include "spec/read.h"
#include "syscall/compat.h"
#include "syscall/sys.h"

/* Real containers, made and watched from here. Needs root and the busybox of Debian's busybox-static. */

static char bundle[] = "/tmp/test_session.XXXXXX";

static int make_bundle(void **state)
{
        (void) state;
        if (!mkdtemp(bundle))
                return -1;
        char command[512];
        snprintf(command, sizeof(command),
                 "umask 022; chmod 755 %s; mkdir -p %s/rootfs/bin %s/rootfs/etc && cp /bin/busybox %s/rootfs/bin/ &&"
                 " for a in sh true cat hostname kill sleep; do ln -s busybox %s/rootfs/bin/$a; done &&"
                 " echo 'u:x:7:7::/home/u:/bin/sh' >%s/rootfs/etc/passwd",
                 bundle, bundle, bundle, bundle, bundle, bundle);
        char *const argv[] = { (char *) (uintptr_t) "sh", (char *) (uintptr_t) "-c", command, NULL };
        pid_t pid = fork();
        if (pid == 0) {
                execv("/bin/sh", argv);
                _exit(127);
        }
        int status;
        return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -1;
}

static int remove_bundle(void **state)
{
        (void) state;
        pid_t pid = fork();
        if (pid == 0) {
                execl("/bin/rm", "rm", "-rf", bundle, NULL);
                _exit(127);
        }
        int status;
        return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : -1;
}

#define CONFIG(more)                                                                                                \
        "{ \"ociVersion\": \"1.3.0\", \"root\": { \"path\": \"rootfs\" }, \"hostname\": \"box\","                   \
        "  \"process\": { \"args\": [\"sh\", \"-c\", \"true\"], \"cwd\": \"/\", \"user\": { \"uid\": 0, \"gid\": 0 },"  \
        "    \"env\": [\"PATH=/bin\"] },"                                                                           \
        "  \"mounts\": [ { \"destination\": \"/proc\", \"type\": \"proc\", \"source\": \"proc\" },"                 \
        "    { \"destination\": \"/dev\", \"type\": \"tmpfs\", \"source\": \"tmpfs\" } ]," more                     \
        "  \"linux\": { \"namespaces\": [ { \"type\": \"mount\" }, { \"type\": \"uts\" }, { \"type\": \"pid\" },"   \
        "    { \"type\": \"ipc\" } ], \"maskedPaths\": [\"/proc/kcore\"], \"readonlyPaths\": [\"/proc/sys\"] } }"

/* A container about to be started: everything a session borrows. */
struct box {
        struct spec *spec;
        struct host host;
        void *block;
        size_t size;
        struct plan plan;
        struct instance_env env;
        struct instance in;
        struct session_options opts;
};

static void box_open(struct box *b, const char *config, const char *const *args, const struct wish *more)
{
        struct error err = ERROR_INIT;
        *b = (struct box){ .env = INSTANCE_ENV_INIT, .in = INSTANCE_INIT };
        if (spec_read_text(config, strlen(config), "config.json", &b->spec, &err) < 0 || host_probe(&b->host, &err) < 0)
                fail_msg("%s", err.text);
        struct wish wish = more ? *more : (struct wish){ 0 };
        wish.bundle = bundle;
        wish.id = "box";
        wish.cgroup_inherit = true;
        if (plan_compile(b->spec, &b->host, &wish, &b->block, &b->size, &err) < 0 ||
            plan_open(&b->plan, b->block, b->size, &err) < 0 ||
            instance_env_set(&b->env, args ? args : b->spec->process.args, b->spec->process.env, NULL, &err) < 0)
                fail_msg("%s", err.text);
        instance_env_use(&b->env, &b->in);
        b->opts = (struct session_options){ .host = &b->host, .listen_fd = -1, .alive_fd = -1 };
}

static void box_close_p(struct box *b)
{
        instance_env_clear(&b->env);
        free(b->block);
        spec_free(b->spec);
}
#define auto_box __attribute__((cleanup(box_close_p)))

static int status_of(struct session *s)
{
        int code, status;
        assert_int_equal(sys_pidfd_wait(s->pidfd, &code, &status), 0);
        fd_close(take_fd(&s->pidfd));
        return code == CLD_EXITED ? status : 128 + status;
}

static void assert_no_children(void)
{
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
        assert_int_equal(errno, ECHILD);
}

static void start(struct session *s, struct box *b)
{
        struct error err = ERROR_INIT;
        if (session_start(s, &b->plan, &b->in, &b->opts, &err) < 0)
                fail_msg("%s", err.text);
}

static void a_container_runs(void **state)
{
        (void) state;
        const char *args[] = { "sh", "-c", "test $(hostname) = box && test $$ = 1 && test $HOME = / && exit 42", NULL };
        auto_box struct box b;
        box_open(&b, CONFIG(""), args, NULL);
        auto_session struct session s = SESSION_INIT;
        start(&s, &b);
        assert_int_equal(status_of(&s), 42);
        assert_no_children();
}

/* After a change of the host or of the spec. The plan lives in the block. */
static void compile_again(struct box *b, void **ret_block)
{
        size_t size;
        struct error err = ERROR_INIT;
        const struct wish wish = { .bundle = bundle, .id = "box", .cgroup_inherit = true };
        assert_int_equal(plan_compile(b->spec, &b->host, &wish, ret_block, &size, &err), 0);
        assert_int_equal(plan_open(&b->plan, *ret_block, size, &err), 0);
}

static void home_is_found_in_the_containers_passwd(void **state)
{
        (void) state;
        const char *args[] = { "sh", "-c", "test $HOME = /home/u", NULL };
        auto_box struct box b;
        box_open(&b, CONFIG(""), args, NULL);
        auto_free void *block = NULL;
        b.spec->process.user.uid = b.spec->process.user.gid = 7;
        compile_again(&b, &block);
        auto_session struct session s = SESSION_INIT;
        start(&s, &b);
        assert_int_equal(status_of(&s), 0);
}

static void a_missing_program_is_named(void **state)
{
        (void) state;
        const char *args[] = { "no-such-program", NULL }, *path_args[] = { "/no/such/program", NULL };
        auto_box struct box b;
        box_open(&b, CONFIG(""), args, NULL);
        auto_session struct session s = SESSION_INIT;
        struct error err = ERROR_INIT;
        assert_int_equal(session_start(&s, &b.plan, &b.in, &b.opts, &err), -ENOENT);
        assert_string_equal(err.text, "exec: \"no-such-program\": executable file not found in $PATH");

        b.in.argv = path_args;
        auto_session struct session again = SESSION_INIT;
        assert_int_equal(session_start(&again, &b.plan, &b.in, &b.opts, &err), -ENOENT);
        assert_string_equal(err.text, "exec: \"/no/such/program\": No such file or directory");
        assert_no_children();
}

/* Fail every step of the child once. Nothing is left, and it is told what failed. */
static void every_step_can_fail(void **state)
{
        (void) state;
        auto_box struct box b;
        box_open(&b, CONFIG(""), NULL, NULL);
        struct step *steps = (struct step *) ((char *) b.block + sizeof(struct plan_header));
        size_t failed = 0;
        for (size_t i = 0; i < b.plan.n_steps; i++) {
                if (steps[i].lane != LANE_CHILD)
                        continue;
                const struct step saved = steps[i];
                steps[i] = (struct step){ .op = STEP_FAIL, .lane = LANE_CHILD, .arg = { EXDEV } };
                auto_session struct session s = SESSION_INIT;
                struct error err = ERROR_INIT;
                assert_int_equal(session_start(&s, &b.plan, &b.in, &b.opts, &err), -EXDEV);
                assert_string_equal(err.text, "fail 18: Invalid cross-device link");
                assert_int_equal(s.pidfd, -1);
                assert_no_children();
                steps[i] = saved;
                failed++;
        }
        assert_true(failed > 20);
}

/* The same on a kernel without the newer calls: other steps, the same container. */
static void an_old_kernel_makes_the_same_container(void **state)
{
        (void) state;
        const char *args[] = { "sh", "-c", "! (echo 1 >/proc/sys/kernel/hostname) 2>/dev/null && exit 42", NULL };
        auto_box struct box b;
        box_open(&b, CONFIG(""), args, NULL);
        b.host.clone3 = b.host.mount_setattr = false;
        auto_free void *block = NULL;
        compile_again(&b, &block);
        auto_session struct session s = SESSION_INIT;
        start(&s, &b);
        assert_int_equal(status_of(&s), 42);
}

/* Flags of bind mounts, there by a remount: exact, and those of the source if nothing is said about them. */
static void an_old_kernel_sets_the_flags_of_bind_mounts(void **state)
{
        (void) state;
        const char *args[] = { "sh", "-c",
                               "while read -r _ p _ f _; do case $p,$f in /a,ro,nosuid,nodev,noexec,relatime*) a=1;;"
                               " /b,rw,nosuid,*) case $f in *noexec*|*nodev*);; *) b=1;; esac;; esac; done </proc/mounts;"
                               " exit 1$a$b", NULL };
        auto_box struct box b;
        box_open(&b, CONFIG(""), args, NULL);
        struct spec_mount more[4] = {
                b.spec->mounts[0], b.spec->mounts[1],
                { .destination = "/a", .bind = true, .source = "/proc/sys", .data = "", .attr_named = true,
                  .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC },
                { .destination = "/b", .bind = true, .source = "/proc/sys", .data = "", .attr_named = true,
                  .attr_set = MOUNT_ATTR_NOSUID },
        };
        b.spec->mounts = more;
        b.spec->n_mounts = 4;
        b.host.mount_setattr = false;
        auto_free void *block = NULL;
        compile_again(&b, &block);
        auto_session struct session s = SESSION_INIT;
        start(&s, &b);
        assert_int_equal(status_of(&s), 111);
}

/* Without a copy of our memory: the same containers, the same failures. */
static void a_child_may_share_our_memory_up_to_exec(void **state)
{
        (void) state;
        const char *args[] = { "sh", "-c", "test $HOME = /home/u && exit 42", NULL };
        auto_box struct box b;
        box_open(&b, CONFIG(""), args, NULL);
        b.spec->process.user.uid = b.spec->process.user.gid = 7;
        auto_free void *block = NULL;
        auto_free void *stack = aligned_alloc(16, SESSION_STACK_SIZE);
        size_t size;
        struct error err = ERROR_INIT;
        const struct wish wish = { .bundle = bundle, .id = "box", .cgroup_inherit = true, .no_state = true };
        assert_int_equal(plan_compile(b.spec, &b.host, &wish, &block, &size, &err), 0);
        assert_int_equal(plan_open(&b.plan, block, size, &err), 0);
        b.opts.stack = stack;
        for (int i = 0; i < 3; i++) {
                auto_session struct session s = SESSION_INIT;
                start(&s, &b);
                assert_int_equal(status_of(&s), 42);
        }
        struct step *steps = (struct step *) ((char *) block + sizeof(struct plan_header));
        for (size_t i = 0; i < b.plan.n_steps; i++) {
                if (steps[i].lane != LANE_CHILD)
                        continue;
                const struct step saved = steps[i];
                steps[i] = (struct step){ .op = STEP_FAIL, .lane = LANE_CHILD, .arg = { EXDEV } };
                auto_session struct session s = SESSION_INIT;
                assert_int_equal(session_start(&s, &b.plan, &b.in, &b.opts, &err), -EXDEV);
                assert_string_equal(err.text, "fail 18: Invalid cross-device link");
                assert_no_children();
                steps[i] = saved;
        }
}

/* A child that is killed says nothing; the socket just ends. That must not be taken for a successful exec(). */
static void a_killed_child_is_a_failure(void **state)
{
        (void) state;
        auto_box struct box b;
        box_open(&b, CONFIG(""), NULL, NULL);
        /* The child dies of a wild pointer where it looks for its arguments. */
        b.in.argv = (const char *const *) (uintptr_t) 8;
        auto_session struct session s = SESSION_INIT;
        struct error err = ERROR_INIT;
        assert_int_equal(session_start(&s, &b.plan, &b.in, &b.opts, &err), -ECHILD);
        assert_non_null(strstr(err.text, "the container's process was killed by signal 11 before: "));
        assert_no_children();
}

static void one_plan_many_instances(void **state)
{
        (void) state;
        enum { N = 16 };
        auto_box struct box b;
        const struct wish wish = { .stdio = true };
        box_open(&b, CONFIG(""), NULL, &wish);
        struct session s[N];
        int out[N];
        for (int i = 0; i < N; i++) {
                char script[64];
                snprintf(script, sizeof(script), "echo rank %d; exit %d", i, i);
                const char *args[] = { "sh", "-c", script, NULL };
                int pipe_fd[2];
                assert_int_equal(pipe2(pipe_fd, O_CLOEXEC), 0);
                struct instance in = b.in;
                in.argv = args;
                in.fd[1] = pipe_fd[1];
                s[i] = SESSION_INIT;
                struct error err = ERROR_INIT;
                if (session_start(&s[i], &b.plan, &in, &b.opts, &err) < 0)
                        fail_msg("%s", err.text);
                close(pipe_fd[1]);
                out[i] = pipe_fd[0];
        }
        for (int i = 0; i < N; i++) {
                char want[32], got[32] = "";
                snprintf(want, sizeof(want), "rank %d\n", i);
                assert_true(io_read_all(out[i], got, sizeof(got) - 1) > 0);
                assert_string_equal(got, want);
                close(out[i]);
                assert_int_equal(status_of(&s[i]), i);
                session_clear(&s[i]);
        }
        assert_no_children();
}

static int listen_at(const char *path)
{
        struct sockaddr_un sa = { .sun_family = AF_UNIX };
        snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        assert_int_equal(bind(fd, (struct sockaddr *) &sa, sizeof(sa)), 0);
        assert_int_equal(listen(fd, 4), 0);
        return fd;
}

static int connect_to(const char *path)
{
        struct sockaddr_un sa = { .sun_family = AF_UNIX };
        snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
        int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(fd, (struct sockaddr *) &sa, sizeof(sa)), 0);
        return fd;
}

static void create_and_start_are_two_walks(void **state)
{
        (void) state;
        const char *args[] = { "sh", "-c", "exit 5", NULL };
        const struct wish wish = { .await_start = true };
        auto_box struct box b;
        box_open(&b, CONFIG(""), args, &wish);
        char path[64];
        snprintf(path, sizeof(path), "%s/start.sock", bundle);
        auto_fd int listen_fd = listen_at(path);
        b.opts.listen_fd = listen_fd;

        auto_session struct session create = SESSION_INIT;
        start(&create, &b);
        assert_true(create.awaiting);
        fd_close(take_fd(&create.sync_fd));     /* `create` ends: the container does not mind */

        close(connect_to(path));                /* a `start` that was killed at once changes nothing */
        auto_session struct session resume = SESSION_INIT;
        struct error err = ERROR_INIT;
        if (session_resume(&resume, &b.plan, &b.in, &b.opts, connect_to(path), create.pid, &err) < 0)
                fail_msg("%s", err.text);
        assert_int_equal(status_of(&create), 5);
        fd_close(take_fd(&resume.pidfd));
        unlink(path);
}

static void a_failing_hook_ends_the_container(void **state)
{
        (void) state;
        auto_box struct box b;
        box_open(&b, CONFIG("\"hooks\": { \"createRuntime\": [ { \"path\": \"/bin/sh\","
                            " \"args\": [\"sh\", \"-c\", \"echo no licence >&2; exit 3\"] } ] },"),
                 NULL, NULL);
        auto_session struct session s = SESSION_INIT;
        struct error err = ERROR_INIT;
        assert_int_equal(session_start(&s, &b.plan, &b.in, &b.opts, &err), -ECANCELED);
        assert_string_equal(err.text, "error running createRuntime hook #0: \"/bin/sh\" exited with status 3: no licence");
        assert_no_children();
}

static void a_hook_that_takes_too_long_is_killed(void **state)
{
        (void) state;
        auto_box struct box b;
        box_open(&b, CONFIG("\"hooks\": { \"createRuntime\": [ { \"path\": \"/bin/sleep\","
                            " \"args\": [\"sleep\", \"30\"], \"timeout\": 1 } ] },"),
                 NULL, NULL);
        auto_session struct session s = SESSION_INIT;
        struct error err = ERROR_INIT;
        assert_int_equal(session_start(&s, &b.plan, &b.in, &b.opts, &err), -ECANCELED);
        assert_string_equal(err.text, "error running createRuntime hook #0: \"/bin/sleep\" did not end within its 1 seconds");
        assert_no_children();
}

/* Hooks of the container see its files: /bin/busybox is the rootfs's after the pivot, the host's before. */
static void hooks_run_where_the_specification_says(void **state)
{
        (void) state;
        auto_box struct box b;
        box_open(&b, CONFIG("\"hooks\": { \"createContainer\": [ { \"path\": \"/bin/sh\", \"args\": [\"sh\", \"-c\","
                            " \"test -d /usr/share && test $(hostname) = box\"], \"env\": [\"PATH=/bin:/usr/bin\"] } ],"
                            " \"startContainer\": [ { \"path\": \"/bin/sh\", \"args\": [\"sh\", \"-c\","
                            " \"! test -d /usr/share && test -f /etc/passwd\"] } ] },"),
                 NULL, NULL);
        auto_session struct session s = SESSION_INIT;
        start(&s, &b);
        assert_int_equal(status_of(&s), 0);
}

/* One startContainer hook of the container's shell, which fails. */
static void start_hook_fails(const char *more, int code, const char *sentence)
{
        char config[2000];
        snprintf(config, sizeof(config), CONFIG("\"hooks\": { \"startContainer\": [ { \"path\": \"/bin/true\" }, { %s } ] },"),
                 more);
        auto_box struct box b;
        box_open(&b, config, NULL, NULL);
        auto_session struct session s = SESSION_INIT;
        struct error err = ERROR_INIT;
        assert_int_equal(session_start(&s, &b.plan, &b.in, &b.opts, &err), code);
        assert_string_equal(err.text, sentence);
        assert_no_children();
}

#define SH(command) "\"path\": \"/bin/sh\", \"args\": [\"sh\", \"-c\", \"" command "\"]"

static void what_a_start_hook_says_is_told(void **state)
{
        (void) state;
        start_hook_fails(SH("echo no licence >&2; exit 3"), -ECANCELED,
                         "error running startContainer hook #1: \"/bin/sh\" exited with status 3: no licence");
        start_hook_fails(SH("echo a; echo b; kill -9 $$"), -ECANCELED,
                         "error running startContainer hook #1: \"/bin/sh\" was killed by signal 9 (killed): a b");
        start_hook_fails("\"path\": \"/bin/sleep\", \"args\": [\"sleep\", \"30\"], \"timeout\": 1", -ECANCELED,
                         "error running startContainer hook #1: \"/bin/sleep\" did not end within its 1 seconds");
        start_hook_fails("\"path\": \"/no/such/hook\"", -ENOENT,
                         "error running startContainer hook #1: \"/no/such/hook\": No such file or directory");
}

static int told_pid(void *arg, const struct session *s, unsigned hook_kind, char **ret_json, struct error *err)
{
        (void) arg, (void) hook_kind, (void) err;
        char *text = malloc(40);
        assert_non_null(text);
        snprintf(text, 40, "{\"pid\":%d}\n", (int) s->pid);
        *ret_json = text;
        return 0;
}

/* Each reads the state from its beginning; 1 is the process that the hook is a child of. */
static void a_start_hook_is_told_the_pid_that_it_sees(void **state)
{
        (void) state;
        auto_box struct box b;
#define TOLD SH("read state; test \\\"$state\\\" = '{\\\"pid\\\":1}' && read x y z ppid rest </proc/self/stat && test $ppid = 1")
        box_open(&b, CONFIG("\"hooks\": { \"startContainer\": [ { " TOLD " }, { " TOLD " } ] },"), NULL, NULL);
        const struct session_ops ops = { .hook_state = told_pid };
        b.opts.ops = &ops;
        auto_session struct session s = SESSION_INIT;
        start(&s, &b);
        assert_int_equal(status_of(&s), 0);
        assert_int_equal(b.in.fd[0], -1);
        assert_int_equal(b.in.fd[1], -1);
}

struct told {
        char text[64 * 1024];
};

static void add_line(void *arg, const char *line)
{
        struct told *told = arg;
        size_t have = strlen(told->text);
        assert_true(have + strlen(line) + 2 < sizeof(told->text));
        snprintf(told->text + have, sizeof(told->text) - have, "%s\n", line);
}

/* Where who did what is told, not before `from`. */
static const char *find_line(const char *from, const struct box *b, size_t i)
{
        char line[600], phrase[512] = "";
        plan_phrase(&b->plan, &b->in, i, phrase, sizeof(phrase));
        snprintf(line, sizeof(line), "%s: step %zu of %zu, %s\n",
                 lane_names[b->plan.steps[i].lane], i + 1, b->plan.n_steps, phrase);
        const char *found = strstr(from, line);
        if (!found)
                fail_msg("not told, or too early: %s", line);
        return found + strlen(line);
}

static void each_step_is_told_in_its_order(void **state)
{
        (void) state;
        auto_box struct box b;
        box_open(&b, CONFIG("\"hooks\": { \"createRuntime\": [ { \"path\": \"/bin/true\" } ],"
                            " \"startContainer\": [ { \"path\": \"/bin/true\" } ] },"), NULL, NULL);
        struct told told = { "" };
        const struct log log = { add_line, &told };
        b.opts.log = &log;
        auto_session struct session s = SESSION_INIT;
        start(&s, &b);
        assert_int_equal(status_of(&s), 0);
        const char *at = told.text;
        for (size_t i = 0; i < b.plan.n_steps; i++)
                at = find_line(at, &b, i);
        assert_null(strstr(at, "step "));
}

/* Up to the one that failed: that is the error's. */
static void a_failed_step_is_not_told(void **state)
{
        (void) state;
        auto_box struct box b;
        box_open(&b, CONFIG(""), NULL, NULL);
        struct step *steps = (struct step *) ((char *) b.block + sizeof(struct plan_header));
        size_t fail = b.plan.n_steps - 1;
        while (steps[fail].op != STEP_PIVOT_ROOT)
                fail--;
        steps[fail] = (struct step){ .op = STEP_FAIL, .lane = LANE_CHILD, .arg = { EXDEV } };
        struct told told = { "" };
        const struct log log = { add_line, &told };
        b.opts.log = &log;
        auto_session struct session s = SESSION_INIT;
        struct error err = ERROR_INIT;
        assert_int_equal(session_start(&s, &b.plan, &b.in, &b.opts, &err), -EXDEV);
        (void) find_line(told.text, &b, fail - 1);
        assert_null(strstr(told.text, "fail 18"));
        assert_no_children();
}

int main(void)
{
        if (geteuid() != 0) {
                fprintf(stderr, "SKIP: needs root\n");
                return 77;
        }
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_container_runs),
                cmocka_unit_test(home_is_found_in_the_containers_passwd),
                cmocka_unit_test(a_missing_program_is_named),
                cmocka_unit_test(every_step_can_fail),
                cmocka_unit_test(an_old_kernel_makes_the_same_container),
                cmocka_unit_test(an_old_kernel_sets_the_flags_of_bind_mounts),
                cmocka_unit_test(a_child_may_share_our_memory_up_to_exec),
                cmocka_unit_test(a_killed_child_is_a_failure),
                cmocka_unit_test(one_plan_many_instances),
                cmocka_unit_test(create_and_start_are_two_walks),
                cmocka_unit_test(a_failing_hook_ends_the_container),
                cmocka_unit_test(a_hook_that_takes_too_long_is_killed),
                cmocka_unit_test(hooks_run_where_the_specification_says),
                cmocka_unit_test(what_a_start_hook_says_is_told),
                cmocka_unit_test(a_start_hook_is_told_the_pid_that_it_sees),
                cmocka_unit_test(each_step_is_told_in_its_order),
                cmocka_unit_test(a_failed_step_is_not_told),
        };
        return cmocka_run_group_tests(tests, make_bundle, remove_bundle);
}

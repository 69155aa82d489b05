#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/io.h"
#include "runtime/container.h"
#include "runtime/jot.h"
#include "runtime/list.h"
#include "runtime/state.h"

struct fixture {
        char path[64];
        int root_fd;
};

static int make_root(void **state)
{
        static struct fixture f;
        strcpy(f.path, "/tmp/berth-state.XXXXXX");
        if (!mkdtemp(f.path))
                return -1;
        f.root_fd = open(f.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        *state = &f;
        return f.root_fd < 0;
}

static int remove_root(void **state)
{
        struct fixture *f = *state;
        struct arena *arena = arena_new();
        const char **ids;
        size_t n = 0;
        if (state_ids(f->root_fd, arena, &ids, &n, NULL) == 0)
                for (size_t i = 0; i < n; i++) {
                        auto_state_dir struct state_dir dir = STATE_DIR_INIT;
                        if (state_dir_open(f->root_fd, ids[i], &dir, NULL) == 0)
                                ignore_result(state_dir_remove(&dir, NULL));
                }
        arena_free(arena);
        close(f->root_fd);
        return rmdir(f->path);  /* fails if a test has left something else */
}

static struct state sample(const char *id)
{
        static const struct spec_annotation notes[] = { { "a", "1" }, { "b \"q\" <x>", "\n\\ä" } };
        return (struct state){
                .status = STATUS_CREATED, .id = id, .oci_version = "1.3.0", .bundle = "/b", .rootfs = "/b/rootfs",
                .created = "2026-01-02T03:04:05.06Z", .owner = 7, .process = { 123, UINT64_C(1) << 40 },
                .supervisor = { 124, 9 }, .no_pivot = true, .shares_pids = true, .has_poststop = true,
                .annotations = notes, .n_annotations = 2, .cgroup = "memory:/x\n:/y\n", .cgroup_expected = true,
                .unit = "berth-box.scope", .unit_user = true, .resctrl = "gold", .resctrl_own = true, .resctrl_monitored = true,
        };
}

static void an_id_is_a_plain_name(void **state)
{
        (void) state;
        static const char *const good[] = {
                "a", "A-b_c+d.9", "-", "_", "+", "n1.user.12.4294967291.0", "n1.0.-1", "a.."
        };
        static const char *const bad[] = { "", ".", "..", ".a", "a/b", "/", "a b", "a\n", "\xc3\xa4", "a:b", "a%b" };
        for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
                assert_int_equal(state_check_id(good[i], NULL), 0);
        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
                assert_int_equal(state_check_id(bad[i], NULL), -EINVAL);
        char longest[STATE_ID_MAX + 2];
        memset(longest, 'x', sizeof(longest));
        longest[STATE_ID_MAX + 1] = '\0';
        assert_int_equal(state_check_id(longest, NULL), -ENAMETOOLONG);
        longest[STATE_ID_MAX] = '\0';
        assert_int_equal(state_check_id(longest, NULL), 0);
}

static void what_was_foreseen_is_confirmed(void **state)
{
        (void) state;
        char path[] = "/tmp/test_state.XXXXXX";
        assert_non_null(mkdtemp(path));
        struct state_dir dir = { .root_fd = -1, .fd = open(path, O_RDONLY | O_DIRECTORY), .id = "box" };
        struct state st = sample("box");
        struct error err = ERROR_INIT;
        st.foreseen = true;
        assert_int_equal(state_write(&dir, &st, &err), 0);
        auto_state struct state before = STATE_INIT, after = STATE_INIT;
        assert_int_equal(state_read(&dir, &before, &err), 0);
        assert_true(before.foreseen);
        assert_int_equal(state_confirm(&dir, &st, &err), 0);
        assert_false(st.foreseen);
        assert_int_equal(state_read(&dir, &after, &err), 0);
        assert_false(after.foreseen);
        auto_free char *text = state_format(&st), *read = state_format(&after);
        assert_string_equal(text, read);
        assert_int_equal(unlinkat(dir.fd, "state.json", 0), 0);
        assert_int_equal(state_confirm(&dir, &st, &err), -ENOENT);
        close(dir.fd);
        assert_int_equal(rmdir(path), 0);
}

static void what_is_written_can_be_read(void **state)
{
        (void) state;
        struct state st = sample("box");
        auto_free char *text = state_format(&st);
        auto_state struct state back = STATE_INIT;
        struct error err = ERROR_INIT;
        assert_int_equal(state_parse(text, strlen(text), "f", &back, &err), 0);
        auto_free char *again = state_format(&back);
        assert_string_equal(text, again);
        assert_int_equal(back.process.start, UINT64_C(1) << 40);
        assert_string_equal(back.annotations[1].value, "\n\\ä");
        assert_true(back.cgroup_expected && back.no_pivot && back.shares_pids && back.has_poststop && back.unit_user);
        assert_string_equal(back.unit, "berth-box.scope");
        assert_string_equal(back.resctrl, "gold");
        assert_true(back.resctrl_own && back.resctrl_monitored);
}

static void every_truncation_is_refused(void **state)
{
        (void) state;
        struct state st = sample("box");
        auto_free char *text = state_format(&st);
        for (size_t n = 0; n < strlen(text); n++) {
                auto_free char *cut = strndup(text, n);
                struct state back = STATE_INIT;
                struct error err = ERROR_INIT;
                assert_int_equal(state_parse(cut, n, "f", &back, &err), -EINVAL);
                assert_null(strchr(err.text, '\n'));
                assert_true(err.text[0] == 'f');
        }
}

static void refuse(const char *from, const char *to, const char *complaint)
{
        struct state st = sample("box");
        auto_free char *text = state_format(&st);
        auto_str struct str s = STR_INIT;
        char *at = strstr(text, from);
        assert_non_null(at);
        str_addn(&s, text, (size_t) (at - text));
        str_add(&s, to);
        str_add(&s, at + strlen(from));
        struct state back = STATE_INIT;
        struct error err = ERROR_INIT;
        assert_int_equal(state_parse(s.text, s.size, "f", &back, &err), -EINVAL);
        assert_string_equal(err.text, complaint);
}

static void a_damaged_file_is_refused_with_the_place(void **state)
{
        (void) state;
        refuse("\"version\": 1", "\"version\": 2", "f: written by another version of the program");
        refuse("\"created\"", "\"running?\"", "f: status: unknown word \"running?\"");
        refuse("\"pid\": 123", "\"pid\": -1", "f: pid: -1 is out of range");
        refuse("\"pid\": 123", "\"pid\": 4294967296", "f: pid: 4294967296 is out of range");
        refuse("\"noPivot\": true", "\"noPivot\": 1", "f: noPivot: expected a value of type boolean");
        refuse("\"a\": \"1\"", "\"a\": 1", "f: annotations: expected strings");
        refuse("\"owner\"", "\"renwo\"", "f: owner: expected a value of type int");
}

static void an_id_is_given_once(void **state)
{
        struct fixture *f = *state;
        auto_state_dir struct state_dir a = STATE_DIR_INIT, b = STATE_DIR_INIT;
        struct state st = sample("box");
        struct error err = ERROR_INIT;
        assert_int_equal(state_dir_create(f->root_fd, &st, &a, &err), 0);
        assert_int_equal(state_dir_create(f->root_fd, &st, &b, &err), -EEXIST);
        assert_string_equal(err.text, "container with given ID already exists: \"box\"");
        assert_int_equal(state_dir_remove(&a, &err), 0);
        assert_int_equal(state_dir_create(f->root_fd, &st, &b, &err), 0);
}

static void an_empty_leftover_is_replaced(void **state)
{
        struct fixture *f = *state;
        auto_state_dir struct state_dir dir = STATE_DIR_INIT;
        auto_state struct state back = STATE_INIT;
        struct state st = sample("box");
        assert_int_equal(mkdirat(f->root_fd, "box", 0700), 0);
        assert_int_equal(state_dir_create(f->root_fd, &st, &dir, NULL), 0);
        assert_int_equal(state_read(&dir, &back, NULL), 0);
}

static void an_absent_entry_is_named(void **state)
{
        struct fixture *f = *state;
        auto_state_dir struct state_dir dir = STATE_DIR_INIT;
        struct error err = ERROR_INIT;
        assert_int_equal(state_dir_open(f->root_fd, "nope", &dir, &err), -ENOENT);
        assert_string_equal(err.text, "container does not exist: \"nope\"");
}

static void a_link_is_not_followed(void **state)
{
        struct fixture *f = *state;
        auto_state_dir struct state_dir dir = STATE_DIR_INIT, real = STATE_DIR_INIT;
        struct state st = sample("box");
        assert_int_equal(state_dir_create(f->root_fd, &st, &real, NULL), 0);
        assert_int_equal(symlinkat("box", f->root_fd, "link"), 0);
        assert_true(state_dir_open(f->root_fd, "link", &dir, NULL) < 0);
        assert_int_equal(unlinkat(f->root_fd, "link", 0), 0);
}

static void a_strangers_entry_is_not_trusted(void **state)
{
        struct fixture *f = *state;
        if (geteuid() != 0)
                skip();
        auto_state_dir struct state_dir dir = STATE_DIR_INIT, made = STATE_DIR_INIT;
        struct state st = sample("box");
        struct error err = ERROR_INIT;
        assert_int_equal(state_dir_create(f->root_fd, &st, &made, NULL), 0);
        assert_int_equal(fchown(made.fd, 12345, 12345), 0);
        assert_int_equal(state_dir_open(f->root_fd, "box", &dir, &err), -EPERM);
        assert_non_null(strstr(err.text, "belongs to uid 12345"));
        assert_int_equal(fchown(made.fd, 0, 0), 0);
}

static void an_entry_of_another_id_is_refused(void **state)
{
        struct fixture *f = *state;
        auto_state_dir struct state_dir dir = STATE_DIR_INIT, made = STATE_DIR_INIT;
        auto_state struct state back = STATE_INIT;
        struct state st = sample("box");
        assert_int_equal(state_dir_create(f->root_fd, &st, &made, NULL), 0);
        assert_int_equal(renameat(f->root_fd, "box", f->root_fd, "other"), 0);
        assert_int_equal(state_dir_open(f->root_fd, "other", &dir, NULL), 0);
        assert_int_equal(state_read(&dir, &back, NULL), -EINVAL);
}

static void the_lock_notices_that_the_entry_was_replaced(void **state)
{
        struct fixture *f = *state;
        auto_state_dir struct state_dir first = STATE_DIR_INIT, late = STATE_DIR_INIT, second = STATE_DIR_INIT;
        struct state st = sample("box");
        assert_int_equal(state_dir_create(f->root_fd, &st, &first, NULL), 0);
        assert_int_equal(state_dir_open(f->root_fd, "box", &late, NULL), 0);
        assert_int_equal(state_dir_remove(&first, NULL), 0);
        state_dir_clear(&first);
        assert_int_equal(state_dir_create(f->root_fd, &st, &second, NULL), 0);
        assert_int_equal(state_dir_lock(&late, NULL), -ENOENT);
        /* ... and what is not the entry any more cannot remove it. */
        assert_int_equal(state_dir_remove(&late, NULL), 0);
        assert_int_equal(faccessat(f->root_fd, "box/state.json", F_OK, 0), 0);
}

static void unlocking_reaches_those_who_inherited_the_lock(void **state)
{
        struct fixture *f = *state;
        auto_state_dir struct state_dir dir = STATE_DIR_INIT;
        struct state st = sample("box");
        assert_int_equal(state_dir_create(f->root_fd, &st, &dir, NULL), 0);
        pid_t pid = fork();
        if (pid == 0) {
                pause();
                _exit(0);
        }
        state_dir_clear(&dir);
        assert_int_equal(state_dir_open(f->root_fd, "box", &dir, NULL), 0);
        assert_int_equal(flock(dir.fd, LOCK_EX | LOCK_NB), 0);
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void removal_takes_everything_but_follows_no_link(void **state)
{
        struct fixture *f = *state;
        auto_state_dir struct state_dir dir = STATE_DIR_INIT;
        struct state st = sample("box");
        struct error err = ERROR_INIT;
        assert_int_equal(state_dir_create(f->root_fd, &st, &dir, NULL), 0);
        assert_int_equal(mkdirat(dir.fd, "sub", 0700), 0);
        assert_int_equal(mkdirat(dir.fd, "sub/deeper", 0700), 0);
        assert_int_equal(io_replace_file(dir.fd, "sub/deeper/file", "x", 1, 0600), 0);
        assert_int_equal(mkdirat(f->root_fd, "keep", 0700), 0);
        assert_int_equal(symlinkat("../../keep", dir.fd, "sub/link"), 0);
        assert_int_equal(state_dir_remove(&dir, &err), 0);
        assert_int_equal(unlinkat(f->root_fd, "keep", AT_REMOVEDIR), 0);
}

static void ids_are_sorted_and_skip_what_is_no_entry(void **state)
{
        struct fixture *f = *state;
        auto_arena struct arena *arena = arena_new();
        const char **ids = NULL;
        size_t n = 0;
        for (char c = 'z'; c >= 'a'; c--) {
                auto_state_dir struct state_dir dir = STATE_DIR_INIT;
                char id[2] = { c, '\0' };
                struct state st = sample(id);
                assert_int_equal(state_dir_create(f->root_fd, &st, &dir, NULL), 0);
        }
        assert_int_equal(mkdirat(f->root_fd, ".hidden", 0700), 0);
        assert_int_equal(io_replace_file(f->root_fd, "file", "", 0, 0600), 0);
        assert_int_equal(state_ids(f->root_fd, arena, &ids, &n, NULL), 0);
        assert_int_equal(n, 26);
        assert_string_equal(ids[0], "a");
        assert_string_equal(ids[25], "z");
        assert_int_equal(unlinkat(f->root_fd, ".hidden", AT_REMOVEDIR), 0);
        assert_int_equal(unlinkat(f->root_fd, "file", 0), 0);
}

/* A process that is gone for good. */
static struct process_ref dead_process(void)
{
        struct process_ref ref = { 0 };
        pid_t pid = fork();
        if (pid == 0) {
                pause();
                _exit(0);
        }
        assert_int_equal(process_ref_of(pid, &ref), 0);
        assert_true(process_ref_alive(&ref));
        kill(pid, SIGKILL);
        siginfo_t info;
        assert_int_equal(waitid(P_PID, (id_t) pid, &info, WEXITED | WNOWAIT), 0);
        assert_false(process_ref_alive(&ref));  /* a zombie is dead already */
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        assert_false(process_ref_alive(&ref));
        return ref;
}

static void a_pid_of_somebody_else_is_not_ours(void **state)
{
        (void) state;
        struct process_ref me;
        assert_int_equal(process_ref_of(getpid(), &me), 0);
        assert_true(process_ref_alive(&me));
        me.start++;
        assert_false(process_ref_alive(&me));
        assert_int_equal(process_ref_of(0x3fffffff, &me), -ESRCH);
}

static void observe(const struct state *st, enum state_status status, bool stale)
{
        auto_observed struct observed now = OBSERVED_INIT;
        assert_int_equal(state_observe(st, &now, NULL), 0);
        assert_int_equal(now.status, status);
        assert_int_equal(now.stale, stale);
        assert_int_equal(now.pidfd >= 0, status != STATUS_STOPPED && status != STATUS_CREATING);
}

static void what_is_observed_is_what_is_stored_and_who_lives(void **state)
{
        (void) state;
        struct process_ref alive, none = { 0 }, dead = dead_process();
        assert_int_equal(process_ref_of(getpid(), &alive), 0);
        struct {
                struct process_ref process, supervisor;
                enum state_status stored, seen;
                bool stale;
        } table[] = {
                { alive, none, STATUS_CREATED, STATUS_CREATED, false },
                { alive, none, STATUS_RUNNING, STATUS_RUNNING, false },
                { alive, dead, STATUS_RUNNING, STATUS_RUNNING, false }, /* something of it lives on */
                { dead, none, STATUS_RUNNING, STATUS_STOPPED, false },  /* somebody will call delete */
                { dead, alive, STATUS_RUNNING, STATUS_STOPPED, false }, /* run is about to clean up */
                { dead, dead, STATUS_RUNNING, STATUS_STOPPED, true },
                { none, alive, STATUS_CREATING, STATUS_CREATING, false },
                { none, dead, STATUS_CREATING, STATUS_STOPPED, true },  /* killed while creating */
        };
        for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
                struct state st = sample("box");
                st.cgroup = "";
                st.process = table[i].process;
                st.supervisor = table[i].supervisor;
                st.status = table[i].stored;
                observe(&st, table[i].seen, table[i].stale);
        }
}

static void put_stale(struct fixture *f, const char *id)
{
        auto_state_dir struct state_dir dir = STATE_DIR_INIT;
        struct state st = sample(id);
        st.process = st.supervisor = dead_process();
        st.cgroup = "";
        st.has_poststop = false;
        assert_int_equal(state_dir_create(f->root_fd, &st, &dir, NULL), 0);
}

static void what_a_killed_run_left_is_collected(void **state)
{
        struct fixture *f = *state;
        auto_list struct list list = LIST_INIT;
        struct error err = ERROR_INIT, warning = ERROR_INIT;
        put_stale(f, "a");
        assert_int_equal(container_collect(f->root_fd, "a", &err), 1);
        assert_int_equal(container_collect(f->root_fd, "a", &err), -ENOENT);
        put_stale(f, "b");
        assert_int_equal(list_read(f->root_fd, &list, &err), 0);
        assert_int_equal(list.n, 0);
        put_stale(f, "c");
        assert_int_equal(container_delete(f->root_fd, "c", false, &warning, &err), 0);
        assert_int_equal(container_delete(f->root_fd, "c", false, &warning, &err), -ENOENT);
        assert_int_equal(container_delete(f->root_fd, "c", true, &warning, &err), 0);
}

static void a_job_is_ended_with_its_launcher(void **state)
{
        struct fixture *f = *state;
        struct error err = ERROR_INIT, warning = ERROR_INIT;
        auto_state_dir struct state_dir dir = STATE_DIR_INIT;
        struct state st = sample("job");
        pid_t pid = fork();
        if (pid == 0) {
                pause();
                _exit(0);
        }
        assert_int_equal(process_ref_of(pid, &st.process), 0);
        st.kind = STATE_JOB;
        st.status = STATUS_RUNNING;
        st.supervisor = st.process;
        st.cgroup = "";
        st.has_poststop = false;
        assert_int_equal(state_dir_create(f->root_fd, &st, &dir, NULL), 0);
        state_dir_unlock(&dir);
        assert_int_equal(container_delete(f->root_fd, "job", false, &warning, &err), -EBUSY);
        assert_string_equal(err.text, "cannot delete container job that is not stopped: running");
        assert_int_equal(container_delete(f->root_fd, "job", true, &warning, &err), 0);
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(WTERMSIG(status), SIGKILL);
        assert_int_equal(faccessat(f->root_fd, "job", F_OK, 0), -1);
}

static void remains_without_a_state_are_removed(void **state)
{
        struct fixture *f = *state;
        struct error err = ERROR_INIT, warning = ERROR_INIT;
        assert_int_equal(mkdirat(f->root_fd, "x", 0700), 0);
        assert_int_equal(io_replace_file(openat(f->root_fd, "x", O_PATH | O_CLOEXEC), "junk", "x", 1, 0600), 0);
        assert_int_equal(container_delete(f->root_fd, "x", false, &warning, &err), -ENOENT);
        assert_int_equal(faccessat(f->root_fd, "x", F_OK, 0), -1);
        assert_int_equal(mkdirat(f->root_fd, "x", 0700), 0);
        assert_int_equal(io_replace_file(openat(f->root_fd, "x", O_PATH | O_CLOEXEC), "state.json", "{", 1, 0600), 0);
        assert_int_equal(container_delete(f->root_fd, "x", true, &warning, &err), 0);
        assert_int_equal(faccessat(f->root_fd, "x", F_OK, 0), -1);
}

static void what_a_killed_creator_left_is_swept(void **state)
{
        struct fixture *f = *state;
        char mine[64], dead[64];
        snprintf(mine, sizeof(mine), ".a.b.%d.new", (int) getpid());
        snprintf(dead, sizeof(dead), ".a.b.%d.old", (int) dead_process().pid);
        static const char *const others[] = { ".hidden", ".x.new", "..new", ".y.1.new" };
        assert_int_equal(mkdirat(f->root_fd, mine, 0700), 0);
        assert_int_equal(mkdirat(f->root_fd, dead, 0700), 0);
        for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
                assert_int_equal(mkdirat(f->root_fd, others[i], 0700), 0);
        state_sweep(f->root_fd);
        assert_int_equal(faccessat(f->root_fd, dead, F_OK, 0), -1);
        assert_int_equal(unlinkat(f->root_fd, mine, AT_REMOVEDIR), 0);
        for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
                assert_int_equal(unlinkat(f->root_fd, others[i], AT_REMOVEDIR), 0);
}

static void the_state_looks_like_that_of_runc(void **state)
{
        (void) state;
        struct state st = sample("box");
        auto_jot struct jot j = JOT_INIT(2);
        state_jot(&j, &st, STATUS_STOPPED, "");
        auto_free char *text = jot_take(&j);
        assert_string_equal(text,
                            "{\n  \"ociVersion\": \"1.3.0\",\n  \"id\": \"box\",\n  \"pid\": 0,\n"
                            "  \"status\": \"stopped\",\n  \"bundle\": \"/b\",\n  \"rootfs\": \"/b/rootfs\",\n"
                            "  \"created\": \"2026-01-02T03:04:05.06Z\",\n  \"annotations\": {\n    \"a\": \"1\",\n"
                            "    \"b \\\"q\\\" \\u003cx\\u003e\": \"\\n\\\\ä\"\n  },\n  \"owner\": \"\"\n}");
}

static void hooks_get_the_state_of_the_specification(void **state)
{
        (void) state;
        struct state st = sample("box");
        st.n_annotations = 0;
        auto_jot struct jot j = JOT_INIT(0);
        state_jot(&j, &st, STATUS_CREATING, NULL);
        auto_free char *text = jot_take(&j);
        assert_string_equal(text, "{\"ociVersion\":\"1.3.0\",\"id\":\"box\",\"status\":\"creating\",\"pid\":123,"
                                  "\"bundle\":\"/b\"}");
}

static void an_empty_list_is_null(void **state)
{
        (void) state;
        struct list list = LIST_INIT;
        auto_free char *text = list_format(&list);
        assert_string_equal(text, "null");
}

static void the_root_is_made_with_its_parents_and_for_us_only(void **state)
{
        struct fixture *f = *state;
        char path[128];
        struct stat st;
        auto_fd int fd = -1;
        snprintf(path, sizeof(path), "%s/p/q", f->path);
        assert_int_equal(state_root_open(path, false, &fd, NULL), -ENOENT);
        assert_int_equal(state_root_open(path, true, &fd, NULL), 0);
        assert_int_equal(fstat(fd, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0700);
        assert_int_equal(rmdir(path), 0);
        *strrchr(path, '/') = '\0';
        assert_int_equal(rmdir(path), 0);
        int none = -1;
        assert_int_equal(state_root_open("/", true, &none, NULL), -EINVAL);
        assert_int_equal(state_root_open("/tmp/../..", true, &none, NULL), -EINVAL);
        assert_int_equal(state_root_open("", true, &none, NULL), -EINVAL);
}

#define ROOTED(test) cmocka_unit_test_setup_teardown(test, make_root, remove_root)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(an_id_is_a_plain_name),
                cmocka_unit_test(what_is_written_can_be_read),
                cmocka_unit_test(what_was_foreseen_is_confirmed),
                cmocka_unit_test(every_truncation_is_refused),
                cmocka_unit_test(a_damaged_file_is_refused_with_the_place),
                ROOTED(an_id_is_given_once),
                ROOTED(an_empty_leftover_is_replaced),
                ROOTED(an_absent_entry_is_named),
                ROOTED(a_link_is_not_followed),
                ROOTED(a_strangers_entry_is_not_trusted),
                ROOTED(an_entry_of_another_id_is_refused),
                ROOTED(the_lock_notices_that_the_entry_was_replaced),
                ROOTED(unlocking_reaches_those_who_inherited_the_lock),
                ROOTED(removal_takes_everything_but_follows_no_link),
                ROOTED(ids_are_sorted_and_skip_what_is_no_entry),
                cmocka_unit_test(a_pid_of_somebody_else_is_not_ours),
                cmocka_unit_test(what_is_observed_is_what_is_stored_and_who_lives),
                ROOTED(what_a_killed_run_left_is_collected),
                ROOTED(a_job_is_ended_with_its_launcher),
                ROOTED(remains_without_a_state_are_removed),
                ROOTED(what_a_killed_creator_left_is_swept),
                cmocka_unit_test(the_state_looks_like_that_of_runc),
                cmocka_unit_test(hooks_get_the_state_of_the_specification),
                cmocka_unit_test(an_empty_list_is_null),
                ROOTED(the_root_is_made_with_its_parents_and_for_us_only),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

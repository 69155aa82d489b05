#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/io.h"
#include "base/str.h"
#include "runtime/exec.h"
#include "runtime/signal_name.h"
#include "spec/read.h"

static const char config[] =
        "{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"rootfs\"},\"process\":{\"cwd\":\"/home\",\"terminal\":true,"
        "\"args\":[\"init\"],\"env\":[\"A=1\",\"B=2\"],\"user\":{\"uid\":5,\"gid\":6,\"additionalGids\":[7]},"
        "\"noNewPrivileges\":true,\"capabilities\":{\"bounding\":[\"CAP_KILL\"],\"permitted\":[\"CAP_KILL\"]}}}";

static struct spec *spec, *other;
static struct error err;
static const char *const command[] = { "ls", "-l", NULL };

static int setup(void **state)
{
        (void) state;
        err = ERROR_INIT;
        return spec_read_text(config, strlen(config), "config.json", &spec, &err);
}

static int teardown(void **state)
{
        (void) state;
        spec_free(spec);
        spec_free(other);
        spec = other = NULL;
        return 0;
}

static int edit(struct exec_options o)
{
        if (!o.args && !o.process_file)
                o.args = command;
        err = ERROR_INIT;
        return exec_edit_process(spec, &o, &other, &err);
}

static void without_options_only_the_command_changes(void **state)
{
        (void) state;
        assert_int_equal(edit((struct exec_options){ 0 }), 0);
        const struct spec_process *p = &spec->process;
        assert_string_equal(p->args[1], "-l");
        assert_null(p->args[2]);
        assert_string_equal(p->cwd, "/home");
        assert_string_equal(p->env[1], "B=2");
        assert_int_equal(p->user.uid, 5);
        assert_true(p->no_new_privileges);
        assert_false(p->terminal);      /* that is the option's business */
}

static void a_user_is_a_number_or_two(void **state)
{
        (void) state;
        assert_int_equal(edit((struct exec_options){ .user = "1000" }), 0);
        assert_int_equal(spec->process.user.uid, 1000);
        assert_int_equal(spec->process.user.gid, 6);
        assert_int_equal(edit((struct exec_options){ .user = "0:100" }), 0);
        assert_int_equal(spec->process.user.uid, 0);
        assert_int_equal(spec->process.user.gid, 100);
        static const char *const bad[] = { "", "root", "1:", ":1", "1:x", "-1", "4294967296", "1:2:3",
                                           "11111111111111111111111111" };
        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
                assert_int_equal(edit((struct exec_options){ .user = bad[i] }), -EINVAL);
}

static void the_environment_is_added_to(void **state)
{
        (void) state;
        const char *const add[] = { "C=3=x", "D=", NULL }, *const bad[] = { "E", NULL },
                          *const worse[] = { "=E", NULL };
        assert_int_equal(edit((struct exec_options){ .env = add }), 0);
        assert_int_equal(strv_len(spec->process.env), 4);
        assert_string_equal(spec->process.env[0], "A=1");
        assert_string_equal(spec->process.env[3], "D=");
        assert_int_equal(edit((struct exec_options){ .env = bad }), -EINVAL);
        assert_int_equal(edit((struct exec_options){ .env = worse }), -EINVAL);
}

static void capabilities_are_added_but_not_to_the_ambient_set(void **state)
{
        (void) state;
        const char *const caps[] = { "CAP_SYS_ADMIN", NULL }, *const bad[] = { "CAP_NONSENSE", NULL };
        const uint64_t kill = UINT64_C(1) << 5, admin = UINT64_C(1) << 21;
        assert_int_equal(edit((struct exec_options){ .caps = caps }), 0);
        assert_int_equal(spec->process.caps[CAPS_BOUNDING], kill | admin);
        assert_int_equal(spec->process.caps[CAPS_PERMITTED], kill | admin);
        assert_int_equal(spec->process.caps[CAPS_EFFECTIVE], admin);
        assert_int_equal(spec->process.caps[CAPS_INHERITABLE], 0);
        assert_int_equal(spec->process.caps[CAPS_AMBIENT], 0);
        assert_int_not_equal(edit((struct exec_options){ .caps = bad }), 0);
        assert_non_null(strstr(err.text, "CAP_NONSENSE"));
}

static void groups_are_added(void **state)
{
        (void) state;
        const char *const gids[] = { "8", "9", NULL }, *const bad[] = { "x", NULL };
        assert_int_equal(edit((struct exec_options){ .gids = gids }), 0);
        assert_int_equal(spec->process.user.n_groups, 3);
        assert_int_equal(spec->process.user.groups[0], 7);
        assert_int_equal(spec->process.user.groups[2], 9);
        assert_int_equal(edit((struct exec_options){ .gids = bad }), -EINVAL);
}

static void a_directory_is_absolute(void **state)
{
        (void) state;
        assert_int_equal(edit((struct exec_options){ .cwd = "/tmp" }), 0);
        assert_string_equal(spec->process.cwd, "/tmp");
        assert_int_equal(edit((struct exec_options){ .cwd = "tmp" }), -EINVAL);
}

static void a_process_file_replaces_everything(void **state)
{
        (void) state;
        static const char text[] = "{\"cwd\":\"/\",\"args\":[\"id\"],\"user\":{\"uid\":9,\"gid\":9}}";
        char path[] = "/tmp/berth-process.XXXXXX";
        auto_fd int fd = mkstemp(path);
        assert_true(fd >= 0);
        assert_int_equal(io_write_all(fd, text, strlen(text)), 0);
        int r = edit((struct exec_options){ .process_file = path, .user = "1" });
        unlink(path);
        assert_int_equal(r, 0);
        assert_string_equal(spec->process.args[0], "id");
        assert_int_equal(spec->process.user.uid, 9);
        assert_null(spec->process.env);
        assert_false(spec->process.no_new_privileges);
        assert_int_equal(edit((struct exec_options){ .process_file = "/nonexistent/p.json" }), -ENOENT);
        assert_string_equal(err.text, "read \"/nonexistent/p.json\": No such file or directory");
}

static void signals_have_many_names(void **state)
{
        (void) state;
        static const char *const term[] = { "15", "TERM", "SIGTERM", "term", "sigterm", "SigTerm" };
        static const char *const bad[] = { "", "SIG", "NONSENSE", "-9", "9x", "99999", "RTMIN+99", "RTMAX-", " 9" };
        for (size_t i = 0; i < sizeof(term) / sizeof(*term); i++)
                assert_int_equal(signal_from_name(term[i], NULL), SIGTERM);
        for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
                assert_int_equal(signal_from_name(bad[i], &err), -EINVAL);
        assert_int_equal(signal_from_name("0", NULL), 0);
        assert_int_equal(signal_from_name("USR2", NULL), SIGUSR2);
        assert_int_equal(signal_from_name("SIGRTMIN+3", NULL), SIGRTMIN + 3);
        assert_int_equal(signal_from_name("RTMAX-1", NULL), SIGRTMAX - 1);
}

#define WITH_SPEC(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
        const struct CMUnitTest tests[] = {
                WITH_SPEC(without_options_only_the_command_changes),
                WITH_SPEC(a_user_is_a_number_or_two),
                WITH_SPEC(the_environment_is_added_to),
                WITH_SPEC(capabilities_are_added_but_not_to_the_ambient_set),
                WITH_SPEC(groups_are_added),
                WITH_SPEC(a_directory_is_absolute),
                WITH_SPEC(a_process_file_replaces_everything),
                cmocka_unit_test(signals_have_many_names),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

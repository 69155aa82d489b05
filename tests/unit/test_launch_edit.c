#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/str.h"
#include "launcher/edit.h"
#include "spec/read.h"

static const char config[] =
        "{ \"ociVersion\": \"1.0.2\", \"root\": { \"path\": \"rootfs\" },"
        "  \"process\": { \"terminal\": true, \"user\": { \"uid\": 0, \"gid\": 0 }, \"args\": [\"old\"], \"cwd\": \"/\","
        "    \"env\": [\"PATH=/bin\", \"X=1\", \"SLURM_JOB_ID=mine\", \"PMIX_RANK=9\", \"X=2\"] },"
        "  \"mounts\": [ { \"destination\": \"/proc\", \"type\": \"proc\", \"source\": \"proc\" },"
        "    { \"destination\": \"/dev\", \"type\": \"tmpfs\", \"source\": \"tmpfs\" },"
        "    { \"destination\": \"/dev/shm\", \"type\": \"tmpfs\", \"source\": \"shm\", \"options\": [\"size=64k\"] },"
        "    { \"destination\": \"/sys\", \"type\": \"sysfs\", \"source\": \"sysfs\", \"options\": [\"ro\"] } ],"
        "  \"linux\": { %s \"namespaces\": [ { \"type\": \"pid\" }, { \"type\": \"ipc\" }, { \"type\": \"mount\" },"
        "    { \"type\": \"network\" }, { \"type\": \"uts\" } %s ] } }";

static struct spec *read_config(const char *linux_more, const char *ns_more)
{
        auto_str struct str s = STR_INIT;
        const char *first = strstr(config, "%s"), *second = strstr(first + 2, "%s");
        str_addn(&s, config, (size_t) (first - config));
        str_add(&s, linux_more);
        str_addn(&s, first + 2, (size_t) (second - first - 2));
        str_add(&s, ns_more);
        str_add(&s, second + 2);
        struct spec *spec = NULL;
        struct error err = ERROR_INIT;
        if (spec_read_text(s.text, s.size, "test", &spec, &err) < 0)
                fail_msg("%s", err.text);
        return spec;
}

static void full_changes_only_terminal_and_command(void **state)
{
        (void) state;
        auto_spec struct spec *spec = read_config("", "");
        const char *const command[] = { "new", "arg", NULL };
        struct edit edit = { .isolate = ISOLATE_FULL, .command = command };
        assert_int_equal(edit_for_launch(spec, &edit, NULL), 0);
        assert_false(spec->process.terminal);
        assert_string_equal(spec->process.args[1], "arg");
        assert_null(spec->process.args[2]);
        assert_null(spec->ns[NS_PID].path);
        assert_true(spec->ns[NS_NETWORK].wanted);
        assert_string_equal(spec->mounts[2].type, "tmpfs");
}

static void ranks_share_what_the_holder_has(void **state)
{
        (void) state;
        auto_spec struct spec *spec = read_config("", "");
        struct edit edit = { .isolate = ISOLATE_RANKS, .holder = 42, .shm = "/job/shm" };
        assert_int_equal(edit_for_launch(spec, &edit, NULL), 0);
        assert_string_equal(spec->ns[NS_PID].path, "/proc/42/ns/pid");
        assert_string_equal(spec->ns[NS_IPC].path, "/proc/42/ns/ipc");
        assert_null(spec->ns[NS_MOUNT].path);
        assert_null(spec->ns[NS_UTS].path);
        assert_false(spec->ns[NS_NETWORK].wanted);
        assert_int_equal(spec->n_mounts, 4);
        assert_true(spec->mounts[2].bind);
        assert_string_equal(spec->mounts[2].source, "/job/shm");
        assert_string_equal(spec->process.args[0], "old");
}

static void ranks_in_a_user_namespace_have_the_holders_maps(void **state)
{
        (void) state;
        auto_spec struct spec *spec = read_config("\"uidMappings\": [ { \"containerID\": 0, \"hostID\": 1000, \"size\": 1 } ],"
                                                  "\"gidMappings\": [ { \"containerID\": 0, \"hostID\": 1000, \"size\": 1 } ],",
                                                  ", { \"type\": \"user\" }");
        struct edit edit = { .isolate = ISOLATE_RANKS, .holder = 42, .shm = "/job/shm" };
        assert_int_equal(edit_for_launch(spec, &edit, NULL), 0);
        assert_string_equal(spec->ns[NS_USER].path, "/proc/42/ns/user");
        assert_int_equal(spec->n_uid_map, 1);
        /* a sysfs cannot be mounted without owning the network */
        assert_true(spec->mounts[3].bind);
        assert_string_equal(spec->mounts[3].source, "/sys");
}

static void network_settings_would_be_the_hosts(void **state)
{
        (void) state;
        auto_spec struct spec *spec = read_config("\"sysctl\": { \"net.ipv4.ip_forward\": \"1\" },", "");
        struct edit edit = { .isolate = ISOLATE_RANKS, .holder = 42, .shm = "/job/shm" };
        struct error err = ERROR_INIT;
        assert_int_equal(edit_for_launch(spec, &edit, &err), -EINVAL);
        assert_non_null(strstr(err.text, "net.ipv4.ip_forward"));
}

static void mpi_in_full_isolation_needs_the_network(void **state)
{
        (void) state;
        auto_spec struct spec *spec = read_config("", "");
        struct edit edit = { .isolate = ISOLATE_FULL, .mpi = true, .bind = "/job/pmix" };
        struct error err = ERROR_INIT;
        assert_int_equal(edit_for_launch(spec, &edit, &err), -EINVAL);
        assert_non_null(strstr(err.text, "network"));
        spec->ns[NS_NETWORK] = (struct spec_namespace){ 0 };
        assert_int_equal(edit_for_launch(spec, &edit, &err), 0);
        assert_string_equal(strv_env((const char *const *) spec->process.env, "OMPI_MCA_btl"), "self,tcp");
        assert_string_equal(spec->mounts[spec->n_mounts - 1].destination, "/job/pmix");
}

static void the_environment_is_the_configs_the_schedulers_and_the_jobs(void **state)
{
        (void) state;
        auto_spec struct spec *spec = read_config("", "");
        const char *const own[] = { "HOME=/root", "SLURM_NODEID=3", "SLURM_JOB_ID=theirs", NULL };
        const char *const job[] = { "BERTH_SIZE=4", "X=3", NULL };
        assert_int_equal(edit_environment(spec, own, job, true, NULL), 0);
        const char *const *env = (const char *const *) spec->process.env;
        assert_string_equal(strv_env(env, "PATH"), "/bin");
        assert_string_equal(strv_env(env, "X"), "3");
        assert_string_equal(strv_env(env, "SLURM_NODEID"), "3");
        assert_string_equal(strv_env(env, "SLURM_JOB_ID"), "mine");
        assert_string_equal(strv_env(env, "BERTH_SIZE"), "4");
        assert_null(strv_env(env, "HOME"));
        assert_null(strv_env(env, "PMIX_RANK"));
        assert_int_equal(strv_len(env), 5);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(full_changes_only_terminal_and_command),
                cmocka_unit_test(ranks_share_what_the_holder_has),
                cmocka_unit_test(ranks_in_a_user_namespace_have_the_holders_maps),
                cmocka_unit_test(network_settings_would_be_the_hosts),
                cmocka_unit_test(mpi_in_full_isolation_needs_the_network),
                cmocka_unit_test(the_environment_is_the_configs_the_schedulers_and_the_jobs),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The default config: what it says, that we read it, and that runc's says the same. */
#include "spec_help.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <json-c/json.h>

#include "base/io.h"

extern char **environ;

static char *write_default(bool rootless, bool cgroup_v2, uint32_t uid, uint32_t gid)
{
        const struct spec_template wish = {
                .rootless = rootless, .cgroup_v2 = cgroup_v2, .uid = uid, .gid = gid,
        };
        char *text = NULL;
        struct error err = ERROR_INIT;
        assert_int_equal(spec_write_default(&wish, &text, &err), 0);
        return text;
}

static struct spec *read_back(const char *text)
{
        struct spec *spec = NULL;
        struct error err = ERROR_INIT;
        int r = spec_read_text(text, strlen(text), "config.json", &spec, &err);
        if (r < 0)
                print_error("%s\n", err.text);
        assert_int_equal(r, 0);
        return spec;
}

static void the_default_config_is_read_back(void **state)
{
        (void) state;
        auto_free char *text = write_default(false, true, 0, 0);
        auto_spec struct spec *s = read_back(text);
        const uint64_t caps = UINT64_C(1) << 29 | UINT64_C(1) << 5 | UINT64_C(1) << 10;
        assert_string_equal(s->oci_version, "1.3.0");
        assert_true(s->process.terminal && s->process.no_new_privileges && s->root.readonly);
        assert_true(s->process.caps[CAPS_BOUNDING] == caps && s->process.caps[CAPS_EFFECTIVE] == caps &&
                    s->process.caps[CAPS_PERMITTED] == caps);
        assert_true(s->process.caps[CAPS_INHERITABLE] == 0 && s->process.caps[CAPS_AMBIENT] == 0);
        assert_int_equal(s->n_mounts, 7);
        assert_string_equal(s->mounts[2].data, "newinstance,ptmxmode=0666,mode=0620,gid=5");
        assert_int_equal(s->resources.n_devices, 1);
        for (int i = 0; i < NS_TYPES; i++)
                assert_int_equal(s->ns[i].wanted, i != NS_USER && i != NS_TIME);
}

static void the_rootless_config_is_read_back(void **state)
{
        (void) state;
        auto_free char *text = write_default(true, false, 1000, 100);
        auto_spec struct spec *s = read_back(text);
        assert_true(s->ns[NS_USER].wanted && !s->ns[NS_NETWORK].wanted && !s->ns[NS_CGROUP].wanted);
        assert_int_equal(s->n_uid_map, 1);
        assert_true(s->uid_map[0].container_id == 0 && s->uid_map[0].host_id == 1000 && s->uid_map[0].size == 1);
        assert_true(s->gid_map[0].container_id == 0 && s->gid_map[0].host_id == 100 && s->gid_map[0].size == 1);
        assert_string_equal(s->mounts[2].data, "newinstance,ptmxmode=0666,mode=0620");
        assert_true(s->mounts[5].rbind);
        assert_string_equal(s->mounts[5].type, "none");
        assert_int_equal(s->resources.n_devices, 0);
}

static void it_is_indented_with_tabs(void **state)
{
        (void) state;
        auto_free char *text = write_default(false, false, 0, 0);
        static const char begins[] = "{\n\t\"ociVersion\": \"1.3.0\",\n\t\"process\": {\n\t\t\"terminal\": true,\n"
                                     "\t\t\"user\": {\n\t\t\t\"uid\": 0,\n\t\t\t\"gid\": 0\n\t\t},\n"
                                     "\t\t\"args\": [\n\t\t\t\"sh\"\n\t\t],\n";
        assert_memory_equal(text, begins, sizeof(begins) - 1);
        static const char ends[] = "\t\t\t\"/proc/sysrq-trigger\"\n\t\t]\n\t}\n}\n";
        assert_string_equal(text + strlen(text) - strlen(ends), ends);
}

/* ---- runc's ---- */

static void run_runc_spec(const char *dir, bool rootless)
{
        const char *argv[] = { "runc", "spec", "--bundle", dir, rootless ? "--rootless" : NULL, NULL };
        posix_spawn_file_actions_t actions;
        pid_t pid;
        int status;
        posix_spawn_file_actions_init(&actions);
        int r = posix_spawnp(&pid, "runc", &actions, NULL, (char **) (uintptr_t) argv, environ);
        posix_spawn_file_actions_destroy(&actions);
        if (r == ENOENT) {
                (void) rmdir(dir);
                print_message("runc is not installed\n");
                skip();
        }
        assert_int_equal(r, 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

static struct json_object *runc_spec(bool rootless)
{
        char dir[] = "/tmp/test_spec.XXXXXX", path[64];
        assert_non_null(mkdtemp(dir));
        run_runc_spec(dir, rootless);
        snprintf(path, sizeof(path), "%s/config.json", dir);

        auto_free char *text = NULL;
        assert_int_equal(io_read_file(AT_FDCWD, path, 1 << 20, &text, NULL), 0);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(rmdir(dir), 0);
        struct json_object *tree = json_tokener_parse(text);
        assert_non_null(tree);
        return tree;
}

/*
 * What became different in runc after the 1.1 that distributions still ship:
 * the version of the specification, and no ambient capabilities (1.2).
 */
static void follow_later_releases(struct json_object *tree)
{
        struct json_object *process, *capabilities;
        assert_true(json_object_object_get_ex(tree, "process", &process));
        assert_true(json_object_object_get_ex(process, "capabilities", &capabilities));
        json_object_object_del(capabilities, "ambient");
        json_object_object_add(tree, "ociVersion", json_object_new_string("1.3.0"));
}

static bool is_cgroup_v2(void)
{
        return access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0;
}

static void assert_same_as_runc(bool rootless)
{
        struct json_object *theirs = runc_spec(rootless);
        follow_later_releases(theirs);
        auto_free char *text = write_default(rootless, is_cgroup_v2(), geteuid(), getegid());
        struct json_object *ours = json_tokener_parse(text);
        assert_non_null(ours);
        if (!json_object_equal(ours, theirs))
                print_error("runc: %s\nours: %s\n", json_object_to_json_string(theirs),
                            json_object_to_json_string(ours));
        assert_true(json_object_equal(ours, theirs));
        json_object_put(ours);
        json_object_put(theirs);
}

static void it_says_what_runc_spec_says(void **state)
{
        (void) state;
        assert_same_as_runc(false);
}

static void it_says_what_runc_spec_rootless_says(void **state)
{
        (void) state;
        assert_same_as_runc(true);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_default_config_is_read_back),
                cmocka_unit_test(the_rootless_config_is_read_back),
                cmocka_unit_test(it_is_indented_with_tabs),
                cmocka_unit_test(it_says_what_runc_spec_says),
                cmocka_unit_test(it_says_what_runc_spec_rootless_says),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

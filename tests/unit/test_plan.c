#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/cleanup.h"
#include "plan/compile.h"
#include "plan/plan_share.h"
#include "spec/read.h"

/* Machines as values: the plan for any of them can be compared on any other. */
static struct host v2_host(void)
{
        return (struct host){
                .clone3 = true, .mount_setattr = true, .privileged = true,
                .maps_ids = true,
                .kcore = true,
                .cgroups = { .mode = CGROUP_V2, .n = 1, .v2_controllers = " cpuset cpu io memory pids ",
                             .v2_top = " cpuset cpu io memory pids ", .v2_below = " cpuset cpu io memory pids ",
                             .h = { { .mount_point = "/sys/fs/cgroup", .own = "/user.slice", .v2 = true } } },
        };
}

static struct host v1_host(void)
{
        return (struct host){
                .clone3 = true, .mount_setattr = true, .privileged = true,
                .maps_ids = true,
                .cgroups = { .mode = CGROUP_V1, .n = 4,
                             .h = { { "cpu,cpuacct", "/sys/fs/cgroup/cpu,cpuacct", "/", false, false, false },
                                    { "memory", "/sys/fs/cgroup/memory", "/", false, false, false },
                                    { "devices", "/sys/fs/cgroup/devices", "/", false, false, true },
                                    { "freezer", "/sys/fs/cgroup/freezer", "/", false, true, false } } },
        };
}

static struct spec *read_text(const char *text)
{
        struct spec *spec = NULL;
        struct error err = ERROR_INIT;
        if (spec_read_text(text, strlen(text), "config.json", &spec, &err) < 0)
                fail_msg("%s", err.text);
        return spec;
}

static struct spec *read_default(void)
{
        const struct spec_template wish = { .cgroup_v2 = true };
        auto_free char *text = NULL;
        struct error err = ERROR_INIT;
        if (spec_write_default(&wish, &text, &err) < 0)
                fail_msg("%s", err.text);
        return read_text(text);
}

static const struct wish plain = { .bundle = "/bundle", .id = "box", .die_with_parent = true };

static void compile(const struct spec *spec, const struct host *host, const struct wish *wish, void **ret_block,
                    size_t *ret_size)
{
        struct error err = ERROR_INIT;
        if (plan_compile(spec, host, wish, ret_block, ret_size, &err) < 0)
                fail_msg("%s", err.text);
}

static char *listing(const void *block, size_t size)
{
        struct plan plan;
        assert_int_equal(plan_open(&plan, block, size, NULL), 0);
        char *text = NULL;
        size_t text_size;
        FILE *out = open_memstream(&text, &text_size);
        plan_list(&plan, out);
        fclose(out);
        return text;
}

/* Compare with tests/golden/plan/NAME. With GOLDEN_UPDATE=1 the file is written instead: read the diff. */
static void assert_golden(const void *block, size_t size, const char *name)
{
        auto_free char *got = listing(block, size);
        char path[512];
        snprintf(path, sizeof(path), "%s/golden/plan/%s", TESTS_DIR, name);
        if (getenv("GOLDEN_UPDATE")) {
                FILE *out = fopen(path, "we");
                assert_non_null(out);
                fputs(got, out);
                fclose(out);
                return;
        }
        FILE *golden = fopen(path, "re");
        assert_non_null(golden);
        auto_free char *want = calloc(1, 65536);
        assert_true(fread(want, 1, 65535, golden) > 0);
        fclose(golden);
        assert_string_equal(got, want);
}

static void golden(const struct spec *spec, const struct host *host, const struct wish *wish, const char *name)
{
        auto_free void *block = NULL;
        size_t size;
        compile(spec, host, wish, &block, &size);
        assert_golden(block, size, name);
}

static void every_step_has_a_name_of_its_own(void **state)
{
        (void) state;
        for (unsigned op = 0; op < STEP_OPS; op++) {
                assert_non_null(step_info(op)->name);
                for (unsigned other = 0; other < op; other++)
                        assert_string_not_equal(step_info(op)->name, step_info(other)->name);
        }
        assert_null(step_info(STEP_OPS));
}

static void a_cgroup_is_beside_our_own_unless_our_limits_shall_hold(void **state)
{
        (void) state;
        struct host host = v2_host();
        auto_arena struct arena *arena = arena_new();
        auto_spec struct spec *limited = read_text(
                "{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"/r\"},\"linux\":{\"resources\":{\"memory\":{\"limit\":4096}}}}");
        auto_spec struct spec *unlimited = read_text("{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"/r\"}}");
        assert_string_equal(plan_cgroup_path(limited, &host, "box", arena), "/box");
        assert_string_equal(plan_cgroup_path(unlimited, &host, "box", arena), "/box");
        host.cgroups.stay_below = true;
        assert_string_equal(plan_cgroup_path(limited, &host, "box", arena), "box");
        assert_string_equal(plan_cgroup_path(unlimited, &host, "box", arena), "box");
        strcpy(host.cgroups.v2_below, " ");
        assert_string_equal(plan_cgroup_path(limited, &host, "box", arena), "/box");
        assert_string_equal(plan_cgroup_path(unlimited, &host, "box", arena), "box");
        strcpy(host.cgroups.h[0].own, "/job/task");
        assert_string_equal(plan_cgroup_path(limited, &host, "box", arena), "/job/box");
        limited->cgroups_path = "mine/box";
        assert_string_equal(plan_cgroup_path(limited, &host, "box", arena), "/job/mine/box");
        limited->cgroups_path = "/mine";
        assert_string_equal(plan_cgroup_path(limited, &host, "box", arena), "/mine");
}

static void the_default_config_on_cgroup_v2(void **state)
{
        (void) state;
        auto_spec struct spec *spec = read_default();
        const struct host host = v2_host();
        golden(spec, &host, &plain, "default.v2.plan");
}

static void the_default_config_on_cgroup_v1(void **state)
{
        (void) state;
        auto_spec struct spec *spec = read_default();
        const struct host host = v1_host();
        golden(spec, &host, &plain, "default.v1.plan");
}

static void the_default_config_on_an_old_kernel(void **state)
{
        (void) state;
        auto_spec struct spec *spec = read_default();
        struct host host = v2_host();
        host.clone3 = host.mount_setattr = false;
        golden(spec, &host, &plain, "default.old-kernel.plan");
}

static void create_waits_for_start(void **state)
{
        (void) state;
        auto_spec struct spec *spec = read_default();
        const struct host host = v2_host();
        const struct wish wish = { .bundle = "/bundle", .id = "box", .await_start = true, .no_pivot = true,
                                   .no_new_keyring = true, .preserve_fds = 2 };
        golden(spec, &host, &wish, "create.plan");
}

static void an_instance_of_a_launcher(void **state)
{
        (void) state;
        auto_spec struct spec *spec = read_default();
        spec->process.terminal = false;
        const struct host host = v1_host();
        const struct wish wish = { .bundle = "/bundle", .id = "job", .die_with_parent = true, .stdio = true,
                                   .cpus = true, .numa = true, .no_state = true, .cgroup_inherit = true,
                                   .cgroup_path = "/job", .cgroup_slot = true };
        golden(spec, &host, &wish, "instance.plan");
}

#define FULL_CONFIG                                                                                                 \
        "{ \"ociVersion\": \"1.3.0\", \"root\": { \"path\": \"/r\" }, \"hostname\": \"h\", \"domainname\": \"d\","  \
        "  \"process\": { \"args\": [\"x\"], \"cwd\": \"/w\", \"user\": { \"uid\": 1, \"gid\": 2, \"umask\": 63,"   \
        "    \"additionalGids\": [3, 4] }, \"oomScoreAdj\": 100, \"rlimits\": [ { \"type\": \"RLIMIT_CORE\","       \
        "    \"soft\": 0, \"hard\": 18446744073709551615 } ] },"                                                    \
        "  \"mounts\": [ { \"destination\": \"/data\", \"source\": \"data\", \"options\": [\"rbind\", \"rro\","     \
        "    \"rslave\"] }, { \"destination\": \"/t\", \"type\": \"tmpfs\", \"options\": [\"noatime\", \"size=1m\"] } ],"  \
        "  \"hooks\": { \"createRuntime\": [ { \"path\": \"/bin/hook\", \"args\": [\"hook\", \"a\"],"               \
        "    \"env\": [\"K=V\"], \"timeout\": 3 } ], \"startContainer\": [ { \"path\": \"/in\" } ],"                \
        "    \"poststart\": [ { \"path\": \"/bin/post\" } ] },"                                                     \
        "  \"linux\": { \"namespaces\": [ { \"type\": \"user\" }, { \"type\": \"mount\" }, { \"type\": \"uts\" },"  \
        "    { \"type\": \"pid\", \"path\": \"/proc/7/ns/pid\" }, { \"type\": \"ipc\" }, { \"type\": \"network\","  \
        "      \"path\": \"/run/netns/n\" }, { \"type\": \"cgroup\" } ],"                                           \
        "    \"uidMappings\": [ { \"containerID\": 0, \"hostID\": 100000, \"size\": 65536 } ],"                     \
        "    \"gidMappings\": [ { \"containerID\": 0, \"hostID\": 100000, \"size\": 65536 } ],"                     \
        "    \"sysctl\": { \"net.ipv4.ip_forward\": \"1\" }, \"rootfsPropagation\": \"rslave\","                    \
        "    \"cgroupsPath\": \"/a/b\", \"resources\": { \"memory\": { \"limit\": 1048576 },"                       \
        "      \"pids\": { \"limit\": 10 } } } }"

static void a_config_with_everything(void **state)
{
        (void) state;
        auto_spec struct spec *spec = read_text(FULL_CONFIG);
        const struct host host = v2_host();
        golden(spec, &host, &plain, "full.plan");
}

static void a_class_of_resctrl(void **state)
{
        (void) state;
        auto_spec struct spec *spec = read_text(
                "{ \"ociVersion\": \"1.3.0\", \"root\": { \"path\": \"/r\" }, \"process\": { \"args\": [\"x\"], \"cwd\": \"/\" },"
                "  \"linux\": { \"namespaces\": [ { \"type\": \"mount\" } ], \"intelRdt\": { \"closID\": \"gold\","
                "    \"schemata\": [ \"L2:0=f\", \"MB:0=50\" ], \"memBwSchema\": \"MB:0=20\", \"l3CacheSchema\": \"L3:0=ff\","
                "    \"enableMonitoring\": true } } }");
        const struct host host = v2_host();
        golden(spec, &host, &plain, "resctrl.plan");

        auto_spec struct spec *own = read_text(
                "{ \"ociVersion\": \"1.3.0\", \"root\": { \"path\": \"/r\" }, \"linux\": { \"intelRdt\": {} } }");
        auto_free void *block = NULL;
        size_t size;
        struct error err = ERROR_INIT;
        assert_int_equal(plan_compile_cgroup(own, &host, &plain, &block, &size, &err), 0);
        assert_golden(block, size, "resctrl.restore.plan");
}

static void a_unit_of_systemd(void **state)
{
        (void) state;
        auto_spec struct spec *spec = read_text(
                "{ \"ociVersion\": \"1.3.0\", \"root\": { \"path\": \"/r\" }, \"process\": { \"args\": [\"x\"], \"cwd\": \"/\" },"
                "  \"annotations\": { \"org.systemd.property.TimeoutStopSec\": \"5\", \"other\": \"x\" },"
                "  \"mounts\": [ { \"destination\": \"/sys/fs/cgroup\", \"type\": \"cgroup\", \"source\": \"cgroup\" } ],"
                "  \"linux\": { \"namespaces\": [ { \"type\": \"mount\" }, { \"type\": \"cgroup\" } ],"
                "    \"cgroupsPath\": \"a-b.slice:p:n\", \"resources\": { \"cpu\": { \"quota\": 33333 }, \"pids\": { \"limit\": 10 } } } }");
        const struct host host = v2_host(), old = v1_host();
        const struct wish wish = { .bundle = "/bundle", .id = "box", .systemd = true };
        golden(spec, &host, &wish, "systemd.v2.plan");
        spec->resources.pids_limit.has = false; /* this machine has no such controller */
        golden(spec, &old, &wish, "systemd.v1.plan");
}

/* What only some configs use: one golden plan for all of it. */
#define PROPERTIES_CONFIG                                                                                           \
        "{ \"ociVersion\": \"1.3.0\", \"root\": { \"path\": \"/r\" },"                                              \
        "  \"process\": { \"args\": [\"x\"], \"cwd\": \"/\", \"apparmorProfile\": \"prof\", \"selinuxLabel\": \"u:r:t:s0:c1,c2\","\
        "    \"scheduler\": { \"policy\": \"SCHED_DEADLINE\", \"nice\": -5, \"flags\": [\"SCHED_FLAG_RECLAIM\"], \"runtime\": 1024,"\
        "      \"deadline\": 2048, \"period\": 4096 }, \"ioPriority\": { \"class\": \"IOPRIO_CLASS_IDLE\", \"priority\": 7 },"\
        "    \"execCPUAffinity\": { \"initial\": \"0\", \"final\": \"1,70\" } },"                                   \
        "  \"mounts\": [ { \"destination\": \"/up\", \"type\": \"tmpfs\", \"options\": [\"tmpcopyup\", \"ro\"] },"  \
        "    { \"destination\": \"/id\", \"source\": \"/src\", \"options\": [\"rbind\", \"ridmap\"],"               \
        "      \"uidMappings\": [ { \"containerID\": 0, \"hostID\": 1000, \"size\": 5 } ],"                         \
        "      \"gidMappings\": [ { \"containerID\": 0, \"hostID\": 2000, \"size\": 6 } ] },"                       \
        "    { \"destination\": \"/proc\", \"type\": \"proc\" } ],"                                                 \
        "  \"linux\": { \"namespaces\": [ { \"type\": \"mount\" }, { \"type\": \"pid\" }, { \"type\": \"time\" },"  \
        "    { \"type\": \"network\" } ], \"netDevices\": { \"eth7\": {}, \"ib0\": { \"name\": \"net%d\" } },"      \
        "    \"seccomp\": { \"defaultAction\": \"SCMP_ACT_ALLOW\", \"listenerPath\": \"/run/agent\","               \
        "      \"listenerMetadata\": \"meta\", \"flags\": [\"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV\"],"            \
        "      \"syscalls\": [ { \"names\": [\"mkdir\"], \"action\": \"SCMP_ACT_NOTIFY\" } ] },"                    \
        "    \"mountLabel\": \"u:o:t:s0:c1,c2\", \"personality\": { \"domain\": \"LINUX32\" },"                     \
        "    \"memoryPolicy\": { \"mode\": \"MPOL_INTERLEAVE\", \"nodes\": \"0-1\", \"flags\": [\"MPOL_F_STATIC_NODES\"] },"\
        "    \"timeOffsets\": { \"monotonic\": { \"secs\": 5 }, \"boottime\": { \"secs\": -7, \"nanosecs\": 9 } } } }"

static struct host labelling_host(void)
{
        struct host host = v2_host();
        host.apparmor = host.selinux = true;
        return host;
}

static void properties_that_few_configs_have(void **state)
{
        (void) state;
        auto_spec struct spec *spec = read_text(PROPERTIES_CONFIG);
        const struct host host = labelling_host();
        golden(spec, &host, &plain, "properties.plan");

        const struct join_wish wish = { .joins = CLONE_NEWPID | CLONE_NEWNS, .cgroup = true, .id = "box" };
        auto_free void *block = NULL;
        size_t size;
        struct error err = ERROR_INIT;
        assert_int_equal(plan_compile_join(spec, &host, &wish, &block, &size, &err), 0);
        assert_golden(block, size, "properties.exec.plan");
}

/* A user namespace with the host's network, and what crun has beside the specification. */
#define EXTENSIONS_CONFIG                                                                                           \
        "{ \"ociVersion\": \"1.3.0\", \"root\": { \"path\": \"/r\" },"                                              \
        "  \"process\": { \"args\": [\"x\"], \"cwd\": \"/\" },"                                                       \
        "  \"mounts\": [ { \"destination\": \"/sys\", \"type\": \"sysfs\", \"options\": [\"ro\"] },"                  \
        "    { \"destination\": \"/id\", \"source\": \"/src\","                                                     \
        "      \"options\": [\"rbind\", \"idmap=uids=@5-3-2;gids=0-7-1\"] },"                                       \
        "    { \"destination\": \"/link\", \"source\": \"/link\", \"options\": [\"bind\", \"rprivate\", \"copy-symlink\"] },"\
        "    { \"destination\": \"/on\", \"source\": \"/of\", \"options\": [\"bind\", \"src-nofollow\", \"dest-nofollow\"] },"\
        "    { \"destination\": \"/cg\", \"type\": \"cgroup\", \"options\": [\"ro\", \"memory_localevents\"] } ],"\
        "  \"annotations\": { \"run.oci.keep_original_groups\": \"1\" },"                                         \
        "  \"linux\": { \"namespaces\": [ { \"type\": \"mount\" }, { \"type\": \"user\" }, { \"type\": \"cgroup\" } ],"\
        "    \"uidMappings\": [ { \"containerID\": 0, \"hostID\": 1000, \"size\": 10 } ],"                          \
        "    \"gidMappings\": [ { \"containerID\": 0, \"hostID\": 2000, \"size\": 10 } ],"                          \
        "    \"devices\": [ { \"path\": \"/dev/gpu\", \"type\": \"c\", \"major\": 195, \"minor\": 0, \"uid\": 4,"     \
        "      \"gid\": 5, \"fileMode\": 432 } ] } }"

static void what_crun_has_beside_runc(void **state)
{
        (void) state;
        auto_spec struct spec *spec = read_text(EXTENSIONS_CONFIG);
        const struct host host = v2_host();
        struct wish wish = plain;
        wish.no_cgroup = true;
        golden(spec, &host, &wish, "extensions.plan");
}

static void labels_need_a_security_module(void **state)
{
        (void) state;
        auto_spec struct spec *spec = read_text(PROPERTIES_CONFIG);
        struct host host = v2_host();
        auto_free void *block = NULL;
        size_t size;
        struct error err = ERROR_INIT;
        assert_int_equal(plan_compile(spec, &host, &plain, &block, &size, &err), -EOPNOTSUPP);
        assert_string_equal(err.text, "process.apparmorProfile: \"prof\": this kernel runs without AppArmor; leave it out");
        spec->process.apparmor = "unconfined";
        assert_int_equal(plan_compile(spec, &host, &plain, &block, &size, &err), -EOPNOTSUPP);
        assert_string_equal(err.text,
                            "process.selinuxLabel: \"u:r:t:s0:c1,c2\": this kernel runs without SELinux; leave it out");
        spec->process.selinux = NULL;
        assert_int_equal(plan_compile(spec, &host, &plain, &block, &size, &err), -EOPNOTSUPP);
        assert_string_equal(err.text,
                            "linux.mountLabel: \"u:o:t:s0:c1,c2\": this kernel runs without SELinux; leave it out");
        assert_null(block);
}

static void a_joined_user_namespace_needs_a_second_process(void **state)
{
        (void) state;
        auto_spec struct spec *spec = read_default();
        spec->ns[NS_USER] = (struct spec_namespace){ true, "/proc/7/ns/user" };
        spec->process.terminal = false;
        const struct host host = v2_host();
        golden(spec, &host, &plain, "join-user.plan");
}

/* By newuidmap; cgroups as far as they are ours. */
static void a_range_of_ids_for_an_ordinary_user(void **state)
{
        (void) state;
        auto_spec struct spec *spec = read_text(FULL_CONFIG);
        struct host host = v2_host();
        host.privileged = host.maps_ids = false;
        host.uid = host.gid = 1000;
        spec->cgroups_path = NULL;
        golden(spec, &host, &plain, "rootless.plan");
}

/* The step at which the group map comes into being, and whether setgroups(2) is denied before. */
static unsigned how_groups_are_mapped(const struct spec *spec, const struct host *host, bool *ret_denied)
{
        auto_free void *block = NULL;
        size_t size;
        struct plan plan;
        compile(spec, host, &plain, &block, &size);
        assert_int_equal(plan_open(&plan, block, size, NULL), 0);
        unsigned last = STEP_OPS;
        *ret_denied = false;
        for (size_t i = 0; i < plan.n_steps; i++) {
                unsigned op = plan.steps[i].op;
                *ret_denied = *ret_denied || op == STEP_DENY_SETGROUPS;
                if (op == STEP_WRITE_GID_MAP || op == STEP_MAP_BY_TOOL)
                        last = op;
        }
        return last;
}

static void everybody_maps_his_own_id(void **state)
{
        (void) state;
        auto_spec struct spec *spec = read_text(FULL_CONFIG);
        struct host host = v2_host();
        bool denied;
        host.privileged = host.maps_ids = false;
        host.uid = host.gid = 1000;
        spec->process.user = (struct spec_user){ 0 };
        struct spec_id_map uids = { 0, 1000, 1 }, gids = uids;
        spec->uid_map = &uids;
        spec->gid_map = &gids;
        assert_int_equal(how_groups_are_mapped(spec, &host, &denied), STEP_WRITE_GID_MAP);
        assert_true(denied);
        gids.host_id = 1001; /* not his */
        assert_int_equal(how_groups_are_mapped(spec, &host, &denied), STEP_MAP_BY_TOOL);
        assert_false(denied);
        host.maps_ids = true; /* root of a user namespace */
        assert_int_equal(how_groups_are_mapped(spec, &host, &denied), STEP_WRITE_GID_MAP);
        assert_false(denied);
}

static void exec_joins_a_container(void **state)
{
        (void) state;
        auto_spec struct spec *spec = read_default();
        spec->process.terminal = false;
        const struct host host = v2_host();
        const struct join_wish wish = { .joins = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWUTS, .cgroup = true,
                                        .id = "box" };
        auto_free void *block = NULL;
        size_t size;
        struct error err = ERROR_INIT;
        assert_int_equal(plan_compile_join(spec, &host, &wish, &block, &size, &err), 0);
        assert_golden(block, size, "exec.plan");
}

static void mounts_without_a_mount_namespace_are_made_in_a_rootfs_only(void **state)
{
        (void) state;
        auto_spec struct spec *spec = read_default();
        spec->ns[NS_MOUNT].wanted = false;
        spec->masked_paths = spec->readonly_paths = NULL;
        spec->root.path = "/x/..";
        const struct host host = v2_host();
        auto_free void *block = NULL;
        size_t size;
        struct error err = ERROR_INIT;
        assert_int_equal(plan_compile(spec, &host, &plain, &block, &size, &err), -EINVAL);
        assert_non_null(strstr(err.text, "without a mount namespace they would be the host's"));
        assert_null(block);

        spec->root.path = "rootfs";
        spec->n_mounts = 1;
        golden(spec, &host, &plain, "no-mount-ns.plan");
}

/* Words about flags of bind mounts, places as the host names them, masks that are named twice. */
#define MOUNTS_CONFIG                                                                                               \
        "{ \"ociVersion\": \"1.3.0\", \"root\": { \"path\": \"./r/\" }, \"process\": { \"args\": [\"x\"], \"cwd\": \"/\" },"   \
        "  \"mounts\": [ { \"destination\": \"/bundle/r/a\", \"source\": \"s\", \"options\": [\"bind\", \"rprivate\"] }," \
        "    { \"destination\": \"/bundle/rr\", \"source\": \"/s\", \"options\": [\"rbind\", \"ro\", \"exec\"] },"        \
        "    { \"destination\": \"/c\", \"source\": \"/s\", \"options\": [\"bind\", \"atime\"] },"                       \
        "    { \"destination\": \"/d\", \"source\": \"/s\", \"options\": [\"bind\", \"noatime\"] },"                     \
        "    { \"destination\": \"/e\", \"source\": \"/s\", \"options\": [\"bind\", \"nodiratime\"] },"                  \
        "    { \"destination\": \"/f\", \"source\": \"/s\", \"options\": [\"bind\", \"idmap\", \"rw\"] } ],"             \
        "  \"linux\": { \"namespaces\": [ { \"type\": \"user\" }, { \"type\": \"mount\" } ],"                            \
        "    \"uidMappings\": [ { \"containerID\": 0, \"hostID\": 1000, \"size\": 5 } ],"                               \
        "    \"gidMappings\": [ { \"containerID\": 0, \"hostID\": 2000, \"size\": 6 } ],"                               \
        "    \"maskedPaths\": [\"/m\", \"/n\", \"//m/\", \"/n/.\"], \"rootfsPropagation\": \"shared\" } }"

static void mounts_of_all_kinds(void **state)
{
        (void) state;
        auto_spec struct spec *spec = read_text(MOUNTS_CONFIG);
        struct host host = v2_host();
        golden(spec, &host, &plain, "mounts.plan");
        /* Nobody can help, and the kernel has no mount_setattr(). */
        host.privileged = host.mount_setattr = false;
        spec->n_mounts = 2;
        golden(spec, &host, &plain, "mounts.old-rootless.plan");
}

static void namespaces_of_others_are_joined_by_who_may(void **state)
{
        (void) state;
        auto_spec struct spec *spec = read_text(MOUNTS_CONFIG);
        spec->n_mounts = 0;
        spec->ns[NS_USER] = (struct spec_namespace){ true, "/u" };
        spec->ns[NS_MOUNT].path = "/m";
        spec->ns[NS_NETWORK] = (struct spec_namespace){ true, "/n" };
        spec->ns[NS_PID] = (struct spec_namespace){ true, "/p" };
        struct host host = v2_host();
        golden(spec, &host, &plain, "join-others.plan");
        host.privileged = false;
        golden(spec, &host, &plain, "join-others.rootless.plan");
}

static void a_slot_is_filled_by_the_instance(void **state)
{
        (void) state;
        auto_spec struct spec *spec = read_default();
        const struct host host = v2_host();
        const struct wish wish = { .bundle = "/bundle", .id = "job", .cpus = true, .stdio = true };
        auto_free void *block = NULL;
        size_t size;
        compile(spec, &host, &wish, &block, &size);
        struct plan plan;
        assert_int_equal(plan_open(&plan, block, size, NULL), 0);
        const struct step *step = plan.steps;
        while (step->op != STEP_BIND_CPUS)
                step++;
        const uint64_t mask[2] = { 1, 2 };
        struct instance a = INSTANCE_INIT, b = INSTANCE_INIT;
        a.slot[SLOT_CPUS] = (struct plan_bytes){ &mask[0], 8 };
        b.slot[SLOT_CPUS] = (struct plan_bytes){ &mask[1], 8 };
        assert_ptr_equal(plan_bytes(&plan, &a, step, 0).data, &mask[0]);
        assert_ptr_equal(plan_bytes(&plan, &b, step, 0).data, &mask[1]);
}

/* Whatever is done to a single bit: it opens as a valid plan or not at all. */
static void a_damaged_plan_never_misleads(void **state)
{
        (void) state;
        auto_spec struct spec *spec = read_text(FULL_CONFIG);
        const struct host host = v2_host();
        auto_free void *block = NULL;
        size_t size;
        compile(spec, &host, &plain, &block, &size);

        auto_free unsigned char *copy = malloc(size);
        size_t opened = 0;
        for (size_t at = 0; at < size; at++) {
                memcpy(copy, block, size);
                copy[at] ^= (unsigned char) (1u << at % 8);
                struct plan plan;
                if (plan_open(&plan, copy, size, NULL) < 0)
                        continue;
                opened++;
                auto_free char *text = listing(copy, size);
                assert_non_null(text);
        }
        assert_true(opened > 0 && opened < size);
        for (size_t cut = 0; cut < size; cut++) {
                struct plan plan;
                assert_int_equal(plan_open(&plan, block, cut, NULL), -EINVAL);
        }
}

static void a_shared_plan_is_sealed(void **state)
{
        (void) state;
        auto_spec struct spec *spec = read_default();
        const struct host host = v2_host();
        auto_free void *block = NULL;
        size_t size;
        compile(spec, &host, &plain, &block, &size);
        auto_fd int fd = -1;
        struct error err = ERROR_INIT;
        assert_int_equal(plan_share(block, size, &fd, &err), 0);
        /* neither longer nor different */
        assert_int_equal(write(fd, "x", 1), -1);
        assert_int_equal(pwrite(fd, "x", 1, 0), -1);
        auto_plan_map struct plan_map map = PLAN_MAP_INIT;
        assert_int_equal(plan_map_fd(fd, &map, &err), 0);
        assert_memory_equal(map.at, block, size);

        auto_fd int open_fd = memfd_create("plan", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        auto_plan_map struct plan_map refused = PLAN_MAP_INIT;
        assert_int_equal(plan_map_fd(open_fd, &refused, &err), -EPERM);
        assert_string_equal(err.text, "the plan is not sealed");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_step_has_a_name_of_its_own),
                cmocka_unit_test(a_cgroup_is_beside_our_own_unless_our_limits_shall_hold),
                cmocka_unit_test(the_default_config_on_cgroup_v2),
                cmocka_unit_test(the_default_config_on_cgroup_v1),
                cmocka_unit_test(the_default_config_on_an_old_kernel),
                cmocka_unit_test(create_waits_for_start),
                cmocka_unit_test(an_instance_of_a_launcher),
                cmocka_unit_test(a_class_of_resctrl),
                cmocka_unit_test(a_config_with_everything),
                cmocka_unit_test(a_unit_of_systemd),
                cmocka_unit_test(properties_that_few_configs_have),
                cmocka_unit_test(what_crun_has_beside_runc),
                cmocka_unit_test(labels_need_a_security_module),
                cmocka_unit_test(a_joined_user_namespace_needs_a_second_process),
                cmocka_unit_test(exec_joins_a_container),
                cmocka_unit_test(a_range_of_ids_for_an_ordinary_user),
                cmocka_unit_test(everybody_maps_his_own_id),
                cmocka_unit_test(mounts_without_a_mount_namespace_are_made_in_a_rootfs_only),
                cmocka_unit_test(mounts_of_all_kinds),
                cmocka_unit_test(namespaces_of_others_are_joined_by_who_may),
                cmocka_unit_test(a_slot_is_filled_by_the_instance),
                cmocka_unit_test(a_damaged_plan_never_misleads),
                cmocka_unit_test(a_shared_plan_is_sealed),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Every section of config.json, read into its struct. */
#include "spec_help.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <linux/mount.h>
#include <linux/seccomp.h>

#include "spec/words.h"

static void the_smallest_config_is_a_root(void **state)
{
        (void) state;
        auto_spec struct spec *s = read_good(CONFIG(""));
        assert_string_equal(s->oci_version, "1.0.2");
        assert_string_equal(s->root.path, "rootfs");
        assert_false(s->root.readonly);
        assert_false(s->has_process);
        assert_null(s->hostname);
        assert_null(s->cgroups_path);
        assert_null(s->mounts);
        assert_false(s->seccomp.wanted);
        for (int i = 0; i < NS_TYPES; i++)
                assert_false(s->ns[i].wanted);
}

static void an_empty_process_is_none(void **state)
{
        (void) state;
        auto_spec struct spec *empty = read_good(CONFIG(",'process':{}"));
        auto_spec struct spec *null = read_good(CONFIG(",'process':null"));
        assert_false(empty->has_process);
        assert_false(null->has_process);
}

static void unknown_properties_are_ignored(void **state)
{
        (void) state;
        auto_spec struct spec *s = read_good("{'x':[{'y':null}],'ociVersion':'1.3.0-rc.1+x','root':{'path':'/r','z':1},"
                                             "'windows':{},'process':{'cwd':'/','args':['a'],'commandLine':'b'}}");
        assert_string_equal(s->root.path, "/r");
        assert_string_equal(s->process.args[0], "a");
}

static void keys_may_be_of_any_case(void **state)
{
        (void) state;
        auto_spec struct spec *s = read_good(CONFIG(",'Process':{'CWD':'/','args':['a']},'Root':{'path':'/other'}"));
        assert_string_equal(s->process.cwd, "/");
        assert_string_equal(s->root.path, "/other"); /* the later one counts, as with Go */
}

static void a_key_in_two_cases_is_two_halves(void **state)
{
        (void) state;
        auto_spec struct spec *s = read_good(CONFIG(",'linux':{'resources':{'cpu':{'shares':9},'CPU':{'Cpus':'0'}}}"));
        assert_int_equal(s->resources.cpu.shares.value, 9);
        assert_string_equal(s->resources.cpu.cpus, "0");
}

static void the_last_of_equal_keys_counts(void **state)
{
        (void) state;
        auto_spec struct spec *s = read_good(CONFIG(",'root':{'path':'other'}"));
        assert_string_equal(s->root.path, "other");
}

static void process_is_read(void **state)
{
        (void) state;
        auto_spec struct spec *s = read_good(CONFIG(
                ",'process':{'terminal':true,'consoleSize':{'height':25,'width':80},'cwd':'/tmp',"
                "'user':{'uid':1,'gid':2,'umask':18,'additionalGids':[5,6]},"
                "'args':['sh','-c',''],'env':['A=1','B=','NL=a\\nb'],'noNewPrivileges':true,'oomScoreAdj':-500}"));
        const struct spec_process *p = &s->process;
        assert_true(s->has_process && p->terminal && p->no_new_privileges && p->has_oom_score_adj);
        assert_int_equal(p->console_width, 80);
        assert_int_equal(p->console_height, 25);
        assert_string_equal(p->cwd, "/tmp");
        assert_int_equal(p->user.uid, 1);
        assert_int_equal(p->user.gid, 2);
        assert_true(p->user.has_umask);
        assert_int_equal(p->user.umask, 022);
        assert_int_equal(p->user.n_groups, 2);
        assert_int_equal(p->user.groups[1], 6);
        assert_string_equal(p->args[1], "-c");
        assert_string_equal(p->args[2], "");
        assert_null(p->args[3]);
        assert_string_equal(p->env[2], "NL=a\nb");
        assert_null(p->env[3]);
        assert_int_equal(p->oom_score_adj, -500);
        assert_false(p->has_capabilities);
}

static void a_process_without_the_optional_parts_has_their_defaults(void **state)
{
        (void) state;
        auto_spec struct spec *s = read_good(PROCESS(",'env':[],'rlimits':[],'user':{'uid':7},'consoleSize':null"));
        const struct spec_process *p = &s->process;
        assert_false(p->terminal || p->no_new_privileges || p->has_oom_score_adj || p->user.has_umask);
        assert_null(p->env);
        assert_null(p->rlimits);
        assert_int_equal(p->user.uid, 7);
        assert_int_equal(p->user.gid, 0);
        assert_null(p->user.groups);
}

static void infinity_of_a_limit_has_two_numbers(void **state)
{
        (void) state;
        auto_spec struct spec *s = read_good(PROCESS(
                ",'rlimits':[{'type':'RLIMIT_NOFILE','soft':1024,'hard':4096},"
                "{'type':'RLIMIT_CORE','soft':9223372036854775807,'hard':18446744073709551615},"
                "{'type':'RLIMIT_STACK','soft':0,'hard':9223372036854775806}]"));
        const struct spec_rlimit *r = s->process.rlimits;
        assert_int_equal(s->process.n_rlimits, 3);
        assert_int_equal(r[0].resource, RLIMIT_NOFILE);
        assert_true(r[0].soft == 1024 && r[0].hard == 4096);
        assert_int_equal(r[1].resource, RLIMIT_CORE);
        assert_true(r[1].soft == UINT64_MAX && r[1].hard == UINT64_MAX);
        assert_true(r[2].soft == 0 && r[2].hard == INT64_MAX - UINT64_C(1));
}

static void capabilities_are_bits_and_unknown_names_are_kept_aside(void **state)
{
        (void) state;
        auto_spec struct spec *s = read_good(PROCESS(
                ",'capabilities':{'bounding':['CAP_CHOWN','cap_kill','CAP_NEW','CAP_CHECKPOINT_RESTORE'],"
                "'effective':['CAP_KILL'],'permitted':['CAP_KILL','CAP_NEW','KILL'],'ambient':[]}"));
        const struct spec_process *p = &s->process;
        assert_true(p->has_capabilities);
        assert_true(p->caps[CAPS_BOUNDING] == (1 | UINT64_C(1) << 5 | UINT64_C(1) << 40));
        assert_true(p->caps[CAPS_EFFECTIVE] == UINT64_C(1) << 5);
        assert_true(p->caps[CAPS_PERMITTED] == UINT64_C(1) << 5);
        assert_true(p->caps[CAPS_INHERITABLE] == 0 && p->caps[CAPS_AMBIENT] == 0);
        assert_string_equal(p->caps_ignored[0], "CAP_NEW");
        assert_string_equal(p->caps_ignored[1], "KILL");
        assert_null(p->caps_ignored[2]);

        auto_spec struct spec *none = read_good(PROCESS(",'capabilities':{}"));
        assert_true(none->process.has_capabilities);
        assert_null(none->process.caps_ignored);
}

static void hooks_are_read_in_their_order(void **state)
{
        (void) state;
        auto_spec struct spec *s = read_good(CONFIG(
                ",'hooks':{'poststop':[{'path':'/z'}],'createRuntime':[{'path':'/a','args':['a','-x'],'env':['K=v'],"
                "'timeout':5},{'path':'/b','args':[],'env':null}],'unknown':7}"));
        assert_int_equal(s->hooks[HOOK_CREATE_RUNTIME].n, 2);
        const struct spec_hook *h = s->hooks[HOOK_CREATE_RUNTIME].list;
        assert_string_equal(h[0].path, "/a");
        assert_string_equal(h[0].args[1], "-x");
        assert_string_equal(h[0].env[0], "K=v");
        assert_int_equal(h[0].timeout, 5);
        assert_string_equal(h[1].path, "/b");
        assert_null(h[1].args);
        assert_null(h[1].env);
        assert_int_equal(h[1].timeout, 0);
        assert_string_equal(s->hooks[HOOK_POSTSTOP].list[0].path, "/z");
        assert_int_equal(s->hooks[HOOK_PRESTART].n, 0);
        assert_null(s->hooks[HOOK_PRESTART].list);
}

static void namespaces_are_wanted_new_or_joined(void **state)
{
        (void) state;
        auto_spec struct spec *s = read_good(CONFIG(
                ",'linux':{'namespaces':[{'type':'pid'},{'type':'network','path':'/run/netns/a'},"
                "{'type':'mount','path':''},{'type':'time'},{'type':'cgroup'}]}"));
        assert_true(s->ns[NS_PID].wanted && !s->ns[NS_PID].path);
        assert_true(s->ns[NS_MOUNT].wanted && !s->ns[NS_MOUNT].path);
        assert_string_equal(s->ns[NS_NETWORK].path, "/run/netns/a");
        assert_true(s->ns[NS_TIME].wanted && s->ns[NS_CGROUP].wanted);
        assert_false(s->ns[NS_USER].wanted || s->ns[NS_IPC].wanted || s->ns[NS_UTS].wanted);
}

static void the_rest_of_linux_is_read(void **state)
{
        (void) state;
        auto_spec struct spec *s = read_good(LINUX(
                ",'cgroupsPath':'/a/../b//c/','rootfsPropagation':'rslave',"
                "'maskedPaths':['/proc/kcore'],'readonlyPaths':['/proc/sys','/proc/bus'],"
                "'devices':[{'path':'/dev/./fuse','type':'c','major':10,'minor':229,'fileMode':8630,'uid':3,'gid':4},"
                "{'path':'/dev/pipe','type':'p'},{'path':'/dev/s','type':'u','major':4095,'minor':1048575}],"
                "'sysctl':{}"));
        assert_string_equal(s->cgroups_path, "/b/c");
        assert_int_equal(s->rootfs_propagation, MS_SLAVE | MS_REC);
        assert_string_equal(s->masked_paths[0], "/proc/kcore");
        assert_null(s->masked_paths[1]);
        assert_string_equal(s->readonly_paths[1], "/proc/bus");
        assert_int_equal(s->n_devices, 3);
        const struct spec_device *d = s->devices;
        assert_string_equal(d[0].path, "/dev/fuse");
        assert_true(d[0].type == 'c' && d[0].major == 10 && d[0].minor == 229 && d[0].uid == 3 && d[0].gid == 4);
        assert_true(d[0].has_mode);
        assert_int_equal(d[0].mode, 0666);      /* 8630 is 020666 */
        assert_true(d[1].type == 'p' && !d[1].has_mode);
        assert_true(d[2].type == 'u' && d[2].major == 4095 && d[2].minor == 1048575);
        assert_null(s->sysctl);
}

static void a_cgroups_path_stays_relative_or_systemd_s(void **state)
{
        (void) state;
        auto_spec struct spec *relative = read_good(LINUX(",'cgroupsPath':'../../a/b'"));
        auto_spec struct spec *systemd = read_good(LINUX(",'cgroupsPath':'system.slice:docker:123'"));
        auto_spec struct spec *none = read_good(LINUX(",'cgroupsPath':''"));
        assert_string_equal(relative->cgroups_path, "a/b");
        assert_string_equal(systemd->cgroups_path, "system.slice:docker:123");
        assert_null(none->cgroups_path);
}

static void maps_of_texts_are_read(void **state)
{
        (void) state;
        auto_spec struct spec *s = read_good(CONFIG(
                ",'annotations':{'org.x/y':'','b':'2'},'linux':{'namespaces':[{'type':'network'}],"
                "'sysctl':{'net.ipv4.ip_forward':'1'},'resources':{'unified':{'memory.high':'max'}}}"));
        assert_int_equal(s->n_annotations, 2);
        assert_string_equal(s->annotations[0].key, "org.x/y");
        assert_string_equal(s->annotations[0].value, "");
        assert_string_equal(s->annotations[1].value, "2");
        assert_int_equal(s->n_sysctl, 1);
        assert_string_equal(s->sysctl[0].key, "net.ipv4.ip_forward");
        assert_string_equal(s->sysctl[0].value, "1");
        assert_int_equal(s->resources.n_unified, 1);
        assert_string_equal(s->resources.unified[0].key, "memory.high");
        assert_string_equal(s->resources.unified[0].value, "max");
}

static void resources_are_read(void **state)
{
        (void) state;
        auto_spec struct spec *s = read_good(RESOURCES(
                "'memory':{'limit':1073741824,'reservation':-1,'swap':1073741824,'kernel':-1,'kernelTCP':5,"
                "'swappiness':0,'disableOOMKiller':true,'useHierarchy':true,'checkBeforeUpdate':true},"
                "'cpu':{'shares':1024,'quota':-1,'burst':0,'period':100000,'realtimeRuntime':950000,"
                "'realtimePeriod':1000000,'cpus':'0-3,7','mems':'','idle':0},'pids':{'limit':-7},"
                "'devices':[{'allow':false,'access':'rwm'},"
                "{'allow':true,'type':'c','major':1,'minor':3,'access':'rm'}]"));
        const struct resources *r = &s->resources;
        assert_true(r->memory.limit.has && r->memory.limit.value == 1 << 30);
        assert_true(r->memory.reservation.has && r->memory.reservation.value == -1);
        assert_true(r->memory.swap.has && r->memory.swap.value == 1 << 30);
        assert_true(r->memory.swappiness.has && r->memory.swappiness.value == 0);
        assert_true(r->memory.has_disable_oom_killer && r->memory.disable_oom_killer);
        assert_true(r->memory.check_before_update);
        assert_true(r->cpu.shares.value == 1024 && r->cpu.quota.value == -1 && r->cpu.period.value == 100000);
        assert_true(r->cpu.burst.has && r->cpu.burst.value == 0);
        assert_true(r->cpu.rt_runtime.value == 950000 && r->cpu.rt_period.value == 1000000);
        assert_true(r->cpu.idle.has && r->cpu.idle.value == 0);
        assert_string_equal(r->cpu.cpus, "0-3,7");
        assert_null(r->cpu.mems);
        assert_true(r->pids_limit.has && r->pids_limit.value == -1);
        assert_int_equal(r->n_devices, 2);
        assert_true(!r->devices[0].allow && r->devices[0].type == 'a' && r->devices[0].major == -1 &&
                    r->devices[0].minor == -1 && r->devices[0].read && r->devices[0].write && r->devices[0].mknod);
        assert_true(r->devices[1].allow && r->devices[1].type == 'c' && r->devices[1].major == 1 &&
                    r->devices[1].minor == 3 && r->devices[1].read && !r->devices[1].write && r->devices[1].mknod);
}

static void zero_is_a_limit_only_where_runc_takes_it_for_one(void **state)
{
        (void) state;
        auto_spec struct spec *s = read_good(RESOURCES(
                "'memory':{'limit':0,'reservation':0,'swap':0,'swappiness':18446744073709551615},"
                "'cpu':{'shares':0,'quota':0,'period':0,'realtimeRuntime':0,'realtimePeriod':0},'pids':{'limit':0}"));
        const struct resources *r = &s->resources;
        assert_false(r->memory.limit.has || r->memory.reservation.has || r->memory.swap.has ||
                     r->memory.swappiness.has || r->memory.has_disable_oom_killer);
        assert_false(r->cpu.shares.has || r->cpu.quota.has || r->cpu.period.has || r->cpu.rt_runtime.has ||
                     r->cpu.rt_period.has || r->cpu.burst.has || r->cpu.idle.has);
        assert_true(r->pids_limit.has && r->pids_limit.value == 0);
}

static void resources_and_processes_can_stand_alone(void **state)
{
        (void) state;
        auto_spec struct spec *r = read_good_with(spec_read_resources, "{'memory':{'limit':5}}");
        assert_true(r->resources.memory.limit.value == 5);
        auto_spec struct spec *p = read_good_with(spec_read_process, "{'cwd':'/','args':['a']}");
        assert_true(p->has_process);
        assert_string_equal(p->process.args[0], "a");
}

static void a_filter_is_read(void **state)
{
        (void) state;
        auto_spec struct spec *s = read_good(SECCOMP(
                "'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':38,"
                "'architectures':['SCMP_ARCH_X86_64','SCMP_ARCH_X86'],"
                "'flags':['SECCOMP_FILTER_FLAG_LOG','SECCOMP_FILTER_FLAG_TSYNC'],"
                "'syscalls':[{'names':['read','write'],'action':'SCMP_ACT_ALLOW'},"
                "{'names':['clone'],'action':'SCMP_ACT_TRACE','errnoRet':7,'args':"
                "[{'index':5,'value':18446744073709551615,'valueTwo':2,'op':'SCMP_CMP_MASKED_EQ'}]},"
                "{'names':['mount'],'action':'SCMP_ACT_ERRNO'},{'names':['kexec'],'action':'SCMP_ACT_KILL'},"
                "{'names':['a'],'action':'SCMP_ACT_ERRNO','errnoRet':0}]"));
        const struct spec_seccomp *f = &s->seccomp;
        assert_true(f->wanted);
        assert_true(f->default_action == (SECCOMP_RET_ERRNO | 38u));
        assert_true(f->flags == SECCOMP_FILTER_FLAG_LOG);
        assert_string_equal(f->architectures[1], "SCMP_ARCH_X86");
        assert_null(f->architectures[2]);
        assert_int_equal(f->n_rules, 5);
        assert_string_equal(f->rules[0].names[1], "write");
        assert_null(f->rules[0].names[2]);
        assert_true(f->rules[0].action == SECCOMP_RET_ALLOW);
        assert_null(f->rules[0].args);
        assert_true(f->rules[1].action == (SECCOMP_RET_TRACE | 7u));
        assert_int_equal(f->rules[1].n_args, 1);
        assert_true(f->rules[1].args[0].index == 5 && f->rules[1].args[0].value == UINT64_MAX &&
                    f->rules[1].args[0].value_two == 2 && f->rules[1].args[0].op == SECCOMP_MASKED_EQ);
        assert_true(f->rules[2].action == (SECCOMP_RET_ERRNO | (uint32_t) EPERM));
        assert_true(f->rules[3].action == SECCOMP_RET_KILL_THREAD);
        assert_true(f->rules[4].action == SECCOMP_RET_ERRNO);
}

static void no_flags_and_an_empty_list_of_flags_differ(void **state)
{
        (void) state;
        auto_spec struct spec *absent = read_good(SECCOMP("'defaultAction':'SCMP_ACT_LOG'"));
        auto_spec struct spec *empty = read_good(SECCOMP("'defaultAction':'SCMP_ACT_LOG','flags':[]"));
        assert_true(absent->seccomp.flags == SECCOMP_FILTER_FLAG_SPEC_ALLOW);
        assert_true(empty->seccomp.flags == 0);
        assert_true(absent->seccomp.default_action == SECCOMP_RET_LOG);
        assert_null(absent->seccomp.architectures);
}

static void the_tables_of_words_agree(void **state)
{
        (void) state;
        assert_int_equal(words_namespaces.n, NS_TYPES);
        for (uint64_t i = 0; i < NS_TYPES; i++) {
                assert_string_equal(words_namespaces.list[i].text, ns_names[i]);
                assert_true(words_namespaces.list[i].value == i);
        }
        assert_int_equal(capability_number("CAP_SYS_ADMIN"), 21);
        assert_int_equal(capability_number("CAP_AUDIT_WRITE"), 29);
        assert_int_equal(capability_number("CAP_BPF"), 39);
        assert_int_equal(capability_number("SYS_ADMIN"), -1);
}

static void a_file_is_read_and_named(void **state)
{
        (void) state;
        char dir[] = "/tmp/test_spec.XXXXXX", path[64];
        assert_non_null(mkdtemp(dir));
        snprintf(path, sizeof(path), "%s/config.json", dir);
        auto_fd int dirfd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        assert_true(dirfd >= 0);

        struct spec *spec = NULL;
        struct error err = ERROR_INIT;
        assert_int_equal(spec_read_file(dirfd, "config.json", &spec, &err), -ENOENT);
        assert_string_equal(err.text, "read \"config.json\": No such file or directory");

        auto_free char *json = quotes(CONFIG(",'hostname':1"));
        auto_fd int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        assert_int_equal(write(fd, json, strlen(json)), strlen(json));
        assert_int_equal(spec_read_file(dirfd, "config.json", &spec, &err), -EINVAL);
        assert_string_equal(err.text, "config.json: hostname: expected a string, found a number");

        assert_int_equal(ftruncate(fd, (16 << 20) + 1), 0);
        assert_int_equal(spec_read_file(dirfd, "config.json", &spec, &err), -EFBIG);
        assert_string_equal(err.text, "config.json: larger than 16 MiB");
        assert_null(spec);

        assert_int_equal(unlink(path), 0);
        assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_smallest_config_is_a_root),
                cmocka_unit_test(an_empty_process_is_none),
                cmocka_unit_test(unknown_properties_are_ignored),
                cmocka_unit_test(keys_may_be_of_any_case),
                cmocka_unit_test(a_key_in_two_cases_is_two_halves),
                cmocka_unit_test(the_last_of_equal_keys_counts),
                cmocka_unit_test(process_is_read),
                cmocka_unit_test(a_process_without_the_optional_parts_has_their_defaults),
                cmocka_unit_test(infinity_of_a_limit_has_two_numbers),
                cmocka_unit_test(capabilities_are_bits_and_unknown_names_are_kept_aside),
                cmocka_unit_test(hooks_are_read_in_their_order),
                cmocka_unit_test(namespaces_are_wanted_new_or_joined),
                cmocka_unit_test(the_rest_of_linux_is_read),
                cmocka_unit_test(a_cgroups_path_stays_relative_or_systemd_s),
                cmocka_unit_test(maps_of_texts_are_read),
                cmocka_unit_test(resources_are_read),
                cmocka_unit_test(zero_is_a_limit_only_where_runc_takes_it_for_one),
                cmocka_unit_test(resources_and_processes_can_stand_alone),
                cmocka_unit_test(a_filter_is_read),
                cmocka_unit_test(no_flags_and_an_empty_list_of_flags_differ),
                cmocka_unit_test(the_tables_of_words_agree),
                cmocka_unit_test(a_file_is_read_and_named),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

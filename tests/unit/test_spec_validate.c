/* Rules between the parts of a config, and between a config and the kernel. */
#include "spec_help.h"

#include <stdio.h>

#include "spec/sysctl.h"

#define USERNS(part) CONFIG(",'linux':{'namespaces':[{'type':'user'},{'type':'mount'}]" part "}")
#define MAP(c, h, n) "[{'containerID':" #c ",'hostID':" #h ",'size':" #n "}]"
#define MAPS(c, h, n) "'uidMappings':" MAP(c, h, n) ",'gidMappings':" MAP(c, h, n)
#define USER(part) "},'process':{'cwd':'/','args':['a'],'user':{" part "}"

struct broken {
        const char *json;
        const char *sentence;
};

static void refuse_all(const struct broken *list, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                char want[1000];
                snprintf(want, sizeof(want), "config.json: %s", list[i].sentence);
                read_bad_with(spec_read_text, list[i].json, want);
        }
}

static void a_process_must_be_able_to_start(void **state)
{
        (void) state;
        static const struct broken list[] = {
                { CONFIG(",'process':{'cwd':'/'}"), "process.args: missing, there is nothing to run" },
                { CONFIG(",'process':{'cwd':'/','args':[]}"), "process.args: missing, there is nothing to run" },
                { CONFIG(",'process':{'cwd':'/','args':['']}"), "process.args[0]: an empty name of a program" },
                { PROCESS(",'rlimits':[{'type':'RLIMIT_CPU','soft':2,'hard':1}]"),
                  "process.rlimits[0].soft: 2 is above the hard limit 1" },
                { PROCESS(",'rlimits':[{'type':'RLIMIT_CPU','soft':9223372036854775807,'hard':1}]"),
                  "process.rlimits[0].soft: 18446744073709551615 is above the hard limit 1" },
                { PROCESS(",'capabilities':{'effective':['CAP_CHOWN','CAP_KILL'],'permitted':['CAP_CHOWN']}"),
                  "process.capabilities.effective: CAP_KILL is not in permitted" },
        };
        refuse_all(list, COUNT_OF(list));
}

static void a_start_needs_a_process_and_a_sandbox_does_not(void **state)
{
        (void) state;
        auto_spec struct spec *without = read_good(CONFIG(""));
        auto_spec struct spec *with = read_good(PROCESS(""));
        struct error err = ERROR_INIT;
        assert_int_equal(spec_validate(without, &err), 0);
        assert_int_equal(spec_validate_start(without, &err), -EINVAL);
        assert_string_equal(err.text, "process: missing, there is nothing to run");
        assert_int_equal(spec_validate_start(with, &err), 0);
}

static void a_user_namespace_needs_maps_that_are_right(void **state)
{
        (void) state;
        static const struct broken list[] = {
                { USERNS(USER("'uid':1")),
                  "process.user: in a user namespace without linux.uidMappings there is only root, found 1:0" },
                { USERNS(",'uidMappings':" MAP(0, 1000, 1)), "linux.gidMappings: missing, and the other map is there" },
                { USERNS(",'gidMappings':" MAP(0, 1000, 1)), "linux.uidMappings: missing, and the other map is there" },
                { LINUX("," MAPS(0, 1000, 1)), "linux.uidMappings: needs a user namespace in linux.namespaces" },
                { LINUX(",'gidMappings':" MAP(0, 1000, 1)),
                  "linux.gidMappings: needs a user namespace in linux.namespaces" },
                { USERNS("," MAPS(1, 0, 4294967295)),
                  "linux.uidMappings[0].size: 4294967295 ids reach beyond 4294967294" },
                { USERNS(",'gidMappings':" MAP(0, 0, 1) ",'uidMappings':[{'containerID':0,'hostID':0,'size':10},"
                         "{'containerID':9,'hostID':100,'size':1}]"),
                  "linux.uidMappings[1]: overlaps element 0" },
                { USERNS(",'uidMappings':" MAP(0, 0, 1) ",'gidMappings':[{'containerID':0,'hostID':5,'size':10},"
                         "{'containerID':20,'hostID':0,'size':6}]"),
                  "linux.gidMappings[1]: overlaps element 0" },
                { USERNS("," MAPS(0, 1000, 1) USER("'uid':1")),
                  "process.user.uid: 1 is in no element of linux.uidMappings" },
                { USERNS("," MAPS(0, 1000, 1) USER("'gid':1")),
                  "process.user.gid: 1 is in no element of linux.gidMappings" },
                { USERNS("," MAPS(0, 1000, 10) USER("'uid':9,'additionalGids':[9,10]")),
                  "process.user.additionalGids[1]: 10 is in no element of linux.gidMappings" },
        };
        refuse_all(list, COUNT_OF(list));

        static const char *const good[] = {
                USERNS("," MAPS(0, 1000, 1)),
                USERNS("," MAPS(0, 0, 4294967295)),
                USERNS("," MAPS(1000, 1000, 1) USER("'uid':1000,'gid':1000")),
                USERNS(",'gidMappings':" MAP(0, 0, 1) ",'uidMappings':[{'containerID':0,'hostID':10,'size':10},"
                       "{'containerID':10,'hostID':0,'size':10}]"),
                CONFIG(",'linux':{'namespaces':[{'type':'user','path':'/proc/1/ns/user'}]}"),
                CONFIG(",'linux':{'namespaces':[{'type':'user','path':'/proc/1/ns/user'}]," MAPS(0, 1, 1) "}"),
        };
        for (size_t i = 0; i < COUNT_OF(good); i++) {
                auto_spec struct spec *spec = read_good(good[i]);
                assert_true(spec->ns[NS_USER].wanted);
        }
}

static void what_needs_a_namespace_says_so(void **state)
{
        (void) state;
        static const struct broken list[] = {
                { CONFIG(",'hostname':'a'"), "hostname: needs a uts namespace in linux.namespaces" },
                { CONFIG(",'domainname':'a'"), "domainname: needs a uts namespace in linux.namespaces" },
                { CONFIG(",'linux':{'maskedPaths':['/a']}"),
                  "linux.maskedPaths: needs a mount namespace in linux.namespaces" },
                { CONFIG(",'linux':{'readonlyPaths':['/a']}"),
                  "linux.readonlyPaths: needs a mount namespace in linux.namespaces" },
                { CONFIG(",'linux':{'rootfsPropagation':'shared'}"),
                  "linux.rootfsPropagation: needs a mount namespace in linux.namespaces" },
                { LINUX("},'hostname':'12345678901234567890123456789012345678901234567890123456789012345','x':{"),
                  "hostname: 65 bytes, at most 64 are possible" },
        };
        refuse_all(list, COUNT_OF(list));

        auto_spec struct spec *spec = read_good(LINUX("},'hostname':'','domainname':'d','x':{"));
        assert_null(spec->hostname);
        assert_string_equal(spec->domainname, "d");
}

static void a_sysctl_must_belong_to_a_namespace_of_the_container(void **state)
{
        (void) state;
        static const struct broken list[] = {
                { LINUX(",'sysctl':{'net.ipv4.ip_forward':'1'}"),
                  "linux.sysctl['net.ipv4.ip_forward']: needs a network namespace in linux.namespaces" },
                { LINUX(",'sysctl':{'kernel/sem':'1'}"),
                  "linux.sysctl['kernel/sem']: needs an ipc namespace in linux.namespaces" },
                { LINUX(",'sysctl':{'fs.mqueue.msg_max':'1'}"),
                  "linux.sysctl['fs.mqueue.msg_max']: needs an ipc namespace in linux.namespaces" },
                { LINUX(",'sysctl':{'user.max_user_namespaces':'1'}"),
                  "linux.sysctl['user.max_user_namespaces']: needs a user namespace in linux.namespaces" },
                { LINUX(",'sysctl':{'kernel.hostname':'x'}"),
                  "linux.sysctl['kernel.hostname']: is what 'hostname' is for" },
                { LINUX(",'sysctl':{'vm.swappiness':'1'}"),
                  "linux.sysctl['vm.swappiness']: belongs to the whole machine, no namespace has its own" },
                { LINUX(",'sysctl':{'net.ipv4/../../kernel.core_pattern':'x'}"),
                  "linux.sysctl['net.ipv4/../../kernel.core_pattern']: expected a name such as "
                  "'net.ipv4.ip_forward'" },
                { LINUX(",'sysctl':{'net/../kernel/core_pattern':'x'}"),
                  "linux.sysctl['net/../kernel/core_pattern']: expected a name such as 'net.ipv4.ip_forward'" },
        };
        refuse_all(list, COUNT_OF(list));

        auto_spec struct spec *spec = read_good(CONFIG(
                ",'linux':{'namespaces':[{'type':'network'},{'type':'ipc'},{'type':'uts'}],'sysctl':{"
                "'net.core.somaxconn':'1','kernel.shmmax':'1','fs.mqueue.queues_max':'1','kernel.domainname':'x'}}"));
        assert_int_equal(spec->n_sysctl, 4);
}

static void the_first_separator_of_a_sysctl_decides(void **state)
{
        (void) state;
        static const char *const list[][2] = {
                { "net.ipv4.ip_forward", "net/ipv4/ip_forward" },
                { "net/ipv4/ip_forward", "net/ipv4/ip_forward" },
                { "net.ipv4.conf.eno2/100.rp_filter", "net/ipv4/conf/eno2.100/rp_filter" },
                { "net/ipv4/conf/eno2.100/rp_filter", "net/ipv4/conf/eno2.100/rp_filter" },
                { "plain", "plain" },
        };
        char path[SYSCTL_PATH_MAX];
        for (size_t i = 0; i < COUNT_OF(list); i++) {
                assert_int_equal(sysctl_path(list[i][0], path, sizeof(path)), 0);
                assert_string_equal(path, list[i][1]);
        }
        static const char *const bad[] = { "", ".", "a.", ".a", "a..b", "net/../x", "net/./x", "a.//.b", "/a", "a/" };
        for (size_t i = 0; i < COUNT_OF(bad); i++)
                assert_int_equal(sysctl_path(bad[i], path, sizeof(path)), -EINVAL);
        assert_int_equal(sysctl_path("net.ipv4", path, 8), -ENAMETOOLONG);
        assert_int_equal(sysctl_path("net.ipv4", path, 9), 0);
}

static void a_mount_must_be_possible(void **state)
{
        (void) state;
        static const struct broken list[] = {
                { MOUNT("'destination':'/a','options':['bind']"),
                  "mounts[0].source: missing, a bind mount needs one" },
                { MOUNT("'destination':'/a','type':'bind','source':''"),
                  "mounts[0].source: missing, a bind mount needs one" },
                { MOUNT("'destination':'/a','source':'/b','options':['rbind','size=1','ro','x']"),
                  "mounts[0].options: a bind mount takes no options of a file system, found 'size=1,x'" },
                { MOUNT("'destination':'/a','source':'/b'"),
                  "mounts[0].type: missing, and the options say neither bind nor rbind" },
                { MOUNT("'destination':'/a','source':'/b','type':'none','options':['ro']"),
                  "mounts[0].type: 'none' is for bind mounts, and the options say neither bind nor rbind" },
        };
        refuse_all(list, COUNT_OF(list));
}

static void memory_and_swap_together_are_not_less_than_memory(void **state)
{
        (void) state;
        static const char says[] =
                "config.json: linux.resources.memory.swap: 1 is memory and swap together, and less than the limit 2";
        read_bad_with(spec_read_text, RESOURCES("'memory':{'limit':2,'swap':1}"), says);
        read_bad_with(spec_read_resources, "{'memory':{'limit':2,'swap':1}}", says);
        auto_spec struct spec *unlimited = read_good(RESOURCES("'memory':{'limit':2,'swap':-1}"));
        auto_spec struct spec *equal = read_good(RESOURCES("'memory':{'limit':2,'swap':2}"));
        assert_true(unlimited->resources.memory.swap.value == -1 && equal->resources.memory.swap.value == 2);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_process_must_be_able_to_start),
                cmocka_unit_test(a_start_needs_a_process_and_a_sandbox_does_not),
                cmocka_unit_test(a_user_namespace_needs_maps_that_are_right),
                cmocka_unit_test(what_needs_a_namespace_says_so),
                cmocka_unit_test(a_sysctl_must_belong_to_a_namespace_of_the_container),
                cmocka_unit_test(the_first_separator_of_a_sysctl_decides),
                cmocka_unit_test(a_mount_must_be_possible),
                cmocka_unit_test(memory_and_swap_together_are_not_less_than_memory),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

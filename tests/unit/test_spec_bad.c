/* Malformed configs and the sentence that each one gets. */
#include "spec_help.h"

#include <stdio.h>

struct bad {
        const char *json;
        const char *sentence;   /* without "config.json: " in front */
};

static void refuse_all(const struct bad *list, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                char want[1000];
                snprintf(want, sizeof(want), "config.json: %s", list[i].sentence);
                read_bad_with(spec_read_text, list[i].json, want);
        }
}

/* Behind the position the words are json-c's own, and differ between its versions. */
static void syntax_errors_have_line_and_column(void **state)
{
        (void) state;
        static const struct bad list[] = {
                { "{'a':1,}", "line 1, column 8 (byte 7): " },
                { "{\n'a' 1}", "line 2, column 5 (byte 6): " },
                { "{\n\n  'a':1 'b':2}", "line 3, column 9 (byte 11): " },
                { "{'a':[1 2]}", "line 1, column 9 (byte 8): " },
                { "{'a':tru}", "line 1, column 9 (byte 8): " },
                { "{'a':'\\q'}", "line 1, column 8 (byte 7): " },
                { "{}x", "line 1, column 3 (byte 2): " },
                { "{ // no comments\n}", "line 1, column 3 (byte 2): " },
                { "{'a':NULL}", "line 1, column 7 (byte 6): " },
                { "{'a':007}", "line 1, column 9 (byte 8): " },
                { "{'a':'tab\tand\\'}", "line 1, column 17 (byte 16): " },
        };
        for (size_t i = 0; i < COUNT_OF(list); i++) {
                auto_free char *json = quotes(list[i].json);
                char want[1000];
                snprintf(want, sizeof(want), "config.json: %s", list[i].sentence);
                struct spec *spec = NULL;
                struct error err = ERROR_INIT;
                assert_int_equal(spec_read_text(json, strlen(json), "config.json", &spec, &err), -EINVAL);
                if (strncmp(err.text, want, strlen(want)) != 0)
                        assert_string_equal(err.text, want);
                assert_true(strlen(err.text) > strlen(want));
        }
}

static void what_json_c_would_take_is_refused(void **state)
{
        (void) state;
        static const struct bad list[] = {
                { "", "is empty" },
                { "{", "line 1, column 2 (byte 1): the text ends in the middle of a value" },
                { "{'args\\u0000':1}", "line 1, column 7 (byte 6): a NUL character in a name" },
                { "{'a':1,\n'args\\\\\\u0000x'\n:1}", "line 2, column 8 (byte 15): a NUL character in a name" },
                { "{'args\\\\u0000':1}", "ociVersion: missing" },
                { "{'a':18446744073709551616}", "line 1, column 6 (byte 5): a number above 2^64" },
                { "{'a':[1,-100000000000000000000]}", "line 1, column 10 (byte 9): a number above 2^64" },
                { "{'a':['100000000000000000000',0.100000000000000000000]}", "ociVersion: missing" },
                { " []", "line 1, column 2 (byte 1): expected an object" },
                { "null", "line 1, column 1 (byte 0): expected an object" },
                { "\n\n'text'", "line 3, column 1 (byte 2): expected an object" },
                { " \n", "line 2, column 1 (byte 2): expected an object" },
        };
        refuse_all(list, COUNT_OF(list));

        struct spec *spec = NULL;
        struct error err = ERROR_INIT;
        assert_int_equal(spec_read_text("{\n \0}", 5, "config.json", &spec, &err), -EINVAL);
        assert_string_equal(err.text, "config.json: line 2, column 2 (byte 3): a NUL byte");
}

static void top_level(void **state)
{
        (void) state;
        static const struct bad list[] = {
                { "{}", "ociVersion: missing" },
                { "{'ociVersion':1}", "ociVersion: expected a string, found a number" },
                { "{'ociVersion':null}", "ociVersion: missing" },
                { "{'ociVersion':''}", "ociVersion: version '', supported is 1.x" },
                { "{'ociVersion':'0.5.0-dev'}", "ociVersion: version '0.5.0-dev', supported is 1.x" },
                { "{'ociVersion':'2.0.0'}", "ociVersion: version '2.0.0', supported is 1.x" },
                { "{'ociVersion':'1.'}", "ociVersion: version '1.', supported is 1.x" },
                { "{'ociVersion':'1.0.0'}", "root: missing" },
                { "{'ociVersion':'1.0.0','root':'rootfs'}", "root: expected an object, found a string" },
                { "{'ociVersion':'1.0.0','root':{}}", "root.path: missing" },
                { "{'ociVersion':'1.0.0','root':{'path':''}}", "root.path: an empty path" },
                { "{'ociVersion':'1.0.0','root':{'path':'a\\u0000b'}}", "root.path: a NUL character in a string" },
                { "{'ociVersion':'1.0.0','root':{'path':'r','readonly':'yes'}}",
                  "root.readonly: expected a boolean, found a string" },
                { CONFIG(",'hostname':7"), "hostname: expected a string, found a number" },
                { CONFIG(",'annotations':[]"), "annotations: expected an object, found an array" },
                { CONFIG(",'annotations':{'a.b/c':1}"), "annotations['a.b/c']: expected a string, found a number" },
                { CONFIG(",'annotations':{'plain':null}"), "annotations.plain: expected a string, found null" },
                { CONFIG(",'annotations':{'':'x'}"), "annotations['']: an empty name" },
                { CONFIG(",'linux':[]"), "linux: expected an object, found an array" },
                { CONFIG(",'mounts':{}"), "mounts: expected an array, found an object" },
        };
        refuse_all(list, COUNT_OF(list));
}

static void process(void **state)
{
        (void) state;
        static const struct bad list[] = {
                { CONFIG(",'process':[]"), "process: expected an object, found an array" },
                { CONFIG(",'process':{'args':['sh']}"), "process.cwd: missing" },
                { CONFIG(",'process':{'cwd':''}"), "process.cwd: an empty path" },
                { CONFIG(",'process':{'cwd':'tmp'}"), "process.cwd: expected an absolute path, found 'tmp'" },
                { PROCESS(",'terminal':0"), "process.terminal: expected a boolean, found a number" },
                { PROCESS(",'consoleSize':{'height':25}"), "process.consoleSize.width: missing" },
                { PROCESS(",'consoleSize':{'height':25,'width':65536}"),
                  "process.consoleSize: 65536 by 25 characters, at most 65535 are possible" },
                { PROCESS(",'user':{'uid':-1}"),
                  "process.user.uid: expected a number from 0 to 4294967294, found -1" },
                { PROCESS(",'user':{'gid':4294967295}"),
                  "process.user.gid: expected a number from 0 to 4294967294, found 4294967295" },
                { PROCESS(",'user':{'uid':'root'}"), "process.user.uid: expected a number, found a string" },
                { PROCESS(",'user':{'umask':512}"), "process.user.umask: expected a number from 0 to 511, found 512" },
                { PROCESS(",'user':{'additionalGids':[1,true]}"),
                  "process.user.additionalGids[1]: expected a number, found a boolean" },
                { PROCESS(",'args':'sh'"), "process.args: expected an array, found a string" },
                { PROCESS(",'args':['sh',null]"), "process.args[1]: expected a string, found null" },
                { PROCESS(",'args':['sh','a\\u0000b']"), "process.args[1]: a NUL character in a string" },
                { PROCESS(",'env':['A=1','B']"), "process.env[1]: expected NAME=value, found 'B'" },
                { PROCESS(",'env':['=1']"), "process.env[0]: expected NAME=value, found '=1'" },
                { PROCESS(",'capabilities':['CAP_KILL']"),
                  "process.capabilities: expected an object, found an array" },
                { PROCESS(",'capabilities':{'bounding':[7]}"),
                  "process.capabilities.bounding[0]: expected a string, found a number" },
                { PROCESS(",'rlimits':{}"), "process.rlimits: expected an array, found an object" },
                { PROCESS(",'rlimits':[{'type':'RLIMIT_CPU','soft':1}]"), "process.rlimits[0].hard: missing" },
                { PROCESS(",'rlimits':[{'type':'RLIMIT_CPU','soft':1,'hard':1},"
                          "{'type':'RLIMIT_AS','soft':1,'hard':1},{'type':'RLIMIT_NICE','soft':'1','hard':1}]"),
                  "process.rlimits[2].soft: expected a number, found a string" },
                { PROCESS(",'rlimits':[{'type':'RLIMIT_CPU','soft':1.5,'hard':1}]"),
                  "process.rlimits[0].soft: expected a whole number, found '1.5'" },
                { PROCESS(",'rlimits':[{'type':'RLIMIT_CPU','soft':1,'hard':-1}]"),
                  "process.rlimits[0].hard: expected a number from 0 to 18446744073709551615, found -1" },
                { PROCESS(",'rlimits':[{'type':'NOFILE','soft':1,'hard':1}]"),
                  "process.rlimits[0].type: unknown resource limit 'NOFILE' (one of RLIMIT_AS, RLIMIT_CORE, "
                  "RLIMIT_CPU, RLIMIT_DATA, RLIMIT_FSIZE, RLIMIT_LOCKS, RLIMIT_MEMLOCK, RLIMIT_MSGQUEUE, "
                  "RLIMIT_NICE, RLIMIT_NOFILE, RLIMIT_NPROC, RLIMIT_RSS, RLIMIT_RTPRIO, RLIMIT_RTTIME, RLIMIT_SIGPENDING, RLIMIT_STACK)" },
                { PROCESS(",'rlimits':[{'type':'RLIMIT_AS','soft':1,'hard':1},{'type':'RLIMIT_AS','soft':1,'hard':1}]"),
                  "process.rlimits[1]: the same resource limit twice" },
                { PROCESS(",'oomScoreAdj':1001"),
                  "process.oomScoreAdj: expected a number from -1000 to 1000, found 1001" },
                { PROCESS(",'oomScoreAdj':18446744073709551615"),
                  "process.oomScoreAdj: expected a number from -1000 to 1000, found 18446744073709551615" },
        };
        refuse_all(list, COUNT_OF(list));
}

static void mounts_and_hooks(void **state)
{
        (void) state;
        static const struct bad list[] = {
                { CONFIG(",'mounts':[7]"), "mounts[0]: expected an object, found a number" },
                { MOUNT("'type':'proc'"), "mounts[0].destination: missing" },
                { MOUNT("'destination':''"), "mounts[0].destination: an empty path" },
                { MOUNT("'destination':'/a','type':false"), "mounts[0].type: expected a string, found a boolean" },
                { MOUNT("'destination':'/a','options':'ro'"),
                  "mounts[0].options: expected an array, found a string" },
                { MOUNT("'destination':'/a','options':['ro',1]"),
                  "mounts[0].options[1]: expected a string, found a number" },
                { MOUNT("'destination':'/a','type':'tmpfs','options':['ro','remount']"),
                  "mounts[0].options[1]: 'remount' is not supported" },
                { MOUNT("'destination':'/a','source':'/','options':['bind','tmpcopyup']"),
                  "mounts[0].options: 'tmpcopyup' is for mounts of type tmpfs" },
                { MOUNT("'destination':'/a','type':'proc','options':['remount','ro']"),
                  "mounts[0].options[0]: 'remount' is not supported" },
                { MOUNT("'destination':'/a','source':'/','options':['bind','idmap']"),
                  "mounts[0].uidMappings: missing, and there is no user namespace whose maps could be used" },
                { MOUNT("'destination':'/a','type':'tmpfs','options':['idmap']"),
                  "mounts[0].options: ids are mapped for bind mounts only" },
                { MOUNT("'destination':'/a','source':'/','options':['rbind','ridmap'],"
                        "'uidMappings':[{'containerID':0,'hostID':1,'size':1}]"),
                  "mounts[0].gidMappings: missing beside uidMappings" },
                { MOUNT("'destination':'/a','source':'/','options':['bind'],"
                        "'uidMappings':[{'containerID':0,'hostID':1,'size':2},{'containerID':1,'hostID':9,'size':2}],"
                        "'gidMappings':[{'containerID':0,'hostID':1,'size':1}]"),
                  "mounts[0].uidMappings[1]: overlaps element 0" },

                { CONFIG(",'hooks':[]"), "hooks: expected an object, found an array" },
                { CONFIG(",'hooks':{'poststop':{}}"), "hooks.poststop: expected an array, found an object" },
                { HOOK("'args':['a']"), "hooks.prestart[0].path: missing" },
                { HOOK("'path':'bin/x'"), "hooks.prestart[0].path: expected an absolute path, found 'bin/x'" },
                { HOOK("'path':'/x','timeout':0"),
                  "hooks.prestart[0].timeout: expected a number from 1 to 2147483647, found 0" },
                { HOOK("'path':'/x','env':[{}]"), "hooks.prestart[0].env[0]: expected a string, found an object" },
        };
        refuse_all(list, COUNT_OF(list));
}

static void namespaces_and_paths(void **state)
{
        (void) state;
        static const struct bad list[] = {
                { CONFIG(",'linux':{'namespaces':[{}]}"), "linux.namespaces[0].type: missing" },
                { CONFIG(",'linux':{'namespaces':[{'type':'pid'},{'type':'uts'},{'type':'ipc'},{'type':'foo'}]}"),
                  "linux.namespaces[3].type: unknown namespace 'foo' (one of user, pid, mount, uts, ipc, network, "
                  "cgroup, time)" },
                { CONFIG(",'linux':{'namespaces':[{'type':'pid'},{'type':'pid'}]}"),
                  "linux.namespaces[1]: a second pid namespace" },
                { CONFIG(",'linux':{'namespaces':[{'type':'pid','path':'proc/1/ns/pid'}]}"),
                  "linux.namespaces[0].path: expected an absolute path, found 'proc/1/ns/pid'" },
                { LINUX(",'uidMappings':[{'containerID':0,'hostID':0}]"), "linux.uidMappings[0].size: missing" },
                { LINUX(",'gidMappings':[{'containerID':0,'hostID':0,'size':0}]"),
                  "linux.gidMappings[0].size: expected a number from 1 to 4294967295, found 0" },
                { LINUX(",'maskedPaths':['/a','b']"),
                  "linux.maskedPaths[1]: expected an absolute path, found 'b'" },
                { LINUX(",'readonlyPaths':['']"), "linux.readonlyPaths[0]: an empty path" },
                { LINUX(",'rootfsPropagation':'open'"),
                  "linux.rootfsPropagation: unknown propagation 'open' (one of private, rprivate, shared, rshared, "
                  "slave, rslave, unbindable, runbindable)" },
                { LINUX(",'cgroupsPath':'..'"), "linux.cgroupsPath: '..' names no cgroup" },
                { LINUX(",'sysctl':{'net..x':'1'}"),
                  "linux.sysctl['net..x']: expected a name such as 'net.ipv4.ip_forward'" },
                { LINUX(",'sysctl':{'net.ipv4.ip_forward':1}"),
                  "linux.sysctl['net.ipv4.ip_forward']: expected a string, found a number" },
                { LINUX(",'devices':[{'path':'/dev/x'}]"), "linux.devices[0].type: missing" },
                { LINUX(",'devices':[{'type':'x','path':'/dev/x'}]"),
                  "linux.devices[0].type: unknown device type 'x' (one of c, u, b, p)" },
                { LINUX(",'devices':[{'type':'c','path':'/dev/x','minor':0}]"), "linux.devices[0].major: missing" },
                { LINUX(",'devices':[{'type':'c','path':'/dev/x','major':4096,'minor':0}]"),
                  "linux.devices[0].major: expected a number from 0 to 4095, found 4096" },
                { LINUX(",'devices':[{'type':'b','path':'/dev/x','major':8,'minor':-1}]"),
                  "linux.devices[0].minor: expected a number from 0 to 1048575, found -1" },
                { LINUX(",'devices':[{'type':'p','path':'x'}]"),
                  "linux.devices[0].path: expected an absolute path, found 'x'" },
                { LINUX(",'devices':[{'type':'p','path':'/dev/..'}]"),
                  "linux.devices[0].path: '/' cannot be a device" },
        };
        refuse_all(list, COUNT_OF(list));
}

static void resources(void **state)
{
        (void) state;
        static const struct bad list[] = {
                { RESOURCES("'memory':{'limit':'1G'}"),
                  "linux.resources.memory.limit: expected a number, found a string" },
                { RESOURCES("'memory':{'limit':-2}"),
                  "linux.resources.memory.limit: expected a number from -1 to 9223372036854775807, found -2" },
                { RESOURCES("'memory':{'swap':9223372036854775808}"),
                  "linux.resources.memory.swap: expected a number from -1 to 9223372036854775807, found "
                  "9223372036854775808" },
                { RESOURCES("'memory':{'swappiness':101}"),
                  "linux.resources.memory.swappiness: expected a number from 0 to 100, found 101" },
                { RESOURCES("'memory':{'kernel':'x'}"),
                  "linux.resources.memory.kernel: expected a number, found a string" },
                { RESOURCES("'cpu':{'shares':-1}"),
                  "linux.resources.cpu.shares: expected a number from 0 to 9223372036854775807, found -1" },
                { RESOURCES("'cpu':{'cpus':'all'}"),
                  "linux.resources.cpu.cpus: expected a list such as '0-3,7', found 'all'" },
                { RESOURCES("'cpu':{'idle':2}"),
                  "linux.resources.cpu.idle: expected a number from 0 to 1, found 2" },
                { RESOURCES("'pids':{'limit':1e3}"),
                  "linux.resources.pids.limit: expected a whole number, found '1e3'" },
                { RESOURCES("'devices':[{'access':'rwm'}]"), "linux.resources.devices[0].allow: missing" },
                { RESOURCES("'devices':[{'allow':true}]"), "linux.resources.devices[0].access: missing" },
                { RESOURCES("'devices':[{'allow':true,'access':''}]"),
                  "linux.resources.devices[0].access: expected some of the letters r, w, m, found ''" },
                { RESOURCES("'devices':[{'allow':true,'access':'rx'}]"),
                  "linux.resources.devices[0].access: expected some of the letters r, w, m, found 'rx'" },
                { RESOURCES("'devices':[{'allow':true,'type':'u','access':'r'}]"),
                  "linux.resources.devices[0].type: unknown device type 'u' (one of a, b, c)" },
                { RESOURCES("'devices':[{'allow':true,'major':-2,'access':'r'}]"),
                  "linux.resources.devices[0].major: expected a number from -1 to 4294967295, found -2" },
                { RESOURCES("'unified':{'../x.y':'1'}"),
                  "linux.resources.unified['../x.y']: expected a file of the cgroup such as 'memory.high'" },
                { RESOURCES("'unified':{'memory':'1'}"),
                  "linux.resources.unified.memory: expected a file of the cgroup such as 'memory.high'" },
                { RESOURCES("'unified':{'memory.high':1}"),
                  "linux.resources.unified['memory.high']: expected a string, found a number" },
        };
        refuse_all(list, COUNT_OF(list));
}

static void filters(void **state)
{
        (void) state;
        static const struct bad list[] = {
                { SECCOMP("'defaultAction':'ALLOW'"),
                  "linux.seccomp.defaultAction: unknown action 'ALLOW' (one of SCMP_ACT_ALLOW, SCMP_ACT_ERRNO, "
                  "SCMP_ACT_KILL, SCMP_ACT_KILL_PROCESS, SCMP_ACT_KILL_THREAD, SCMP_ACT_LOG, SCMP_ACT_NOTIFY, "
                  "SCMP_ACT_TRACE, SCMP_ACT_TRAP)" },
                { SECCOMP("'syscalls':[{'names':['read'],'action':'SCMP_ACT_ALLOW'}]"),
                  "linux.seccomp.defaultAction: missing" },
                { SECCOMP("'defaultAction':'SCMP_ACT_NOTIFY'"),
                  "linux.seccomp.defaultAction: SCMP_ACT_NOTIFY cannot be the default: the filter itself could not be "
                  "set up" },
                { SECCOMP("'defaultAction':'SCMP_ACT_ALLOW','defaultErrnoRet':1"),
                  "linux.seccomp.defaultErrnoRet: the action returns no number" },
                { SECCOMP("'defaultAction':'SCMP_ACT_ERRNO','defaultErrnoRet':4096"),
                  "linux.seccomp.defaultErrnoRet: expected a number from 0 to 4095, found 4096" },
                { SECCOMP("'defaultAction':'SCMP_ACT_ALLOW','architectures':['x86_64']"),
                  "linux.seccomp.architectures[0]: unknown architecture 'x86_64' (one of SCMP_ARCH_AARCH64, "
                  "SCMP_ARCH_ARM, SCMP_ARCH_LOONGARCH64, SCMP_ARCH_M68K, SCMP_ARCH_MIPS, SCMP_ARCH_MIPS64, "
                  "SCMP_ARCH_MIPS64N32, SCMP_ARCH_MIPSEL, SCMP_ARCH_MIPSEL64, SCMP_ARCH_MIPSEL64N32, "
                  "SCMP_ARCH_PARISC, SCMP_ARCH_PARISC64, SCMP_ARCH_PPC, SCMP_ARCH_PPC64, SCMP_ARCH_PPC64LE, "
                  "SCMP_ARCH_RISCV64, SCMP_ARCH_S390, SCMP_ARCH_S390X, SCMP_ARCH_SH, SCMP_ARCH_SHEB, "
                  "SCMP_ARCH_X32, SCMP_ARCH_X86, SCMP_ARCH_X86_64)" },
                { SECCOMP("'defaultAction':'SCMP_ACT_ALLOW','flags':['LOG']"),
                  "linux.seccomp.flags[0]: unknown flag 'LOG' (one of SECCOMP_FILTER_FLAG_TSYNC, "
                  "SECCOMP_FILTER_FLAG_SPEC_ALLOW, SECCOMP_FILTER_FLAG_LOG, SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV)" },
                { SECCOMP("'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{'action':'SCMP_ACT_KILL'}]"),
                  "linux.seccomp.syscalls[0].names: missing" },
                { SECCOMP("'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{'names':[],'action':'SCMP_ACT_KILL'}]"),
                  "linux.seccomp.syscalls[0].names: no system call named" },
                { SECCOMP("'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{'names':['read']}]"),
                  "linux.seccomp.syscalls[0].action: missing" },
                { SECCOMP("'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{'names':['read'],"
                          "'action':'SCMP_ACT_NOTIFY'}]"),
                  "linux.seccomp.listenerPath: missing, SCMP_ACT_NOTIFY needs it" },
                { SECCOMP("'defaultAction':'SCMP_ACT_ALLOW','listenerPath':'x','syscalls':[{'names':['read'],"
                          "'action':'SCMP_ACT_NOTIFY'}]"),
                  "linux.seccomp.listenerPath: expected the absolute path of a socket (at most 107 bytes), found 'x'" },
                { SECCOMP("'defaultAction':'SCMP_ACT_ALLOW','listenerPath':'/x','syscalls':[{'names':['read','write'],"
                          "'action':'SCMP_ACT_NOTIFY'}]"),
                  "linux.seccomp: syscalls[0]: SCMP_ACT_NOTIFY cannot be used for the write syscall, which hands the "
                  "listener over" },
                { SECCOMP("'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{'names':['read'],"
                          "'action':'SCMP_ACT_TRACE','errnoRet':65536}]"),
                  "linux.seccomp.syscalls[0].errnoRet: expected a number from 0 to 65535, found 65536" },
                { SECCOMP("'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{'names':['read'],"
                          "'action':'SCMP_ACT_ERRNO','args':[{'index':6,'value':0,'op':'SCMP_CMP_EQ'}]}]"),
                  "linux.seccomp.syscalls[0].args[0].index: expected a number from 0 to 5, found 6" },
                { SECCOMP("'defaultAction':'SCMP_ACT_ALLOW','syscalls':[{'names':['read'],"
                          "'action':'SCMP_ACT_ERRNO','args':[{'index':0,'value':0,'op':'=='}]}]"),
                  "linux.seccomp.syscalls[0].args[0].op: unknown operator '==' (one of SCMP_CMP_EQ, SCMP_CMP_GE, "
                  "SCMP_CMP_GT, SCMP_CMP_LE, SCMP_CMP_LT, SCMP_CMP_MASKED_EQ, SCMP_CMP_NE)" },
        };
        refuse_all(list, COUNT_OF(list));
}

static void limits_of_devices_have_to_make_sense(void **state)
{
        (void) state;
        static const struct bad list[] = {
                { RESOURCES("'blockIO':{'weight':9}"),
                  "linux.resources.blockIO.weight: expected a weight from 10 to 1000, found 9" },
                { RESOURCES("'blockIO':{'weight':1001}"),
                  "linux.resources.blockIO.weight: expected a number from 0 to 1000, found 1001" },
                { RESOURCES("'blockIO':{'throttleReadBpsDevice':[{'major':1,'rate':5}]}"),
                  "linux.resources.blockIO.throttleReadBpsDevice[0].minor: missing" },
                { RESOURCES("'blockIO':{'weightDevice':[{'major':1,'minor':5}]}"),
                  "linux.resources.blockIO.weightDevice[0]: weight: missing" },
                { RESOURCES("'hugepageLimits':[{'pageSize':'2M','limit':0}]"),
                  "linux.resources.hugepageLimits[0].pageSize: expected a size such as '2MB', found '2M'" },
                { RESOURCES("'hugepageLimits':[{'pageSize':'../2MB','limit':0}]"),
                  "linux.resources.hugepageLimits[0].pageSize: expected a size such as '2MB', found '../2MB'" },
                { RESOURCES("'network':{'priorities':[{'name':'a b','priority':1}]}"),
                  "linux.resources.network.priorities[0].name: expected the name of a device, found 'a b'" },
                { RESOURCES("'rdma':{'mlx5_0':{}}"),
                  "linux.resources.rdma.mlx5_0: expected hcaHandles, hcaObjects or both" },
                { RESOURCES("'rdma':{'mlx5_0':[]}"), "linux.resources.rdma.mlx5_0: expected an object" },
        };
        refuse_all(list, COUNT_OF(list));
}

static void scheduling_has_to_make_sense(void **state)
{
        (void) state;
        static const struct bad list[] = {
                { PROCESS(",'scheduler':{'policy':'SCHED_FIFO'}"),
                  "process.scheduler.priority: expected a number from 1 to 99 for this policy" },
                { PROCESS(",'scheduler':{'policy':'SCHED_OTHER','priority':1}"),
                  "process.scheduler.priority: only SCHED_FIFO and SCHED_RR have one" },
                { PROCESS(",'scheduler':{'policy':'SCHED_OTHER','nice':20}"),
                  "process.scheduler.nice: expected a number from -20 to 19, found 20" },
                { PROCESS(",'scheduler':{'policy':'SCHED_BATCH','period':1}"),
                  "process.scheduler.deadline: only SCHED_DEADLINE has a runtime, a deadline and a period" },
                { PROCESS(",'scheduler':{'policy':'SCHED_DEADLINE','runtime':1023,'deadline':2000}"),
                  "process.scheduler.runtime: expected at least 1024 ns for SCHED_DEADLINE, found 1023" },
                { PROCESS(",'scheduler':{'policy':'SCHED_DEADLINE','runtime':3000,'deadline':2000}"),
                  "process.scheduler.deadline: expected at least the runtime, 3000 ns, found 2000" },
                { PROCESS(",'scheduler':{'policy':'SCHED_DEADLINE','runtime':2000,'deadline':3000,'period':2500}"),
                  "process.scheduler.deadline: expected at most the period, 2500 ns, found 3000" },
                { PROCESS(",'scheduler':{'nice':1}"), "process.scheduler.policy: missing" },
                { PROCESS(",'scheduler':{'policy':'SCHED_OTHER','flags':[1]}"),
                  "process.scheduler.flags[0]: expected a string" },
                { PROCESS(",'ioPriority':{'priority':1}"), "process.ioPriority.class: missing" },
                { PROCESS(",'ioPriority':{'class':'IOPRIO_CLASS_BE','priority':8}"),
                  "process.ioPriority.priority: expected a number from 0 to 7, found 8" },
                { PROCESS(",'execCPUAffinity':{'initial':'0-'}"),
                  "process.execCPUAffinity.initial: expected a list such as '0-3,7', found '0-'" },
                { PROCESS(",'execCPUAffinity':{'final':'3-1'}"),
                  "process.execCPUAffinity.final: expected a list such as '0-3,7', found '3-1'" },
                { PROCESS(",'execCPUAffinity':{'final':'1,'}"),
                  "process.execCPUAffinity.final: expected a list such as '0-3,7', found '1,'" },
                { PROCESS(",'execCPUAffinity':{'final':'99999999999999999999'}"),
                  "process.execCPUAffinity.final: a number above 8191 in '99999999999999999999'" },
                { LINUX(",'memoryPolicy':{'mode':'MPOL_BIND'}"),
                  "linux.memoryPolicy.nodes: missing, this mode needs at least one" },
                { LINUX(",'memoryPolicy':{'mode':'MPOL_LOCAL','nodes':'0'}"),
                  "linux.memoryPolicy.nodes: mode requires 0 nodes but got 1 (MPOL_DEFAULT and MPOL_LOCAL take none)" },
                { LINUX(",'memoryPolicy':{'nodes':'0'}"), "linux.memoryPolicy.mode: missing or invalid memory policy mode" },
                { LINUX(",'memoryPolicy':{}"), "linux.memoryPolicy.mode: missing or invalid memory policy mode" },
                { MOUNT("'destination':'/a','source':'/b','options':['bind','idmap=uids=0-1']"),
                  "mounts[0].options[1]: expected ranges such as '0-1000-10#10-2000-5' in the maps" },
                { MOUNT("'destination':'/a','source':'/b','options':['bind','idmap=pids=0-1-1']"),
                  "mounts[0].options[1]: expected 'uids=...;gids=...' behind 'idmap=', found 'pids=0-1-1'" },
                { MOUNT("'destination':'/a','source':'/b','options':['bind','idmap=uids=0-1-1']"),
                  "mounts[0].gidMappings: missing beside uidMappings" },
                { MOUNT("'destination':'/a','source':'/b','options':['bind','idmap=uids=@0-1-1;gids=0-1-1']"),
                  "mounts[0].options: a map with '@' is relative to a user namespace, and there is none" },
                { MOUNT("'destination':'/a','type':'tmpfs','options':['src-nofollow']"),
                  "mounts[0].options: 'copy-symlink', 'src-nofollow' and 'dest-nofollow' are for bind mounts" },
                { LINUX(",'personality':{'domain':'BSD'}"),
                  "linux.personality.domain: unknown domain 'BSD' (one of LINUX, LINUX32)" },
                { LINUX(",'netDevices':{'eth0':{}}"),
                  "linux.netDevices: needs a network namespace in linux.namespaces" },
                { LINUX(",'netDevices':{'a/b':{}}"), "linux.netDevices['a/b']: expected the name of a network device" },
                { LINUX(",'netDevices':{'eth0':{'name':'%d%d'}}"),
                  "linux.netDevices.eth0.name: expected the name of a network device (at most 15 bytes), found '%d%d'" },
                { LINUX(",'netDevices':{'eth0':1}"), "linux.netDevices.eth0: expected an object" },
                { LINUX(",'namespaces':[{'type':'network'}],'netDevices':{'a':{'name':'x'},'b':{'name':'x'}}"),
                  "linux.netDevices.b: its name 'x' is given to a, too" },
                { LINUX(",'timeOffsets':{'realtime':{'secs':1}}"),
                  "linux.timeOffsets.realtime: a time namespace has the clocks monotonic and boottime" },
                { LINUX(",'timeOffsets':{'monotonic':{'nanosecs':1000000000}}"),
                  "linux.timeOffsets.monotonic.nanosecs: expected a number from 0 to 999999999, found 1000000000" },
                { LINUX(",'timeOffsets':{'monotonic':{'secs':1}}"),
                  "linux.timeOffsets: needs a new time namespace in linux.namespaces" },
                { LINUX(",'intelRdt':{'closID':'a/b'}"), "linux.intelRdt.closID: expected the name of a file, or '/', found 'a/b'" },
                { LINUX(",'intelRdt':{'closID':'..'}"), "linux.intelRdt.closID: expected the name of a file, or '/', found '..'" },
                { LINUX(",'intelRdt':{'l3CacheSchema':'ff'}"),
                  "linux.intelRdt.l3CacheSchema: expected a line such as 'L3:0=ff;1=ff', found 'ff'" },
                { LINUX(",'intelRdt':{'memBwSchema':'L3:0=f'}"),
                  "linux.intelRdt.memBwSchema: expected one line such as 'MB:0=50;1=70', found 'L3:0=f'" },
                { LINUX(",'intelRdt':{'schemata':['L3:0=f','L3:0=f\\nMB:0=20']}"),
                  "linux.intelRdt.schemata[1]: expected one line such as 'L3:0=ff;1=ff', found 'L3:0=f\\x0aMB:0=20'" },
                { LINUX(",'intelRdt':{'enableMonitoring':1}"),
                  "linux.intelRdt.enableMonitoring: expected a boolean, found a number" },
                { PROCESS(",'apparmorProfile':'a\\nb'"),
                  "process.apparmorProfile: expected a label, found 'a\\x0ab'" },
        };
        refuse_all(list, COUNT_OF(list));
}

static void what_is_known_and_not_supported_is_refused_by_name(void **state)
{
        (void) state;
        static const struct bad list[] = {
                { LINUX(",'personality':{'domain':'LINUX','flags':['x']}"),
                  "linux.personality.flags: not supported; leave it out" },
                { RESOURCES("'blockIO':{'leafWeight':10}"),
                  "linux.resources.blockIO.leafWeight: not supported; leave it out" },
        };
        refuse_all(list, COUNT_OF(list));
}

static void what_is_known_and_asks_for_nothing_is_accepted(void **state)
{
        (void) state;
        static const char *const list[] = {
                PROCESS(",'apparmorProfile':'','selinuxLabel':null,'scheduler':{},'ioPriority':null,"
                        "'execCPUAffinity':{'initial':'','final':''}"),
                PROCESS(",'apparmorProfile':'unconfined'"),
                LINUX(",'timeOffsets':{'monotonic':{'secs':0,'nanosecs':0}},'netDevices':{},'mountLabel':'',"
                      "'intelRdt':null,'memoryPolicy':null,'personality':{'domain':'LINUX'}"),
                RESOURCES("'blockIO':{'weight':0,'weightDevice':[]},'hugepageLimits':[],"
                          "'network':{'classID':0,'priorities':null},'rdma':{}"),
                MOUNT("'destination':'/a','type':'tmpfs','uidMappings':[],'gidMappings':null"),
                SECCOMP(""),
                SECCOMP("'defaultAction':'','syscalls':[]"),
                SECCOMP("'defaultAction':'SCMP_ACT_ALLOW','listenerPath':'/run/x'"),
        };
        for (size_t i = 0; i < COUNT_OF(list); i++) {
                auto_spec struct spec *spec = read_good(list[i]);
                assert_int_equal(spec->resources.n_unified, 0);
        }
}

static void hostile_text_is_shown_short_and_without_control_characters(void **state)
{
        (void) state;
        read_bad_with(spec_read_text, PROCESS(",'env':['\\u001b[2J\\u009b\\r\\n']"),
                      "config.json: process.env[0]: expected NAME=value, found '\\x1b[2J\xc2\\x9b\\x0d\\x0a'");
        read_bad_with(spec_read_text,
                      PROCESS(",'env':['123456789 123456789 123456789 123456789 123456789 123456789 123456789 ']"),
                      "config.json: process.env[0]: expected NAME=value, found "
                      "'123456789 123456789 123456789 123456789 123456789 123456789 123...'");
        read_bad_with(spec_read_text, CONFIG(",'annotations':{'\\n':1}"),
                      "config.json: annotations['\\x0a']: expected a string, found a number");
}

static void a_process_or_resources_alone_have_paths_of_their_own(void **state)
{
        (void) state;
        read_bad_with(spec_read_process, "{'cwd':'/','args':[1]}",
                      "config.json: args[0]: expected a string, found a number");
        read_bad_with(spec_read_process, "{}", "config.json: process: missing, there is nothing to run");
        read_bad_with(spec_read_process, "{'cwd':'/'}", "config.json: process.args: missing, there is nothing to run");
        read_bad_with(spec_read_resources, "{'memory':[]}",
                      "config.json: memory: expected an object, found an array");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(syntax_errors_have_line_and_column),
                cmocka_unit_test(what_json_c_would_take_is_refused),
                cmocka_unit_test(top_level),
                cmocka_unit_test(process),
                cmocka_unit_test(mounts_and_hooks),
                cmocka_unit_test(namespaces_and_paths),
                cmocka_unit_test(resources),
                cmocka_unit_test(filters),
                cmocka_unit_test(limits_of_devices_have_to_make_sense),
                cmocka_unit_test(scheduling_has_to_make_sense),
                cmocka_unit_test(what_is_known_and_not_supported_is_refused_by_name),
                cmocka_unit_test(what_is_known_and_asks_for_nothing_is_accepted),
                cmocka_unit_test(hostile_text_is_shown_short_and_without_control_characters),
                cmocka_unit_test(a_process_or_resources_alone_have_paths_of_their_own),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

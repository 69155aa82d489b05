#!/bin/bash
# The table: bundles on which the runtime under test and runc have to agree, byte for byte: what the
# container prints on each of its two outputs, and the exit status. Where the runtime itself has to
# refuse, the words are free: then the statuses agree, nothing is on stdout, and the reason is one line.
. "${BASH_SOURCE%/*}/../lib/check.sh"
. "$TESTS/lib/compare.sh"

# --- process -----------------------------------------------------------------------------------------
row "args with spaces and empty ones"   '.process.args = ["printf", "<%s>", "a b", "", "c"]'
row "an absolute path is not searched"  '.process.args = ["/bin/echo", "hi"]'
row "PATH of the container is searched" '.process.env = ["PATH=/opt"] | .process.args = ["tool"]' before=tool_in_opt
row "the last of two equal variables"   '.process.env += ["X=1", "X=2"]' 'args("echo $X")'
row "environment, all of it"            '.process.env += ["A=b c", "EMPTY="]' '.process.args = ["env"]'
row "an environment without HOME"       'args("echo $HOME")'
row "HOME comes from passwd"            '.process.user = {uid: 1000, gid: 1000}' 'args("echo $HOME")'
row "HOME of a user without entry"      '.process.user = {uid: 4711, gid: 1}' 'args("echo $HOME")'
row "working directory"                 '.process.cwd = "/tmp" | .process.args = ["pwd"]'
row "a size without a terminal"         '.process.consoleSize = {height: 30, width: 90} | .process.args = ["echo", "hi"]'
row "user and groups"                   '.process.user = {uid: 1000, gid: 1001, additionalGids: [5, 6]} | .process.args = ["id"]' \
  users='uid=1000(user) gid=1001 groups=5,6'
row "no additional groups"              '.process.args = ["id", "-G"]'
row "umask"                             '.process.user.umask = 63' 'args("umask; : >/tmp/f; stat -c %a /tmp/f")'
row "capabilities of the default"       'args("grep ^Cap /proc/self/status")'
row "capabilities, all sets empty"      '.process.capabilities = {}' 'args("grep ^Cap /proc/self/status")'
row "capabilities, five different sets" '.process.capabilities = {bounding: ["CAP_CHOWN", "CAP_KILL", "CAP_SETUID"], permitted: ["CAP_CHOWN", "CAP_KILL"],
  effective: ["CAP_CHOWN"], inheritable: ["CAP_KILL"], ambient: ["CAP_KILL"]}' 'args("grep ^Cap /proc/self/status")'
row "capabilities of a user"            '.process.user = {uid: 1000, gid: 1000}' 'args("grep ^Cap /proc/self/status")'
row "ambient capability of a user"      '.process.user = {uid: 1000, gid: 1000}' '.process.capabilities = (["bounding", "permitted", "effective", "inheritable", "ambient"] | map({(.): ["CAP_KILL"]}) | add)' 'args("grep ^Cap /proc/self/status")'
row "no new privileges"                 'args("grep NoNewPrivs /proc/self/status")'
row "new privileges allowed"            '.process.noNewPrivileges = false' 'args("grep NoNewPrivs /proc/self/status")'
row "rlimits"                           '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 100, hard: 200}, {type: "RLIMIT_CORE", soft: 0, hard: 0}]' \
  'args("ulimit -Sn; ulimit -Hn; ulimit -c")'
row "rlimits of every type"             '.process.rlimits = (["AS", "CORE", "CPU", "DATA", "FSIZE", "LOCKS", "RSS", "RTTIME", "STACK"] | to_entries
  | map({type: ("RLIMIT_" + .value), soft: (4294967296 + 4096 * .key), hard: (8589934592 + 4096 * .key)}))
  + (["MEMLOCK", "MSGQUEUE", "NOFILE", "NPROC", "SIGPENDING"] | to_entries | map({type: ("RLIMIT_" + .value), soft: (1000 + .key), hard: (2000 + .key)}))
  + (["NICE", "RTPRIO"] | map({type: ("RLIMIT_" + .), soft: 0, hard: 0}))' 'args("cat /proc/self/limits")'
row "oom score"                         '.process.oomScoreAdj = 500' 'args("cat /proc/self/oom_score_adj")'
row "oom score of the parent"           'args("cat /proc/self/oom_score_adj")'
row "descriptors that are open"         'args("ls /proc/self/fd | wc -l")'
row "signals blocked, ignored, caught"  'args("grep -E ^Sig[BI] /proc/self/status")'
row "the first process is number 1"     'args("echo $$; cat /proc/1/comm")'
row "session and process group"         'args("set -- $(cat /proc/self/stat); echo $5 $6")'

# --- how it ends -------------------------------------------------------------------------------------
for code in 0 1 2 42 125 126 127 128 255; do
  row "exit status $code"               "args(\"exit $code\")"
done
for signal in TERM KILL INT SEGV ABRT; do
  row "killed by SIG$signal"            "args(\"kill -$signal \$\$; sleep 5\")" "$(NO_NS pid)" users=refused # signals reach process 1 only from outside
done
row "process 1 ignores its own TERM"    'args("kill -TERM $$; echo alive")'
row "a signal that is handled"          'args("trap \"echo got; exit 3\" USR1; kill -USR1 $$; sleep 1")'
row "an orphan does not keep it"        'args("(sleep 1000 >/dev/null 2>&1 &) ; echo done")'
row "stdout and stderr stay apart"      'args("echo out; echo err >&2; echo out2; echo err2 >&2; exit 3")'
row "stdin"                             'args("tr a-z A-Z")' stdin=lower_case
row "stdin that is empty"               'args("wc -c")'
row "stdin that nobody reads"           '.process.args = ["true"]' stdin=megabytes
row "large output"                      'args("yes 0123456789abcdef | head -c 3000000; yes err | head -c 1000000 >&2")'
row "large input"                       'args("md5sum")' stdin=megabytes
row "binary output"                     'args("head -c 256 /proc/self/exe")'

# --- what the runtime refuses ------------------------------------------------------------------------
row "missing program"                   '.process.args = ["no-such-program"]' refused
row "missing absolute program"          '.process.args = ["/no/such/program"]' refused
row "program without x"                 '.process.args = ["/etc/passwd"]' refused
row "program is a directory"            '.process.args = ["/etc"]' refused
row "no arguments"                      '.process.args = []' refused
row "relative working directory"        '.process.cwd = "tmp"' refused
row "working directory is created"      '.process.cwd = "/srv/work"' 'args("pwd; stat -c %a:%u:%g .")'
row "working directory of another user"  '.process.cwd = "/home" | .process.user = {uid: 1000, gid: 1000} | .process.args = ["pwd"]' before=private_home
row "missing root file system"          '.root.path = "nowhere"' refused
row "root file system, an absolute path" '.root.path = ($B + "/rootfs") | .process.args = ["cat", "/etc/passwd"]'
row "root file system is a file"        '.root.path = "config.json"' refused
row "broken configuration"              . before=break_config refused
row "no configuration"                  . before=no_config refused
row "unknown namespace"                 '.linux.namespaces += [{type: "nonsense"}]' refused
row "a namespace twice"                 '.linux.namespaces += [{type: "pid"}]' refused
row "namespace path that is not there"  '.linux.namespaces |= map(select(.type != "network")) + [{type: "network", path: "/no/ns"}]' refused
row "namespace path of another type"    '.linux.namespaces |= map(select(.type != "network")) + [{type: "network", path: "/proc/self/ns/uts"}]' refused
row "a mount that fails"                '.mounts += [{destination: "/mnt", type: "bind", source: "/no/such/source", options: ["bind"]}]' refused
row "unknown file system"               '.mounts += [{destination: "/mnt", type: "nofs", source: "none"}]' refused
row "hostname without its namespace"    "$(NO_NS uts)" refused
row "unknown rlimit"                    '.process.rlimits = [{type: "RLIMIT_NONSENSE", soft: 1, hard: 1}]' refused
row "sysctl that is not namespaced"     '.linux.sysctl = {"kernel.panic": "1"}' refused
row "sysctl without its namespace"      '.linux.sysctl = {"net.ipv4.ip_forward": "1"}' "$(NO_NS network)" refused

# --- namespaces --------------------------------------------------------------------------------------
for type in pid network ipc; do
  row "without the $type namespace"     "$(NO_NS $type)" "args(\"readlink /proc/self/ns/${type/network/net}\")" \
    users="$(if [[ $type = network ]]; then readlink /proc/self/ns/net; else echo refused; fi)"
done
row "without the uts namespace"         "$(NO_NS uts)" 'del(.hostname) | args("readlink /proc/self/ns/uts; hostname")'
row "without the mount namespace"       "$(NO_NS mount)" refused
row "hostname"                          'args("hostname")'
row "no hostname"                       'del(.hostname)' 'args("hostname")'
row "a network with loopback only"      'args("ip -o addr show; cat /proc/net/dev | wc -l")'
row "cgroup namespace"                  "$(NO_NS cgroup)" '.linux.namespaces += [{type: "cgroup"}]' 'args("cut -d: -f3 /proc/self/cgroup | sort -u")'
for type in network ipc uts pid; do
  row "joins a $type namespace"         ".linux.namespaces |= map(if .type == \"$type\" then .path = \"/proc/$joined/ns/${type/network/net}\" else . end)" \
    "del(.hostname) | args(\"readlink /proc/self/ns/${type/network/net}\")" users=refused
done
row "user namespace"                    "$USERNS" 'args("id -u; id -g; cat /proc/self/uid_map /proc/self/gid_map; stat -c %u:%g /; touch /tmp/x; stat -c %u /tmp/x")'
row "user namespace, another user"      "$USERNS" '.process.user = {uid: 1000, gid: 1000} | args("id; cat /proc/self/setgroups")'
row "user namespace and its devices"    "$USERNS" 'args("echo x >/dev/null && head -c 4 /dev/zero | wc -c; stat -c %n:%t:%T /dev/null /dev/urandom")'
row "sysctl of the network"             '.linux.sysctl = {"net.ipv4.ip_forward": "1", "net/ipv4/ip_default_ttl": "77"}' 'args("cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/ip_default_ttl")'
row "sysctl of ipc"                     '.linux.sysctl = {"kernel.msgmax": "9999", "fs.mqueue.msg_max": "33"}' 'args("cat /proc/sys/kernel/msgmax /proc/sys/fs/mqueue/msg_max")'
row "domain name by sysctl"             '.linux.sysctl = {"kernel.domainname": "example"}' 'args("cat /proc/sys/kernel/domainname")' users=refused

# --- mounts ------------------------------------------------------------------------------------------
row "the mounts of the default"         "args(\"$MOUNTS\")"
row "tmpfs with mode, size and flags"   '.mounts += [{destination: "/mnt", type: "tmpfs", source: "t", options: ["nosuid", "noexec", "mode=0711", "size=64k"]}]' \
  "args(\"$MOUNTS; dd if=/dev/zero of=/mnt/x bs=1k count=100 2>/dev/null; stat -c %s /mnt/x\")"
row "tmpfs keeps the mode of its place" '.mounts += [{destination: "/tmp", type: "tmpfs", source: "t"}]' 'args("stat -c %a /tmp")'
row "every flag of a mount"             '.mounts += ("'"$FLAGS"'" | split(" ") | map({destination: ("/m/" + .), type: "tmpfs", source: "t", options: [.]}))' \
  'args("grep /m/ /proc/self/mountinfo | cut -d\" \" -f5-")'
row "mount points are made"             '.mounts += [{destination: "/a/b/c", type: "tmpfs", source: "t"}]' 'args("stat -c %a:%u /a /a/b /a/b/c")'
row "bind of a directory"               '.mounts += [{destination: "/mnt", type: "bind", source: ($D + "/src"), options: ["bind"]}]' \
  "args(\"cat /mnt/file; echo new >/mnt/new && cat /mnt/new; $MOUNTS\")" before=source_dir
row "bind, read-only"                   '.mounts += [{destination: "/mnt", type: "bind", source: ($D + "/src"), options: ["bind", "ro"]}]' \
  "args(\"cat /mnt/file; echo new >/mnt/new; $MOUNTS\")" before=source_dir
row "bind by option only"               '.mounts += [{destination: "/mnt", source: ($D + "/src"), options: ["rbind", "nosuid", "nodev", "noexec", "ro"]}]' \
  "args(\"cat /mnt/file; $MOUNTS\")" before=source_dir
row "bind of a relative source"         '.mounts += [{destination: "/mnt", type: "bind", source: "../src", options: ["bind"]}]' 'args("cat /mnt/file")' before=source_dir
row "bind of a file on a new file"      '.mounts += [{destination: "/etc/new", type: "bind", source: ($D + "/src/file"), options: ["bind"]}]' 'args("cat /etc/new")' before=source_dir
row "bind over a file"                  '.mounts += [{destination: "/etc/group", type: "bind", source: ($D + "/src/file"), options: ["bind", "ro"]}]' 'args("cat /etc/group; echo x >/etc/group")' before=source_dir
row "rbind takes the mounts below"      '.mounts += [{destination: "/mnt", type: "bind", source: ($D + "/src"), options: ["rbind"]}]' 'args("cat /mnt/below/deep")' before=source_with_mount after=source_umount
row "bind leaves the mounts below"      '.mounts += [{destination: "/mnt", type: "bind", source: ($D + "/src"), options: ["bind"]}]' 'args("ls /mnt/below | wc -l")' before=source_with_mount after=source_umount users=refused
row "a mount through a symlink"         '.mounts += [{destination: "/link/x", type: "tmpfs", source: "t"}]' "args(\"$MOUNTS; ls -d /mnt/x\")" before=link_to_mnt
row "a symlink stays in the root"       '.mounts += [{destination: "/away/x", type: "tmpfs", source: "t"}]' "args(\"$MOUNTS\")" before=link_to_outside
row "mounts hide each other in order"   '.mounts += [{destination: "/mnt", type: "tmpfs", source: "a"}, {destination: "/mnt/in", type: "tmpfs", source: "b"}]' "args(\"$MOUNTS\")"
row "propagation of a mount"            '.mounts += [{destination: "/mnt", type: "bind", source: ($D + "/src"), options: ["rbind", "rslave"]}]' "args(\"grep -c master: /proc/self/mountinfo; $MOUNTS\")" before=source_shared after=source_shared_umount
row "every propagation of a mount"      '.mounts += ("'"$PROPAGATION"'" | split(" ") | map({destination: ("/m/" + .), source: ($D + "/src"), options: ["rbind", .]}))' \
  'args("grep /m/ /proc/self/mountinfo | cut -d\" \" -f5- | sed \"s/:[0-9]*//g; s/ - .*//\"")' before=source_shared after=source_shared_umount
row "every recursive flag of a mount"   '.mounts += ("'"$RECURSIVE"'" | split(" ") | map({destination: ("/m/" + .), source: ($D + "/src"), options: ["rbind", .]}))' \
  'args("grep /m/ /proc/self/mountinfo | cut -d\" \" -f5-6")' before=source_of_flags after=source_of_flags_umount users=refused
row "propagation of the root"           '.linux.rootfsPropagation = "slave"' "args(\"$MOUNTS\")"
row "read-only root"                    '.root.readonly = true' "args(\"touch /x; touch /dev/shm/x && echo shm; $MOUNTS\")"
row "masked file, directory, neither"   '.linux.maskedPaths = ["/proc/uptime", "/etc", "/nowhere"]' 'args("cat /proc/uptime; ls -A /etc; ls -d /nowhere")'
row "read-only paths"                   '.linux.readonlyPaths = ["/etc", "/proc/sys", "/nowhere"]' "args(\"touch /etc/x; touch /tmp/x && echo fine; $MOUNTS\")"
row "nothing masked, nothing read-only" 'del(.linux.maskedPaths, .linux.readonlyPaths)' "args(\"$MOUNTS\")"
row "the default devices"               'args("ls -l /dev | tail -n +2 | while read -r a b c d e; do echo $a $b $c $d ${e##*:}; done | sort; stat -c %n:%a:%t:%T /dev/null /dev/full /dev/tty /dev/zero")'
row "a device of the configuration"     '.linux.devices = [{path: "/dev/mine", type: "c", major: 1, minor: 3, fileMode: 432, uid: 5, gid: 6}, {path: "/dev/sub/fifo", type: "p", fileMode: 384}]' \
  'args("stat -c %n:%a:%u:%g:%t:%T:%F /dev/mine /dev/sub/fifo")' users=refused
row "devices of the types b and u"      '.linux.devices = [{path: "/srv/disk", type: "b", major: 7, minor: 0, fileMode: 384}, {path: "/dev/raw", type: "u", major: 1, minor: 3, fileMode: 438}]' \
  'args("stat -c %n:%a:%u:%g:%t:%T:%F /srv/disk /dev/raw")' users=refused
row "a device that is not allowed"      '.linux.devices = [{path: "/dev/mine", type: "c", major: 10, minor: 229, fileMode: 438}]' 'args("cat /dev/mine")' users=refused
row "a device that is allowed"          '.linux.devices = [{path: "/dev/kmsg1", type: "c", major: 1, minor: 5, fileMode: 438}] | .linux.resources.devices += [{allow: true, type: "c", major: 1, minor: 5, access: "r"}]' \
  'args("head -c 3 /dev/kmsg1 | wc -c")' users=refused

# --- seccomp -----------------------------------------------------------------------------------------
row "seccomp: a call fails"             '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO"}]}' 'args("mkdir /tmp/x; echo $?")'
row "seccomp: with an errno of its own" '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 28}]}' 'args("mkdir /tmp/x; echo $?")'
row "seccomp: a call kills"             '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_KILL_PROCESS"}]}' '.process.args = ["mkdir", "/tmp/x"]'
row "seccomp: an argument decides"      '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["kill"], action: "SCMP_ACT_ERRNO", args: [{index: 1, value: 0, op: "SCMP_CMP_EQ"}]}]}' 'args("kill -0 $$; echo $?; trap : USR1; kill -USR1 $$; echo $?")'
# kill(2) of no signal, 18 and 28, of which process 1 minds none
for op in NE LT LE EQ GE GT; do
  row "seccomp: argument and value, $op" ".linux.seccomp = {defaultAction: \"SCMP_ACT_ALLOW\", syscalls: [{names: [\"kill\"], action: \"SCMP_ACT_ERRNO\", args: [{index: 1, value: 18, op: \"SCMP_CMP_$op\"}]}]}" \
    'args("for s in 0 18 28; do kill -$s $$ 2>/dev/null; echo $?; done")'
done
row "seccomp: some bits of an argument" '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["kill"], action: "SCMP_ACT_ERRNO", args: [{index: 1, value: 24, valueTwo: 16, op: "SCMP_CMP_MASKED_EQ"}]}]}' \
  'args("for s in 0 18 28; do kill -$s $$ 2>/dev/null; echo $?; done")'
for action in ALLOW KILL KILL_THREAD LOG TRACE TRAP; do
  row "seccomp: the action $action"     ".linux.seccomp = {defaultAction: \"SCMP_ACT_ALLOW\", syscalls: [{names: [\"mkdir\", \"mkdirat\"], action: \"SCMP_ACT_$action\"}]}" 'args("mkdir /tmp/x; echo $?")'
done
row "seccomp: all but the known ones"   '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["no_such_call", "chroot"], action: "SCMP_ACT_ERRNO"}]}' 'args("chroot / true; grep Seccomp: /proc/self/status")'
row "seccomp: unknown action"           '.linux.seccomp = {defaultAction: "SCMP_ACT_NONSENSE"}' refused

# --- hooks, annotations ------------------------------------------------------------------------------
row "hooks run in their order"          '.hooks = ([("prestart", "createRuntime", "poststart", "poststop") as $k | {($k): [$k, $k | {path: "/bin/sh", args: ["sh", "-c", "echo \(.) >>\($D)/hooks"]}]}] | add)' \
  'args("echo container")' after=show_hooks
row "hooks are given the state"         '.hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", "jq -c \"[.status, .bundle, .annotations, (.pid > 0), (.id | length > 0)]\" >\($D)/hooks"], env: ["PATH=/usr/bin:/bin"]}]' \
  '.annotations = {"org.example.key": "value"}' '.process.args = ["true"]' after=show_hooks
row "hooks have an environment of theirs" '.hooks.createRuntime = [{path: "/usr/bin/env", env: ["A=1"]}, {path: "/bin/sh", args: ["sh", "-c", "/usr/bin/env | grep -v -e ^_= -e PWD= -e SHLVL >\($D)/hooks"], env: ["B=2"]}]' \
  '.process.args = ["true"]' after=show_hooks
row "createContainer and startContainer" '.hooks = {createContainer: [{path: "/bin/sh", args: ["sh", "-c", "test -e \($B)/config.json && echo created >\($B)/rootfs/tmp/cc"]}], startContainer: [{path: "/bin/sh", args: ["sh", "-c", "hostname >/tmp/sc; ls / | wc -l >>/tmp/sc"]}]}' \
  'args("cat /tmp/cc /tmp/sc")'
row "a failing hook"                    '.hooks.createRuntime = [{path: "/bin/false"}]' refused
row "a missing hook"                    '.hooks.prestart = [{path: "/no/such/hook"}]' refused
row "a hook that takes too long"        '.hooks.createRuntime = [{path: "/bin/sleep", args: ["sleep", "100"], timeout: 1}]' refused
row "a key in two cases is two halves"  '.process.user = {uid: 7} | .process.User = {GID: 8} | .process.args = ["id"]'
row "unknown keys are ignored"          '.nonsense = {a: 1} | .linux.nonsense = [] | .process.args = ["true"]'

# --- create, state, list -----------------------------------------------------------------------------
states "created"                        "$FOREVER" 'create'
states "running"                        "$FOREVER" 'create; start'
states "stopped"                        '.process.args = ["true"]' 'create; start; ends'
states "killed before the start"        "$FOREVER" 'create; kill KILL; ends'
states "with annotations"               "$FOREVER" '.annotations = {"b": "2", "a": "1"}' 'create'
states "detached"                       "$FOREVER" 'detach'
finish

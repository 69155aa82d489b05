#!/bin/bash
# What cannot work fails with one clear line, with runc's exit status, and leaves nothing: no state, no
# cgroup, no process, no mount. Each is tried with `run` and with `create`.
. "${BASH_SOURCE%/*}/../lib/check.sh"

verbs='run create'
# WORDS: what the line has to contain: what was wrong, not only that something was
refuses() { # WORDS BEFORE JQ...
  local words=$1 before=$2 verb
  shift 2
  for verb in $verbs; do
    bundle "$@"
    $before
    expect 1 berth "$verb" -b "$B" "$ID"
    equal "$out" "" stdout
    one_line "$err"
    grep -Eiq -- "$words" <<<"$err" || fail "'$err' does not mention $words"
    expect 1 berth state "$ID"
    [[ -z $(find /sys/fs/cgroup -type d -name "*$ID*" 2>/dev/null) ]] || fail "a cgroup is left"
    [[ -z $(grep -l "$D" /proc/self/mountinfo) ]] || fail "a mount is left"
    [[ ! -e $ROOT/$ID ]] || fail "state is left"
  done
  # the id is free
  bundle '.process.args = ["true"]'
  expect 0 berth run -b "$B" "$ID"
}

cut_off() { printf '{ "ociVersion": "1.0.2",\n  "process": { "args": ["sh"' >"$B/config.json"; }
no_json() { echo 'hello: world' >"$B/config.json"; }
empty_file() { : >"$B/config.json"; }
no_file() { rm "$B/config.json"; }
no_rootfs() { rm -rf "$B/rootfs"; }
unreadable() { printf '#!/no/such/interpreter\n' >"$B/rootfs/bin/tool" && chmod 755 "$B/rootfs/bin/tool"; }

test_case "config.json is cut off"       refuses 'json|EOF|end|parse' cut_off .
test_case "config.json is no JSON"       refuses 'json|invalid|parse' no_json .
test_case "config.json is empty"         refuses 'json|EOF|empty|parse' empty_file .
test_case "config.json is not there"     refuses 'config.json' no_file .
test_case "a number where a text is due" refuses 'hostname|string|type' : '.hostname = 5'
test_case "a text where a list is due"   refuses 'args|array|type|\[\]string' : '.process.args = "sh"'
test_case "another version of the specification" refuses 'ociVersion.*2.0.0' : '.ociVersion = "2.0.0"'
test_case "a resource limit twice"       refuses 'rlimits.1.' : '.process.rlimits = [{type: "RLIMIT_CORE", soft: 0, hard: 0}, {type: "RLIMIT_CORE", soft: 0, hard: 0}]'
test_case "a flag of personality"        refuses 'personality.flags' : '.linux.personality = {domain: "LINUX", flags: ["ADDR_NO_RANDOMIZE"]}'
test_case "an errno of an action that has none" refuses 'errnoRet' : '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir"], action: "SCMP_ACT_KILL", errnoRet: 1}]}'
test_case "a hook with a relative path"  refuses 'hooks.createRuntime.*absolute' : '.hooks.createRuntime = [{path: "bin/true"}]'
test_case "a hook with no time"          refuses 'timeout' : '.hooks.createRuntime = [{path: "/bin/true", timeout: 0}]'
test_case "no process"                   refuses 'process' : 'del(.process)'
test_case "no root"                      refuses 'root' : 'del(.root)'
test_case "the root file system is missing" refuses 'rootfs' no_rootfs .
test_case "an unknown namespace type"    refuses 'nonsense' : '.linux.namespaces += [{type: "nonsense"}]'
test_case "the program is missing"       refuses 'no-such-program' : '.process.args = ["no-such-program"]'
# only exec itself can tell: `create` is over by then
verbs=run test_case "the interpreter is missing" refuses 'tool|interpreter|no such file' unreadable '.process.args = ["tool"]'
# With runc the container's process says it: no words of the runtime's in front.
who_says_it() {
  bundle '.process.args = ["/bin/tool"]'
  unreadable
  expect 1 berth run -b "$B" "$ID"
  one_line "$err"
  contains "$err" "exec /bin/tool: no such file or directory"
  [[ $err != *failed* ]] || fail "'$err' has more in front"
  bundle '.process.args = ["sleep", "1000"] | .process.terminal = false'
  unreadable
  expect 0 berth run -d -b "$B" "$ID" </dev/null >/dev/null 2>&1
  expect 255 berth exec "$ID" /bin/tool
  contains "$err" "exec /bin/tool: no such file or directory"
  expect 0 berth delete -f "$ID"
}
test_case "the interpreter is missing: run and exec" who_says_it
test_case "a mount source is missing"    refuses 'no/such/source' : '.mounts += [{destination: "/mnt", type: "bind", source: "/no/such/source", options: ["bind"]}]'
test_case "a file system type is unknown" refuses 'mnt' : '.mounts += [{destination: "/mnt", type: "nofs", source: "none"}]'
test_case "a mount option is wrong"      refuses 'mnt' : '.mounts += [{destination: "/mnt", type: "tmpfs", source: "t", options: ["size=nonsense"]}]'
test_case "a hook fails"                 refuses 'hook' : '.hooks.createRuntime = [{path: "/bin/false"}]'
test_case "a cgroup limit is impossible" refuses 'cpu|cgroup|period' : '.linux.resources.cpu = {period: 1}'
finish

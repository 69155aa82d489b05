#!/bin/bash
# shellcheck disable=SC2016
# Seccomp filters: what they answer, when they are in force, and agents that are asked. What a filter says to a call
# that it names is in the table.
. "${BASH_SOURCE%/*}/../lib/check.sh"
. "$TESTS/lib/compare.sh"

# --- calls that the profile could not know --------------------------------------------------------------
# prints the errno of each call by its number
calls() { # WANTED DEFAULT NUMBER...
  bundle ".linux.seccomp = {syscalls: [{names: [\"openat2\"], action: \"SCMP_ACT_ERRNO\", errnoRet: 5},
    {names: [\"read\", \"write\", \"execve\", \"exit_group\", \"prctl\", \"setuid\", \"setgid\", \"setgroups\", \"capset\", \"brk\", \"arch_prctl\", \"mprotect\", \"mmap\"], action: \"SCMP_ACT_ALLOW\"}]} + $2" \
    ".process.args = [\"/callnr\", $(IFS=,; echo "${*:3}")] | .process.args |= map(tostring)"
  cp "$WORK/bin/callnr" "$B/rootfs/"
  expect 0 berth run -b "$B" "$ID"
  equal "$out" "$1" "errnos"
}
newest_x86() {
  [[ $(uname -m) = x86_64 ]] || skip "numbers of x86-64"
  # getppid, chroot, openat2, pidfd_getfd, and one that there will not be for long
  calls "1 1 5 38 38" '{defaultAction: "SCMP_ACT_ERRNO"}' 110 161 437 438 1000
  calls "6 6 5 38 38" '{defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: 6}' 110 161 437 438 1000
  calls "1 5 38" '{defaultAction: "SCMP_ACT_ERRNO", architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X32", "SCMP_ARCH_X86"]}' 110 437 1000
}
test_case "a call newer than the profile is unknown, not forbidden" newest_x86
too_long() {
  # an argument each, with which libseccomp cannot do anything clever
  refuses 'the kernel takes 4096' '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [range(5000) | {names: ["read"], action: "SCMP_ACT_ERRNO", args: [{index: 2, value: (. * 3), op: "SCMP_CMP_EQ"}]}]}'
}
test_case "a filter that is too long for the kernel" too_long

# --- flags, which no process sees: what seccomp(2) is going to be given ---------------------------------------
flags() { # WANTED JQ
  bundle '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir"], action: "SCMP_ACT_ERRNO"}]}' "$2" \
    '.process.args = ["grep", "^Seccomp:", "/proc/self/status"]'
  expect 0 berth plan "$B"
  equal "$(awk '$3 == "load-filter" { print $(NF - 1) }' <<<"$out")" "$1" "flags"
  expect 0 berth run -b "$B" "$ID"
  equal "$out" "Seccomp:	2"
}
test_case "flags: logging, and no penalty for speculation" flags 0x6 \
  '.linux.seccomp.flags = ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"]'
test_case "flags: there are no other threads to synchronize" flags 0 '.linux.seccomp.flags = ["SECCOMP_FILTER_FLAG_TSYNC"]'
test_case "flags: an empty list is none, no list is no penalty" eval 'flags 0 ".linux.seccomp.flags = []" && flags 0x4 .'

# --- startContainer hooks are under the filter -----------------------------------------------------------
NO_MKDIR='.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_KILL_PROCESS"}]}'
START_HOOK() { # SHELL: a hook that runs it
  printf '.hooks.startContainer = [{path: "/bin/sh", args: ["sh", "-c", "%s"]}]' "$1"
}
hook_killed() { # JQ
  bundle "$NO_MKDIR" "$1" '.process.args = ["true"]' '.hooks.startContainer = [{path: "/bin/mkdir", args: ["mkdir", "/tmp/x"]}]'
  try berth run -b "$B" "$ID"
  equal "$status" 1 "status"
  contains "$err" 'error running startContainer hook #0: "/bin/mkdir" was killed by signal 31 (bad system call)'
  one_line "$err"
}
test_case "a startContainer hook is under the filter" hook_killed .
test_case "a startContainer hook is under the filter, with new privileges" hook_killed '.process.noNewPrivileges = false'
hook_killed_at_start() {
  bundle "$NO_MKDIR" "$FOREVER" "$(START_HOOK 'echo so long; mkdir /tmp/x; exit 4')"
  expect 0 berth create -b "$B" "$ID"
  try berth start "$ID"
  equal "$status" 1 "status"
  contains "$err" 'error running startContainer hook #0: "/bin/sh" '
  contains "$err" ': so long'
  expect 0 berth delete --force "$ID"
}
test_case "start says what a startContainer hook said" hook_killed_at_start
LOOK='grep -E \"^(Seccomp|NoNewPrivs|Cap|Uid|Gid|Groups)\" /proc/self/status; cat /proc/self/cgroup; pwd; for n in pid mnt net; do readlink /proc/self/ns/$n; done; umask; ls /proc/self/fd | wc -l'
hook_is_as_the_process() { # JQ
  bundle "$NO_MKDIR" "$1" '.process.user = {uid: 1000, gid: 1000, additionalGids: [5]} | .process.cwd = "/home"' \
    ".process.args = [\"sh\", \"-c\", \"cat /tmp/hook; rm /tmp/hook; ($LOOK) >/tmp/own; cat /tmp/own\"]" \
    "$(START_HOOK "($LOOK) >/tmp/hook")"
  expect 0 berth run -b "$B" "$ID" </dev/null
  local half=$(($(wc -l <"$D/out") / 2))
  ((half > 8)) || fail "nothing to compare: $out"
  equal "$(head -n $half "$D/out")" "$(tail -n $half "$D/out")" "the hook's half and the process's"
  contains "$out" "Seccomp:	2"
}
test_case "a startContainer hook is what the process is" hook_is_as_the_process .
test_case "a startContainer hook is what the process is, with new privileges" hook_is_as_the_process '.process.noNewPrivileges = false'
not_by_exec() {
  bundle "$FOREVER" "$(START_HOOK 'echo x >>/tmp/hooks')"
  expect 0 berth run -d -b "$B" "$ID"
  expect 0 berth exec "$ID" true
  equal "$(wc -l <"$B/rootfs/tmp/hooks")" 1 "runs of the hook"
  expect 0 berth delete --force "$ID"
}
test_case "exec runs no startContainer hook" not_by_exec

# --- an agent decides ----------------------------------------------------------------------------------
NOTIFY='.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: ($D + "/agent.sock"), listenerMetadata: "for berth",
  syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_NOTIFY"}]}'
agent() { # [continue]: starts one: $agent
  rm -f "$D/agent.sock"
  "$WORK/bin/seccomp_agent" "$D/agent.sock" "$D/state" "$@" &
  agent=$!
  eventually test -S "$D/agent.sock"
}
told() { # STATUS: what the agent was told of container $ID
  equal "$(jq -c '[.fds, .metadata, .state.id, .state.status, .state.bundle, .pid > 1]' "$D/state")" \
    "[[\"seccompFd\"],\"for berth\",\"$ID\",\"$1\",\"$B\",true]" "state"
}
notify() { # JQ STATUS
  agent
  inside "mkdir: can't create directory '/tmp/x': No space left on device" "$NOTIFY" "$1" 'args("mkdir /tmp/x 2>&1; true")'
  told "$2"
  wait "$agent"
}
test_case "an agent answers a call" notify . creating
test_case "an agent, with new privileges" notify '.process.noNewPrivileges = false' creating
notify_killable() {
  [[ $(uname -r | awk -F. '{ print ($1 * 1000 + $2 >= 5019) }') = 1 ]] || skip "Linux before 5.19"
  notify '.linux.seccomp.flags = ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]' creating
}
test_case "an agent, waiting killably" notify_killable
inside_without_agent() {
  inside hi '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", flags: ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]}' \
    '.process.args = ["echo", "hi"]'
}
test_case "waiting killably for nobody" inside_without_agent
notify_started() { # JQ STATUS
  agent
  bundle "$FOREVER" "$NOTIFY" "$1"
  expect 0 berth create -b "$B" "$ID"
  expect 0 berth start "$ID"
  eventually test -s "$D/state"
  told "$2"
  # each exec has a filter, and a listener, of its own
  local first=$agent
  agent
  try berth exec "$ID" mkdir /tmp/x
  equal "$status" 1 "status of exec"
  contains "$err" "No space left"
  wait "$agent"
  equal "$(jq -r .state.status "$D/state")" running
  [[ $(jq .pid "$D/state") != "$(jq .state.pid "$D/state")" ]] || fail "the process of exec is the container's"
  expect 0 berth delete -f "$ID"
  wait "$first"
}
test_case "an agent, by start and by exec" notify_started . created
test_case "an agent, by create and by exec" notify_started '.process.noNewPrivileges = false' creating

# execve, and what comes before it once the filter is there: none of it may wait for an agent that has no listener
WAY='["execve", "openat", "open", "read", "close", "fcntl", "sendmsg", "sendto", "recvmsg", "recvfrom", "prctl", "poll"]'
all_the_way() { # JQ
  agent continue
  inside hi "$NOTIFY" ".linux.seccomp.syscalls[0].names = $WAY" "$1" '.process.args = ["echo", "hi"]'
  wait "$agent"
}
test_case "an agent is asked all the way to exec" all_the_way .
test_case "an agent is asked all the way to exec, with new privileges" all_the_way '.process.noNewPrivileges = false'
test_case "an agent is asked about a startContainer hook" all_the_way \
  '.hooks.startContainer = [{path: "/bin/sh", args: ["sh", "-c", "test $(ls /proc/self/fd | wc -l) = 4"]}]'
# without the right to trace, the listener comes by sendmsg(2)
as_user() { # JQ
  command -v setpriv >/dev/null || skip "no setpriv"
  bundle "$NOTIFY" '.linux.namespaces |= map(select(.type != "network")) + [{type: "user"}] | del(.linux.resources)' \
    '.linux.uidMappings = [{containerID: 0, hostID: 65534, size: 1}] | .linux.gidMappings = .linux.uidMappings' \
    '.mounts |= map(select(.type != "cgroup") | if .type == "sysfs" then {destination: "/sys", type: "none", source: "/sys", options: ["rbind", "ro"]} else . end | if .options then .options -= ["gid=5"] else . end)' \
    "$1" '.process.args = ["sh", "-c", "mkdir /tmp/x; true"]'
  agent
  chown -R 65534:65534 "$D"
  expect 0 setpriv --reuid 65534 --regid 65534 --clear-groups env -u XDG_RUNTIME_DIR "$BERTH" --root "$D/root" run -b "$B" "$ID"
  contains "$err" "No space left on device"
  wait "$agent"
}
test_case "an agent of an ordinary user" as_user .
test_case "an agent of an ordinary user decides about sendmsg" as_user '.linux.seccomp.syscalls[0].names += ["sendmsg"]'
test_case "nobody listens" refuses 'failed to connect with seccomp agent at' "$NOTIFY"
test_case "metadata for no agent goes to nobody" inside hi '.process.args = ["echo", "hi"] | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerMetadata: "x"}'
test_case "an agent cannot decide about write" refuses 'SCMP_ACT_NOTIFY cannot be used for the write syscall' "$NOTIFY" \
  '.linux.seccomp.syscalls[0].names += ["write"]'

finish

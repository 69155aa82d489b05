#!/bin/bash
# shellcheck disable=SC2016
# What crun has beside runc: options, mount options, annotations, and the corners that its users rely on.
. "${BASH_SOURCE%/*}/../lib/check.sh"
. "$TESTS/lib/compare.sh"

# --- options -------------------------------------------------------------------------------------------
other_config() {
  bundle "$ARGS ." 'args("echo bundle")'
  jq '.process.args[2] = "echo other"' "$B/config.json" >"$D/other.json"
  expect 0 berth run -b "$B" "$ID"
  equal "$out" bundle
  expect 0 berth run -b "$B" -f other.json "$ID" # below our directory, not below the bundle
  equal "$out" other
  rm "$B/config.json"
  expect 0 berth run --bundle "$B" --config "$D/other.json" "$ID"
  equal "$out" other
  expect 1 berth run -b "$B" -f "$D/no.json" "$ID"
  contains "$err" "$D/no.json"
}
test_case "--config: another file than config.json" other_config

no_cgroup() {
  local own
  # shellcheck disable=SC2034
  local MANAGER=()
  own=$(grep -v '^0:' /proc/self/cgroup | sort)
  bundle "$ARGS ." 'args("grep -v ^0: /proc/self/cgroup | sort")' 'del(.linux.resources) | .linux.namespaces |= map(select(.type != "cgroup"))'
  expect 0 berth --cgroup-manager disabled run -b "$B" "$ID"
  equal "$out" "$own" "cgroup"
  [[ -z $(find /sys/fs/cgroup -type d -name "*$ID*") ]] || fail "a cgroup was made"
  bundle "$FOREVER" 'del(.linux.resources)'
  expect 0 berth --cgroup-manager disabled run -d -b "$B" "$ID"
  status_is "$ID" running
  expect 0 berth exec "$ID" true
  expect 1 berth pause "$ID"
  contains "$err" "no cgroup of its own"
  expect 0 berth delete -f "$ID"
  bundle '.linux.resources.pids.limit = 100'
  expect 1 berth --cgroup-manager disabled run -b "$B" "$ID"
  contains "$err" "limits need a cgroup"
  expect 1 berth --cgroup-manager nonsense list
  one_line "$err"
}
test_case "--cgroup-manager disabled: the container stays in the caller's cgroup" no_cgroup

log_level() {
  bundle '.process.args = ["true"]' '.hooks.poststop = [{path: "/bin/false"}]'
  expect 0 berth run -b "$B" "$ID"
  contains "$err" "poststop hook"
  expect 0 berth --log-level error run -b "$B" "$ID"
  equal "$err" ""
  expect 1 berth --log-level error run -b "$B" "no/id"
  one_line "$err"
  expect 1 berth --log-level nonsense list
  contains "$err" "log-level"
}
test_case "--log-level error: warnings are left out" log_level

log_place() {
  expect 1 berth --log "$D/no/such/directory/log" list
  one_line "$err"
  contains "$err" "$D/no/such/directory/log"
  expect 0 berth --log "$D/log" list
  [[ -e $D/log ]] || fail "no log"
}
test_case "--log: a file that cannot be written is found out at once" log_place

many() {
  local n
  bundle "$FOREVER"
  for n in a1 a2 b1; do expect 0 berth run -d -b "$B" "$ID-$n"; done
  expect 0 berth kill --regex "^$ID-a[0-9]$" KILL
  eventually status_is "$ID-a1" stopped
  eventually status_is "$ID-a2" stopped
  status_is "$ID-b1" running
  expect 1 berth delete --regex "^$ID-" # one of them runs; the others go
  one_line "$err"
  expect 1 berth state "$ID-a1"
  expect 1 berth state "$ID-a2"
  status_is "$ID-b1" running
  expect 1 berth delete --regex "^$ID-a"
  contains "$err" "no container matches"
  expect 0 berth delete -f --regex "^$ID-a"
  expect 1 berth delete -f --regex "("
  contains "$err" "regular expression"
  expect 1 berth kill --regex "^$ID-b" NONSENSE
  expect 0 berth delete -f -r "$ID-b1"
  expect 1 berth state "$ID-b1"
}
test_case "--regex: delete and kill many containers" many

# --- user namespaces -------------------------------------------------------------------------------------
test_case "a user namespace without maps: its root is the caller" \
  inside "0 0 1 0 0 1 " '.linux.namespaces += [{type: "user"}] | .mounts |= map(if .options then .options -= ["gid=5"] else . end) | args("cat /proc/self/uid_map /proc/self/gid_map | tr -s \" \\n\" \" \" | sed s/^.//")'
test_case "a user namespace without maps: there is nobody else" \
  refuses "there is only root" '.linux.namespaces += [{type: "user"}] | .process.user.uid = 5'
test_case "a user namespace with one of two maps" \
  refuses "linux.gidMappings: missing" "$USERNS | del(.linux.gidMappings)"
test_case "devices from the host cannot be executed" inside 'nosuid noexec' \
  "$USERNS"' | args("grep \" /dev/null \" /proc/self/mountinfo | cut -d\" \" -f6 | tr , \"\\n\" | grep -e nosuid -e noexec | tr \"\\n\" \" \" | sed \"s/ $//\"")'
device() {
  inside "157 10:11 1:5 666 0:0 1:5 3 " "$USERNS" 'args("stat -c \"%a %u:%g %t:%T\" /dev/sub/made /dev/plain | tr \"\n\" \" \"; head -c 3 /dev/plain | wc -c | tr \"\n\" \" \"")' \
    '.linux.devices = [{path: "/dev/sub/made", type: "b", major: 1, minor: 5, uid: 10, gid: 11, fileMode: 111},
      {path: "/dev/plain", type: "c", major: 1, minor: 5}]' \
    '.linux.resources.devices += [{allow: true, type: "c", major: 1, minor: 5, access: "rwm"}]'
}
test_case "devices in a user namespace have the owner and the mode of the config" device
host_sys() {
  local part="$USERNS | .linux.namespaces |= map(select(.type != \"network\")) | args(\"ls /sys/class/net | sort; touch /sys/x 2>/dev/null || echo read-only\")"
  inside "$(find /sys/class/net -mindepth 1 -printf '%f\n' | sort; echo read-only)" "$part"
}
test_case "sysfs in a user namespace with the host's network is the host's" host_sys

alone() {
  mkdir -p "$D/src/below" && mount -t tmpfs t "$D/src/below" && echo deep >"$D/src/below/deep"
  inside "below 0" "$USERNS" 'args("echo $(ls /mnt) $(ls /mnt/below | wc -l)")' \
    '.mounts += [{destination: "/mnt", type: "bind", source: ($D + "/src"), options: ["bind"]}]'
  umount "$D/src/below"
}
test_case "a bind mount in a user namespace, without what is mounted below its source" alone

# --- mounts ----------------------------------------------------------------------------------------------
link_to_nothing() {
  mkdir "$D/dir" && echo text >"$D/file" && echo below >"$D/dir/below"
  bundle "$ARGS ." 'args("cat /far/away/file /far/off/below /etc/link-file; readlink /etc/link-file")' \
    '.mounts += [{destination: "/etc/link-file", type: "bind", source: ($D + "/file"), options: ["bind"]},
      {destination: "/etc/link-dir", type: "bind", source: ($D + "/dir"), options: ["bind"]}]'
  ln -s ../far/away/file "$B/rootfs/etc/link-file"
  ln -s /far/away/../off "$B/rootfs/etc/link-dir"
  expect 0 berth run -b "$B" "$ID"
  equal "$out" "$(printf '%s\n' text below text ../far/away/file)"
  [[ ! -e /far ]] || fail "made on the host"
}
test_case "a mount through a link to nothing makes what the link leads to" link_to_nothing
link_to_itself() {
  bundle '.mounts += [{destination: "/etc/loop", type: "bind", source: "/etc/passwd", options: ["bind"]}]'
  ln -s loop "$B/rootfs/etc/loop"
  expect 1 berth run -b "$B" "$ID"
  one_line "$err"
}
test_case "a mount through a link to itself fails" link_to_itself

copied_link() {
  ln -s no/where "$D/link"
  bundle "$ARGS ." 'args("readlink /mnt/a/link; stat -c %F /mnt/a/file")' \
    '.mounts += [["link", "file"][] | {destination: ("/mnt/a/" + .), type: "bind", source: ($D + "/" + .), options: ["rbind", "rprivate", "copy-symlink"]}]'
  echo text >"$D/file"
  expect 0 berth run -b "$B" "$ID"
  equal "$out" "$(printf '%s\n' no/where 'regular file')"
  expect 0 berth run -b "$B" "$ID" # the link is there now
  ln -sfn else/where "$D/link"
  expect 1 berth run -b "$B" "$ID"
  one_line "$err"
}
test_case "copy-symlink: a link is copied, what is no link is mounted" copied_link

unfollowed() { # OPTIONS JQ
  echo content >"$D/file"
  ln -s "$D/file" "$D/link"
  bundle "$ARGS ." 'args("readlink /mnt/target || cat /mnt/target")' "${2:-.}" \
    ".mounts += [{destination: \"/mnt/target\", type: \"bind\", source: (\$D + \"/link\"), options: $1}]"
  ln -s nowhere "$B/rootfs/mnt/target"
  expect 0 berth run -b "$B" "$ID"
  [[ ! -e $B/rootfs/mnt/nowhere ]] || fail "the link of the image was followed"
}
no_follow() {
  unfollowed '["bind", "rslave", "dest-nofollow"]' && equal "$out" content
  unfollowed '["bind", "dest-nofollow", "src-nofollow", "ro"]' && equal "$out" "$D/file"
  unfollowed '["bind", "dest-nofollow", "src-nofollow"]' "$USERNS" && equal "$out" "$D/file"
}
test_case "src-nofollow, dest-nofollow: links are mounted, and mounted on, themselves" no_follow
on_proc() {
  ln -s nothing "$D/link"
  bundle '.mounts += [{destination: "/proc/self", type: "bind", source: ($D + "/link"), options: ["bind", "src-nofollow", "dest-nofollow"]}]'
  expect 1 berth run -b "$B" "$ID"
  contains "$err" /proc/self
}
test_case "dest-nofollow: not on the links of procfs" on_proc
test_case "nofollow is for bind mounts" refuses 'are for bind mounts' \
  '.mounts += [{destination: "/mnt", type: "tmpfs", source: "t", options: ["dest-nofollow"]}]'

mapped() { # WANTED OPTION JQ...
  [[ $(stat -f -c %T "$D") != tmpfs || $(uname -r | awk -F. '{ print ($1 * 1000 + $2 >= 6003) }') = 1 ]] ||
    skip "this kernel cannot map the ids of a tmpfs"
  mkdir "$D/src" && touch "$D/src/root" "$D/src/user" && chown 1000:1001 "$D/src/user"
  inside "$1" ".mounts += [{destination: \"/mnt\", type: \"bind\", source: (\$D + \"/src\"), options: [\"bind\", \"$2\"]}]" \
    'args("stat -c %u:%g /mnt/root /mnt/user | tr \"\\n\" \" \"")' "${@:3}"
}
test_case "idmap=: maps in the option" mapped "500:600 7:9 " "idmap=uids=0-500-1#1000-7-1;gids=0-600-10#1001-9-1"
test_case "idmap=@: maps relative to the user namespace" \
  mapped "3:4 50:60 " "idmap=uids=@0-3-1#1000-50-1;gids=@0-4-1#1001-60-1" "$USERNS"
test_case "idmap=@: ids that the user namespace has not" refuses "in no range" "$USERNS" \
  '.mounts += [{destination: "/mnt", type: "bind", source: "/tmp", options: ["bind", "idmap=uids=@0-70000-1;gids=0-0-1"]}]'

new_root() {
  bundle "$ARGS ." 'args("cat /etc/passwd | head -n1 | cut -d: -f1; echo x >/new; cat /new; awk \"\\$5 == \\\"/\\\"\" /proc/self/mountinfo | wc -l")' \
    '.mounts = [{destination: "/", type: "tmpfs", source: "root", options: ["tmpcopyup"]}] + .mounts'
  expect 0 berth run -b "$B" "$ID"
  equal "$out" "$(printf '%s\n' root x 1)"
  [[ ! -e $B/rootfs/new ]] || fail "written to the image"
  cp -a "$B/rootfs" "$D/other" && echo other >"$D/other/name"
  bundle "$ARGS ." 'args("cat /name; touch /x 2>/dev/null || echo read-only")' '.root.readonly = true' \
    '.mounts = [{destination: "/", type: "bind", source: ($D + "/other"), options: ["rbind"]}] + .mounts'
  expect 0 berth run -b "$B" "$ID"
  equal "$out" "$(printf '%s\n' other read-only)"
  expect 0 berth run --no-pivot -b "$B" "$ID"
  equal "$out" "$(printf '%s\n' other read-only)"
}
test_case "what is mounted on / is the root" new_root

# --- hooks -----------------------------------------------------------------------------------------------
hook() { # KIND SCRIPT [MORE]
  printf '.hooks.%s = [{path: "/bin/sh", args: ["sh", "-c", "%s"]} + {%s}]' "$1" "$2" "${3:-}"
}
hook_place() {
  local kind
  for kind in prestart createRuntime createContainer poststart poststop; do
    bundle '.process.args = ["true"]' "$(hook "$kind" "pwd >>\(\$D)/place")"
    expect 0 berth run -b "$B" "$ID"
    # that of createContainer is the root, as with runc
    equal "$(<"$D/place")" "$B$([[ $kind != createContainer ]] || echo /rootfs)" "directory of $kind"
    rm "$D/place"
  done
}
test_case "hooks run in the bundle" hook_place
hook_env() {
  local kind
  export BERTH_TEST_SAYS=hello
  for kind in createRuntime poststart poststop; do
    bundle '.process.args = ["true"]' "$(hook "$kind" "echo \$BERTH_TEST_SAYS >\(\$D)/env")"
    expect 0 berth run -b "$B" "$ID"
    equal "$(<"$D/env")" hello "environment of $kind"
    bundle '.process.args = ["true"]' "$(hook "$kind" "echo \$BERTH_TEST_SAYS >\(\$D)/env" 'env: []')"
    expect 0 berth run -b "$B" "$ID"
    equal "$(<"$D/env")" "" "environment of $kind, none"
  done
  bundle '.process.args = ["true"]' '.process.env += ["BERTH_TEST_SAYS=inside"]' "$(hook startContainer "echo \$BERTH_TEST_SAYS >/tmp/env")"
  expect 0 berth run -b "$B" "$ID"
  equal "$(<"$B/rootfs/tmp/env")" inside "environment of startContainer"
  rm "$B/rootfs/tmp/env"
  expect 0 berth create -b "$B" "$ID"
  expect 0 berth start "$ID"
  equal "$(<"$B/rootfs/tmp/env")" inside "environment of startContainer, create and start"
  expect 0 berth delete -f "$ID"
}
test_case "hooks without env inherit: ours, or that of the container's process" hook_env
hook_inside() {
  bundle '.process.args = ["true"]' \
    "$(hook createContainer 'test -e proc/self && jq .pid >tmp/created' 'env: ["PATH=/usr/bin:/bin"]')" \
    "$(hook startContainer 'sed s/.*.pid.:// | cut -d, -f1 >/tmp/started; readlink /proc/self/ns/pid >>/tmp/started')"
  expect 0 berth run -b "$B" "$ID"
  equal "$(<"$B/rootfs/tmp/created")" 1 "pid in the state"
  equal "$(sed -n 1p "$B/rootfs/tmp/started")" 1 "pid in the state"
  [[ $(sed -n 2p "$B/rootfs/tmp/started") != "$(readlink /proc/self/ns/pid)" ]] || fail "not in the pid namespace"
}
test_case "hooks in the container are in its pid namespace" hook_inside
hook_output() {
  bundle '.process.args = ["true"]' "$(hook createRuntime 'echo out; echo err >&2')" "$(hook poststop 'echo stop')" \
    '.annotations = {"run.oci.hooks.stdout": ($D + "/hook.out"), "run.oci.hooks.stderr": ($D + "/hook.err")}'
  expect 0 berth run -b "$B" "$ID"
  equal "$(<"$D/hook.out")" "$(printf '%s\n' out stop)"
  equal "$(<"$D/hook.err")" err
  bundle '.process.args = ["true"]' "$(hook createRuntime :)" '.annotations = {"run.oci.hooks.stdout": "relative"}'
  expect 1 berth run -b "$B" "$ID"
  one_line "$err"
  contains "$err" "absolute path"
}
test_case "run.oci.hooks.stdout, .stderr: where hooks write to" hook_output
hook_fails() {
  local kind
  for kind in startContainer poststart; do
    bundle "$FOREVER" "$(hook "$kind" 'exit 1')" "$(hook poststop "echo stopped >>\(\$D)/stopped")"
    expect 0 berth create -b "$B" "$ID"
    expect 1 berth start "$ID"
    contains "$err" "$kind hook"
    expect 1 berth state "$ID"
    contains "$err" "does not exist"
    equal "$(<"$D/stopped")" stopped "poststop after $kind"
    rm "$D/stopped"
    expect 1 berth run -d -b "$B" "$ID"
    expect 1 berth state "$ID"
    equal "$(<"$D/stopped")" stopped "poststop after $kind, run"
    rm "$D/stopped"
  done
}
test_case "a hook that fails deletes the container, and poststop hooks run" hook_fails

# --- annotations and processes -----------------------------------------------------------------------------
groups_kept() {
  command -v setpriv >/dev/null || skip "no setpriv"
  bundle "$ARGS ." 'args("grep ^Groups /proc/self/status | tr -s \"\\t \" \" \"")'
  expect 0 setpriv --groups 11,12 "$BERTH" --root "$ROOT" run -b "$B" "$ID"
  equal "$out" "Groups: "
  bundle "$ARGS ." 'args("grep ^Groups /proc/self/status | tr -s \"\\t \" \" \"")' '.annotations["run.oci.keep_original_groups"] = "1"'
  expect 0 setpriv --groups 11,12 "$BERTH" --root "$ROOT" run -b "$B" "$ID"
  equal "$out" "Groups: 11 12 "
}
test_case "run.oci.keep_original_groups: the caller's groups stay" groups_kept
unknown_call() {
  local filter='.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["no_such_call"], action: "SCMP_ACT_ERRNO"}]}'
  inside ok 'args("echo ok")' "$filter"
  refuses 'no system call is called "no_such_call"' 'args("echo ok")' "$filter" '.annotations["run.oci.seccomp_fail_unknown_syscall"] = "1"'
}
test_case "run.oci.seccomp_fail_unknown_syscall: unknown names are errors" unknown_call
pidfd_receiver() {
  local receiver pid
  "$WORK/bin/recvtty" "$D/pidfd.sock" </dev/null >/dev/null 2>&1 &
  receiver=$!
  eventually test -S "$D/pidfd.sock"
  bundle "$FOREVER" '.annotations["run.oci.pidfd_receiver"] = $D + "/pidfd.sock"'
  expect 0 berth run -d -b "$B" "$ID"
  pid=$(berth state "$ID" | jq .pid)
  eventually grep -q "^Pid:.$pid$" /proc/$receiver/fdinfo/*
  expect 0 berth delete -f "$ID"
  wait "$receiver" # the pidfd becomes readable when the process ends
}
test_case "run.oci.pidfd_receiver: the socket that is sent a pidfd" pidfd_receiver
owned_output() {
  bundle "$ARGS ." '.process.user = {uid: 1000, gid: 1000} | args("stat -L -c %u:%g /proc/self/fd/1; echo more >/proc/self/fd/1")'
  out=$(berth run -b "$B" "$ID" | cat)
  equal "$out" "$(printf '%s\n' 1000:1000 more)" "a pipe"
  berth run -b "$B" "$ID" >"$D/file" </dev/null
  equal "$(stat -c %u:%g "$D/file")" 1000:0 "a file keeps its group"
  equal "$(stat -c %u:%g /dev/null)" 0:0 "a device of the host"
}
test_case "standard streams belong to the user of the process" owned_output
home() {
  bundle "$ARGS ." '.process.user = {uid: 7, gid: 7} | .process.env |= map(select(startswith("HOME=") | not)) | args("echo $HOME")'
  printf 'root:x:0:0:root:/root:/bin/sh\nlast:x:7:7::/var/last:/bin/sh' >"$B/rootfs/etc/passwd"
  expect 0 berth run -b "$B" "$ID"
  equal "$out" /var/last
}
test_case "HOME from a passwd file whose last line has no end" home
test_case "domainname and its sysctl say the same" inside name '.domainname = "name" | .linux.sysctl = {"kernel.domainname": "name"} | args("cat /proc/sys/kernel/domainname")'
test_case "domainname and its sysctl say different things" refuses 'but domainname says' '.domainname = "name" | .linux.sysctl = {"kernel.domainname": "other"}'
told() {
  local word
  for word in copy-symlink dest-nofollow src-nofollow idmap ridmap tmpcopyup; do
    berth features | jq -e --arg w "$word" '.mountOptions | index($w)' >/dev/null || fail "$word is not among the options"
  done
  berth features | jq -e '.potentiallyUnsafeConfigAnnotations | index("run.oci.")' >/dev/null || fail "run.oci. is not unsafe"
}
test_case "features tells of them" told
finish

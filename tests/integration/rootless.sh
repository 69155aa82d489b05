#!/bin/bash
# What an ordinary user can do: containers with his own id, with ranges of ids, with and without cgroups of his own;
# and what the root of a user namespace can.
. "${BASH_SOURCE%/*}/../lib/check.sh"
. "$TESTS/lib/user.sh"

{ command -v setpriv && command -v newuidmap && command -v newgidmap; } >/dev/null || { test_case "newuidmap is installed" skip "no uidmap" && finish; }
user_world

# He has to get at the runtime, wherever it was built.
mkdir -p /run/berth-test/bin
cp "$BERTH" "/run/berth-test/bin/${BERTH##*/}"
USER_BERTH=/run/berth-test/bin/${BERTH##*/}
USER_ROOT=/run/user/$USER_ID/${BERTH##*/}
berth() { as_user "$USER_BERTH" "$@"; }

# What `spec --rootless` writes, which is what this is about.
mkdir "$WORK/user"
cp -a "$WORK/rootfs" "$WORK/user/rootfs"
chown -R $USER_ID:$USER_ID "$WORK/user"
as_user sh -c "cd $WORK/user && $USER_BERTH spec --rootless"
jq --arg mark "BERTH_TEST_RUN=$RUN_ID" '.process.terminal = false | .process.env += [$mark] | .root.readonly = false' \
  "$WORK/user/config.json" >"$WORK/user/base.json"

user_bundle() { # [JQ...]
  local edit=. part
  for part; do edit+=" | $part"; done
  B=$D/b
  rm -rf "$B" && mkdir "$B"
  cp -al "$WORK/user/rootfs" "$B/rootfs"
  jq --arg D "$D" --arg ID "$ID" "$edit" "$WORK/user/base.json" >"$B/config.json"
  chown $USER_ID "$D" "$B"
}
user_box() { # [JQ...]
  user_bundle "$FOREVER" "$@"
  expect 0 berth run -d -b "$B" --pid-file "$D/pid" "$ID"
}
ARGS() { printf '.process.args = ["sh", "-c", %s]' "$(jq -n --arg s "$1" '$s')"; } # SCRIPT

RANGES='.linux.uidMappings = [{containerID: 0, hostID: '$USER_ID', size: 1}, {containerID: 1, hostID: '$USER_RANGE', size: 65536}] |
  .linux.gidMappings = .linux.uidMappings'

# --- one id ------------------------------------------------------------------------------------------------

one_id() {
  user_bundle "$(ARGS 'id -u; id -g; cat /proc/self/uid_map /proc/self/setgroups; touch /made; exit 7')"
  expect 7 berth run -b "$B" "$ID"
  equal "$(tr -s ' \n' ' ' <<<"$out")" "0 0 0 $USER_ID 1 deny "
  equal "$(stat -c %u "$B/rootfs/made")" $USER_ID "owner of what the container made"
}
test_case "spec --rootless: root inside, the user outside; his status" one_id

life() {
  user_bundle "$SLEEP"
  expect 0 berth create -b "$B" --pid-file "$D/pid" "$ID"
  [[ -d $USER_ROOT/$ID && ! -e /run/berth/$ID ]] || fail "the state is not in $USER_ROOT"
  equal "$(stat -c %u "/proc/$(<"$D/pid")")" $USER_ID
  expect 0 berth start "$ID"
  status_is "$ID" running
  expect 0 berth list
  equal "$(awk -v i="$ID" '$1 == i { print $3, $NF }' <<<"$out")" "running $USER_NAME"
  expect 9 berth exec "$ID" sh -c 'id -u; exit 9'
  equal "$out" 0
  expect 255 berth exec "$ID" no-such-program
  expect 1 berth delete "$ID"
  eventually grep -q trap "/proc/$(<"$D/pid")/cmdline"
  expect 0 berth kill "$ID" TERM
  eventually status_is "$ID" stopped
  expect 0 berth delete "$ID"
  user_box
  expect 0 berth delete -f "$ID"
}
test_case "create, start, list, exec, kill, delete; the state is in XDG_RUNTIME_DIR" life

killed_run() {
  user_bundle "$FOREVER"
  become_user "$USER_BERTH" run -b "$B" --pid-file "$D/pid" "$ID" &
  local pid=$!
  eventually status_is "$ID" running
  kill -KILL $pid
  eventually gone "$(<"$D/pid")"
  # and the next use of the id collects what is left
  expect 0 berth delete -f "$ID"
}
test_case "a killed run takes the container along" killed_run

terminal() {
  user_bundle '.process.terminal = true' "$(ARGS 'tty; test -c /dev/console && echo console')"
  as_user "$WORK/bin/recvtty" "$D/tty.sock" </dev/null >"$D/screen" &
  eventually test -S "$D/tty.sock"
  expect 0 berth run -d -b "$B" --console-socket "$D/tty.sock" "$ID"
  eventually grep -q console "$D/screen"
  contains "$(<"$D/screen")" /dev/pts/0
  eventually status_is "$ID" stopped
  expect 0 berth delete "$ID"
}
test_case "a terminal" terminal

surroundings() {
  user_bundle '.linux.namespaces += [{type: "network"}]' '.hostname = "ship"' '.linux.devices = [{path: "/dev/ptmx", type: "c", major: 5, minor: 2}]' \
    "$(ARGS 'hostname; ip -o link | grep -c LOOPBACK,UP; echo >/dev/null && head -c 2 /dev/zero | wc -c; test -c /dev/ptmx && echo ptmx; touch /sys/x 2>/dev/null || echo ro')" \
    '.hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", "id -u >\($D)/hook"], env: ["PATH=/usr/bin:/bin"]}]'
  expect 0 berth run -b "$B" "$ID"
  equal "$(tr '\n' ' ' <<<"$out")" "ship 1 2 ptmx ro "
  equal "$(<"$D/hook")" $USER_ID "the hook's user"
}
test_case "hostname, network, devices, read-only /sys, hooks" surroundings

refused() { # WORDS JQ...
  local words=$1
  shift
  user_bundle '.process.args = ["true"]' "$@"
  expect 1 berth run -b "$B" "$ID"
  one_line "$err"
  contains "$err" "$words"
  expect 1 berth state "$ID"
}
test_case "without a range no groups can be given" refused additionalGids '.process.user.additionalGids = [0]'
test_case "what is not his cannot be mapped" refused newuidmap \
  '.linux.uidMappings = [{containerID: 0, hostID: 0, size: 1}]'
test_case "a range that nobody granted is refused in newuidmap's words" refused 'newuidmap' \
  "$RANGES" '.linux.uidMappings[1].size = 65537'
test_case "so is a range of groups" refused 'newgidmap' "$RANGES" '.linux.gidMappings[1].hostID += 1'

no_tool() {
  user_bundle "$RANGES" '.process.args = ["true"]'
  expect 1 as_user PATH=/nowhere "$USER_BERTH" run -b "$B" "$ID"
  one_line "$err"
  contains "$err" 'newuidmap is not in PATH'
}
test_case "without newuidmap in PATH: a line that says so" no_tool

# --- ranges --------------------------------------------------------------------------------------------------

ranges() {
  user_bundle "$RANGES" '.process.user = {uid: 0, gid: 0, additionalGids: [5, 6]}' \
    '.process.capabilities[] += ["CAP_CHOWN", "CAP_SETUID", "CAP_SETGID"]' \
    "$(ARGS 'cat /proc/self/uid_map /proc/self/gid_map; id -G; touch /tmp/a; chown 1000:1001 /tmp/a; stat -c "%u %g" /tmp/a')"
  expect 0 berth run -b "$B" "$ID"
  equal "$(tr -s ' \n' ' ' <<<"$out")" " 0 $USER_ID 1 1 $USER_RANGE 65536 0 $USER_ID 1 1 $USER_RANGE 65536 0 5 6 1000 1001 "
  equal "$(stat -c '%u %g' "$B/rootfs/tmp/a")" "$((USER_RANGE + 999)) $((USER_RANGE + 1000))" "owner outside"
}
test_case "ranges of ids by newuidmap and newgidmap, groups" ranges

ranges_user() {
  user_box "$RANGES" '.process.user = {uid: 1000, gid: 1000}'
  equal "$(stat -c '%u' "/proc/$(<"$D/pid")")" $((USER_RANGE + 999))
  expect 0 berth exec "$ID" sh -c 'id -u; id -G'
  equal "$(tr '\n' ' ' <<<"$out")" "1000 1000 "
  expect 0 berth exec --user 7:8 --additional-gids 9 "$ID" sh -c 'id -u; id -G'
  equal "$(tr '\n' ' ' <<<"$out")" "7 8 9 "
  expect 0 berth kill "$ID" KILL
  eventually status_is "$ID" stopped
  expect 0 berth delete "$ID"
}
test_case "a user of the range: run, exec with another one and its groups, kill" ranges_user

joined() {
  user_box "$RANGES"
  local pid
  pid=$(<"$D/pid")
  user_bundle ".linux.namespaces |= map(if .type == \"user\" or .type == \"ipc\" then .path = \"/proc/$pid/ns/\(.type)\" else . end)" \
    'del(.linux.uidMappings, .linux.gidMappings)' "$(ARGS 'readlink /proc/self/ns/user; readlink /proc/self/ns/ipc')"
  expect 0 berth run -b "$B" "$ID-b"
  equal "$out" "$(readlink /proc/$pid/ns/user /proc/$pid/ns/ipc)"
  expect 0 berth delete -f "$ID"
}
test_case "another container joins its user namespace" joined

ranges_launched() {
  [[ $BERTH != */runc ]] || skip "runc has no launcher"
  as_user test -x "$BERTH" || skip "the user cannot get at $BERTH"
  local isolate
  user_bundle "$RANGES" '.process.user = {uid: 1000, gid: 1000}' "$(ARGS 'id -u; readlink /proc/self/ns/user; sleep 1')"
  for isolate in full ranks; do
    expect 0 as_user "$BERTH" launch --name "$ID" --isolate $isolate -n 2 "$B"
    equal "$(grep -c '^1000$' <<<"$out")" 2 "$isolate: instances"
    equal "$(grep user: <<<"$out" | sort -u | wc -l)" "$([[ $isolate = full ]] && echo 2 || echo 1)" "$isolate: user namespaces"
  done
}
test_case "launch: instances with ranges of ids, each with its own or in one user namespace" ranges_launched

# --- cgroups that nobody delegated -----------------------------------------------------------------------------

no_permission() {
  user_box '.linux.resources = {devices: [{allow: false, access: "rwm"}]}'
  # there is none of his own, and what needs it says so
  ! grep -q "$ID" "/proc/$(<"$D/pid")/cgroup"
  expect 0 berth exec "$ID" true
  expect 1 berth pause "$ID"
  one_line "$err"
  expect 0 berth events --stats "$ID"
  equal "$(jq .data.pids.current <<<"$out")" null
  expect 0 berth delete -f "$ID"
}
test_case "no limits, no cgroupsPath, no permission: runs in the caller's cgroups" no_permission
test_case "limits without permission are refused" refused \
  'rootless needs no limits + no cgrouppath when no permission is granted for cgroups' '.linux.resources.pids = {limit: 20}'

no_permission_for_path() {
  user_bundle '.process.args = ["true"]' ".linux.cgroupsPath = \"/$RUN_ID-nobody/box\""
  expect 1 berth run -b "$B" "$ID"
  one_line "$err"
  contains "$err" 'unable to apply cgroup configuration'
  contains "$err" 'permission denied'
  [[ -z $(find /sys/fs/cgroup -name "$RUN_ID-nobody") ]]
}
test_case "a cgroupsPath without permission is refused" no_permission_for_path

rootless_words() {
  local word
  user_bundle '.process.args = ["true"]'
  for word in true auto 1 ''; do expect 0 berth --rootless="$word" run -b "$B" "$ID"; done
  # now permissions count
  expect 1 berth --rootless=false run -b "$B" "$ID"
  one_line "$err"
  contains "$err" 'permission denied'
  expect 1 berth --rootless=perhaps run -b "$B" "$ID"
  one_line "$err"
  expect 0 berth --rootless=false --cgroup-manager=disabled run -b "$B" "$ID"
}
test_case "--rootless true, auto, false; --cgroup-manager disabled" rootless_words

nobody_to_kill_them() {
  user_bundle "$(NO_NS pid)" '.mounts |= map(select(.type != "proc"))' '.process.args = ["true"]' \
    '.mounts += [{destination: "/proc", type: "none", source: "/proc", options: ["rbind"]}]' \
    'del(.linux.maskedPaths, .linux.readonlyPaths)'
  expect 0 berth run -b "$B" "$ID"
  contains "$err" 'strongly discouraged'
}
test_case "without a cgroup and without a pid namespace: a warning" nobody_to_kill_them

# --- cgroups that are his -----------------------------------------------------------------------------------------

version=1
[[ $(stat -f -c %T /sys/fs/cgroup) != cgroup2fs ]] || version=2
OWN=$RUN_ID-own

# The runtime started from there.
own_berth() {
  (
    for top in $(hierarchies); do echo $BASHPID >"$top/$OWN/session/cgroup.procs"; done
    berth "$@"
  )
}

own_limit() { # CONTROLLER V1-FILE V2-FILE
  if ((version == 2)); then cat "/sys/fs/cgroup/$OWN/box/$3"; else cat "/sys/fs/cgroup/$1/$OWN/box/$2"; fi
}

delegated() {
  ((version == 1)) || grep -qw memory /sys/fs/cgroup/cgroup.subtree_control || skip "cgroup v2 without memory"
  delegate "$OWN"
  user_bundle "$FOREVER" ".linux.cgroupsPath = \"/$OWN/box\"" '.linux.resources = {memory: {limit: 33554432}, pids: {limit: 20}}'
  expect 0 own_berth run -d -b "$B" --pid-file "$D/pid" "$ID"
  equal "$(own_limit memory memory.limit_in_bytes memory.max)" 33554432
  equal "$(own_limit pids pids.max pids.max)" 20
  grep -q "/$OWN/box$" "/proc/$(<"$D/pid")/cgroup"
  expect 0 own_berth exec -d --pid-file "$D/pid2" "$ID" sleep 998
  grep -q "/$OWN/box$" "/proc/$(<"$D/pid2")/cgroup"
  expect 0 own_berth ps --format json "$ID"
  equal "$(jq length <<<"$out")" 2 "processes"
  expect 0 own_berth update --memory 64M "$ID"
  equal "$(own_limit memory memory.limit_in_bytes memory.max)" 67108864
  expect 0 own_berth events --stats "$ID"
  equal "$(jq .data.pids.current <<<"$out")" 2
  expect 0 own_berth pause "$ID"
  status_is "$ID" paused
  expect 255 own_berth exec "$ID" true
  expect 0 own_berth resume "$ID"
  status_is "$ID" running
  expect 0 own_berth pause "$ID"
  expect 0 own_berth delete -f "$ID"
  [[ -z $(find /sys/fs/cgroup -path "*/$OWN/box") ]] || fail "a cgroup is left"
  undelegate "$OWN"
}
test_case "delegated cgroups: limits, exec, ps, update, events, pause, delete" delegated

# A v2 hierarchy beside those of v1 has no limits: a container without a place in it lacks nothing.
without_v2() {
  local unified=/sys/fs/cgroup/unified
  mountpoint -q $unified || skip "no hybrid machine"
  delegate "$OWN"
  chown root "$unified/$OWN"
  user_bundle "$FOREVER" ".linux.cgroupsPath = \"/$OWN/box\"" '.linux.resources = {pids: {limit: 20}}'
  expect 0 own_berth run -d -b "$B" --pid-file "$D/pid" "$ID"
  [[ ! -e $unified/$OWN/box ]] || fail "there is a v2 directory"
  equal "$(own_limit pids pids.max pids.max)" 20
  expect 7 berth exec "$ID" sh -c 'exit 7'
  expect 0 own_berth delete -f "$ID"
  undelegate "$OWN"
}
test_case "delegated cgroups of v1 alone, on a hybrid machine" without_v2

delegated_own() {
  delegate "$OWN"
  user_bundle "$FOREVER"
  expect 0 own_berth run -d -b "$B" --pid-file "$D/pid" "$ID"
  local place=$OWN/session
  ((version == 1)) || place=$OWN # beside
  grep -q "/$place/$ID$" "/proc/$(<"$D/pid")/cgroup"
  expect 0 own_berth pause "$ID"
  expect 0 own_berth delete -f "$ID"
  # what is above is not his
  if ((version == 2)); then
    chown root "/sys/fs/cgroup/$OWN"
    expect 0 own_berth run -d -b "$B" --pid-file "$D/pid" "$ID"
    grep -q "/$OWN/session/$ID$" "/proc/$(<"$D/pid")/cgroup"
    expect 0 own_berth delete -f "$ID"
  fi
  undelegate "$OWN"
}
test_case "without a cgroupsPath, a cgroup where he may have one" delegated_own

# --- root of a user namespace --------------------------------------------------------------------------------------

NO_USER_NS='del(.linux.uidMappings, .linux.gidMappings) | .linux.namespaces |= map(select(.type != "user"))'

in_namespace() { # UNSHARE-OPTIONS COMMAND...: as Podman starts us, USER is not set
  as_user env -u USER unshare "$@"
}

inside_with_one_id() {
  user_bundle "$NO_USER_NS" "$(ARGS 'id -u; cat /proc/self/uid_map; test -c /dev/null && echo device')"
  expect 0 in_namespace -Ur "$USER_BERTH" run -b "$B" "$ID"
  equal "$(tr -s ' \n' ' ' <<<"$out")" "0 0 $USER_ID 1 device "
  # and one more
  user_bundle '.linux.uidMappings = [{containerID: 0, hostID: 0, size: 1}] | .linux.gidMappings = .linux.uidMappings' \
    "$(ARGS 'id -u; readlink /proc/self/ns/user')"
  expect 0 in_namespace -Ur sh -c 'readlink /proc/self/ns/user; exec "$@"' sh "$USER_BERTH" run -b "$B" "$ID"
  [[ $(sort -u <<<"$out" | wc -l) = 3 ]] || fail "not a user namespace of its own: $out"
  equal "$(roots_directory)" "$ROOTS_DIRECTORY" /run/berth
}
test_case "in a user namespace with one id, as its root: run, with and without another one" inside_with_one_id

inside_with_ranges() {
  unshare --help | grep -q -- --map-auto || skip "unshare without --map-auto"
  user_bundle "$NO_USER_NS" '.process.user = {uid: 1000, gid: 1000, additionalGids: [5]}' "$FOREVER"
  expect 0 in_namespace -U --map-root-user --map-auto sh -c '
    "$1" run -d -b "$2" "$3" && "$1" exec --user 7:8 "$3" sh -c "id -u; id -G" && "$1" exec "$3" id -G && "$1" delete -f "$3"' \
    sh "$USER_BERTH" "$B" "$ID"
  equal "$(tr "\n" " " <<<"$out")" "7 8 5 1000 5 "
  # ids of the namespace around it, without newuidmap
  user_bundle '.linux.uidMappings = [{containerID: 0, hostID: 1, size: 1000}] | .linux.gidMappings = .linux.uidMappings' \
    "$(ARGS 'cat /proc/self/uid_map /proc/self/setgroups')"
  chmod 755 "$D" "$B"
  expect 0 in_namespace -U --map-root-user --map-auto env PATH=/bin "$USER_BERTH" run -b "$B" "$ID"
  equal "$(tr -s ' \n' ' ' <<<"$out")" " 0 1 1000 allow "
}
test_case "in a user namespace with ranges: users, groups, exec, ranges of it" inside_with_ranges

# Its network is joined by the runtime before it makes the user namespace; the runtime itself, and the hooks, stay.
inside_joined() {
  unshare --help | grep -q -- --map-auto || skip "unshare without --map-auto"
  user_bundle '.linux.uidMappings = [{containerID: 0, hostID: 1, size: 1000}] | .linux.gidMappings = .linux.uidMappings' \
    '.linux.namespaces += [{type: "network", path: "/proc/self/fd/9"}]' \
    '.hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", "readlink /proc/self/ns/net >\($D)/hook"], env: ["PATH=/usr/bin:/bin"]}]' \
    "$(ARGS 'readlink /proc/self/ns/net; exit 5')"
  chmod 755 "$D" "$B"
  # shellcheck disable=SC2016
  expect 5 in_namespace -U --map-root-user --map-auto sh -c '
    unshare -n sleep 1000 & while [ /proc/$!/ns/net -ef /proc/self/ns/net ]; do :; done
    net=/proc/$!/ns/net; readlink $net; exec 9<$net; "$@"; status=$?; kill $!; exit $status' \
    sh "$USER_BERTH" run -b "$B" "$ID"
  [[ $(sort -u <<<"$out" | wc -l) = 1 ]] || fail "joined another network: $out"
  equal "$(<"$D/hook")" "$(readlink /proc/self/ns/net)" "network of the hook"
}
test_case "in a user namespace, a container of another one joins a network" inside_joined

states_apart() {
  # without a runtime directory: in /tmp, by the name of the user outside; not another's
  user_bundle '.process.args = ["true"]' "$NO_USER_NS"
  expect 0 as_user env -u USER -u XDG_RUNTIME_DIR unshare -Ur "$USER_BERTH" run -b "$B" "$ID"
  [[ -d /tmp/berth-$USER_ID ]]
  rmdir "/tmp/berth-$USER_ID"
  mkdir -m 777 "$D/stranger"
  expect 1 in_namespace -Ur "$USER_BERTH" --root "$D/stranger" run -b "$B" "$ID"
  one_line "$err"
}
test_case "in a user namespace without XDG_RUNTIME_DIR; a stranger's state directory is refused" states_apart

nothing_left() {
  equal "$(find "$USER_ROOT" -mindepth 1 2>/dev/null || :)" ""
  # (whoever inherited those that ended may be slow to reap them)
  [[ -z $(pgrep -r R,S,D,T -u $USER_ID || :) ]]
}
test_case "his state directory is empty again" nothing_left
finish

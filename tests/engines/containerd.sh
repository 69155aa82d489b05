#!/bin/bash
# containerd.sh - a containerd of our own, whose shim (io.containerd.runc.v2) calls berth as its runc.
. "${BASH_SOURCE%/*}/../lib/check.sh"
. "$TESTS/lib/engines.sh"
command -v containerd >/dev/null || { test_case "containerd is installed" skip "no containerd" && finish; }
engines_world

# --- the daemon, and an image ------------------------------------------------------------------------------

start_containerd() {
  mkdir -p $ENGINE/containerd
  # (/run/containerd is where the shims have their sockets, whatever the configuration says: ours is private)
  cat >$ENGINE/containerd.toml <<X
version = 2
root = "$ENGINE/containerd/root"
state = "$ENGINE/containerd/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs", "io.containerd.internal.v1.tracing"]
[grpc]
  address = "$ENGINE/containerd.sock"
[ttrpc]
  address = "$ENGINE/containerd.ttrpc"
X
  export CONTAINERD_ADDRESS=$ENGINE/containerd.sock CONTAINERD_NAMESPACE=$RUN_ID
  # without the mark, by which a case that failed ends what it left
  env -u BERTH_TEST_RUN containerd -c $ENGINE/containerd.toml >$ENGINE/containerd.log 2>&1 &
  echo $! >$ENGINE/pid
}

# One file of an OCI image, under the name that is its digest: $digest, $size.
add_blob() { # FILE
  digest=$(sha256sum <"$1") size=$(stat -c %s "$1")
  digest=${digest%% *}
  mv "$1" "$ENGINE/image/blobs/sha256/$digest"
}

# image-spec: image-layout.md, manifest.md, config.md
make_image() { # ARCHIVE
  local image=$ENGINE/image layer arch
  case $(uname -m) in x86_64) arch=amd64 ;; aarch64) arch=arm64 ;; *) arch=$(uname -m) ;; esac
  mkdir -p $image/blobs/sha256
  cp $ENGINE/busybox.tar $image/layer && add_blob $image/layer
  layer="\"digest\":\"sha256:$digest\",\"size\":$size"
  echo '{"architecture":"'"$arch"'","os":"linux","config":{"Env":["PATH=/bin"],"Cmd":["sh"]},"rootfs":{"type":"layers","diff_ids":["sha256:'"$digest"'"]}}' >$image/config
  add_blob $image/config
  echo '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:'"$digest"'","size":'"$size"'},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar",'"$layer"'}]}' >$image/manifest
  add_blob $image/manifest
  echo '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:'"$digest"'","size":'"$size"',"annotations":{"io.containerd.image.name":"test/box:1"},"platform":{"architecture":"'"$arch"'","os":"linux"}}]}' >$image/index.json
  echo '{"imageLayoutVersion":"1.0.0"}' >$image/oci-layout
  tar -C $image -cf "$1" .
}

ctr_run() { # OPTION... IMAGE-AND-COMMAND, the container's name before the command: ctr's own order
  ctr run --snapshotter native --runc-binary "$ENGINE_RUNTIME" --runc-root "$ROOT" --cgroup "/$ENGINE_PARENT/$ID" "$@"
}
ctr_box() { # OPTION...
  expect 0 ctr_run -d "$@" test/box:1 "$ID" sh -c 'trap "exit 3" TERM; while :; do sleep 1 & wait; done'
}
task_is() { # STATUS
  [[ $(ctr task ls | awk -v id="$ID" '$1 == id { print $3 }') = "$1" ]]
}
# The end of a container; the status of its process is that of the command.
ctr_end() { # STATUS
  eventually task_is STOPPED
  try ctr task delete "$ID"
  contains "$err" "code $1"
  expect 0 ctr container rm "$ID"
}

import() {
  eventually ctr version
  make_image "$D/image.tar"
  expect 0 ctr image import --snapshotter native "$D/image.tar"
}
start_containerd
test_case "containerd starts and imports an image" import

# --- the life of a task --------------------------------------------------------------------------------------

run_status() {
  expect 0 ctr_run --rm test/box:1 "$ID" echo hello
  equal "$out" hello
  expect 7 ctr_run --rm test/box:1 "$ID" sh -c 'echo no >&2; exit 7'
  equal "$err" no
  expect 1 ctr_run --rm test/box:1 "$ID" no-such-program
  contains "$err" 'OCI runtime create failed'
  contains "$err" 'executable file not found in $PATH'
  expect 1 ctr_run --rm test/box:1 "$ID" /etc
  contains "$err" 'ermission denied'
  equal "$(ctr container ls -q)" ""
}
test_case "ctr run: output, status, and why it failed" run_status

detached() {
  ctr_box
  task_is RUNNING
  expect 0 ctr task ps "$ID"
  [[ $(wc -l <<<"$out") -ge 2 ]] || fail "$out"
  expect 0 ctr task kill -s TERM "$ID"
  ctr_end 3
  ctr_box
  expect 0 ctr task kill -s KILL "$ID"
  ctr_end 137
}
test_case "ctr run -d, task ls, ps, kill, delete" detached

delete_running() {
  ctr_box
  try ctr task delete "$ID"
  [[ $status != 0 ]] || fail "a running task was deleted"
  task_is RUNNING
  expect 0 ctr task delete -f "$ID"
  expect 0 ctr container rm "$ID"
}
test_case "ctr task delete refuses a running one, delete -f does not" delete_running

# (its status is that of the process)
exec_is_gone() { # EXEC-ID
  try ctr task delete --exec-id "$1" "$ID"
  [[ $status = 137 ]]
}
execs() {
  ctr_box
  expect 0 ctr task exec --exec-id a "$ID" id -u
  equal "$out" 0
  expect 9 ctr task exec --exec-id b "$ID" sh -c 'exit 9'
  expect 1 ctr task exec --exec-id c "$ID" no-such-program
  contains "$err" 'OCI runtime exec failed'
  expect 0 ctr task exec --exec-id d --cwd /tmp --user 1000:1000 "$ID" sh -c 'id -u; pwd'
  equal "$(tr '\n' ' ' <<<"$out")" "1000 /tmp "
  expect 0 ctr task exec -d --exec-id e "$ID" sleep 500
  expect 0 ctr task kill --exec-id e -s KILL "$ID"
  task_is RUNNING
  eventually exec_is_gone e
  expect 0 ctr task kill -a -s KILL "$ID"
  ctr_end 137
}
test_case "ctr task exec: status, user, directory, detached, killed" execs

terminals() {
  local run="ctr run --snapshotter native --runc-binary $ENGINE_RUNTIME --runc-root $ROOT --cgroup /$ENGINE_PARENT/$ID"
  expect 0 script -qec "$run --rm -t test/box:1 $ID tty" /dev/null <&"$check_never"
  contains "$out" /dev/pts/0
  ctr_box
  expect 0 script -qec "ctr task exec -t --exec-id a $ID tty" /dev/null <&"$check_never"
  contains "$out" /dev/pts/
  expect 0 ctr task kill -s KILL "$ID"
  ctr_end 137
}
test_case "ctr run -t, task exec -t: a terminal" terminals

pausing() {
  ctr_box
  expect 0 ctr task pause "$ID"
  task_is PAUSED
  expect 0 ctr task resume "$ID"
  task_is RUNNING
  expect 0 ctr task kill -s TERM "$ID"
  ctr_end 3
}
test_case "ctr task pause, resume" pausing

metrics() {
  ctr_box
  expect 0 ctr task metrics --format json "$ID"
  jq -e '.. | objects | select(has("current")) | .current | tonumber >= 1' <<<"$out" >/dev/null || fail "$out"
  expect 0 ctr task kill -s KILL "$ID"
  ctr_end 137
}
test_case "ctr task metrics" metrics

events() {
  ctr events >"$D/events" &
  local pid=$!
  pause .2
  expect 0 ctr_run --rm test/box:1 "$ID" true
  local topic
  for topic in create start exit delete; do eventually grep -q "/tasks/$topic .*\"$ID\"" "$D/events"; done
  expect 0 ctr_run -d --memory-limit 16777216 test/box:1 "$ID" sh -c 'sleep 1; a=x; while :; do a=$a$a; done'
  ctr_end 137
  eventually grep -q "/tasks/oom .*\"$ID\"" "$D/events"
  kill $pid
}
test_case "ctr events: create, start, exit, delete, and out of memory" events

# --- what it is given ------------------------------------------------------------------------------------------

limits() {
  local file=/memory/memory.limit_in_bytes
  # ctr makes no cgroup namespace: on v2 all of the hierarchy is seen
  # shellcheck disable=SC2016
  [[ $(stat -f -c %T /sys/fs/cgroup) != cgroup2fs ]] || file='$(cut -d: -f3 /proc/self/cgroup)/memory.max'
  expect 0 ctr_run --rm --memory-limit 33554432 --mount type=cgroup,src=cgroup,dst=/sys/fs/cgroup,options=ro test/box:1 "$ID" \
    sh -c "cat /sys/fs/cgroup$file"
  equal "$out" 33554432
}
test_case "ctr run --memory-limit" limits

options() {
  expect 1 ctr_run --rm --read-only test/box:1 "$ID" touch /x
  expect 0 ctr_run --rm --cap-add CAP_SYS_ADMIN test/box:1 "$ID" awk '/CapEff/ { print $2 }' /proc/self/status
  ((16#$out & 1 << 21)) || fail "capabilities $out"
  expect 0 ctr_run --rm --seccomp test/box:1 "$ID" awk '/Seccomp:/ { print $2 }' /proc/self/status
  equal "$out" 2
  expect 0 ctr_run --rm --privileged test/box:1 "$ID" busybox mount -t tmpfs none /mnt
  expect 0 ctr_run --rm --device /dev/zero test/box:1 "$ID" sh -c 'head -c 3 /dev/zero | wc -c'
  equal "$out" 3
  echo bound >"$D/file"
  expect 0 ctr_run --rm --mount "type=bind,src=$D,dst=/mnt,options=rbind:ro" --env A=b --cwd /tmp test/box:1 "$ID" \
    sh -c 'cat /mnt/file; echo $A; pwd; touch /mnt/x 2>/dev/null || echo ro'
  equal "$(tr '\n' ' ' <<<"$out")" "bound b /tmp ro "
  expect 0 ctr_run --rm --net-host test/box:1 "$ID" readlink /proc/self/ns/net
  equal "$out" "$(readlink /proc/self/ns/net)"
}
test_case "ctr run --read-only --cap-add --seccomp --privileged --device --mount --net-host" options

# The shims are still there when the daemon comes back.
restart() {
  ctr_box
  kill "$(<$ENGINE/pid)"
  eventually gone "$(<$ENGINE/pid)"
  start_containerd
  eventually ctr version
  task_is RUNNING
  expect 0 ctr task exec --exec-id a "$ID" true
  expect 0 ctr task kill -s TERM "$ID"
  ctr_end 3
}
test_case "a restarted containerd finds its tasks again" restart

nothing_of_containerd() {
  equal "$(ctr container ls -q)" ""
  ! pgrep -af "containerd-shim.*-namespace $RUN_ID"
}
test_case "no container and no shim is left" nothing_of_containerd

kill "$(<$ENGINE/pid)"
rmdir "$ROOT/$RUN_ID" 2>/dev/null # the state directory that the shims shared, if it is empty
remove_engine_cgroups
finish

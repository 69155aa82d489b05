#!/bin/bash
# podman_rootless.sh - Podman with berth as its runtime, as an ordinary user with ranges of ids in /etc/subuid.
. "${BASH_SOURCE%/*}/../lib/check.sh"
. "$TESTS/lib/engines.sh"
. "$TESTS/lib/user.sh"
{ command -v podman && command -v newuidmap; } >/dev/null || { test_case "Podman is installed" skip "no podman" && finish; }
engines_world
user_world
PODMAN_DRIVER=vfs podman_conf $ENGINE/podman
chown -R $USER_ID $ENGINE/podman
awk '{ print "mount " $5 }' /proc/self/mountinfo | sort -u >"$WORK/mounts"

# As the user; in his runtime directory is the state of the runtime.
podman() {
  as_user CONTAINERS_CONF=$ENGINE_CONF CONTAINERS_STORAGE_CONF=$ENGINE/podman/storage.conf \
    podman --runtime under-test "$@"
}
podman_run() { podman run --network none "$@"; }

importing() { expect 0 podman import -q $ENGINE/busybox.tar box; }
test_case "an ordinary user imports an image" importing

run_and_exec() {
  expect 0 podman_run --rm box sh -c 'id -u; cat /proc/self/uid_map /proc/self/gid_map'
  equal "$(tr -s ' \n' ' ' <<<"$out")" "0 0 $USER_ID 1 1 $USER_RANGE 65536 0 $USER_ID 1 1 $USER_RANGE 65536 "
  expect 7 podman_run --rm box sh -c 'exit 7'
  expect 127 podman_run --rm box no-such-program
  expect 126 podman_run --rm box /etc
  podman_box
  expect 9 podman exec "$ID" sh -c 'exit 9'
  expect 127 podman exec "$ID" no-such-program
  expect 0 podman exec --user 1000:1000 "$ID" id -u
  equal "$out" 1000
  expect 0 podman top "$ID" pid comm
  contains "$out" "1           sh"
  expect 0 podman stop -t 20 "$ID"
  podman_is "$ID" '{{.State.Status}} {{.State.ExitCode}}' 'exited 3'
  expect 0 podman logs "$ID"
  equal "$out" up
  podman_remove "$ID"
}
# A container of a user who has no cgroup of his own is in none.
podman_box() {
  expect 0 podman_run -d --name "$ID" "$@" box sh -c 'trap "exit 3" TERM; echo up; while :; do sleep 1 & wait; done'
}
test_case "rootless podman run, exec, top, stop, logs: status, output, ids" run_and_exec

terminal() {
  expect 0 script -qec "$(declare -f podman as_user become_user user_env); ENGINE=$ENGINE ENGINE_CONF=$ENGINE_CONF; podman run --rm -it --network none box tty" /dev/null <&"$check_never"
  contains "$out" /dev/pts/0
}
test_case "rootless podman run -it: a terminal" terminal

options() {
  expect 0 podman_run --rm --init box ps
  [[ $(sed -n 2p <<<"$out") = *init* ]] || fail "first process: $out"
  expect 1 podman_run --rm --read-only box touch /x
  expect 0 podman_run --rm --user 1000:1000 --group-add 2000 box id
  equal "$out" "uid=1000(user) gid=1000(user) groups=1000(user),2000"
  install -d -o $USER_ID "$D/v"
  expect 0 podman_run --rm -v "$D/v:/v" box sh -c 'touch /v/y; stat -c %u /v /v/y | tr "\n" " "'
  equal "$out" "0 0 "
  equal "$(stat -c %u "$D/v/y")" $USER_ID
  expect 0 podman_run --rm --privileged box sh -c 'busybox mount -t tmpfs none /mnt && echo mounted'
  equal "$out" mounted
  expect 0 podman_run --rm --device /dev/zero:/dev/my-zero box sh -c 'head -c 3 /dev/my-zero | wc -c'
  equal "$out" 3
}
test_case "rootless podman run --init, --read-only, --user, -v, --privileged, --device" options

namespaces() {
  expect 0 podman_run --rm --userns keep-id box sh -c 'id -u; id -g'
  equal "$(tr '\n' ' ' <<<"$out")" "$USER_ID $USER_ID "
  expect 0 podman_run --rm --uidmap 0:1:1000 box cat /proc/self/uid_map
  equal "$(tr -s ' ' <<<"$out")" " 0 1 1000"
  expect 0 podman run --rm --network host box readlink /proc/self/ns/net
  equal "$out" "$(readlink /proc/self/ns/net)"
  expect 0 podman unshare "$ENGINE_RUNTIME" list -q
}
test_case "rootless podman run --userns keep-id, --uidmap, --network host" namespaces

no_cgroups() {
  [[ $BERTH != */runc ]] || skip "runc cannot"
  expect 5 podman_run --rm --cgroups=disabled box sh -c 'exit 5'
}
test_case "rootless podman run --cgroups=disabled" no_cgroups

pods() {
  expect 0 podman pod create --name "$ID" --network none
  expect 0 podman run -d --pod "$ID" --name "$ID-a" box sleep 1000
  expect 0 podman exec "$ID-a" readlink /proc/self/ns/ipc
  local ipc=$out
  expect 0 podman run --rm --pod "$ID" box readlink /proc/self/ns/ipc
  equal "$out" "$ipc" "ipc namespace of the pod"
  eventually podman pod rm -f -t 0 "$ID"
  equal "$(podman ps -aq)" ""
}
test_case "rootless podman pod" pods

nothing_of_the_runtime() {
  equal "$(find /run/user -mindepth 3 \( -path '*/berth/*' -o -path '*/runc/*' \))" ""
  equal "$(roots_directory)" "$ROOTS_DIRECTORY" /run/berth
  # ends the process that keeps the user's namespaces
  expect 0 podman system migrate
  eventually user_has_no_process
}
user_has_no_process() { [[ -z $(pgrep -r R,S,D,T -u $USER_ID || :) ]]; }
test_case "the runtime's state is in the user's directory, and empty again" nothing_of_the_runtime
finish

#!/bin/bash
# podman.sh - Podman with berth as its runtime, as root. See tests/engines/podman_rootless.sh for ordinary users.
. "${BASH_SOURCE%/*}/../lib/check.sh"
. "$TESTS/lib/engines.sh"
command -v podman >/dev/null || { test_case "Podman is installed" skip "no podman" && finish; }
engines_world
podman_setup overlay || { test_case "an image can be imported" fail "podman import" && finish; }

# --- what comes of a container ---------------------------------------------------------------------------

run_status() {
  expect 0 podman_run --rm box echo hello
  equal "$out" hello
  expect 7 podman_run --rm box sh -c 'echo no >&2; exit 7'
  equal "$err" no
  expect 137 podman_run --rm --init box sh -c 'kill -9 $$; sleep 5'
  expect 127 podman_run --rm box sh -c 'exit 127'
}
run_status_of_kill() {
  podman_box
  expect 0 podman kill "$ID"
  expect 0 podman wait "$ID"
  equal "$out" 137
  expect 0 podman rm "$ID"
}
test_case "podman run: output and status are those of the process" run_status
test_case "podman kill, wait: 137" run_status_of_kill

run_failures() {
  expect 125 podman_run --rm --no-such-option box true
  expect 127 podman_run --rm box no-such-program
  contains "$err" 'executable file not found in $PATH'
  expect 126 podman_run --rm box /etc
  expect 127 podman_run --rm box /no/such
  # what failed left nothing
  equal "$(podman ps -aq)" ""
}
test_case "podman run: 125, 126 and 127 are as with runc" run_failures

from_create_to_rm() {
  expect 0 podman create --network none --cgroup-parent "/$ENGINE_PARENT" --name "$ID" box sh -c 'echo created; exit 4'
  podman_is "$ID" '{{.State.Status}} {{.OCIRuntime}}' 'created under-test'
  expect 4 podman start -a "$ID"
  equal "$out" created
  podman_is "$ID" '{{.State.Status}} {{.State.ExitCode}}' 'exited 4'
  expect 0 podman logs "$ID"
  equal "$out" created
  # twice, in the same cgroup
  expect 4 podman start -a "$ID"
  expect 0 podman rm "$ID"
}
test_case "podman create, start, logs, inspect, start again, rm" from_create_to_rm

stop_and_restart() {
  podman_box
  expect 0 podman stop -t 20 "$ID"
  podman_is "$ID" '{{.State.Status}} {{.State.ExitCode}} {{.State.OOMKilled}}' 'exited 3 false'
  expect 0 podman restart -t 5 "$ID"
  podman_is "$ID" '{{.State.Running}}' true
  # nobody listens
  podman_remove "$ID"
  equal "$(podman ps -aq)" ""
}
test_case "podman stop, restart, rm -f" stop_and_restart

unstoppable() {
  expect 0 podman_run -d --name "$ID" box sleep 1000
  expect 0 podman stop -t 1 "$ID"
  podman_is "$ID" '{{.State.ExitCode}}' 137
  expect 0 podman rm "$ID"
}
test_case "podman stop kills what does not listen" unstoppable

# --- inside a running one ---------------------------------------------------------------------------------

exec_status() {
  podman_box
  expect 0 podman exec "$ID" id -u
  equal "$out" 0
  expect 9 podman exec "$ID" sh -c 'exit 9'
  expect 127 podman exec "$ID" no-such-program
  expect 126 podman exec "$ID" /etc
  expect 0 podman exec --user 1000:1000 --workdir /tmp --env A=b "$ID" sh -c 'id -u; pwd; echo $A; grep CapEff /proc/self/status'
  equal "$(tr -s '\t\n' '  ' <<<"$out")" "1000 /tmp b CapEff: 0000000000000000 "
  printf abc >"$D/in"
  equal "$(podman exec -i "$ID" tr a-z A-Z <"$D/in")" ABC
  expect 0 podman exec -d "$ID" sh -c 'echo here >/tmp/mark'
  eventually podman exec "$ID" grep -q here /tmp/mark
  podman_remove "$ID"
}
test_case "podman exec: status, user, directory, environment, input, detached" exec_status

# Their standard input never ends: script(1) would pass the end on.
terminals() {
  expect 0 script -qec "$(declare -f podman); podman run --rm -it --network none --cgroup-parent /$ENGINE_PARENT box tty" /dev/null <&"$check_never"
  contains "$out" /dev/pts/0
  podman_box
  expect 0 script -qec "$(declare -f podman); podman exec -it $ID sh -c 'tty; stty size'" /dev/null <&"$check_never"
  contains "$out" /dev/pts/
  expect 6 script -qec "$(declare -f podman); podman exec -it $ID sh -c 'exit 6'" /dev/null <&"$check_never"
  podman_remove "$ID"
}
test_case "podman run -it and exec -it: a terminal" terminals

top_and_stats() {
  podman_box
  expect 0 podman top "$ID" pid comm
  contains "$out" "1           sh"
  expect 0 podman ps --format '{{.Names}} {{.Status}}'
  contains "$out" "$ID Up "
  expect 0 podman stats --no-stream --format '{{.PIDs}} {{.MemUsage}}' "$ID"
  [[ $out =~ ^[12]\ [1-9] ]] || fail "stats: $out"
  podman_remove "$ID"
}
test_case "podman top, ps, stats" top_and_stats

pausing() {
  podman_box
  expect 0 podman pause "$ID"
  podman_is "$ID" '{{.State.Status}}' paused
  expect 255 podman exec "$ID" true
  expect 0 podman unpause "$ID"
  expect 0 podman exec "$ID" true
  expect 0 podman pause "$ID"
  podman_remove "$ID"
}
test_case "podman pause, unpause, rm -f of a paused one" pausing

# What was written before it was attached is not shown.
output_is_seen() {
  podman exec "$ID" sh -c 'echo written >/proc/1/fd/1'
  grep -q written "$D/attached"
}
copy_and_attach() {
  podman_box
  echo copied >"$D/file"
  expect 0 podman cp "$D/file" "$ID:/tmp/file"
  expect 0 podman exec "$ID" cat /tmp/file
  equal "$out" copied
  podman attach --no-stdin "$ID" >"$D/attached" 2>&1 &
  eventually output_is_seen
  expect 0 podman stop -t 20 "$ID"
  expect 0 podman rm "$ID"
}
test_case "podman cp, attach" copy_and_attach

# --- limits ------------------------------------------------------------------------------------------------

# The value of a limit, by its names on cgroup v1 and v2, as the container sees it.
limit_is() { # CONTAINER V1-CONTROLLER V1-FILE V2-FILE VALUE
  local file=/sys/fs/cgroup/$2/$3
  [[ $(stat -f -c %T /sys/fs/cgroup) != cgroup2fs ]] || file=/sys/fs/cgroup/$4
  expect 0 podman exec "$1" cat "$file"
  equal "$out" "$5" "$3"
}
limits() {
  podman_box --memory 32m --pids-limit 20 --cpus 0.5 --cpuset-cpus 0
  limit_is "$ID" memory memory.limit_in_bytes memory.max 33554432
  limit_is "$ID" pids pids.max pids.max 20
  limit_is "$ID" cpuset cpuset.cpus cpuset.cpus 0
  [[ $(stat -f -c %T /sys/fs/cgroup) = cgroup2fs ]] || limit_is "$ID" cpu cpu.cfs_quota_us - 50000
  expect 0 podman update --memory 64m "$ID"
  limit_is "$ID" memory memory.limit_in_bytes memory.max 67108864
  podman_remove "$ID"
}
test_case "podman run --memory --pids-limit --cpus --cpuset-cpus; podman update" limits

placed() {
  local last
  last=$(awk '/^Cpus_allowed_list/ { n = split($2, a, /[,-]/); print a[n] }' /proc/self/status)
  expect 0 podman_run -d --name "$ID" --annotation "io.berth.placement=bind=map_cpu:$last mem-bind=local" box sleep 1000
  expect 0 podman exec "$ID" awk '/^Cpus_allowed_list/ { print $2 }' /proc/self/status /proc/1/status
  equal "$out" "$last"$'\n'"$last"
  expect 0 podman rm -f -t 0 "$ID"
  expect 126 podman_run --rm --annotation "io.berth.placement=cpus=4095" box true
  contains "$err" 'CPU 4095 is not ours to give'
}
test_case "podman run --annotation io.berth.placement: a place on the machine" placed

out_of_memory() {
  # conmon tells Podman of it on cgroup v2 only; that the process was killed is told in any case
  expect 137 podman_run --name "$ID" --memory 16m --memory-swap 16m box sh -c 'a=x; while :; do a=$a$a; done'
  podman_is "$ID" '{{.State.Status}} {{.State.ExitCode}}' 'exited 137'
  expect 0 podman rm "$ID"
}
test_case "podman run: out of memory is status 137" out_of_memory

no_cgroups() {
  [[ $BERTH != */runc ]] || skip "runc cannot"
  expect 0 podman run --rm --network none --cgroups=disabled box cat /proc/self/cgroup
  equal "$out" "$(cat /proc/self/cgroup)" "cgroups"
}
test_case "podman run --cgroups=disabled: the container stays in the caller's" no_cgroups

# --- what the container is given ---------------------------------------------------------------------------

volumes() {
  mkdir "$D/v"
  echo volume >"$D/v/f"
  expect 0 podman_run --rm -v "$D/v:/r:ro" -v "$D/v:/w" --tmpfs /t:size=1m --shm-size 2m box \
    sh -c 'cat /r/f; touch /r/x 2>/dev/null || echo ro; touch /w/y; ls /w | tr "\n" " "; df -k /t /dev/shm | awk "NR > 1 { print \$2 }" | tr "\n" " "'
  equal "$(tr '\n' ' ' <<<"$out")" "volume ro f y 1024 2048  "
  expect 0 podman volume create "$ID"
  expect 0 podman_run --rm -v "$ID:/v" box touch /v/kept
  expect 0 podman_run --rm -v "$ID:/v" box ls /v
  equal "$out" kept
  expect 0 podman volume rm "$ID"
}
test_case "podman run -v, --tmpfs, --shm-size, named volumes" volumes

privileges() {
  expect 0 podman_run --rm --user 1000:1000 --group-add 2000 box id
  equal "$out" "uid=1000(user) gid=1000(user) groups=1000(user),2000"
  expect 0 podman_run --rm --cap-add SYS_ADMIN --cap-drop CHOWN box awk '/CapEff/ { print $2 }' /proc/self/status
  (((16#$out & 1 << 21) && !(16#$out & 1))) || fail "capabilities $out"
  expect 0 podman_run --rm --security-opt no-new-privileges box awk '/NoNewPrivs|Seccomp:/ { print $2 }' /proc/self/status
  equal "$(tr '\n' ' ' <<<"$out")" "1 2 "
  expect 0 podman_run --rm --security-opt seccomp=unconfined box awk '/NoNewPrivs|Seccomp:/ { print $2 }' /proc/self/status
  equal "$(tr '\n' ' ' <<<"$out")" "0 0 "
  expect 0 podman_run --rm --privileged box sh -c 'ls /dev | wc -l; awk "/Seccomp:/ { print \$2 }" /proc/self/status; mount -t tmpfs none /mnt 2>/dev/null || busybox mount -t tmpfs none /mnt; echo $?'
  [[ $(wc -l <<<"$out") = 3 && $(tail -1 <<<"$out") = 0 ]] || fail "privileged: $out"
}
test_case "podman run --user --group-add --cap-add --security-opt --privileged" privileges

devices_and_read_only() {
  expect 0 podman_run --rm --device /dev/zero:/dev/my-zero box sh -c 'head -c 3 /dev/my-zero | wc -c'
  equal "$out" 3
  expect 1 podman_run --rm --read-only box touch /x
  expect 0 podman_run --rm --read-only box touch /tmp/x
  expect 0 podman_run --rm --sysctl kernel.msgmax=1234 --hostname ship --ulimit nofile=100:200 --ulimit nproc=50:60 box \
    sh -c 'cat /proc/sys/kernel/msgmax; hostname; ulimit -n; ulimit -Hn'
  equal "$(tr '\n' ' ' <<<"$out")" "1234 ship 100 200 "
}
test_case "podman run --device, --read-only, --sysctl, --hostname, --ulimit" devices_and_read_only

processes() {
  expect 0 podman_run --rm --init box ps
  [[ $(sed -n 2p <<<"$out") = *init* ]] || fail "first process: $out"
  expect 5 podman_run --rm --init box sh -c 'exit 5'
  echo three >"$D/3"
  expect 0 podman_run --rm --preserve-fds 1 box cat /proc/self/fd/3 3<"$D/3"
  equal "$out" three
  expect 0 podman_run --rm --pid host box true
  expect 0 podman_run --rm --log-driver passthrough box echo through
  equal "$out" through
}
test_case "podman run --init, --preserve-fds, --pid host, --log-driver passthrough" processes

networks() {
  expect 0 podman_run --rm box sh -c 'ip -o link | wc -l; ip -o link | grep -c LOOPBACK,UP'
  equal "$(tr '\n' ' ' <<<"$out")" "1 1 "
  expect 0 podman run --rm --network host --cgroup-parent "/$ENGINE_PARENT" box readlink /proc/self/ns/net
  equal "$out" "$(readlink /proc/self/ns/net)"
}
test_case "podman run --network none, host" networks

user_namespaces() {
  expect 0 podman_run --rm --uidmap 0:100000:1000 --gidmap 0:200000:1000 box sh -c 'cat /proc/self/uid_map /proc/self/gid_map; touch /tmp/x; stat -c %u /tmp/x; id -G'
  equal "$(tr -s ' \n' ' ' <<<"$out")" " 0 100000 1000 0 200000 1000 0 0 "
  podman_box --uidmap 0:100000:1000
  expect 0 podman exec --user 7 "$ID" id -u
  equal "$out" 7
  podman_remove "$ID"
}
test_case "podman run --uidmap --gidmap, exec in it" user_namespaces

hooks() {
  mkdir "$D/hooks.d"
  cat >"$D/hook" <<X
#!/bin/sh
cat >>$D/states
echo >>$D/states
X
  chmod 755 "$D/hook"
  echo '{"version":"1.0.0","hook":{"path":"'"$D/hook"'"},"when":{"always":true},"stages":["createRuntime","poststart","poststop"]}' \
    >"$D/hooks.d/all.json"
  expect 0 podman --hooks-dir "$D/hooks.d" run --rm --network none --cgroup-parent "/$ENGINE_PARENT" box true
  # of a started container runc says `created`, too
  [[ $(jq -r .status "$D/states" | tr '\n' ' ') =~ ^creating\ (running|created)\ stopped\ $ ]] || fail "$(<"$D/states")"
}
test_case "podman --hooks-dir: hooks hear the state" hooks

health() {
  podman_box --health-cmd 'echo fine' --health-interval disable
  expect 0 podman healthcheck run "$ID"
  podman_remove "$ID"
}
test_case "podman healthcheck" health

# --- pods --------------------------------------------------------------------------------------------------

pods() {
  # with runc, too: its own device rules for the pod's cgroup allow nothing
  [[ $(stat -f -c %T /sys/fs/cgroup) != cgroup2fs ]] || skip "Podman 4.3 without systemd denies a pod all devices on cgroup v2"
  expect 0 podman pod create --name "$ID" --network none --hostname pod --cgroup-parent "/$ENGINE_PARENT"
  expect 0 podman run -d --pod "$ID" --name "$ID-a" box sleep 1000
  expect 0 podman run --rm --pod "$ID" box sh -c 'hostname; readlink /proc/self/ns/ipc'
  equal "$(head -1 <<<"$out")" pod
  expect 0 podman exec "$ID-a" readlink /proc/self/ns/ipc
  local ipc=$out
  expect 0 podman run --rm --pod "$ID" box readlink /proc/self/ns/ipc
  equal "$out" "$ipc" "ipc namespace of the pod"
  expect 0 podman pod ps --format '{{.Name}} {{.Status}}'
  equal "$out" "$ID Running"
  expect 0 podman pod pause "$ID"
  expect 0 podman pod unpause "$ID"
  expect 0 podman pod stop -t 1 "$ID"
  expect 0 podman pod start "$ID"
  podman_is "$ID-a" '{{.State.Running}}' true
  expect 0 podman pod rm -f -t 0 "$ID"
  equal "$(podman ps -aq)" ""
}
test_case "podman pod: create, share, pause, stop, start, rm -f" pods

nothing_of_the_runtime() { equal "$(ls /run/berth /run/runc 2>/dev/null | grep -v : | tr -d '\n')" ""; }
test_case "the runtime's state is empty again" nothing_of_the_runtime

remove_engine_cgroups
finish

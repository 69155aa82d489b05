#!/bin/bash
# The place that the caller was given - CPUs, memory policy, cgroup, limits - is the container's.
. "${BASH_SOURCE%/*}/../lib/check.sh"

# Debian's runc 1.1 resets the affinity to what its cpuset allows: not a reference here.
beyond_runc() { [[ ! $BERTH -ef $(command -v runc) ]] || skip "runc resets the affinity"; }

last_cpu=$(awk '/^Cpus_allowed_list/ { n = split($2, a, /[,-]/); print a[n] }' /proc/self/status)

affinity() { # VERB
  bundle '.process.args = ["sh", "-c", "grep Cpus_allowed_list /proc/self/status; exec sleep '"${1:-0}"'"]'
}

run_keeps_cpu() {
  beyond_runc
  affinity
  expect 0 taskset -c "$last_cpu" "$BERTH" --root "$ROOT" run -b "$B" "$ID"
  equal "$(awk '{ print $2 }' <<<"$out")" "$last_cpu" CPUs
}
test_case "taskset -c N run: the container runs on CPU N" run_keeps_cpu

detach_keeps_cpu() {
  beyond_runc
  affinity 1000
  taskset -c "$last_cpu" "$BERTH" --root "$ROOT" run -d -b "$B" "$ID" >"$D/cpus"
  eventually test -s "$D/cpus"
  equal "$(awk '{ print $2 }' "$D/cpus")" "$last_cpu" CPUs
  expect 0 berth delete -f "$ID"
}
test_case "taskset -c N run --detach: the container runs on CPU N" detach_keeps_cpu

create_keeps_cpu() {
  beyond_runc
  affinity 1000
  # `start` from another place does not move it
  taskset -c "$last_cpu" "$BERTH" --root "$ROOT" create -b "$B" "$ID" >"$D/cpus"
  expect 0 berth start "$ID"
  eventually test -s "$D/cpus"
  equal "$(awk '{ print $2 }' "$D/cpus")" "$last_cpu" CPUs
  expect 0 berth delete -f "$ID"
}
test_case "taskset -c N create, start elsewhere: the container runs on CPU N" create_keeps_cpu

memory_policy() {
  beyond_runc
  [[ -e /proc/self/numa_maps ]] || skip "a kernel without NUMA"
  # the policy stands behind each mapping; "default" is what it must not be
  bundle '.process.args = ["sh", "-c", "grep -m1 stack /proc/self/numa_maps"]'
  expect 0 numactl --interleave=0 "$BERTH" --root "$ROOT" run -b "$B" "$ID"
  contains "$out" interleave
}
test_case "numactl run: the memory policy stays" memory_policy

nice_and_scheduler() {
  bundle '.process.args = ["sh", "-c", "cut -d\" \" -f19,41 /proc/self/stat"]'
  expect 0 nice -n 7 chrt --batch 0 "$BERTH" --root "$ROOT" run -b "$B" "$ID"
  equal "$out" "7 3" "nice value and scheduling class"
}
test_case "nice value and scheduling class stay" nice_and_scheduler

# The cgroup of a container whose caller is in one of its own, as a scheduler does it: $path.
from_own_cgroup() { # DIRECTORY CONTROLLER
  bundle '.process.args = ["true"]' '.hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", "cat /proc/$(jq .pid)/cgroup >\($D)/cgroup"], env: ["PATH=/usr/bin:/bin"]}]' 'del(.linux.cgroupsPath)'
  expect 0 sh -c 'echo $$ >"$1/cgroup.procs"; shift; exec "$@"' sh "$1" "$BERTH" --root "$ROOT" run -b "$B" "$ID"
  path=$(awk -F: -v c="$2" '$2 == c { print $3 }' "$D/cgroup")
}

callers_cgroup() {
  local mine path
  if [[ $(stat -f -c %T /sys/fs/cgroup) = cgroup2fs ]]; then
    mine=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)
    mine=${mine%/}/$ID-job
    mkdir "$mine"
    from_own_cgroup "$mine" ''
    equal "${path##*/}" "$ID" "beside the caller's, where it can be limited"
    [[ $path != *-job/* ]]
    [[ -w $mine/memory.max ]] || { rmdir "$mine" && skip "no limits in $mine"; }
    echo 1G >"$mine/memory.max"
    from_own_cgroup "$mine" ''
  else
    mine=/sys/fs/cgroup/pids$(sed -n 's/^[0-9]*:pids://p' /proc/self/cgroup)/$ID-job
    mkdir "$mine"
    from_own_cgroup "$mine" pids
  fi
  rmdir "$mine"
  contains "$path" "/$ID-job/$ID"
}
test_case "without cgroupsPath the limits of the caller's cgroup hold for the container" callers_cgroup

# Whose parent gives the cpuset controller down for the first time: Linux before 6.2 unbinds all that are in there.
new_cpuset() {
  local top=/sys/fs/cgroup/$ID.group
  [[ $(stat -f -c %T /sys/fs/cgroup) = cgroup2fs ]] || skip "cgroup v1"
  mkdir -p "$top/session"
  affinity
  expect 0 sh -c 'echo 0 >"$1/cgroup.procs"; shift; exec "$@"' sh "$top/session" taskset -c "$last_cpu" "$BERTH" --root "$ROOT" run -b "$B" "$ID"
  rmdir "$top/session" "$top"
  equal "$(awk '{ print $2 }' <<<"$out")" "$last_cpu" CPUs
}
[[ -n ${CHECK_SYSTEMD:-} ]] || test_case "taskset -c N run: also where its cgroup brings the first cpuset" new_cpuset

own_limits() {
  bundle '.process.args = ["sh", "-c", "ulimit -n; ulimit -s"]' 'del(.process.rlimits)'
  expect 0 bash -c 'ulimit -n 321; ulimit -s 4321; exec "$@"' sh "$BERTH" --root "$ROOT" run -b "$B" "$ID"
  equal "$(tr '\n' ' ' <<<"$out")" "321 4321 " limits
}
test_case "limits that the configuration does not name are the caller's" own_limits
finish

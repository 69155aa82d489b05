#!/bin/bash
# Limits: written where the kernel reads them, and felt by the container. cgroup v1 or v2, whatever is
# mounted; natively v1, in the VM v2 with every controller.
. "${BASH_SOURCE%/*}/../lib/check.sh"

version=1
[[ $(stat -f -c %T /sys/fs/cgroup) != cgroup2fs ]] || version=2

# The mount of cgroup v2 on a machine whose controllers are v1's has none to offer.
has() { # CONTROLLER
  if ((version == 2)); then grep -qw "$1" /sys/fs/cgroup/cgroup.controllers; else [[ -d /sys/fs/cgroup/$1 ]]; fi ||
    skip "cgroup v$version without $1"
}

# The value of a limit of container $ID, as the kernel has it.
limit() { # CONTROLLER V1-FILE V2-FILE
  local pid
  pid=$(berth state "$ID" | jq .pid)
  if ((version == 2)); then
    cat "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$pid/cgroup")/$3"
  else
    cat "/sys/fs/cgroup/$1$(awk -F: -v c="$1" 'index("," $2 ",", "," c ",") { print $3 }' "/proc/$pid/cgroup")/$2"
  fi
}

limited() { # JQ
  bundle "$FOREVER" "$1"
  expect 0 berth run -d -b "$B" "$ID"
}

MIB=1048576
memory_limit() {
  has memory
  limited '.linux.resources.memory = {limit: 33554432, reservation: 16777216, swap: 33554432}'
  equal "$(limit memory memory.limit_in_bytes memory.max)" $((32 * MIB))
  equal "$(limit memory memory.soft_limit_in_bytes memory.low)" $((16 * MIB))
  expect 0 berth delete -f "$ID"
}
test_case "memory: limit and reservation" memory_limit

memory_swap() {
  has memory
  limited '.linux.resources.memory = {limit: 33554432, swap: 83886080}'
  # the sum; v2 limits swap alone
  equal "$(limit memory memory.memsw.limit_in_bytes memory.swap.max)" $((version == 2 ? 48 * MIB : 80 * MIB))
  expect 0 berth delete -f "$ID"
}
test_case "memory: swap" memory_swap

# v1 has files for them, v2 has not
refused_on_v2() { # JQ WORDS
  ((version == 2)) || return
  bundle "$1"
  expect 1 berth run -b "$B" "$ID"
  one_line "$err"
  contains "$err" "$2: cgroup v2 has no such limit"
}
memory_v1() { # JQ PROPERTY FILE LINE
  has memory
  ! refused_on_v2 "$1" "$2" || return 0
  limited "$1"
  grep -qx "$4" <<<"$(limit memory "$3" '')" || fail "$3 is $(limit memory "$3" '')"
  expect 0 berth delete -f "$ID"
}
test_case "memory: swappiness" memory_v1 '.linux.resources.memory = {swappiness: 17}' memory.swappiness memory.swappiness 17
test_case "memory: disableOOMKiller" memory_v1 '.linux.resources.memory = {disableOOMKiller: true}' memory.disableOOMKiller \
  memory.oom_control 'oom_kill_disable 1'

memory_ignored() {
  has memory
  limited '.linux.resources.memory = {kernel: 67108864, kernelTCP: 67108864}'
  contains "$err" "kernel and kernelTCP are ignored"
  one_line "$err"
  expect 0 berth delete -f "$ID"
  limited '.linux.resources.memory = {kernel: -1, useHierarchy: false}'
  equal "$err" "" "what is said of what the kernel does anyway"
  ((version == 2)) || equal "$(limit memory memory.use_hierarchy '')" 1 "accounting with the children"
  expect 0 berth delete -f "$ID"
}
test_case "memory: kernel, kernelTCP, useHierarchy are ignored" memory_ignored

memory_oom() {
  has memory
  bundle '.linux.resources.memory = {limit: 33554432, swap: 33554432}' \
    '.process.args = ["sh", "-c", "head -c 100000000 /dev/zero | tail -c 90000000 >/dev/null; exit $?"]'
  try berth run -b "$B" "$ID"
  # tail is killed by the kernel, or the shell with it
  [[ $status = 137 ]] || fail "status $status: nobody was killed"
}
test_case "memory: more than the limit is the end" memory_oom

memory_unlimited() {
  has memory
  limited '.linux.resources.memory = {limit: -1}'
  local value
  value=$(limit memory memory.limit_in_bytes memory.max)
  [[ $value = max || $value -gt $((1 << 60)) ]] || fail "limit is $value"
  expect 0 berth delete -f "$ID"
}
test_case "memory: -1 is no limit" memory_unlimited

cpu_limit() {
  has cpu
  limited '.linux.resources.cpu = {shares: 512, quota: 50000, period: 100000}'
  if ((version == 2)); then
    equal "$(limit cpu '' cpu.max)" "50000 100000"
    # the kernel's default is 100 for 1024 since runc 1.4 and crun 1.24; until then 512 was 20
    [[ $(limit cpu '' cpu.weight) = 59 || $BERTH -ef $(command -v runc) ]]
  else
    equal "$(limit cpu cpu.cfs_quota_us '')" 50000
    equal "$(limit cpu cpu.cfs_period_us '')" 100000
    equal "$(limit cpu cpu.shares '')" 512
  fi
  expect 0 berth delete -f "$ID"
}
test_case "cpu: shares, quota, period" cpu_limit

cpu_burst() {
  has cpu
  limited '.linux.resources.cpu = {quota: 50000, period: 100000, burst: 20000}'
  equal "$(limit cpu cpu.cfs_burst_us cpu.max.burst)" 20000
  expect 0 berth delete -f "$ID"
}
test_case "cpu: burst" cpu_burst

cpu_idle() {
  has cpu
  limited '.linux.resources.cpu = {idle: 1}'
  equal "$(limit cpu cpu.idle cpu.idle)" 1
  expect 0 berth delete -f "$ID"
}
test_case "cpu: idle" cpu_idle

cpu_realtime() {
  has cpu
  if ((version == 2)); then
    bundle '.linux.resources.cpu = {realtimeRuntime: 1000, realtimePeriod: 500000}'
    expect 1 berth run -b "$B" "$ID"
    one_line "$err"
    contains "$err" "cpu.realtimePeriod: cgroup v2"
    return
  fi
  [[ -e /sys/fs/cgroup/cpu/cpu.rt_runtime_us ]] || skip "a kernel without real-time groups"
  limited '.linux.resources.cpu = {realtimeRuntime: 1000, realtimePeriod: 500000}'
  equal "$(limit cpu cpu.rt_runtime_us '') $(limit cpu cpu.rt_period_us '')" "1000 500000"
  expect 0 berth delete -f "$ID"
}
test_case "cpu: realtimeRuntime, realtimePeriod" cpu_realtime

cpuset_limit() {
  has cpuset
  bundle '.linux.resources.cpu = {cpus: "0", mems: "0"}' '.process.args = ["grep", "_allowed_list", "/proc/self/status"]'
  expect 0 berth run -b "$B" "$ID"
  equal "$(awk '{ print $2 }' <<<"$out" | tr '\n' ' ')" "0 0 " "CPUs and memory nodes"
}
test_case "cpuset: CPUs and memory nodes" cpuset_limit

pids_limit() {
  has pids
  bundle '.linux.resources.pids = {limit: 5}' \
    '.process.args = ["sh", "-c", "for i in 1 2 3 4 5 6 7; do sleep 1 & done; wait"]'
  try berth run -b "$B" "$ID"
  contains "$err" "fork"
  limited '.linux.resources.pids = {limit: 20}'
  equal "$(limit pids pids.max pids.max)" 20
  expect 0 berth delete -f "$ID"
}
test_case "pids: the limit is felt" pids_limit

devices() {
  # 1:11 (kmsg) is allowed to write only, 1:1 (mem) is not allowed
  bundle '.linux.devices = [{path: "/dev/w", type: "c", major: 1, minor: 11, fileMode: 438}, {path: "/dev/no", type: "c", major: 1, minor: 1, fileMode: 438}]' \
    '.linux.resources.devices = [{allow: false, access: "rwm"}, {allow: true, type: "c", major: 1, minor: 11, access: "w"}]' \
    '.process.args = ["sh", "-c", "true >/dev/w && echo write; true </dev/w || echo no-read; true </dev/no || echo no; true >/dev/null && echo null"]' \
    '.process.capabilities = (["bounding", "effective", "permitted"] | map({(.): ["CAP_MKNOD", "CAP_SYSLOG", "CAP_SYS_RAWIO"]}) | add)'
  expect 0 berth run -b "$B" "$ID"
  equal "$(tr '\n' ' ' <<<"$out")" "write no-read no null "
}
test_case "devices: what is not allowed is refused, also when its node exists" devices

devices_wildcard() {
  bundle '.linux.devices = [{path: "/dev/k", type: "c", major: 1, minor: 11, fileMode: 438}]' \
    '.linux.resources.devices = [{allow: false, access: "rwm"}, {allow: true, type: "c", major: 1, access: "rw"}]' \
    '.process.args = ["sh", "-c", ": >/dev/k && echo write"]'
  expect 0 berth run -b "$B" "$ID"
  equal "$out" write
  bundle '.linux.devices = [{path: "/dev/k", type: "c", major: 1, minor: 11, fileMode: 438}]' \
    '.linux.resources.devices = [{allow: true, access: "rwm"}]' '.process.args = ["sh", "-c", ": >/dev/k && echo write"]'
  expect 0 berth run -b "$B" "$ID"
  equal "$out" write
}
test_case "devices: any minor, any device" devices_wildcard

hugetlb_limit() {
  local size=2MB
  has hugetlb
  limited '.linux.resources.hugepageLimits = [{pageSize: "2MB", limit: 8388608}]'
  equal "$(limit hugetlb hugetlb.$size.limit_in_bytes hugetlb.$size.max)" 8388608
  expect 0 berth delete -f "$ID"
}
test_case "hugetlb: limit" hugetlb_limit

unified() {
  ((version == 2)) || skip "cgroup v1"
  has memory
  limited '.linux.resources.unified = {"memory.high": "20971520", "pids.max": "77"}'
  equal "$(limit memory '' memory.high)" 20971520
  equal "$(limit pids '' pids.max)" 77
  expect 0 berth delete -f "$ID"
}
((version == 1)) || test_case "unified: any file of cgroup v2 by its name" unified

own_path() {
  limited '.linux.cgroupsPath = "/\($ID)-parent/leaf"'
  local pid
  pid=$(berth state "$ID" | jq .pid)
  grep -q "/$ID-parent/leaf\$" "/proc/$pid/cgroup"
  expect 0 berth delete -f "$ID"
  [[ -z $(find /sys/fs/cgroup -type d -path "*$ID-parent/leaf" 2>/dev/null) ]]
  # what lies above the container's cgroup was asked for by name; it is the caller's
  find /sys/fs/cgroup -depth -type d -name "$ID-parent" -exec rmdir {} + 2>/dev/null || true
}
# a unit of systemd has a name, no path
[[ -n ${CHECK_SYSTEMD:-} ]] || test_case "cgroupsPath is taken as it is" own_path

# What has no process itself may have some below: whoever took it would kill them in the end.
somebody_below() {
  local top=/sys/fs/cgroup pid
  ((version == 2)) || top+=/pids
  mkdir -p "$top/$ID/sub"
  sleep 1000 &
  pid=$!
  echo $pid >"$top/$ID/sub/cgroup.procs"
  bundle '.process.args = ["true"]' '.linux.cgroupsPath = "/\($ID)"'
  expect 1 berth run -b "$B" "$ID"
  one_line "$err"
  contains "$err" "not empty"
  ! gone $pid || fail "its process was killed"
  grep -qx $pid "$top/$ID/sub/cgroup.procs"
  kill $pid
  wait $pid || true
  rmdir "$top/$ID/sub"
  # an empty one is a leftover
  expect 0 berth run -b "$B" "$ID"
  [[ ! -e $top/$ID ]] || fail "the cgroup is still there"
}
[[ -n ${CHECK_SYSTEMD:-} ]] || test_case "a cgroup with processes somewhere below is refused and left alone" somebody_below

# Who may divide the container's cgroup: its user, where a cgroup namespace shows it a writable mount of it.
MAY_WRITE='(.mounts[] | select(.type == "cgroup") | .options) -= ["ro"]'
[[ $version = 1 ]] || MAY_WRITE+=' | .linux.namespaces |= map(select(.type != "cgroup")) + [{type: "cgroup"}]'
owner() { # WANTED JQ...
  bundle "$FOREVER" "$MAY_WRITE" "${@:2}"
  chmod 755 "$D"
  expect 0 berth run -d -b "$B" "$ID"
  local dir=/sys/fs/cgroup file
  dir+=$(sed -n 's/^0:://p' "/proc/$(berth state "$ID" | jq .pid)/cgroup")
  equal "$(stat -c %u "$dir")" "$1" "owner of the cgroup"
  for file in $DELEGATE; do
    [[ ! -e $dir/$file ]] || equal "$(stat -c %u "$dir/$file")" "$1" "owner of $file"
  done
  # what limits the container is never its own
  equal "$(stat -c %u "$dir/memory.max" "$dir/pids.max" | tr '\n' ' ')" "0 0 " "owner of the limits"
}
ownership() {
  local DELEGATE
  DELEGATE=$(</sys/kernel/cgroup/delegate)
  owner 100000 "$USERNS"
  expect 0 berth exec "$ID" sh -c 'mkdir /sys/fs/cgroup/sub && echo $$ >/sys/fs/cgroup/sub/cgroup.procs && cat /proc/self/cgroup'
  equal "$out" "0::/sub"
  expect 0 berth delete -f "$ID"
  # of the user of the process, also without a user namespace
  owner 101000 "$USERNS" '.process.user = {uid: 1000, gid: 1000}'
  expect 0 berth delete -f "$ID"
  owner 1000 '.process.user = {uid: 1000, gid: 1000}'
  expect 0 berth delete -f "$ID"
  # seen read-only, or with the host's eyes, it stays ours
  owner 0 "$USERNS" '(.mounts[] | select(.type == "cgroup") | .options) += ["ro"]'
  expect 0 berth delete -f "$ID"
  owner 0 "$USERNS" "$(NO_NS cgroup)"
  expect 0 berth delete -f "$ID"
}
# a kernel without a list of the files
ownership_older() {
  local DELEGATE="cgroup.procs cgroup.subtree_control cgroup.threads"
  mount -t tmpfs t /sys/kernel/cgroup
  (owner 1000 '.process.user = {uid: 1000, gid: 1000}')
  umount /sys/kernel/cgroup
  expect 0 berth delete -f "$ID"
}
ownership_v1() {
  bundle "$FOREVER" "$MAY_WRITE" "$USERNS"
  chmod 755 "$D"
  expect 0 berth run -d -b "$B" "$ID"
  local pid dir
  pid=$(berth state "$ID" | jq .pid)
  dir=/sys/fs/cgroup/pids$(awk -F: '$2 == "pids" { print $3 }' "/proc/$pid/cgroup")
  equal "$(stat -c %u "$dir" "$dir/cgroup.procs" | tr '\n' ' ')" "0 0 " "owner of a cgroup of v1"
  expect 0 berth delete -f "$ID"
}
if ((version == 2)); then
  test_case "ownership: the container's user owns its cgroup where it may write to it" ownership
  test_case "ownership: three files where the kernel lists none" ownership_older
else
  test_case "ownership: a cgroup of v1 stays ours" ownership_v1
fi

# v2: a cgroup with processes, as a login session's or a job's is, gives no controllers down.
limits_without_path() {
  has memory
  ((version == 2)) || skip "cgroup v1"
  local own=/sys/fs/cgroup/$ID.caller
  mkdir "$own"
  bundle '.linux.resources.memory = {limit: 33554432}' '.process.args = ["cat", "/proc/self/cgroup", "/sys/fs/cgroup/memory.max"]' "$(NO_NS cgroup)" \
    '.linux.namespaces += [{type: "cgroup"}]'
  try sh -c 'echo 0 >"$1/cgroup.procs" && shift && exec "$@"' sh "$own" "$BERTH" --root "$ROOT" run -b "$B" "$ID"
  equal "$status" 0 "status ($err)"
  contains "$out" $((32 * MIB))
  [[ ! -e /sys/fs/cgroup/$ID ]] || fail "the cgroup is still there"
  # so does a relative path
  jq --arg p "$ID.rel/box" '.linux.cgroupsPath = $p' "$B/config.json" >"$D/c" && mv "$D/c" "$B/config.json"
  try sh -c 'echo 0 >"$1/cgroup.procs" && shift && exec "$@"' sh "$own" "$BERTH" --root "$ROOT" run -b "$B" "$ID"
  rmdir "$own" "/sys/fs/cgroup/$ID.rel"
  equal "$status" 0 "status ($err)"
  contains "$out" $((32 * MIB))
}
# a unit has its place by its slice
[[ -n ${CHECK_SYSTEMD:-} ]] || test_case "without cgroupsPath limits hold beside a cgroup that has processes" limits_without_path

update() {
  has memory
  limited '.linux.resources.memory = {limit: 33554432}'
  expect 0 berth update --memory 64M --pids-limit 30 "$ID"
  equal "$(limit memory memory.limit_in_bytes memory.max)" $((64 * MIB))
  equal "$(limit pids pids.max pids.max)" 30
  echo '{"memory": {"limit": 41943040}}' | expect 0 berth update -r - "$ID"
  equal "$(limit memory memory.limit_in_bytes memory.max)" $((40 * MIB))
  expect 0 berth delete -f "$ID"
}
test_case "update changes the limits of a running container" update

stats() {
  has memory
  has pids
  limited .
  expect 0 berth events --stats "$ID"
  equal "$(jq -r '.type, .id' <<<"$out" | tr '\n' ' ')" "stats $ID "
  [[ $(jq .data.memory.usage.usage <<<"$out") -gt 0 ]]
  equal "$(jq .data.pids.current <<<"$out")" 1
  expect 0 berth delete -f "$ID"
}
test_case "events --stats tells what the container uses" stats

all_are_killed() {
  bundle '.process.args = ["sh", "-c", "sleep 1001 & sleep 1002 & sleep 1003"]' "$(NO_NS pid)"
  expect 0 berth run -d -b "$B" "$ID"
  three() { [[ $(berth ps -f json "$ID" | jq length) -ge 3 ]]; }
  eventually three
  expect 0 berth delete --force "$ID"
  no_cgroup() { [[ -z $(find /sys/fs/cgroup -type d -name "*$ID*" 2>/dev/null) ]]; }
  eventually no_cgroup
}
test_case "delete --force ends every process, also without a pid namespace" all_are_killed
finish

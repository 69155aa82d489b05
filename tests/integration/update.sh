#!/bin/bash
# update: what is given is written where the kernel reads it, the rest stays. cgroup v1 or v2, whatever is
# mounted. Where runc can be asked, it is: the same options on its own container give the same numbers.
. "${BASH_SOURCE%/*}/../lib/check.sh"

version=1
[[ $(stat -f -c %T /sys/fs/cgroup) != cgroup2fs ]] || version=2
MIB=1048576

has() { # CONTROLLER
  if ((version == 2)); then grep -qw "$1" /sys/fs/cgroup/cgroup.controllers; else [[ -d /sys/fs/cgroup/$1 ]]; fi ||
    skip "cgroup v$version without $1"
}

# The container's directory of a controller.
directory() { # CONTROLLER [RUNTIME...]
  local controller=$1 pid
  shift
  (($#)) || set -- berth
  pid=$("$@" state "$ID" | jq .pid)
  if ((version == 2)); then
    echo "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$pid/cgroup")"
  else
    local path mount
    path=$(awk -F: -v c="$controller" 'index("," $2 ",", "," c ",") { print $3 }' "/proc/$pid/cgroup")
    mount=/sys/fs/cgroup/$controller
    # where only a part of the hierarchy is mounted, the path is that of the whole
    until [[ -d $mount$path || $path != */*/* ]]; do path=/${path#/*/}; done
    echo "$mount$path"
  fi
}

limit() { # CONTROLLER V1-FILE V2-FILE
  cat "$(directory "$1")/$( ((version == 2)) && echo "$3" || echo "$2")"
}

limited() { # JQ
  bundle "$FOREVER" "$1"
  expect 0 berth run -d -b "$B" "$ID"
}

memory_values() {
  has memory
  limited '.linux.resources.memory = {limit: 33554432}'
  expect 0 berth update --memory 64M "$ID"
  equal "$(limit memory memory.limit_in_bytes memory.max)" $((64 * MIB))
  expect 0 berth update "$ID" --memory 50331648 --memory-reservation 0.5m
  equal "$(limit memory memory.limit_in_bytes memory.max)" $((48 * MIB))
  equal "$(limit memory memory.soft_limit_in_bytes memory.low)" $((MIB / 2))
  expect 0 berth update "$ID" --memory=-1
  local value
  value=$(limit memory memory.limit_in_bytes memory.max)
  [[ $value = max || $value -gt $((1 << 60)) ]] || fail "limit is $value"
  expect 0 berth delete -f "$ID"
}
test_case "memory: bytes, units, unlimited; options before or after the id" memory_values

# What the default config of runc makes: on v2 its cgroup has to be where there are controllers.
without_limits() {
  has memory
  bundle "$FOREVER"
  expect 0 berth run -d -b "$B" "$ID"
  expect 0 berth update --memory 64M --pids-limit 100 "$ID"
  equal "$(limit memory memory.limit_in_bytes memory.max)" $((64 * MIB))
  equal "$(limit pids pids.max pids.max)" 100
  expect 0 berth delete -f "$ID"
}
test_case "a container that was made without limits can be limited" without_limits

memory_swap() {
  has memory
  limited '.linux.resources.memory = {limit: 33554432, swap: 67108864}'
  [[ -e $(directory memory)/$( ((version == 2)) && echo memory.swap.max || echo memory.memsw.limit_in_bytes) ]] ||
    skip "no swap accounting"
  # the sum: on v2 swap alone is limited, the stored limit of memory is its other part
  expect 0 berth update --memory-swap 100663296 "$ID"
  equal "$(limit memory memory.memsw.limit_in_bytes memory.swap.max)" $((version == 2 ? 64 * MIB : 96 * MIB))
  # both grow, in an order that the kernel takes
  expect 0 berth update --memory 128M --memory-swap 256M "$ID"
  equal "$(limit memory memory.limit_in_bytes memory.max)" $((128 * MIB))
  equal "$(limit memory memory.memsw.limit_in_bytes memory.swap.max)" $((version == 2 ? 128 * MIB : 256 * MIB))
  # and shrink
  expect 0 berth update --memory 32M --memory-swap 48M "$ID"
  equal "$(limit memory memory.memsw.limit_in_bytes memory.swap.max)" $((version == 2 ? 16 * MIB : 48 * MIB))
  expect 0 berth delete -f "$ID"
}
test_case "memory and swap: their sum, growing and shrinking" memory_swap

cpu_pair() {
  has cpu
  limited '.linux.resources.cpu = {shares: 512, quota: 50000, period: 100000}'
  pair() {
    if ((version == 2)); then cat "$(directory cpu)/cpu.max"
    else echo "$(<"$(directory cpu)/cpu.cfs_quota_us") $(<"$(directory cpu)/cpu.cfs_period_us")"; fi
  }
  expect 0 berth update --cpu-quota 60000 "$ID"
  equal "$(pair)" "60000 100000"
  expect 0 berth update --cpu-period 200000 "$ID"
  equal "$(pair)" "60000 200000"
  expect 0 berth update --cpu-share 1024 "$ID"
  equal "$(pair)" "60000 200000"
  equal "$(limit cpu cpu.shares cpu.weight)" $((version == 2 ? 100 : 1024))
  expect 0 berth update --cpu-quota -1 "$ID"
  equal "$(pair)" "$( ((version == 2)) && echo max || echo -1) 200000"
  expect 0 berth delete -f "$ID"
}
test_case "cpu: quota and period are completed by the stored half" cpu_pair

cpuset() {
  has cpuset
  limited .
  expect 0 berth update --cpuset-cpus 0 --cpuset-mems 0 "$ID"
  equal "$(limit cpuset cpuset.cpus cpuset.cpus)" 0
  equal "$(limit cpuset cpuset.mems cpuset.mems)" 0
  expect 0 berth delete -f "$ID"
}
test_case "cpuset: CPUs and memory nodes" cpuset

pids() {
  has pids
  limited '.linux.resources.pids = {limit: 20}'
  expect 0 berth update --pids-limit 40 "$ID"
  equal "$(limit pids pids.max pids.max)" 40
  expect 0 berth update --pids-limit 0 "$ID"
  equal "$(limit pids pids.max pids.max)" 1
  expect 0 berth update --pids-limit=-1 "$ID"
  equal "$(limit pids pids.max pids.max)" max
  expect 0 berth delete -f "$ID"
}
test_case "pids: a number, 0, -1" pids

a_file() {
  has memory
  has pids
  limited '.linux.resources.memory = {limit: 33554432} | .linux.resources.pids = {limit: 20}'
  echo '{"memory": {"limit": 41943040, "swap": 0}, "cpu": {"cpus": ""}, "blockIO": {"weight": 0}}' >r.json
  expect 0 berth update -r r.json --pids-limit 5 "$ID"
  equal "$(limit memory memory.limit_in_bytes memory.max)" $((40 * MIB))
  equal "$(limit pids pids.max pids.max)" 20 "an option beside --resources is ignored: the limit"
  expect 0 berth update --resources=- "$ID" <<<'{"pids": {"limit": 30}}'
  equal "$(limit pids pids.max pids.max)" 30
  equal "$(limit memory memory.limit_in_bytes memory.max)" $((40 * MIB))
  expect 0 berth delete -f "$ID"
}
test_case "resources from a file and from standard input; zeros are not given" a_file

check_before() {
  ((version == 2)) || skip "cgroup v1"
  has memory
  bundle '.linux.resources.memory = {limit: 67108864}' \
    '.process.args = ["sh", "-c", "x=$(head -c 20000000 /dev/zero | tr \"\\\\0\" x); : >/ready; sleep 1000; :"]'
  expect 0 berth run -d -b "$B" "$ID"
  eventually test -e "$B/rootfs/ready"
  echo '{"memory": {"limit": 4194304, "checkBeforeUpdate": true}}' >r.json
  expect 1 berth update -r r.json "$ID"
  one_line "$err"
  contains "$err" "rejecting memory limit"
  equal "$(limit memory '' memory.max)" $((64 * MIB))
  expect 0 berth delete -f "$ID"
}
test_case "checkBeforeUpdate: a limit below what is used is refused" check_before

all_or_nothing() {
  has memory
  has pids
  limited '.linux.resources.memory = {limit: 33554432} | .linux.resources.pids = {limit: 20}'
  # memory is written before the CPUs, which no machine has
  has cpuset
  expect 1 berth update --memory 64M --cpuset-cpus 4000 --pids-limit 30 "$ID"
  one_line "$err"
  equal "$(limit memory memory.limit_in_bytes memory.max)" $((32 * MIB))
  equal "$(limit pids pids.max pids.max)" 20
  expect 0 berth update --pids-limit 21 "$ID"
  equal "$(limit memory memory.limit_in_bytes memory.max)" $((32 * MIB))
  expect 0 berth delete -f "$ID"
}
test_case "an update that fails changes nothing" all_or_nothing

devices_replaced() {
  bundle '.linux.devices = [{path: "/dev/k", type: "c", major: 1, minor: 11, fileMode: 438}]' \
    '.process.args = ["sh", "-c", "while :; do if true >/dev/k; then echo yes; else echo no; fi 2>/dev/null >/now; true >/dev/null && sleep 0.1; done"]' \
    '.process.capabilities = (["bounding", "effective", "permitted"] | map({(.): ["CAP_SYSLOG", "CAP_DAC_OVERRIDE"]}) | add)'
  expect 0 berth run -d -b "$B" "$ID"
  now() { grep -qx "$1" "$B/rootfs/now"; }
  eventually now no
  expect 0 berth update -r - "$ID" <<<'{"devices": [{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 1, "minor": 11, "access": "w"}]}'
  eventually now yes
  expect 0 berth update -r - "$ID" <<<'{"devices": [{"allow": false, "access": "rwm"}]}'
  eventually now no
  expect 0 berth delete -f "$ID"
}
test_case "devices: new rules replace the old ones" devices_replaced

unified() {
  has memory
  limited '.linux.resources.unified = {"memory.high": "20971520"}'
  expect 0 berth update -r - "$ID" <<<'{"unified": {"memory.high": "31457280"}}'
  equal "$(limit memory '' memory.high)" 31457280
  expect 0 berth delete -f "$ID"
}
((version == 1)) || test_case "unified: any file of cgroup v2 by its name" unified

refusals() {
  limited .
  local words
  expect 0 berth update "$ID"
  expect 0 berth update --kernel-memory 1M "$ID"
  contains "$err" "kernel-memory is ignored"
  for words in '--memory x' '--memory 1MM' '--memory 10e' '--cpu-quota 1.5' '--cpu-idle 2' '--cpuset-cpus a' \
    '--pids-limit many' '--blkio-weight 9' '--mem-bw-schema x' '-r /nonexistent' '--nonsense 1'; do
    # shellcheck disable=SC2086
    expect 1 berth update $words "$ID"
    one_line "$err"
  done
  expect 1 berth update -r - "$ID" <<<'{"memory": {"limit": "1"}}'
  one_line "$err"
  contains "$err" "memory.limit"
  expect 1 berth update -r - "$ID" <<<'{'
  one_line "$err"
  expect 1 berth update -r - "$ID" <<<'{"memory": {"limit": 8192000, "swap": 4096000}}'
  contains "$err" "swap"
  expect 1 berth update --memory 1M "$ID-none"
  contains "$err" "does not exist"
  expect 0 berth kill "$ID" KILL
  eventually status_is "$ID" stopped
  expect 1 berth update --pids-limit 9 "$ID"
  contains "$err" "not running"
  expect 0 berth delete "$ID"
}
test_case "what cannot be is refused in one line; nothing to change is no failure" refusals

created_and_paused() {
  has pids
  bundle "$FOREVER"
  expect 0 berth create -b "$B" "$ID"
  expect 0 berth update --pids-limit 11 "$ID"
  equal "$(limit pids pids.max pids.max)" 11
  expect 0 berth start "$ID"
  equal "$(limit pids pids.max pids.max)" 11
  expect 0 berth pause "$ID"
  expect 0 berth update --pids-limit 12 "$ID"
  equal "$(limit pids pids.max pids.max)" 12
  expect 0 berth delete -f "$ID"
}
test_case "a created and a paused container can be updated" created_and_paused

# Every number of the container's cgroup that a limit can be in.
all_limits() { # RUNTIME...
  local controller file
  for controller in memory cpu cpuset pids; do
    for file in memory.{limit_in_bytes,soft_limit_in_bytes,memsw.limit_in_bytes,max,low,high,swap.max} \
      cpu.{shares,cfs_quota_us,cfs_period_us,max,weight} cpuset.{cpus,mems} pids.max; do
      [[ ${file%%.*} != "$controller" ]] || (cd "$(directory "$controller" "$@")" && grep -H . "$file" 2>/dev/null) || true
    done
  done
}

as_runc() {
  has memory
  has cpu
  has pids
  local runtime edit='.linux.resources = {memory: {limit: 33554432}, cpu: {quota: 50000, period: 100000}, pids: {limit: 50}}'
  for runtime in runc "$BERTH"; do
    bundle "$FOREVER" "$edit" "$OWN_CGROUP"
    local rt=("$runtime" "${MANAGER[@]}" --root "$ROOT") to=$D/ours
    [[ $runtime != runc ]] || to=$D/runc
    expect 0 "${rt[@]}" run -d -b "$B" "$ID"
    {
      expect 0 "${rt[@]}" update --memory 64M --memory-swap 96M "$ID"
      all_limits "${rt[@]}"
      expect 0 "${rt[@]}" update --cpu-quota 70000 --pids-limit 60 "$ID"
      all_limits "${rt[@]}"
      expect 0 "${rt[@]}" update --cpu-period 50000 --cpu-quota 20000 "$ID"
      all_limits "${rt[@]}"
      expect 0 "${rt[@]}" update --cpu-share 300 --memory-reservation 20M "$ID"
      # runc 1.1.5 had another curve for the weight, and forgets the period at an update of something else
      all_limits "${rt[@]}" | grep -v cpu.weight
      expect 0 "${rt[@]}" update -r - "$ID" <<<'{"memory": {"limit": 41943040, "swap": 41943040}, "cpu": {"quota": -1, "period": 50000, "cpus": "0"}}'
      all_limits "${rt[@]}" | grep -v cpu.weight
    } >"$to"
    expect 0 "${rt[@]}" delete -f "$ID"
  done
  [[ $(wc -l <"$D/runc") -gt 30 ]] || fail "nothing to compare"
  diff "$D/runc" "$D/ours" || fail "the runtimes differ (<runc, >ours)"
}
test_case "the same updates leave the same limits as runc" as_runc
finish

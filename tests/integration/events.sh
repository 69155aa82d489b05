#!/bin/bash
# events: lines of JSON as runc writes them; the notice when memory runs out. cgroup v1 or v2.
. "${BASH_SOURCE%/*}/../lib/check.sh"

version=1
[[ $(stat -f -c %T /sys/fs/cgroup) != cgroup2fs ]] || version=2

has() { # CONTROLLER
  if ((version == 2)); then grep -qw "$1" /sys/fs/cgroup/cgroup.controllers; else [[ -d /sys/fs/cgroup/$1 ]]; fi ||
    skip "cgroup v$version without $1"
}

once() {
  bundle "$FOREVER"
  expect 0 berth run -d -b "$B" "$ID"
  expect 0 berth events --stats "$ID"
  one_line "$out"
  [[ $out = '{"type":"stats","id":"'"$ID"'",'* ]] || fail "begins otherwise: $out"
  [[ $(jq .data.cpu.usage.total <<<"$out") -gt 0 ]]
  expect 0 berth delete -f "$ID"
}
test_case "--stats prints one line" once

# Names and nesting of everything, in order; numbers are replaced by their type.
shape() {
  jq -c 'walk(if type == "number" then 0 else . end)'
}

as_runc() {
  has memory
  local runtime to
  for runtime in runc "$BERTH"; do
    to=$D/ours
    [[ $runtime != runc ]] || to=$D/runc
    bundle "$FOREVER" '.linux.resources = {memory: {limit: 33554432}, pids: {limit: 9}, cpu: {quota: 50000, period: 100000, cpus: "0"}}' \
      "$OWN_CGROUP"
    expect 0 "$runtime" "${MANAGER[@]}" --root "$ROOT" run -d -b "$B" "$ID"
    sleep .2 # throttling is counted per period
    expect 0 "$runtime" --root "$ROOT" events --stats "$ID"
    # What newer releases of runc have and 1.1.5 has not: psi, the peak of v2. What a machine with both
    # versions counts in v2 only (hugetlb) is told by us. Counters that happen to be 0 are left out by both.
    jq -c 'del(.. | .psi?) | del(.data.hugetlb, .data.blkio, .data.cpu.throttling, .data.memory.cache, .data.memory.kernel)
      | .data.memory |= map_values(if type == "object" then del(.max?) else . end)' <<<"$out" | shape >"$to"
    jq -c '.data | .pids, .cpuset, (.memory | .usage.limit, .swap.limit, .kernelTCP.limit)' <<<"$out" >>"$to"
    expect 0 "$runtime" --root "$ROOT" delete -f "$ID"
  done
  diff "$D/runc" "$D/ours" || fail "the runtimes differ (<runc, >ours)"
}
test_case "the members, their order and the limits are runc's" as_runc

pressure() {
  has memory
  [[ -e /proc/pressure/cpu ]] || skip "no pressure stall information"
  bundle "$FOREVER"
  expect 0 berth run -d -b "$B" "$ID"
  expect 0 berth events --stats "$ID"
  equal "$(jq -c '[.data.cpu.psi, .data.memory.psi, .data.blkio.psi | keys, (.some | keys_unsorted)]' <<<"$out")" \
    '[["full","some"],["avg10","avg60","avg300","total"],["full","some"],["avg10","avg60","avg300","total"],["full","some"],["avg10","avg60","avg300","total"]]'
  expect 0 berth delete -f "$ID"
}
((version == 1)) || test_case "pressure (PSI) is told on cgroup v2" pressure

follows() {
  bundle '.process.args = ["sleep", "1000"]'
  expect 0 berth run -d -b "$B" "$ID"
  berth_in_background events --interval 100ms "$ID" >"$D/events"
  three() { [[ $(wc -l <"$D/events") -ge 3 ]]; }
  eventually three
  expect 0 berth kill "$ID" KILL
  wait "$pid" || fail "status $?"
  equal "$(jq -r .type "$D/events" | sort -u)" stats
  expect 0 berth delete -f "$ID"
}
test_case "events come at the interval, and end with the container" follows

oom() {
  has memory
  # the shell waits until somebody listens, then its child takes too much; it stays itself
  bundle '.linux.resources.memory = {limit: 33554432, swap: 33554432}' \
    '.process.args = ["sh", "-c", "until [ -e /go ]; do sleep 0.1; done; (head -c 100000000 /dev/zero | tail -c 90000000 >/dev/null); sleep 1000"]'
  expect 0 berth run -d -b "$B" "$ID"
  berth_in_background events --interval 1h "$ID" >"$D/events"
  watching() { ls -l "/proc/$pid/fd" | grep -q 'eventfd\|inotify'; }
  eventually watching
  : >"$B/rootfs/go"
  eventually test -s "$D/events"
  equal "$(sort -u "$D/events")" '{"type":"oom","id":"'"$ID"'"}'
  expect 0 berth delete -f "$ID"
  wait "$pid" || fail "status $?"
}
test_case "the end of memory is told" oom

no_oom() {
  has memory
  bundle '.linux.resources.memory = {limit: 33554432}' "$FOREVER"
  expect 0 berth run -d -b "$B" "$ID"
  berth_in_background events --interval 1h "$ID" >"$D/events"
  watching() { ls -l "/proc/$pid/fd" | grep -q 'eventfd\|inotify'; }
  eventually watching
  expect 0 berth delete -f "$ID"
  wait "$pid" || fail "status $?"
  equal "$(<"$D/events")" "" "what was told"
}
test_case "the end of the container is not the end of memory" no_oom

refusals() {
  bundle '.process.args = ["true"]'
  expect 1 berth events --stats "$ID"
  contains "$err" "does not exist"
  expect 0 berth run -d -b "$B" "$ID"
  eventually status_is "$ID" stopped
  local words
  for words in '--stats' '--interval 1s'; do
    # shellcheck disable=SC2086
    expect 1 berth events $words "$ID"
    one_line "$err"
    contains "$err" "is not running"
  done
  for words in 0s 5 -1s soon; do
    expect 1 berth events --interval "$words" "$ID"
    one_line "$err"
    contains "$err" interval
  done
  expect 0 berth delete "$ID"
}
test_case "no container, a stopped one, a bad interval: one line" refusals
finish

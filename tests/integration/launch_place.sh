#!/bin/bash
# Where berth launch puts instances: the words, said wrong and right, and what is shown of it. On this machine, and on
# others that hwloc knows (dry runs). More words and machines: tests/placement.
. "${BASH_SOURCE%/*}/../lib/check.sh"

NODE="package:2 numa:2 core:4 pu:2"
dry() { HWLOC_SYNTHETIC=$NODE berth launch --dry-run "$@"; }

json() {
  expect 0 dry -n 3 --map-by numa --report-bindings=json
  equal "$(jq -c '[.instances, .slots, .bound, .memory_policy, (.bindings | map(.cpus + "@" + .numa))]' "$D/out")" \
    '[3,3,true,"prefer",["0-7@0","8-15@1","16-23@2"]]'
  expect 0 dry -n 17 --report-bindings=json
  equal "$(jq -c '.bindings[16]' "$D/out")" '{"rank":16,"waits":true}'
}
test_case "--report-bindings=json: the places for programs" json

rankfile() {
  printf 'rank 1=localhost slot=0:0-1\nrank 0=+n0 slot=1:* # all\n' >"$D/ranks"
  expect 0 dry --map-by "rankfile:FILE=$D/ranks"
  contains "$out" "rank 0 bound to package[1][core:8-15]"
  contains "$out" "rank 1 bound to package[0][core:0-1]"
  expect 1 dry --map-by "rankfile:FILE=$D/no"
  one_line "$err"
  contains "$err" "$D/no"
}
test_case "--map-by rankfile:FILE=" rankfile

other_machine() {
  bundle .
  HWLOC_SYNTHETIC=$NODE expect 1 berth launch "$B"
  one_line "$err"
}
test_case "another machine's topology is for dry runs" other_machine

# what it says | words
bad_words() {
  local says words
  while IFS='|' read -r says words; do
    # shellcheck disable=SC2086
    try dry $words
    [[ $status = [12] ]] || fail "status $status for $words"
    one_line "$err"
    contains "$err" "$says"
    [[ ! -s $D/out ]] || fail "$words also prints $out"
  done <<'X'
either srun's|--map-by core --cpu-bind cores
contradict|--map-by core:NOOVERSUBSCRIBE --oversubscribe
"dies" is not a kind of object|--map-by dies
is none of text, json|--report-bindings=xml
is none of compute_bound|--hint fast
is none of block, cyclic|-m round
there is no core 16; this machine has 0-15|--map-by pe-list=16
1 instance of 17 cores each needs 17 cores, 16 are free|-n 1 -c 17
no such device; it has none|--map-by device=gpu
no NUMA node 4 for us; it has 0-3|--mem-bind map_mem:4
CPU 32 is not there|--cpu-bind map_cpu:32
an instance of 33 CPUs: 32 hardware threads are free|-c 33 --cpu-bind threads
--instances: "0" is not a number above 0|-n 0
--instances: "-1" is not a number above 0|-n -1
--instances: "99999999999" is more than 4294967295|-n 99999999999
70000 instances at once are too many; one node takes 65536|-n 70000 --oversubscribe
--cpus: "x" is not a number above 0|-c x
PE=0 is not a number of processing elements|--map-by core:PE=0
ppr wants a number and an object|--map-by ppr:0:core
limit=0 is not a number above 0|--bind-to core:limit=0
--gpus-per-rank: "0" is not a number above 0|--gpus-per-rank 0
--gpus-per-rank: at most 1024 are possible|--gpus-per-rank 5000
--devices-per-rank: expected VENDOR/CLASS=NUMBER, found "a.b/c=0"|--devices-per-rank a.b/c=0
--devices-per-rank c=1: device "c=all": expected VENDOR/CLASS=NAME|--devices-per-rank c=1
--devices-per-rank a.b/c=1: device "a.b/c=all": no CDI file in /var|--cdi-dir /var --devices-per-rank a.b/c=1
X
}
test_case "what cannot be is one line that says what there is" bad_words

memory() {
  bundle .
  [[ -e /proc/self/numa_maps ]] || skip "a kernel without NUMA"
  # shellcheck disable=SC2016
  stack='awk "/stack/ { print \$2 }" /proc/$$/numa_maps'
  expect 0 berth launch -q -n 1 --mem-bind interleave "$B" -- sh -c "$stack"
  contains "$out" interleave
  expect 0 berth launch -q -n 1 --mem-bind none "$B" -- sh -c "$stack"
  equal "$out" default
  expect 0 berth launch -q -n 1 --bind-to none --mem-bind map_mem:0 "$B" -- sh -c "$stack"
  equal "$out" bind:0
  expect 0 berth launch -q -n 1 --mem-bind local "$B" -- sh -c "$stack"
  equal "$out" local
}
test_case "--mem-bind sets the memory policy" memory

topo() {
  bundle .
  local last
  last=$(awk '/^Cpus_allowed_list/ { n = split($2, a, /[,-]/); print a[n] }' /proc/self/status)
  berth_in_background launch -q -n 1 --cpu-bind "map_cpu:$last" --name "$ID" "$B" -- sh -c 'echo up; sleep 1000' >"$D/up"
  eventually grep -q up "$D/up"
  expect 0 berth topo
  if (($(nproc) > 1)); then contains "$out" ": $ID.0"; else contains "$out" "anywhere: $ID.0"; fi
  expect 0 berth topo --svg "$D/topo.svg"
  contains "$(tail -n 1 "$D/topo.svg")" "</svg>"
  kill -TERM "$pid"
  wait "$pid" 2>/dev/null || true
  expect 2 berth topo --frobnicate
  one_line "$err"
  expect 1 berth topo --svg /nowhere/file
  one_line "$err"
}
test_case "berth topo shows the machine and who runs where" topo
finish

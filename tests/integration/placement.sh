#!/bin/bash
# A place of one's own for a single container: --cpus, --numa, --bind, --mem-bind of run, create, exec and plan, and the
# annotation io.berth.placement.
. "${BASH_SOURCE%/*}/../lib/check.sh"

allowed=$(awk '/^Cpus_allowed_list/ { print $2 }' /proc/self/status)
mapfile -t cpus < <(awk -v list="$allowed" 'BEGIN { n = split(list, part, ",")
  for (i = 1; i <= n; i++) { split(part[i], end, "-"); for (c = end[1]; c <= (end[2] == "" ? end[1] : end[2]); c++) print c } }')
first=${cpus[0]} last=${cpus[-1]}
node=$(awk '/^Mems_allowed_list/ { split($2, a, /[,-]/); print a[1] }' /proc/self/status)
several() { ((${#cpus[@]} > 1)) || skip "one CPU"; }

# "CPUS POLICY" of the process that says it
# shellcheck disable=SC2016
SAY='awk "/^Cpus_allowed_list/ { printf \"%s \", \$2 } /stack/ { print \$2 }" /proc/self/status /proc/self/numa_maps'
said_bundle() { # [JQ...]
  bundle "$(printf '.process.args = ["sh", "-c", %s]' "$(jq -n --arg s "$SAY" '$s')")" "$@"
}

words() {
  several
  [[ -e /proc/self/numa_maps ]] || skip "a kernel without NUMA"
  said_bundle
  local options says
  while IFS='|' read -r says options; do
    # shellcheck disable=SC2086
    expect 0 berth run -b "$B" $options "$ID"
    equal "$out" "$says" "what is seen with $options"
    said_bundle ".annotations[\"io.berth.placement\"] = \"$(sed 's/--//g' <<<"$options")\""
    expect 0 berth run -b "$B" "$ID"
    equal "$out" "$says" "what is seen with the annotation $options"
    said_bundle
  done <<X
$last prefer:$node|--cpus=$last
$allowed prefer:$node|--cpus=$allowed
$first prefer:$node|--bind=core
$first prefer:$node|--bind=cores
$last prefer:$node|--bind=map_cpu:$last
$first prefer:$node|--cpus=$first --bind=hwthread
$last local|--cpus=$last --mem-bind=local
$last default|--cpus=$last --mem-bind=none
$last bind:$node|--cpus=$last --mem-bind=bind
$last bind:$node|--cpus=$last --numa=$node
$last interleave:$node|--cpus=$last --numa=$node --mem-bind=interleave
$allowed interleave:$node|--mem-bind=interleave
$allowed bind:$node|--bind=none --mem-bind=map_mem:$node
X
}
test_case "the words, as options and as an annotation: CPUs and memory policy of the process" words

options_win() {
  several
  said_bundle ".annotations[\"io.berth.placement\"] = \"cpus=$first mem-bind=local\""
  expect 0 berth run -b "$B" --cpus "$last" "$ID"
  contains "$out" "$last local"
}
test_case "an option wins over the annotation's word, the others stay" options_win

# What the cpuset controller has for the container; skipped where it is not to be had.
cpuset_of() { # PID FILE
  local path
  if [[ $(stat -f -c %T /sys/fs/cgroup) = cgroup2fs ]]; then
    path=/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$1/cgroup")
  else
    path=/sys/fs/cgroup/cpuset$(awk -F: '$2 == "cpuset" { print $3 }' "/proc/$1/cgroup")
  fi
  cat "$path/$2" 2>/dev/null
}

life() {
  several
  bundle "$FOREVER" ".annotations[\"io.berth.placement\"] = \"cpus=$last\""
  expect 0 berth create -b "$B" --pid-file "$D/pid" "$ID"
  expect 0 berth start "$ID"
  local pid
  pid=$(<"$D/pid")
  equal "$(awk '/^Cpus_allowed_list/ { print $2 }' "/proc/$pid/status")" "$last" CPUs
  equal "$(berth state "$ID" | jq -r '.annotations["io.berth.placed"]')" "cpus=$last memory=prefer:$node" "what state says"
  # cpuset and affinity agree, where there is a cpuset
  local set
  set=$(cpuset_of "$pid" cpuset.cpus) || true
  [[ -z $set || $set = "$last" || $set = "$allowed" ]] || fail "the cpuset has $set"
  # further processes are where the container is, and go nowhere else
  expect 0 berth exec "$ID" sh -c "$SAY"
  equal "$out" "$last prefer:$node" "what exec sees"
  expect 0 berth exec --cpus "$last" --mem-bind local "$ID" sh -c "$SAY"
  equal "$out" "$last local" "what exec sees"
  expect 255 berth exec --cpus "$first" "$ID" true
  one_line "$err"
  contains "$err" "CPU $first is not ours to give; allowed are $last"
  expect 0 berth delete -f "$ID"
}
test_case "create, start, state, exec: all know the place" life

cpuset_says_the_same() {
  several
  if [[ $(stat -f -c %T /sys/fs/cgroup) = cgroup2fs ]]; then
    grep -qw cpuset /sys/fs/cgroup/cgroup.controllers || skip "no cpuset controller here"
    bundle "$FOREVER" "$OWN_CGROUP"
  else
    bundle "$FOREVER"
  fi
  expect 0 berth run -d -b "$B" --pid-file "$D/pid" --cpus "$last" "$ID"
  equal "$(cpuset_of "$(<"$D/pid")" cpuset.cpus)" "$last" cpuset.cpus
  equal "$(cpuset_of "$(<"$D/pid")" cpuset.mems)" "$node" cpuset.mems
  # it is a limit like others: update knows it
  expect 0 berth update --cpuset-cpus "$allowed" "$ID"
  equal "$(cpuset_of "$(<"$D/pid")" cpuset.cpus)" "$allowed" "cpuset.cpus after update"
  expect 0 berth delete -f "$ID"
}
test_case "the cpuset says the same as the affinity" cpuset_says_the_same

within_the_caller() {
  several
  said_bundle
  expect 0 taskset -c "$last" "$BERTH" "${MANAGER[@]}" --root "$ROOT" run -b "$B" --bind core "$ID"
  contains "$out" "$last prefer"
  expect 1 taskset -c "$last" "$BERTH" "${MANAGER[@]}" --root "$ROOT" run -b "$B" --cpus "$first" "$ID"
  one_line "$err"
  contains "$err" "CPU $first is not ours to give; allowed are $last"
  # the config's cpuset counts, too
  if [[ $(stat -f -c %T /sys/fs/cgroup) = cgroup2fs ]] && ! grep -qw cpuset /sys/fs/cgroup/cgroup.controllers; then return; fi
  said_bundle ".linux.resources.cpu = {cpus: \"$last\"}"
  expect 0 berth run -b "$B" --bind core "$ID"
  contains "$out" "$last prefer"
  expect 1 berth run -b "$B" --cpus "$first" "$ID"
  contains "$err" "allowed are $last"
}
test_case "never outside what the caller, or the config's cpuset, allows" within_the_caller

others_memory() {
  [[ -e /proc/self/numa_maps ]] || skip "a kernel without NUMA"
  said_bundle
  expect 0 numactl --interleave="$node" "$BERTH" "${MANAGER[@]}" --root "$ROOT" run -b "$B" --cpus "$first" "$ID"
  equal "$out" "$first interleave:$node" "the caller's policy"
  expect 0 numactl --interleave="$node" "$BERTH" "${MANAGER[@]}" --root "$ROOT" run -b "$B" --cpus "$first" --mem-bind bind "$ID"
  equal "$out" "$first bind:$node" "a word of ours"
  said_bundle ".linux.memoryPolicy = {mode: \"MPOL_INTERLEAVE\", nodes: \"$node\"}"
  expect 0 berth run -b "$B" --cpus "$first" "$ID"
  equal "$out" "$first interleave:$node" "the config's policy"
  expect 0 berth run -b "$B" --cpus "$first" --mem-bind local "$ID"
  equal "$out" "$first local" "a word of ours"
}
test_case "without a word about memory, the caller's policy stays, and the config's" others_memory

mistakes() {
  said_bundle
  local says options
  while IFS='|' read -r says options; do
    # shellcheck disable=SC2086
    expect 1 berth run -b "$B" $options "$ID"
    one_line "$err"
    contains "$err" "$says"
    [[ ! -s $D/out ]] || fail "$options also prints $out"
  done <<X
--cpus: "9999": numbers end at 4095|--cpus 9999
--cpus "4095": CPU 4095 is not ours to give; allowed are $allowed|--cpus 4095
--cpus: "0-": |--cpus 0-
--cpus: "x" is not a list|--cpus x
this machine has no NUMA node 77; it has|--numa 77
--numa: "n" is not a list|--numa n
--bind "dies": "dies" is not a kind of object; there are|--bind dies
or srun's none, threads, cores|--bind dies
--bind "core:PE=0"|--bind core:PE=0
--bind "core:PE=999": 1 instance of 999 cores|--bind core:PE=999
--bind "seq:FILE=x": a file is for many instances|--bind seq:FILE=x
--bind "map_cpu:"|--bind map_cpu:
CPU 4000 is not there|--bind map_cpu:4000
no such device|--bind device=nothing
is none of none, local, prefer, bind|--mem-bind near
both say which nodes|--numa $node --mem-bind map_mem:$node
X
  local annotation
  while IFS='|' read -r says annotation; do
    said_bundle ".annotations[\"io.berth.placement\"] = \"$annotation\""
    expect 1 berth run -b "$B" "$ID"
    one_line "$err"
    contains "$err" "$says"
  done <<X
annotation "io.berth.placement": "near" is none of cpus=LIST|near
"cpu=1" is none of|cpu=1
cpus= is empty|cpus=
cpus= is there twice|cpus=0 cpus=0
CPU 4095 is not ours to give|cpus=4095
X
  said_bundle '.annotations["io.berth.placed"] = "cpus=0"'
  expect 1 berth run -b "$B" "$ID"
  contains "$err" '"io.berth.placement" is for those who ask'
  said_bundle
  expect 1 env HWLOC_SYNTHETIC="package:2 core:2 pu:1" "$BERTH" "${MANAGER[@]}" --root "$ROOT" run -b "$B" --cpus "$first" "$ID"
  one_line "$err"
  contains "$err" "is not this machine's"
  equal "$(berth list -q)" "" "what is left"
}
test_case "what is wrong is said in one line, and nothing is left" mistakes

planned() {
  said_bundle
  expect 0 berth plan --cpus "$first" --mem-bind bind "$B"
  contains "$out" "bind-cpus"
  contains "$out" "bind-memory"
  expect 0 berth plan "$B"
  [[ $out != *bind-cpus* ]] || fail "a place that nobody asked for"
}
test_case "plan shows the place" planned

ordinary_user() {
  several
  . "$TESTS/lib/user.sh"
  user_world
  mkdir -p /run/berth-test/bin
  cp "$BERTH" "${BERTH%/*}/berth-launch" /run/berth-test/bin/
  said_bundle
  install -d -o "$USER_ID" "$D/u"
  cp -a "$WORK/rootfs" "$D/u/rootfs"
  chown -R "$USER_ID:$USER_ID" "$D/u"
  as_user sh -c "cd $D/u && /run/berth-test/bin/${BERTH##*/} spec --rootless"
  jq --arg s "$SAY" --arg mark "BERTH_TEST_RUN=$RUN_ID" '.process.terminal = false | .process.args = ["sh", "-c", $s] | .process.env += [$mark]' \
    "$D/u/config.json" >"$D/u/c" && mv "$D/u/c" "$D/u/config.json"
  expect 0 as_user "/run/berth-test/bin/${BERTH##*/}" run -b "$D/u" --cpus "$last" "$ID"
  contains "$out" "$last "
  as_user sh -c "cd $D/u && jq '.process.args = [\"sleep\", \"1000\"]' config.json >c && mv c config.json"
  expect 0 as_user "/run/berth-test/bin/${BERTH##*/}" run -d -b "$D/u" --bind "map_cpu:$last" "$ID"
  expect 0 as_user "/run/berth-test/bin/${BERTH##*/}" exec "$ID" sh -c "$SAY"
  contains "$out" "$last "
  expect 0 as_user "/run/berth-test/bin/${BERTH##*/}" delete -f "$ID"
}
test_case "an ordinary user is placed without a cpuset; exec follows" ordinary_user
finish

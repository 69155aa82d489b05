#!/bin/bash
# linux.intelRdt: a class of resctrl. Few CPUs have it, virtual ones hardly ever; what can be shown without is shown by the
# first cases, and by the unit test test_resctrl.
. "${BASH_SOURCE%/*}/../lib/check.sh"

R=/sys/fs/resctrl
[[ ! -d $R ]] || mountpoint -q "$R" || mount -t resctrl resctrl "$R" || true

needs() { # [FILE...]
  mountpoint -q "$R" || skip "this CPU, or this kernel, has no resctrl"
  local file
  for file; do [[ -e $R/info/$file ]] || skip "this CPU has no resctrl/info/$file"; done
}

whole() { sed -n "s/^ *\($1:.*\)/\1/p" "$R/schemata" | tr -d ' '; } # L3|MB: the line of everybody

refused() {
  ! mountpoint -q "$R" || skip "this machine has resctrl"
  bundle '.linux.intelRdt = {schemata: ["L3:0=f"]}'
  expect 1 berth run -b "$B" "$ID"
  one_line "$err"
  contains "$err" "linux.intelRdt"
  contains "$err" "Intel RDT is not enabled"
  expect 1 berth create -b "$B" "$ID"
  expect 1 berth launch -n 2 "$B"
  contains "$err" "Intel RDT is not enabled"
  expect 1 berth state "$ID"
}
test_case "without resctrl it is refused, and nothing is left" refused

planned() {
  bundle '.linux.intelRdt = {closID: "gold", memBwSchema: "MB:0=50", schemata: ["L2:0=f"], enableMonitoring: true}'
  expect 0 berth plan "$B"
  contains "$out" 'resctrl-open "gold" 1'
  contains "$out" 'resctrl-write "MB:0=50" 1'
  contains "$out" 'resctrl-write "L2:0=f" 0'
  contains "$out" resctrl-enter
  mkdir -p "$D/cdi"
  cat >"$D/cdi/x.json" <<'JSON'
{"cdiVersion": "1.1.0", "kind": "x.org/cache", "devices": [{"name": "half",
  "containerEdits": {"intelRdt": {"closID": "half"}}}]}
JSON
  expect 0 berth plan --device x.org/cache=half --cdi-dir "$D/cdi" "$B"
  contains "$out" 'resctrl-open "half" 0'
}
test_case "what the config, or a CDI file, asks for is in the plan" planned

nothing_to_update() {
  bundle '.process.args = ["sleep", "1000"] | .process.terminal = false'
  expect 0 berth run -d -b "$B" "$ID" </dev/null >/dev/null 2>&1
  expect 1 berth update --l3-cache-schema "L3:0=f" "$ID"
  one_line "$err"
  contains "$err" "has no linux.intelRdt"
  expect 1 berth update --mem-bw-schema "L3:0=f" "$ID"
  contains "$err" "invalid value for mem-bw-schema"
  expect 0 berth delete -f "$ID"
}
test_case "update: a container without a class has no schemata" nothing_to_update

# ---- with the kernel's part played by a library ----

played() { # the machine has a resctrl, in $F
  ! mountpoint -q "$R" || skip "this machine has resctrl"
  ! nm -D "${CHECK_PROGRAM:-$BERTH}" 2>/dev/null | grep -q __asan || skip "a sanitizer wants to be the first library"
  [[ -e $WORK/bin/resctrl.so ]] ||
    cc -shared -fPIC -Wall -o "$WORK/bin/resctrl.so" "$TESTS/lib/resctrl_preload.c" || fail "no library"
  F=$D/resctrl
  mkdir -p "$F"/{info/{L3,MB,L3_MON},mon_groups,mon_data}
  printf '    L3:0=fffff\n    MB:0= 100\n' >"$F/schemata"
  : >"$F/tasks"
  printf 'Something about zero\n' >"$F/info/last_cmd_status"
  echo fffff >"$F/info/L3/cbm_mask"
  echo 10 >"$F/info/MB/bandwidth_gran"
  echo llc_occupancy >"$F/info/L3_MON/mon_features"
  export RESCTRL_ROOT=$F
  berth() {
    managed "$@"
    LD_PRELOAD=$WORK/bin/resctrl.so "$BERTH" "${check_manager[@]}" --root "$ROOT" "$@"
  }
}
FOREVER='.process.args = ["sleep", "1000"] | .process.terminal = false'
tasks() { [[ $(<"$F/$1/tasks") = "$2" ]] || fail "tasks of $1: $(<"$F/$1/tasks"), not $2"; }

a_class() { # NAME: is there
  mkdir -p "$F/$1/mon_groups"
  : >"$F/$1/tasks"
  cp "$F/schemata" "$F/$1/schemata"
}

life() { # JQ [CLASS]: one that is there, and is kept
  played
  local pid second kept=own
  [[ -z ${2:-} ]] || kept=kept
  [[ ${2:-.} = . ]] || a_class "$2"
  set -- "$1" "${2:-$ID}"
  bundle "$FOREVER" ".linux.intelRdt = $1 + {enableMonitoring: true}"
  expect 0 berth create -b "$B" "$ID" </dev/null >/dev/null 2>&1
  pid=$(berth state "$ID" | jq .pid)
  tasks "$2" "$pid"
  tasks "$2/mon_groups/$ID" "$pid"
  expect 0 berth start "$ID"
  expect 0 berth exec -d --pid-file "$D/second" "$ID" sleep 1000
  second=$(<"$D/second")
  tasks "$2" "$pid"$'\n'"$second"
  tasks "$2/mon_groups/$ID" "$pid"$'\n'"$second"

  expect 0 berth update --l3-cache-schema "L3:0=ff" --mem-bw-schema "MB:0=20" "$ID"
  equal "$(<"$F/$2/schemata")" "MB:0=20" "schemata, of which the last one stays here"
  expect 1 berth update --mem-bw-schema "MB:0=0" "$ID"
  contains "$err" "write \"MB:0=0\" to its schemata: Invalid argument (the kernel says: Something about zero)"
  mkdir "$F/$2/mon_groups/$ID/mon_data/mon_L3_00"
  echo 4096 >"$F/$2/mon_groups/$ID/mon_data/mon_L3_00/llc_occupancy"
  expect 0 berth events --stats "$ID"
  equal "$(jq -c '.data.intel_rdt | [.l3_cache_info, .mem_bw_schema, .cmt_stats]' <<<"$out")" \
    '[{"cbm_mask":"fffff"},"MB:0=20",[{"llc_occupancy":4096}]]'

  expect 0 berth delete -f "$ID"
  [[ ! -e $F/$2/mon_groups/$ID ]] || fail "what was counted is left"
  equal "$([[ -e $F/$2 ]] && echo kept || echo own)" "$kept" "the class"
}
test_case "played: a class of its own is removed with the container" life '{l3CacheSchema: "L3:0=f"}'
test_case "played: a class with a name is kept" life '{closID: "gold"}' gold
test_case "played: the class of everybody is kept" life '{closID: "/"}' .

not_ours() {
  played
  a_class "$ID"
  bundle '.process.args = ["true"]' '.linux.intelRdt = {}'
  expect 0 berth run -b "$B" "$ID"
  [[ -s $F/$ID/tasks ]] || fail "nobody was put into it"
}
test_case "played: a class of the container's name that was there is kept" not_ours

failed() {
  played
  local jq
  for jq in '{schemata: ["L3:0=f", "L3:0=0"]}' '{closID: "new", schemata: ["MB:0=0"], enableMonitoring: true}' \
    '{closID: "none"}' '{closID: "none", enableMonitoring: true}'; do
    bundle '.process.args = ["true"]' ".linux.intelRdt = $jq"
    expect 1 berth run -b "$B" "$ID"
    one_line "$err"
    contains "$err" linux.intelRdt
    equal "$(find "$F" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | tr '\n' ' ')" \
      "info mon_data mon_groups schemata tasks " "what is there after $jq"
  done
}
test_case "played: a failure leaves no class" failed

killed_creator() {
  played
  bundle "$FOREVER" '.linux.intelRdt = {}'
  LD_PRELOAD=$WORK/bin/resctrl.so "$BERTH" "${MANAGER[@]}" --root "$ROOT" run -b "$B" "$ID" </dev/null >/dev/null 2>&1 &
  local run=$!
  eventually status_is "$ID" running
  [[ -d $F/$ID ]] || fail "no class"
  kill -KILL "$run"
  wait "$run" 2>/dev/null || true
  eventually status_is "$ID" stopped
  bundle '.process.args = ["true"]'
  expect 0 berth run -b "$B" "$ID"
  [[ ! -e $F/$ID ]] || fail "the class is left"
}
test_case "played: the class of a killed run is collected" killed_creator

job() {
  played
  bundle '.process.args = ["true"]' '.linux.intelRdt = {l3CacheSchema: "L3:0=f"}'
  expect 0 berth launch -q -n 3 --name "$ID" --oversubscribe "$B" -- sh -c true
  [[ ! -e $F/$ID ]] || fail "the class of the job is left"
  bundle '.process.args = ["true"]' '.linux.intelRdt = {closID: "gold", l3CacheSchema: "L3:0=f"}'
  expect 0 berth launch -q -n 3 --name "$ID" --oversubscribe "$B" -- sh -c true
  equal "$(<"$F/gold/schemata")" "L3:0=f"
  [[ $(wc -w <"$F/gold/tasks") -ge 1 ]] || fail "no spawner is in the class"
}
test_case "played: a job has one class, of which the ranks are" job

# ---- with a CPU that has it ----

own() {
  needs L3
  local line pid
  line=$(whole L3)
  bundle '.process.args = ["sleep", "1000"] | .process.terminal = false' ".linux.intelRdt = {l3CacheSchema: \"$line\"}"
  expect 0 berth run -d -b "$B" "$ID" </dev/null >/dev/null 2>&1
  pid=$(berth state "$ID" | jq .pid)
  grep -qx "$pid" "$R/$ID/tasks" || fail "process $pid is not in the class"
  expect 0 berth exec -d "$ID" sleep 1000
  equal "$(wc -l <"$R/$ID/tasks")" 2 "tasks in the class"
  expect 0 berth update --l3-cache-schema "$line" "$ID"
  expect 1 berth update --l3-cache-schema "L3:0=0" "$ID"
  contains "$err" "the kernel says"
  equal "$(sed -n 's/^ *\(L3:.*\)/\1/p' "$R/$ID/schemata")" "$line" "schemata after a failed update"
  expect 0 berth events --stats "$ID"
  equal "$(jq -r '.data.intel_rdt.l3_cache_schema' <<<"$out")" "$line"
  expect 0 berth delete -f "$ID"
  [[ ! -e $R/$ID ]] || fail "the class is left"
}
test_case "a class of its own is made, filled, entered and removed" own

shared() {
  needs L3
  local line
  line=$(whole L3)
  mkdir "$R/$ID.clos"
  bundle '.process.args = ["true"]' ".linux.intelRdt = {closID: \"$ID.clos\", l3CacheSchema: \"$line\"}"
  expect 0 berth run -b "$B" "$ID"
  [[ -d $R/$ID.clos ]] || fail "a class that was there was removed"
  bundle '.process.args = ["true"]' ".linux.intelRdt = {closID: \"$ID.clos\", l3CacheSchema: \"L3:0=1\"}"
  expect 1 berth run -b "$B" "$ID"
  contains "$err" "has other schemata"
  rmdir "$R/$ID.clos"
  bundle '.process.args = ["true"]' ".linux.intelRdt = {closID: \"$ID.clos\"}"
  expect 1 berth run -b "$B" "$ID"
  contains "$err" "there is no class"
  [[ ! -e $R/$ID.clos ]] || fail "a class was made"
}
test_case "a class with a name is not removed, and has to be the same" shared

counted() {
  needs L3_MON
  bundle '.process.args = ["sleep", "1000"] | .process.terminal = false' '.linux.intelRdt = {closID: "/", enableMonitoring: true}'
  expect 0 berth run -d -b "$B" "$ID" </dev/null >/dev/null 2>&1
  equal "$(<"$R/mon_groups/$ID/tasks")" "$(berth state "$ID" | jq .pid)"
  expect 0 berth events --stats "$ID"
  [[ $(jq '.data.intel_rdt | (.cmt_stats // .mbm_stats) | length' <<<"$out") -gt 0 ]] || fail "nothing is counted"
  expect 0 berth delete -f "$ID"
  [[ ! -e $R/mon_groups/$ID ]] || fail "what was counted is left"
}
test_case "what the container uses is counted" counted
finish

#!/bin/bash
# Nobody calls `delete` for us under a batch scheduler: what was killed must not leave a container behind.
. "${BASH_SOURCE%/*}/../lib/check.sh"

# These promises go beyond runc, whose containers outlive a killed `run`.
beyond_runc() { [[ ! $BERTH -ef $(command -v runc) ]] || skip "runc promises nothing here"; }

init_pid() { berth state "$1" | jq .pid; }

killed_run() { # [JQ]
  local pid init
  beyond_runc
  bundle '.process.args = ["sh", "-c", "trap : TERM INT HUP; sleep 1000 & while :; do wait; done"]' "$@"
  berth_in_background run -b "$B" "$ID"
  eventually status_is "$ID" running
  init=$(init_pid "$ID")
  kill -KILL "$pid"
  eventually gone "$init"
}
no_process_in() { [[ -z $(find /sys/fs/cgroup -path "*$1*" -name cgroup.procs -exec cat {} + 2>/dev/null) ]]; }

run_takes_container() {
  killed_run
  eventually no_process_in "$ID"
  # found by list, not running; delete --force leaves nothing
  [[ $(berth list -f json | jq -r --arg i "$ID" '.[]? | select(.id == $i) | .status') != running ]]
  expect 0 berth delete --force "$ID"
  [[ -z $(find /sys/fs/cgroup -type d -name "*$ID*" 2>/dev/null) ]]
  [[ ! -e $ROOT/$ID ]]
}
test_case "kill -9 of run ends the container; delete --force leaves nothing" run_takes_container

id_is_usable() {
  killed_run
  bundle '.process.args = ["echo", "again"]'
  expect 0 berth run -b "$B" "$ID"
  equal "$out" again
}
test_case "the id of a killed run can be used again at once" id_is_usable

without_pid_namespace() {
  killed_run "$(NO_NS pid)"
  # nothing in the kernel ties the others to the first process; the state that is left does
  expect 0 berth delete --force "$ID"
  eventually no_process_in "$ID"
}
test_case "kill -9 of run without a pid namespace: delete --force ends what the first process left" without_pid_namespace

reused_without_pid_namespace() {
  killed_run "$(NO_NS pid)"
  bundle '.process.args = ["echo", "again"]'
  expect 0 berth run -b "$B" "$ID"
  equal "$out" again
  eventually no_process_in "$ID"
}
test_case "kill -9 of run without a pid namespace: the next use of the id does so, too" reused_without_pid_namespace

list_collects() {
  killed_run
  expect 0 berth list
  expect 0 berth list -q
  expect 0 berth delete --force "$ID"
  expect 0 berth list -q
  ! grep -qx "$ID" <<<"$out"
}
test_case "list copes with what a killed run left" list_collects

killed_early() {
  beyond_runc
  local i pid
  bundle "$FOREVER"
  # at every moment of the start, not only once it runs
  for i in 0 .001 .002 .004 .006 .008 .010 .012 .015 .02 .03; do
    berth_in_background run -b "$B" "$ID"
    sleep $i
    kill -KILL "$pid"
    wait "$pid" 2>/dev/null || true
    eventually no_process_in "$ID"
    expect 0 berth delete --force "$ID"
    [[ -z $(find /sys/fs/cgroup -type d -name "*$ID*" 2>/dev/null) ]] || fail "a cgroup is left, killed after $i s"
    [[ ! -e $ROOT/$ID ]] || fail "state is left, killed after $i s"
  done
}
test_case "kill -9 at any moment of the start leaves nothing after delete --force" killed_early

killed_create() {
  bundle "$FOREVER"
  expect 0 berth create -b "$B" "$ID"
  kill -KILL "$(init_pid "$ID")"
  eventually status_is "$ID" stopped
  try berth start "$ID"
  [[ $status != 0 ]]
  one_line "$err"
  expect 0 berth delete "$ID"
}
test_case "a created container that was killed is stopped, and can be deleted" killed_create

killed_init() {
  bundle '.process.args = ["sh", "-c", "sleep 1000 & sleep 1000 & wait"]'
  expect 0 berth run -d -b "$B" "$ID"
  kill -KILL "$(init_pid "$ID")"
  eventually status_is "$ID" stopped
  eventually no_process_in "$ID"
  expect 0 berth delete "$ID"
}
test_case "with its first process the whole container ends" killed_init

damaged_state() {
  beyond_runc
  bundle "$FOREVER"
  expect 0 berth run -d -b "$B" --pid-file "$D/pid" "$ID"
  find "$ROOT/$ID" -maxdepth 1 -type f -exec sh -c 'echo "{ cut" >"$1"' sh {} \;
  try berth state "$ID"
  [[ $status != 0 ]]
  one_line "$err"
  try berth list
  [[ $status = 0 ]]
  try berth delete --force "$ID"
  # whatever it says: it must not be the end of the list, nor of other containers
  kill -KILL "$(<"$D/pid")" || true
  eventually gone "$(<"$D/pid")"
  rm -rf "${ROOT:?}/$ID"
  no_cgroup() { find /sys/fs/cgroup -depth -type d -name "*$ID*" -exec rmdir {} + && [[ -z $(find /sys/fs/cgroup -type d -name "*$ID*") ]]; }
  eventually no_cgroup
}
test_case "a damaged state file is one line, and no obstacle to list" damaged_state
finish

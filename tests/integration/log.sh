#!/bin/bash
# shellcheck disable=SC2016
# --debug and --log: what is told, where, and that nothing else changes by it.
. "${BASH_SOURCE%/*}/../lib/check.sh"

TEXT='^time="[0-9TZ:-]*" level=(debug|error|warning) msg=".*"$'
# The numbers of the steps that a log tells, in its order.
steps() { grep -oE 'step [0-9]+ of' | cut -d' ' -f2; } # <LOG
last() { sed -n 's/.*step [0-9]* of \([0-9]*\),.*/\1/p' | head -n 1; } # <LOG

text_on_stderr() {
  bundle '.process.args = ["echo", "hi"]' '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW"}'
  expect 0 berth --debug run -b "$B" "$ID"
  equal "$out" hi "output"
  ! grep -vqE "$TEXT" "$D/err" || fail "not a line of the log: $(grep -vE "$TEXT" "$D/err" | head -n 1)"
  equal "$(steps <"$D/err")" "$(seq "$(last <"$D/err")")" "each step, once, in its order"
  local words
  for words in 'nsexec container setup' 'child process in init()' 'init: closing the pipe to signal completion' \
    'msg="seccomp filter flags: 4"' 'mount \"proc\" \"proc\" \"/proc\"'; do
    contains "$err" "$words"
  done
}
test_case "--debug tells each step of the plan on standard error" text_on_stderr

json_in_the_file() {
  bundle '.process.args = ["sh", "-c", "echo hi; exit 3"]'
  expect 3 berth --debug --log "$D/log" --log-format json run -b "$B" "$ID"
  equal "$out$err" hi "output"
  equal "$(jq -r .level "$D/log" | sort -u)" debug "levels"
  equal "$(jq -r .msg "$D/log" | steps)" "$(seq "$(jq -r .msg "$D/log" | last)")" "each step, once, in its order"
  contains "$(jq -r .msg "$D/log")" "ended: status 3"
}
test_case "--debug --log-format json tells it in the log file, and nowhere else" json_in_the_file

silent() {
  bundle '.process.args = ["echo", "hi"]'
  expect 0 berth --log "$D/log" run -b "$B" "$ID"
  equal "$out$err" hi "output"
  [[ ! -s $D/log ]] || fail "in the log: $(<"$D/log")"
}
test_case "without --debug there is nothing to tell" silent

up_to_the_failure() {
  bundle '.mounts += [{destination: "/x", type: "tmpfs", source: "t", options: ["size=nonsense"]}]'
  expect 1 berth --debug --log "$D/log" run -b "$B" "$ID"
  one_line "$err"
  contains "$err" 'mount "/x" of type tmpfs'
  contains "$(tail -n 1 "$D/log")" 'level=error'
  local told
  told=$(steps <"$D/log" | tail -n 1)
  equal "$(steps <"$D/log")" "$(seq "$told")" "steps up to the failure"
  contains "$(berth plan "$B" | awk -v n="$told" '$1 == n')" '"/x"'
}
test_case "a failure comes after the steps that were done" up_to_the_failure

two_halves() {
  bundle '.process.args = ["sleep", "1000"]'
  expect 0 berth --debug --log "$D/create" create -b "$B" "$ID"
  expect 0 berth --debug --log "$D/start" start "$ID"
  contains "$(<"$D/create")" "using /proc/self/exe clone"
  contains "$(<"$D/create")" "waits for start"
  equal "$(cat "$D/create" "$D/start" | steps)" "$(seq "$(last <"$D/start")")" "each step, once, in its order"
  expect 0 berth --debug exec "$ID" true
  equal "$(steps <"$D/err")" "$(seq "$(last <"$D/err")")" "each step of exec"
  contains "$err" "setns_init: about to exec"
  contains "$err" "nsexec container setup"
  contains "$err" "child process in init()"
  expect 0 berth delete --force "$ID"
}
test_case "create, start and exec tell theirs" two_halves

affinity() {
  local cpu mask
  (($(nproc) > 1)) || skip "one CPU"
  bundle '.process.args = ["sleep", "1000"]'
  expect 0 berth run -d -b "$B" "$ID" </dev/null
  cpu=$(taskset -pc $$ | sed 's/.*[ ,-]//')
  jq --arg cpu "$cpu" '.process | .args = ["true"] | .execCPUAffinity = {initial: $cpu}' "$B/config.json" >"$D/process.json"
  expect 0 berth --debug exec --process "$D/process.json" "$ID"
  mask=$(printf %x $((1 << cpu)))
  grep -qE "nsexec\[[0-9]+\]: affinity: 0x$mask\"" "$D/err" || fail "no affinity of 0x$mask: $(grep affinity "$D/err")"
  expect 0 berth delete --force "$ID"
}
test_case "the affinity in which exec joins the container" affinity

no_descriptor() {
  bundle '.process.args = ["sh", "-c", "ls /proc/self/fd | wc -l"]'
  exec 3<&- 4<&-
  expect 0 berth --debug --log "$D/log" run -b "$B" "$ID" </dev/null
  equal "$out" 4 "descriptors"
  try berth --debug --log "$D/log" run --preserve-fds 1 -b "$B" "$ID" </dev/null
  contains "$err" "descriptor 3"
}
test_case "the log file is no descriptor of the container" no_descriptor

not_writable() {
  bundle
  expect 1 berth --debug --log "$D/no/such/log" run -b "$B" "$ID"
  contains "$err" "open the log file \"$D/no/such/log\": No such file or directory"
}
test_case "a log file that cannot be opened" not_writable

no_secrets() {
  bundle '.process.args = ["true", "password=1"]' '.process.env += ["PASSWORD=2"]'
  expect 0 berth --debug run -b "$B" "$ID"
  [[ ${err,,} != *password* ]] || fail "a secret is told"
}
test_case "neither arguments nor environment are told" no_secrets

of_a_job() {
  bundle .
  expect 3 berth --debug launch -q -n 3 --oversubscribe --name "$ID" "$B" -- sh -c 'exit $((BERTH_RANK + 1))'
  local rank=2
  grep -Eq "^debug [0-9.]+: rank $rank: slot 2, any CPU, memory: none , cgroup \".*\": asked of spawner [0-9]+$" <<<"$err" || fail "$err"
  grep -Eq "^debug [0-9.]+: rank $rank: process [0-9]+ runs$" <<<"$err" || fail "$err"
  grep -Eq "^debug [0-9.]+: rank $rank: process [0-9]+ exited with status 3 after [0-9]+ ms" <<<"$err" || fail "$err"
  equal "$(grep -c ': process [0-9]* runs$' <<<"$err")" 3 "ranks that run"
  contains "$err" "last-exited, now done"
  expect 0 berth launch --debug -q -n 2 --bind-to core --name "$ID" "$B" -- true
  contains "$err" "rank 1: slot 1, CPUs "
  expect 0 berth launch -q -n 1 --name "$ID" "$B" -- true
  equal "$err" ""
}
test_case "launch --debug tells where each rank is, and how it begins and ends" of_a_job
finish

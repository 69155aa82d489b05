#!/bin/bash
# berth launch, how a job lives and ends: signals, slow readers, limits, hooks, what is shared, what is left.
. "${BASH_SOURCE%/*}/../lib/check.sh"

launch() { berth launch --name "$ID" "$@"; }

# A job in the background, its outputs in $D/out and $D/err; $pid is the launcher.
start() { # OPTION... BUNDLE [-- COMMAND...]
  "$BERTH" --root "$ROOT" launch --name "$ID" "$@" >"$D/out" 2>"$D/err" &
  pid=$!
}
printed() { [[ $(grep -c -- "$1" "$D/out") = "$2" ]]; } # WORD TIMES
ended() { # STATUS
  local got=0
  wait "$pid" || got=$?
  equal "$got" "$1" "status"
}
# nothing of the job is left: process, cgroup, entry
all_gone() {
  [[ -z $(left_processes | grep -v -e "process $$ " -e "bash " | grep -e sleep -e launch) ]] &&
    [[ -z $(find /sys/fs/cgroup -type d -name "$ID*") && ! -e $ROOT/$ID ]]
}
HANDLES='trap "echo told; exit 3" TERM; echo up; while :; do sleep 1 & wait; done'

term_is_passed_on() {
  bundle .
  start -n 4 --oversubscribe "$B" -- sh -c "$HANDLES"
  eventually printed up 4
  kill -TERM "$pid"
  ended 143
  printed told 4
  contains "$(cat "$D/err")" "0 failed, 4 stopped"
  eventually all_gone
}
test_case "SIGTERM goes to every instance, and all may end in order" term_is_passed_on

kill_after_a_while() {
  bundle .
  local started=${EPOCHREALTIME/./}
  start -n 3 --oversubscribe --kill-wait 0.3 "$B" -- sh -c 'trap "" TERM; echo up; while :; do sleep 1; done'
  eventually printed up 3
  kill -INT "$pid"
  ended 130
  ((${EPOCHREALTIME/./} - started < 5000000)) || fail "took too long"
  eventually all_gone
}
test_case "who does not end in --kill-wait is killed" kill_after_a_while

second_signal_kills() {
  bundle .
  start -n 3 --oversubscribe --kill-wait 1000 "$B" -- sh -c 'trap "echo told" TERM; echo up; while :; do sleep 1 & wait; done'
  eventually printed up 3
  kill -INT "$pid"
  eventually printed told 3
  kill -INT "$pid"
  ended 130
  eventually all_gone
}
test_case "the second signal kills at once" second_signal_kills

usr1_is_passed_on() {
  bundle .
  start -n 3 --oversubscribe "$B" -- sh -c 'trap "echo usr; exit 0" USR1; echo up; while :; do sleep 1 & wait; done'
  eventually printed up 3
  kill -USR1 "$pid"
  ended 0
  printed usr 3
}
test_case "SIGUSR1 goes to every instance" usr1_is_passed_on

failing_start() {
  bundle .
  try launch -n 20 --oversubscribe "$B" -- no-such-program
  equal "$status" 1 status
  equal "$(grep -c no-such-program "$D/err")" 1 "lines about it"
  contains "$err" "rank "
  eventually all_gone
}
test_case "a program that is missing is told of once, by rank, and nothing is left" failing_start

failing_mount_stops_others() {
  # rank 1 does not come up, rank 0 would stay for ever
  bundle '.mounts += [{destination: "/mnt", type: "bind", source: ($D + "/gate"), options: ["bind"]}]'
  mkdir "$D/gate"
  start -n 2 --spawners 1 "$B" --map-by core --kill-wait 0.1 -- sh -c 'echo up; exec sleep 1000'
  eventually printed up "$(($(nproc) > 1 ? 2 : 1))"
  kill -TERM "$pid"
  ended 143
  rmdir "$D/gate"
  try launch -n 2 --oversubscribe "$B" -- sleep 1000
  equal "$status" 1 status
  contains "$err" "$D/gate"
  eventually all_gone
}
test_case "a mount that fails is one clear line and ends the job" failing_mount_stops_others

failures_are_named() {
  bundle .
  try launch -n 12 --oversubscribe "$B" -- sh -c 'exit $((BERTH_RANK + 1))'
  equal "$status" 12 status
  contains "$err" "exited with status"
  contains "$err" "12 failed"
  (($(grep -c "exited with status" <<<"$err") == 5)) || fail "all failures are shown"
  try launch -n 1 --isolate ranks "$B" -- sh -c 'kill -SEGV $$; sleep 10'
  equal "$status" 139 status
  contains "$err" "rank 0: killed by signal 11 (Segmentation fault)"
}
test_case "the first failing ranks are named, the highest status is ours" failures_are_named

environment() {
  bundle '.process.env += ["SLURM_NODEID=own"]'
  expect 0 env SLURM_JOB_ID=77 SLURM_NODEID=theirs OTHER=x "$BERTH" --root "$ROOT" launch --name "$ID" -n 2 "$B" -- env
  for word in BERTH_RANK=0 BERTH_RANK=1 BERTH_LOCAL_RANK=1 BERTH_SIZE=2 "BERTH_JOBID=$ID" SLURM_JOB_ID=77 SLURM_NODEID=own; do
    contains "$out" "$word"
  done
  [[ $out != *OTHER* && $out != *theirs* ]]
}
test_case "rank, size, job and what the scheduler says are in the environment" environment

stdin_is_empty() {
  bundle .
  expect 0 sh -c 'yes | "$@"' sh "$BERTH" --root "$ROOT" launch --name "$ID" -n 2 "$B" -- cat
  equal "$out" ""
}
test_case "standard input is empty" stdin_is_empty

slow_reader() {
  bundle .
  # 4 x 3 MB through a reader that sleeps: the launcher still answers signals
  (launch -n 4 -q --oversubscribe "$B" -- sh -c 'yes 0123456789abcdef | head -n 180000' 2>"$D/err"; echo $? >"$D/rc") |
    (sleep 1; md5sum; :) >"$D/sum" &
  wait $!
  equal "$(<"$D/rc")" 0 status
  equal "$(cut -d' ' -f1 "$D/sum")" "$(yes 0123456789abcdef | head -n 720000 | md5sum | cut -d' ' -f1)" checksum

  mkfifo "$D/fifo"
  sleep 100 <"$D/fifo" &
  local reader=$!
  "$BERTH" --root "$ROOT" launch --name "$ID" -n 4 -q --oversubscribe --kill-wait .3 "$B" -- yes >"$D/fifo" 2>"$D/err" &
  pid=$!
  sleep 1
  kill -TERM "$pid" # stops the job; its output cannot be written, and is given up
  ended 143
  kill "$reader"
  eventually all_gone
}
test_case "a slow reader loses nothing, one that never reads does not hold the launcher" slow_reader

reader_goes_away() {
  bundle .
  expect 0 bash -c '"$@" | head -n 3 | wc -l' sh "$BERTH" --root "$ROOT" launch --name "$ID" -q -n 2 "$B" -- yes
  equal "$out" 3
  eventually all_gone
}
test_case "when the reader goes away, so do the instances" reader_goes_away

whole_lines() {
  bundle .
  expect 0 launch -n 6 -q --oversubscribe "$B" -- sh -c 'i=0; while [ $i -lt 200 ]; do printf "%s" abc; printf "%s\n" def; i=$((i+1)); done; printf end'
  equal "$(grep -c '^abcdef$' "$D/out")" 1200
  equal "$(grep -c '^end$' "$D/out")" 6
  expect 0 launch -n 3 -q --label --oversubscribe "$B" -- sh -c 'printf "a\n\nlast"'
  equal "$(sort "$D/out" | tr '\n' '|')" "[0] |[0] a|[0] last|[1] |[1] a|[1] last|[2] |[2] a|[2] last|"
}
test_case "lines are whole, also those written in parts and the last one" whole_lines

one_is_raw() {
  bundle .
  launch -n 1 -q "$B" -- head -c 100000 /bin/busybox >"$D/out"
  cmp "$D/out" <(head -c 100000 "$B/rootfs/bin/busybox")
}
test_case "the output of a single instance is not touched" one_is_raw

waits_for_slots() {
  bundle .
  # never more at once than there are slots: each counts those it sees in the shared directory
  mkdir "$D/shared"
  jq --arg d "$D/shared" '.mounts += [{destination: "/mnt", type: "bind", source: $d, options: ["bind"]}]' "$B/config.json" >"$D/c" && mv "$D/c" "$B/config.json"
  expect 0 launch -n 12 -q "$B" -- sh -c 'mkdir /mnt/$BERTH_RANK; ls /mnt | wc -l; sleep 0.1; rmdir /mnt/$BERTH_RANK'
  equal "$(wc -l <"$D/out")" 12
  (($(sort -n "$D/out" | tail -1) <= $(nproc))) || fail "too many at once: $(sort -n "$D/out" | tail -1)"
}
test_case "as many run at once as there are slots" waits_for_slots

limits_each() {
  bundle '.linux.resources.memory = {limit: 33554432} | .linux.resources.pids = {limit: 20}'
  try launch -n 2 --oversubscribe --report "$D/r.json" "$B" -- sh -c '[ $BERTH_RANK = 1 ] && exec tail /dev/zero; exit 0'
  [[ $err != *"no memory controller"* ]] || skip "no memory controller"
  equal "$status" 137 status
  contains "$err" "rank 1: killed by signal 9 (Killed), out of memory"
  equal "$(jq -c '[.ranks[] | .oom_kills > 0]' "$D/r.json")" '[false,true]' "oom kills"
  equal "$(jq '[.ranks[1].memory_peak_bytes > 20000000, .oom_kills > 0] | all' "$D/r.json")" true
  eventually all_gone
}
test_case "limits are per instance, and the report knows who ran out of memory" limits_each

# A session, a service, a task of a batch system: on v2 it gives no controllers down.
limits_among_processes() {
  local own=/sys/fs/cgroup/$ID.caller
  [[ $(stat -f -c %T /sys/fs/cgroup) = cgroup2fs ]] || skip "cgroup v1"
  bundle '.linux.resources.pids = {limit: 77}' "$(NO_NS cgroup)" '.linux.namespaces += [{type: "cgroup"}]'
  mkdir "$own"
  try sh -c 'echo 0 >"$1/cgroup.procs" && shift && exec "$@"' sh "$own" "$BERTH" --root "$ROOT" launch --name "$ID" -q -n 2 --oversubscribe "$B" -- \
    cat /sys/fs/cgroup/pids.max
  rmdir "$own"
  equal "$status" 0 "status ($err)"
  equal "$out" $'77\n77'
  eventually all_gone
}
test_case "limits are per instance where the launcher's cgroup has processes" limits_among_processes

device_rules() {
  bundle '.linux.devices = [{path: "/dev/k", type: "c", major: 1, minor: 11, fileMode: 438}]'
  # the default configuration denies all but the usual devices
  expect 0 launch -n 2 --oversubscribe "$B" -- sh -c 'cat /dev/k 2>&1 | grep -c "not permitted"; echo x >/dev/null && echo fine'
  equal "$(sort "$D/out" | tr '\n' ' ')" "1 1 fine fine "
}
test_case "device rules of the configuration hold for instances" device_rules

bound_cpuset() {
  [[ -e /sys/fs/cgroup/cpuset ]] || grep -qw cpuset /sys/fs/cgroup/cgroup.controllers || skip "no cpuset controller"
  local cgroup
  bundle .
  start -n 1 --bind-to core "$B" -- sh -c 'echo up; grep Cpus_allowed_list /proc/self/status; sleep 1000'
  eventually printed up 1
  cgroup=$(find /sys/fs/cgroup -path "*$ID/rank-0" | head -1)
  # with v2, the caller's own cgroup may have processes, and then can give no controllers to ours
  [[ -n $cgroup ]] || skip "no cpuset of its own on this machine"
  equal "$(<"$cgroup/cpuset.cpus")" "$(awk '/Cpus_allowed_list/ { print $2 }' "$D/out")" cpuset
  kill -TERM "$pid"
  eventually printed up 1
  kill -TERM "$pid"
  ended 143
}
test_case "a bound instance has a cpuset of its own" bound_cpuset

shared_by_ranks() {
  bundle .
  expect 0 launch -n 3 -q --oversubscribe --isolate ranks "$B" -- sh -c '
    touch /dev/shm/$BERTH_RANK; until [ $(ls /dev/shm | wc -l) = 3 ]; do sleep 0.05; done
    for i in pid ipc net; do readlink /proc/self/ns/$i; done; [ $$ != 1 ] && echo not-first; cat /proc/1/comm
    ls /proc/1/root/ 2>/dev/null | wc -l; sleep 0.5'
  equal "$(sort -u "$D/out" | wc -l)" 6 "different lines of three ranks"
  contains "$out" not-first
  contains "$out" berth-holder
  contains "$out" "$(readlink /proc/self/ns/net)"
  [[ $out != *"$(readlink /proc/self/ns/pid)"* ]]
  [[ -z $(find /dev/shm -newer "$D/err" -name '[012]') ]]
  eventually all_gone
}
test_case "--isolate ranks: pid, ipc, network and /dev/shm are shared, the holder gives nothing away" shared_by_ranks

ranks_in_user_namespace() {
  bundle '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
  chmod -R o+rX "$B" "$D"
  expect 0 launch -n 3 -q --oversubscribe --isolate ranks "$B" -- sh -c 'readlink /proc/self/ns/user; id -u; cut -c1-40 /proc/self/uid_map; touch /dev/shm/x; sleep 0.3'
  equal "$(sort -u "$D/out" | wc -l)" 3
  eventually all_gone
}
test_case "--isolate ranks: one user namespace for all" ranks_in_user_namespace

# Somebody without privilege, with a bundle of his own.
as_nobody() { # ISOLATE
  command -v setpriv >/dev/null || skip "no setpriv"
  bundle '.linux.namespaces |= map(select(.type != "network")) + [{type: "user"}] | del(.linux.resources)' \
    '.linux.uidMappings = [{containerID: 0, hostID: 65534, size: 1}] | .linux.gidMappings = .linux.uidMappings' \
    '.mounts |= map(select(.type != "cgroup") | if .type == "sysfs" then {destination: "/sys", type: "none", source: "/sys", options: ["rbind", "ro"]} else . end | if .options then .options -= ["gid=5"] else . end)'
  chown -R 65534:65534 "$D"
  expect 0 setpriv --reuid 65534 --regid 65534 --clear-groups env -u XDG_RUNTIME_DIR "$BERTH" --root "$D/state" launch --name "$ID" \
    -q -n 3 --oversubscribe --isolate "$1" "$B" -- sh -c 'id -u; touch /dev/shm/$BERTH_RANK; sleep 0.5; ls /dev/shm | wc -l; readlink /proc/self/ns/pid'
  if [[ $1 = ranks ]]; then
    equal "$(sort -u "$D/out" | wc -l)" 3 "different lines of three ranks"
  else
    equal "$(sort -u "$D/out" | wc -l)" 5 "different lines of three instances"
  fi
  [[ ! -e $D/state/$ID ]]
}
test_case "an ordinary user, --isolate full" as_nobody full
test_case "an ordinary user, --isolate ranks" as_nobody ranks

orphans_end() {
  bundle .
  for isolate in full ranks; do
    expect 0 launch -n 3 --oversubscribe --isolate "$isolate" "$B" -- sh -c 'sleep 1000 & exit 0'
    eventually all_gone
  done
  bundle "$(NO_NS pid)"
  expect 0 launch -n 3 --oversubscribe "$B" -- sh -c 'sleep 1000 & exit 0'
  eventually all_gone
}
test_case "what instances leave running ends with the job" orphans_end

hooks_run() {
  bundle '.hooks = (["createRuntime", "poststart", "poststop"] | map({(.): [{path: "/bin/sh", env: ["PATH=/usr/bin:/bin"], args: ["sh", "-c", "jq -r \"\\\"\(.) \\\" + .id\" >>\($D)/hooks"]}]}) | add)'
  expect 0 launch -n 2 --oversubscribe "$B" -- true
  equal "$(sort "$D/hooks" | tr '\n' ' ')" \
    "createRuntime $ID.0 createRuntime $ID.1 poststart $ID.0 poststart $ID.1 poststop $ID.0 poststop $ID.1 "
}
test_case "hooks run for each instance" hooks_run

# by each instance's own process: as rank 0 or 1 of the user that the config names, with the state on stdin
start_hooks_run() {
  bundle '.hooks.startContainer = [{path: "/bin/sh", args: ["sh", "-c", "read -r state; echo \"$BERTH_RANK $(id -u) $PPID $state\" >/tmp/hook.$BERTH_RANK"]}] | .process.user.uid = 7'
  expect 0 launch -n 2 --oversubscribe "$B" -- true
  local rank
  for rank in 0 1; do
    equal "$(sed 's/{.*//' "$B/rootfs/tmp/hook.$rank")" "$rank 7 1 "
    equal "$(sed 's/^[^{]*//' "$B/rootfs/tmp/hook.$rank" | jq -c '[.id, .pid, .status]')" "[\"$ID.$rank\",1,\"created\"]"
  done
}
test_case "startContainer hooks run in each instance" start_hooks_run

listed_and_unique() {
  bundle .
  start -n 2 --oversubscribe "$B" -- sh -c 'echo up; exec sleep 1000'
  eventually printed up 2
  contains "$(berth list)" "$ID"
  try launch -n 1 "$B" -- true
  equal "$status" 1 status
  contains "$err" "exists"
  kill -TERM "$pid"
  kill -TERM "$pid"
  ended 143
  [[ $(berth list) != *"$ID"* ]]
}
test_case "a job is in the list, and its name is taken while it runs" listed_and_unique

killed_and_deleted() {
  bundle .
  for isolate in full ranks; do
    start -n 4 --oversubscribe --isolate "$isolate" "$B" -- sh -c 'sleep 1000 & echo up; exec sleep 1000'
    eventually printed up 4
    kill -KILL "$pid"
    ended 137
    # the holder goes when all its zombies are reaped by init, who may take its time
    no_sleep() { [[ -z $(left_processes | grep 'sleep 1000' | grep -v berth-launch) ]]; }
    eventually no_sleep
    berth delete --force "$ID"
    eventually all_gone
  done
}
test_case "after kill -9 all instances are gone, and delete --force removes what remains" killed_and_deleted

killed_and_reused() {
  bundle .
  start -n 2 --oversubscribe "$B" -- sh -c 'echo up; exec sleep 1000'
  eventually printed up 2
  kill -KILL "$pid"
  ended 137
  expect 0 launch -n 1 "$B" -- echo again
  equal "$out" again
  eventually all_gone
}
test_case "after kill -9 the name can be used again" killed_and_reused

deleted_while_running() {
  bundle .
  start -n 2 --oversubscribe --isolate ranks "$B" -- sh -c 'echo up; exec sleep 1000'
  eventually printed up 2
  berth delete --force "$ID"
  ended 137
  eventually all_gone
}
test_case "delete --force ends a running job" deleted_while_running

report_totals() {
  bundle .
  try launch -n 5 --report "$D/r.json" "$B" -- sh -c '[ $BERTH_RANK != 2 ] || exit 9'
  equal "$status" 9 status
  equal "$(jq -c '[.job, .status, .instances, .failed, .not_started]' "$D/r.json")" "[\"$ID\",9,5,1,0]"
  equal "$(jq -c '[.ranks[].exit_code]' "$D/r.json")" '[0,0,9,0,0]'
  equal "$(jq '[.ranks[] | .start_us > 0 and .end_us > .start_us and .cpu_us > 0 and .max_rss_bytes > 0 and .cpus != ""] | all' "$D/r.json")" true
}
test_case "the report has every rank's end, times, memory and place" report_totals

caller_limits() {
  bundle '.process.args = ["sh", "-c", "ulimit -n"]' 'del(.process.rlimits)'
  expect 0 bash -c 'ulimit -Sn 400; exec "$@"' sh "$BERTH" --root "$ROOT" launch -q -n 2 --oversubscribe "$B"
  equal "$out" $'400\n400'
  try bash -c 'ulimit -n 230; exec "$@"' sh "$BERTH" --root "$ROOT" launch -q -n 50 --oversubscribe "$B"
  equal "$status" 1 status
  contains "$err" RLIMIT_NOFILE
  one_line "$err"
}
test_case "instances keep the caller's limit of open files; too low a one is told before" caller_limits

status_line() {
  command -v script >/dev/null || skip "no script(1)"
  bundle .
  TERM=vt100 script -qec "$BERTH --root $ROOT launch --name $ID -n 2 --oversubscribe $B -- sh -c 'sleep 1; echo done'" "$D/typescript" >/dev/null </dev/null
  grep -q "2 running" "$D/typescript"
  grep -q "done" "$D/typescript"
}
test_case "a terminal shows how far the job is" status_line

many_names() {
  bundle .
  expect 0 launch -n 300 -q --oversubscribe "$B" -- sh -c 'echo $BERTH_RANK'
  equal "$(sort -n "$D/out" | tr '\n' ' ')" "$(seq -s ' ' 0 299) "
}
test_case "three hundred ranks, each number once" many_names
finish

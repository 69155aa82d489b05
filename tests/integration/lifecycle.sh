#!/bin/bash
# The life of a container, verb by verb, as engines call them.
. "${BASH_SOURCE%/*}/../lib/check.sh"

create_start_delete() {
  bundle "$SLEEP"
  expect 0 berth create -b "$B" --pid-file "$D/pid" "$ID"
  status_is "$ID" created
  # the program of the bundle does not run yet
  [[ $(tr '\0' ' ' <"/proc/$(<"$D/pid")/cmdline") != "sh -c"* ]]
  equal "$(berth state "$ID" | jq .pid)" "$(<"$D/pid")" pid
  expect 0 berth start "$ID"
  status_is "$ID" running
  eventually grep -q trap "/proc/$(<"$D/pid")/cmdline"
  expect 0 berth kill "$ID" TERM
  eventually status_is "$ID" stopped
  equal "$(berth state "$ID" | jq .pid)" 0 "pid of a stopped container"
  expect 0 berth delete "$ID"
  expect 1 berth state "$ID"
  one_line "$err"
}
test_case "create, start, kill, delete" create_start_delete

# Its plan is in the words of another build: the checksum of these, in the program and in the plan, is another one.
berth_updated() {
  bundle '.process.args = ["sh", "-c", "echo begun >/begun; exec sleep 1000"]' '.root.readonly = false'
  expect 0 berth create -b "$B" "$ID"
  local words
  words=$(od -An -tx1 -j4 -N4 "$ROOT/$ID/plan" | tr -d ' ')
  expect 0 berth delete "$ID"
  perl -0777 -pe "BEGIN { \$w = pack 'H*', '$words' } s/\Q\$w\E/~\$w/ge" "$BERTH" >"$D/old"
  chmod +x "$D/old"
  BERTH=$D/old expect 0 berth create -b "$B" "$ID"
  [[ $(od -An -tx1 -j4 -N4 "$ROOT/$ID/plan" | tr -d ' ') != "$words" ]] || fail "the other build has the same words"
  rm "$D/old"
  expect 0 berth --debug start "$ID"
  [[ $err = *"another build of berth"* ]] || fail "nobody else had to start it: $err"
  eventually test -e "$B/rootfs/begun"
  status_is "$ID" running
  expect 0 berth delete --force "$ID"
  # a plan of nobody's
  expect 0 berth create -b "$B" "$ID"
  printf XXXX | dd of="$ROOT/$ID/plan" bs=1 seek=4 conv=notrunc status=none
  expect 1 berth start "$ID"
  one_line "$err"
  [[ $err = *"made by another build"* ]] || fail "$err"
  expect 0 berth delete --force "$ID"
}
test_case "a container that was created before berth was updated starts" berth_updated

# Two thousand mounts take a while; the state file has long been written then.
not_running_yet() {
  bundle "$FOREVER" '.mounts += [range(2000) | {destination: "/m/\(.)", type: "tmpfs", source: "none", options: ["size=4k"]}]' \
    '.root.readonly = false'
  local now='' before=0
  berth_in_background run -b "$B" "$ID"
  until [[ $now = running ]]; do
    kill -0 "$pid" || { fail "the container ended before it ran" && return; }
    now=$(berth state "$ID" 2>/dev/null | jq -r '"\(.status) \(.pid)"') || continue
    [[ $now != creating\ * ]] || before=$((before + 1))
    now=${now% *}
  done
  ((before > 0)) || fail "it was not seen while it was created"
  expect 0 berth exec "$ID" grep -q " /m/1999 " /proc/self/mounts
  expect 0 berth kill "$ID" KILL
  local status=0
  wait "$pid" || status=$?
  equal $status 137
}
test_case "run: it is running when its program does, and not before" not_running_yet

config_changes() {
  bundle '.process.args = ["sh", "-c", "hostname; hostname >/said"] | .hostname = "first"'
  expect 0 berth create -b "$B" "$ID"
  jq '.process.args = ["sh", "-c", "echo changed >/said"] | .hostname = "second"' "$B/config.json" >"$D/new" && cp "$D/new" "$B/config.json"
  expect 0 berth start "$ID"
  eventually test -s "$B/rootfs/said"
  equal "$(<"$B/rootfs/said")" first "what the container said"
  rm "$B/config.json"
  eventually status_is "$ID" stopped
  expect 0 berth delete "$ID"
}
test_case "what happens to config.json after create is not heard of" config_changes

delete_created() {
  bundle "$SLEEP"
  expect 0 berth create -b "$B" --pid-file "$D/pid" "$ID"
  expect 0 berth delete "$ID"
  eventually gone "$(<"$D/pid")"
}
test_case "delete ends a container that was never started" delete_created

delete_running() {
  bundle "$FOREVER"
  expect 0 berth run -d -b "$B" --pid-file "$D/pid" "$ID"
  expect 1 berth delete "$ID"
  one_line "$err"
  status_is "$ID" running
  expect 0 berth delete --force "$ID"
  gone "$(<"$D/pid")" || eventually gone "$(<"$D/pid")"
  expect 0 berth delete --force "$ID"
  expect 1 berth delete "$ID"
}
test_case "delete refuses a running container, delete --force does not" delete_running

wrong_order() {
  bundle "$FOREVER"
  expect 1 berth start "$ID"
  one_line "$err"
  expect 0 berth create -b "$B" "$ID"
  expect 1 berth create -b "$B" "$ID"
  one_line "$err"
  expect 0 berth start "$ID"
  expect 1 berth start "$ID"
  one_line "$err"
  expect 1 berth run -b "$B" "$ID"
  one_line "$err"
  status_is "$ID" running
  expect 0 berth kill "$ID" KILL
  eventually status_is "$ID" stopped
  expect 1 berth start "$ID"
  expect 1 berth kill "$ID" KILL
  one_line "$err"
  expect 0 berth delete "$ID"
}
test_case "verbs in the wrong order are refused and change nothing" wrong_order

bad_ids() {
  local id
  bundle "$FOREVER"
  for id in .. a/b ../x "a b" ''; do
    try berth create -b "$B" "$id"
    [[ $status != 0 ]] || fail "'$id' is accepted"
  done
}
test_case "an id that could be a path is refused" bad_ids

no_ids() {
  local verb
  bundle "$FOREVER"
  cd "$B"
  for verb in state create start kill delete; do
    try berth "$verb"
    [[ $status != 0 ]] || fail "$verb is accepted"
    [[ $err ]] || fail "$verb says nothing"
  done
  equal "$(ls "$ROOT")" "" "containers"
}
test_case "verbs without an id are refused" no_ids

pid_file() {
  bundle '.process.args = ["true"]'
  mkdir "$D/elsewhere"
  cd "$D/elsewhere"
  expect 0 berth run -b "$B" --pid-file relative.pid "$ID"
  [[ $(<"$D/elsewhere/relative.pid") =~ ^[1-9][0-9]*$ ]]
}
test_case "the pid file is relative to the caller's directory" pid_file

signals_are_relayed() {
  bundle '.process.args = ["sh", "-c", "trap \"echo term; exit 5\" TERM; trap \"echo usr1\" USR1; echo ready; while :; do sleep 1 & wait $!; done"]'
  berth_in_background run -b "$B" "$ID" >"$D/out"
  eventually grep -q ready "$D/out"
  kill -USR1 $pid
  eventually grep -q usr1 "$D/out"
  kill -TERM $pid
  status=0
  wait $pid || status=$?
  equal "$status" 5 status
  grep -q term "$D/out"
}
test_case "run relays signals to the container" signals_are_relayed

killed_container() { # SIGNAL NUMBER
  bundle "$FOREVER"
  berth_in_background run -b "$B" "$ID"
  eventually status_is "$ID" running
  expect 0 berth kill "$ID" "$1"
  status=0
  wait $pid || status=$?
  equal "$status" $((128 + $2)) status
}
test_case "a container killed by SIGKILL is status 137" killed_container KILL 9
test_case "a signal may be a number" killed_container 9 9
test_case "a signal may have its prefix" killed_container SIGKILL 9
# sleep has no handler, so as process 1 it is immune to what comes from its own namespace, not to this
terminated_container() {
  bundle "$FOREVER" "$(NO_NS pid)"
  berth_in_background run -b "$B" "$ID"
  eventually status_is "$ID" running
  expect 0 berth kill "$ID"
  status=0
  wait $pid || status=$?
  equal "$status" 143 status
}
test_case "kill sends SIGTERM when nothing else is asked for" terminated_container

unknown_signal() {
  bundle "$FOREVER"
  expect 0 berth create -b "$B" "$ID"
  expect 1 berth kill "$ID" NONSENSE
  one_line "$err"
  expect 0 berth delete --force "$ID"
}
test_case "an unknown signal is refused" unknown_signal

detach() {
  bundle '.process.args = ["sh", "-c", "echo started; exec sleep 1000"]'
  expect 0 berth run --detach -b "$B" --pid-file "$D/pid" "$ID"
  eventually grep -q sleep "/proc/$(<"$D/pid")/cmdline"
  grep -q started "$D/out"
  [[ $(awk '/^PPid/ { print $2 }' "/proc/$(<"$D/pid")/status") != "$BASHPID" ]]
  expect 0 berth delete -f "$ID"
}
test_case "run --detach leaves the container to itself" detach

keep() {
  bundle '.process.args = ["sh", "-c", "exit 3"]'
  # runc 1.1 calls the flag by the same name
  expect 3 berth run --keep -b "$B" "$ID"
  status_is "$ID" stopped
  expect 0 berth delete "$ID"
}
test_case "run --keep keeps the stopped container" keep

bundle_is_cwd() {
  bundle '.process.args = ["echo", "here"]'
  cd "$B"
  expect 0 berth run "$ID"
  equal "$out" here
}
test_case "the bundle is the current directory unless told" bundle_is_cwd

list_all() {
  bundle "$FOREVER"
  expect 0 berth create -b "$B" "$ID-a"
  expect 0 berth run -d -b "$B" "$ID-b"
  expect 0 berth list -q
  equal "$(grep "^$ID" <<<"$out" | tr '\n' ' ')" "$ID-a $ID-b "
  expect 0 berth list
  equal "$(awk -v i="$ID-b" '$1 == i { print $3, $4 }' <<<"$out")" "running $B"
  contains "$(head -1 <<<"$out")" "ID "
  expect 0 berth list -f json
  equal "$(jq -r --arg i "$ID-a" '.[] | select(.id == $i) | "\(.status) \(.bundle) \(.owner)"' <<<"$out")" "created $B root"
  expect 0 berth delete -f "$ID-a"
  expect 0 berth delete -f "$ID-b"
}
test_case "list shows every container, as table, json or names" list_all

# --- exec ------------------------------------------------------------------------------------------------

running_container() {
  bundle "$FOREVER" "$@"
  expect 0 berth run -d -b "$B" "$ID"
}

exec_basics() {
  running_container
  expect 0 berth exec "$ID" hostname
  equal "$out" berth
  expect 9 berth exec "$ID" sh -c 'echo err >&2; exit 9'
  equal "$err" err
  equal "$out" ""
  expect 137 berth exec "$ID" sh -c 'kill -9 $$'
  expect 0 berth exec --detach --pid-file "$D/pid" "$ID" sleep 997
  local ns first
  first=$(berth state "$ID" | jq .pid)
  for ns in mnt pid net ipc uts; do
    [[ "/proc/$(<"$D/pid")/ns/$ns" -ef /proc/$first/ns/$ns ]] || fail "another $ns namespace"
    [[ ! /proc/self/ns/$ns -ef /proc/$first/ns/$ns ]] || fail "our $ns namespace"
  done
  printf abc >"$D/in"
  equal "$(berth exec "$ID" tr a-z A-Z <"$D/in")" ABC
  expect 0 berth delete -f "$ID"
}
test_case "exec runs in the container's namespaces, with its own status and streams" exec_basics

exec_options() {
  running_container
  expect 0 berth exec --cwd /tmp --env A=1 --env B=2 --user 1000:1001 "$ID" sh -c 'pwd; echo $A$B; id -u; id -g'
  equal "$(tr '\n' ' ' <<<"$out")" "/tmp 12 1000 1001 "
  jq '.process | .args = ["sh", "-c", "echo $X; pwd"] | .env += ["X=file"] | .cwd = "/etc"' "$B/config.json" >"$D/process.json"
  expect 0 berth exec --process "$D/process.json" "$ID"
  equal "$(tr '\n' ' ' <<<"$out")" "file /etc "
  expect 0 berth exec --cap CAP_CHOWN "$ID" grep CapBnd /proc/self/status
  # the container's own three capabilities stay
  equal "$(awk '{ print $2 }' <<<"$out")" 0000000020000421 "bounding set"
  expect 0 berth exec --detach --pid-file "$D/pid" "$ID" sleep 999
  eventually grep -q 999 "/proc/$(<"$D/pid")/cmdline"
  expect 0 berth delete -f "$ID"
  eventually gone "$(<"$D/pid")"
}
exec_cgroup() {
  bundle "$FOREVER"
  expect 0 berth run -d -b "$B" "$ID"
  local own
  own=$(sed -n 's/^[0-9]*:\(pids\|\)://p' "/proc/$(berth state "$ID" | jq .pid)/cgroup" | head -1)
  # a further cgroup in every hierarchy, as a manager inside would make it
  find /sys/fs/cgroup -type d -path "*$own" -exec mkdir {}/within \;
  find /sys/fs/cgroup -path "*$own/within/cpuset.[cm][pe]*s" -exec sh -c 'cat "${1%/within/*}/${1##*/}" >"$1"' sh {} \; 2>/dev/null
  expect 0 berth exec --cgroup within "$ID" cat /proc/self/cgroup
  grep -q "/within$" <<<"$out" || fail "not in the cgroup within: $out"
  expect 0 berth exec --cgroup / "$ID" cat /proc/self/cgroup
  ! grep -q "/within$" <<<"$out" || fail "in the cgroup within: $out"
  expect 255 berth exec --cgroup ../.. "$ID" true
  one_line "$err"
  contains "$err" "bad sub cgroup path"
  expect 255 berth exec --cgroup nothing-here "$ID" true
  one_line "$err"
  contains "$err" "No such file or directory"
  find /sys/fs/cgroup -depth -type d -path "*$own/within" -exec rmdir {} +
  expect 0 berth delete -f "$ID"
}
created_ends() { # SIGNAL
  bundle "$FOREVER"
  expect 0 berth create -b "$B" "$ID"
  expect 0 berth kill "$ID" "$1"
  eventually status_is "$ID" stopped
  expect 0 berth delete "$ID"
}
test_case "a created container ends by SIGTERM" created_ends TERM
test_case "a created container ends by SIGINT" created_ends INT
created_stays() {
  bundle '.process.args = ["sh", "-c", "echo started"]'
  berth create -b "$B" "$ID" >"$D/output"
  expect 0 berth kill "$ID" WINCH
  expect 0 berth kill "$ID" CONT
  expect 0 berth start "$ID"
  eventually grep -q started "$D/output"
  eventually status_is "$ID" stopped
  expect 0 berth delete "$ID"
}
test_case "a created container does not mind SIGWINCH and SIGCONT" created_stays
test_case "exec --cgroup: a cgroup within the container's" exec_cgroup
test_case "exec: cwd, env, user, process file, capability, detach, pid file" exec_options

exec_failures() {
  running_container
  expect 255 berth exec "$ID" no-such-program
  one_line "$err"
  expect 255 berth exec --cwd /no/such "$ID" true || true
  expect 0 berth kill "$ID" KILL
  eventually status_is "$ID" stopped
  expect 255 berth exec "$ID" true
  one_line "$err"
  expect 0 berth delete "$ID"
  try berth exec "$ID" true
  [[ $status != 0 ]]
  one_line "$err"
}
test_case "exec fails with 255 and one line" exec_failures

exec_in_cgroup() {
  running_container
  # every line of the executed process' cgroup is below the container's name
  expect 0 berth exec --detach --pid-file "$D/pid" "$ID" sleep 998
  local pid
  pid=$(<"$D/pid")
  grep -q "$ID" "/proc/$pid/cgroup"
  expect 0 berth ps --format json "$ID"
  equal "$(jq length <<<"$out")" 2 "processes in the container"
  expect 0 berth delete -f "$ID"
}
test_case "an executed process is in the container's cgroup" exec_in_cgroup

pause_resume() {
  running_container
  expect 0 berth pause "$ID"
  status_is "$ID" paused
  try berth exec "$ID" true
  [[ $status != 0 ]]
  expect 0 berth resume "$ID"
  status_is "$ID" running
  expect 0 berth pause "$ID"
  expect 0 berth delete --force "$ID"
}
test_case "pause and resume; delete --force of a paused container" pause_resume

# --- terminals and descriptors ---------------------------------------------------------------------------

console() { # VERB...
  "$WORK/bin/recvtty" "$D/tty.sock" <"$D/typed" >"$D/screen" &
  eventually test -S "$D/tty.sock"
}

console_socket() {
  bundle '.process.terminal = true | .process.args = ["sh", "-c", "tty; stty size; read x; echo got-$x; test -c /dev/console && echo console"]' \
    '.process.consoleSize = {height: 33, width: 77}'
  echo hello >"$D/typed"
  console
  expect 0 berth create -b "$B" --console-socket "$D/tty.sock" "$ID"
  expect 0 berth start "$ID"
  eventually grep -q console "$D/screen"
  tr -d '\r' <"$D/screen" | grep -v '^hello$' | tr '\n' ' ' >"$D/seen"
  equal "$(<"$D/seen")" "/dev/pts/0 33 77 got-hello console "
  eventually status_is "$ID" stopped
  expect 0 berth delete "$ID"
}
test_case "create --console-socket: the container has a terminal" console_socket

console_exec() {
  running_container
  : >"$D/typed"
  console
  expect 0 berth exec --tty --detach --console-socket "$D/tty.sock" "$ID" sh -c 'tty; echo end'
  eventually grep -q end "$D/screen"
  contains "$(<"$D/screen")" /dev/pts/
  expect 0 berth delete -f "$ID"
}
test_case "exec --tty --console-socket" console_exec

console_missing() {
  bundle '.process.terminal = true'
  expect 1 berth create -b "$B" "$ID"
  one_line "$err"
  bundle '.process.terminal = false'
  "$WORK/bin/recvtty" "$D/tty.sock" </dev/null >/dev/null 2>&1 &
  local pid=$!
  eventually test -S "$D/tty.sock"
  expect 1 berth create -b "$B" --console-socket "$D/tty.sock" "$ID"
  one_line "$err"
  kill $pid 2>/dev/null || true
}
test_case "a terminal without a console socket, and the reverse, are refused" console_missing

preserve_fds() {
  bundle '.process.args = ["sh", "-c", "cat <&3; cat <&4; ls /proc/self/fd | tr \"\\n\" \" \""]'
  echo three >"$D/3"
  echo four >"$D/4"
  expect 0 berth run --preserve-fds 2 -b "$B" "$ID" 3<"$D/3" 4<"$D/4" 5<"$D/4"
  # 0 1 2, the two, and the one of ls itself; not 5
  equal "$(head -2 <<<"$out" | tr '\n' ' ')" "three four "
  equal "$(tail -1 <<<"$out" | wc -w)" 6 "descriptors"
}
test_case "run --preserve-fds passes on that many, and no more" preserve_fds

listen_fds() {
  bundle '.process.args = ["sh", "-c", "cat <&3; echo $LISTEN_FDS $LISTEN_PID"]'
  echo three >"$D/3"
  # the variable counts only for the process that it names
  expect 0 sh -c 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"' sh "$BERTH" --root "$ROOT" run -b "$B" "$ID" 3<"$D/3"
  equal "$(tr '\n' ' ' <<<"$out")" "three 1 1 "
}
test_case "LISTEN_FDS of the caller are passed on" listen_fds

no_pivot() {
  bundle '.process.args = ["ls", "/bin/busybox"]'
  expect 0 berth run --no-pivot -b "$B" "$ID"
}
test_case "run --no-pivot" no_pivot

poststop_hook() {
  bundle "$FOREVER" '.hooks.poststop = [{path: "/bin/sh", args: ["sh", "-c", "jq -r .status >\($D)/hook"], env: ["PATH=/usr/bin:/bin"]}]'
  expect 0 berth run -d -b "$B" "$ID"
  [[ ! -e $D/hook ]]
  expect 0 berth delete -f "$ID"
  equal "$(<"$D/hook")" stopped
}
test_case "the poststop hook runs when the container is deleted" poststop_hook

# Each tells its kind and the state it was given; the container is in the way of none.
hooks_in_steps() {
  local said=$D/b/rootfs/tmp/said
  bundle "$FOREVER" '.hooks = (["prestart", "createRuntime", "createContainer", "poststart", "poststop"] | map({(.): [{path: "/bin/sh",
    args: ["sh", "-c", "echo \(.):$(jq -r .status) >>\($B)/rootfs/tmp/said"], env: ["PATH=/usr/bin:/bin"]}]}) | add)' \
    '.hooks.startContainer = [{path: "/bin/sh", args: ["sh", "-c", "echo startContainer:$(sed \"s/.*\\\"status\\\": *\\\"//; s/\\\".*//\" | tr -d \" \\n\") >>/tmp/said"]}]'
  expect 0 berth create -b "$B" "$ID"
  equal "$(tr '\n' ' ' <"$said")" "prestart:creating createRuntime:creating createContainer:creating " "hooks of create"
  expect 0 berth start "$ID"
  equal "$(sed 1,3d "$said" | tr '\n' ' ')" "startContainer:created poststart:running " "hooks of start"
  expect 0 berth kill "$ID" KILL
  eventually status_is "$ID" stopped
  equal "$(wc -l <"$said")" 5 "lines before delete"
  expect 0 berth delete "$ID"
  equal "$(tail -1 "$said")" poststop:stopped
}
test_case "each hook runs in its step, and is given the state of then" hooks_in_steps

create_hook_fails() {
  local kind
  for kind in prestart createRuntime createContainer; do
    bundle "$FOREVER" ".hooks = {$kind: [{path: \"/bin/false\"}], poststop: [{path: \"/bin/sh\", args: [\"sh\", \"-c\", \"echo $kind >>\(\$D)/stopped\"]}]}"
    expect 1 berth create -b "$B" "$ID"
    one_line "$err"
    contains "$err" "$kind hook"
    expect 1 berth state "$ID"
    [[ -z $(find /sys/fs/cgroup -type d -name "*$ID*" 2>/dev/null) ]] || fail "a cgroup is left"
  done
  equal "$(tr '\n' ' ' <"$D/stopped")" "prestart createRuntime createContainer " "poststop hooks"
}
test_case "a hook of create that fails ends it, and poststop hooks run" create_hook_fails

poststop_fails() {
  bundle "$FOREVER" '.hooks.poststop = [{path: "/bin/false"}, {path: "/bin/sh", args: ["sh", "-c", "echo second >\($D)/hook"]}]'
  expect 0 berth run -d -b "$B" "$ID"
  expect 0 berth delete -f "$ID"
  one_line "$err"
  contains "$err" warning
  contains "$err" "poststop hook"
  equal "$(<"$D/hook")" second "the next hook"
  expect 1 berth state "$ID"
}
test_case "a poststop hook that fails is a warning, and the next one runs" poststop_fails

# --- logs, versions ----------------------------------------------------------------------------------------

log_file() {
  bundle '.process.args = ["no-such-program"]'
  expect 1 berth --log "$D/log" --log-format json run -b "$B" "$ID"
  equal "$(jq -r .level <"$D/log" | tail -1)" error
  contains "$(jq -r .msg <"$D/log" | tail -1)" no-such-program
}
test_case "--log FILE --log-format json" log_file

version() {
  expect 0 berth --version
  contains "$(head -1 <<<"$out")" " version "
  contains "$out" "spec: 1."
  # engines read the features; Debian's runc has no such verb yet
  [[ $BERTH -ef $(command -v runc) ]] || {
    expect 0 berth features
    jq -e '.linux.namespaces | index("pid")' <<<"$out"
  }
  expect 0 berth --help
}
test_case "version, features, help" version

spec() {
  cd "$D"
  expect 0 berth spec
  jq -e '.process.args == ["sh"] and .root.path == "rootfs" and (.linux.namespaces | length >= 5)' config.json
  expect 1 berth spec
  one_line "$err"
  # and it runs
  cp -al "$WORK/rootfs" rootfs
  jq --arg mark "BERTH_TEST_RUN=$RUN_ID" '.process.terminal = false | .process.env += [$mark] | .process.args = ["echo", "ok"]' config.json >c2 && mv c2 config.json
  expect 0 berth run "$ID"
  equal "$out" ok
}
test_case "spec writes a configuration that runs, once" spec

unknown_words() {
  try berth no-such-verb
  [[ $status != 0 ]]
  try berth run --no-such-option x
  [[ $status != 0 ]]
}
test_case "unknown verbs and options are refused" unknown_words
finish

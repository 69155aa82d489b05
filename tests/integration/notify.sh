#!/bin/bash
# NOTIFY_SOCKET: that the container is ready reaches whoever started it as a service, as with runc.
. "${BASH_SOURCE%/*}/../lib/check.sh"

manager() { # [SOCKET]: what it hears is in $D/heard
  socket=${1:-$D/manager.sock}
  "$WORK/bin/sd_notify" receive "$socket" >"$D/heard" &
  manager=$!
  export NOTIFY_SOCKET=$socket
  eventually grep -qF "$socket" /proc/net/unix
}
heard() { # LINES: and nothing else
  eventually grep -q "^BARRIER\|^${1##*$'\n'}\$" "$D/heard"
  equal "$(<"$D/heard")" "$1" "what the manager heard"
}
dismissed() { kill "$manager" && { wait "$manager" || true; }; }

service() { # MESSAGES [JQ...]: says them, and stays
  bundle '.process.terminal = false' '.process.args = ["sh", "-c", "/sd_notify send '"$1"' && exec sleep 1000"]' "${@:2}"
  cp "$WORK/bin/sd_notify" "$B/rootfs/"
}

detached() { # [SOCKET]
  manager "$@"
  service 'STATUS=begins READY=1'
  expect 0 berth run -d -b "$B" "$ID" </dev/null
  heard "READY=1
MAINPID=$(berth state "$ID" | jq .pid)
BARRIER=1 with a descriptor"
  # shellcheck disable=SC2016
  expect 0 berth exec "$ID" sh -c 'ls -l /run/notify; grep " /run/notify " /proc/mounts; echo "<$NOTIFY_SOCKET>"'
  contains "$out" "srwxrwxrwx"
  contains "$out" " ro,nosuid,nodev,noexec"
  contains "$out" "<>"
  expect 0 berth delete -f "$ID"
  dismissed
}
test_case "run -d ends when the container is ready" detached
test_case "run -d: an abstract socket" detached "@berth-$RUN_ID"

by_start() {
  manager
  service '\"STATUS=almost\\nREADY=1\\nX=1\"'
  expect 0 berth create -b "$B" "$ID" </dev/null >/dev/null 2>&1
  equal "$(<"$D/heard")" ""
  expect 0 berth start "$ID"
  heard "READY=1
MAINPID=$(berth state "$ID" | jq .pid)
BARRIER=1 with a descriptor"
  expect 0 berth delete -f "$ID"
  dismissed
}
test_case "start ends when the container is ready" by_start

# The service is who stays: it ends when berth does.
foreground() {
  manager
  service 'READY=1 READY=1 STATUS=x'
  berth_in_background run -b "$B" "$ID" </dev/null >/dev/null 2>&1
  eventually grep -q MAINPID "$D/heard"
  equal "$(<"$D/heard")" "READY=1
MAINPID=$pid"
  status_is "$ID" running
  expect 0 berth kill "$ID" KILL
  wait "$pid" || true
  dismissed
}
test_case "run in the foreground tells its own pid, once" foreground

never_ready() {
  manager
  # shellcheck disable=SC2016
  bundle '.process.args = ["sh", "-c", "echo $NOTIFY_SOCKET"]' '.process.env += ["NOTIFY_SOCKET=/elsewhere"]'
  expect 0 berth run -b "$B" "$ID"
  equal "$out" /run/notify/notify.sock
  bundle '.process.terminal = false' '.process.args = ["true"]'
  expect 0 berth run -d -b "$B" "$ID" </dev/null
  expect 0 berth delete "$ID"
  equal "$(<"$D/heard")" ""
  dismissed
}
test_case "a container that ends without being ready keeps nobody waiting" never_ready

while_waiting() {
  manager
  bundle '.process.terminal = false' '.process.args = ["sleep", "1000"]'
  berth_in_background run -d -b "$B" "$ID" </dev/null >/dev/null 2>&1
  eventually status_is "$ID" running
  expect 0 berth update --pids-limit 100 "$ID"
  expect 0 berth delete -f "$ID"
  wait "$pid" || fail "run -d: status $?"
  dismissed
}
test_case "meanwhile the container can be used" while_waiting

another_user() {
  manager
  service 'READY=1' '.process.user = {uid: 1000, gid: 1000}' '.linux.namespaces += [{type: "user"}]' \
    '.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
  chown -R 100000:100000 "$B/rootfs"
  expect 0 berth run -d -b "$B" "$ID" </dev/null
  contains "$(<"$D/heard")" "READY=1"
  expect 0 berth delete -f "$ID"
  dismissed
}
test_case "from a user namespace, by an ordinary user" another_user

deaf() {
  service 'READY=1'
  local socket
  for socket in "$D/nobody" vsock:2:1234 "/$(printf 'x%.0s' {1..200})"; do
    NOTIFY_SOCKET=$socket expect 0 berth run -d -b "$B" "$ID" </dev/null
    one_line "$err"
    contains "$err" "NOTIFY_SOCKET"
    expect 0 berth delete -f "$ID"
  done
}
test_case "a manager that does not hear is a warning" deaf

made_without() {
  service 'READY=1'
  bundle '.process.terminal = false' '.process.args = ["sleep", "1000"]'
  expect 0 berth create -b "$B" "$ID" </dev/null >/dev/null 2>&1
  manager
  expect 0 berth start "$ID"
  expect 0 berth delete -f "$ID"
  dismissed
}
test_case "start does not wait for a container that was made without" made_without
finish

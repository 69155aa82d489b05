#!/bin/bash
# Checkpoint and restore through criu. Where criu cannot work (its package against this kernel), every case says so;
# tests/vm/run has a kernel where it can.
. "${BASH_SOURCE%/*}/../lib/check.sh"

CRIU_WHY=$(criu check 2>&1) && CRIU_WHY='' || CRIU_WHY="no working criu: ${CRIU_WHY##*$'\n'}"
with_criu() { [[ -z $CRIU_WHY ]] || skip "$CRIU_WHY"; }

# A bundle whose process counts in /tmp/n, which is a file of the rootfs.
COUNT='.process.args = ["sh", "-c", "i=0; while :; do i=$((i+1)); echo $i >/tmp/new; mv /tmp/new /tmp/n; sleep .1; done"]'
number() { cat "$B/rootfs/tmp/n" 2>/dev/null || echo 0; }
above() { (($(number) > $1)); } # N

# A file of the host is something that criu cannot write down: no output into one.
start() { berth run -d -b "$B" "$ID" </dev/null >/dev/null 2>&1; }
start_counter() { # [JQ...]
  bundle "$COUNT" "$@"
  start
  eventually above 2
}
restore() { # OPTION... ID
  local status=0
  berth restore -d -b "$B" --image-path "$D/img" --work-path "$D/work" "$@" </dev/null >/dev/null 2>"$D/restore.err" || status=$?
  [[ $status = 0 ]] || { cat "$D/restore.err" && tail -n 20 "$D/work/restore.log"; fail "restore: status $status"; }
  [[ ! -s $D/restore.err ]] || fail "restore says: $(<"$D/restore.err")"
}
checkpoint() { # OPTION... ID
  expect 0 berth checkpoint --image-path "$D/img" --work-path "$D/work" "$@"
  equal "$out$err" ''
}
remove() { expect 0 berth delete -f "$ID"; }
no_cgroup() { [[ -z $(find /sys/fs/cgroup -type d \( -name "$1" -o -name "test-$1.scope" \) 2>/dev/null) ]]; }

goes_on() {
  local n pid
  with_criu
  start_counter
  checkpoint "$ID"
  expect 1 berth state "$ID"
  contains "$err" 'does not exist'
  no_cgroup "$ID"
  n=$(number)
  pause .5
  equal "$(number)" "$n" "the number while nobody counts"
  restore --pid-file "$D/pid" "$ID"
  # a new process would begin with 1
  eventually above "$n"
  pid=$(berth state "$ID" | jq .pid)
  equal "$(<"$D/pid")" "$pid" "pid file"
  status_is "$ID" running
  [[ $(berth ps -f json "$ID") = *"$pid"* ]] || fail "ps does not show $pid"
  expect 0 berth exec "$ID" cat /proc/1/comm
  equal "$out" sh
  remove
  no_cgroup "$ID"
}
test_case "a counter goes on after checkpoint and restore; state, ps, exec, pid file" goes_on

twice() {
  local n
  with_criu
  start_counter '.linux.namespaces |= map(select(.type != "cgroup")) + [{type: "cgroup"}]'
  expect 0 berth exec "$ID" sh -c 'sleep 1000 </dev/null >/dev/null 2>&1 & echo $!'
  n=$out
  for _ in 1 2; do
    checkpoint --manage-cgroups-mode ignore "$ID"
    restore --manage-cgroups-mode ignore "$ID"
    expect 0 berth exec "$ID" cat "/proc/$n/comm"
    equal "$out" sleep
  done
  remove
}
test_case "twice, with a cgroup namespace and a process of exec" twice

leave_running() {
  local n pid
  with_criu
  start_counter
  pid=$(berth state "$ID" | jq .pid)
  checkpoint --leave-running "$ID"
  n=$(number)
  eventually above "$n"
  equal "$(berth state "$ID" | jq .pid)" "$pid" "pid"
  expect 0 berth delete -f "$ID"
  # the images are whole
  restore "$ID"
  status_is "$ID" running
  remove
}
test_case "--leave-running" leave_running

foreground() {
  local run status=0
  with_criu
  bundle "$COUNT"
  "$BERTH" --root "$ROOT" run -b "$B" "$ID" </dev/null >/dev/null 2>&1 &
  run=$!
  eventually above 2
  checkpoint "$ID"
  wait $run || status=$?
  equal "$status" 137 "status of run"
  expect 1 berth state "$ID"
  # the container died with its run; what is restored must not die with its restore
  restore "$ID"
  pause .3
  status_is "$ID" running
  eventually above "$(number)"
  remove
}
test_case "of a foreground run; restored it stands on its own" foreground

restored_foreground() {
  local restore status=0 pid
  with_criu
  bundle '.process.args = ["sh", "-c", "while ! [ -e /tmp/end ]; do sleep .1; done; exit 7"]'
  start
  checkpoint "$ID"
  berth_in_background restore -b "$B" --image-path "$D/img" --work-path "$D/work" "$ID" </dev/null
  restore=$pid
  eventually status_is "$ID" running
  touch "$B/rootfs/tmp/end"
  wait "$restore" || status=$?
  equal "$status" 7 "status of restore"
  expect 1 berth state "$ID"
  # and killing it ends the container, as with run
  rm "$B/rootfs/tmp/end"
  berth_in_background restore -b "$B" --image-path "$D/img" --work-path "$D/work" "$ID" </dev/null
  restore=$pid
  eventually status_is "$ID" running
  pid=$(berth state "$ID" | jq .pid)
  kill -KILL "$restore"
  eventually gone "$pid"
  eventually no_cgroup "$ID"
}
test_case "restore in the foreground: exit status, and a killed one takes the container along" restored_foreground

pipes() {
  local restore
  with_criu
  bundle '.process.args = ["sh", "-c", "while read x; do echo pong $x; done"]'
  sleep 1000 | berth run -d -b "$B" "$ID" 2>/dev/null | cat >"$D/said" &
  eventually status_is "$ID" running
  checkpoint "$ID"
  contains "$(<"$D/img/descriptors.json")" 'pipe:['
  jobs -p | xargs -r kill # the sleep
  (echo again && sleep 2) | berth restore -d -b "$B" --image-path "$D/img" "$ID" 2>&1 | cat >"$D/said2" &
  restore=$!
  eventually grep -q . "$D/said2"
  equal "$(<"$D/said2")" 'pong again'
  wait $restore
  expect 0 berth delete -f "$ID"
}
test_case "standard streams that are pipes become those of restore" pipes

terminal() {
  local tty
  with_criu
  bundle '.process.terminal = true' '.process.args = ["sh", "-c", "while read x; do echo pong $x; done"]'
  "$WORK/bin/recvtty" "$D/tty.sock" </dev/null >/dev/null 2>&1 &
  tty=$!
  eventually test -S "$D/tty.sock"
  expect 0 berth run -d --console-socket "$D/tty.sock" -b "$B" "$ID"
  checkpoint "$ID"
  wait $tty || :
  rm -f "$D/tty.sock"
  expect 1 berth restore -d -b "$B" --image-path "$D/img" "$ID"
  contains "$err" console-socket
  (pause 3; echo ping; pause 2) | "$WORK/bin/recvtty" "$D/tty.sock" >"$D/screen" 2>&1 &
  tty=$!
  eventually test -S "$D/tty.sock"
  restore --console-socket "$D/tty.sock" "$ID"
  eventually grep -q 'pong ping' "$D/screen"
  remove
  wait $tty || :
}
test_case "a terminal: the console socket gets it again" terminal

mounts() {
  with_criu
  mkdir -p "$D/one" "$D/two"
  touch "$D/file"
  start_counter '.mounts += [
    {type: "bind", source: ($D + "/one"), destination: "/data", options: ["bind"]},
    {type: "bind", source: ($D + "/two"), destination: "/data/below/two", options: ["bind", "ro"]},
    {type: "bind", source: "../file", destination: "/link/file", options: ["bind"]}]' \
    '.linux.maskedPaths += ["/etc/group", "/proc/scsi"] | .linux.readonlyPaths += ["/etc/passwd"]'
  checkpoint "$ID"
  # the points that the first start made are made again
  rm -r "$D/one/below" "$B/rootfs/link"
  echo new >"$D/two/news"
  restore "$ID"
  expect 0 berth exec "$ID" cat /data/below/two/news
  equal "$out" new
  expect 1 berth exec "$ID" touch /data/below/two/no
  expect 0 berth exec "$ID" sh -c 'wc -c </etc/group; ls -d /link/file'
  equal "$out" "0"$'\n'/link/file
  remove
}
test_case "bind mounts, one in the other; masked and read-only paths" mounts

symlinks() {
  with_criu
  bundle "$COUNT" '.mounts += [{source: ".", destination: "/conf", options: ["bind"]}]'
  mkdir -p "$B/rootfs/real/conf"
  ln -s /real/conf "$B/rootfs/conf"
  start
  checkpoint "$ID"
  restore "$ID"
  expect 0 berth exec "$ID" ls /real/conf/config.json
  remove
}
test_case "a mount point behind a symbolic link" symlinks

hooks() {
  with_criu
  start_counter '.hooks = ([("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop") as $k |
    {($k): [{path: "/bin/sh", args: ["sh", "-c", "echo \($k) >>\($D)/hooks"]}]}] | add | del(.createContainer, .startContainer))'
  rm "$D/hooks"
  checkpoint "$ID"
  equal "$(<"$D/hooks")" poststop
  rm "$D/hooks"
  restore "$ID"
  equal "$(xargs <"$D/hooks")" "prestart createRuntime"
  remove
}
test_case "hooks: poststop at the checkpoint, prestart and createRuntime at the restore" hooks

failing_hook() {
  with_criu
  start_counter
  checkpoint "$ID"
  jq '.hooks.createRuntime = [{path: "/bin/false"}]' "$B/config.json" >"$D/new" && mv "$D/new" "$B/config.json"
  expect 1 berth restore -d -b "$B" --image-path "$D/img" "$ID" </dev/null
  one_line "$err"
  contains "$err" createRuntime
  expect 1 berth state "$ID"
  no_cgroup "$ID"
}
test_case "a failing hook of a restore leaves nothing" failing_hook

limits() {
  local file=pids.max n
  with_criu
  start_counter '.linux.resources.pids.limit = 77' "$(CGROUP_AT -a)"
  checkpoint --manage-cgroups-mode ignore "$ID"
  no_cgroup "$ID-a"
  jq --arg ID "$ID" "$(CGROUP_AT -b)" "$B/config.json" >"$D/new" && mv "$D/new" "$B/config.json"
  restore --manage-cgroups-mode ignore "$ID"
  no_cgroup "$ID-a"
  n=$(find /sys/fs/cgroup -path "*$ID-b*/$file" -exec cat {} +)
  equal "$n" 77 "$file"
  grep -q "$ID-b\(.scope\)\?$" "/proc/$(berth state "$ID" | jq .pid)/cgroup"
  berth pause "$ID"
  status_is "$ID" paused
  remove
}
test_case "into another cgroup, with its limits" limits

paused() {
  local n
  with_criu
  start_counter
  expect 0 berth pause "$ID"
  n=$(number)
  checkpoint "$ID"
  restore "$ID"
  status_is "$ID" running
  eventually above "$n"
  remove
}
test_case "a paused container can be written down, and runs when it is back" paused

network() {
  local inode
  with_criu
  touch "$D/net"
  unshare --net="$D/net" true
  # left by a failed case it would be one of the mounts
  trap 'umount -l "$D/net"' EXIT
  inode=$(stat -Lc %i "$D/net")
  start_counter '(.linux.namespaces[] | select(.type == "network")) .path = $D + "/net"'
  checkpoint "$ID"
  restore "$ID"
  equal "$(stat -Lc %i "/proc/$(berth state "$ID" | jq .pid)/ns/net")" "$inode" "network namespace"
  checkpoint "$ID"
  mv "$B/config.json" "$D/old"
  jq '(.linux.namespaces[] | select(.type == "network")) .path += "-gone"' "$D/old" >"$B/config.json"
  expect 1 berth restore -d -b "$B" --image-path "$D/img" "$ID" </dev/null
  one_line "$err"
  contains "$err" "$D/net-gone"
}
test_case "a network namespace that the config names is joined again" network

config_file() {
  with_criu
  echo "log-file=ours.log" >"$D/criu.conf"
  start_counter '.annotations["org.criu.config"] = $D + "/criu.conf"'
  checkpoint "$ID"
  [[ -s $D/work/ours.log ]]
  rm "$D/work/ours.log"
  restore "$ID"
  [[ -s $D/work/ours.log ]]
  remove
}
test_case "the annotation org.criu.config" config_file

pre_dump() {
  local n
  with_criu
  start_counter
  if ! criu check --feature mem_dirty_track >/dev/null 2>&1; then
    expect 1 berth checkpoint --pre-dump --image-path "$D/parent" "$ID"
    one_line "$err"
    contains "$err" MemTrack
    status_is "$ID" running
    remove
    return
  fi
  expect 0 berth checkpoint --pre-dump --image-path "$D/parent" "$ID"
  n=$(number)
  eventually above "$n"
  checkpoint --parent-path ../parent "$ID"
  [[ -e $D/img/parent ]]
  n=$(number)
  restore "$ID"
  eventually above "$n"
  remove
}
test_case "--pre-dump and --parent-path" pre_dump

lazy() {
  local dump daemon n ready
  with_criu
  criu check --feature uffd-noncoop >/dev/null 2>&1 || skip "this kernel gives criu no userfaultfd for lazy pages"
  # criu's page server itself fails (splice: Bad file descriptor)
  [[ $(criu --version) != 'Version: 4.1'* ]] || skip "criu 4.1 cannot serve pages"
  start_counter
  mkfifo "$D/ready"
  exec {ready}<>"$D/ready"
  berth checkpoint --lazy-pages --page-server 127.0.0.1:27931 --status-fd $ready --image-path "$D/img" \
    --manage-cgroups-mode ignore --work-path "$D/work" "$ID" >"$D/out" 2>&1 &
  dump=$!
  read -r -t 60 -d '' -u $ready || fail "no word on --status-fd: $(<"$D/out")"
  [[ -e $D/img/inventory.img ]]
  n=$(number)
  criu lazy-pages --page-server --address 127.0.0.1 --port 27931 -D "$D/img" -W "$D/img" >/dev/null 2>&1 &
  daemon=$!
  eventually test -S "$D/img/lazy-pages.socket"
  berth restore -d --lazy-pages -b "$B" --image-path "$D/img" --work-path "$D/img" --manage-cgroups-mode ignore "$ID-r" \
    </dev/null >/dev/null 2>"$D/err" || fail "restore: $(<"$D/err")"
  wait $dump || fail "checkpoint: $(<"$D/out")"
  wait $daemon
  eventually above "$n"
  expect 1 berth state "$ID"
  expect 0 berth delete -f "$ID-r"
}
test_case "--lazy-pages: memory follows when it is asked for" lazy

refused() {
  with_criu
  bundle "$FOREVER"
  berth create -b "$B" "$ID" </dev/null >/dev/null 2>&1
  expect 1 berth checkpoint --image-path "$D/img" "$ID"
  equal "$err" "berth checkpoint failed: container cannot be checkpointed in created state: \"$ID\""
  expect 0 berth start "$ID"
  expect 1 berth checkpoint --image-path "$D/img" --parent-path /somewhere "$ID"
  contains "$err" --parent-path
  expect 1 berth checkpoint --image-path "$D/img" --parent-path ../none "$ID"
  contains "$err" --parent-path
  one_line "$err"
  # something else than a directory of images
  expect 1 berth restore -d -b "$B" --image-path "$D/none" "$ID-r" </dev/null
  one_line "$err"
  contains "$err" "$D/none"
  mkdir "$D/empty"
  expect 1 berth restore -d -b "$B" --image-path "$D/empty" "$ID-r" </dev/null
  one_line "$err"
  expect 1 berth state "$ID-r"
  echo '["a","b","c"]' >"$D/empty/descriptors.json"
  expect 1 berth restore -d -b "$B" --image-path "$D/empty" "$ID-r" </dev/null
  one_line "$err"
  contains "$err" restore.log
  expect 1 berth state "$ID-r"
  no_cgroup "$ID-r"
  status_is "$ID" running
  # an id that is in use
  checkpoint --leave-running "$ID"
  expect 1 berth restore -d -b "$B" --image-path "$D/img" "$ID" </dev/null
  contains "$err" exists
  status_is "$ID" running
  remove
}
test_case "what cannot be: one line, and nothing is left" refused

# --- without criu -------------------------------------------------------------------------------------

no_criu() {
  bundle "$FOREVER"
  mkdir "$D/bin"
  expect 0 berth run -d -b "$B" "$ID" </dev/null
  expect 1 env PATH="$D/bin" "$BERTH" --root "$ROOT" checkpoint --image-path "$D/img" "$ID"
  equal "$err" "berth checkpoint failed: checkpoint and restore need the program criu, which is not in PATH"
  status_is "$ID" running
  # one that ends at once
  printf '#!/bin/sh\nexit 3\n' >"$D/bin/criu" && chmod 755 "$D/bin/criu"
  expect 1 env PATH="$D/bin:/bin" "$BERTH" --root "$ROOT" checkpoint --image-path "$D/img" "$ID"
  contains "$err" "criu ended without an answer"
  one_line "$err"
  status_is "$ID" running
  remove
}
test_case "no criu in PATH, or one that says nothing" no_criu

options() {
  local option
  expect 1 berth checkpoint no-such
  contains "$err" "does not exist"
  for option in --manage-cgroups-mode=all --network-lock=rope --empty-ns=pid --page-server=here --page-server=1::2:3 \
    --page-server=host:70000 --status-fd=x; do
    expect 1 berth checkpoint "$option" no-such
    one_line "$err"
    contains "$err" "${option%%=*}"
  done
  expect 1 berth checkpoint --lazy-pages --status-fd=77 no-such
  contains "$err" --status-fd
  expect 1 berth checkpoint --lazy-pages --status-fd=0 no-such </dev/null
  contains "$err" "not writable"
  # runc's and crun's options are all known
  expect 1 berth --criu /x checkpoint --image-path a --work-path b --parent-path c --leave-running --tcp-established \
    --tcp-skip-in-flight --link-remap --ext-unix-sk --shell-job --lazy-pages --status-fd -1 --page-server '[::1]:1' --file-locks \
    --pre-dump --manage-cgroups-mode soft --empty-ns network --auto-dedup --network-lock skip no-such
  contains "$err" "does not exist"
  expect 1 berth restore --console-socket a --image-path b --work-path c --tcp-established --ext-unix-sk --shell-job --file-locks \
    --manage-cgroups-mode strict -b "$D" -d --pid-file e --no-subreaper --no-pivot --empty-ns network --auto-dedup --lazy-pages \
    --lsm-profile apparmor:x --lsm-mount-context y --tcp-close --network-lock nftables "$ID"
  contains "$err" config.json
  [[ ! -e $ROOT/$ID ]]
  expect 0 berth features
  equal "$(jq -r '.annotations["org.opencontainers.runc.checkpoint.enabled"]' <<<"$out")" true
}
test_case "options: all of runc's and crun's; wrong values are named" options
finish

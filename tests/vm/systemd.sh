#!/bin/bash
# --systemd-cgroup: containers as units of systemd. Where systemd is the init: vmrun --systemd.
CHECK_SYSTEMD=1
export CHECK_SYSTEMD
. "${BASH_SOURCE%/*}/../lib/check.sh"

[[ -d /run/systemd/system ]] || { echo "systemd is not the init of this machine" >&2; exit 1; }
version=1
[[ $(stat -f -c %T /sys/fs/cgroup) != cgroup2fs ]] || version=2
v2_only() { ((version == 2)) || skip "cgroup v1"; }

unit() { echo "test-$ID.scope"; }
property() { systemctl show "$(unit)" --property "$1" --value; } # NAME
no_unit() { [[ $(systemctl show "${1:-$(unit)}" --property LoadState --value) = not-found ]]; }

# The container's directory, of a v1 controller.
directory() { # [CONTROLLER]
  local file
  file=/proc/$(berth state "$ID" | jq .pid)/cgroup
  if ((version == 2)); then
    echo "/sys/fs/cgroup$(sed -n 's/^0:://p' "$file")"
  else
    echo "/sys/fs/cgroup/${1:-systemd}$(awk -F: -v c="${1:-name=systemd}" 'index("," $2 ",", "," c ",") { print $3 }' "$file")"
  fi
}

running() { # JQ...
  bundle "$FOREVER" "$OWN_CGROUP" "$@"
  expect 0 berth run -d -b "$B" "$ID"
}

place() {
  running
  equal "$(directory)" "/sys/fs/cgroup$( ((version == 2)) || echo /systemd)/system.slice/$(unit)"
  equal "$(property Slice)" system.slice
  equal "$(property Delegate)" yes
  equal "$(property Description)" "container $ID"
  equal "$(property ActiveState)" active
  equal "$(jq -r .systemdUnit "$ROOT/$ID/state.json")" "$(unit)"
  # what systemd moves processes by is where it is in every hierarchy
  awk -F: -v path="/system.slice/$(unit)" '$3 != path { print; bad = 1 } END { exit bad }' \
    "/proc/$(berth state "$ID" | jq .pid)/cgroup"
  expect 0 berth delete -f "$ID"
  no_unit
  [[ -z $(find /sys/fs/cgroup -name "$(unit)") ]]
}
test_case "slice:prefix:name is the scope prefix-name.scope, delegated; delete ends it" place

default_name() {
  bundle "$FOREVER"
  expect 0 berth run -d -b "$B" "$ID"
  equal "$(systemctl show "berth-$ID.scope" --property ControlGroup --value)" "/system.slice/berth-$ID.scope"
  # later commands know by the state
  expect 0 "$BERTH" --root "$ROOT" delete -f "$ID"
  no_unit "berth-$ID.scope"
}
test_case "without cgroupsPath: berth-ID.scope in system.slice" default_name

foreground() {
  bundle '.process.args = ["sh", "-c", "cat /proc/self/cgroup; exit 7"]' "$OWN_CGROUP" "$(NO_NS cgroup)"
  expect 7 berth run -b "$B" "$ID"
  contains "$out" "/system.slice/$(unit)"
  no_unit
}
test_case "run: the process is in the unit, which ends with it" foreground

nested() {
  bundle "$FOREVER" '.linux.cgroupsPath = "\($ID)-pod.slice:test:\($ID)"'
  expect 0 berth run -d -b "$B" "$ID"
  local path='' name='' part
  IFS=- read -ra part <<<"$ID-pod"
  for p in "${part[@]}"; do
    name+=${name:+-}$p
    path+=/$name.slice
  done
  equal "$(property ControlGroup)" "$path/$(unit)"
  [[ $(directory) = *"$path/$(unit)" ]]
  expect 0 berth delete -f "$ID"
  systemctl stop "${part[0]}.slice"
}
test_case "a slice a-b-c.slice is inside a-b.slice inside a.slice" nested

slice() {
  bundle "$FOREVER" '.linux.cgroupsPath = "system.slice:ignored:\($ID).slice"' '.linux.resources.pids.limit = 20'
  expect 0 berth run -d -b "$B" "$ID"
  equal "$(systemctl show "$ID.slice" --property TasksMax --value)" 20
  [[ $(directory pids) = *"$(systemctl show "$ID.slice" --property ControlGroup --value)" ]]
  expect 0 berth exec "$ID" true
  expect 0 berth delete -f "$ID"
  # a slice needs no file to be known
  equal "$(systemctl show "$ID.slice" --property ActiveState --value)" inactive
  systemctl stop "${ID%%-*}.slice"
}
test_case "a name that ends in .slice is a slice" slice

properties() {
  local io=.
  # v1 has the file with one scheduler only
  ((version == 1)) || io='.linux.resources.blockIO.weight = 100'
  running '.linux.resources.memory = {limit: 33554432, reservation: 16777216}' "$io" \
    '.linux.resources.cpu = {shares: 512, quota: 4000, period: 10000, cpus: "0-1", mems: "0"}' '.linux.resources.pids.limit = 33'
  equal "$(property TasksMax)" 33
  equal "$(property CPUQuotaPerSecUSec) $(property CPUQuotaPeriodUSec)" "400ms 10ms"
  equal "$(property AllowedCPUs) $(property AllowedMemoryNodes)" "0-1 0"
  if ((version == 2)); then
    equal "$(property MemoryMax) $(property MemoryLow) $(property CPUWeight) $(property IOWeight)" "33554432 16777216 59 910"
    equal "$(cat "$(directory)"/{memory.max,memory.low,cpu.weight,cpu.max,pids.max} | tr '\n' ' ')" "33554432 16777216 59 4000 10000 33 "
  else
    equal "$(property MemoryLimit) $(property CPUShares)" "33554432 512"
    equal "$(cat "$(directory memory)"/memory.limit_in_bytes "$(directory cpu)"/cpu.{shares,cfs_quota_us} | tr '\n' ' ')" "33554432 512 4000 "
  fi
  expect 0 berth delete -f "$ID"
}
test_case "limits are properties of the unit, and in the files" properties

unified() {
  v2_only
  running '.linux.resources.unified = {"memory.high": "20971520", "memory.min": "1048576", "pids.max": "77", "cpu.max": "max 50000",
    "cpuset.cpus": "1", "cpu.weight": "42", "hugetlb.2MB.max": "4194304"}'
  equal "$(property MemoryHigh) $(property MemoryMin) $(property TasksMax) $(property CPUQuotaPerSecUSec)" "20971520 1048576 77 infinity"
  equal "$(property AllowedCPUs) $(property CPUWeight)" "1 42"
  # systemd does not know it
  equal "$(cat "$(directory)/hugetlb.2MB.max")" 4194304
  expect 0 berth delete -f "$ID"
}
test_case "unified: what systemd has a property for is one, the rest is written" unified

idle() {
  v2_only
  running '.linux.resources.cpu = {idle: 1}'
  equal "$(property CPUWeight) $(cat "$(directory)/cpu.idle")" "idle 1"
  expect 0 berth update --cpu-idle 0 --cpu-share 1024 "$ID"
  equal "$(property CPUWeight) $(cat "$(directory)/cpu.idle")" "100 0"
  # who is idle has no weight, and who gets one is no longer idle
  expect 0 berth --log "$D/log" update --cpu-share 200 --cpu-idle 1 "$ID"
  contains "$err" "unable to apply both CPUWeight and CpuIdle"
  contains "$(<"$D/log")" "level=warning"
  equal "$(property CPUWeight) $(cat "$(directory)/cpu.idle")" "idle 1"
  expect 0 berth update --cpu-share 200 "$ID"
  equal "$(cat "$(directory)/cpu.idle")" 0
  expect 0 berth update -r - "$ID" <<<'{"unified": {"cpu.idle": "1", "cpu.weight": "8"}}'
  contains "$err" "unable to apply both"
  equal "$(property CPUWeight) $(cat "$(directory)/cpu.idle")" "idle 1"
  expect 0 berth delete -f "$ID"
}
test_case "cpu.idle is a weight of 0" idle

annotations() {
  running '.annotations = {"org.systemd.property.TimeoutStopUSec": "uint64 5000000", "org.systemd.property.CollectMode": "'"'inactive-or-failed'"'",
    "org.systemd.property.RuntimeMaxSec": "900", "org.systemd.property.Documentation": "@as [\"man:berth(1)\"]"}'
  equal "$(property TimeoutStopUSec) $(property CollectMode) $(property RuntimeMaxUSec)" "5s inactive-or-failed 15min"
  contains "$(property Documentation)" "man:berth(1)"
  expect 0 berth delete -f "$ID"
  local key value
  while read -r key value; do
    bundle "$OWN_CGROUP" ".annotations = {\"org.systemd.property.$key\": \"$value\"}"
    expect 1 berth run -b "$B" "$ID"
    one_line "$err"
    contains "$err" "$key"
    no_unit
  done <<'LIST'
No uint64 5
Has4Digits 5
TimeoutStopUSec nonsense
TimeoutStopUSec uint64 5 6
TimeoutStopSec 'soon'
NoSuchProperty uint64 5
LIST
}
test_case "annotations org.systemd.property.*" annotations

update() {
  running '.linux.resources.memory = {limit: 33554432}' '.linux.resources.pids.limit = 20'
  expect 0 berth update --memory 64M --memory-reservation 20M --pids-limit 30 --cpu-quota 33333 --cpu-share 2048 --cpuset-cpus 1 "$ID"
  equal "$(property TasksMax) $(property CPUQuotaPerSecUSec) $(property AllowedCPUs)" "30 340ms 1"
  if ((version == 2)); then equal "$(property MemoryMax) $(property CPUWeight)" "67108864 174"; else equal "$(property MemoryLimit) $(property CPUShares)" "67108864 2048"; fi
  # systemd writes all of it again, from what it knows
  systemctl daemon-reload
  systemctl set-property --runtime "$(unit)" TasksMax=31
  if ((version == 2)); then
    equal "$(cat "$(directory)"/{memory.max,pids.max,cpu.max,cpu.weight,cpuset.cpus} | tr '\n' ' ')" "67108864 31 34000 100000 174 1 "
  else
    equal "$(cat "$(directory memory)/memory.limit_in_bytes" "$(directory cpu)/cpu.cfs_quota_us" "$(directory cpu)/cpu.shares" | tr '\n' ' ')" "67108864 34000 2048 "
  fi
  expect 0 berth update --pids-limit -1 "$ID"
  equal "$(property TasksMax)" infinity
  expect 0 berth delete -f "$ID"
}
test_case "update: properties and files, and systemd agrees when it writes again" update

update_fails() {
  running '.linux.resources.pids.limit = 20'
  expect 1 berth update --pids-limit 30 --cpu-quota 50000 --cpuset-cpus 4711 "$ID"
  one_line "$err"
  equal "$(property TasksMax) $(property CPUQuotaPerSecUSec)" "20 infinity"
  equal "$(cat "$(directory pids)/pids.max")" 20
  expect 0 berth delete -f "$ID"
}
test_case "update: what fails leaves properties as they were" update_fails

devices() {
  running '.linux.devices = [{path: "/dev/w", type: "c", major: 1, minor: 11, fileMode: 438}, {path: "/dev/no", type: "c", major: 1, minor: 1, fileMode: 438}]' \
    '.linux.resources.devices = [{allow: false, access: "rwm"}, {allow: true, type: "c", major: 1, minor: 11, access: "w"}]' \
    '.process.capabilities = (["bounding", "effective", "permitted"] | map({(.): ["CAP_MKNOD", "CAP_SYSLOG", "CAP_SYS_RAWIO"]}) | add)'
  look() {
    expect 0 berth exec "$ID" sh -c 'true >/dev/w && echo write; true </dev/w || echo no-read; true </dev/no || echo no; true >/dev/null && echo null'
    equal "$(tr '\n' ' ' <<<"$out")" "write no-read no null "
  }
  equal "$(property DevicePolicy)" strict
  contains "$(property DeviceAllow)" "/dev/char/1:11 w"
  look
  systemctl daemon-reload
  look
  expect 0 berth update -r - "$ID" <<<'{"devices": [{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 1, "minor": 11, "access": "r"}]}'
  contains "$(property DeviceAllow)" "/dev/char/1:11 r"
  expect 0 berth exec "$ID" sh -c 'true >/dev/w || echo no-write; true </dev/w && echo read'
  equal "$(tr '\n' ' ' <<<"$out")" "no-write read "
  expect 0 berth delete -f "$ID"
}
test_case "devices: systemd's list and ours agree, also after daemon-reload" devices

devices_all() {
  running '.linux.devices = [{path: "/dev/w", type: "c", major: 1, minor: 11, fileMode: 438}]' '.linux.resources.devices = [{allow: true, access: "rwm"}]'
  equal "$(property DevicePolicy)" auto
  expect 0 berth exec "$ID" sh -c 'true >/dev/w && echo write'
  expect 0 berth delete -f "$ID"
  v2_only
  # all but one: nothing that systemd could say
  running '.linux.devices = [{path: "/dev/w", type: "c", major: 1, minor: 11, fileMode: 438}]' \
    '.linux.resources.devices = [{allow: true, access: "rwm"}, {allow: false, type: "c", major: 1, minor: 11, access: "w"}]'
  expect 0 berth exec "$ID" sh -c 'true >/dev/w || echo no-write; true >/dev/tty0 2>/dev/null; true'
  equal "$out" no-write
  expect 0 berth delete -f "$ID"
}
test_case "devices: everything, and everything but one" devices_all

ended_by_systemd() {
  running '.annotations = {"org.systemd.property.RuntimeMaxSec": "1", "org.systemd.property.TimeoutStopSec": "1"}'
  failed() { [[ $(property ActiveState) = failed ]]; }
  eventually failed
  eventually status_is "$ID" stopped
  expect 0 berth delete "$ID"
  no_unit
  # a failed unit that was left keeps the name from nobody
  running '.annotations = {"org.systemd.property.RuntimeMaxSec": "1"}'
  eventually failed
  rm -rf "${ROOT:?}/$ID"
  running
  equal "$(property ActiveState)" active
  expect 0 berth delete -f "$ID"
}
test_case "a unit that systemd ended: stopped, and delete forgets the failure" ended_by_systemd

systemctl_stop() {
  running
  systemctl stop "$(unit)"
  eventually status_is "$ID" stopped
  expect 0 berth delete "$ID"
}
test_case "systemctl stop ends the container" systemctl_stop

taken() {
  running
  local pid
  pid=$(berth state "$ID" | jq .pid)
  bundle_at "$D/other" "$FOREVER" "$OWN_CGROUP"
  expect 1 berth --root "$D/state" run -d -b "$D/other" "$ID"
  one_line "$err"
  contains "$err" "$(unit)"
  # and the one that has it lives
  status_is "$ID" running
  [[ $(systemctl show "$(unit)" --property ActiveState --value) = active && -d /proc/$pid ]]
  [[ -z $(ls "$D/state") ]]
  expect 0 berth delete -f "$ID"
}
test_case "a name that is taken: one line, and whoever has it keeps it" taken

failing() {
  bundle '.process.args = ["no-such-program"]' "$OWN_CGROUP"
  expect 1 berth run -b "$B" "$ID"
  contains "$err" no-such-program
  no_unit
  expect 1 berth create -b "$B" "$ID"
  no_unit
  local path
  for path in /box a:b system.slice:x: nonsense:x:y 'a--b.slice:x:y' 'system.slice:x:a b'; do
    bundle ".linux.cgroupsPath = \"$path\""
    expect 1 berth run -b "$B" "$ID"
    one_line "$err"
    contains "$err" cgroupsPath
  done
  # no systemd to ask
  bundle "$OWN_CGROUP"
  # shellcheck disable=SC2016
  expect 1 unshare -m sh -c 'mount -t tmpfs t /run/systemd && mount -t tmpfs t /run/dbus && exec "$@"' sh \
    "$BERTH" --systemd-cgroup --root "$ROOT" run -b "$B" "$ID"
  one_line "$err"
  contains "$err" "there is no systemd to ask"
  [[ ! -e $ROOT/$ID ]]
}
test_case "what cannot be is one line, and leaves nothing" failing

created() {
  bundle '.process.args = ["sh", "-c", "exit 3"]' "$OWN_CGROUP" '.hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", "systemctl show test-\($ID).scope --property ActiveState >\($D)/hook"], env: ["PATH=/usr/bin:/bin"]}]'
  expect 0 berth create -b "$B" "$ID"
  contains "$(<"$D/hook")" ActiveState=active
  equal "$(property ActiveState)" active
  expect 0 berth start "$ID"
  eventually status_is "$ID" stopped
  expect 0 berth delete "$ID"
  no_unit
}
test_case "create, start, delete" created

delegated() {
  v2_only
  chmod 755 "$D"
  running '.linux.namespaces += [{type: "user"}]' '.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]' \
    '.linux.gidMappings = [{containerID: 0, hostID: 100000, size: 65536}]' \
    '(.mounts[] | select(.type == "cgroup") | .options) -= ["ro"]'
  equal "$(stat -c %u "$(directory)" "$(directory)/cgroup.procs" | tr '\n' ' ')" "100000 100000 "
  equal "$(stat -c %u "$(directory)/memory.max")" 0
  expect 0 berth exec "$ID" mkdir /sys/fs/cgroup/sub
  expect 0 berth exec "$ID" sh -c 'echo $$ >/sys/fs/cgroup/sub/cgroup.procs && cat /proc/self/cgroup'
  equal "$out" "0::/sub"
  expect 0 berth delete -f "$ID"
  no_unit
}
test_case "a container with its own writable view of its cgroup may divide it" delegated

killed_run() {
  bundle "$FOREVER" "$OWN_CGROUP"
  berth_in_background run -b "$B" "$ID"
  eventually status_is "$ID" running
  kill -KILL "$pid"
  eventually no_unit
  bundle '.process.args = ["echo", "again"]' "$OWN_CGROUP"
  expect 0 berth run -b "$B" "$ID"
  equal "$out" again
}
test_case "a killed run takes its unit along" killed_run

rootless() {
  v2_only
  systemctl start user@1000.service
  chmod 755 "$D"
  local user=(setpriv --reuid 1000 --regid 1000 --clear-groups env XDG_RUNTIME_DIR=/run/user/1000 HOME=/ "$BERTH" --systemd-cgroup --root "$D/state")
  mkdir "$D/state"
  chown 1000 "$D/state"
  bundle "$FOREVER" "$1" '.linux.namespaces |= map(select(.type != "network"))' '.linux.namespaces += [{type: "user"}]' \
    '.linux.uidMappings = [{containerID: 0, hostID: 1000, size: 1}]' '.linux.gidMappings = [{containerID: 0, hostID: 1000, size: 1}]' \
    '.mounts |= map(select(.type != "sysfs" and .type != "cgroup"))' '.mounts |= map(.options = ((.options // []) - ["gid=5"]))' \
    '.linux.resources = {memory: {limit: 33554432}, pids: {limit: 20}}'
  chmod 755 "$B" "$B/rootfs"
  chown -R 1000 "$B"
  expect 0 "${user[@]}" run -d -b "$B" "$ID"
  local path name
  name=$(jq -r .systemdUnit "$D/state/$ID/state.json")
  path=$(sed -n 's/^0:://p' "/proc/$("${user[@]}" state "$ID" | jq .pid)/cgroup")
  equal "$path" "/user.slice/user-1000.slice/user@1000.service/$2/$name"
  equal "$(cat "/sys/fs/cgroup$path"/{memory.max,pids.max} | tr '\n' ' ')" "33554432 20 "
  expect 0 "${user[@]}" exec "$ID" cat /proc/1/cgroup /proc/self/cgroup
  equal "$(sort -u <<<"$out")" "0::/"
  expect 0 "${user[@]}" update --pids-limit 21 "$ID"
  equal "$(cat "/sys/fs/cgroup$path/pids.max")" 21
  expect 0 "${user[@]}" pause "$ID"
  expect 0 "${user[@]}" resume "$ID"
  expect 0 "${user[@]}" delete -f "$ID"
  [[ ! -e /sys/fs/cgroup$path ]]
}
test_case "rootless: by the user's own systemd, in user.slice below its manager" rootless . user.slice
test_case "rootless: in a slice of one's own" rootless '.linux.cgroupsPath = "mine.slice:test:\($ID)"' mine.slice

others() {
  expect 1 "$BERTH" --systemd-cgroup launch -n 1 /nowhere
  one_line "$err"
  contains "$err" systemd
  expect 0 berth --cgroup-manager systemd list
  expect 1 berth --cgroup-manager zfs list
  one_line "$err"
}
test_case "launch refuses it; --cgroup-manager systemd is the same" others
# Type=notify: systemd-run ends when the unit is active, which is when the container says READY=1.
service() { # [-d]
  local unit="test-$ID.service"
  bundle "$OWN_CGROUP" '.process.terminal = false' \
    '.process.args = ["sh", "-c", "sleep 2; echo > /tmp/ready; /sd_notify send READY=1 && exec sleep 1000"]'
  cp "$WORK/bin/sd_notify" "$B/rootfs/"
  # without the default dependencies: this guest has not begun all that a boot begins, emptying /tmp among it
  expect 0 systemd-run --quiet --unit "$unit" --property Type=notify --property DefaultDependencies=no "$BERTH" --root "$ROOT" "${MANAGER[@]}" run "$@" -b "$B" "$ID"
  [[ -e $B/rootfs/tmp/ready ]] || fail "systemd has not waited for the container"
  equal "$(systemctl show "$unit" --property ActiveState --value)" active
  local main
  main=$(systemctl show "$unit" --property MainPID --value)
  if [[ ${1:-} = -d ]]; then
    equal "$main" "$(berth state "$ID" | jq .pid)" "the main process is the container's"
  else
    equal "$(realpath "/proc/$main/exe")" "$BERTH" "the main process is berth"
  fi
  expect 0 berth kill "$ID" KILL
  eventually gone "$main"
  berth delete -f "$ID"
  systemctl stop "$unit" 2>/dev/null || true
  systemctl reset-failed "$unit" 2>/dev/null || true
}
test_case "a service of Type=notify, in the foreground" service
test_case "a service of Type=notify whose main process is the container's" service -d
finish

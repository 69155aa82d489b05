#!/bin/bash
# shellcheck disable=SC2016
# Properties of config.json beyond the everyday ones. Where runc has them too, the two have to agree
# (rows, as in the table); where it has not, the container is looked at from inside.
. "${BASH_SOURCE%/*}/../lib/check.sh"
. "$TESTS/lib/compare.sh"

# --- tmpcopyup ---------------------------------------------------------------------------------------
TREE='find /srv | sort | while read -r f; do stat -c \"%n %A %u:%g\" $f; done; cat /srv/file /srv/a/b/c; readlink /srv/link'
a_tree() {
  local r=$B/rootfs/srv
  mkdir -p "$r/a/b" && echo file >"$r/file" && echo c >"$r/a/b/c" && ln -s file "$r/link"
  ln -s /etc/passwd "$r/away"
  head -c 100000 /dev/zero >"$r/a/zeroes"
  chmod 751 "$r/a" && chown 5:6 "$r/a/b/c" "$r" && chmod 4755 "$r/a/b/c" && chmod 1777 "$r/a/b"
}
COPY='.mounts += [{destination: "/srv", type: "tmpfs", source: "t", options: ["tmpcopyup", "mode=0755"]}]'
tree_copied() {
  bundle "$ARGS $COPY" "args(\"$TREE\")"
  a_tree
  expect 0 berth run -b "$B" "$ID"
  local copy=$out
  a_tree_expected=$(cd "$B/rootfs" && chroot . /bin/sh -c "${TREE//\\/}")
  # the directory itself is a mount with a mode of its own
  equal "$(sed 1d <<<"$copy")" "$(sed 1d <<<"$a_tree_expected")" "copy"
  equal "$(sed 1q <<<"$copy")" "/srv drwxr-xr-x 0:0"
}
test_case "tmpcopyup: the tmpfs begins with what the image has" tree_copied
row "tmpcopyup: content, as runc copies it" "$COPY" 'args("cat /srv/file /srv/a/b/c; readlink /srv/link; md5sum /srv/a/zeroes; echo new >/srv/new; ls /srv")' before=a_tree users=refused
row "tmpcopyup: read-only afterwards" '.mounts += [{destination: "/srv", type: "tmpfs", source: "t", options: ["tmpcopyup", "ro"]}]' 'args("cat /srv/file; touch /srv/x")' before=a_tree users=refused
row "tmpcopyup: nothing to copy" "$COPY" 'args("ls -A /srv | wc -l")'
copy_stays() {
  bundle "$ARGS $COPY" 'args("echo changed >/srv/file; rm /srv/a/zeroes")'
  a_tree
  expect 0 berth run -b "$B" "$ID"
  equal "$(<"$B/rootfs/srv/file")" file "the image's file"
  [[ -s $B/rootfs/srv/a/zeroes ]] || fail "the image lost a file"
}
test_case "tmpcopyup: what is changed is the copy" copy_stays
test_case "tmpcopyup: is for tmpfs" refuses '"tmpcopyup" is for mounts of type tmpfs' \
  '.mounts += [{destination: "/srv", type: "bind", source: "/tmp", options: ["bind", "tmpcopyup"]}]'

# --- mounts with mapped ids ----------------------------------------------------------------------------
owned() {
  [[ $(stat -f -c %T "$D") != tmpfs || $(uname -r | awk -F. '{ print ($1 * 1000 + $2 >= 6003) }') = 1 ]] ||
    skip "this kernel cannot map the ids of a tmpfs"
  mkdir "$D/src" "$D/src/sub" && touch "$D/src/root" "$D/src/user" && chown 1000:1001 "$D/src/user"
}
MAPPED='{destination: "/mnt", type: "bind", source: ($D + "/src")}'
MAPS='{uidMappings: [{containerID: 0, hostID: 500, size: 2000}], gidMappings: [{containerID: 0, hostID: 600, size: 2000}]}'
idmap() { # OPTIONS WANTED JQ...
  owned
  inside "$2" ".mounts += [$MAPPED + $1]" "${@:3}"
}
LOOK='args("stat -c %u:%g /mnt/root /mnt/user | tr \"\\n\" \" \"")'
test_case "idmap: maps of the mount" idmap "$MAPS + {options: [\"bind\", \"idmap\"]}" "500:600 1500:1601 " "$LOOK"
test_case "idmap: maps without the word" idmap "$MAPS + {options: [\"bind\"]}" "500:600 1500:1601 " "$LOOK"
test_case "idmap: maps of the container" idmap '{options: ["rbind", "ridmap"]}' "0:0 1000:1001 " "$USERNS" "$LOOK"
test_case "idmap: without it files belong to nobody" idmap '{options: ["rbind"]}' "65534:65534 65534:65534 " "$USERNS" "$LOOK"
idmap_new_files() {
  owned && chmod 777 "$D/src/sub"
  inside 7 ".mounts += [$MAPPED + {options: [\"bind\", \"idmap\"]}]" "$USERNS" \
    '.process.user = {uid: 7, gid: 8} | args("id -u; touch /mnt/sub/new")'
  equal "$(stat -c %u:%g "$D/src/sub/new")" 7:8 "owner on the host"
}
test_case "idmap: new files are on the disk as they are inside" idmap_new_files
idmap_joined() {
  owned
  local holder r=0
  hold_user_namespace "0 3000 2000" "0 4000 2000"
  (inside "0:0 1000:1001 " '.mounts += ['"$MAPPED"' + {options: ["bind", "idmap"]}]' \
    ".linux.namespaces += [{type: \"user\", path: \"/proc/$holder/ns/user\"}]" "$LOOK") || r=$?
  kill "$holder"
  return $r
}
test_case "idmap: maps of a joined user namespace" idmap_joined
no_maps() { owned && refuses 'no user namespace whose maps' ".mounts += [$MAPPED + {options: [\"bind\", \"idmap\"]}]"; }
test_case "idmap: needs maps" no_maps

# --- other words of mounts, which runc 1.1 refuses -------------------------------------------------------
test_case "mounts: the word defaults says nothing" inside "rw,relatime" \
  '.mounts += [{destination: "/mnt", type: "tmpfs", source: "t", options: ["defaults"]}]' 'args("grep /mnt /proc/self/mountinfo | cut -d\" \" -f6")'
atime_again() { # WORD
  mkdir -p "$D/src/below"
  mount -t tmpfs -o "$2" t "$D/src/below"
  (inside "rw,relatime" ".mounts += [{destination: \"/mnt\", source: (\$D + \"/src\"), options: [\"rbind\", \"$1\"]}]" \
    'args("grep /mnt/below /proc/self/mountinfo | cut -d\" \" -f6")')
  umount "$D/src/below"
}
test_case "mounts: ratime takes noatime from the mounts below" atime_again ratime noatime
test_case "mounts: rnostrictatime takes strictatime from the mounts below" atime_again rnostrictatime strictatime
test_case "mounts: a relative destination is in the root" inside "/srv/here tmpfs" \
  '.mounts += [{destination: "srv/here", type: "tmpfs", source: "t"}]' 'args("grep /here /proc/self/mounts | cut -d\" \" -f2,3")'
remount() {
  bundle '.mounts += [{destination: "/proc", type: "proc", source: "proc", options: ["remount", "ro"]}]'
  expect 1 berth run -b "$B" "$ID"
  one_line "$err"
  contains "$err" '"remount" is not supported'
  mkdir "$D/src"
  inside ro '.mounts += [{destination: "/mnt", source: ($D + "/src"), options: ["bind", "remount", "ro"]}]' \
    'args("grep /mnt /proc/self/mountinfo | cut -d\" \" -f6 | cut -d, -f1")'
}
test_case "mounts: remount adds nothing beside bind, and is refused without" remount

# --- devices ------------------------------------------------------------------------------------------
another_file() {
  bundle '.linux.devices = [{path: "/srv/mine", type: "c", major: 1, minor: 3}]'
  mkdir "$B/rootfs/srv"
  echo data >"$B/rootfs/srv/mine"
  try berth run -b "$B" "$ID"
  [[ $status != 0 ]] || fail "it was not refused"
  one_line "$err"
  contains "$err" "/srv/mine"
  equal "$(<"$B/rootfs/srv/mine")" data "the file"
  # and what matches is taken
  bundle '.linux.devices = [{path: "/srv/mine", type: "c", major: 1, minor: 3}] | .process.args = ["stat", "-c", "%t:%T", "/srv/mine"]'
  mkdir "$B/rootfs/srv" && mknod "$B/rootfs/srv/mine" c 1 3
  expect 0 berth run -b "$B" "$ID"
  equal "$out" 1:3 "numbers of the node"
}
test_case "devices: another file in the place of one is an error" another_file

# --- propagation of the root --------------------------------------------------------------------------
# The bundle is on a shared mount of the host's. What the root is inside, and what passes either way.
propagation() { # WORD FIELDS FROM-HOST
  bundle "$ARGS .linux.rootfsPropagation = \"$1\"" \
    '.process.capabilities = (["bounding", "effective", "permitted"] | map({(.): ["CAP_SYS_ADMIN"]}) | add)' \
    'args("awk \"\\$5 == \\\"/\\\"\" /proc/self/mountinfo | cut -d\" \" -f7- | sed \"s/ *- .*//; s/:[0-9]*//g\";
      mount -t tmpfs x /mnt; touch /mnt/inside /home/ready;
      for i in $(seq 100); do [ -e /srv/go ] && break; usleep 50000; done; ls /srv")'
  mount --bind "$B" "$B"
  mount --make-shared "$B"
  local r=0
  (passes "$@") || r=$?
  umount -R "$B"
  return $r
}
passes() {
  mkdir "$B/rootfs/srv"
  berth_in_background run -b "$B" "$ID" >"$D/printed"
  eventually test -e "$B/rootfs/home/ready"
  [[ ! -e $B/rootfs/mnt/inside ]] || fail "a mount of the container is on the host"
  mount -t tmpfs y "$B/rootfs/srv"
  touch "$B/rootfs/srv/from-host" "$B/rootfs/srv/go"
  [[ $3 ]] || { umount "$B/rootfs/srv" && touch "$B/rootfs/srv/go"; }
  wait "$pid"
  equal "$(sed 1q "$D/printed")" "$2" "propagation of the root"
  equal "$(grep -c from-host "$D/printed")" "${3:-0}" "mounts of the host that came along"
}
test_case "rootfsPropagation: shared, and not with the host" propagation shared "shared" ""
test_case "rootfsPropagation: slave" propagation slave "master" 1
test_case "rootfsPropagation: private" propagation private "" ""
test_case "rootfsPropagation: unbindable" propagation unbindable "unbindable" ""

# --- limits of devices and pieces ---------------------------------------------------------------------
# Where a controller is: the directory of v1, else the mount of v2.
v2=$(awk '{ for (i = 7; i < NF; i++) if ($i == "-" && $(i + 1) == "cgroup2") print $5 }' /proc/self/mountinfo | tail -1)
is_v1() { [[ -e /sys/fs/cgroup/$1/cgroup.procs && $v2 != /sys/fs/cgroup ]]; }
offers() { # V1-CONTROLLER V2-CONTROLLER
  is_v1 "$1" || { [[ $v2 ]] && grep -qw "$2" "$v2/cgroup.controllers"; }
}
# The value of a limit of the running container $ID.
limit() { # CONTROLLER V1-FILE V2-FILE
  local pid
  pid=$(berth state "$ID" | jq .pid)
  if is_v1 "$1"; then
    cat "/sys/fs/cgroup/$1$(awk -F: -v c="$1" '$2 == c { print $3 }' "/proc/$pid/cgroup")/$2"
  else
    cat "$v2$(sed -n 's/^0:://p' "/proc/$pid/cgroup")/$3"
  fi
}
limited() { # JQ
  bundle "$FOREVER" "$1"
  expect 0 berth run -d -b "$B" "$ID"
}
# a block device that the kernel takes limits for
a_disk() {
  local name
  for name in /sys/block/*; do [[ -e $name/dev && $name != */zram* ]] && cat "$name/dev" && return; done
  return 1
}
disk_rates() {
  offers blkio io || skip "no controller for block devices"
  local disk file
  disk=$(a_disk) || skip "no block device"
  limited ".linux.resources.blockIO = ({major: ${disk%:*}, minor: ${disk#*:}} | {throttleReadBpsDevice: [. + {rate: 1048576}],
    throttleWriteBpsDevice: [. + {rate: 2097152}], throttleReadIOPSDevice: [. + {rate: 66}], throttleWriteIOPSDevice: [. + {rate: 77}]})"
  if is_v1 blkio; then
    for file in read_bps:1048576 write_bps:2097152 read_iops:66 write_iops:77; do
      equal "$(limit blkio "blkio.throttle.${file%:*}_device" '')" "$disk ${file#*:}"
    done
  else
    equal "$(limit blkio '' io.max)" "$disk rbps=1048576 wbps=2097152 riops=66 wiops=77"
  fi
  expect 0 berth delete -f "$ID"
}
test_case "block devices: rates" disk_rates
disk_weights() {
  offers blkio io || skip "no controller for block devices"
  local disk r=0
  disk=$(a_disk) || skip "no block device"
  if is_v1 blkio; then
    [[ $(find /sys/fs/cgroup/blkio -maxdepth 2 -name blkio.bfq.weight) ]] || skip "this kernel weighs no block devices"
  else
    # who weighs has to be asked, for each device
    { echo "$disk enable=1" >"$v2/io.cost.qos"; } 2>/dev/null || skip "this kernel weighs no block devices"
  fi
  (
    limited ".linux.resources.blockIO = {weight: 600, weightDevice: [{major: ${disk%:*}, minor: ${disk#*:}, weight: 300}]}"
    if is_v1 blkio; then
      equal "$(limit blkio blkio.bfq.weight '')" 600
      contains "$(limit blkio blkio.bfq.weight_device '')" "$disk 300"
    else
      # 10 to 1000 is 1 to 10000 there
      equal "$(limit blkio '' io.weight)" "default 5960
$disk 2930"
    fi
    expect 0 berth delete -f "$ID"
  ) || r=1
  is_v1 blkio || echo "$disk enable=0" >"$v2/io.cost.qos"
  return $r
}
test_case "block devices: weights" disk_weights
huge_pages() {
  offers hugetlb hugetlb || { refuses 'hugepageLimits: no hugetlb controller' \
    '.linux.resources.hugepageLimits = [{pageSize: "2MB", limit: 4194304}]' && return; }
  limited '.linux.resources.hugepageLimits = [{pageSize: "2MB", limit: 4194304}]'
  equal "$(limit hugetlb hugetlb.2MB.limit_in_bytes hugetlb.2MB.max)" 4194304
  equal "$(limit hugetlb hugetlb.2MB.rsvd.limit_in_bytes hugetlb.2MB.rsvd.max)" 4194304
  expect 0 berth delete -f "$ID"
}
test_case "huge pages: limited, or refused where the controller is missing" huge_pages
test_case "block devices: a weight of a scheduler that is gone" refuses 'blockIO.leafWeight: not supported' \
  '.linux.resources.blockIO = {leafWeight: 100}'

# --- scheduling and place -----------------------------------------------------------------------------
# fields of stat: 18 priority, 19 nice, 41 policy
test_case "scheduler: batch, with a nice value" inside "7 3" \
  '.process.scheduler = {policy: "SCHED_BATCH", nice: 7}' 'args("cut -d\" \" -f19,41 /proc/self/stat")'
realtime() { # POLICY NUMBER
  local time=.
  # a kernel whose groups have real-time shares: without one nobody in the group is scheduled
  [[ ! -e /sys/fs/cgroup/cpu/cpu.rt_runtime_us ]] || time='.linux.resources.cpu = {realtimeRuntime: 1000, realtimePeriod: 500000}'
  bundle "$FOREVER" ".process.scheduler = {policy: \"$1\", priority: 3}" "$time"
  try berth run -d -b "$B" "$ID"
  # there may be no time left to give, and containers may have no right
  [[ $status = 0 ]] || { one_line "$err" && grep -Eq 'process.scheduler|cpu.rt_' <<<"$err" && return; }
  equal "$(cut -d' ' -f18,41 "/proc/$(berth state "$ID" | jq .pid)/stat")" "-4 $2" "priority and policy"
  expect 0 berth delete -f "$ID"
}
test_case "scheduler: first in, first out" realtime SCHED_FIFO 1
test_case "scheduler: round robin" realtime SCHED_RR 2
test_case "scheduler: other, with a nice value" inside "5 0" \
  '.process.scheduler = {policy: "SCHED_OTHER", nice: 5}' 'args("cut -d\" \" -f19,41 /proc/self/stat")'
test_case "scheduler: idle" inside "0 5" \
  '.process.scheduler = {policy: "SCHED_IDLE"}' 'args("cut -d\" \" -f19,41 /proc/self/stat")'
scheduler_flags() {
  bundle "$FOREVER" '.process.scheduler = {policy: "SCHED_BATCH", flags: ["SCHED_FLAG_RESET_ON_FORK"]}'
  expect 0 berth run -d -b "$B" "$ID"
  contains "$(chrt -p "$(berth state "$ID" | jq .pid)")" "SCHED_BATCH|SCHED_RESET_ON_FORK"
  expect 0 berth delete -f "$ID"
}
test_case "scheduler: flags" scheduler_flags
deadline() {
  bundle "$FOREVER" '.process.scheduler = {policy: "SCHED_DEADLINE", runtime: 1000000, deadline: 20000000, period: 30000000}'
  try berth run -d -b "$B" "$ID"
  # the kernel may have no time to promise, or promise it only to who may use every CPU
  [[ $status = 0 ]] || { one_line "$err" && contains "$err" process.scheduler && return; }
  contains "$(chrt -p "$(berth state "$ID" | jq .pid)")" "1000000/20000000/30000000"
  expect 0 berth delete -f "$ID"
}
test_case "scheduler: deadline, with runtime, deadline and period" deadline
test_case "scheduler: a policy that the kernel has not" refuses process.scheduler '.process.scheduler = {policy: "SCHED_ISO"}'
io_priority() { # CLASS PRIORITY WORDS
  bundle "$FOREVER" ".process.ioPriority = {class: \"$1\", priority: $2}"
  expect 0 berth run -d -b "$B" "$ID"
  contains "$(ionice -p "$(berth state "$ID" | jq .pid)")" "$3"
  expect 0 berth exec "$ID" true
  expect 0 berth delete -f "$ID"
}
test_case "ioPriority: of the container's process" io_priority IOPRIO_CLASS_IDLE 0 idle
test_case "ioPriority: best effort, with a priority" io_priority IOPRIO_CLASS_BE 6 "best-effort: prio 6"
test_case "ioPriority: real time" io_priority IOPRIO_CLASS_RT 2 "realtime: prio 2"
two_cpus() { [[ $(nproc) -ge 2 ]] || skip "one CPU"; }
exec_affinity() {
  two_cpus
  local last
  last=$(($(nproc --all) - 1))
  bundle "$FOREVER" '.process.execCPUAffinity = {initial: "0", final: "'$last'"}'
  expect 0 berth run -d -b "$B" "$ID"
  expect 0 berth exec "$ID" grep Cpus_allowed_list /proc/self/status
  equal "${out##*[[:space:]]}" "$last" "CPUs of exec"
  grep Cpus_allowed_list "/proc/$(berth state "$ID" | jq .pid)/status" >"$D/first"
  [[ $(awk '{ print $2 }' "$D/first") != "$last" ]] || fail "the container's first process is bound, too"
  expect 0 berth delete -f "$ID"
}
test_case "execCPUAffinity: binds exec, not the container" exec_affinity
exec_initial() {
  two_cpus
  bundle "$FOREVER" '.process.execCPUAffinity = {initial: "0"}'
  expect 0 berth run -d -b "$B" "$ID"
  expect 0 berth exec "$ID" grep Cpus_allowed_list /proc/self/status
  equal "${out##*[[:space:]]}" 0 "CPUs of exec"
  expect 0 berth delete -f "$ID"
}
test_case "execCPUAffinity: without a final one the first stays" exec_initial
exec_affinity_bad() {
  bundle "$FOREVER" '.process.execCPUAffinity = {final: "8000"}'
  expect 0 berth run -d -b "$B" "$ID"
  try berth exec "$ID" true
  [[ $status != 0 ]] || fail "it was not refused"
  one_line "$err"
  expect 0 berth delete -f "$ID"
}
test_case "execCPUAffinity: a CPU that is not there" exec_affinity_bad
test_case "personality: 32 bits" inside i686 '.linux.personality = {domain: "LINUX32"}' '.process.args = ["busybox", "uname", "-m"]'
test_case "personality: 64 bits" inside "$(uname -m)" '.linux.personality = {domain: "LINUX"}' '.process.args = ["busybox", "uname", "-m"]'
memory_policy() {
  bundle "$ARGS"'.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES"]}' \
    'args("cut -d\" \" -f2 /proc/self/numa_maps | sort -u")'
  [[ -e /proc/self/numa_maps ]] || skip "no NUMA in this kernel"
  expect 0 berth run -b "$B" "$ID"
  contains "$out" "bind=static:0"
}
test_case "memoryPolicy: where pages come from" memory_policy
test_case "memoryPolicy: a node that is not there" refuses "memoryPolicy" '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "63"}'

TIME_NS='.linux.namespaces += [{type: "time"}]'
time_offsets() {
  [[ -e /proc/self/ns/time ]] || skip "no time namespaces"
  bundle "$ARGS $TIME_NS" '.linux.timeOffsets = {monotonic: {secs: 1000000}, boottime: {secs: 2000000, nanosecs: 5}}' \
    'args("echo $$; cut -d. -f1 /proc/uptime; cat /proc/self/timens_offsets; readlink /proc/self/ns/time; set -- $(cat /proc/self/stat); echo $6")'
  local now
  now=$(cut -d. -f1 /proc/uptime)
  expect 0 berth run -b "$B" "$ID"
  mapfile -t line <<<"$out"
  equal "${line[0]}" 1 "number of the first process"
  ((line[1] >= now + 2000000 && line[1] < now + 2000060)) || fail "the container is up for ${line[1]} s"
  equal "$(tr -s " " <<<"${line[2]} / ${line[3]}")" "monotonic 1000000 0 / boottime 2000000 5"
  [[ ${line[4]} != "$(readlink /proc/self/ns/time)" ]] || fail "not in a namespace of its own"
  equal "${line[5]}" 1 "session"
}
test_case "timeOffsets: the container's clocks" time_offsets
time_offsets_user() {
  [[ -e /proc/self/ns/time ]] || skip "no time namespaces"
  inside 7777 "$TIME_NS | $USERNS" '.linux.timeOffsets = {boottime: {secs: 7777}}' \
    'args("awk \"/boottime/ { print \\$2 }\" /proc/self/timens_offsets")'
}
test_case "timeOffsets: in a user namespace" time_offsets_user
time_offsets_exec() {
  [[ -e /proc/self/ns/time ]] || skip "no time namespaces"
  bundle "$FOREVER" "$TIME_NS" '.linux.timeOffsets = {boottime: {secs: 7777}}'
  expect 0 berth create -b "$B" "$ID"
  expect 0 berth start "$ID"
  expect 0 berth exec "$ID" cut -d. -f1 /proc/uptime
  ((out > 7777)) || fail "exec is up for $out s"
  expect 0 berth delete -f "$ID"
}
test_case "timeOffsets: create, start, exec" time_offsets_exec
test_case "timeOffsets: need a namespace" refuses "needs a new time namespace" '.linux.timeOffsets = {boottime: {secs: 1}}'

# --- names, capabilities ------------------------------------------------------------------------------
test_case "domainname: of the container's namespace" inside example '.domainname = "example" | args("cat /proc/sys/kernel/domainname")'
unknown_capability() {
  bundle '.process.capabilities |= (.bounding += ["CAP_NONSENSE"] | .permitted += ["CAP_NONSENSE", "CAP_TWO"]) | .process.args = ["echo", "hi"]'
  expect 0 berth run -b "$B" "$ID"
  equal "$out" hi "output"
  one_line "$err"
  contains "$err" "warning: process.capabilities"
  contains "$err" "CAP_NONSENSE, CAP_TWO"
}
test_case "capabilities: one that nobody knows is warned of" unknown_capability

# --- namespaces of others that are rarely joined --------------------------------------------------------
# A process in a namespace of its own: the container's is that one.
joins_namespace() { # TYPE FILE UNSHARE-OPTION
  [[ -e /proc/self/ns/$2 ]] || skip "no $1 namespaces"
  local holder r=0
  unshare "$3" --fork sleep 100 &
  holder=$!
  child_of_it() { child=$(cat "/proc/$holder/task/$holder/children") && [[ $child && $(cat "/proc/${child% }/comm") = sleep ]]; }
  eventually child_of_it
  child=${child% }
  (inside "$(readlink "/proc/$child/ns/$2")" ".linux.namespaces |= map(select(.type != \"$1\")) + [{type: \"$1\", path: \"/proc/$child/ns/$2\"}]" \
    "args(\"readlink /proc/self/ns/$2\")") || r=$?
  kill "$child"
  wait "$holder" || :
  return $r
}
test_case "namespaces: joins a mount namespace" joins_namespace mount mnt --mount
test_case "namespaces: joins a cgroup namespace" joins_namespace cgroup cgroup --cgroup
test_case "namespaces: joins a time namespace" joins_namespace time time --time

# --- security modules ---------------------------------------------------------------------------------
apparmor() {
  if [[ $(cat /sys/module/apparmor/parameters/enabled 2>/dev/null) = Y ]]; then
    refuses 'security module has no profile' '.process.apparmorProfile = "no-such-profile-of-berth"'
    inside unconfined '.process.apparmorProfile = "unconfined"' 'args("cat /proc/self/attr/apparmor/current")'
  else
    refuses 'runs without AppArmor' '.process.apparmorProfile = "docker-default"'
    inside hi '.process.apparmorProfile = "unconfined"' '.process.args = ["echo", "hi"]'
  fi
}
test_case "apparmorProfile: applied, or refused without AppArmor" apparmor
selinux() {
  ! grep -qw selinuxfs /proc/filesystems || skip "SELinux: its policy decides"
  refuses 'selinuxLabel: "system_u:system_r:container_t:s0": this kernel runs without SELinux' \
    '.process.selinuxLabel = "system_u:system_r:container_t:s0"'
  refuses 'mountLabel: "system_u:object_r:container_file_t:s0": this kernel runs without SELinux' \
    '.linux.mountLabel = "system_u:object_r:container_file_t:s0"'
}
labels_of_exec() {
  [[ $(cat /sys/module/apparmor/parameters/enabled 2>/dev/null) != Y ]] || skip "AppArmor: its profiles decide"
  ! grep -qw selinuxfs /proc/filesystems || skip "SELinux: its policy decides"
  bundle "$FOREVER"
  expect 0 berth run -d -b "$B" "$ID"
  try berth exec --apparmor docker-default "$ID" true
  contains "$err" "runs without AppArmor"
  try berth exec --process-label system_u:system_r:container_t:s0 "$ID" true
  contains "$err" "runs without SELinux"
  expect 0 berth exec --apparmor unconfined "$ID" true
  expect 0 berth delete -f "$ID"
}
test_case "labels of exec: refused where they mean nothing" labels_of_exec
test_case "selinuxLabel and mountLabel: refused without SELinux" selinux

ambient_too_much() {
  bundle '.process.capabilities.inheritable = ["CAP_KILL"] | .process.capabilities.ambient = ["CAP_KILL", "CAP_CHOWN"]' \
    '.process.args = ["grep", "CapAmb", "/proc/self/status"]'
  expect 0 berth run -b "$B" "$ID"
  contains "$out" 0000000000000020
  one_line "$err"
  contains "$err" "can't raise ambient capability CAP_CHOWN"
}
test_case "capabilities: one that cannot be ambient is warned of" ambient_too_much

# --- network devices ----------------------------------------------------------------------------------
# In a network namespace of its own, with a pair of devices, both of which have addresses.
in_own_network() { # FUNCTION ARGUMENT...
  type -P ip >/dev/null || skip "no ip"
  unshare -n sh -c 'ip link add here0 type veth peer name there0' 2>/dev/null || skip "no veth in this kernel"
  unshare -n sleep 60 &
  local holder=$!
  other_network() { [[ $(readlink "/proc/$holder/ns/net") != "$(readlink /proc/self/ns/net)" ]]; }
  eventually other_network
  in_net() { nsenter -t "$holder" -n "$@"; }
  in_net ip link add here0 type veth peer name there0
  in_net ip addr add 192.0.2.7/24 dev here0
  in_net ip addr add 2001:db8::7/64 dev here0 nodad
  in_net ip addr add 127.7.7.7/8 scope host dev here0
  in_net ip link set here0 up
  in_net ip link set there0 up
  "$@"
  kill "$holder"
}
moves() { # WANTED-NAME VALUE
  bundle "$ARGS ." '.linux.netDevices = {here0: '"$2"'}' 'args("ip -o addr show")'
  expect 0 in_net "$BERTH" --root "$ROOT" run -b "$B" "$ID"
  contains "$out" "$1"
  contains "$(grep "$1" <<<"$out")" "192.0.2.7/24"
  contains "$(grep "$1" <<<"$out")" "2001:db8::7/64"
  [[ $out != *127.7.7.7* ]] || fail "an address of the host went along: $out"
  # veth goes away with the container's network
  ! in_net ip link show here0 >/dev/null 2>&1 || fail "here0 is still here"
}
test_case "netDevices: moved with its addresses" in_own_network moves here0 '{}'
test_case "netDevices: with another name" in_own_network moves inside0 '{name: "inside0"}'
test_case "netDevices: with a name that the kernel counts" in_own_network moves net0 '{name: "net%d"}'
moves_up() {
  bundle "$ARGS ." '.linux.netDevices = {here0: {}}' 'args("cat /sys/class/net/here0/carrier")'
  expect 0 in_net "$BERTH" --root "$ROOT" run -b "$B" "$ID"
  equal "$out" 1 "carrier"
}
test_case "netDevices: is up" in_own_network moves_up
moves_user() {
  bundle "$ARGS ." '.linux.netDevices = {here0: {}}' "$USERNS" 'args("ip -o addr show dev here0")'
  expect 0 in_net "$BERTH" --root "$ROOT" run -b "$B" "$ID"
  contains "$out" "192.0.2.7/24"
}
test_case "netDevices: into the network of a user namespace" in_own_network moves_user
no_move() { # WORDS VALUE
  bundle ". | .linux.netDevices = $2"
  try in_net "$BERTH" --root "$ROOT" run -b "$B" "$ID"
  [[ $status != 0 ]] || fail "it was not refused"
  one_line "$err"
  contains "$err" "$1"
}
test_case "netDevices: one that is not there" in_own_network no_move "netDevices.eth9: No such device" '{eth9: {}}'
test_case "netDevices: a name that is taken" in_own_network no_move 'has a device "lo" already' '{here0: {name: "lo"}}'

finish

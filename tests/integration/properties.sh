#!/bin/bash
# shellcheck disable=SC2016
# Properties of config.json beyond the everyday ones. Where runc has them too, the two have to agree
# (rows, as in the table); where it has not, the container is looked at from inside.
. "${BASH_SOURCE%/*}/../lib/check.sh"
. "$TESTS/lib/compare.sh"

# inside WANTED-OUTPUT JQ...: what the container prints
inside() {
  bundle "$ARGS ${*:2:1}" "${@:3}"
  expect 0 berth run -b "$B" "$ID"
  equal "$out" "$1" "output"
}

# refuses PART-OF-SENTENCE JQ...: one line, no container
refuses() {
  bundle "$ARGS ${*:2:1}" "${@:3}"
  try berth run -b "$B" "$ID"
  [[ $status != 0 ]] || fail "it was not refused"
  one_line "$err"
  contains "$err" "$1"
  equal "$out" "" "output"
}

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
row "tmpcopyup: content, as runc copies it" "$COPY" 'args("cat /srv/file /srv/a/b/c; readlink /srv/link; md5sum /srv/a/zeroes; echo new >/srv/new; ls /srv")' before=a_tree
row "tmpcopyup: read-only afterwards" '.mounts += [{destination: "/srv", type: "tmpfs", source: "t", options: ["tmpcopyup", "ro"]}]' 'args("cat /srv/file; touch /srv/x")' before=a_tree
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
  skip "no block device"
}
disk_rates() {
  offers blkio io || skip "no controller for block devices"
  local disk
  disk=$(a_disk)
  limited ".linux.resources.blockIO = {throttleReadBpsDevice: [{major: ${disk%:*}, minor: ${disk#*:}, rate: 1048576}],
    throttleWriteIOPSDevice: [{major: ${disk%:*}, minor: ${disk#*:}, rate: 77}]}"
  contains "$(limit blkio blkio.throttle.read_bps_device io.max)" 1048576
  contains "$(limit blkio blkio.throttle.write_iops_device io.max)" 77
  expect 0 berth delete -f "$ID"
}
test_case "block devices: rates" disk_rates
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

finish

#!/bin/bash
# shellcheck disable=SC2016
# Mounts of config.json: flags of bind mounts, sources and places that are hard to reach, what passes to the host.
# Where runc 1.2 and newer have a rule of their own it is theirs (Debian's runc is older).
. "${BASH_SOURCE%/*}/../lib/check.sh"
. "$TESTS/lib/compare.sh"

CAN_MOUNT='.process.capabilities = (["bounding", "effective", "permitted"] | map({(.): ["CAP_SYS_ADMIN", "CAP_SETFCAP"]}) | add)'

# inside WANTED-OUTPUT JQ...: what the container prints
inside() {
  bundle "$ARGS ${*:2:1}" "${@:3}"
  expect 0 berth run -b "$B" "$ID"
  equal "$out" "$1" "output"
}

# --- flags of bind mounts -----------------------------------------------------------------------------
# The source is a mount with flags of its own, as `mount -o remount,bind` sets them. What the mount in the container
# has, in the words of /proc/self/mounts; in the last column the same in a user namespace, where the kernel keeps the
# flags of the host's mounts, or "-" if what the options say cannot be had there.
flags() { # SOURCE-FLAGS OPTIONS WANTED WANTED-IN-A-USER-NAMESPACE
  mkdir "$D/src"
  mount -t tmpfs -o strictatime x "$D/src"
  mount --bind -o remount,diratime,atime,strictatime "$D/src"
  [[ $1 = - ]] || mount --bind -o "remount,$1" "$D/src"
  local r=0
  (flags_inside "$2" "$3" .) || r=1
  (flags_inside "$2" "$4" "$USERNS") || r=1
  umount "$D/src"
  return $r
}
flags_inside() { # OPTIONS WANTED JQ
  bundle "$ARGS $3" '.mounts += [{destination: "/mnt", type: "bind", source: ($D + "/src"), options: ("'"$1"'" | split(","))}]' \
    'args("while read -r _ place _ flags _; do [ $place != /mnt ] || echo $flags; done </proc/self/mounts")'
  if [[ $2 = - ]]; then
    expect 1 berth run -b "$B" "$ID"
    one_line "$err"
    contains "$err" "error mounting \"$D/src\""
    contains "$err" "operation not permitted"
  else
    expect 0 berth run -b "$B" "$ID"
    out=${out%%,size=*}
    equal "${out%,inode64}" "$2" "flags${3#.}" # of the tmpfs, on some kernels
  fi
}
flags_row() { test_case "bind flags: $2 of ${1/#-/a plain mount}" flags "$@"; }
flags_row ro,noexec,nodiratime bind ro,noexec,nodiratime,relatime ro,noexec,nodiratime,relatime
flags_row ro,noexec,nodiratime bind,dev rw,nodiratime,relatime ro,noexec,nodiratime,relatime
flags_row ro bind,rprivate,nosuid,nodev rw,nosuid,nodev ro,nosuid,nodev
flags_row ro bind,rw rw -
flags_row nosuid,nodev,noexec,noatime bind,dev,suid,exec,atime rw,noatime -
flags_row nodev,nosymfollow bind,ro,symfollow ro ro,nodev
flags_row nodev,nosymfollow bind,rw rw rw,nodev
flags_row nosuid,nodev,noexec bind,ro ro ro,nosuid,nodev,noexec
flags_row nodev,nosuid,noatime bind,ro,exec ro,noatime ro,nosuid,nodev,noatime
flags_row noatime bind,nodiratime rw,nodiratime,relatime -
flags_row noatime bind,relatime rw,relatime -
flags_row noatime,nodiratime bind,norelatime rw,noatime,nodiratime rw,noatime,nodiratime
flags_row nodiratime bind,strictatime rw -
flags_row - bind,nodiratime,strictatime rw,nodiratime -
flags_row - bind,noatime,atime rw rw
flags_row - rbind,ro,rnosuid ro,nosuid ro,nosuid

flags_stay() { # JQ: a container cannot take back what the host's mount says
  mkdir -m "$1" "$D/up"
  mkdir "$D/up/src"
  mount -t tmpfs x "$D/up/src"
  mount --bind -o remount,ro "$D/up/src"
  local r=0
  (
    bundle "$ARGS $USERNS | $CAN_MOUNT" '.mounts += [{destination: "/mnt", type: "bind", source: ($D + "/up/src")}]' \
      'args("mount -o remount,bind,rw /mnt 2>/dev/null || echo refused; touch /mnt/x 2>&1 || :")'
    ln -s busybox "$B/rootfs/bin/mount"
    expect 0 berth run -b "$B" "$ID"
    equal "$out" "refused
touch: /mnt/x: Read-only file system"
  ) || r=1
  umount "$D/up/src"
  return $r
}
test_case "bind flags: those of the host are locked in a user namespace" flags_stay 755
test_case "bind flags: also of a source that only the host's root can reach" flags_stay 700

# --- sources ------------------------------------------------------------------------------------------
# Each step of the way is made by a mount before it, some in the rootfs itself; bind-src is closed to all but root.
BIND='def bind($from; $to; $how): .mounts += [{source: $from, destination: $to, type: "bind", options: ["rprivate", $how[]]}];'
in_order() { # OPTIONS JQ...
  local dir
  for dir in a/x b/y c/z; do
    mkdir -p "$D/src/$dir" && echo "$dir" >"$D/src/$dir/file" && ln -s "${dir%/*}" "$D/src/to-${dir%/*}"
  done
  chmod o-rwx "$D/src"
  inside a/x "$BIND ${2:-.}" 'bind($D + "/src/a"; "/mnt"; ["bind"]) | bind($D + "/src/to-b"; "/mnt/x"; ["bind"])' \
    'bind($D + "/src/c"; "/mnt/x/y"; ["bind"]) | bind($D + "/src/to-a"; "/mnt/x/y/z"; ["bind"])' \
    'bind($B + "/rootfs/mnt/x"; $B + "/rootfs/mnt/x/y/z/x"; '"$1"')' \
    'bind($B + "/rootfs/mnt/x/y"; $B + "/rootfs/mnt/x/y/z"; '"$1"')' \
    'bind($B + "/rootfs/mnt"; $B + "/rootfs/home"; '"$1"')' "${@:3}" 'args("cat /home/x/y/z/z/x/y/z/x/file")'
}
in_order_mapped() {
  [[ $(stat -f -c %T "$D") != tmpfs || $(uname -r | awk -F. '{ print ($1 * 1000 + $2 >= 6003) }') = 1 ]] ||
    skip "this kernel cannot map the ids of a tmpfs"
  in_order '["rbind", "idmap"]' "$@" '.mounts |= map(if .options | index("idmap") then
    .uidMappings = [{containerID: 0, hostID: 5, size: 65536}] | .gidMappings = .uidMappings else . end)'
}
test_case "sources: below mounts that were made before" in_order '["rbind"]'
test_case "sources: ... that only the host's root can reach" in_order '["rbind"]' "$USERNS"
test_case "sources: ... with mapped ids" in_order_mapped .
test_case "sources: ... with mapped ids, that only the host's root can reach" in_order_mapped "$USERNS"
inside_missing() {
  bundle "$ARGS $USERNS" '.mounts += [{destination: "/mnt", type: "bind", source: ($D + "/up/missing")}]'
  mkdir -m 700 "$D/up"
  expect 1 berth run -b "$B" "$ID"
  one_line "$err"
  contains "$err" "\"$D/up/missing\""
  contains "$err" "No such file or directory"
}
test_case "sources: one that is missing where only the host's root can look" inside_missing

# --- places -------------------------------------------------------------------------------------------
PLACE='.mounts += [{destination: "/etc/place", type: "bind", source: $D, options: ["rbind"]}] | args("ls /etc/place/given")'
FILE_PLACE='.mounts += [{destination: "/etc/place", type: "bind", source: ($D + "/given"), options: ["bind"]}] | args("cat /etc/place")'
place() { # WHERE-IT-IS-MADE JQ TARGET [LINK TARGET]...: links in the rootfs, the last one is /etc/place
  echo found >"$D/given"
  bundle "$ARGS $2"
  local made=$1
  ln -s "$3" "$B/rootfs/etc/place"
  shift 3
  while [[ $# -gt 0 ]]; do
    mkdir -p "$B/rootfs/${1%/*}" && ln -s "$2" "$B/rootfs/$1"
    shift 2
  done
  try berth run -b "$B" "$ID"
  [[ $made ]] || return 0
  [[ $status = 0 ]] || fail "$err"
  [[ -e $B/rootfs/$made ]] || fail "/$made was not made"
}
test_case "places: a directory where a link points to, to nothing" place new/dir "$PLACE" /new/dir
test_case "places: a file there" place new/dir/file "$FILE_PLACE" /new/dir/file
test_case "places: by a relative link" place new/dir/file "$FILE_PLACE" ../new/dir/file
test_case "places: by several links" place tmp/foo/bar/baz/file "$FILE_PLACE" /jump/baz/file /jump ../tmp/foo/bar
test_case "places: through what exists by a link" place home/x/file "$FILE_PLACE" /other/x/file /other home
outside() { # TARGET
  local name=berth-outside-$RUN_ID
  mkdir "$D/host"
  place '' "$2" "${1//NAME/$name}"
  [[ $status = 0 ]] || fail "$err"
  [[ ! -e /$name && ! -e /tmp/$name && ! -e $D/$name && ! -e $D/b/$name ]] || fail "it was made on the host"
  [[ -e $B/rootfs/$name || -e $B/rootfs/tmp/$name ]] || fail "it was not made in the rootfs"
}
test_case "places: a link that leads up and out ends in the rootfs" outside ../../../../../../../../NAME "$FILE_PLACE"
test_case "places: and so does a directory" outside ../../../../../../../../NAME "$PLACE"
test_case "places: missing directories and .. on the way" outside /tmp/no/../NAME "$FILE_PLACE"
circle() {
  place '' "$FILE_PLACE" /tmp/a tmp/a /tmp/b tmp/b /etc/place/x
  [[ $status = 1 ]] || fail "status $status"
  one_line "$err"
  contains "$err" "Too many levels of symbolic links"
}
test_case "places: links in a circle" circle
host_names() {
  echo found >"$D/given"
  inside found '.mounts += [{destination: ($B + "/rootfs/home/x"), type: "bind", source: ($D + "/given"), options: ["bind"]}]' \
    'args("cat /home/x")'
}
test_case "places: as the host names them" host_names
test_case "places: /proc says why a link will not do" eval 'bundle; rm -rf "$B/rootfs/proc"; ln -s tmp "$B/rootfs/proc"
  expect 1 berth run -b "$B" "$ID"; one_line "$err"; contains "$err" "must be mounted on ordinary directory"'
masks() {
  bundle "$ARGS ." '.linux.maskedPaths += ["/var", "/etc/group", "/var/", "//etc/group", "/var/../var"]' \
    'args("grep -c /var /proc/self/mounts; grep -c /etc/group /proc/self/mounts")'
  expect 0 berth run -b "$B" "$ID"
  equal "$out" "1
1"
}
test_case "masked paths: each once" masks

# --- what passes to the host --------------------------------------------------------------------------
passes_up() { # ROOT-PROPAGATION OF-THE-MOUNT WANTED
  mkdir -p "$D/src/sub"
  mount --bind "$D/src" "$D/src"
  mount --make-shared "$D/src"
  local r=0
  (
    bundle "$ARGS $CAN_MOUNT" '.mounts += [{destination: "/mnt", type: "bind", source: ($D + "/src"), options: ["rbind", "'"$2"'"]}]' \
      ".linux.rootfsPropagation = \"$1\"" \
      'args("mkdir /home/own && mount -t tmpfs y /home/own && touch /home/own/there && mount -t tmpfs x /mnt/sub && touch /mnt/sub/there")'
    ln -s busybox "$B/rootfs/bin/mount"
    mount --bind "$B/rootfs" "$B/rootfs"
    mount --make-shared "$B/rootfs"
    expect 0 berth run -b "$B" "$ID"
    equal "$([[ -e $D/src/sub/there ]] && echo there)" "$3" "below the bind mount"
    [[ ! -e $B/rootfs/home/own/there ]] || fail "a mount below the container's root is on the host"
  ) || r=1
  umount -R "$D/src" "$D/b/rootfs"
  return $r
}
test_case "propagation: what is mounted below a shared source shows up on the host, if asked for" passes_up rshared rshared there
test_case "propagation: not if the root is not shared" passes_up rslave rshared ""
test_case "propagation: not if the mount is a slave" passes_up shared rslave ""

# --- without pivot_root, without a mount namespace -----------------------------------------------------
no_whole_proc() { # OPTION...
  bundle "$ARGS $CAN_MOUNT" 'args("unshare -mrpf mount -t proc none /proc && echo mounted")'
  ln -s busybox "$B/rootfs/bin/mount"
  ln -s busybox "$B/rootfs/bin/unshare"
  try berth run "$@" -b "$B" "$ID"
  [[ $status != 0 ]] || fail "a container that sees parts of /proc only could mount all of it"
  contains "$err" "ermission denied"
}
test_case "a container cannot mount a whole proc" no_whole_proc
test_case "... and not with --no-pivot either" no_whole_proc --no-pivot
no_pivot_shared() {
  bundle "$ARGS ." '.linux.rootfsPropagation = "shared"' 'args("echo inside")'
  mount --make-shared /
  local before after
  before=$(wc -l </proc/self/mountinfo)
  expect 0 berth run --no-pivot -b "$B" "$ID"
  after=$(wc -l </proc/self/mountinfo)
  mount --make-private /
  equal "$out" inside
  equal "$after" "$before" "mounts of the host"
}
test_case "--no-pivot with a shared root leaves the host's mounts alone" no_pivot_shared

HOST_MOUNTS="$(NO_NS mount) | .linux.maskedPaths = [] | .linux.readonlyPaths = []"
host_mounts() {
  bundle "$ARGS $HOST_MOUNTS | .root.readonly = true" 'args("touch /x 2>/dev/null || echo readonly; ls -d /proc/self /dev/null")'
  local before r=0
  before=$(findmnt -no PROPAGATION /)
  (
    expect 0 berth run -b "$B" "$ID"
    equal "$out" "readonly
/dev/null
/proc/self"
    mountpoint -q "$B/rootfs/proc" || fail "no mounts are left, though nobody else has them"
    equal "$(findmnt -no PROPAGATION /)" "$before" "propagation of the host's root"
  ) || r=1
  umount -R --lazy "$B/rootfs"
  return $r
}
test_case "without a mount namespace the mounts are the host's, in the rootfs only" host_mounts
host_mounts_fail() {
  bundle "$ARGS $HOST_MOUNTS" '.mounts += [{destination: "/mnt", type: "bind", source: ($D + "/missing")}]'
  expect 1 berth run -b "$B" "$ID"
  one_line "$err"
  ! mountpoint -q "$B/rootfs" || fail "mounts are left"
}
test_case "without a mount namespace a failure takes them away again" host_mounts_fail
host_root() {
  bundle "$ARGS $HOST_MOUNTS" '.root.path = "/"'
  expect 1 berth run -b "$B" "$ID"
  one_line "$err"
  contains "$err" "they would be the host's"
}
test_case "without a mount namespace nothing is mounted in the host's root" host_root

# --- hooks, namespaces of others ----------------------------------------------------------------------
hook_in_root() {
  echo lib >"$D/lib"
  bundle "$ARGS ." ".hooks.createContainer = [{path: \"/bin/sh\", args: [\"sh\", \"-c\", \"pwd; touch lib && mount --bind $D/lib lib\"]}]" \
    'args("cat /lib")'
  expect 0 berth run -b "$B" "$ID"
  equal "$out" lib
}
test_case "a createContainer hook begins in the container's root, and can mount there" hook_in_root
hook_in_bundle() {
  bundle "$ARGS ." '.hooks.createRuntime = [{path: "/bin/sh", args: ["sh", "-c", "pwd >cwd"]}]' 'args(":")'
  (cd / && expect 0 berth run -b "$B" "$ID")
  equal "$(<"$B/cwd")" "$B"
}
test_case "a createRuntime hook begins in the bundle" hook_in_bundle

others_network() {
  local holder r=0
  hold_user_namespace "0 100000 65536" "0 100000 65536"
  touch "$D/net"
  unshare --net mount --bind /proc/self/ns/net "$D/net"
  (
    bundle "$ARGS $(NO_NS network)" \
      ".linux.namespaces += [{type: \"user\", path: \"/proc/$holder/ns/user\"}, {type: \"network\", path: (\$D + \"/net\")}]" \
      '.mounts |= map(if .type == "sysfs" then {source: "/sys", destination, type: "bind", options: ["rbind"]} else . end)' \
      'args("for ns in net user; do readlink /proc/self/ns/$ns; done")'
    expect 0 berth run -b "$B" "$ID"
    equal "$out" "net:[$(stat -c %i "$D/net")]
$(readlink "/proc/$holder/ns/user")"
  ) || r=1
  umount "$D/net"
  kill "$holder"
  return $r
}
test_case "a network that the joined user namespace does not own" others_network

finish

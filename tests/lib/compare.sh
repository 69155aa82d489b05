# shellcheck shell=bash disable=SC2016,SC2317,SC2034
# compare.sh - one bundle, two runtimes, equal results (for the table; after check.sh).

# jq: run a script with the container's shell
ARGS='def args($script): .process.args = ["sh", "-c", $script];'
# The mount table without what differs from run to run: point, attributes, propagation, type. Sorted: in
# which order masked and read-only paths come is nobody's business. Left out: what a masked file is bound
# to (some /dev/null), and the tmpfs that holds the cgroups of v1, which runc 1.1 leaves writable; that the device nodes
# which are bound for an ordinary user carry no programs, as with newer runc.
NODES=
[[ -z ${CHECK_USER:-} ]] || NODES='s/nosuid,noexec,(.* devtmpfs )/\\1/; '
MOUNTS='grep -v -e \" /proc/keys \" -e \" /proc/timer_list \" -e \" /sys/fs/cgroup .* tmpfs\" /proc/self/mountinfo | cut -d\" \" -f5-6,7- | sed -E \"'$NODES's/ - ([^ ]+) .*/ \\\\1/; s/(master|shared|propagate_from):[0-9]+/\\\\1/g\" | sort'
# The words of a mount that the specification lists, by what they are about: the table's rows "every ...". Without
# "defaults", "ratime", "rnostrictatime", which runc 1.1 refuses.
FLAGS="async atime dev diratime dirsync exec iversion lazytime loud mand noatime nodev nodiratime noexec noiversion \
nolazytime nomand norelatime nostrictatime nosuid nosymfollow relatime ro rw silent strictatime suid symfollow sync"
PROPAGATION="private rprivate rshared rslave runbindable shared slave unbindable"
RECURSIVE="rdev rdiratime rexec rnoatime rnodev rnodiratime rnoexec rnorelatime rnosuid rnosymfollow \
rrelatime rro rrw rstrictatime rsuid rsymfollow"
# A process whose namespaces a row may join.
env -u BERTH_TEST_RUN unshare -n -i -u --pid --fork sleep 10000 &
compare_holder=$!
joined=
for ((i = 0; i < 200; i++)); do
  joined=$(cat /proc/$compare_holder/task/$compare_holder/children 2>/dev/null | tr -d ' ')
  [[ -z $joined || $(cat "/proc/$joined/comm" 2>/dev/null) != sleep ]] || break
  sleep .02
done
# ends with the file, quietly
disown $compare_holder
trap 'kill -KILL "$joined" $compare_holder 2>/dev/null' EXIT

# --- what rows prepare, and look at afterwards ---------------------------------------------------------
tool_in_opt() { mkdir -p "$B/rootfs/opt" && printf '#!/bin/sh\necho tool in $PATH\n' >"$B/rootfs/opt/tool" && chmod 755 "$B/rootfs/opt/tool"; }
lower_case() { echo "some text"; }
megabytes() { yes 0123456789abcdefghijklmnopqrstuvwxyz | head -c 2000000; }
private_home() { chmod 700 "$B/rootfs/home"; }
break_config() { echo '{ "ociVersion": "1.0.2", "process": {' >"$B/config.json"; }
no_config() { rm "$B/config.json"; }
source_dir() { rm -rf "$D/src" && mkdir -p "$D/src/below" && echo content >"$D/src/file"; }
source_with_mount() { source_dir && mount -t tmpfs t "$D/src/below" && echo deep >"$D/src/below/deep"; }
source_shared() { source_dir && mount -t tmpfs t "$D/src" && mount --make-shared "$D/src"; }
source_shared_umount() { umount "$D/src"; }
# words of the recursive flags have something to switch on in the one, and off in the other
source_of_flags() {
  source_dir && mount -t tmpfs -o ro,nosuid,nodev,noexec,nodiratime,nosymfollow,strictatime t "$D/src/below"
  mkdir -p "$D/src/plain" && mount -t tmpfs t "$D/src/plain"
}
source_of_flags_umount() { umount "$D/src/below" "$D/src/plain"; }
source_umount() { umount "$D/src/below"; }
link_to_mnt() { ln -s mnt "$B/rootfs/link"; }
link_to_outside() { ln -s ../../../../../../../../tmp "$B/rootfs/away"; }
show_hooks() { cat "$D/hooks" && rm "$D/hooks"; }

# --- rows ----------------------------------------------------------------------------------------------

# row TITLE JQ... [before=FUNCTION] [after=FUNCTION] [stdin=FUNCTION] [refused] [users=OUTPUT]
# refused: the runtime refuses it; users=refused: an ordinary user's; users=OUTPUT: his runc does, and ours says this.
row() {
  test_case "$1" compare "${@:2}"
}

compare() {
  local edit=$ARGS before=: after=: stdin=: refused='' users='' part runtime sep=''
  for part; do
    case $part in
    before=*) before=${part#*=} ;;
    after=*) after=${part#*=} ;;
    stdin=*) stdin=${part#*=} ;;
    refused) refused=1 ;;
    users=*) users=${part#*=} ;;
    *) edit+="$sep $part" sep=' |' ;;
    esac
  done

  for runtime in runc "$BERTH"; do
    local to=$D/ours.
    [[ $runtime != runc ]] || to=$D/runc.
    # a root file system of its own for each: what one of them creates must not help the other
    if [[ -z $B ]]; then
      bundle "$edit"
      cp "$B/config.json" "$D/config.json"
    else
      bundle_rootfs "$B"
      cp "$D/config.json" "$B/config.json"
    fi
    $before
    status=0
    $stdin >"$D/stdin"
    "$runtime" --root "$ROOT" run -b "$B" "$ID" <"$D/stdin" >"${to}out" 2>"${to}err" || status=$?
    $after >>"${to}out"
    echo "$status" >"${to}status"
  done

  local differs=''
  if [[ ${CHECK_USER:-} && $users ]]; then
    [[ $(<"$D/runc.status") != 0 ]] || fail "runc does not refuse this"
    [[ $users = refused ]] || { equal "$(<"$D/ours.status") $(<"$D/ours.out")" "0 $users" "status and output" && return; }
    refused=1
  fi
  [[ $(<"$D/runc.status") = $(<"$D/ours.status") ]] || differs=1
  cmp "$D/runc.out" "$D/ours.out" || differs=1
  if [[ $refused ]]; then
    [[ $(<"$D/runc.status") != 0 && -s $D/runc.err ]] || fail "runc does not refuse this"
    [[ $(wc -l <"$D/ours.err") = 1 ]] || differs=1
  else
    ! grep -q 'level=error' "$D/runc.err" || fail "runc refuses this: $(<"$D/runc.err")"
    cmp "$D/runc.err" "$D/ours.err" || differs=1
  fi
  [[ -z $differs ]] || {
    for part in status out err; do
      echo "--- $part: runc (-), ours (+)"
      diff -a <(head -c 3000 "$D/runc.$part") <(head -c 3000 "$D/ours.$part") | sed -n 's/^</-/p; s/^>/+/p'
    done
    fail "the runtimes differ"
  }
}

# states TITLE JQ... COMMANDS: what `state` and `list` say after the commands
states() {
  test_case "state and list: $1" compare_states "${@:2}"
}

# The fields of state and list without what has to differ. The container's root, too: relative or
# absolute is the same to every user of it.
normal_state() {
  jq -S '(if type == "array" then .[] else . end)
    | select(.id == $id) | .pid = (.pid > 0) | .created = (.created | test("^20[0-9-]+T[0-9:.]+Z$")) | .ociVersion = (.ociVersion | test("^1\\.")) ' \
    --arg id "$ID"
}

compare_states() {
  local edit=$ARGS sep='' verb commands=${!#} runtime
  for verb in "${@:1:$#-1}"; do edit+="$sep $verb" sep=' |'; done
  for runtime in runc "$BERTH"; do
    local to=$D/ours rt=("$runtime" --root "$ROOT") pid
    [[ $runtime != runc ]] || to=$D/runc
    bundle "$edit"
    while read -r verb arg; do
      case $verb in
      create) "${rt[@]}" create -b "$B" --pid-file "$D/pid" "$ID" >"$D/out" 2>&1 ;;
      detach) "${rt[@]}" run -d -b "$B" --pid-file "$D/pid" "$ID" >"$D/out" 2>&1 ;;
      start) "${rt[@]}" start "$ID" ;;
      kill) "${rt[@]}" kill "$ID" "$arg" ;;
      ends) ended() { [[ $("${rt[@]}" state "$ID" | jq -r .status) = stopped ]]; } && eventually ended ;;
      esac
    done < <(tr ';' '\n' <<<"$commands")
    "${rt[@]}" state "$ID" | normal_state >"$to"
    echo >>"$to"
    "${rt[@]}" list --format json | normal_state >>"$to"
    "${rt[@]}" list -q | grep -cx "$ID" >>"$to"
    "${rt[@]}" delete --force "$ID"
  done
  diff "$D/runc" "$D/ours" || fail "the runtimes differ (<runc, >ours)"
}

# A process in a user namespace of its own, with maps of one line each: $holder, for the case to kill.
hold_user_namespace() { # UID-MAP GID-MAP
  unshare --user sleep 100 &
  holder=$!
  in_its_own() { [[ $(readlink "/proc/$holder/ns/user") != "$(readlink /proc/self/ns/user)" ]]; }
  eventually in_its_own
  echo "$1" >"/proc/$holder/uid_map"
  echo "$2" >"/proc/$holder/gid_map"
}

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

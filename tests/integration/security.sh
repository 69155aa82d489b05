#!/bin/bash
# What a container must not reach: the runtime's program, descriptors and files of the host.
. "${BASH_SOURCE%/*}/../lib/check.sh"

program_is_sealed() {
  bundle
  berth create -b "$B" "$ID" </dev/null >/dev/null
  pid=$(berth state "$ID" | jq .pid)
  # the process that waits for start runs our program; held open, it can be tried when nobody runs it any more
  exec 9<"/proc/$pid/exe"
  berth delete --force "$ID"
  try bash -c ': >>/proc/self/fd/9'
  contains "$err" "Read-only file system"
}
test_case "a created container runs the runtime's program from a read-only mount" program_is_sealed

program_is_no_script() {
  bundle '.process.args = ["/evil"]'
  printf '#!/proc/self/exe\n' >"$B/rootfs/evil"
  chmod +x "$B/rootfs/evil"
  sum=$(md5sum <"$BERTH")
  # no library of the host is in this rootfs: the kernel cannot execute us in there
  try berth run -b "$B" "$ID"
  [[ $status != 0 ]] || fail "it ran"
  equal "$(md5sum <"$BERTH")" "$sum" "the program"
}
test_case "an image whose program is /proc/self/exe gets nowhere" program_is_no_script

no_strangers() {
  bundle
  exec 7</etc/passwd 8</
  berth create -b "$B" "$ID" </dev/null >/dev/null
  pid=$(berth state "$ID" | jq .pid)
  for fd in /proc/"$pid"/fd/*; do
    case $(readlink "$fd") in
    /dev/null | pipe:* | socket:* | "anon_inode:[signalfd]" | "$WORK"* | *deleted* | /) ;;
    *) fail "descriptor ${fd##*/} is $(readlink "$fd")" ;;
    esac
    [[ ! $fd -ef / && ! $fd -ef /etc/passwd ]] || fail "descriptor ${fd##*/} leads to the host"
  done
  berth delete --force "$ID"
}
test_case "a created container holds no descriptor of its creator" no_strangers

exec_passes_nothing_on() {
  bundle '.process.args = ["sleep", "100"]'
  berth run -d -b "$B" "$ID" </dev/null >/dev/null 2>&1
  exec 7</etc/passwd 8</
  expect 0 berth exec "$ID" sh -c 'for fd in /proc/$$/fd/[3-9]*; do [ ! -e $fd ] || readlink $fd; done' </dev/null
  equal "$out" "" "descriptors besides stdio"
  berth delete --force "$ID"
}
test_case "exec passes on no descriptor but the standard ones" exec_passes_nothing_on

masks_are_the_null_device() {
  bundle '.linux.maskedPaths = ["/proc/keys", "/proc/timer_list"] | .process.args = ["sh", "-c", "stat -c %t:%T /proc/keys; wc -c </proc/timer_list"]'
  # an image that offers something else as its null device
  mkdir -p "$B/rootfs/dev"
  ln -sf /etc/passwd "$B/rootfs/dev/null"
  expect 0 berth run -b "$B" "$ID"
  equal "$out" "1:3
0"
}
test_case "masked files are the null device, whatever the image has there" masks_are_the_null_device

proc_behind_a_link() {
  bundle '.mounts = [.mounts[] | select(.destination != "/proc")] + [{destination: "/proc", type: "proc", source: "proc"}]'
  rmdir "$B/rootfs/proc"
  mkdir "$B/rootfs/elsewhere"
  ln -s elsewhere "$B/rootfs/proc"
  try berth run -b "$B" "$ID"
  [[ $status = 1 ]] || fail "status $status"
  contains "$err" "symbolic link"
  equal "$(wc -l <"$D/err")" 1 "lines of the message"
}
test_case "/proc is not mounted through a link of the image" proc_behind_a_link

links_stay_inside() {
  bundle '.mounts += [{destination: "/out/made", type: "tmpfs", source: "t"}] | .process.args = ["sh", "-c", "grep -c /made /proc/mounts"]'
  ln -s ../../../../../.. "$B/rootfs/out"
  expect 0 berth run -b "$B" "$ID"
  equal "$out" 1
  [[ ! -e /made ]] || fail "/made is on the host"
}
test_case "a link that leads up and out ends at the container's root" links_stay_inside

readonly_dev() {
  bundle '.mounts |= map(if .destination == "/dev" then .options += ["ro"] else . end)
    | .process.args = ["sh", "-c", "echo x >/dev/null && echo y >/dev/shm/y && ! touch /dev/new 2>/dev/null && ls /dev/zero"]'
  expect 0 berth run -b "$B" "$ID"
  equal "$out" /dev/zero
}
test_case "a read-only /dev has its devices, and its mounts stay writable" readonly_dev

finish

#!/bin/bash
# berth launch on one node: many instances of a bundle, placed, labelled, counted, and nothing left.
. "${BASH_SOURCE%/*}/../lib/check.sh"

launch() { berth launch "$@"; }
cpus=$(nproc)

instances() {
  bundle '.process.args = ["echo", "hi"]'
  expect 0 launch -n 5 --oversubscribe "$B"
  equal "$out" $'hi\nhi\nhi\nhi\nhi'
}
test_case "-n 5 runs five instances" instances

command_on_the_line() {
  bundle .
  expect 0 launch -n 2 --oversubscribe "$B" -- echo "a b" c
  equal "$out" $'a b c\na b c'
}
test_case "what follows -- replaces the program of the bundle" command_on_the_line

labels() {
  bundle .
  expect 0 launch -q -n 3 --oversubscribe --label "$B" -- sh -c 'echo out; echo err >&2'
  equal "$(sort <<<"$out" | tr '\n' ' ')" "[0] out [1] out [2] out "
  equal "$(sort <<<"$err" | tr '\n' ' ')" "[0] err [1] err [2] err "
}
test_case "--label says who prints; stdout and stderr stay apart" labels

exit_statuses() {
  bundle .
  expect 0 launch -n 3 --oversubscribe "$B" -- true
  expect 7 launch -n 3 --oversubscribe "$B" -- sh -c 'exit 7'
  try launch -n 2 --oversubscribe "$B" -- no-such-program
  [[ $status != 0 ]]
  contains "$err" no-such-program
}
test_case "the exit status is the failing instance's" exit_statuses

one_fails() {
  bundle .
  local start=$SECONDS
  # the others are not left running
  try launch -n 3 --oversubscribe "$B" -- sh -c 'mkdir /dev/shm/x 2>/dev/null; exit 5'
  equal "$status" 5 status
  ((SECONDS - start < CHECK_TIMEOUT / 2))
}
test_case "a failing job ends" one_fails

bound() {
  bundle .
  expect 0 launch -n "$cpus" --bind-to core --map-by core --label "$B" -- grep Cpus_allowed_list /proc/self/status
  # every instance on CPUs of its own: as many different lists as instances
  equal "$(awk '{ print $NF }' <<<"$out" | sort -u | wc -l)" "$(hwloc-calc -N core all)" "places"
}
test_case "--bind-to core: every instance has a core of its own" bound

waiting() {
  bundle .
  # each says when it was there; at no time more than there are places
  expect 0 launch -n $((cpus * 4)) --bind-to core "$B" -- sh -c 'a=$(cut -d" " -f1 /proc/uptime); sleep .3; echo $a $(cut -d" " -f1 /proc/uptime)'
  equal "$(wc -l <"$D/out")" $((cpus * 4)) lines
  local most
  most=$(awk '{ print $1, 1; print $2, -1 }' "$D/out" | sort -n -k1,1 -k2,2 | awk '{ n += $2; if (n > m) m = n } END { print m }')
  ((most <= cpus)) || fail "$most at once on $cpus places"
}
test_case "more instances than places wait for their turn" waiting

cpus_per_instance() {
  bundle .
  expect 0 launch -n 1 -c "$cpus" --report-bindings "$B" -- nproc
  equal "$out" "$cpus"
  [[ -n $err ]]
}
test_case "-c N gives an instance N CPUs; --report-bindings says which" cpus_per_instance

dry_run() {
  bundle '.process.args = ["touch", "/started"]'
  expect 0 launch -n 2 --oversubscribe --dry-run "$B"
  [[ ! -e $B/rootfs/started ]]
  [[ -n $out$err ]]
}
test_case "--dry-run shows the places and starts nothing" dry_run

report_file() {
  bundle .
  try launch -n 3 --oversubscribe --report "$D/report.json" "$B" -- sh -c 'exit 3'
  jq -e . "$D/report.json" >/dev/null
}
test_case "--report FILE is JSON" report_file

isolation() {
  bundle .
  # all at once: the number of a namespace that is gone may be given again
  namespaces() { # LEVEL TYPE
    expect 0 launch -n 3 --oversubscribe --isolate "$1" "$B" -- sh -c "readlink /proc/self/ns/$2; sleep 1"
    sort -u "$D/out" | wc -l
  }
  equal "$(namespaces full pid)" 3 "pid namespaces"
  equal "$(namespaces ranks pid)" 1 "pid namespaces"
  equal "$(namespaces ranks mnt)" 3 "mount namespaces"
}
test_case "--isolate full and ranks: namespaces of one's own, and shared ones" isolation

interrupted() { # SIGNAL
  bundle .
  berth_in_background launch -n 4 --oversubscribe --kill-wait 1 --name "$ID" "$B" -- sh -c 'echo up; sleep 1000' >"$D/out"
  all_up() { [[ $(grep -c up "$D/out") = 4 ]]; }
  eventually all_up
  kill "-$1" "$pid"
  wait "$pid" 2>/dev/null || true
  no_mark() { [[ -z $(left_processes | grep 'sleep 1000' | grep -v berth-launch) ]]; } # the holder goes when init has reaped all
  eventually no_mark
  # nobody is left to clean up behind a killed one; this does, or the next job of that name
  [[ $1 != KILL ]] || expect 0 berth delete --force "$ID"
}
test_case "a launcher that is told to end takes its instances along" interrupted TERM
test_case "a launcher that is killed takes its instances along" interrupted KILL

full_output() {
  bundle .
  expect 0 launch -n 4 --oversubscribe "$B" -- sh -c 'yes 0123456789 | head -n 50000'
  equal "$(wc -l <"$D/out")" 200000 lines
  equal "$(sort -u "$D/out")" 0123456789 "lines are whole"
}
test_case "no line is lost or torn" full_output

many() {
  bundle "$(NO_NS network)"
  expect 0 launch -n 100 --oversubscribe "$B" -- echo x
  equal "$(wc -l <"$D/out")" 100
}
test_case "a hundred instances" many

launch_errors() {
  bundle .
  try launch -n 0 "$B"
  [[ $status != 0 ]]
  one_line "$err"
  try launch -n 2 "$D/nowhere"
  [[ $status != 0 ]]
  one_line "$err"
  try launch -n 2 --bind-to nonsense "$B"
  [[ $status != 0 ]]
  one_line "$err"
}
test_case "what cannot work is one clear line" launch_errors
finish

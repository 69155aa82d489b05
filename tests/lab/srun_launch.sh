#!/bin/bash
# berth launch as a task of Slurm: one launcher per node, many instances each.
. "${BASH_SOURCE%/*}/../lib/check.sh"
. "$TESTS/lib/lab.sh"
lab_start --netns --nodes 2

# Slurm's KillWait is 5 s in the lab: the launcher has to be done before
launch=("$BERTH" --root "$ROOT" launch --kill-wait 1)
on_two() { lab srun -N2 --ntasks-per-node=1 "${launch[@]}" "$@"; }

hostnames() {
  bundle .
  expect 0 on_two -n 2 --oversubscribe "$B" -- hostname
  equal "$(wc -l <"$D/out")" 4 lines
  equal "$(sort -u "$D/out")" berth
}
test_case "two nodes, two instances on each" hostnames

variables() {
  bundle .
  # the instances are told where they are, by Slurm's names
  expect 0 on_two -n 2 --oversubscribe "$B" -- sh -c 'echo $SLURM_NODEID'
  equal "$(sort "$D/out" | tr '\n' ' ')" "0 0 1 1 "
}
test_case "instances see the variables of their node" variables

failing() {
  bundle .
  expect 7 on_two -n 2 --oversubscribe "$B" -- sh -c '[ $SLURM_NODEID = 0 ] || exit 7'
}
test_case "the status of an instance is the step's" failing

cancelled() {
  bundle .
  on_two -n 3 --oversubscribe "$B" -- sh -c 'echo up; exec sleep 1000' >"$D/out" 2>&1 &
  local pid=$!
  all_up() { [[ $(grep -cx up "$D/out") = 6 ]]; }
  eventually all_up
  lab scancel --state=running --user=root
  eventually gone "$pid"
  none() { [[ -z $(left_processes | grep 'sleep 1000') ]]; }
  eventually none
}
test_case "scancel ends all instances on all nodes" cancelled

node_fails() {
  bundle .
  # one node's instances fail: the step, and so the other node's, ends
  try lab srun -N2 --ntasks-per-node=1 --kill-on-bad-exit=1 "${launch[@]}" -n 2 --oversubscribe "$B" -- \
    sh -c 'if [ $SLURM_NODEID = 0 ]; then exit 9; else sleep 1000; fi'
  [[ $status != 0 ]]
  none() { [[ -z $(left_processes | grep 'sleep 1000') ]]; }
  eventually none
}
test_case "with --kill-on-bad-exit one failing node ends the others" node_fails
finish

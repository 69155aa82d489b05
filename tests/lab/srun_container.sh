#!/bin/bash
# srun --container=BUNDLE: Slurm drives the runtime through examples/slurm/oci.conf.
. "${BASH_SOURCE%/*}/../lib/check.sh"
. "$TESTS/lib/lab.sh"
lab_oci_conf "$WORK/oci.conf"
lab_start --netns --nodes 2 --oci "$WORK/oci.conf"

in_container() { lab srun -N1 -n1 --container="$B" "$@"; }

exit_codes() {
  local code
  bundle .
  for code in 0 1 7 126 127 200; do
    expect $code in_container sh -c "exit $code"
  done
}
test_case "exit codes arrive" exit_codes

streams() {
  bundle .
  expect 3 in_container sh -c 'echo to out; echo to err >&2; exit 3'
  equal "$out" "to out"
  # srun adds its own line about the exit code
  equal "$(grep -v '^srun: ' <<<"$err")" "to err"
}
test_case "stdout and stderr arrive, apart" streams

stdin() {
  bundle .
  printf 'line %s\n' 1 2 3 >"$D/in"
  equal "$(in_container tr a-z A-Z <"$D/in")" "$(printf 'LINE %s\n' 1 2 3)"
}
test_case "stdin reaches the container" stdin

inside() {
  bundle .
  expect 0 in_container sh -c 'hostname; echo $$; test -n "$SLURM_JOB_ID" && echo job; ls /bin/busybox'
  equal "$(tr '\n' ' ' <<<"$out")" "berth 1 job /bin/busybox "
}
test_case "it is the bundle's container, with the variables of the job" inside

large_output() {
  bundle .
  expect 0 in_container sh -c 'yes 0123456789abcde | head -n 100000'
  equal "$(wc -c <"$D/out")" 1600000
}
test_case "large output is complete" large_output

two_nodes() {
  bundle .
  expect 0 lab srun -N2 --ntasks-per-node=1 -l --container="$B" sh -c 'echo $SLURM_JOB_NUM_NODES'
  equal "$(sort <<<"$out")" $'0: 2\n1: 2'
}
test_case "two nodes, a container on each" two_nodes

killed() {
  bundle .
  expect 137 in_container sh -c 'kill -9 -1; sh -c "kill -9 \$\$"; exit $?'
}
test_case "a killed process is status 137" killed

missing_program() {
  bundle .
  try in_container /no/such/program
  [[ $status != 0 ]]
  contains "$err" /no/such/program
}
test_case "a missing program is told, and the step fails" missing_program

clean_up() {
  bundle .
  # what the cases above used
  [[ -z $(find "$ROOT" -mindepth 1 -maxdepth 1) ]] || fail "state is left: $(ls "$ROOT")"
  expect 0 in_container true
  [[ -z $(find "$ROOT" -mindepth 1 -maxdepth 1) ]] || fail "state is left: $(ls "$ROOT")"
  [[ -z $(find /sys/fs/cgroup -type d -name "n[12].root.*") ]] || fail "a cgroup is left"
}
test_case "nothing is left of a step that ended" clean_up

cancelled() {
  bundle .
  lab srun -N1 -n1 --job-name="$ID" --container="$B" sh -c 'echo up; exec sleep 1000' >"$D/out" 2>&1 &
  local srun=$!
  eventually grep -q up "$D/out"
  lab scancel --name="$ID"
  eventually gone "$srun"
  no_container() { [[ -z $(left_processes | grep 'sleep 1000') ]]; }
  eventually no_container
  # the runtime was told to end, not killed: it cleaned up
  empty_root() { [[ -z $(find "$ROOT" -mindepth 1 -maxdepth 1) ]]; }
  eventually empty_root
}
test_case "scancel ends the container and leaves nothing" cancelled
finish

#!/bin/bash
# berth launch --mpi=pmix with this machine's Open MPI: ranks find each other, share memory, and end together.
. "${BASH_SOURCE%/*}/../lib/check.sh"

launch() { berth launch --name "$ID" "$@"; }

mpi_bundle() { # [JQ]
  command -v mpicc >/dev/null || fail "no mpicc: apt-get install libopenmpi-dev"
  [[ -x $WORK/bin/mpi_hello ]] || mpicc -O1 -o "$WORK/bin/mpi_hello" "$TESTS/../examples/mpi/mpi_hello.c"
  [[ -x $WORK/bin/mpi_end ]] || mpicc -O1 -o "$WORK/bin/mpi_end" "$TESTS/mpi/mpi_end.c"
  B=$D/b
  sh "$TESTS/mpi/mkbundle" "$B" "$WORK/bin/mpi_hello" "$WORK/bin/mpi_end"
  jq --arg mark "BERTH_TEST_RUN=$RUN_ID" ".process.env += [\$mark] | ${1:-.}" "$B/config.json" >"$D/c"
  mv "$D/c" "$B/config.json"
}
USER_NS='.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}] | .linux.gidMappings = .linux.uidMappings'
all_gone() { [[ -z $(left_processes | grep /app/) && -z $(find /sys/fs/cgroup -type d -name "$ID*") && ! -e $ROOT/$ID ]]; }

hello() {
  mpi_bundle
  expect 0 launch -n 4 --oversubscribe --mpi=pmix "$B" -- /app/mpi_hello --need-shm
  equal "$(grep -c 'of 4 on .* sum ok, ring of .* shared memory with 3$' "$D/out")" 4
  eventually all_gone
}
test_case "four ranks add up, pass a ring, and share memory" hello

bound() {
  mpi_bundle
  expect 0 launch --mpi=pmix --report "$D/r.json" "$B"
  equal "$(jq '[.ranks[].cpus] | unique | length' "$D/r.json")" "$(hwloc-calc -N core all)" "different places"
}
test_case "without -n there is a rank for each core, bound" bound

as_user() {
  mpi_bundle '.process.user = {uid: 1000, gid: 1000}'
  expect 0 launch -n 2 --oversubscribe --mpi=pmix "$B" -- /app/mpi_hello --need-shm
  [[ $err != *gds* ]] || fail "the server's directory cannot be used: $err"
}
test_case "ranks that are an ordinary user" as_user

in_user_namespace() {
  mpi_bundle "$USER_NS"
  chmod -R o+rX "$D"
  expect 0 launch -n 2 --oversubscribe --mpi=pmix "$B" -- /app/mpi_hello --need-shm --size 5000000
  [[ $err != *gds* ]] || fail "the server's directory cannot be used: $err"
}
test_case "ranks in one user namespace, messages of megabytes" in_user_namespace

full_isolation() {
  mpi_bundle
  expect 0 launch -n 2 --oversubscribe --mpi=pmix --isolate=full "$B"
  mpi_bundle '.linux.namespaces += [{type: "network"}]'
  try launch -n 2 --oversubscribe --mpi=pmix --isolate=full "$B"
  equal "$status" 1 status
  one_line "$err"
  contains "$err" network
}
test_case "--isolate full works over TCP, and says what it needs" full_isolation

ends_with() { # STATUS WHAT RANK WORDS
  mpi_bundle
  local start=$SECONDS
  try launch -n 3 --oversubscribe --mpi=pmix "$B" -- /app/mpi_end "$2" "$3"
  equal "$status" "$1" status
  contains "$err" "rank $3: $4"
  ((SECONDS - start < 20)) || fail "took long"
  eventually all_gone
}
test_case "MPI_Abort ends the job with its status" ends_with 5 abort 1 "aborts the job with status 5"
test_case "a rank that exits with a status ends the job" ends_with 6 exit 2 "exited with status 6"
test_case "a rank that crashes ends the job" ends_with 139 segv 0 "killed by signal 11"
test_case "a rank that leaves without MPI_Finalize ends the job" ends_with 1 early 1 "exited with status 0 without MPI_Finalize"

too_few_slots() {
  mpi_bundle
  try launch -n 500 --mpi=pmix "$B"
  equal "$status" 1 status
  one_line "$err"
  contains "$err" oversubscribe
}
test_case "ranks that cannot run at once are refused" too_few_slots

killed() {
  mpi_bundle
  "$BERTH" --root "$ROOT" launch --name "$ID" -n 3 --oversubscribe --mpi=pmix "$B" -- sh -c 'echo up; exec sleep 1000' >"$D/out" 2>"$D/err" &
  pid=$!
  up() { [[ $(grep -c up "$D/out") = 3 ]]; }
  eventually up
  kill -KILL "$pid"
  wait "$pid" || true
  # the holder goes when all its zombies are reaped by init, who may take its time
  no_sleep() { [[ -z $(left_processes | grep 'sleep 1000' | grep -v berth-launch) ]]; }
  eventually no_sleep
  berth delete --force "$ID"
  eventually all_gone
}
test_case "after kill -9 no rank is left" killed

sixteen() {
  mpi_bundle
  expect 0 launch -n 16 --oversubscribe --mpi=pmix "$B" -- /app/mpi_hello --size 1000 --rounds 3
  equal "$(grep -c 'of 16 on' "$D/out")" 16
}
test_case "sixteen ranks" sixteen

without_launcher() {
  mpi_bundle
  expect 0 berth run -b "$B" "$ID"
  contains "$out" "of 1 on"
}
test_case "the same bundle without a launcher is a job of one rank" without_launcher
finish

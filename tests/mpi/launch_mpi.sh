#!/bin/bash
# berth launch --mpi=pmix: Open MPI in containers, wired up by our own PMIx server. Also below Slurm.
. "${BASH_SOURCE%/*}/../lib/check.sh"

# Programs of a user: built with mpicc, put into a bundle made of this machine's MPI.
built() {
  mpicc -O2 -o "$WORK/bin/mpi_hello" "$TESTS/../examples/mpi/mpi_hello.c" &&
    mpicc -O2 -o "$WORK/bin/mpi_end" "$TESTS/mpi/mpi_end.c"
}
built || { echo "not ok 1 - $check_file: mpicc builds the programs" && echo 1..1 && exit 1; }

mpi_bundle() {
  B=$D/b
  mkdir "$B"
  "$TESTS/mpi/mkbundle" "$B" "$WORK/bin/mpi_hello" "$WORK/bin/mpi_end"
  # the mark by which check.sh finds what is left; nothing but shared memory between ranks
  jq --arg mark "BERTH_TEST_RUN=$RUN_ID" '.process.env += [$mark, "OMPI_MCA_pml=ob1", "OMPI_MCA_btl=self,vader"]' \
    "$B/config.json" >"$D/c" && mv "$D/c" "$B/config.json"
}
mpi() { berth launch -q --mpi=pmix --oversubscribe "$@"; }

four_ranks() {
  mpi_bundle
  expect 0 mpi -n 4 "$B" -- /app/mpi_hello --need-shm
  equal "$(grep -c 'of 4 on .* sum ok, ring of 1048576 bytes ok' "$D/out")" 4 "ranks that are right"
}
test_case "four ranks: the sum is right, messages go through shared memory" four_ranks

big_messages() {
  mpi_bundle
  expect 0 mpi -n 3 "$B" -- /app/mpi_hello --need-shm --size 5000000 --rounds 5
}
test_case "messages of 5 MB arrive" big_messages

one_rank() {
  mpi_bundle
  expect 0 mpi -n 1 "$B" -- /app/mpi_hello
  # and the same bundle in a runtime that knows nothing of MPI
  expect 0 berth run -b "$B" "$ID"
  contains "$out" "of 1 on"
}
test_case "one rank, and no launcher at all" one_rank

bound_ranks() {
  mpi_bundle
  local cpus
  cpus=$(nproc)
  expect 0 berth launch -q --mpi=pmix -n "$cpus" --bind-to core --label "$B" -- sh -c 'grep Cpus_allowed_list /proc/self/status; exec /app/mpi_hello'
  equal "$(grep Cpus_allowed "$D/out" | awk '{ print $NF }' | sort -u | wc -l)" "$cpus" "places"
}
test_case "ranks are bound" bound_ranks

ends() { # STATUS HOW RANK
  mpi_bundle
  expect "$1" mpi -n 3 "$B" -- /app/mpi_end "$2" "$3"
}
test_case "MPI_Abort(5) of one rank is the job's status" ends 5 abort 1
test_case "exit(6) of one rank is the job's status" ends 6 exit 2
test_case "a crash of one rank is the job's status" ends 139 segv 0

too_many() {
  mpi_bundle
  # ranks of one job cannot wait for each other's places
  try berth launch --mpi=pmix -n $(($(nproc) * 8)) "$B" -- /app/mpi_hello
  [[ $status != 0 ]]
  contains "$err" oversubscribe
}
test_case "more ranks than places are refused unless --oversubscribe" too_many

sixteen() {
  mpi_bundle
  expect 0 mpi -n 16 "$B" -- /app/mpi_hello --size 1000 --rounds 3
  equal "$(grep -c 'of 16 on' "$D/out")" 16
}
test_case "sixteen ranks" sixteen

killed() {
  mpi_bundle
  berth_in_background launch -q --mpi=pmix --oversubscribe -n 3 "$B" -- sh -c 'echo up; exec sleep 1000' >"$D/out"
  up() { [[ $(grep -c up "$D/out") = 3 ]]; }
  eventually up
  kill -KILL "$pid"
  none() { [[ -z $(left_processes | grep 'sleep 1000') ]]; }
  eventually none
  # the next job collects what is left
  expect 0 mpi -n 2 "$B" -- /app/mpi_hello
}
test_case "a killed launcher takes its ranks along; the next one works" killed
finish

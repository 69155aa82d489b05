#!/bin/bash
# examples/quickstart.sh does what it says: twice, from another directory, and twice the same way.
. "${BASH_SOURCE%/*}/lib/check.sh"

quickstart() { # DIRECTORY
  cd "$1"
  expect 0 "$TESTS/../examples/quickstart.sh"
  contains "$out" "hello from quickstart, process 1"
  equal "$(grep -c '^rank [0-7] of 8: pi is about 3\.14' <<<"$out")" 8 "instances that computed"
  equal "$(grep -c '^rank [0-7] \(bound\|waits\)' <<<"$err")" 8 "bindings told"
  contains "$err" "8 instances, 0 failed"
}
export CHECK_TIMEOUT=600
test_case "the quickstart builds, runs one container, launches eight" quickstart "$TESTS/.."
test_case "the quickstart works again, from another directory" quickstart /
finish

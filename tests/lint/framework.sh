#!/bin/bash
# framework.sh TREE - does check.sh notice what it is for? A file of cases that have to fail, with runc.
top=$1
[[ $EUID = 0 ]] || { echo "needs root"; exit 77; }
command -v runc jq busybox >/dev/null || { echo "needs runc, jq, busybox-static"; exit 77; }
file=$(mktemp /tmp/framework.XXXXXX.sh)
trap 'rm -f "$file"' EXIT
cat >"$file" <<CASES
. "$top/tests/lib/check.sh"
passes() { true; }
fails() { false; echo "not reached"; }
fails_in_a_pipe_of_asserts() { equal 1 2; echo "not reached"; }
wrong_status() { expect 3 sh -c 'exit 4'; }
hangs() { sleep 100; }
leaks() { bundle "\$FOREVER"; expect 0 berth run -d -b "\$B" "\$ID"; mount -t tmpfs t "\$WORK/rootfs/mnt"; }
test_case "passes" passes
test_case "fails" fails
test_case "compares" fails_in_a_pipe_of_asserts
test_case "status" wrong_status
CHECK_TIMEOUT=1 test_case "hangs" hangs
test_case "cannot" skip "no reason"
test_case "leaks" leaks
finish
CASES
out=$(BERTH=runc "$top/tests/integration/run" "$file" 2>&1)
status=$?

bad=0
want() { # LINE-REGEX
  grep -Eq -- "$1" <<<"$out" || { echo "framework: no line like: $1"; bad=1; }
}
[[ $status = 1 ]] || { echo "framework: status $status, expected 1"; bad=1; }
want '^ok 1 .* passes$'
want '^not ok 2 .* fails$'
want '^not ok 3 .* compares$'
want "^# FAILED: value is '1', expected '2'"
want '^not ok 4 .* status$'
want '^not ok 5 .* hangs$'
want '^# FAILED: time-out after 1 s'
want '^ok 6 .* cannot # SKIP no reason$'
want '^not ok 8 .* nothing is left'
want '^# process [0-9]+ sleep 1000'
want '^# cgroup /sys/fs/cgroup/'
want '^# mount .*/rootfs/mnt'
want '^# state '
if grep -q "not reached" <<<"$out"; then echo "framework: a case goes on after a failure"; bad=1; fi
# and it cleaned up behind that
again=$(find /sys/fs/cgroup -type d -name 'bt*-framework*' 2>/dev/null)
[[ -z $again ]] || { echo "framework: left behind: $again"; bad=1; }
((bad == 0)) || printf '%s\n' "$out"
exit $bad

# shellcheck shell=bash disable=SC2034
# check.sh - test files as lists of sentences. The output is TAP.
#
#   . "${BASH_SOURCE%/*}/../lib/check.sh"
#
#   exit_status() {
#     bundle '.process.args = ["sh", "-c", "exit 7"]'
#     expect 7 berth run -b "$B" "$ID"
#   }
#   test_case "the exit status of the process is passed on" exit_status
#   finish
#
# A case is a function. It runs in a subshell of its own under `set -eu`, in its own process group,
# with a time limit. It has
#   $D    an empty directory       $ID   a container id of its own (also use "$ID-a", "$ID-b")
#   $B    its bundle, after `bundle [JQ...]` (bundle.sh)
# and fails when a command fails. `skip REASON` is for what the machine cannot do.
#
# From tests/integration/run, which every file hands itself to when it is started directly:
#   $BERTH the runtime under test  $ROOT its state directory  $WORK scratch  $RUN_ID in every name we make
#
# CHECK_SYSTEMD=1: containers are units of systemd, with $MANAGER (--systemd-cgroup) on every command line and
# $OWN_CGROUP (bundle.sh) where a test wants a cgroupsPath; on a machine whose init is systemd (vmrun --systemd).
#
# After the last case, `finish` looks for what the passed cases left: processes, mounts, cgroups, state.

TESTS=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
[[ -n ${CHECK_INSIDE:-} ]] || exec "$TESTS/integration/run" "$0"

. "$TESTS/lib/bundle.sh"

# Marks every program that a case starts; not this shell itself, whose environment was fixed at its start.
export BERTH_TEST_RUN=$RUN_ID

check_file=$(basename "$0" .sh)
check_case=0 check_failed=0 check_title='' check_started=$SECONDS
: "${CHECK_TIMEOUT:=60}" "${CHECK_ONLY:=}"

MANAGER=()
[[ -z ${CHECK_SYSTEMD:-} ]] || MANAGER=(--systemd-cgroup)
berth() {
  managed "$@"
  "$BERTH" "${check_manager[@]}" --root "$ROOT" "$@"
}

# The runtime itself as a background process: $pid. (`berth ... &` would be a shell around it.)
berth_in_background() {
  managed "$@"
  "$BERTH" "${check_manager[@]}" --root "$ROOT" "$@" &
  pid=$!
}

# The launcher makes the cgroups of a job itself, whoever makes those of other containers.
managed() { # ARGUMENT...
  check_manager=("${MANAGER[@]}")
  [[ " $* " != *" launch "* ]] || check_manager=()
}

# --- what a case says ------------------------------------------------------------------------------

skip() { # REASON
  echo "SKIP: $*"
  exit 77
}

fail() { # SENTENCE
  echo "FAILED: $*"
  exit 1
}

# Run a command, whatever comes of it: $status, $out, $err.
try() { # COMMAND...
  status=0
  "$@" >"$D/out" 2>"$D/err" || status=$?
  { out=$(<"$D/out") err=$(<"$D/err"); } 2>/dev/null # a NUL is left out, and bash says so
}

# Run a command and demand its exit status.
expect() { # STATUS COMMAND...
  local want=$1
  shift
  try "$@"
  [[ $status = "$want" ]] && return
  printf 'out: %s\nerr: %s\n' "$out" "$err"
  fail "status $status, expected $want: $*"
}

equal() { # GOT WANTED [WHAT]
  [[ $1 = "$2" ]] || fail "${3:-value} is '$1', expected '$2'"
}

contains() { # TEXT PART
  [[ $1 = *"$2"* ]] || fail "'$1' does not contain '$2'"
}

one_line() { # TEXT: an error message is one line, and not an empty one
  [[ -n $1 && $1 != *$'\n'* ]] || fail "expected one line, got '$1'"
}

# Wait until a command succeeds.
eventually() { # COMMAND...
  local i
  for ((i = 0; i < 20 * CHECK_TIMEOUT / 4; i++)); do
    "$@" >/dev/null 2>&1 && return
    pause .05
  done
  fail "never came true: $*"
}

# sleep without a program: on an emulated machine that alone would take longer. In a subshell, because bash 5.2
# can leave `read -t` with signals blocked at random when the time is over too soon (slow machines): without
# SIGCHLD a case that has ended would not be noticed.
exec {check_never}<> <(:)
pause() { (read -r -t "$1" -u "$check_never" _) || :; } # SECONDS

status_is() { # ID STATUS
  [[ $(berth state "$1" 2>/dev/null | jq -r .status) = "$2" ]]
}

gone() { # PID: it ended; whoever inherited it may be slow to reap it
  local stat=''
  { read -r stat <"/proc/$1/stat"; } 2>/dev/null
  [[ -z $stat || ${stat##*) } = [ZX]* ]]
}

# --- the cases -------------------------------------------------------------------------------------

test_case() { # "sentence" FUNCTION [ARGUMENT...]
  local title=$1 log rc=124 pid
  shift
  [[ -z ${CHECK_TIMES:-} ]] || check_since=$(($(date +%s%N) / 1000000))
  [[ -z $CHECK_ONLY || $title =~ $CHECK_ONLY ]] || return 0
  if [[ ${CHECK_USER:-} ]] && not_as_user "$title"; then set -- skip "$not_as_user"; fi
  check_case=$((check_case + 1)) check_title=$title
  D=$WORK/$check_file.$check_case ID=$RUN_ID-$check_file-$check_case log=$WORK/$check_file.$check_case.log B=''
  mkdir -p "$D"
  [[ -z ${CHECK_USER:-} ]] || chown "$USER_ID" "$D"

  # its own process group, so that a time-out ends all of it
  set -m
  {
    set +m
    (
      set -Eeu
      trap 'echo "FAILED: ${BASH_SOURCE[0]##*/}:$LINENO: $BASH_COMMAND"' ERR
      cd "$D"
      [[ -z ${CHECK_USER:-} ]] || umask 0 # he gets at what we make
      "$@"
    ) >"$log" 2>&1 </dev/null
    echo $? >"$D.status"
  } &
  pid=$!
  set +m
  check_wait "$pid" "$CHECK_TIMEOUT" || {
    kill -KILL -- "-$pid"
    echo "FAILED: time-out after $CHECK_TIMEOUT s" >>"$log"
  } 2>/dev/null
  wait "$pid" 2>/dev/null
  [[ ! -s $D.status ]] || rc=$(<"$D.status")
  check_report "$title" "$rc" "$log"
  # a failed case may leave anything; what a passed one leaves is looked for by finish()
  [[ $rc = 0 ]] || sweep
  # not across the mounts that a failed case may have left
  rm -rf --one-file-system "$D" "$D.status" "$log" 2>/dev/null
}

# Whether an ordinary user is spared this one: $not_as_user says why.
not_as_user() { # TITLE
  local pattern
  while IFS=$'\t' read -r pattern not_as_user; do
    # shellcheck disable=SC2053
    [[ ! $not_as_user || "$check_file: $1" != $pattern ]] || return 0
  done <"$TESTS/integration/not_as_user"
  return 1
}

# True when the process ended in time. No clean-up code of ours runs in it, so polling is enough.
check_wait() { # PID SECONDS
  local end=$((SECONDS + $2))
  while kill -0 "$1" 2>/dev/null; do
    ((SECONDS < end)) || return 1
    pause .01
  done
}

check_report() { # TITLE STATUS LOG
  local line="$check_case - $check_file: $1"
  [[ -z ${CHECK_TIMES:-} ]] || line="$(($(date +%s%N) / 1000000 - check_since)) ms $line"
  case $2 in
  0) echo "ok $line" ;;
  77) echo "ok $line # SKIP $(sed -n 's/^SKIP: //p' "$3" | tail -1)" ;;
  *)
    echo "not ok $line"
    tail -n 40 "$3" | sed 's/^/# /'
    check_failed=$((check_failed + 1))
    ;;
  esac
}

# --- what is left ----------------------------------------------------------------------------------

# Processes that were started by a case: the mark is in the environment of those that have one, and a
# container that has not begun yet is in its cgroup.
left_processes() (
  export -n BERTH_TEST_RUN # what looks is not what is looked for
  {
    grep -lz "^BERTH_TEST_RUN=$RUN_ID\$" /proc/[0-9]*/environ | cut -d/ -f3
    find /sys/fs/cgroup -path "*$RUN_ID*" -name cgroup.procs -exec cat {} +
  } 2>/dev/null | sort -u | while read -r pid; do
    # a grep is who looks through this list
    [[ $pid = "$$" || $pid = "$BASHPID" || $(<"/proc/$pid/comm") = grep ]] || gone "$pid" ||
      echo "process $pid $(tr '\0' ' ' <"/proc/$pid/cmdline")"
  done 2>/dev/null
)
left_cgroups() { find /sys/fs/cgroup -depth -type d -path "*$RUN_ID*" -printf 'cgroup %p\n' 2>/dev/null; }
left_mounts() { awk '{ print "mount " $5 }' /proc/self/mountinfo | grep -vxF -f "$WORK/mounts"; }
left_state() { find "$ROOT" -mindepth 1 -maxdepth 1 -printf 'state %p\n' 2>/dev/null; }

whats_left() {
  left_processes
  left_cgroups
  left_mounts
  left_state
}

# Remove what a failed case left, so that the next one starts as it should.
sweep() {
  local path _ i
  # a frozen process does not die on v1
  left_cgroups | while read -r _ path; do
    [[ ! -e $path/cgroup.freeze ]] || echo 0 >"$path/cgroup.freeze"
    [[ ! -e $path/freezer.state ]] || echo THAWED >"$path/freezer.state"
  done 2>/dev/null
  # what was killed holds its cgroup until it is gone, which a busy machine takes its time for
  for ((i = 0; i < 100; i++)); do
    left_processes >"$WORK/left.processes"
    [[ -s $WORK/left.processes ]] || break
    while read -r _ path _; do kill -KILL "$path" 2>/dev/null; done <"$WORK/left.processes"
    pause .05
  done
  left_mounts | tac | while read -r _ path; do umount -l "$path" 2>/dev/null; done
  left_cgroups | while read -r _ path; do
    for ((i = 0; i < 100; i++)); do rmdir "$path" 2>/dev/null && break; pause .05; done
  done 2>/dev/null
  left_state | while read -r _ path; do rm -rf "$path"; done
}

finish() {
  local log=$WORK/left.log rc=0 i
  check_case=$((check_case + 1))
  # a process that was killed needs a moment, its cgroup too
  for ((i = 0; i < 20; i++)); do
    whats_left >"$log"
    [[ -s $log ]] || break
    sleep .1
  done
  [[ ! -s $log ]] || { rc=1 && sweep; }
  check_report "nothing is left: no process, mount, cgroup, state" $rc "$log"
  echo "1..$check_case"
  echo "# $check_file: $((SECONDS - check_started)) s"
  ((check_failed == 0))
  exit
}

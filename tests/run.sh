#!/bin/bash
# run.sh [GROUP...] - install what the tests need, build, run them all.
#
#   unit         ctest in the release build: units, golden files, sessions
#   lint         rules of the house, analysers, and clang compiles the tree, too
#   integration  containers, compared with runc, in a private mount namespace
#   user         the same as an ordinary user, but for what only root can do
#   engines      Podman and containerd with berth as their runtime
#   asan         units and containers again, built with the address and undefined behaviour sanitizers; with vm also there
#   vm           containers in a VM whose cgroups are v2, with every controller
#   vm-systemd   --systemd-cgroup in a VM whose init is systemd
#   slurm        a private Slurm cluster: srun --container, srun berth launch
#   mpi          Open MPI in containers, wired up by our own PMIx server
#   quickstart   examples/quickstart.sh, twice
#   bench        a short tests/bench/bench (only when asked for)
#
# On a Debian 12 with nothing prepared; as root; from any directory, as often as wanted. Takes what is
# missing from apt. The last line is "N passed, N failed, N skipped"; before it every skip with its
# reason and every failure with its log. Status 1 if something failed.
set -u
export LC_ALL=C.UTF-8
top=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
cd "$top" || exit 1
all=(lint unit integration user engines asan vm vm-systemd slurm mpi quickstart)
groups=("$@")
(($#)) || groups=("${all[@]}")
for group in "${groups[@]}"; do
  [[ " ${all[*]} bench " = *" $group "* ]] || { echo "unknown group $group; there are: ${all[*]} bench" >&2; exit 2; }
done
wanted() { [[ " ${groups[*]} " = *" $1 "* ]]; }
[[ $EUID = 0 ]] || { echo "tests/run.sh needs root: it starts containers" >&2; exit 1; }

R=$(mktemp -d /tmp/berth-results.XXXXXX)
trap 'rm -rf "$R"' EXIT
touch "$R"/{passed,failed,skipped}
mkdir "$R/logs"

# --- results: one line each; a failure has a log -----------------------------------------------------------
passed() { echo "$1" >>"$R/passed"; }                 # NAME
skipped() { printf '%s\t%s\n' "$1" "${2:-no reason}" >>"$R/skipped"; } # NAME REASON
failed() {                                             # NAME < LOG
  local log
  log=$(mktemp "$R/logs/XXXXXX")
  cat >"$log"
  printf '%s\t%s\n' "$1" "$log" >>"$R/failed"
}

began=0
section() { # NAME WHAT
  printf '%-12s %s ...\n' "$1" "$2"
  began=$SECONDS
  counts=$(count)
}
count() { wc -l <"$R/passed" && wc -l <"$R/failed" && wc -l <"$R/skipped"; }
section_end() {
  paste -d' ' <(echo "$counts") <(count) | awk -v s=$((SECONDS - began)) '
    { n[NR] = $2 - $1 } END { printf "%12s %d passed, %d failed, %d skipped in %d s\n", "", n[1], n[2], n[3], s }'
}

# One test that is a command.
single() { # NAME COMMAND...
  local name=$1
  shift
  if "$@" >"$R/log" 2>&1; then passed "$name"; else tail -n 60 "$R/log" | failed "$name"; fi
}

# --- ctest ---------------------------------------------------------------------------------------------------
run_ctest() { # GROUP BUILD CTEST-OPTIONS...
  local log=$R/ctest.$1
  ctest --test-dir "$2" --timeout 500 -V "${@:3}" >"$log" 2>&1
  read_ctest "$1" "$log"
}

# " 3/40 Test  #3: unit.test_error ......   Passed    0.01 sec", and what test 3 printed as "3: ..."
read_ctest() { # GROUP LOG
  local group=$1 log=$2 number name result line
  while read -r number name result; do
    sed -n "s/^$number: //p" "$log" >"$R/log"
    case $result in
    *Passed*)
      passed "$group: $name"
      # what a test program left out of itself
      sed -nE 's/^\[ *SKIPPED *\] ([a-zA-Z_]\w*).*/\1/p' "$R/log" | sort -u >"$R/cases"
      while read -r line; do skipped "$group: $name: $line" "$(skip_reason "$line")"; done <"$R/cases"
      ;;
    *Skipped*) skipped "$group: $name" "$(grep -v '^ *$' "$R/log" | grep -v '^Test timeout' | tail -1)" ;;
    *) { echo "$result" && tail -n 80 "$R/log"; } | failed "$group: $name" ;;
    esac
  done < <(sed -nE 's|^ *[0-9]+/[0-9]+ Test +#([0-9]+): ([^ ]+) \.*([* ].*[a-zA-Z]) +[0-9.]+ sec.*|\1 \2 \3|p' "$log")
  grep -q 'tests passed, [0-9]* tests failed' "$log" || tail -n 20 "$log" | failed "$group: ctest"
}

# The last words before cmocka notes the skip of a case.
skip_reason() { # CASE
  awk -v name="$1" '
    /^\[ *RUN/ { words = "" }
    /^\[ *SKIPPED/ && $0 ~ name "$" { print words; exit }
    !/^\[/ && NF { words = $0 }' "$R/log"
}

# --- files of cases: TAP -----------------------------------------------------------------------------------------
run_tap() { # GROUP FILES COMMAND...: FILES test files have to come to their end
  local group=$1 files=$2 line log
  shift 2
  log=$R/tap.$group
  "$@" >"$log" 2>"$log.err" </dev/null
  read_tap "$group" "$files" "$log"
}

read_tap() { # GROUP FILES LOG
  local group=$1 files=$2 log=$3 line title part
  while IFS= read -r line; do
    title=${line#* - }
    case $line in
    'ok '*'# SKIP'*) skipped "$group: ${title%% # SKIP*}" "${line#*# SKIP }" ;;
    'ok '*) passed "$group: $title" ;;
    'not ok '*) awk -v l="$line" '$0 == l { on = 1; next } /^(not )?ok / { on = 0 } on && /^#/' "$log" | failed "$group: $title" ;;
    esac
  done < <(grep -E '^(not )?ok [0-9]' "$log")
  part=$(grep -c '^1\.\.[0-9]' "$log")
  ((part == files)) || { tail -n 20 "$log" "$log.err" | failed "$group: only $part of $files test files came to their end"; }
}

# --- packages, builds ----------------------------------------------------------------------------------------------
. tests/lib/packages.sh
packages=("${PACKAGES_BUILD[@]}" "${PACKAGES_UNIT[@]}" "${PACKAGES_CONTAINERS[@]}")
! wanted lint || packages+=("${PACKAGES_LINT[@]}")
! { wanted vm || wanted vm-systemd; } || packages+=("${PACKAGES_VM[@]}" "${PACKAGES_SLURM[@]}")
! wanted engines || packages+=("${PACKAGES_ENGINES[@]}")
! wanted slurm || packages+=("${PACKAGES_SLURM[@]}")
# the unit tests of the placement ask mpirun
packages+=("${PACKAGES_MPI[@]}" hwloc)
section packages "what is missing"
install_packages "${packages[@]}" || { echo "0 passed, 1 failed, 0 skipped" && exit 1; }
section_end

build() { # PRESET
  section build "$1"
  single "build: $1 compiles without a warning" \
    sh -c "cmake --preset '$1' && cmake --build --preset '$1' --parallel $(nproc)"
  section_end
}
build release
export BERTH=$top/build/release/bin/berth
if [[ ! -x $BERTH ]]; then
  cat "$(cut -f2 "$R/failed")"
  echo "0 passed, 1 failed, 0 skipped"
  exit 1
fi
integration=(tests/integration/*.sh)

# what the emulated machine needs not do again
export CHECK_CACHE=$top/build/test-configs

if wanted unit; then
  section unit "release build"
  run_ctest unit build/release -LE 'lint|hpc'
  section_end
fi

if wanted integration; then
  section integration "native"
  run_tap integration ${#integration[@]} tests/integration/run
  # the controllers of this machine may all be v1's: what cgroup v2 has then are devices and hugetlb
  if [[ $(stat -f -c %T /sys/fs/cgroup) != cgroup2fs ]]; then
    CHECK_ONLY='devices|hugetlb|cgroupsPath|delete --force|place|create, start' \
      run_tap integration-v2 2 tests/integration/run --cgroup v2 tests/integration/cgroups.sh tests/integration/lifecycle.sh
  fi
  section_end
fi

if wanted user; then
  section user "as an ordinary user"
  CHECK_USER=1 run_tap user ${#integration[@]} tests/integration/run
  section_end
fi

# The VM takes longest, and keeps one CPU busy. So its files are dealt out in batches, a VM for each: one lane works
# on them beside the other groups, a second one joins when those are done. The longest files come first.
vm_lane() {
  local batch files build
  for batch in "$R"/vm/*.todo; do
    mv "$batch" "${batch%.todo}" 2>/dev/null || continue # the other lane has it
    mapfile -t files <"${batch%.todo}"
    build=release
    [[ $batch != *-asan.todo ]] || build=asan
    BERTH=$top/build/$build/bin/berth "${sanitize[@]}" tests/vm/run "${files[@]}" >"${batch%.todo}.tap" 2>"${batch%.todo}.err" </dev/null
  done
}
# a status that nothing else has
sanitize=(env ASAN_OPTIONS=exitcode=99 UBSAN_OPTIONS=exitcode=99:print_stacktrace=1)
vm=
systemd_files=(tests/vm/systemd.sh tests/integration/{cgroups,killed}.sh)
asan_files=(tests/integration/{cgroups,rootless,update,killed}.sh)
if wanted vm || wanted vm-systemd; then
  echo "vm           begins, in the background"
  vm_began=$SECONDS
  mkdir "$R/vm"
fi
if wanted vm-systemd; then
  # the rest of the files that tests/vm/run --systemd knows takes longer than it finds
  printf '%s\n' --systemd "${systemd_files[@]}" >"$R/vm/S.todo"
fi
if wanted vm; then
  mapfile -t vm_files < <(grep -L '^# not in the VM' tests/integration/*.sh)
  { echo tests/integration/table.sh && wc -l "${vm_files[@]}" | sort -rn | awk '$2 ~ /sh$/ && $2 !~ /table/ { print $2 }'; } |
    split -l 2 --additional-suffix .todo - "$R/vm/a"
  echo units >"$R/vm/b.todo"
fi
if wanted vm || wanted vm-systemd; then
  vm_lane &
  vm=$!
fi

if wanted lint; then
  build clang
  section lint "rules of the house, clang-tidy, cppcheck, scripts"
  run_ctest lint build/release -L lint --parallel "$(nproc)"
  section_end
fi

if wanted engines; then
  section engines "Podman, containerd"
  engines=(tests/engines/*.sh)
  run_tap engines ${#engines[@]} tests/integration/run "${engines[@]}"
  section_end
fi

if wanted asan; then
  build asan
  # where cgroup v2 and systemd are
  ! wanted vm || printf '%s\n' "${asan_files[@]}" >"$R/vm/A-asan.todo"
  ! wanted vm-systemd || printf '%s\n' --systemd tests/vm/systemd.sh >"$R/vm/B-asan.todo"
  section asan "units and containers with sanitizers"
  run_ctest asan build/asan -LE 'lint|hpc'
  mkdir "$R/reports"
  chmod 777 "$R/reports"
  # reports in files, so that they are seen whatever a test expects on stderr
  BERTH=$top/build/asan/bin/berth \
    ASAN_OPTIONS=exitcode=99:log_path=$R/reports/asan UBSAN_OPTIONS=exitcode=99:print_stacktrace=1:log_path=$R/reports/ubsan \
    run_tap asan ${#integration[@]} tests/integration/run
  if [[ -z $(ls "$R/reports") ]]; then
    passed "asan: no sanitizer has anything to report"
  else
    head -n 60 "$R"/reports/* | failed "asan: no sanitizer has anything to report"
  fi
  section_end
fi

if wanted slurm; then
  section slurm "srun --container, srun berth launch"
  run_tap slurm 2 tests/integration/run tests/lab/srun_container.sh tests/lab/srun_launch.sh
  single "slurm: what a caller binds a runtime to is kept, beside crun and runc" env SLURM=1 tests/placement/kept
  section_end
fi

if wanted mpi; then
  section mpi "Open MPI by PMIx"
  run_ctest mpi build/release -L hpc
  run_tap mpi 1 tests/integration/run tests/mpi/launch_mpi.sh
  section_end
fi

if wanted quickstart; then
  section quickstart "from another directory, twice"
  run_tap quickstart 1 tests/integration/run tests/quickstart.sh
  section_end
fi

if wanted bench; then
  section bench "a short one"
  single "bench: every candidate runs" tests/bench/bench 5 1
  cat "$R/log"
  single "bench: placing" build/release/tests/place_bench
  cat "$R/log"
  section_end
fi

if [[ $vm ]]; then
  section vm "containers and cgroups on cgroup v2, and by systemd"
  vm_lane
  wait $vm
  if wanted vm; then
    cat "$R"/vm/[ab]*.tap >"$R/tap.vm"
    cat "$R"/vm/[ab]*.err >"$R/tap.vm.err"
    read_tap vm ${#vm_files[@]} "$R/tap.vm"
    read_ctest vm "$R/tap.vm"
    run_tap vm-places 1 tests/vm/place16
    run_tap vm-smt 1 tests/vm/place16 smt
  fi
  if wanted vm-systemd; then
    cp "$R/vm/S.err" "$R/vm/S.tap.err"
    read_tap vm-systemd ${#systemd_files[@]} "$R/vm/S.tap"
  fi
  if wanted asan; then
    cat "$R"/vm/[AB]-asan.tap >"$R/tap.vm-asan"
    cat "$R"/vm/[AB]-asan.err >"$R/tap.vm-asan.err"
    n_files=0
    ! wanted vm || n_files=${#asan_files[@]}
    ! wanted vm-systemd || n_files=$((n_files + 1))
    read_tap vm-asan $n_files "$R/tap.vm-asan"
  fi
  began=$vm_began
  section_end
fi

# --- the end -----------------------------------------------------------------------------------------------------
# What one machine cannot do and another did in this run (cgroup v1 natively, v2 in the VM) was not skipped.
{
  sed 's/^[^:]*: //' "$R/passed"
  sed -nE 's/^[0-9]+: \[ *OK *\] ([a-zA-Z_]\w*).*/\1/p' "$R"/ctest.* "$R/tap.vm"
} 2>/dev/null | sort -u >"$R/done"
mv "$R/skipped" "$R/skips"
touch "$R/skipped"
elsewhere=0
while IFS=$'\t' read -r name reason; do
  if grep -qxF -e "${name#*: }" -e "${name##*: }" "$R/done"; then elsewhere=$((elsewhere + 1)); else skipped "$name" "$reason"; fi
done <"$R/skips"
((elsewhere == 0)) || echo "$elsewhere cases that could not run in one group ran in another"

while IFS=$'\t' read -r name reason; do echo "skipped: $name: $reason"; done <"$R/skipped"
while IFS=$'\t' read -r name log; do
  echo "failed: $name"
  sed 's/^/    /' "$log"
done <"$R/failed"
mapfile -t totals < <(count)
echo "${totals[0]} passed, ${totals[1]} failed, ${totals[2]} skipped"
((totals[1] == 0))

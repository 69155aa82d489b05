#!/bin/bash
# not in the VM of the others: this needs 16 CPUs, 2 sockets, 4 NUMA nodes, and one or two threads a core. tests/vm/place16
# starts it.
. "${BASH_SOURCE%/*}/../lib/check.sh"

# Everything a job of one node needs. Slurm finds nodes by address only beside a network card: the VM has one.
start_slurm() {
  mkdir -p /run/munge /var/log/munge /var/lib/munge /var/spool/slurmd /var/spool/slurmctld /var/log/slurm /etc/slurm
  chown munge: /run/munge /var/log/munge /var/lib/munge /etc/munge /etc/munge/munge.key
  chown slurm: /var/spool/slurmctld /var/log/slurm
  chmod 755 /run /var /var/log /var/lib /run/munge
  chmod 700 /var/log/munge /etc/munge
  setpriv --reuid munge --regid munge --clear-groups munged --force
  cat >/etc/slurm/slurm.conf <<X
ClusterName=t
SlurmctldHost=$(hostname)
AuthType=auth/munge
SlurmUser=slurm
StateSaveLocation=/var/spool/slurmctld
SlurmdSpoolDir=/var/spool/slurmd
SlurmctldPidFile=/run/slurmctld.pid
SlurmdPidFile=/run/slurmd.pid
SlurmctldLogFile=/var/log/slurm/ctld.log
SlurmdLogFile=/var/log/slurm/slurmd.log
ProctrackType=proctrack/cgroup
TaskPlugin=task/affinity,task/cgroup
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
MpiDefault=none
ReturnToService=2
$(slurmd -C | grep -o 'NodeName=.*' | sed 's/ UpTime.*//')
PartitionName=p Nodes=ALL Default=YES State=UP
X
  printf 'CgroupPlugin=autodetect\nIgnoreSystemd=yes\nConstrainCores=no\nConstrainRAMSpace=no\nConstrainDevices=no\n' \
    >/etc/slurm/cgroup.conf
  mkdir -p /sys/fs/cgroup/system.slice
  local controller
  for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do
    echo "+$controller" >/sys/fs/cgroup/system.slice/cgroup.subtree_control
  done
  slurmctld
  slurmd
  idle() { sinfo -h -o %T 2>/dev/null | grep -q idle; }
  eventually idle
}

stop_slurm() {
  local pids pid
  pids=$(cat /run/slurmd.pid /run/slurmctld.pid /run/munge/munged.pid 2>/dev/null) || true
  for pid in $pids; do kill "$pid" 2>/dev/null || true; done
  for pid in $pids; do eventually gone "$pid"; done
}

as_srun() {
  command -v slurmctld >/dev/null || skip "no Slurm"
  start_slurm
  local rc=0
  salloc --exclusive -N1 "$TOP/tests/placement/compare-slurm" --check 5 >"$D/out" 2>"$D/err" || rc=$?
  stop_slurm
  ((rc == 0)) || fail "$(cat "$D/out" "$D/err")"
}

# Each says where it may run, and where its memory lies: /proc/PID/numa_maps counts pages by node.
# $before: what starts the launcher, if anything does.
before=()
local_pages() { # LAUNCH-OPTIONS...
  bundle .
  # shellcheck disable=SC2016
  expect 0 "${before[@]}" "$BERTH" --root "$ROOT" launch -q "$@" --report "$D/report" "$B" -- sh -c '
    x=$(head -c 300000 /dev/zero | tr "\0" x)
    awk -v rank="$BERTH_RANK" "/^Cpus_allowed_list/ { cpus = \$2 }
      /anon=/ && !/file=/ { policy = \$2
        for (i = 3; i <= NF; i++) if (\$i ~ /^N[0-9]+=/) { split(\$i, part, \"=\"); pages[part[1]] += part[2] } }
      END { for (node in pages) all = all \" \" node \"=\" pages[node]; print rank, cpus, policy all }" \
      /proc/$$/status /proc/$$/numa_maps'
}

# "rank cpus policy N0=80": the only node is the one of the CPUs
check_pages() { # INSTANCES [PLACES]
  equal "$(wc -l <"$D/out")" "$1" instances
  equal "$(awk '{ print $2 }' "$D/out" | sort -u | wc -l)" "${2:-$1}" "places of their own"
  local rank cpus policy pages more node
  while read -r rank cpus policy pages more; do
    node=$(($(sed 's/[-,].*//' <<<"$cpus") / 4))
    contains "$policy" "$node"
    [[ $pages = "N$node="* && -z $more && ${pages#*=} -gt 0 ]] || fail "rank $rank on CPU $cpus has memory in $pages $more"
    equal "$(jq -r ".ranks[$rank].cpus" "$D/report")" "$cpus" "the report's CPUs"
  done <"$D/out"
}

threads16() {
  local_pages -n 16 --map-by hwthread
  check_pages 16
}

bound_to_nodes() {
  local_pages -n 4 --map-by numa --mem-bind bind
  check_pages 4
  contains "$(cat "$D/out")" "bind:3"
}

ranked_cores() {
  local_pages -n 8 --map-by core --rank-by numa
  check_pages 8
  equal "$(sort -n "$D/out" | awk '{ printf "%s ", $2 }')" "0-1 4-5 8-9 12-13 2-3 6-7 10-11 14-15 "
}

interleaved() {
  bundle .
  # shellcheck disable=SC2016
  expect 0 berth launch -q -n 2 --map-by package --mem-bind interleave "$B" -- sh -c 'awk "/stack/ { print \$2 }" /proc/$$/numa_maps'
  equal "$(sort "$D/out" | tr '\n' ' ')" "interleave:0-1 interleave:2-3 "
}

seen_by_topo() {
  bundle .
  berth_in_background launch -q -n 8 --map-by core --name "$ID" "$B" -- sh -c 'echo up; sleep 1000' >"$D/out"
  all_up() { [[ $(grep -c up "$D/out") = 8 ]]; }
  eventually all_up
  expect 0 berth topo
  contains "$out" "core[5] cpus 10-11: $ID.5"
  expect 0 berth topo --svg "$D/topo.svg"
  equal "$(grep -c bold "$D/topo.svg")" 8 "cores with a name"
  kill -TERM "$pid"
  wait "$pid" || true
}

# --- 16 cores ------------------------------------------------------------------------------------------------------

cores16() {
  local_pages -n 16 --bind-to core
  check_pages 16
  equal "$(sort -n "$D/out" | awk '{ printf "%s ", $2 }')" "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 "
}

srun_ldoms() {
  local_pages -n 16 --cpu-bind ldoms
  check_pages 16 4
  equal "$(awk '{ print $2 }' "$D/out" | sort -n | uniq -c | tr -s ' \n' ' ')" " 4 0-3 4 4-7 4 8-11 4 12-15 "
}

# The allocation is given by the affinity, by a cpuset, by Slurm: who has got a part deals out that.
part_by_taskset() {
  before=(taskset -c 2-9)
  local_pages --bind-to core
  check_pages 8
  equal "$(sort -n "$D/out" | awk '{ printf "%s ", $2 }')" "2 3 4 5 6 7 8 9 "
  local_pages -n 3 --cpu-bind rank_ldom
  check_pages 3
  equal "$(awk '{ print $2 }' "$D/out" | sort -n | tr '\n' ' ')" "2-3 4-7 8-9 "
  expect 1 taskset -c 2-9 "$BERTH" launch -n 1 --cpu-bind map_cpu:10 "$B"
  one_line "$err"
}

part_by_cpuset() {
  local part=/sys/fs/cgroup/$ID-part
  echo +cpuset >/sys/fs/cgroup/cgroup.subtree_control
  mkdir "$part"
  echo 4-6,12-15 >"$part/cpuset.cpus"
  echo 1,3 >"$part/cpuset.mems"
  # shellcheck disable=SC2016
  before=(sh -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$part")
  local_pages --bind-to core
  rmdir "$part"
  check_pages 7
  equal "$(sort -n "$D/out" | awk '{ printf "%s ", $2 }')" "4 5 6 12 13 14 15 "
}

part_by_slurm() {
  command -v slurmctld >/dev/null || skip "no Slurm"
  start_slurm
  before=(srun -N1 -n1 -c6 --cpu-bind=cores)
  local rc=0 allowed
  allowed=$(srun -N1 -n1 -c6 --cpu-bind=cores awk '/^Cpus_allowed_list/ { print $2 }' /proc/self/status) || rc=$?
  (local_pages --bind-to core && check_pages 6) || rc=$?
  stop_slurm
  ((rc == 0)) || fail "in the allocation"
  equal "$(awk '{ print $2 }' "$D/out" | sort -n | tr '\n' ' ')" \
    "$(awk -v list="$allowed" 'BEGIN { n = split(list, p, ","); for (i = 1; i <= n; i++) { split(p[i], e, "-")
      for (c = e[1]; c <= (e[2] == "" ? e[1] : e[2]); c++) printf "%d ", c } }')"
}

# `berth run` by the same words
one_container() {
  bundle '.process.args = ["awk", "/^(Cpus|Mems)_allowed_list/ { print $2 } /stack/ { sub(/^[^ ]* /, \"\"); sub(/ stack.*/, \"\"); print }", "/proc/self/status", "/proc/self/numa_maps"]'
  local says options
  while IFS='|' read -r says options; do
    # shellcheck disable=SC2086
    expect 0 berth run -b "$B" $options "$ID"
    equal "$(tr '\n' ' ' <<<"$out")" "$says" "$options"
  done <<'X'
5 1 prefer:1 |--cpus 5
4-7 1 bind:1 |--numa 1
4-11 1-2 bind:1-2 |--numa 1,2
4-11 1-2 interleave:1-2 |--numa 1-2 --mem-bind interleave
12 3 bind:3 |--numa 3 --bind core
12-13 3 bind:3 |--numa 3 --bind core:PE=2
0 3 bind:3 |--cpus 0 --numa 3
8-15 0-3 prefer (many):2-3 |--numa 2-3 --mem-bind prefer
8-15 0-3 prefer (many):2-3 |--cpus 8-15 --mem-bind prefer
3-4 0-1 prefer (many):0-1 |--cpus 3-4
9 0-3 local |--cpus 9 --mem-bind local
4-7 1 prefer:1 |--bind map_ldom:1
0-7 0-1 prefer (many):0-1 |--bind sockets
0-15 0-3 interleave:0-3 |--mem-bind interleave
X
  expect 1 taskset -c 0-3 "$BERTH" --root "$ROOT" run -b "$B" --numa 2 "$ID"
  one_line "$err"
  contains "$err" '--numa "2": none of its CPUs (8-11) is ours to give; allowed are 0-3'
}

if [[ $(lscpu -p=CORE | grep -vc '^#') = $(lscpu -p=CORE | grep -v '^#' | sort -u | wc -l) ]]; then
  test_case "16 instances on 16 cores: each has its own, and memory of its node" cores16
  test_case "the same with --cpu-bind ldoms: a node each, and its memory" srun_ldoms
  test_case "an affinity for a part of the machine: that part is dealt out" part_by_taskset
  test_case "a cpuset for a part of the machine: that part is dealt out" part_by_cpuset
  test_case "berth run --cpus, --numa, --bind, --mem-bind" one_container
  test_case "a Slurm allocation of a part of the machine: that part is dealt out" part_by_slurm
  finish
fi

test_case "16 instances on 16 hardware threads: each has its own, and memory of its node" threads16
test_case "--map-by core --rank-by numa: numbers in turn, memory of the node" ranked_cores
test_case "--mem-bind bind: no other memory" bound_to_nodes
test_case "--mem-bind interleave: pages of the instance's own nodes" interleaved
test_case "berth topo shows the instances at their cores" seen_by_topo
test_case "srun puts its tasks where the table says" as_srun
finish

#!/bin/bash
# devices: --device, --device-group, CDI files, annotations. What is given can be used, everything else is refused by
# the device cgroup, v1 or v2, whatever is mounted.
. "${BASH_SOURCE%/*}/../lib/check.sh"

# A device that no container has unless it is given: $MAJOR $MINOR, and a node of it as $D/node. Any will do that
# can be opened without doing anything.
device() {
  local pair
  for pair in '10 229' '10 200' '10 237' '10 232'; do
    read -r MAJOR MINOR <<<"$pair"
    rm -f "$D/node"
    mknod -m 640 "$D/node" c "$MAJOR" "$MINOR" 2>/dev/null || skip "cannot make device nodes"
    (: <"$D/node") 2>/dev/null && return
  done
  skip "none of the devices fuse, tun, loop-control, kvm can be opened here"
}

# A program that says of each path whether it can be opened: "ro" for reading, "rw" for both.
OPEN='open() { if (: <>"$1") 2>/dev/null; then echo "$1 rw"; elif (: <"$1") 2>/dev/null; then echo "$1 ro"; else echo "$1 no"; fi; }'
program() { # SHELL: the bundle's process
  jq --arg text "$OPEN; $1" '.process.args = ["sh", "-c", $text]' "$B/config.json" >"$D/config" && mv "$D/config" "$B/config.json"
}
MKNOD='.process.capabilities |= map_values(. + ["CAP_MKNOD"])'

cdi_file() { # NAME JSON-DEVICES [JSON-EDITS]
  mkdir -p "$D/cdi"
  jq -n --argjson devices "$2" --argjson edits "${3:-{\}}" \
    '{cdiVersion: "1.1.0", kind: "berth.test/thing", devices: $devices, containerEdits: $edits}' >"$D/cdi/$1"
}
node() { # [JQ]: a device node in CDI's words
  jq -cn --arg host "$D/node" "{path: \"/dev/thing\", hostPath: \$host} ${1:-}"
}

plain() {
  device
  bundle "$MKNOD"
  program "open /dev/thing; mknod /dev/own c $MAJOR $MINOR; open /dev/own; stat -c '%a %u' /dev/thing"
  expect 0 berth run -b "$B" --device "$D/node:/dev/thing" "$ID"
  equal "$out" $'/dev/thing rw\n/dev/own rw\n640 0'
  # the same container, without
  program "mknod /dev/own c $MAJOR $MINOR; open /dev/own; ls /dev/thing 2>&1"
  expect 1 berth run -b "$B" "$ID"
  contains "$out" '/dev/own no'
}
test_case "a device is usable where it was given, and refused elsewhere" plain

access() {
  device
  bundle "$MKNOD"
  program 'open /dev/thing'
  expect 0 berth run -b "$B" --device "$D/node:/dev/thing:r" "$ID"
  equal "$out" '/dev/thing ro'
  program "open $D/node"
  expect 0 berth run -b "$B" --device "$D/node:rw" "$ID"
  equal "$out" "$D/node rw"
}
test_case "the access of a device is what was said, and its path without one the host's" access

create_too() {
  device
  bundle
  program 'open /dev/thing'
  expect 0 berth create -b "$B" --device "$D/node:/dev/thing" "$ID" >"$D/created"
  expect 0 berth delete -f "$ID"
  bundle "$FOREVER"
  expect 0 berth create -b "$B" --device "$D/node:/dev/thing" "$ID"
  expect 0 berth start "$ID"
  expect 0 berth exec "$ID" sh -c "$OPEN; open /dev/thing"
  equal "$out" '/dev/thing rw'
  expect 0 berth delete -f "$ID"
}
test_case "create takes devices, too" create_too

after_update() {
  device
  bundle "$FOREVER"
  expect 0 berth run -d -b "$B" --device "$D/node:/dev/thing" "$ID"
  own() { # NAME MAJOR MINOR
    expect 0 berth exec --cap CAP_MKNOD "$ID" sh -c "$OPEN; open /dev/thing; mknod /dev/$1 c $2 $3; (: </dev/$1) 2>&1 | grep -o 'not permitted'; :"
  }
  own a 7 1
  equal "$out" $'/dev/thing rw\nnot permitted'
  try berth update --pids-limit 100 "$ID"
  [[ $status = 0 || $err = *'no pids controller'* ]] || fail "$err"
  own b 7 1
  equal "$out" $'/dev/thing rw\nnot permitted'
  # more rules than it was made with, which are in the config that was kept
  jq '.linux.resources | {devices: (.devices + [{allow: true, type: "c", major: 7, minor: 1, access: "rwm"}])}' \
    "$ROOT/$ID/config.json" >"$D/more"
  expect 0 berth update -r "$D/more" "$ID"
  own c 7 1
  equal "$out" '/dev/thing rw'
  own d 7 2
  equal "$out" $'/dev/thing rw\nnot permitted'
  expect 0 berth delete -f "$ID"
}
test_case "update leaves the devices as they are" after_update

cdi() {
  device
  local devices
  devices=$(jq -cn --argjson node "$(node '+ {fileMode: 432, uid: 7}')" \
    '[{name: "0", containerEdits: {env: ["THING=0", "PATH=/bin:/x"], deviceNodes: [$node]}}]')
  cdi_file t.json "$devices" \
    '{"env": ["KIND=thing"], "additionalGids": [0, 77], "mounts": [{"hostPath": "/etc/passwd", "containerPath": "/mnt/passwd"}]}'
  bundle "$FOREVER"
  expect 0 berth run -d -b "$B" --cdi-dir "$D/cdi" --device berth.test/thing=0 "$ID"
  # also for who comes later: the config that is kept has the edits
  expect 0 berth exec "$ID" sh -c "$OPEN; open /dev/thing; stat -c '%a %u' /dev/thing; echo \$THING \$KIND \$PATH; id -G; cmp /mnt/passwd - && echo same" </etc/passwd
  contains "$out" $'/dev/thing rw\n660 7\n0 thing /bin:/x\n0 77'
  expect 0 berth delete -f "$ID"
}
test_case "CDI: nodes, variables, groups, mounts, also for exec" cdi

yaml() {
  device
  mkdir "$D/cdi"
  cat >"$D/cdi/t.yaml" <<END
# as generators write it
cdiVersion: 0.5.0
kind: berth.test/thing
devices:
- name: "0"
  containerEdits:
    deviceNodes:
    - path: /dev/thing
      hostPath: $D/node
      fileMode: 0600
      permissions: rw
END
  bundle
  program 'open /dev/thing; stat -c %a /dev/thing'
  try berth run -b "$B" --cdi-dir "$D/cdi" --device berth.test/thing=0 "$ID"
  [[ $err != *'without libyaml'* ]] || skip "built without libyaml"
  equal "$out$err" $'/dev/thing rw\n600'
}
test_case "CDI files in YAML" yaml

annotation() {
  device
  cdi_file t.json "$(jq -cn --argjson node "$(node)" '[{name: "0", containerEdits: {deviceNodes: [$node]}},
    {name: "1", containerEdits: {env: ["ONE=1"]}}]')"
  bundle '.annotations = {"cdi.k8s.io/engine_0": "berth.test/thing=0,berth.test/thing=1", "other": "x"}'
  program 'open /dev/thing; echo $ONE'
  expect 0 berth run -b "$B" --cdi-dir "$D/cdi" "$ID"
  equal "$out" $'/dev/thing rw\n1'
  bundle '.annotations = {"cdi.k8s.io/engine_0": "berth.test/thing"}'
  expect 1 berth run -b "$B" --cdi-dir "$D/cdi" "$ID"
  one_line "$err"
  contains "$err" 'annotation "cdi.k8s.io/engine_0": device "berth.test/thing": expected VENDOR/CLASS=NAME'
}
test_case "annotations cdi.k8s.io/... ask for devices" annotation

all_of_a_kind() {
  mkdir "$D/high"
  cdi_file a.json '[{"name": "10", "containerEdits": {"env": ["A=10"]}}, {"name": "2", "containerEdits": {"env": ["A=2", "B=2"]}}]'
  cdi_file b.json '[{"name": "1", "containerEdits": {"env": ["C=1"]}}]' '{"env": ["D=all"]}'
  bundle
  program 'echo $A $B $C $D'
  expect 0 berth run -b "$B" --cdi-dir "$D/cdi" --device berth.test/thing=all "$ID"
  equal "$out" '10 2 1 all'
  # a later directory wins; without --device nothing is read
  cp "$D/cdi/b.json" "$D/high/z.json"
  sed -i 's/C=1/C=high/' "$D/high/z.json"
  expect 0 berth run -b "$B" --cdi-dir "$D/cdi" --cdi-dir "$D/high" --device berth.test/thing=1 "$ID"
  equal "$out" 'high all'
  expect 0 berth run -b "$B" --cdi-dir "$D/high" --cdi-dir "$D/cdi" --device berth.test/thing=1 "$ID"
  equal "$out" '1 all'
  cp "$D/cdi/b.json" "$D/cdi/c.json"
  expect 1 berth run -b "$B" --cdi-dir "$D/cdi" --device berth.test/thing=1 "$ID"
  one_line "$err"
  contains "$err" "device \"berth.test/thing=1\": it is in $D/cdi/b.json and in $D/cdi/c.json, and neither takes precedence"
  expect 0 berth run -b "$B" --cdi-dir "$D/cdi" --device berth.test/thing=2 "$ID"
}
test_case "CDI: all devices of a kind, later directories win, equal ones are an error" all_of_a_kind

hooks() {
  printf '#!/bin/sh\ncat >/dev/null\necho "$1" >>"%s/ran"\n' "$D" >"$D/hook"
  chmod 755 "$D/hook"
  local kinds
  kinds=$(jq -cn --arg path "$D/hook" '[("createRuntime", "poststart", "poststop") as $k | {hookName: $k, path: $path, args: ["hook", $k]}]')
  cdi_file t.json "[{\"name\": \"0\", \"containerEdits\": {\"hooks\": $kinds}}]"
  bundle '.process.args = ["true"]'
  expect 0 berth run -b "$B" --cdi-dir "$D/cdi" --device berth.test/thing=0 "$ID"
  equal "$(sort "$D/ran" | tr '\n' ' ')" 'createRuntime poststart poststop '
}
test_case "CDI: hooks run, also when the container is gone" hooks

user_namespace() {
  device
  chmod 666 "$D/node"
  bundle '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}] |
    .linux.gidMappings = .linux.uidMappings'
  chown -R 100000:100000 "$B/rootfs"
  chmod 755 "$D" "$B"
  program 'open /dev/thing'
  expect 0 berth run -b "$B" --device "$D/node:/dev/thing" "$ID"
  equal "$out" '/dev/thing rw'
}
test_case "in a user namespace the host's node is bound" user_namespace

mistakes() {
  bundle
  local sentence
  refused() { # SENTENCE OPTION...
    sentence=$1
    shift
    expect 1 berth run -b "$B" "$@" "$ID"
    one_line "$err"
    contains "$err" "$sentence"
  }
  refused 'device "/dev/no-such": No such file or directory' --device /dev/no-such
  refused 'device "/etc/passwd" is not a device' --device /etc/passwd
  refused 'found "x"' --device /dev/null:/dev/n:x
  refused 'expected PATH[:PATH-IN-CONTAINER][:rwm]' --device null
  refused "CDI directory \"$D/none\": No such file or directory" --cdi-dir "$D/none" --device berth.test/thing=0
  refused 'device group "ib" is none of verbs, cxi, xpmem, kfd' --device-group ib
  mkdir "$D/cdi"
  refused "no CDI file in $D/cdi describes devices of berth.test/thing" --cdi-dir "$D/cdi" --device berth.test/thing=0
  echo '{"cdiVersion": "1.1.0", "kind": "berth.test/thing", "devices": [{"name": "0"}]' >"$D/cdi/bad.json"
  refused "$D/cdi/bad.json: line 2, column 1" --cdi-dir cdi --device berth.test/thing=0
  printf 'kind: [berth.test/thing\n' >"$D/cdi/bad.yaml"
  rm "$D/cdi/bad.json"
  refused "$D/cdi/bad.yaml: " --cdi-dir cdi --device berth.test/thing=0
  cdi_file ok.json '[{"name": "0", "containerEdits": {"deviceNodes": [{"path": "/dev/no-such"}]}}]'
  refused "device \"berth.test/thing=0\" of $D/cdi/ok.json: look at \"/dev/no-such\": No such file" --cdi-dir cdi --device berth.test/thing=0
  equal "$(ls "$ROOT")" '' 'the state'
}
test_case "what is wrong is said in one line, and nothing is left" mistakes

# what it says of the place in the file | the file, where @ stands for a good beginning
bad_files() {
  bundle
  mkdir "$D/cdi"
  local says text
  local good='"cdiVersion": "1.1.0", "kind": "berth.test/thing", "devices": [{"name": "0", "containerEdits":'
  while IFS='|' read -r says text; do
    printf '%s\n' "${text//@/$good}" >"$D/cdi/f.json"
    expect 1 berth run -b "$B" --cdi-dir "$D/cdi" --device berth.test/thing=0 "$ID"
    one_line "$err"
    contains "$err" "$D/cdi/f.json: $says"
    equal "$(ls "$ROOT")" '' 'the state'
  done <<'X'
line 1, column 1 (byte 0): expected an object|nothing
line 1, column 1 (byte 0): expected an object|[]
cdiVersion: missing|{}
cdiVersion: expected a string, found a number|{"cdiVersion": 1}
cdiVersion: unknown version "9.0.0", supported are 0.3.0 to 1.1.0|{"cdiVersion": "9.0.0", "kind": "berth.test/thing", "devices": []}
kind: expected VENDOR/CLASS, found "thing"|{"cdiVersion": "1.1.0", "kind": "thing", "devices": []}
devices: is empty|{"cdiVersion": "1.1.0", "kind": "berth.test/thing", "devices": []}
devices[0].containerEdits: missing|{"cdiVersion": "1.1.0", "kind": "berth.test/thing", "devices": [{"name": "0"}]}
devices[0].containerEdits.deviceNodes: expected an array, found a number|{@ {"deviceNodes": 3}}]}
devices[0].containerEdits.deviceNodes[0].path: expected a string, found a number|{@ {"deviceNodes": [{"path": 7}]}}]}
devices[0].containerEdits.deviceNodes[0].permissions: expected letters of "rwm"|{@ {"deviceNodes": [{"path": "/dev/null", "permissions": "rwx"}]}}]}
devices[0].containerEdits.env[0]: expected NAME=VALUE, found "A"|{@ {"env": ["A"]}}]}
devices[0].containerEdits.hooks[0].hookName: unknown hook "never"|{@ {"hooks": [{"hookName": "never", "path": "/bin/true"}]}}]}
devices[0].containerEdits.mounts[0].containerPath: missing|{@ {"mounts": [{"hostPath": "/x"}]}}]}
devices[1]: name "0" is in element 0, too|{@ {"env": ["A=1"]}}, {"name": "0", "containerEdits": {"env": ["A=1"]}}]}
more: unknown property|{@ {"env": ["A=1"]}}], "more": 1}
cdiVersion: "0.3.0", but "additionalGids" needs 0.7.0|{"cdiVersion": "0.3.0", "kind": "berth.test/thing", "devices": [{"name": "0", "containerEdits": {"additionalGids": [1]}}]}
X
  cdi_file f.json '[{"name": "0", "containerEdits": {"env": ["A=1"]}}]'
  expect 1 berth run -b "$B" --cdi-dir "$D/cdi" --device berth.test/thing=7 "$ID"
  equal "$err" 'berth run failed: device "berth.test/thing=7": there is none of that name, but 0'
  expect 1 berth run -b "$B" --cdi-dir "$D/cdi" --device berth.test/thing=-x "$ID"
  contains "$err" 'device "berth.test/thing=-x": the name has to begin with a letter or a digit'
}
test_case "a malformed CDI file: one line with the file and the place in it" bad_files

# A /dev of our own, for what comes then: the host's is not touched.
with_dev() { # COMMAND...
  unshare -m --propagation private bash -c '
    mkdir -p "$0/dev"
    mount -t tmpfs dev "$0/dev"
    cp -a /dev/{null,zero,full,random,urandom,tty} "$0/dev"
    mkdir "$0"/dev/{pts,shm,mqueue,infiniband}
    ln -s /proc/self/fd "$0/dev/fd"
    ln -s pts/ptmx "$0/dev/ptmx"
    mount --bind /dev/pts "$0/dev/pts"
    cp -a "$0/node" "$0/dev/xpmem"
    cp -a "$0/node" "$0/dev/infiniband/uverbs0"
    mount --move "$0/dev" /dev
    "$@"' "$D" "$@"
}

groups() {
  device
  bundle '.process.rlimits = [{type: "RLIMIT_MEMLOCK", soft: 65536, hard: 65536}]'
  program 'open /dev/xpmem; ulimit -l'
  expect 0 with_dev "$BERTH" --root "$ROOT" run -b "$B" --device-group xpmem "$ID"
  equal "$out" $'/dev/xpmem rw\n64'
  program 'open /dev/infiniband/uverbs0; ulimit -l'
  expect 0 with_dev "$BERTH" --root "$ROOT" run -b "$B" --device-group verbs "$ID"
  if prlimit --memlock=unlimited:unlimited true 2>/dev/null; then
    equal "$out$err" $'/dev/infiniband/uverbs0 rw\nunlimited'
  fi
  # where it may not be raised, that is said, and it is as high as it can be
  expect 0 with_dev setpriv --bounding-set -sys_resource --inh-caps -sys_resource prlimit --memlock=131072:131072 \
    "$BERTH" --root "$ROOT" run -b "$B" --device-group verbs "$ID"
  equal "$out" $'/dev/infiniband/uverbs0 rw\n128'
  one_line "$err"
  contains "$err" 'warning: device group verbs: locked memory stays limited to 128 KiB'
  expect 1 with_dev "$BERTH" --root "$ROOT" run -b "$B" --device-group cxi "$ID"
  one_line "$err"
  contains "$err" 'device group cxi: this machine has no /dev/cxi*'
}
test_case "groups of devices, with the locked memory that they need" groups

directory() {
  device
  mkdir "$D/many"
  cp -a "$D/node" "$D/many/a"
  cp -a "$D/node" "$D/many/b"
  : >"$D/many/file"
  bundle
  program 'open /dev/many/a; open /dev/many/b; ls /dev/many | wc -l'
  expect 0 berth run -b "$B" --device "$D/many:/dev/many" "$ID"
  equal "$out" $'/dev/many/a rw\n/dev/many/b rw\n2'
}
test_case "a directory is all the devices in it" directory

launch() {
  device
  cdi_file t.json '[{"name": "0", "containerEdits": {"env": ["THING=0"]}}]'
  bundle "$MKNOD"
  program "open /dev/thing; mknod /dev/own c 10 183; open /dev/own; echo \$THING"
  expect 0 berth launch -q -n 2 --oversubscribe --cdi-dir "$D/cdi" --device berth.test/thing=0 --device "$D/node:/dev/thing" "$B"
  equal "$(sort <<<"$out" | uniq -c | tr -s ' \n' ' ')" ' 2 /dev/own no 2 /dev/thing rw 2 0 '
  program "mknod /dev/own c $MAJOR $MINOR; open /dev/own"
  expect 0 berth launch -q -n 2 --oversubscribe "$B"
  equal "$(sort -u <<<"$out")" '/dev/own no'
  expect 1 berth launch -q -n 2 --device "$D/none" "$B"
  one_line "$err"
  contains "$err" "device \"$D/none\": No such file or directory"
}
test_case "launch gives devices to all instances" launch

# Devices to deal out: of kind $1, with nodes that are really different ones, as many as can be opened here.
deck() { # KIND
  local pair major minor i=0 devices='[]'
  for pair in '10 229' '10 200' '10 237' '10 232' '10 183'; do
    read -r major minor <<<"$pair"
    mknod -m 666 "$D/gpu$i" c "$major" "$minor" 2>/dev/null && (: <"$D/gpu$i") 2>/dev/null || { rm -f "$D/gpu$i"; continue; }
    devices=$(jq -c --arg i "$i" --arg host "$D/gpu$i" '. + [{name: $i, containerEdits: {env: ["MINE=\($i)"],
      deviceNodes: [{path: "/dev/gpu\($i)", hostPath: $host}]}}]' <<<"$devices")
    echo "$major $minor" >"$D/numbers$i"
    i=$((i + 1))
  done
  ((i >= 2)) || skip "fewer than two of the devices fuse, tun, loop-control, kvm, hwrng can be opened here"
  # a name for all of them is not one more
  jq -n --arg kind "$1" --argjson d "$devices" '{cdiVersion: "0.6.0", kind: $kind,
    devices: ($d + [{name: "all", containerEdits: {deviceNodes: [$d[].containerEdits.deviceNodes[]]}}])}' >"$D/cdi/deck.json"
  DEALT=$i
}

per_rank() {
  mkdir "$D/cdi"
  deck nvidia.com/gpu
  device
  bundle "$MKNOD"
  # which there are, and whether another one can be reached by a node of one's own
  program "cd /dev; for d in gpu*; do open \$d; done; mknod own0 c $(<"$D/numbers0"); mknod own1 c $(<"$D/numbers1"); open own0; open own1
    open /dev/thing; echo CUDA \$CUDA_VISIBLE_DEVICES"
  expect 0 berth launch -q --label -n 2 --oversubscribe --cdi-dir "$D/cdi" --gpus-per-rank 1 --device "$D/node:/dev/thing" "$B"
  local rank
  for rank in 0 1; do
    equal "$(sed -n "s/^\[$rank\] //p" <<<"$out" | grep -v thing)" \
      "gpu$rank rw"$'\n'"own0 $( ((rank == 0)) && echo rw || other_may 0)"$'\n'"own1 $( ((rank == 1)) && echo rw || other_may 1)"$'\nCUDA 0'
  done
  equal "$(grep -c '/dev/thing rw' <<<"$out")" 2
  expect 0 berth launch -q -n 1 --cdi-dir "$D/cdi" --gpus-per-rank 2 "$B"
  contains "$out" $'gpu0 rw\ngpu1 rw\n'
  contains "$out" 'CUDA 0,1'
  expect 1 berth launch -q -n $((DEALT + 1)) --oversubscribe --cdi-dir "$D/cdi" --gpus-per-rank 1 "$B"
  one_line "$err"
  contains "$err" "$((DEALT + 1)) instances at once with 1 of nvidia.com/gpu each need $((DEALT + 1)), and there are $DEALT"
}
# $D/node, which all have, may be the same device
other_may() { # N
  [[ $(<"$D/numbers$1") = "$MAJOR $MINOR" ]] && echo rw || echo no
}
test_case "each rank gets a device of its own, and reaches no other" per_rank

dealt_dry() {
  mkdir "$D/cdi"
  deck berth.test/card
  bundle
  program 'echo $BERTH_RANK berth.test/card=$MINE'
  local words=(-n 2 --oversubscribe --cdi-dir "$D/cdi" --devices-per-rank berth.test/card=1)
  # without a bundle, too
  expect 0 berth launch --dry-run "${words[@]}"
  local dealt
  dealt=$(sed -E 's/^rank ([0-9]+) .*, has /\1 /' <<<"$out")
  expect 0 berth launch --dry-run --report-bindings=json "${words[@]}" "$B"
  equal "$(jq -r '.bindings[] | "\(.rank) \(.devices[])"' "$D/out")" "$dealt" "the dry run as JSON"
  expect 0 berth launch -q --report-bindings=json --report "$D/report" "${words[@]}" "$B"
  equal "$(sort <<<"$out")" "$dealt" "what the ranks have"
  equal "$(jq -r '.bindings[] | "\(.rank) \(.devices[])"' "$D/err")" "$dealt" "--report-bindings of the run"
  equal "$(jq -r '.ranks[] | "\(.rank) \(.devices[])"' "$D/report")" "$dealt" "--report"
  expect 1 berth launch --dry-run -n $((DEALT + 1)) --oversubscribe --cdi-dir "$D/cdi" --devices-per-rank berth.test/card=1
  one_line "$err"
  # those that wait have none yet
  expect 0 taskset -c "$(taskset -cp $$ | sed 's/.*: //; s/[-,].*//')" "$BERTH" launch --dry-run -n 2 --cdi-dir "$D/cdi" \
    --devices-per-rank berth.test/card=2
  contains "$out" ", has berth.test/card=0 berth.test/card=1"$'\n'"rank 1 waits for a slot"
}
test_case "a dry run, a run and its report say who gets which device, and mean it" dealt_dry

# The kernel's names of adapters, for devices that are none: the node of user space verbs says which it belongs to.
adapters() {
  mkdir "$D/cdi" "$D/char"
  deck rdma.test/hca
  bundle
  program 'echo $BERTH_RANK $UCX_NET_DEVICES'
  local i class
  for i in 0 1; do
    class=$D/char/$(tr ' ' : <"$D/numbers$i")
    mkdir -p "$class/device/infiniband/mlx5_$i/ports/"{1,2}
    echo "mlx5_$i" >"$class/ibdev"
  done
  rm -r "$class/device/infiniband/mlx5_1/ports/2"
  with_adapters() { unshare -m bash -c 'mount --bind "$1" /sys/dev/char && shift && exec "$@"' bash "$D/char" "$BERTH" --root "$ROOT" launch -q --cdi-dir "$D/cdi" "$@" "$B"; }
  expect 0 with_adapters -n 2 --oversubscribe --devices-per-rank rdma.test/hca=1
  equal "$(sort <<<"$out")" $'0 mlx5_0:1,mlx5_0:2\n1 mlx5_1:1'
  expect 0 with_adapters -n 1 --devices-per-rank rdma.test/hca=2
  equal "$out" "0 mlx5_0:1,mlx5_0:2,mlx5_1:1"
  expect 0 berth launch -q --cdi-dir "$D/cdi" -n 1 --devices-per-rank rdma.test/hca=1 "$B"
  equal "$out" "0"
}
test_case "a rank that gets InfiniBand adapters is told so in UCX_NET_DEVICES" adapters

per_rank_waiting() {
  mkdir "$D/cdi"
  deck berth.test/card
  bundle
  program 'cd /dev; for d in gpu*; do open $d; done; echo $MINE'
  # three instances, one after the other, in one slot with one device
  expect 0 taskset -c "$(taskset -cp $$ | sed 's/.*: //; s/[-,].*//')" "$BERTH" --root "$ROOT" launch -q -n 3 --cdi-dir "$D/cdi" \
    --devices-per-rank berth.test/card=1 "$B"
  equal "$(sort <<<"$out" | uniq -c | tr -s ' \n' ' ')" ' 3 0 3 gpu0 rw '
  expect 1 berth launch -q -n 1 --cdi-dir "$D/cdi" --devices-per-rank berth.test/card "$B"
  one_line "$err"
  contains "$err" '--devices-per-rank: expected VENDOR/CLASS=NUMBER, found "berth.test/card"'
  expect 1 berth launch -q -n 1 --cdi-dir "$D/cdi" --gpus-per-rank 1 "$B"
  one_line "$err"
  contains "$err" '--gpus-per-rank: device "nvidia.com/gpu=all": no CDI file in'
}
test_case "instances that wait get the devices of the slot that becomes free" per_rank_waiting

# A job is not to be updated, and whoever tries changes nothing.
per_rank_kept() {
  mkdir "$D/cdi"
  deck berth.test/card
  bundle "$MKNOD"
  program "n=\$BERTH_RANK; look() { cd /dev; mknod \$1-0.\$n c $(<"$D/numbers0"); mknod \$1-1.\$n c $(<"$D/numbers1"); open \$1-0.\$n; open \$1-1.\$n; }
    look a; touch /up.\$n; while ! [ -e /go ]; do sleep .1; done; look b"
  berth_in_background launch -q --label --name "$ID" -n 2 --oversubscribe --cdi-dir "$D/cdi" --devices-per-rank berth.test/card=1 "$B" >"$D/out"
  eventually test -e "$B/rootfs/up.0"
  eventually test -e "$B/rootfs/up.1"
  expect_refused() {
    local status=0
    berth update --pids-limit 100 "$ID" 2>"$D/err" || status=$?
    [[ $status != 0 ]] || fail "a job was updated"
    contains "$(<"$D/err")" 'is a job of the launcher'
  }
  expect_refused
  touch "$B/rootfs/go"
  wait "$pid"
  equal "$(sort "$D/out" | tr '\n' ' ')" "[0] a-0.0 rw [0] a-1.0 no [0] b-0.0 rw [0] b-1.0 no [1] a-0.1 no [1] a-1.1 rw [1] b-0.1 no [1] b-1.1 rw "
}
test_case "a rank's devices stay its own while it runs" per_rank_kept

per_rank_mpi() {
  mkdir "$D/cdi"
  deck amd.com/gpu
  bundle
  program 'cd /dev; for d in gpu*; do open $d; done; echo ROCR $ROCR_VISIBLE_DEVICES'
  expect 0 berth launch -q --label -n 2 --oversubscribe --isolate ranks --cdi-dir "$D/cdi" --gpus-per-rank 1 "$B"
  equal "$(sort <<<"$out")" $'[0] ROCR 0\n[0] gpu0 rw\n[1] ROCR 0\n[1] gpu1 rw'
}
test_case "also when ranks share namespaces" per_rank_mpi

finish

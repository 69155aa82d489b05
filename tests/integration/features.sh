#!/bin/bash
# features: what it says can be done is done, and what it does not say is refused.
# not in the VM: hundreds of small configurations, and jq takes longer than a container there
. "${BASH_SOURCE%/*}/../lib/check.sh"

form() {
  expect 0 berth features
  equal "$(jq -r 'keys_unsorted | join(" ")' <<<"$out")" \
    "ociVersionMin ociVersionMax hooks mountOptions linux annotations potentiallyUnsafeConfigAnnotations"
  equal "$(jq -r '.hooks | join(" ")' <<<"$out")" \
    "prestart createRuntime createContainer startContainer poststart poststop"
  equal "$(jq -c '[.mountOptions, (.linux | .namespaces, (.seccomp | .actions, .operators, .archs, .knownFlags, .supportedFlags))
    | (length > 0 and . == (sort | unique))] | unique' <<<"$out")" '[true]' "lists are sorted"
  equal "$(jq '.linux.capabilities | length' <<<"$out")" 41
  equal "$(jq -c '[.ociVersionMax, .linux.cgroup.v1, .linux.cgroup.v2, .linux.cgroup.rdma, (.linux.cgroup.systemdUser == .linux.cgroup.systemd)]' <<<"$out")" \
    '["1.3.0",true,true,true,true]'
  equal "$(jq -c '.linux.intelRdt | keys_unsorted' <<<"$out")" '["enabled","schemata","monitoring"]'
  equal "$(jq -c '[.annotations[], .potentiallyUnsafeConfigAnnotations[] | type] | unique' <<<"$out")" '["string"]' "types of annotations"
  equal "$(sed -n 2p <<<"$out")" '    "ociVersionMin": "1.0.0",'
  expect 1 berth features nonsense
}
test_case "the form is that of the specification" form

# Names that runc has and we have not are in this list, so that nothing gets lost unnoticed.
as_runc() {
  local path
  for path in .hooks .linux.namespaces .linux.capabilities .linux.seccomp.operators .linux.seccomp.archs; do
    diff <(berth features | jq -r "${path}[]" | sort) <(runc features | jq -r "${path}[]" | sort) | grep '^>' &&
      fail "$path: runc has more"
  done
  equal "$(diff <(berth features | jq -r '.mountOptions[]') <(runc features | jq -r '.mountOptions[]') |
    sed -n 's/^> //p' | tr '\n' ' ')" "${MISSING_OPTIONS-acl noacl remount }" "mount options that only runc has"
}
test_case "runc has no further hook, namespace, capability, operator, architecture" as_runc

takes() { # JQ: such a config can be planned
  bundle "$@"
  try berth plan "$B"
  [[ $status = 0 ]]
}

every_mount_option() {
  local word
  for word in $(berth features | jq -r '.mountOptions[]'); do
    takes '.mounts += [{destination: "/mnt", type: "tmpfs", source: "tmpfs", options: ['"\"$word\""']}]' || {
      # what only makes sense with a bind; two of them also need maps
      takes '.mounts += [{destination: "/mnt", type: "bind", source: "/", options: ["bind", '"\"$word\""']}]' ||
        takes '.mounts += [{destination: "/mnt", type: "bind", source: "/", options: ["bind", '"\"$word\""'], uidMappings: [{containerID: 0, hostID: 1, size: 1}], gidMappings: [{containerID: 0, hostID: 1, size: 1}]}]' ||
        fail "$word: $err"
    }
  done
}
test_case "every mount option is taken" every_mount_option

every_filter_word() {
  local word
  for word in $(berth features | jq -r '.linux.seccomp.actions[]'); do
    takes '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: "/run/agent", syscalls: [{names: ["getcwd"], action: '"\"$word\""'}]}' ||
      fail "$word: $err"
  done
  for word in $(berth features | jq -r '.linux.seccomp.archs[]'); do
    takes '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", architectures: ['"\"$word\""']}' ||
      # known, but a filter for both byte orders is none
      [[ $err = *"add $word: Numerical argument out of domain" ]] || fail "$word: $err"
  done
  for word in $(berth features | jq -r '.linux.seccomp.supportedFlags[]'); do
    takes '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", flags: ['"\"$word\""']}' || fail "$word: $err"
  done
  for word in $(berth features | jq -r '.linux.seccomp.operators[]'); do
    takes '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["getcwd"], action: "SCMP_ACT_ERRNO", args: [{index: 0, value: 1, op: '"\"$word\""'}]}]}' ||
      fail "$word: $err"
  done
}
test_case "every action, architecture, flag and operator of seccomp is taken" every_filter_word

every_memory_word() {
  local word
  for word in $(berth features | jq -r '.linux.memoryPolicy.modes[]'); do
    # two modes are about no nodes
    takes '.linux.memoryPolicy = {mode: '"\"$word\""', nodes: "0"}' ||
      takes '.linux.memoryPolicy = {mode: '"\"$word\""'}' || fail "$word: $err"
  done
  for word in $(berth features | jq -r '.linux.memoryPolicy.flags[]'); do
    takes '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0", flags: ['"\"$word\""']}' || fail "$word: $err"
  done
}
test_case "every mode and flag of memory policy is taken" every_memory_word

# A switch and a config that needs it: on exactly if the config is taken, by this kernel or by one that has it.
switches() {
  local edit what
  while IFS='|' read -r what edit; do
    local says does=false
    says=$(berth features | jq "$what")
    if takes "$edit" || [[ $err = *"this kernel runs without"* ]]; then does=true; fi
    equal "$does" "$says" "$what: taking such a config"
  done <<'LIST'
.linux.apparmor.enabled|.process.apparmorProfile = "p"
.linux.selinux.enabled|.process.selinuxLabel = "l"
.linux.intelRdt.enabled|.linux.intelRdt = {closID: "c"}
.linux.mountExtensions.idmap.enabled|.mounts += [{destination: "/mnt", source: "/", options: ["bind"], uidMappings: [{containerID: 0, hostID: 1, size: 1}], gidMappings: [{containerID: 0, hostID: 1, size: 1}]}]
.linux.netDevices.enabled|.linux.netDevices = {eth9: {name: "e"}}
.linux.seccomp.enabled|.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["getcwd"], action: "SCMP_ACT_ERRNO"}]}
LIST
  status=0
  berth --systemd-cgroup list >/dev/null 2>&1 || status=1
  equal "$(berth features | jq .linux.cgroup.systemd)" "$( ((status)) && echo false || echo true)" "--systemd-cgroup"
}
test_case "what is switched on is taken, what is off is refused" switches
finish

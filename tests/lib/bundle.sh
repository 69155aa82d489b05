# shellcheck shell=bash disable=SC2034
# bundle.sh - bundles of a static busybox. Needs $WORK, $D, $RUN_ID (check.sh).

# A user namespace, with ids that nobody has; an ordinary user's are his own.
USERNS='.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
  | .linux.gidMappings = [{containerID: 0, hostID: 200000, size: 65536}]'
[[ -z ${CHECK_USER:-} ]] || USERNS='.linux.namespaces |= map(select(.type != "user")) + [{type: "user"}] | del(.linux.resources)
  | .linux.uidMappings = [{containerID: 0, hostID: '"$USER_ID"', size: 1}, {containerID: 1, hostID: '"$USER_RANGE"', size: 65536}]
  | .linux.gidMappings = .linux.uidMappings'

# A root file system with one file and a name for each applet that tests use.
make_rootfs() { # DIRECTORY
  local name
  mkdir -p "$1"/{bin,dev,proc,sys,tmp,etc,root,mnt,home,var,run}
  chmod 1777 "$1/tmp"
  cp "$(command -v busybox)" "$1/bin/busybox"
  # each costs a link in every bundle: those that tests use
  for name in sh cat echo ls id true sleep env pwd grep sed cut sort tr wc head tail stat hostname ip ps kill touch \
    mkdir rm cp mv ln chmod mknod dd date find printf awk readlink nproc tty stty yes md5sum chroot xargs od; do
    ln -sf busybox "$1/bin/$name"
  done
  printf 'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home:/bin/sh\n' >"$1/etc/passwd"
  printf 'root:x:0:\nuser:x:1000:\n' >"$1/etc/group"
}

# The configuration that `runc spec` prints, which the drop-in promise is about, without a terminal and
# with the mark by which check.sh finds what is left.
make_config() { # FILE
  local dir
  dir=$(mktemp -d)
  (chmod 777 "$dir" && cd "$dir" && runc spec)
  jq '.process.terminal = false | .process.env += ["BERTH_TEST_RUN=@RUN@"] | .hostname = "berth" | .root.readonly = false'"${CHECK_USER:+ | $USERNS}" \
    "$dir/config.json" >"$1"
  rm -rf "$dir"
  # what was made from another one is of no use
  [[ -z ${CHECK_CACHE:-} ]] || {
    mkdir -p "$CHECK_CACHE"
    cmp -s "$1" "$CHECK_CACHE/base" || { rm -f "$CHECK_CACHE"/* && cp "$1" "$CHECK_CACHE/base"; }
  } 2>/dev/null
}

# A fresh bundle at $B: the base configuration with jq edits on it, a root file system of its own.
# In the edits, $D, $B and $ID are known.
bundle() { # [JQ...]
  bundle_at "$D/b" "$@"
  B=$D/b
}

bundle_at() { # DIRECTORY [JQ...]
  local dir=$1 edit=. part
  shift
  for part; do edit+=" | $part"; done
  bundle_rootfs "$dir"
  bundle_config "$edit" "$dir"
}

bundle_rootfs() { # DIRECTORY
  rm -rf --one-file-system "$1"
  mkdir -p "$1"
  cp -al "$WORK/rootfs" "$1/rootfs"
  # not shared with the other bundles through the link
  cp --remove-destination "$WORK/rootfs/etc/passwd" "$WORK/rootfs/etc/group" "$1/rootfs/etc/"
  [[ -z ${CHECK_USER:-} ]] || chown -R $USER_ID:$USER_ID "$D" "$1"
}

# Edited with names in the place of paths, so that the result can be kept ($CHECK_CACHE) for the next run of
# the same case: on an emulated machine jq takes longer than a container.
bundle_config() { # EDIT DIRECTORY
  local edit=$1 dir=$2 kept='' text
  if [[ -n ${CHECK_CACHE:-} ]]; then
    check_bundle=$((${check_bundle:-0} + 1))
    kept=$CHECK_CACHE/$check_file.${check_title//[^a-zA-Z0-9]/_}.$check_bundle
  fi
  if [[ -n $kept && -s $kept.json && $(<"$kept.edit") = "$edit" ]]; then
    text=$(<"$kept.json")
  else
    text=$(jq --arg D @D@ --arg B @B@ --arg ID @ID@ "$edit" "$WORK/config.json")
    [[ -z $kept ]] || { echo "$edit" >"$kept.edit" && echo "$text" >"$kept.json"; } 2>/dev/null || :
  fi
  text=${text//@D@/$D} text=${text//@B@/$dir} text=${text//@ID@/$ID} text=${text//@RUN@/$RUN_ID}
  echo "$text" >"$dir/config.json"
}

# A process of the container that stays until it is told to end.
SLEEP='.process.args = ["sh", "-c", "trap \"exit 0\" TERM; while :; do sleep 1 & wait; done"]'
FOREVER='.process.args = ["sleep", "1000"]'
# A cgroup of its own, whatever makes it; and one whose name has this end.
CGROUP_AT() { # SUFFIX
  local path="/\\(\$ID)$1"
  [[ -z ${CHECK_SYSTEMD:-} ]] || path="system.slice:test:\\(\$ID)$1"
  [[ -z ${CHECK_USER:-} ]] || path="/$USER_CGROUP$path"
  echo ".linux.cgroupsPath = \"$path\""
}
OWN_CGROUP=$(CGROUP_AT '')
NO_NS() { printf '.linux.namespaces |= map(select(.type != "%s"))' "$1"; } # TYPE

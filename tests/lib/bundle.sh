# shellcheck shell=bash disable=SC2034
# bundle.sh - bundles of a static busybox. Needs $WORK, $D, $RUN_ID (check.sh).

# A root file system with one file and a name for each applet that tests use.
make_rootfs() { # DIRECTORY
  local name
  mkdir -p "$1"/{bin,dev,proc,sys,tmp,etc,root,mnt,home,var,run}
  chmod 1777 "$1/tmp"
  cp "$(command -v busybox)" "$1/bin/busybox"
  for name in sh ash cat echo ls id true false sleep env pwd mount umount grep sed cut sort uniq tr wc head tail stat \
    hostname dnsdomainname ip ifconfig ps kill touch mkdir rmdir rm cp mv ln chmod chown mknod dd date uname find \
    printf test expr seq awk readlink basename dirname nproc tty stty ulimit usleep yes od hexdump md5sum sync \
    setsid unshare nsenter ipcs chroot nice renice taskset free df du tee xargs which whoami su getopt time timeout; do
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
  (cd "$dir" && runc spec)
  jq --arg mark "BERTH_TEST_RUN=$RUN_ID" \
    '.process.terminal = false | .process.env += [$mark] | .hostname = "berth" | .root.readonly = false' \
    "$dir/config.json" >"$1"
  rm -rf "$dir"
}

# A fresh bundle at $B: the base configuration with jq edits on it, a root file system of its own.
# In the edits, $D, $B, $ID and $path (an argument for the case's use) are known.
bundle() { # [JQ...]
  bundle_at "$D/b" "$@"
  B=$D/b
}

bundle_at() { # DIRECTORY [JQ...]
  local dir=$1 edit=. part
  shift
  for part; do edit+=" | $part"; done
  rm -rf --one-file-system "$dir"
  mkdir -p "$dir"
  cp -al "$WORK/rootfs" "$dir/rootfs"
  # not shared with the other bundles through the link
  cp --remove-destination "$WORK/rootfs/etc/passwd" "$WORK/rootfs/etc/group" "$dir/rootfs/etc/"
  jq --arg D "$D" --arg B "$dir" --arg ID "$ID" --arg path "${path:-}" "$edit" "$WORK/config.json" >"$dir/config.json"
}

# A process of the container that stays until it is told to end.
SLEEP='.process.args = ["sh", "-c", "trap \"exit 0\" TERM; while :; do sleep 1 & wait; done"]'
FOREVER='.process.args = ["sleep", "1000"]'
NO_NS() { printf '.linux.namespaces |= map(select(.type != "%s"))' "$1"; } # TYPE

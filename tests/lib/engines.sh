# shellcheck shell=bash disable=SC2034
# engines.sh - Podman and containerd as the distribution has them, in a world of their own: a private /run and
# /dev/shm (check.sh gave us a mount namespace), private storage, one image of a busybox. Needs $WORK, $RUN_ID, $ROOT.
#
# Before the first case: engines_world. Then podman_setup, or containerd_setup (containerd.sh has it).

ENGINE=/run/engine              # everything of ours that is not in $WORK
ENGINE_PARENT=$RUN_ID           # the cgroup above those of the containers; check.sh looks for what is left by this name
ENGINE_CONF=$ENGINE/containers.conf

# A daemon or a user has to get at the runtime, wherever it was built.
engines_world() {
  mount -t tmpfs -o mode=755 tmpfs /run
  mount -t tmpfs -o mode=1777 tmpfs /dev/shm
  mkdir -p $ENGINE/bin $ENGINE/home
  cp "$BERTH" "$ENGINE/bin/${BERTH##*/}"
  [[ ! -x ${BERTH%/*}/berth-launch ]] || cp "${BERTH%/*}/berth-launch" "$ENGINE/bin/"
  ENGINE_RUNTIME=$ENGINE/bin/${BERTH##*/}
  tar -C "$WORK/rootfs" -cf $ENGINE/busybox.tar .
  awk '{ print "mount " $5 }' /proc/self/mountinfo | sort -u >"$WORK/mounts"
}

# Is there a word of this in an engine's output? $out and $err of the last try.
says() { # WORD
  [[ "$out$err" = *"$1"* ]] || fail "neither '$out' nor '$err' contains '$1'"
}

# --- Podman ----------------------------------------------------------------------------------------------

# The limits: Podman asks for as many as a whole machine has, which root of a container may not give.
podman_conf() { # DIRECTORY: of the storage
  mkdir -p "$1"
  cat >"$1/storage.conf" <<X
[storage]
driver = "$PODMAN_DRIVER"
runroot = "$1/runroot"
graphroot = "$1/storage"
X
  cat >$ENGINE_CONF <<X
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
network_config_dir = "$ENGINE/networks"
runtime_supports_json = ["crun", "runc", "under-test"]
runtime_supports_nocgroup = ["crun", "under-test"]
[engine.runtimes]
under-test = ["$ENGINE_RUNTIME"]
[containers]
log_driver = "k8s-file"
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
X
}

podman_setup() { # DRIVER
  PODMAN_DRIVER=$1
  podman_conf $ENGINE/podman
  export CONTAINERS_CONF=$ENGINE_CONF CONTAINERS_STORAGE_CONF=$ENGINE/podman/storage.conf HOME=$ENGINE/home
  podman import -q $ENGINE/busybox.tar box >/dev/null 2>"$WORK/import" || { cat "$WORK/import" && return 1; }
  # the home of its overlay mounts, which it makes at need and keeps
  echo "mount $ENGINE/podman/storage/overlay" >>"$WORK/mounts"
}

# (Not --runtime-flag root=...: Podman 4.3 forgets it when it cleans up.)
podman() { command podman --runtime under-test "$@"; }

# A container that has no network, in a cgroup by which it is found.
podman_run() { podman run --network none --cgroup-parent "/$ENGINE_PARENT" "$@"; }

# Running, under the name of the case.
podman_box() { # OPTION...
  expect 0 podman_run -d --name "$ID" "$@" box sh -c 'trap "exit 3" TERM; echo up; while :; do sleep 1 & wait; done'
}

# Podman 4.3 trips over its own cleanup process now and then ("shm: device or resource busy"), whatever the runtime.
podman_remove() { eventually podman rm -f -t 0 "$1"; } # NAME

podman_is() { # NAME FORMAT VALUE
  [[ $(podman inspect --format "$2" "$1" 2>/dev/null) = "$3" ]]
}

# The engine's own cgroups (of conmon, of pods), once its processes are gone. What a container left is not of those.
remove_engine_cgroups() {
  local i
  for ((i = 0; i < 100; i++)); do
    find /sys/fs/cgroup -depth -type d -regextype egrep -regex ".*/$ENGINE_PARENT(/[0-9a-f]{64})?(/conmon)?" \
      -exec rmdir {} \; 2>/dev/null
    [[ -n $(find /sys/fs/cgroup -type d -name "$ENGINE_PARENT") ]] || break
    pause .05
  done
}

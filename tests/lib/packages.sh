# shellcheck shell=bash disable=SC2034
# packages.sh - which Debian packages the project needs for what, and how to get the missing ones.
# Sourced by tests/run.sh and examples/quickstart.sh.

PACKAGES_BUILD=(gcc libc6-dev cmake ninja-build pkg-config libseccomp-dev libjson-c-dev libhwloc-dev libcap-dev
  libpmix-dev libsystemd-dev libyaml-dev)
PACKAGES_UNIT=(libcmocka-dev)
PACKAGES_LINT=(clang clang-tidy cppcheck shellcheck)
PACKAGES_CONTAINERS=(runc crun criu busybox-static jq numactl procps util-linux iproute2 mount uidmap)
PACKAGES_ENGINES=(podman conmon containerd catatonit uidmap bsdutils)
PACKAGES_VM=(qemu-system-x86 qemu-system-common)
PACKAGES_SLURM=(slurm-wlm munge)
PACKAGES_MPI=(openmpi-bin libopenmpi-dev)

missing_packages() { # NAME...: those that are not installed, one a line
  local name
  for name; do
    # a package that another one replaces (pkg-config by pkgconf) counts as installed too
    dpkg-query -W -f '${db:Status-Abbrev}' "$name" 2>/dev/null | grep -q '^ii' || echo "$name"
  done
}

# Install what is missing. `apt-get update` only if the lists do not know a package.
install_packages() { # NAME...
  local missing log
  mapfile -t missing < <(missing_packages "$@")
  ((${#missing[@]})) || return 0
  [[ $EUID = 0 ]] || { echo "missing packages (run as root, or install them): ${missing[*]}" >&2; return 1; }
  echo "installing ${missing[*]}"
  log=$(mktemp)
  apt_install "${missing[@]}" >"$log" 2>&1 || {
    # stale or empty lists: fetch them once, then again
    { apt-get -qq update && apt_install "${missing[@]}"; } >>"$log" 2>&1 || {
      cat "$log" >&2
      rm -f "$log"
      echo "apt-get could not install ${missing[*]}" >&2
      return 1
    }
  }
  rm -f "$log"
}

apt_install() {
  # no service is started: the tests bring their own daemons, and many machines have no init that could
  local policy=/usr/sbin/policy-rc.d mine='' status=0
  if [[ ! -e $policy ]]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy" && mine=1
  fi
  DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends \
    -o DPkg::Lock::Timeout=300 install "$@" </dev/null || status=$?
  [[ -z $mine ]] || rm -f "$policy"
  return "$status"
}

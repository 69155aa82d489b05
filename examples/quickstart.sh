#!/bin/bash
# quickstart.sh - from a fresh Debian 12 to a job of pinned containers: installs what is missing, builds,
# makes a bundle, runs it once, then launches it many times. Needs root; works again and from anywhere.
set -euo pipefail
top=$(cd "${BASH_SOURCE[0]%/*}/.." && pwd)
[[ $EUID = 0 ]] || { echo "quickstart.sh needs root: containers with cgroups and mounts" >&2; exit 1; }
say() { printf '\n== %s\n' "$*"; }
# shellcheck source=tests/lib/packages.sh
. "$top/tests/lib/packages.sh"

say "packages"
install_packages "${PACKAGES_BUILD[@]}" busybox-static jq

say "build (build/quickstart)"
cd "$top"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
{ cmake --preset release -DBUILD_TESTING=OFF -B build/quickstart && cmake --build build/quickstart; } >"$log" 2>&1 ||
  { tail -n 40 "$log" >&2; echo "the build failed" >&2; exit 1; }
berth=$top/build/quickstart/bin/berth
"$berth" --version | head -1

say "a bundle: busybox, and a program that computes"
bundle=$top/build/quickstart/bundle
rm -rf "$bundle"
mkdir -p "$bundle"/rootfs/{bin,dev,proc,sys,tmp}
cp "$(command -v busybox)" "$bundle/rootfs/bin/"
for name in sh echo cat ls hostname; do ln -s busybox "$bundle/rootfs/bin/$name"; done
gcc -O2 -static -Wall -Wextra -o "$bundle/rootfs/bin/pi" "$top/examples/pi.c"
cd "$bundle"
"$berth" spec
jq '.process.terminal = false | .process.args = ["sh", "-c", "echo hello from $(hostname), process $$; pi 5"] | .hostname = "quickstart"' \
  config.json >config.new
mv config.new config.json
echo "$bundle"

say "berth run"
"$berth" run "quickstart-$$"

say "berth launch: eight instances, each on a core of its own; more instances than cores take turns"
"$berth" launch -n 8 --bind-to core --report-bindings --report "$bundle/report.json" "$bundle" -- /bin/pi 20

say "done"
jq -r '"report.json: " + (keys | join(", "))' "$bundle/report.json"
echo "try: $berth launch --help; $berth plan $bundle"

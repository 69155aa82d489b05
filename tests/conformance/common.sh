# shellcheck shell=bash disable=SC2034,SC2154
# common.sh - what the runs of the peers' test suites share. Needs $W (work directory), $here, $BERTH.
timeout=${CONFORMANCE_TIMEOUT:-45}

for program in ${programs:-bats jq gawk busybox gcc python3}; do
  command -v $program >/dev/null || { echo "conformance: no $program (see the head of $0)" >&2; exit 2; }
done
[[ -x $BERTH ]] || { echo "conformance: no runtime: $BERTH" >&2; exit 2; }

# Our own stand-ins for the suites' helper programs, and what keeps the tests apart.
prepare_common() {
  local name
  mkdir -p "$W"/{bin,scratch,out,images}
  for name in init watch recvtty seccompagent pidfd-kill fs-idmap; do
    gcc -O1 -static -o "$W/bin/$name" "$here/tools/$name.c" || exit 2
  done
}

# A busybox with a name for each applet, and a small Debian for the tests that want util-linux.
prepare_images() {
  [[ -s $W/images/busybox.tar ]] || "$here/tools/busybox-image" "$(command -v busybox)" "$W/images/busybox.tar"
  [[ ! -s $W/images/debian.tar ]] || return 0
  local base=${CONFORMANCE_BASE:-$W/images/debian}
  [[ -d $base/etc ]] || debootstrap --variant=minbase bookworm "$base" >"$W/images/debootstrap.log" ||
    { echo "conformance: debootstrap failed, see $W/images/debootstrap.log" >&2; exit 2; }
  tar -C "$base" --numeric-owner --exclude='./usr/share/doc/*' --exclude='./usr/share/locale/*' --exclude='./var/cache/apt/*' \
    --exclude='./var/lib/apt/lists/*' --exclude='./usr/share/man/*' --exclude='./proc/*' --exclude='./sys/*' -cf "$W/images/debian.tar" .
}

# What a suite skips is what it finds missing on the machine, and no matter of the runtime; with "skips", a skip has to
# be in the list too (a test that is listed as skipped may pass: another machine may have what it wants).
# results.tsv: file, test, result (ok, not ok, skip), reason. The list: file, test, modes (words, or *), result
# (`either`: the machine decides), why.
compare() { # EXPECTED RESULTS [skips]
  python3 - "$1" "$2" "$CONFORMANCE_CGROUP${CONFORMANCE_ROOTLESS+-rootless}" "${3:-}" <<'PYTHON'
import csv, sys
expected_file, results_file, mode, skips = sys.argv[1:5]
def rows(path):
    with open(path) as f:
        return list(csv.DictReader(f, delimiter='\t', quoting=csv.QUOTE_NONE))
expected = {(r['file'], r['test']): r for r in rows(expected_file)
            if r['modes'] == '*' or mode in r['modes'].split()}
bad = 0
counts = {'ok': 0, 'not ok': 0, 'skip': 0}
for r in rows(results_file):
    counts[r['result']] += 1
    want = expected.get((r['file'], r['test']))
    if r['result'] == 'not ok' and (not want or want['result'] not in ('not ok', 'either')):
        print(f"not expected to fail: {r['file']}: {r['test']}: {r['reason'][:200]}")
        bad += 1
    elif r['result'] == 'skip' and skips and not want:
        print(f"not expected to be skipped: {r['file']}: {r['test']}: {r['reason'][:200]}")
        bad += 1
    elif r['result'] == 'ok' and want and want['result'] == 'not ok':
        print(f"passes, but is in the list: {r['file']}: {r['test']}")
        bad += 1
print(f"{counts['ok']} passed, {counts['not ok']} failed, {counts['skip']} skipped; {bad} not as expected")
sys.exit(1 if bad else 0)
PYTHON
}

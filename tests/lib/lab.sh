# shellcheck shell=bash disable=SC2154
# lab.sh - a Slurm cluster for a test file (after check.sh): lab_start [OPTIONS of slurm-lab]; `lab COMMAND...`.
# It ends with the file.

export SLURM_LAB_DIR=$WORK/lab
export SLURM_LAB_PORT=$((20000 + $$ % 500 * 20))
export SLURM_LAB_NS=sl$SLURM_LAB_PORT
[[ -z ${CHECK_SLOW:-} ]] || export SLURM_LAB_PATIENCE=120

lab_start() {
  # the daemons are nobody's left-overs
  env -u BERTH_TEST_RUN "$TESTS/lab/slurm-lab" start "$@" >"$WORK/lab.log" 2>&1 || {
    echo "not ok 1 - $check_file: the lab starts"
    sed 's/^/# /' "$WORK/lab.log"
    echo 1..1
    exit 1
  }
  trap 'env -u BERTH_TEST_RUN "$TESTS/lab/slurm-lab" stop' EXIT
  # namespaces and the mounts behind their names belong to the lab
  awk '{ print "mount " $5 }' /proc/self/mountinfo | sort -u >"$WORK/mounts"
}

lab() { "$TESTS/lab/slurm-lab" run "$@"; }

# Our oci.conf with another program and another place for state.
lab_oci_conf() { # FILE
  sed -e '/^#/d' -e "s|/usr/local/bin/berth|$BERTH|g" -e "s|/run/berth/%u|$ROOT|g" "$TESTS/../examples/slurm/oci.conf" >"$1"
}

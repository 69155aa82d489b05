#pragma once
/*
 * devices - device rules as a BPF program (cgroup v2, BPF_PROG_TYPE_CGROUP_DEVICE).
 *
 * Building the instructions is pure; loading and attaching are the system calls.
 * A failing setrlimit(RLIMIT_MEMLOCK) is harmless: since 5.11 BPF memory is
 * charged to the memory cgroup. Source: Documentation/bpf/prog_cgroup_sysctl, bpf(2).
 */

#include "base/arena.h"
#include "base/error.h"
#include "spec/resources.h"

struct bpf_insn;

/* Later rules win, as in config.json; what no rule names is denied. Instructions live in `arena`. */
int devices_program(const struct device_rule *rules, size_t n, struct arena *arena, struct bpf_insn **ret_insns,
                    size_t *ret_n, struct error *err) MUST_CHECK;

/* Load and attach to the cgroup directory, replacing what we attached before (`old_prog_fd` -1: nothing). */
int devices_attach(int cgroup_fd, const struct bpf_insn *insns, size_t n, struct error *err) MUST_CHECK;

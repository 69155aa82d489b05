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

/*
 * Load and attach to the cgroup directory (O_PATH will do), replacing the device filters attached to this very
 * cgroup. Parents' filters stay: all of them must agree.
 */
int devices_attach(int cgroup_fd, const struct bpf_insn *insns, size_t n, struct error *err) MUST_CHECK;

/* The two halves: loading costs 40 us and more, attaching 2 us, so many cgroups with the same rules share one
 * program. The caller closes it; what it is attached to keeps it. */
int devices_load(const struct bpf_insn *insns, size_t n, int *ret_prog_fd, struct error *err) MUST_CHECK;
int devices_attach_loaded(int cgroup_fd, int prog_fd, struct error *err) MUST_CHECK;

/*
 * Is a BPF program attached to this very cgroup (a descriptor that can be read) that forbids something: devices, packets,
 * sockets, addresses? Who may not ask is told no.
 */
bool cgroup_filtered(int cgroup_fd);

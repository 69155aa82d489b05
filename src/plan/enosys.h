#pragma once
/*
 * enosys - what a seccomp filter says to system calls that its author could not know. Pure.
 *
 * A profile that lists what is allowed answers everything else with an error of
 * its own, often EPERM. C libraries try a new system call first and an old one
 * when the kernel does not know it (ENOSYS), but not when it is forbidden. So
 * programs break under a profile that is older than they are. A few instructions
 * in front of the filter answer with ENOSYS whatever is newer than everything
 * that the profile names, as runc does.
 */

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

/* The newest call that the profile names, by its number; ENOSYS_NONE: names none, nothing is answered. */
struct newest_call {
        uint32_t arch;          /* AUDIT_ARCH_* */
        uint32_t nr;
        uint32_t x32_nr;        /* of AUDIT_ARCH_X86_64: the same of calls with bit 30, which it has, too */
};

#define ENOSYS_NONE UINT32_MAX
#define ENOSYS_INSNS_MAX(n) (1 + 7 * (n))       /* for n architectures */

/* Returns how many instructions were written. What follows them is the filter: they end there, or by a return. */
size_t enosys_write(const struct newest_call *newest, size_t n, struct sock_filter *ret_insns);

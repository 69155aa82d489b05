#include "plan/enosys.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <string.h>

#define X32_BIT UINT32_C(0x40000000)    /* __X32_SYSCALL_BIT */

#define INSNS 7                         /* per architecture */

/* Entered with the call's architecture in the accumulator, and left with it if it is another one. */
static void write_one(const struct newest_call *c, uint32_t to_filter, struct sock_filter *out)
{
        /* Elsewhere bit 30 means nothing: such a number is newer than all. */
        uint32_t x32_nr = c->arch == AUDIT_ARCH_X86_64 ? c->x32_nr : c->nr;
        const struct sock_filter insns[INSNS] = {
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, c->arch, 0, 6),
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, X32_BIT, 0, 1),
                BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, x32_nr, 1, 2),
                BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, c->nr, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
                BPF_STMT(BPF_JMP | BPF_JA, to_filter),
        };
        memcpy(out, insns, sizeof(insns));
}

size_t enosys_write(const struct newest_call *newest, size_t n, struct sock_filter *ret_insns)
{
        struct sock_filter *at = ret_insns;
        *at++ = (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
        for (size_t i = 0; i < n; i++, at += INSNS)
                write_one(&newest[i], (uint32_t) ((n - i - 1) * INSNS), at);
        return (size_t) (at - ret_insns);
}

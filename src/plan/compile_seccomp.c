#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/io.h"
#include "plan/compile_parts.h"

struct rules {
        scmp_filter_ctx ctx;
};

static void rules_clear_p(struct rules *r)
{
        if (r->ctx)
                seccomp_release(r->ctx);
}

static const enum scmp_compare compare[] = {
        [SECCOMP_NE] = SCMP_CMP_NE, [SECCOMP_LT] = SCMP_CMP_LT, [SECCOMP_LE] = SCMP_CMP_LE,
        [SECCOMP_EQ] = SCMP_CMP_EQ, [SECCOMP_GE] = SCMP_CMP_GE, [SECCOMP_GT] = SCMP_CMP_GT,
        [SECCOMP_MASKED_EQ] = SCMP_CMP_MASKED_EQ,
};

/* "SCMP_ARCH_X86_64" -> libseccomp's "x86_64" */
static uint32_t arch_of(const char *name)
{
        char lower[32] = "";
        const char *p = name + strlen("SCMP_ARCH_");
        for (size_t i = 0; p[i] && i + 1 < sizeof(lower); i++)
                lower[i] = (char) (p[i] >= 'A' && p[i] <= 'Z' ? p[i] - 'A' + 'a' : p[i]);
        return seccomp_arch_resolve_name(lower);
}

static int add_architectures(scmp_filter_ctx ctx, const struct spec_seccomp *s, struct error *err)
{
        for (size_t i = 0; s->architectures && s->architectures[i]; i++) {
                uint32_t arch = arch_of(s->architectures[i]);
                if (arch == 0)
                        return error_say(err, -EINVAL, "linux.seccomp.architectures[%zu]: libseccomp does not know %s", i,
                                         s->architectures[i]);
                int r = seccomp_arch_add(ctx, arch);
                if (r < 0 && r != -EEXIST)
                        return error_set(err, r, "linux.seccomp.architectures[%zu]: add %s", i, s->architectures[i]);
        }
        return 0;
}

static int add_one(scmp_filter_ctx ctx, uint32_t action, int nr, const struct scmp_arg_cmp *args, unsigned n)
{
        int r = seccomp_rule_add_array(ctx, action, nr, n, args);
        /* A second rule for the same call with the same arguments changes nothing. */
        return r == -EEXIST ? 0 : r;
}

/* Several conditions on one argument mean "or" (as in runc): libseccomp takes each argument once per rule. */
static bool repeats_argument(const struct spec_seccomp_rule *rule)
{
        uint64_t seen = 0;
        for (size_t i = 0; i < rule->n_args; i++) {
                if (seen & (UINT64_C(1) << rule->args[i].index))
                        return true;
                seen |= UINT64_C(1) << rule->args[i].index;
        }
        return false;
}

static int add_rule(scmp_filter_ctx ctx, const struct spec_seccomp_rule *rule, const char *name)
{
        int nr = seccomp_syscall_resolve_name(name);
        if (nr == __NR_SCMP_ERROR)      /* of a newer kernel or another architecture: profiles list them all */
                return 0;
        struct scmp_arg_cmp args[6];
        for (size_t i = 0; i < rule->n_args; i++) {
                const struct spec_seccomp_arg *a = &rule->args[i];
                bool masked = a->op == SECCOMP_MASKED_EQ;
                args[i] = (struct scmp_arg_cmp){ .arg = a->index, .op = compare[a->op], .datum_a = a->value,
                                                 .datum_b = masked ? a->value_two : 0 };
        }
        if (!repeats_argument(rule))
                return add_one(ctx, rule->action, nr, args, (unsigned) rule->n_args);
        int r = 0;
        for (size_t i = 0; r == 0 && i < rule->n_args; i++)
                r = add_one(ctx, rule->action, nr, &args[i], 1);
        return r;
}

static int add_rules(scmp_filter_ctx ctx, const struct spec_seccomp *s, struct error *err)
{
        for (size_t i = 0; i < s->n_rules; i++) {
                const struct spec_seccomp_rule *rule = &s->rules[i];
                if (rule->n_args > 6)
                        return error_say(err, -EINVAL, "linux.seccomp.syscalls[%zu].args: more than 6", i);
                /* libseccomp refuses rules that say what the default says anyway. */
                for (size_t k = 0; rule->action != s->default_action && rule->names && rule->names[k]; k++) {
                        int r = add_rule(ctx, rule, rule->names[k]);
                        if (r < 0)
                                return error_set(err, r, "linux.seccomp.syscalls[%zu]: add a rule for %s", i,
                                                 rule->names[k]);
                }
        }
        return 0;
}

static int export_filter(scmp_filter_ctx ctx, struct arena *arena, struct plan_bytes *ret, struct error *err)
{
        /* libseccomp before 2.6 writes only to a descriptor. */
        auto_fd int fd = memfd_create("seccomp", MFD_CLOEXEC);
        if (fd < 0)
                return error_set(err, -errno, "create memory for the seccomp filter");
        int r = seccomp_export_bpf(ctx, fd);
        if (r < 0)
                return error_set(err, r, "linux.seccomp: compile the filter");
        auto_free char *text = NULL;
        size_t size;
        if (lseek(fd, 0, SEEK_SET) < 0 || (r = io_read_fd(fd, 1 << 20, &text, &size)) < 0)
                return error_set(err, r < 0 ? r : -errno, "read the seccomp filter");
        char *copy = arena_alloc(arena, size, 1);
        if (!copy)
                return error_set(err, -ENOMEM, "keep the seccomp filter");
        memcpy(copy, text, size);
        *ret = (struct plan_bytes){ copy, size };
        return 0;
}

int compile_filter(const struct spec_seccomp *seccomp, struct arena *arena, struct plan_bytes *ret_filter,
                   struct error *err)
{
        __attribute__((cleanup(rules_clear_p))) struct rules rules = { seccomp_init(seccomp->default_action) };
        if (!rules.ctx)
                return error_say(err, -EINVAL, "linux.seccomp.defaultAction: libseccomp refuses 0x%x",
                                 seccomp->default_action);
        /* The process may gain no privileges by no-new-privs or it has CAP_SYS_ADMIN: the plan sees to that. */
        int r = seccomp_attr_set(rules.ctx, SCMP_FLTATR_CTL_NNP, 0);
        if (r >= 0)
                r = seccomp_attr_set(rules.ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
        if (r < 0)
                return error_set(err, r, "linux.seccomp: set up libseccomp");
        r = add_architectures(rules.ctx, seccomp, err);
        if (r >= 0)
                r = add_rules(rules.ctx, seccomp, err);
        return r < 0 ? r : export_filter(rules.ctx, arena, ret_filter, err);
}

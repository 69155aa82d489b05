#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/io.h"
#include "plan/compile_parts.h"
#include "plan/enosys.h"

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

/* -ENOENT: libseccomp does not know the name. */
static int add_rule(scmp_filter_ctx ctx, const struct spec_seccomp_rule *rule, const char *name)
{
        int nr = seccomp_syscall_resolve_name(name);
        if (nr == __NR_SCMP_ERROR)
                return -ENOENT;
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
                        /* Of a newer kernel or another architecture: profiles list them all. */
                        if (r == -ENOENT && !s->fail_unknown)
                                continue;
                        if (r == -ENOENT)
                                return error_say(err, r, "linux.seccomp.syscalls[%zu]: no system call is called \"%s\"", i,
                                                 rule->names[k]);
                        if (r < 0)
                                return error_set(err, r, "linux.seccomp.syscalls[%zu]: add a rule for %s", i,
                                                 rule->names[k]);
                }
        }
        return 0;
}

/* ---- what the profile could not know ---- */

/* A good tracer answers by itself; whoever lets everything pass means the future, too. */
static bool needs_enosys(uint32_t default_action)
{
        uint32_t action = default_action & SECCOMP_RET_ACTION_FULL;
        return action != SECCOMP_RET_ALLOW && action != SECCOMP_RET_LOG && action != SECCOMP_RET_TRACE &&
               default_action != (SECCOMP_RET_ERRNO | ENOSYS);
}

static uint32_t newest_call(const struct spec_seccomp *s, uint32_t token)
{
        int newest = -1;
        for (size_t i = 0; i < s->n_rules; i++)
                for (size_t k = 0; s->rules[i].names && s->rules[i].names[k]; k++) {
                        /* Negative: unknown there, or a part of a multiplexed call like socketcall(2). */
                        int nr = seccomp_syscall_resolve_name_arch(token, s->rules[i].names[k]);
                        newest = nr > newest ? nr : newest;
                }
        return newest < 0 ? ENOSYS_NONE : (uint32_t) newest;
}

static void add_newest(const struct spec_seccomp *s, uint32_t token, struct newest_call *list, size_t *n)
{
        bool x32 = token == SCMP_ARCH_X32;
        uint32_t arch = x32 ? SCMP_ARCH_X86_64 : token, nr = newest_call(s, token);
        size_t i = 0;
        while (i < *n && list[i].arch != arch)
                i++;
        if (i == *n)
                list[(*n)++] = (struct newest_call){ arch, ENOSYS_NONE, ENOSYS_NONE };
        if (x32)
                list[i].x32_nr = nr;
        else
                list[i].nr = nr;
}

/* The instructions in front of the filter. libseccomp adds the native architecture to those of the profile. */
static int compile_enosys(const struct spec_seccomp *s, struct arena *arena, struct plan_bytes *ret)
{
        size_t n_archs = 1, n = 0;
        while (s->architectures && s->architectures[n_archs - 1])
                n_archs++;
        struct newest_call *list = arena_alloc(arena, n_archs * sizeof(*list), _Alignof(struct newest_call));
        struct sock_filter *insns = arena_alloc(arena, ENOSYS_INSNS_MAX(n_archs) * sizeof(*insns),
                                                _Alignof(struct sock_filter));
        if (!list || !insns)
                return -ENOMEM;
        add_newest(s, seccomp_arch_native(), list, &n);
        for (size_t i = 0; i + 1 < n_archs; i++)
                add_newest(s, arch_of(s->architectures[i]), list, &n);
        *ret = (struct plan_bytes){ insns, enosys_write(list, n, insns) * sizeof(*insns) };
        return 0;
}

/* `front`: instructions to put in front; they are copied. */
static int export_filter(scmp_filter_ctx ctx, struct arena *arena, const struct plan_bytes *front,
                         struct plan_bytes *ret, struct error *err)
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
        size_t insns = (front->size + size) / sizeof(struct sock_filter);
        if (insns > BPF_MAXINSNS)
                return error_say(err, -E2BIG, "linux.seccomp: the filter has %zu instructions, the kernel takes %d", insns,
                                 BPF_MAXINSNS);
        char *copy = arena_alloc(arena, front->size + size, 1);
        if (!copy)
                return error_set(err, -ENOMEM, "keep the seccomp filter");
        if (front->size > 0)
                memcpy(copy, front->data, front->size);
        memcpy(copy + front->size, text, size);
        *ret = (struct plan_bytes){ copy, front->size + size };
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
        struct plan_bytes front = { 0 };
        if (r >= 0 && needs_enosys(seccomp->default_action)) {
                r = compile_enosys(seccomp, arena, &front);
                if (r < 0)
                        return error_set(err, r, "compile the seccomp filter");
        }
        return r < 0 ? r : export_filter(rules.ctx, arena, &front, ret_filter, err);
}

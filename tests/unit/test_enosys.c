/*
 * What seccomp filters answer: a small interpreter runs what is compiled, for the architectures that this machine is
 * not, and a process of our own runs it in the kernel.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "plan/compile_parts.h"
#include "plan/enosys.h"
#include "spec/read.h"

#define X32 UINT32_C(0x40000000)
#define UNKNOWN ((uint32_t) (SECCOMP_RET_ERRNO | ENOSYS))
#define DENIED ((uint32_t) (SECCOMP_RET_ERRNO | EPERM))
#define ALLOWED ((uint32_t) SECCOMP_RET_ALLOW)

/* Jumps forward only, so it ends; what libseccomp and we do not use is a failure. */
static uint32_t interpret(const struct sock_filter *insns, size_t n, uint32_t arch, uint32_t nr)
{
        const struct seccomp_data data = { .nr = (int) nr, .arch = arch };
        uint32_t a = 0;
        for (size_t at = 0; at < n; at++) {
                const struct sock_filter *i = &insns[at];
                bool taken = false;
                switch (i->code) {
                case BPF_LD | BPF_W | BPF_ABS:
                        assert_true(i->k % 4 == 0 && i->k + 4 <= sizeof(data));
                        memcpy(&a, (const char *) &data + i->k, 4);
                        continue;
                case BPF_RET | BPF_K:
                        return i->k;
                case BPF_JMP | BPF_JA:
                        at += i->k;
                        continue;
                case BPF_JMP | BPF_JEQ | BPF_K: taken = a == i->k; break;
                case BPF_JMP | BPF_JGT | BPF_K: taken = a > i->k; break;
                case BPF_JMP | BPF_JGE | BPF_K: taken = a >= i->k; break;
                case BPF_JMP | BPF_JSET | BPF_K: taken = (a & i->k) != 0; break;
                default:
                        fail_msg("instruction %zu: code %#x", at, i->code);
                }
                at += taken ? i->jt : i->jf;
        }
        return 0xffffffff;      /* to what follows */
}

#define FILTER 0xffffffff

static void every_architecture_has_its_newest(void **state)
{
        (void) state;
        static const struct newest_call newest[] = {
                { AUDIT_ARCH_X86_64, 300, X32 + 500 }, { AUDIT_ARCH_I386, 400, ENOSYS_NONE },
                { AUDIT_ARCH_AARCH64, 200, ENOSYS_NONE },
        };
        static const struct {
                uint32_t arch, nr, answer;
        } cases[] = {
                { AUDIT_ARCH_X86_64, 0, FILTER },          { AUDIT_ARCH_X86_64, 300, FILTER },
                { AUDIT_ARCH_X86_64, 301, UNKNOWN },       { AUDIT_ARCH_X86_64, X32 - 1, UNKNOWN },
                { AUDIT_ARCH_X86_64, X32 + 1, FILTER },    { AUDIT_ARCH_X86_64, X32 + 500, FILTER },
                { AUDIT_ARCH_X86_64, X32 + 501, UNKNOWN }, { AUDIT_ARCH_I386, 301, FILTER },
                { AUDIT_ARCH_I386, 400, FILTER },          { AUDIT_ARCH_I386, 401, UNKNOWN },
                { AUDIT_ARCH_I386, X32 + 1, UNKNOWN },     { AUDIT_ARCH_AARCH64, 200, FILTER },
                { AUDIT_ARCH_AARCH64, 201, UNKNOWN },      { AUDIT_ARCH_ARM, 100000, FILTER },
        };
        struct sock_filter insns[ENOSYS_INSNS_MAX(3)];
        size_t n = enosys_write(newest, 3, insns);
        assert_int_equal(n, ENOSYS_INSNS_MAX(3));
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
                if (interpret(insns, n, cases[i].arch, cases[i].nr) != cases[i].answer)
                        fail_msg("arch %#x, call %#x", cases[i].arch, cases[i].nr);
}

static void nothing_named_is_nothing_answered(void **state)
{
        (void) state;
        static const struct newest_call newest[] = { { AUDIT_ARCH_X86_64, 10, ENOSYS_NONE },
                                                     { AUDIT_ARCH_ARM, ENOSYS_NONE, ENOSYS_NONE } };
        struct sock_filter insns[ENOSYS_INSNS_MAX(2)];
        size_t n = enosys_write(newest, 2, insns);
        assert_int_equal(interpret(insns, n, AUDIT_ARCH_X86_64, 11), UNKNOWN);
        assert_int_equal(interpret(insns, n, AUDIT_ARCH_X86_64, X32 + 11), FILTER);
        assert_int_equal(interpret(insns, n, AUDIT_ARCH_ARM, 500), FILTER);
}

/* ---- whole filters ---- */

struct filter {
        struct arena *arena;
        struct plan_bytes bytes;
};

static void filter_clear_p(struct filter *f) { arena_free(f->arena); }
#define auto_filter __attribute__((cleanup(filter_clear_p)))

static struct filter compile(const char *seccomp)
{
        char config[2000];
        snprintf(config, sizeof(config),
                 "{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"r\"},\"linux\":{\"seccomp\":{%s}}}", seccomp);
        struct spec *spec = NULL;
        struct error err = ERROR_INIT;
        struct filter f = { .arena = arena_new() };
        assert_non_null(f.arena);
        if (spec_read_text(config, strlen(config), "config.json", &spec, &err) < 0 ||
            compile_filter(&spec->seccomp, f.arena, &f.bytes, &err) < 0)
                fail_msg("%s", err.text);
        spec_free(spec);
        return f;
}

static uint32_t answer(const struct filter *f, uint32_t arch, uint32_t nr)
{
        return interpret(f->bytes.data, f->bytes.size / sizeof(struct sock_filter), arch, nr);
}

#define SOME "\"syscalls\":[{\"action\":\"SCMP_ACT_ALLOW\",\"names\":[\"read\",\"exit_group\",\"no_such_call\"]}," \
             "{\"action\":\"SCMP_ACT_ERRNO\",\"names\":[\"openat2\"]}]"

static void the_newest_call_may_be_one_that_is_denied(void **state)
{
        (void) state;
        auto_filter struct filter f = compile("\"defaultAction\":\"SCMP_ACT_ERRNO\",\"architectures\":[\"SCMP_ARCH_X86_64\","
                                              "\"SCMP_ARCH_X86\",\"SCMP_ARCH_X32\",\"SCMP_ARCH_AARCH64\"]," SOME);
        assert_int_equal(answer(&f, AUDIT_ARCH_X86_64, 0), ALLOWED);            /* read */
        assert_int_equal(answer(&f, AUDIT_ARCH_X86_64, 231), ALLOWED);          /* exit_group */
        assert_int_equal(answer(&f, AUDIT_ARCH_X86_64, 232), DENIED);
        assert_int_equal(answer(&f, AUDIT_ARCH_X86_64, 437), DENIED);           /* openat2 */
        assert_int_equal(answer(&f, AUDIT_ARCH_X86_64, 438), UNKNOWN);          /* pidfd_getfd */
        assert_int_equal(answer(&f, AUDIT_ARCH_X86_64, X32 + 0), ALLOWED);
        assert_int_equal(answer(&f, AUDIT_ARCH_X86_64, X32 + 437), DENIED);
        assert_int_equal(answer(&f, AUDIT_ARCH_X86_64, X32 + 438), UNKNOWN);
        assert_int_equal(answer(&f, AUDIT_ARCH_I386, 3), ALLOWED);
        assert_int_equal(answer(&f, AUDIT_ARCH_I386, 252), ALLOWED);
        assert_int_equal(answer(&f, AUDIT_ARCH_I386, 437), DENIED);
        assert_int_equal(answer(&f, AUDIT_ARCH_I386, 438), UNKNOWN);
        assert_int_equal(answer(&f, AUDIT_ARCH_AARCH64, 63), ALLOWED);
        assert_int_equal(answer(&f, AUDIT_ARCH_AARCH64, 437), DENIED);
        assert_int_equal(answer(&f, AUDIT_ARCH_AARCH64, 438), UNKNOWN);
}

static void only_refusals_become_enosys(void **state)
{
        (void) state;
        static const struct {
                const char *start;
                uint32_t answer;
        } cases[] = {
                { "\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":6,", UNKNOWN },
                { "\"defaultAction\":\"SCMP_ACT_KILL_PROCESS\",", UNKNOWN },
                { "\"defaultAction\":\"SCMP_ACT_TRAP\",", UNKNOWN },
                { "\"defaultAction\":\"SCMP_ACT_LOG\",", SECCOMP_RET_LOG },
                { "\"defaultAction\":\"SCMP_ACT_TRACE\",", SECCOMP_RET_TRACE | EPERM },
                { "\"defaultAction\":\"SCMP_ACT_ALLOW\",", ALLOWED },
                { "\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":38,", UNKNOWN },
        };
        for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
                char text[500];
                snprintf(text, sizeof(text), "%s\"architectures\":[\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_AARCH64\"]," SOME,
                         cases[i].start);
                auto_filter struct filter f = compile(text);
                assert_int_equal(answer(&f, AUDIT_ARCH_X86_64, 1000), cases[i].answer);
                assert_int_equal(answer(&f, AUDIT_ARCH_AARCH64, 1000), cases[i].answer);
                /* what the default says anyway needs nothing in front */
                const struct sock_filter *insns = f.bytes.data;
                bool front = insns[3].code == (BPF_JMP | BPF_JSET | BPF_K) && insns[3].k == X32;
                assert_int_equal(front, i < 3);
        }
}

/* The kernel, on whatever this is. */
static void the_kernel_agrees(void **state)
{
        (void) state;
        auto_filter struct filter f =
                compile("\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"action\":\"SCMP_ACT_ALLOW\","
                        "\"names\":[\"exit_group\",\"exit\",\"write\",\"close_range\"]}]");
        const struct sock_fprog prog = { .len = (unsigned short) (f.bytes.size / sizeof(struct sock_filter)),
                                         .filter = (struct sock_filter *) (uintptr_t) f.bytes.data };
        pid_t pid = fork();
        if (pid == 0) {
                if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0)
                        _exit(100);
                int bad = 0;
                bad |= syscall(SYS_write, -1, NULL, 0) == -1 && errno == EBADF ? 0 : 1;
                bad |= syscall(SYS_getppid) == -1 && errno == EPERM ? 0 : 2;
                bad |= syscall(SYS_openat2, 0, NULL, NULL, 0) == -1 && errno == ENOSYS ? 0 : 4;
                bad |= syscall(1000) == -1 && errno == ENOSYS ? 0 : 8;
                /* not _exit(): a sanitizer looks for leaks there, with calls that the filter denies */
                for (;;)
                        syscall(SYS_exit_group, bad);
        }
        int status = 0;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_architecture_has_its_newest),
                cmocka_unit_test(nothing_named_is_nothing_answered),
                cmocka_unit_test(the_newest_call_may_be_one_that_is_denied),
                cmocka_unit_test(only_refusals_become_enosys),
                cmocka_unit_test(the_kernel_agrees),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

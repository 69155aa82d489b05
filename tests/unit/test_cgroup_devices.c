/*
 * The device filter of cgroup v2, run by a small interpreter and compared with what the rules say, for many random
 * lists of rules. That the kernel takes the programs and obeys them is in test_cgroup_live.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cgroups/devices.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

enum { M = BPF_DEVCG_ACC_MKNOD, R = BPF_DEVCG_ACC_READ, W = BPF_DEVCG_ACC_WRITE };

/* The instructions that are used, and a failure for any other. */
static uint64_t interpret(const struct bpf_insn *insns, size_t n, const struct bpf_cgroup_dev_ctx *ctx)
{
        uint64_t reg[11] = { 0 };
        size_t at = 0;
        for (int steps = 0; steps < 100000; steps++, at++) {
                assert_true(at < n);
                const struct bpf_insn *i = &insns[at];
                uint32_t dst = (uint32_t) reg[i->dst_reg], src = (uint32_t) reg[i->src_reg], imm = (uint32_t) i->imm;
                switch (i->code) {
                case BPF_LDX | BPF_MEM | BPF_W:
                        assert_int_equal(i->src_reg, 1);
                        assert_true(i->off >= 0 && i->off % 4 == 0 && (size_t) i->off < sizeof(*ctx));
                        reg[i->dst_reg] = ((const uint32_t *) ctx)[i->off / 4];
                        break;
                case BPF_ALU | BPF_MOV | BPF_K: reg[i->dst_reg] = imm; break;
                case BPF_ALU | BPF_MOV | BPF_X: reg[i->dst_reg] = src; break;
                case BPF_ALU | BPF_AND | BPF_K: reg[i->dst_reg] = dst & imm; break;
                case BPF_ALU | BPF_OR | BPF_X:  reg[i->dst_reg] = dst | src; break;
                case BPF_ALU | BPF_RSH | BPF_K: reg[i->dst_reg] = dst >> imm; break;
                case BPF_ALU | BPF_LSH | BPF_K: reg[i->dst_reg] = dst << imm; break;
                case BPF_JMP | BPF_JA:          at += (size_t) i->off; break;
                case BPF_JMP32 | BPF_JEQ | BPF_K:  at += dst == imm ? (size_t) i->off : 0; break;
                case BPF_JMP32 | BPF_JNE | BPF_K:  at += dst != imm ? (size_t) i->off : 0; break;
                case BPF_JMP32 | BPF_JSET | BPF_K: at += dst & imm ? (size_t) i->off : 0; break;
                case BPF_JMP | BPF_EXIT: return reg[0];
                default: fail_msg("instruction %#x", i->code);
                }
                if ((i->code & 7) == BPF_JMP || (i->code & 7) == BPF_JMP32)
                        assert_true(i->off >= 0);
        }
        fail_msg("the program does not end");
        return 0;
}

/* What the rules mean, bit by bit: the last one that names the device and the bit decides. */
static bool means(const struct device_rule *rules, size_t n, char type, uint32_t major, uint32_t minor, int access)
{
        for (int bit = M; bit <= W; bit <<= 1) {
                bool allowed = false;
                for (size_t i = 0; (access & bit) && i < n; i++) {
                        const struct device_rule *r = &rules[i];
                        int has = (r->mknod ? M : 0) | (r->read ? R : 0) | (r->write ? W : 0);
                        if (has == 0 && r->type == 'a')
                                has = M | R | W;
                        if ((r->type == 'a' || r->type == type) && (r->major == -1 || r->major == major) &&
                            (r->minor == -1 || r->minor == minor) && (has & bit))
                                allowed = r->allow;
                }
                if ((access & bit) && !allowed)
                        return false;
        }
        return true;
}

static bool filter_says(const struct bpf_insn *insns, size_t n, char type, uint32_t major, uint32_t minor, int access)
{
        const struct bpf_cgroup_dev_ctx ctx = {
                .access_type = (uint32_t) access << 16 | (type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR),
                .major = major,
                .minor = minor,
        };
        return interpret(insns, n, &ctx) != 0;
}

static const uint32_t numbers[][2] = { { 1, 3 }, { 1, 5 }, { 8, 0 },           { 8, 3 },
                                       { 0, 3 }, { 10, 200 }, { 0xfff, 0xfffff } };

static void check_all(const struct device_rule *rules, size_t n)
{
        auto_arena struct arena *arena = arena_new();
        struct bpf_insn *insns;
        size_t n_insns;
        assert_int_equal(devices_program(rules, n, arena, &insns, &n_insns, NULL), 0);
        for (size_t d = 0; d < COUNT(numbers); d++)
                for (int access = 1; access < 8; access++)
                        for (int t = 0; t < 2; t++) {
                                char type = "bc"[t];
                                bool says = filter_says(insns, n_insns, type, numbers[d][0], numbers[d][1], access);
                                if (says != means(rules, n, type, numbers[d][0], numbers[d][1], access))
                                        fail_msg("%zu rules, %c %u:%u access %d: %d", n, type, numbers[d][0],
                                                 numbers[d][1], access, says);
                        }
}

static void random_rules_mean_what_they_say(void **state)
{
        (void) state;
        static const int64_t majors[] = { -1, -1, 0, 1, 8, 10, 0xfff, 0x1000, UINT32_MAX };
        static const int64_t minors[] = { -1, -1, 0, 3, 5, 200, 0xfffff, 0x100003, UINT32_MAX };
        srand(7);
        for (int round = 0; round < 4000; round++) {
                struct device_rule rules[8];
                size_t n = (size_t) (rand() % 9);
                for (size_t i = 0; i < n; i++)
                        rules[i] = (struct device_rule){
                                .allow = rand() & 1,
                                .type = "abc"[rand() % 3],
                                .major = majors[(size_t) rand() % COUNT(majors)],
                                .minor = minors[(size_t) rand() % COUNT(minors)],
                                .read = rand() & 1,
                                .write = rand() & 1,
                                .mknod = rand() & 1,
                        };
                check_all(rules, n);
        }
}

static bool decide(const struct device_rule *rules, size_t n, char type, uint32_t major, uint32_t minor, int access)
{
        auto_arena struct arena *arena = arena_new();
        struct bpf_insn *insns;
        size_t n_insns;
        assert_int_equal(devices_program(rules, n, arena, &insns, &n_insns, NULL), 0);
        return filter_says(insns, n_insns, type, major, minor, access);
}

static void without_rules_everything_is_denied(void **state)
{
        (void) state;
        assert_false(decide(NULL, 0, 'c', 1, 3, R));
        assert_false(decide(NULL, 0, 'b', 8, 0, M));
}

static void later_rules_win(void **state)
{
        (void) state;
        const struct device_rule rules[] = {
                { true, 'c', 1, -1, true, true, true },
                { false, 'c', 1, 5, true, true, true },
                { true, 'c', 1, 5, true, false, false },
        };
        assert_true(decide(rules, 3, 'c', 1, 3, R | W));
        assert_true(decide(rules, 3, 'c', 1, 5, R));
        assert_false(decide(rules, 3, 'c', 1, 5, R | W)); /* one denied bit is enough */
        assert_true(decide(rules, 1, 'c', 1, 5, W));
        assert_false(decide(rules, 3, 'b', 1, 3, R));
}

static void access_adds_up_over_rules(void **state)
{
        (void) state;
        const struct device_rule rules[] = {
                { true, 'c', 1, 3, true, false, false },
                { true, 'c', 1, 3, false, true, false },
        };
        assert_true(decide(rules, 2, 'c', 1, 3, R | W));
        assert_false(decide(rules, 2, 'c', 1, 3, R | W | M));
}

static void a_rule_for_all_ends_what_was_before(void **state)
{
        (void) state;
        const struct device_rule rules[] = {
                { false, 'c', 1, 3, true, true, true },
                { true, 'a', -1, -1, true, true, true },
                { false, 'b', 8, -1, true, true, true },
        };
        assert_true(decide(rules, 3, 'c', 1, 3, R | W | M));
        assert_false(decide(rules, 3, 'b', 8, 1, R));
        const struct device_rule bare = { false, 'a', -1, -1, false, false, false };
        const struct device_rule two[] = { rules[1], bare };
        assert_false(decide(two, 2, 'c', 1, 3, R));
}

static void numbers_that_no_device_has_match_none(void **state)
{
        (void) state;
        /* 4096:0 must not be taken for 0:0, nor minor 0x100003 of 0 for 1:3 */
        const struct device_rule rules[] = {
                { true, 'c', 4096, 0, true, true, true },
                { true, 'c', 0, 0x100003, true, true, true },
        };
        assert_false(decide(rules, 2, 'c', 0, 0, R));
        assert_false(decide(rules, 2, 'c', 1, 3, R));
}

static void the_default_rules_make_a_short_program(void **state)
{
        (void) state;
        static const struct device_rule rules[] = {
                { false, 'a', -1, -1, true, true, true }, { true, 'c', -1, -1, false, false, true },
                { true, 'b', -1, -1, false, false, true }, { true, 'c', 1, 3, true, true, true },
                { true, 'c', 1, 8, true, true, true },     { true, 'c', 1, 7, true, true, true },
                { true, 'c', 5, 0, true, true, true },     { true, 'c', 1, 5, true, true, true },
                { true, 'c', 1, 9, true, true, true },     { true, 'c', 5, 1, true, true, true },
                { true, 'c', 136, -1, true, true, true },  { true, 'c', 5, 2, true, true, true },
                { true, 'c', 10, 200, true, true, true },
        };
        auto_arena struct arena *arena = arena_new();
        struct bpf_insn *insns;
        size_t n;
        assert_int_equal(devices_program(rules, COUNT(rules), arena, &insns, &n, NULL), 0);
        assert_in_range(n, 10, 32); /* the time that loading takes grows with it */
        check_all(rules, COUNT(rules));
}

static void wrong_numbers_are_refused(void **state)
{
        (void) state;
        auto_arena struct arena *arena = arena_new();
        struct bpf_insn *insns;
        size_t n;
        struct error err = ERROR_INIT;
        const struct device_rule low = { true, 'c', -2, 0, true, true, true };
        const struct device_rule high = { true, 'c', 0, INT64_C(1) << 32, true, true, true };
        assert_int_equal(devices_program(&low, 1, arena, &insns, &n, &err), -EINVAL);
        assert_non_null(strstr(err.text, "linux.resources.devices[0]: -2:0"));
        assert_int_equal(devices_program(&high, 1, arena, &insns, &n, &err), -EINVAL);
        /* more than jumps can reach over */
        struct device_rule *many = calloc(6000, sizeof(*many));
        assert_non_null(many);
        for (size_t i = 0; i < 6000; i++)
                many[i] = (struct device_rule){ true, 'a', 1, (int64_t) i, true, false, false };
        assert_int_equal(devices_program(many, 6000, arena, &insns, &n, &err), -E2BIG);
        assert_int_equal(devices_program(many, 5000, arena, &insns, &n, &err), 0);
        assert_true(filter_says(insns, n, 'b', 1, 4999, R));
        assert_true(filter_says(insns, n, 'c', 1, 0, R));
        assert_false(filter_says(insns, n, 'c', 1, 5000, R));
        free(many);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(random_rules_mean_what_they_say),
                cmocka_unit_test(without_rules_everything_is_denied),
                cmocka_unit_test(later_rules_win),
                cmocka_unit_test(access_adds_up_over_rules),
                cmocka_unit_test(a_rule_for_all_ends_what_was_before),
                cmocka_unit_test(numbers_that_no_device_has_match_none),
                cmocka_unit_test(the_default_rules_make_a_short_program),
                cmocka_unit_test(wrong_numbers_are_refused),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

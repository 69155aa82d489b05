#include "cgroups/devices.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"

/*
 * How the program is built matters more than what it does: the kernel's verifier walks both sides of every branch,
 * which costs 200 us for one branch per field of the default rules, and 40 us for one branch per rule.
 * So type is branched on once, major and minor are compared as one number, and rules jump to two common ends.
 */
enum { RESULT = BPF_REG_0, CTX = BPF_REG_1, TYPE = BPF_REG_2, ACCESS = BPF_REG_3, MAJOR = BPF_REG_4,
       MINOR = BPF_REG_5, BOTH = BPF_REG_6 };

enum { ALL = BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE };

/* Device numbers inside the kernel: 12 bits and 20 bits. */
#define MINOR_BITS 20
#define MAJOR_MAX  0xfff
#define MINOR_MAX  0xfffff

/* Jumps to the ends, until it is known where those are. Real jumps go forward. */
enum { TO_ALLOW = -1, TO_DENY = -2 };

#define HEAD_INSNS 9 /* load the context */
#define RULE_INSNS 3 /* at most, for one rule, in each of two sections */
#define TAIL_INSNS 6 /* the ends of the sections, allow, deny */

struct program {
        struct bpf_insn *insns;
        size_t n;
};

static void emit(struct program *p, int code, int dst, int src, int off, int32_t imm)
{
        p->insns[p->n++] = (struct bpf_insn){ .code = (uint8_t) code, .dst_reg = (uint8_t) (dst & 15),
                                              .src_reg = (uint8_t) (src & 15), .off = (int16_t) off, .imm = imm };
}

static int32_t access_of(const struct device_rule *rule)
{
        int32_t access = (rule->read ? BPF_DEVCG_ACC_READ : 0) | (rule->write ? BPF_DEVCG_ACC_WRITE : 0) |
                         (rule->mknod ? BPF_DEVCG_ACC_MKNOD : 0);
        /* {"allow": false} without type and access means everything. */
        return access == 0 && rule->type == 'a' ? ALL : access;
}

/* A branch on the rule's numbers. False: any number, so there is nothing to compare. */
static bool emit_match(struct program *p, const struct device_rule *rule, int comparison, int where)
{
        if (rule->major >= 0 && rule->minor >= 0)
                emit(p, BPF_JMP32 | comparison | BPF_K, BOTH, 0, where,
                     (int32_t) ((uint32_t) rule->major << MINOR_BITS | (uint32_t) rule->minor));
        else if (rule->major >= 0)
                emit(p, BPF_JMP32 | comparison | BPF_K, MAJOR, 0, where, (int32_t) rule->major);
        else if (rule->minor >= 0)
                emit(p, BPF_JMP32 | comparison | BPF_K, MINOR, 0, where, (int32_t) rule->minor);
        else
                return false;
        return true;
}

/*
 * One rule, the later ones having spoken. Each bit of access is decided by the last rule that names the device and
 * the bit: a denied bit ends it at once, an allowed one is taken out of ACCESS, and when no bit is left everything
 * was allowed. True: the rule decides all that is left, so the earlier ones have nothing more to say.
 */
static bool emit_rule(struct program *p, const struct device_rule *rule)
{
        int32_t access = access_of(rule);
        if (access == 0 || rule->major > MAJOR_MAX || rule->minor > MINOR_MAX)
                return false; /* no device has such a number */
        if (access == ALL) {
                int where = rule->allow ? TO_ALLOW : TO_DENY;
                if (emit_match(p, rule, BPF_JEQ, where))
                        return false;
                emit(p, BPF_JMP | BPF_JA, 0, 0, where, 0);
                return true;
        }
        size_t jump = p->n;
        bool conditional = emit_match(p, rule, BPF_JNE, 0);
        if (rule->allow) {
                emit(p, BPF_ALU | BPF_AND | BPF_K, ACCESS, 0, 0, ~access);
                emit(p, BPF_JMP32 | BPF_JEQ | BPF_K, ACCESS, 0, TO_ALLOW, 0);
        } else {
                emit(p, BPF_JMP32 | BPF_JSET | BPF_K, ACCESS, 0, TO_DENY, access);
        }
        if (conditional)
                p->insns[jump].off = (int16_t) (p->n - jump - 1);
        return false;
}

/* The rules for one type of device, the last one first. What none of them decides is denied. */
static void emit_section(struct program *p, const struct device_rule *rules, size_t n, char type)
{
        for (size_t i = n; i-- > 0;)
                if ((rules[i].type == type || rules[i].type == 'a') && emit_rule(p, &rules[i]))
                        return;
        emit(p, BPF_JMP | BPF_JA, 0, 0, TO_DENY, 0);
}

static void emit_head(struct program *p)
{
        const int type = (int) offsetof(struct bpf_cgroup_dev_ctx, access_type);
        emit(p, BPF_LDX | BPF_MEM | BPF_W, ACCESS, CTX, type, 0);
        emit(p, BPF_LDX | BPF_MEM | BPF_W, MAJOR, CTX, (int) offsetof(struct bpf_cgroup_dev_ctx, major), 0);
        emit(p, BPF_LDX | BPF_MEM | BPF_W, MINOR, CTX, (int) offsetof(struct bpf_cgroup_dev_ctx, minor), 0);
        emit(p, BPF_ALU | BPF_MOV | BPF_X, TYPE, ACCESS, 0, 0);
        emit(p, BPF_ALU | BPF_AND | BPF_K, TYPE, 0, 0, 0xffff);
        emit(p, BPF_ALU | BPF_RSH | BPF_K, ACCESS, 0, 0, 16);
        emit(p, BPF_ALU | BPF_MOV | BPF_X, BOTH, MAJOR, 0, 0);
        emit(p, BPF_ALU | BPF_LSH | BPF_K, BOTH, 0, 0, MINOR_BITS);
        emit(p, BPF_ALU | BPF_OR | BPF_X, BOTH, MINOR, 0, 0);
}

/* One of the two ends, where something jumps to it: the verifier refuses instructions that nothing reaches. */
static void emit_end(struct program *p, int where)
{
        const size_t end = p->n;
        bool used = false;
        for (size_t i = 0; i < end; i++) {
                int class = BPF_CLASS(p->insns[i].code);
                if ((class == BPF_JMP || class == BPF_JMP32) && p->insns[i].off == where) {
                        p->insns[i].off = (int16_t) (end - i - 1);
                        used = true;
                }
        }
        if (used) {
                emit(p, BPF_ALU | BPF_MOV | BPF_K, RESULT, 0, 0, where == TO_ALLOW);
                emit(p, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
        }
}

int devices_program(const struct device_rule *rules, size_t n, struct arena *arena, struct bpf_insn **ret_insns,
                    size_t *ret_n, struct error *err)
{
        /* A jump reaches 32767 instructions. */
        if (n > (INT16_MAX - HEAD_INSNS - TAIL_INSNS - 1) / (2 * RULE_INSNS))
                return error_say(err, -E2BIG, "linux.resources.devices: %zu rules are too many for one filter", n);
        for (size_t i = 0; i < n; i++)
                if (rules[i].major < -1 || rules[i].major > UINT32_MAX || rules[i].minor < -1 ||
                    rules[i].minor > UINT32_MAX)
                        return error_say(err, -EINVAL,
                                         "linux.resources.devices[%zu]: %" PRId64 ":%" PRId64
                                         " is not a device number", i, rules[i].major, rules[i].minor);

        const size_t room = HEAD_INSNS + 1 + n * 2 * RULE_INSNS + TAIL_INSNS;
        struct program p = { arena_alloc(arena, room, sizeof(struct bpf_insn)), 0 };
        if (!p.insns)
                return error_set(err, -ENOMEM, "make a device filter of %zu rules", n);
        emit_head(&p);
        const size_t branch = p.n;
        emit(&p, BPF_JMP32 | BPF_JEQ | BPF_K, TYPE, 0, 0, BPF_DEVCG_DEV_BLOCK);
        emit_section(&p, rules, n, 'c');
        p.insns[branch].off = (int16_t) (p.n - branch - 1);
        emit_section(&p, rules, n, 'b');
        emit_end(&p, TO_DENY);
        emit_end(&p, TO_ALLOW);
        *ret_insns = p.insns;
        *ret_n = p.n;
        return 0;
}

static int bpf(int cmd, union bpf_attr *attr)
{
        long r = syscall(SYS_bpf, cmd, attr, sizeof(*attr));
        return r < 0 ? -errno : (int) r;
}

static int load(const struct bpf_insn *insns, size_t n)
{
        union bpf_attr attr;
        memset(&attr, 0, sizeof(attr)); /* padding too: the kernel wants zeros */
        attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
        attr.insns = (uintptr_t) insns;
        attr.insn_cnt = (uint32_t) n;
        attr.license = (uintptr_t) "Dual MIT/GPL"; /* uses no helper, so any would do */
        memcpy(attr.prog_name, "berth_devices", sizeof("berth_devices"));
        int fd = bpf(BPF_PROG_LOAD, &attr);
        if (fd != -EPERM)
                return fd;
        /*
         * Before 5.11 programs count against RLIMIT_MEMLOCK. Raising it can be forbidden, and since 5.11 is not
         * needed: then the second try says what is really wrong.
         */
        const struct rlimit more = { RLIM_INFINITY, RLIM_INFINITY };
        struct rlimit old;
        if (getrlimit(RLIMIT_MEMLOCK, &old) < 0 || setrlimit(RLIMIT_MEMLOCK, &more) < 0)
                return fd;
        fd = bpf(BPF_PROG_LOAD, &attr);
        (void) setrlimit(RLIMIT_MEMLOCK, &old); /* lowering it is always allowed */
        return fd;
}

#define OLD_MAX 64

/* The ids of what is attached to this very cgroup: how many, or -errno. */
static int query(int cgroup_fd, enum bpf_attach_type type, uint32_t ids[OLD_MAX])
{
        union bpf_attr attr;
        memset(&attr, 0, sizeof(attr));
        attr.query.target_fd = (uint32_t) cgroup_fd;
        attr.query.attach_type = type;
        attr.query.prog_ids = (uintptr_t) ids;
        attr.query.prog_cnt = OLD_MAX;
        int r = bpf(BPF_PROG_QUERY, &attr);
        return r < 0 ? r : attr.query.prog_cnt < OLD_MAX ? (int) attr.query.prog_cnt : OLD_MAX;
}

/* Their descriptors. Programs we may not open (an LSM's) are left alone. */
static int attached(int cgroup_fd, int fds[OLD_MAX], size_t *ret_n)
{
        uint32_t ids[OLD_MAX] = { 0 };
        int found = query(cgroup_fd, BPF_CGROUP_DEVICE, ids);
        if (found < 0)
                return found;
        size_t n = 0;
        for (int i = 0; i < found; i++) {
                union bpf_attr get;
                memset(&get, 0, sizeof(get));
                get.prog_id = ids[i];
                fds[n] = bpf(BPF_PROG_GET_FD_BY_ID, &get);
                n += fds[n] >= 0;
        }
        *ret_n = n;
        return 0;
}

static int attach(int cgroup_fd, int prog, int replaced)
{
        union bpf_attr attr;
        memset(&attr, 0, sizeof(attr));
        attr.target_fd = (uint32_t) cgroup_fd;
        attr.attach_bpf_fd = (uint32_t) prog;
        attr.attach_type = BPF_CGROUP_DEVICE;
        attr.attach_flags = BPF_F_ALLOW_MULTI;
        if (replaced >= 0) { /* Linux 5.6: no moment without a filter */
                attr.attach_flags |= BPF_F_REPLACE;
                attr.replace_bpf_fd = (uint32_t) replaced;
        }
        return bpf(BPF_PROG_ATTACH, &attr);
}

static int detach(int cgroup_fd, int prog)
{
        union bpf_attr attr;
        memset(&attr, 0, sizeof(attr));
        attr.target_fd = (uint32_t) cgroup_fd;
        attr.attach_bpf_fd = (uint32_t) prog;
        attr.attach_type = BPF_CGROUP_DEVICE;
        return bpf(BPF_PROG_DETACH, &attr);
}

int devices_load(const struct bpf_insn *insns, size_t n, int *ret_prog_fd, struct error *err)
{
        int prog = load(insns, n);
        if (prog < 0)
                return error_set(err, prog, "load the device filter (bpf)");
        *ret_prog_fd = prog;
        return 0;
}

int devices_attach_loaded(int cgroup_fd, int prog_fd, struct error *err)
{
        int old[OLD_MAX];
        size_t n_old = 0;
        int r = attached(cgroup_fd, old, &n_old);
        if (r < 0)
                return error_set(err, r, "look for device filters of the cgroup (bpf)");
        r = attach(cgroup_fd, prog_fd, n_old == 1 ? old[0] : -1);
        if (r < 0)
                (void) error_set(err, r, "attach the device filter to the cgroup (bpf)");
        for (size_t i = 0; i < n_old; i++) {
                int gone = r == 0 && n_old > 1 ? detach(cgroup_fd, old[i]) : 0;
                if (gone < 0)
                        r = error_set(err, gone, "detach an old device filter (bpf)");
                fd_close(old[i]);
        }
        return r;
}

int devices_attach(int cgroup_fd, const struct bpf_insn *insns, size_t n, struct error *err)
{
        auto_fd int prog = -1;
        int r = devices_load(insns, n, &prog, err);
        return r < 0 ? r : devices_attach_loaded(cgroup_fd, prog, err);
}

bool cgroup_filtered(int cgroup_fd)
{
        static const enum bpf_attach_type types[] = { BPF_CGROUP_DEVICE, BPF_CGROUP_INET_INGRESS, BPF_CGROUP_INET_EGRESS,
                                                      BPF_CGROUP_INET_SOCK_CREATE, BPF_CGROUP_INET4_BIND, BPF_CGROUP_INET6_BIND };
        uint32_t ids[OLD_MAX];
        for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
                if (query(cgroup_fd, types[i], ids) > 0)
                        return true;
        return false;
}

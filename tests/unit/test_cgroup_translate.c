/* Limits of a configuration as the files of cgroup v1 and v2. Nothing here touches the machine. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/str.h"
#include "cgroups/probe.h"
#include "cgroups/translate.h"
#include "cgroups/weight.h"

#define I(n) { true, n }
#define COUNT(a) (sizeof(a) / sizeof(*(a)))

enum machine { V1, WIDE /* v1 with the rare controllers */, V2, HYBRID, BARE, BUSY /* v2, our own cgroup cannot give controllers to children */ };

static struct cgroup_host *machine(enum machine m)
{
        static struct cgroup_host host;
        static const char v1[] = "4:cpu,cpuacct:/\n3:memory:/\n2:cpuset:/\n1:pids:/\n5:devices:/\n";
        static const char v1_mounts[] = "1 1 0:1 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup c rw,cpu,cpuacct\n"
                                        "1 1 0:1 / /sys/fs/cgroup/memory rw - cgroup c rw,memory\n"
                                        "1 1 0:1 / /sys/fs/cgroup/cpuset rw - cgroup c rw,cpuset\n"
                                        "1 1 0:1 / /sys/fs/cgroup/devices rw - cgroup c rw,devices\n";
        static const char pids_mount[] = "1 1 0:1 / /sys/fs/cgroup/pids rw - cgroup c rw,pids\n";
        static const char v2_mount[] = "1 1 0:1 / /sys/fs/cgroup/unified rw - cgroup2 c rw\n";
        auto_str struct str mounts = STR_INIT;
        switch (m) {
        case V1:
                str_add(&mounts, v1_mounts);
                str_add(&mounts, pids_mount);
                probe_parse(mounts.text, v1, false, &host);
                break;
        case WIDE:
                probe_parse("1 1 0:1 / /sys/fs/cgroup/hugetlb rw - cgroup c rw,hugetlb\n"
                            "1 1 0:1 / /sys/fs/cgroup/blkio rw - cgroup c rw,blkio\n"
                            "1 1 0:1 / /sys/fs/cgroup/rdma rw - cgroup c rw,rdma\n"
                            "1 1 0:1 / /sys/fs/cgroup/net rw - cgroup c rw,net_cls,net_prio\n",
                            "1:hugetlb:/\n2:blkio:/\n3:rdma:/\n4:net_cls,net_prio:/\n", false, &host);
                break;
        case HYBRID: /* pids is on v2 here */
                str_add(&mounts, v1_mounts);
                str_add(&mounts, v2_mount);
                probe_parse(mounts.text, "4:cpu,cpuacct:/\n3:memory:/\n2:cpuset:/\n5:devices:/\n0::/\n", false, &host);
                probe_list("hugetlb pids", host.v2_top, sizeof(host.v2_top));
                probe_list("hugetlb pids", host.v2_below, sizeof(host.v2_below));
                break;
        case V2:
        case BUSY:
                probe_parse(NULL, "0::/user.slice/x\n", true, &host);
                probe_list("cpuset cpu io memory hugetlb rdma pids", host.v2_top, sizeof(host.v2_top));
                probe_list("cpuset cpu io memory pids", host.v2_controllers, sizeof(host.v2_controllers));
                if (m == V2)
                        probe_list("cpuset cpu io memory pids", host.v2_below, sizeof(host.v2_below));
                break;
        case BARE:
                probe_parse("", "", false, &host);
                break;
        }
        return &host;
}

static int translate(const struct resources *res, enum machine m, const char *path, struct str *text,
                     struct error *err)
{
        auto_arena struct arena *arena = arena_new();
        struct cgroup_writes w = { 0 };
        int r = cgroup_translate_at(res, machine(m), path, arena, &w, err);
        for (size_t i = 0; r == 0 && i < w.n; i++)
                str_addf(text, "%s%s%s%s=%s", i ? "; " : "", w.list[i].controller, *w.list[i].controller ? ":" : "",
                         w.list[i].file, w.list[i].text);
        return r;
}

struct good {
        enum machine machine;
        struct resources res;
        const char *expected;
};

static const struct good good[] = {
        /* nothing given, nothing written */
        { V1, .expected = "" },
        { V2, .expected = "" },
        { BARE, .expected = "" },
        { V2, { .memory = { .limit = I(0), .swap = I(0), .reservation = I(0) } }, "" },
        { V1, { .cpu = { .shares = I(0), .quota = I(0), .period = I(0) } }, "" },
        { V2, { .memory = { .has_disable_oom_killer = true } }, "" },
        { V2, { .cpu = { .cpus = "", .mems = "" } }, "" },
        { V2, { .memory = { .swappiness = I(UINT64_MAX) } }, "" },

        /* memory */
        { V1, { .memory = { .limit = I(64 << 20) } }, "memory:memory.limit_in_bytes=67108864" },
        { V2, { .memory = { .limit = I(64 << 20) } }, "memory.max=67108864" },
        { V1, { .memory = { .limit = I(-1) } },
          "memory:memory.memsw.limit_in_bytes=-1; memory:memory.limit_in_bytes=-1" },
        { V2, { .memory = { .limit = I(-1) } }, "memory.swap.max=max; memory.max=max" },
        { V1, { .memory = { .limit = I(1000), .swap = I(3000) } },
          "memory:memory.limit_in_bytes=1000; memory:memory.memsw.limit_in_bytes=3000" },
        { V2, { .memory = { .limit = I(1000), .swap = I(3000) } }, "memory.swap.max=2000; memory.max=1000" },
        { V2, { .memory = { .limit = I(1000), .swap = I(1000) } }, "memory.swap.max=0; memory.max=1000" },
        { V1, { .memory = { .limit = I(1000), .swap = I(-1) } },
          "memory:memory.memsw.limit_in_bytes=-1; memory:memory.limit_in_bytes=1000" },
        { V2, { .memory = { .limit = I(1000), .swap = I(-1) } }, "memory.swap.max=max; memory.max=1000" },
        { V2, { .memory = { .limit = I(-1), .swap = I(5000) } }, "memory.swap.max=5000; memory.max=max" },
        { V2, { .memory = { .swap = I(-1) } }, "memory.swap.max=max" },
        { V1, { .memory = { .swap = I(7000) } }, "memory:memory.memsw.limit_in_bytes=7000" },
        { V1, { .memory = { .reservation = I(500) } }, "memory:memory.soft_limit_in_bytes=500" },
        { V2, { .memory = { .reservation = I(500) } }, "memory.low=500" },
        { V2, { .memory = { .reservation = I(-1) } }, "memory.low=max" },
        { V1, { .memory = { .has_disable_oom_killer = true, .disable_oom_killer = true, .swappiness = I(60) } },
          "memory:memory.oom_control=1; memory:memory.swappiness=60" },
        { V1, { .memory = { .swappiness = I(0) } }, "memory:memory.swappiness=0" },

        /* cpu */
        { V1, { .cpu = { .shares = I(512) } }, "cpu:cpu.shares=512" },
        { V2, { .cpu = { .shares = I(1024) } }, "cpu.weight=100" },
        { V2, { .cpu = { .shares = I(2) } }, "cpu.weight=1" },
        { V2, { .cpu = { .shares = I(1) } }, "cpu.weight=1" },
        { V2, { .cpu = { .shares = I(262144) } }, "cpu.weight=10000" },
        { V2, { .cpu = { .shares = I(999999) } }, "cpu.weight=10000" },
        { V1, { .cpu = { .quota = I(50000), .period = I(100000) } },
          "cpu:cpu.cfs_period_us=100000; cpu:cpu.cfs_quota_us=50000" },
        { V2, { .cpu = { .quota = I(50000), .period = I(20000) } }, "cpu.max=50000 20000" },
        { V2, { .cpu = { .quota = I(50000) } }, "cpu.max=50000 100000" },
        { V2, { .cpu = { .quota = I(-1) } }, "cpu.max=max 100000" },
        { V1, { .cpu = { .quota = I(-1) } }, "cpu:cpu.cfs_quota_us=-1" },
        { V2, { .cpu = { .period = I(50000) } }, "cpu.max=max 50000" },
        { V2, { .cpu = { .quota = I(50000), .burst = I(10000) } }, "cpu.max=50000 100000; cpu.max.burst=10000" },
        { V1, { .cpu = { .quota = I(50000), .burst = I(0) } }, "cpu:cpu.cfs_quota_us=50000; cpu:cpu.cfs_burst_us=0" },
        { V2, { .cpu = { .idle = I(1), .shares = I(1024) } }, "cpu.weight=100; cpu.idle=1" },
        { V1, { .cpu = { .idle = I(0) } }, "cpu:cpu.idle=0" },
        { V1, { .cpu = { .rt_period = I(1000000), .rt_runtime = I(950000) } },
          "cpu:cpu.rt_period_us=1000000; cpu:cpu.rt_runtime_us=950000" },
        { V1, { .cpu = { .cpus = "0-3,7", .mems = "0" } }, "cpuset:cpuset.cpus=0-3,7; cpuset:cpuset.mems=0" },
        { V2, { .cpu = { .cpus = "0-3,7", .mems = "0" } }, "cpuset.cpus=0-3,7; cpuset.mems=0" },

        /* pids */
        { V1, { .pids_limit = I(32) }, "pids:pids.max=32" },
        { V2, { .pids_limit = I(32) }, "pids.max=32" },
        { V2, { .pids_limit = I(-1) }, "pids.max=max" },
        { V1, { .pids_limit = I(0) }, "pids:pids.max=1" },
        { BARE, { .pids_limit = I(-1) }, "" },

        /* a controller of v2 beside those of v1 */
        { HYBRID, { .pids_limit = I(9), .memory = { .limit = I(4096) } },
          "memory:memory.limit_in_bytes=4096; pids.max=9" },

        /* huge pages, block devices, RDMA */
        { V2, { .huge_pages = &(struct huge_page_limit){ "2MB", 4194304 }, .n_huge_pages = 1 },
          "hugetlb.2MB.max=4194304; hugetlb.2MB.rsvd.max=4194304" },
        { V2, { .block_io = { .weight = I(10), .weights = &(struct block_number){ 8, 0, 1000 }, .n_weights = 1 } },
          "io.weight=1; io.weight=8:0 10000" },
        { V2, { .block_io = { .rates = { &(struct block_number){ 8, 0, 5 }, NULL, NULL, &(struct block_number){ 8, 16, 0 } },
                              .n_rates = { 1, 0, 0, 1 } } }, "io.max=8:0 rbps=5; io.max=8:16 wiops=max" },
        { V2, { .rdma = &(struct rdma_limit){ "mlx5_0", I(3), I(4) }, .n_rdma = 1 },
          "rdma.max=mlx5_0 hca_handle=3 hca_object=4" },
        { WIDE, { .huge_pages = &(struct huge_page_limit){ "1GB", 0 }, .n_huge_pages = 1 },
          "hugetlb:hugetlb.1GB.limit_in_bytes=0; hugetlb:hugetlb.1GB.rsvd.limit_in_bytes=0" },
        { WIDE, { .block_io = { .weight = I(500), .weights = &(struct block_number){ 8, 0, 20 }, .n_weights = 1,
                                .rates = { NULL, &(struct block_number){ 8, 0, 5 }, &(struct block_number){ 8, 0, 6 } },
                                .n_rates = { 0, 1, 1 } } },
          "blkio:blkio.bfq.weight=500; blkio:blkio.bfq.weight_device=8:0 20; "
          "blkio:blkio.throttle.write_bps_device=8:0 5; blkio:blkio.throttle.read_iops_device=8:0 6" },
        { WIDE, { .rdma = &(struct rdma_limit){ "mlx5_0", { 0 }, I(4) }, .n_rdma = 1 }, "rdma:rdma.max=mlx5_0 hca_object=4" },
        { WIDE, { .network = { I(1048577), &(struct network_priority){ "eth0", 5 }, 1 } },
          "net_cls:net_cls.classid=1048577; net_prio:net_prio.ifpriomap=eth0 5" },
        /* unified */
        { V2, { .unified = &(struct key_value){ "memory.high", "100000" }, .n_unified = 1 }, "memory.high=100000" },
        { V2, { .unified = (struct key_value[]){ { "io.max", "8:0 rbps=1\n8:16 rbps=2" }, { "cgroup.type", "x" } },
                .n_unified = 2 },
          "io.max=8:0 rbps=1; io.max=8:16 rbps=2; cgroup.type=x" },
        { HYBRID, { .unified = &(struct key_value){ "hugetlb.2MB.max", "0" }, .n_unified = 1 }, "hugetlb.2MB.max=0" },
        { V2, { .memory = { .limit = I(5) }, .unified = &(struct key_value){ "memory.max", "6" }, .n_unified = 1 },
          "memory.max=5; memory.max=6" },

        /* everything, in order */
        { V2, { .memory = { .limit = I(10), .swap = I(30), .reservation = I(5) },
                .cpu = { .shares = I(1024), .quota = I(2000), .cpus = "1" }, .pids_limit = I(7) },
          "memory.swap.max=20; memory.max=10; memory.low=5; cpu.weight=100; cpu.max=2000 100000; cpuset.cpus=1; "
          "pids.max=7" },
};

static void every_limit_becomes_the_right_files(void **state)
{
        (void) state;
        for (size_t i = 0; i < COUNT(good); i++) {
                auto_str struct str text = STR_INIT;
                struct error err = ERROR_INIT;
                int r = translate(&good[i].res, good[i].machine, "/box", &text, &err);
                if (r != 0 || strcmp(text.text ? text.text : "", good[i].expected) != 0)
                        fail_msg("case %zu: %d (%s) \"%s\", expected \"%s\"", i, r, err.text,
                                 text.text ? text.text : "", good[i].expected);
        }
}

struct bad {
        enum machine machine;
        const char *path;
        struct resources res;
        int code;
        const char *says;
};

static const struct bad bad[] = {
        { V2, "/b", { .memory = { .limit = I(-2) } }, -EINVAL, "linux.resources.memory.limit: -2" },
        { V1, "/b", { .memory = { .limit = I(1), .swap = I(-7) } }, -EINVAL, "memory.swap: -7" },
        { V1, "/b", { .memory = { .reservation = I(-3) } }, -EINVAL, "memory.reservation: -3" },
        { V2, "/b", { .memory = { .limit = I(1000), .swap = I(500) } }, -EINVAL,
          "must not be below memory.limit (1000)" },
        { V1, "/b", { .memory = { .limit = I(1000), .swap = I(500) } }, -EINVAL,
          "must not be below memory.limit (1000)" },
        { V2, "/b", { .memory = { .swap = I(500) } }, -EINVAL, "set memory.limit too" },
        { V1, "/b", { .memory = { .swappiness = I(101) } }, -EINVAL, "101 is not in 0..100" },
        { V2, "/b", { .memory = { .swappiness = I(50) } }, -EOPNOTSUPP,
          "memory.swappiness: cgroup v2 has no such limit" },
        { V2, "/b", { .network = { .class_id = I(1) } }, -EOPNOTSUPP, "network.classID: no net_cls controller" },
        { V1, "/b", { .huge_pages = &(struct huge_page_limit){ "2MB", 0 }, .n_huge_pages = 1 }, -EOPNOTSUPP,
          "linux.resources.hugepageLimits: no hugetlb controller on this machine" },
        { V1, "/b", { .block_io = { .weight = I(10) } }, -EOPNOTSUPP,
          "linux.resources.blockIO: no io controller on this machine" },
        { V2, "/b", { .block_io = { .weight = I(9) } }, -EINVAL, "blockIO: a weight of 9 is not in 10..1000" },
        { V2, "/b", { .memory = { .has_disable_oom_killer = true, .disable_oom_killer = true } }, -EOPNOTSUPP,
          "memory.disableOOMKiller: cgroup v2 has no such limit" },
        { V1, "/b", { .cpu = { .shares = I(1) } }, -EINVAL, "minimum allowed cpu-shares is 2" },
        { V1, "/b", { .cpu = { .shares = I(262145) } }, -EINVAL, "maximum allowed cpu-shares is 262144" },
        { V2, "/b", { .cpu = { .period = I(999) } }, -EINVAL, "999 is not in 1000..1000000" },
        { V1, "/b", { .cpu = { .period = I(1000001) } }, -EINVAL, "1000001 is not in" },
        { V2, "/b", { .cpu = { .quota = I(999) } }, -EINVAL, "cpu.quota: 999" },
        { V2, "/b", { .cpu = { .quota = I(-2) } }, -EINVAL, "cpu.quota: -2" },
        { V2, "/b", { .cpu = { .idle = I(2) } }, -EINVAL, "cpu.idle: 2" },
        { V2, "/b", { .cpu = { .rt_runtime = I(5) } }, -EOPNOTSUPP, "cpu.realtimeRuntime: cgroup v2" },
        { V2, "/b", { .cpu = { .rt_period = I(5) } }, -EOPNOTSUPP, "cpu.realtimePeriod: cgroup v2" },
        { BARE, "/b", { .memory = { .limit = I(1) } }, -EOPNOTSUPP,
          "linux.resources.memory.limit: no memory controller on this machine (no cgroup file system" },
        { BARE, "/b", { .cpu = { .cpus = "0" } }, -EOPNOTSUPP, "cpu.cpus: no cpuset controller" },
        { HYBRID, "/b", { .unified = &(struct key_value){ "memory.max", "1" }, .n_unified = 1 }, -EOPNOTSUPP,
          "unified.memory.max: invalid configuration: the memory controller of cgroup v2 is not available on this machine" },
        { V1, "/b", { .unified = &(struct key_value){ "memory.max", "1" }, .n_unified = 1 }, -EOPNOTSUPP,
          "cgroup v2 is not mounted" },
        { V2, "/b", { .unified = &(struct key_value){ "../memory.max", "1" }, .n_unified = 1 }, -EINVAL,
          "is not the name of a cgroup v2 file" },
        { V2, "/b", { .unified = &(struct key_value){ "memory", "1" }, .n_unified = 1 }, -EINVAL, "is not the name" },
        { V2, "/b", { .unified = &(struct key_value){ "foo.max", "1" }, .n_unified = 1 }, -EOPNOTSUPP,
          "the foo controller" },
        { BUSY, "box", { .memory = { .limit = I(1) } }, -EOPNOTSUPP, "our own cgroup \"/user.slice/x\" does not give" },
        { BUSY, "box", { .pids_limit = I(1) }, -EOPNOTSUPP, "set linux.cgroupsPath to an absolute path" },
        { BUSY, "box", { .unified = &(struct key_value){ "memory.max", "1" }, .n_unified = 1 }, -EOPNOTSUPP,
          "below our own cgroup" },
};

static void what_cannot_be_is_refused_by_name(void **state)
{
        (void) state;
        for (size_t i = 0; i < COUNT(bad); i++) {
                auto_str struct str text = STR_INIT;
                struct error err = ERROR_INIT;
                int r = translate(&bad[i].res, bad[i].machine, bad[i].path, &text, &err);
                if (r != bad[i].code || err.code != r || !strstr(err.text, bad[i].says))
                        fail_msg("case %zu: %d \"%s\", expected %d \"%s\"", i, r, err.text, bad[i].code, bad[i].says);
        }
}

static void limits_are_possible_again_at_an_absolute_path(void **state)
{
        (void) state;
        const struct resources res = { .memory = { .limit = I(1) } };
        auto_str struct str text = STR_INIT;
        assert_int_equal(translate(&res, BUSY, "/box", &text, NULL), 0);
        assert_int_equal(translate(&res, V2, "box", &text, NULL), 0);
}

static const struct device_rule nothing = { false, 'a', -1, -1, true, true, true };
static const struct device_rule everything = { true, 'a', -1, -1, true, true, true };

static int translate_rules(const struct device_rule *rules, size_t n, struct str *text, struct error *err)
{
        const struct resources res = { .devices = rules, .n_devices = n };
        return translate(&res, V1, "/box", text, err);
}

#define RULES(...) ((const struct device_rule[]){ __VA_ARGS__ })

static void v1_device_rules_become_exceptions(void **state)
{
        (void) state;
        static const struct {
                struct device_rule rules[6];
                size_t n;
                const char *expected;
        } cases[] = {
                { { { true, 'c', 1, 3, true, true, true } }, 1,
                  "devices:devices.deny=a; devices:devices.allow=c 1:3 rwm" },
                { { { false, 'a', -1, -1, false, false, false } }, 1, "devices:devices.deny=a" },
                /* what comes before an "a" is of no use */
                { { { true, 'c', 1, 3, true, true, true }, { true, 'a', -1, -1, true, true, true } }, 2,
                  "devices:devices.allow=a" },
                { { { true, 'a', -1, -1, true, true, true }, { false, 'b', 8, -1, false, true, true } }, 2,
                  "devices:devices.allow=a; devices:devices.deny=b 8:* wm" },
                { { { true, 'c', 1, 3, true, false, false }, { true, 'c', 1, 3, false, true, false } }, 2,
                  "devices:devices.deny=a; devices:devices.allow=c 1:3 rw" },
                { { { true, 'c', 1, 3, true, true, true }, { false, 'c', 1, 3, false, true, false } }, 2,
                  "devices:devices.deny=a; devices:devices.allow=c 1:3 rm" },
                { { { true, 'c', 1, 3, true, true, true }, { false, 'c', 1, 3, true, true, true } }, 2,
                  "devices:devices.deny=a" },
                /* a wider deny takes from the narrower exceptions, which the kernel would not do */
                { { { true, 'c', 1, 3, true, true, true }, { true, 'c', 5, 0, true, true, true },
                    { false, 'c', 1, -1, false, false, true } }, 3,
                  "devices:devices.deny=a; devices:devices.allow=c 1:3 rw; devices:devices.allow=c 5:0 rwm" },
                /* an "a" that is not for everything */
                { { { true, 'a', -1, -1, true, false, false } }, 1,
                  "devices:devices.deny=a; devices:devices.allow=c *:* r; devices:devices.allow=b *:* r" },
                { { { true, 'a', -1, -1, true, true, true }, { false, 'c', 1, 3, true, true, true },
                    { true, 'c', 1, 3, true, true, true } }, 3, "devices:devices.allow=a" },
        };
        for (size_t i = 0; i < COUNT(cases); i++) {
                auto_str struct str text = STR_INIT;
                struct error err = ERROR_INIT;
                assert_int_equal(translate_rules(cases[i].rules, cases[i].n, &text, &err), 0);
                if (strcmp(text.text, cases[i].expected) != 0)
                        fail_msg("case %zu: \"%s\", expected \"%s\"", i, text.text, cases[i].expected);
        }
}

static void v1_refuses_a_hole_in_a_wider_rule(void **state)
{
        (void) state;
        auto_str struct str text = STR_INIT;
        struct error err = ERROR_INIT;
        const struct device_rule allow_all_char = { true, 'c', -1, -1, true, true, true };
        const struct device_rule hole = { false, 'c', 1, 3, true, false, false };
        assert_int_equal(translate_rules(RULES(nothing, allow_all_char, hole), 3, &text, &err), -EINVAL);
        assert_non_null(strstr(err.text, "linux.resources.devices[2]"));
        /* crossing wildcards overlap without one covering the other */
        const struct device_rule major = { true, 'b', 8, -1, true, true, true };
        const struct device_rule minor = { false, 'b', -1, 1, true, true, true };
        assert_int_equal(translate_rules(RULES(major, minor), 2, &text, &err), -EINVAL);
        /* another type does not, and under "all allowed" it is the deny rules that are exceptions */
        const struct device_rule block = { false, 'b', 1, 3, true, false, false };
        assert_int_equal(translate_rules(RULES(allow_all_char, block), 2, &text, &err), 0);
        assert_int_equal(translate_rules(RULES(everything, hole), 2, &text, &err), 0);
        const struct device_rule wrong = { true, 'c', -2, 0, true, true, true };
        assert_int_equal(translate_rules(RULES(wrong), 1, &text, &err), -EINVAL);
        assert_non_null(strstr(err.text, "devices[0].major: -2"));
}

static void v2_has_no_device_files(void **state)
{
        (void) state;
        auto_str struct str text = STR_INIT;
        const struct resources res = { .devices = &nothing, .n_devices = 1 };
        assert_int_equal(translate(&res, V2, "/box", &text, NULL), 0);
        assert_int_equal(text.size, 0);
}

static void only_the_hierarchies_of_the_limits_are_needed(void **state)
{
        (void) state;
        const struct cgroup_host *host = machine(HYBRID);
        const struct resources none = { .memory = { .limit = { true, 0 } } };
        const struct resources memory = { .memory = { .limit = I(1) } };
        const struct resources mixed = { .cpu = { .cpus = "0", .shares = I(2) }, .pids_limit = I(1) };
        const struct resources devices = { .devices = &nothing, .n_devices = 1 };
        assert_int_equal(cgroup_needed(&none, host), 0);
        assert_int_equal(cgroup_needed(&memory, host), cgroup_set_of(host, "memory"));
        assert_int_equal(cgroup_needed(&mixed, host), cgroup_set_of(host, "cpuset,cpuacct,pids"));
        assert_int_equal(cgroup_needed(&devices, host), cgroup_set_of(host, "devices"));
        host = machine(V2);
        assert_int_equal(cgroup_needed(&mixed, host), 1);
        assert_int_equal(cgroup_needed(&devices, host), 1);
        assert_int_equal(cgroup_needed(&mixed, machine(BARE)), 0);
}

static void the_weight_of_all_shares_is_what_libm_says(void **state)
{
        (void) state;
        uint64_t last = 1;
        for (uint64_t shares = 3; shares < 262144; shares++) {
                double l = log2((double) shares);
                double exact = pow(10, (l * l + 125 * l) / 612.0 - 7.0 / 34.0);
                uint64_t weight = weight_of_shares(shares);
                if (fabs(exact - round(exact)) > 1e-8 && weight != (uint64_t) ceil(exact))
                        fail_msg("%lu shares: %lu, libm says %.12f", shares, weight, exact);
                assert_true(weight >= last && weight <= 10000);
                last = weight;
        }
        assert_int_equal(weight_of_shares(1024), 100);
        assert_int_equal(weight_of_shares(512), 59);
        assert_int_equal(weight_of_shares(2048), 174);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_limit_becomes_the_right_files),
                cmocka_unit_test(what_cannot_be_is_refused_by_name),
                cmocka_unit_test(limits_are_possible_again_at_an_absolute_path),
                cmocka_unit_test(v1_device_rules_become_exceptions),
                cmocka_unit_test(v1_refuses_a_hole_in_a_wider_rule),
                cmocka_unit_test(v2_has_no_device_files),
                cmocka_unit_test(only_the_hierarchies_of_the_limits_are_needed),
                cmocka_unit_test(the_weight_of_all_shares_is_what_libm_says),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

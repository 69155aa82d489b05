#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/io.h"
#include "cli/command.h"
#include "cli/quantity.h"
#include "runtime/update.h"
#include "spec/read.h"

#define TEXT_MAX (16u << 20)

enum limit {
        MEMORY, MEMORY_RESERVATION, MEMORY_SWAP, CPU_PERIOD, CPU_QUOTA, CPU_BURST, CPU_SHARE, CPU_RT_PERIOD,
        CPU_RT_RUNTIME, CPU_IDLE, CPUSET_CPUS, CPUSET_MEMS, PIDS_LIMIT, BLKIO_WEIGHT, LIMITS
};

struct update_args {
        const char *resources, *kernel_memory, *kernel_memory_tcp, *l3, *memory_bandwidth;
        const char *text[LIMITS];
};

enum kind { BYTES, NUMBER, COUNTER, WEIGHT, FLAG, LIST, PIDS };

#define TO(member) offsetof(struct resources, member)
/* 0 is "not given" except where it means something: burst, idle, pids. */
static const struct row {
        const char *name;
        enum kind kind;
        bool zero;
        size_t offset;
} rows[LIMITS] = {
        [MEMORY] = { "memory", BYTES, false, TO(memory.limit) },
        [MEMORY_RESERVATION] = { "memory-reservation", BYTES, false, TO(memory.reservation) },
        [MEMORY_SWAP] = { "memory-swap", BYTES, false, TO(memory.swap) },
        [CPU_PERIOD] = { "cpu-period", COUNTER, false, TO(cpu.period) },
        [CPU_QUOTA] = { "cpu-quota", NUMBER, false, TO(cpu.quota) },
        [CPU_BURST] = { "cpu-burst", COUNTER, true, TO(cpu.burst) },
        [CPU_SHARE] = { "cpu-share", COUNTER, false, TO(cpu.shares) },
        [CPU_RT_PERIOD] = { "cpu-rt-period", COUNTER, false, TO(cpu.rt_period) },
        [CPU_RT_RUNTIME] = { "cpu-rt-runtime", NUMBER, false, TO(cpu.rt_runtime) },
        [CPU_IDLE] = { "cpu-idle", FLAG, true, TO(cpu.idle) },
        [CPUSET_CPUS] = { "cpuset-cpus", LIST, false, TO(cpu.cpus) },
        [CPUSET_MEMS] = { "cpuset-mems", LIST, false, TO(cpu.mems) },
        [PIDS_LIMIT] = { "pids-limit", PIDS, true, TO(pids_limit) },
        [BLKIO_WEIGHT] = { "blkio-weight", WEIGHT, false, TO(block_io.weight) },
};

static int bad(const struct row *row, const char *text, const char *wanted, struct error *err)
{
        return error_say(err, -EINVAL, "invalid value for %s: \"%s\": expected %s", row->name, text, wanted);
}

static int parse_signed(const struct row *row, const char *text, struct opt_i64 *to, struct error *err)
{
        int64_t value = 0;
        int r = row->kind == BYTES ? quantity_bytes(text, &value) : parse_i64(text, &value);
        if (r < 0 && row->kind == BYTES)
                return bad(row, text, "a number of bytes, such as 1048576, 50M or 1.5g, or -1", err);
        if (r < 0)
                return bad(row, text, "a number", err);
        if (row->kind == FLAG && value != 0 && value != 1)
                return bad(row, text, "0 or 1", err);
        if (row->kind == PIDS && value < 0)
                value = -1;
        if (row->kind == NUMBER && value < -1)
                return bad(row, text, "a number of microseconds, or -1", err);
        if (value != 0 || row->zero)
                *to = (struct opt_i64){ true, value };
        return 0;
}

static int parse_limit(const struct row *row, const char *text, struct resources *to, struct error *err)
{
        void *at = (char *) to + row->offset;
        uint64_t value = 0;
        if (row->kind == LIST) {
                if (text[strspn(text, "0123456789-,:/ ")])
                        return bad(row, text, "a list such as 0-3,7", err);
                *(const char **) at = text;
                return 0;
        }
        if (row->kind != COUNTER && row->kind != WEIGHT)
                return parse_signed(row, text, at, err);
        if (parse_u64(text, &value) < 0 || value > INT64_MAX)
                return bad(row, text, "a number", err);
        if (row->kind == WEIGHT && value != 0 && (value < 10 || value > 1000))
                return bad(row, text, "a weight from 10 to 1000", err);
        if (value != 0 || row->zero)
                *(struct opt_u64 *) at = (struct opt_u64){ true, value };
        return 0;
}

static int read_file(const char *path, struct spec **ret, struct error *err)
{
        auto_free char *text = NULL;
        size_t size = 0;
        bool input = strcmp(path, "-") == 0;
        int r = input ? io_read_fd(0, TEXT_MAX, &text, &size) : io_read_file(AT_FDCWD, path, TEXT_MAX, &text, &size);
        if (r < 0 || !text)
                return error_set(err, r, "read \"%s\"", input ? "standard input" : path);
        return spec_read_resources(text, size, input ? "standard input" : path, ret, err);
}

static void warn_ignored(const struct call *call, const char *name, const char *given)
{
        struct error warning = ERROR_INIT;
        if (!given || !*given)
                return;
        (void) error_say(&warning, -EOPNOTSUPP, "--%s is ignored: the kernel has no such limit any more", name);
        command_warn(call, &warning);
}

static const char *given_or_null(const char *text)
{
        return text && *text ? text : NULL;
}

static int check_schemata(const struct update_wish *wish, struct error *err)
{
        if (wish->l3 && !strchr(wish->l3, ':'))
                return error_say(err, -EINVAL, "invalid value for l3-cache-schema: \"%s\": expected a line such as "
                                 "\"L3:0=ff;1=ff\"", wish->l3);
        if (wish->memory && (strncmp(wish->memory, "MB:", 3) != 0 || strchr(wish->memory, '\n')))
                return error_say(err, -EINVAL, "invalid value for mem-bw-schema: \"%s\": expected a line such as "
                                 "\"MB:0=50;1=70\"", wish->memory);
        return 0;
}

static int read_options(const struct call *call, struct resources *given, struct error *err)
{
        const struct update_args *a = call->args;
        int r = 0;
        for (int i = 0; r == 0 && i < LIMITS; i++)
                if (a->text[i] && *a->text[i])
                        r = parse_limit(&rows[i], a->text[i], given, err);
        if (r < 0)
                return r;
        warn_ignored(call, "kernel-memory", a->kernel_memory);
        warn_ignored(call, "kernel-memory-tcp", a->kernel_memory_tcp);
        return 0;
}

static int run(const struct call *call, struct error *err)
{
        const struct update_args *a = call->args;
        auto_spec struct spec *file = NULL;
        struct resources given = { 0 };
        struct update_wish wish = { .given = &given, .l3 = given_or_null(a->l3), .memory = given_or_null(a->memory_bandwidth) };
        struct error warning = ERROR_INIT;
        auto_fd int root = -1;
        int r = command_root(call, false, &root, err);
        if (r == 0)
                r = check_schemata(&wish, err);
        if (r == 0)
                r = a->resources && *a->resources ? read_file(a->resources, &file, err) : read_options(call, &given, err);
        if (r < 0)
                return r;
        if (file)
                wish.given = &file->resources;
        r = update_limits(root, call->pos.list[0], &wish, &warning, err);
        command_warn(call, &warning);
        return r;
}

#define AT(limit) offsetof(struct update_args, text[limit])
static const struct option options[] = {
        { "resources", 'r', OPTION_TEXT, offsetof(struct update_args, resources),
          "file with a resources object of config.json, - for standard input; all other limits are ignored" },
        { "memory", 0, OPTION_TEXT, AT(MEMORY), "memory in bytes, or with a unit (50M, 1g); -1: unlimited" },
        { "memory-reservation", 0, OPTION_TEXT, AT(MEMORY_RESERVATION), "memory that is protected, or a soft limit" },
        { "memory-swap", 0, OPTION_TEXT, AT(MEMORY_SWAP), "memory and swap together; -1: unlimited swap" },
        { "cpu-period", 0, OPTION_TEXT, AT(CPU_PERIOD), "period of the CPU quota in microseconds" },
        { "cpu-quota", 0, OPTION_TEXT, AT(CPU_QUOTA), "CPU time in a period in microseconds; -1: unlimited" },
        { "cpu-burst", 0, OPTION_TEXT, AT(CPU_BURST), "quota that may be saved up, in microseconds" },
        { "cpu-share", 0, OPTION_TEXT, AT(CPU_SHARE), "weight against other cgroups, 2 to 262144" },
        { "cpu-rt-period", 0, OPTION_TEXT, AT(CPU_RT_PERIOD), "period of the realtime budget in microseconds" },
        { "cpu-rt-runtime", 0, OPTION_TEXT, AT(CPU_RT_RUNTIME), "realtime in a period in microseconds" },
        { "cpu-idle", 0, OPTION_TEXT, AT(CPU_IDLE), "1: run only when nothing else does (SCHED_IDLE); 0: normally" },
        { "cpuset-cpus", 0, OPTION_TEXT, AT(CPUSET_CPUS), "CPUs to use: 0-3,7" },
        { "cpuset-mems", 0, OPTION_TEXT, AT(CPUSET_MEMS), "memory nodes to use" },
        { "pids-limit", 0, OPTION_TEXT, AT(PIDS_LIMIT), "number of processes; -1: unlimited" },
        { "blkio-weight", 0, OPTION_TEXT, AT(BLKIO_WEIGHT), "weight of block I/O, 10 to 1000" },
        { "kernel-memory", 0, OPTION_TEXT, offsetof(struct update_args, kernel_memory), "ignored" },
        { "kernel-memory-tcp", 0, OPTION_TEXT, offsetof(struct update_args, kernel_memory_tcp), "ignored" },
        { "l3-cache-schema", 0, OPTION_TEXT, offsetof(struct update_args, l3),
          "share of the caches (resctrl): L3:0=ff;1=ff" },
        { "mem-bw-schema", 0, OPTION_TEXT, offsetof(struct update_args, memory_bandwidth),
          "share of the memory's bandwidth (resctrl): MB:0=50;1=70" },
};

const struct command cmd_update = {
        .name = "update", .arguments = "<container-id>", .summary = "change the limits of a container",
        .options = { options, COUNT(options), false }, .args_size = sizeof(struct update_args),
        .min = 1, .max = 1, .failed = 1, .run = run,
        .text = "What is not given stays as it is.\n",
};

#include "spec/sections.h"

#include <string.h>

#include <json-c/json_object.h>

#include "spec/spec.h"

#define RULES_MAX 65536

/*
 * 0 means "not given" in most of these numbers, as in runc: higher tools write
 * it into fields that nobody set. It is a value where runc takes it for one
 * (burst, idle, pids, swappiness).
 */
static int read_positive(const struct where *at, struct json_object *v, void *out)
{
        uint64_t n = 0;
        int r = read_natural(at, v, INT64_MAX, &n);
        if (r == 0 && n > 0)
                *(struct opt_u64 *) out = (struct opt_u64){ true, n };
        return r;
}

static int read_unsigned(const struct where *at, struct json_object *v, void *out)
{
        uint64_t n = 0;
        int r = read_natural(at, v, INT64_MAX, &n);
        if (r == 0)
                *(struct opt_u64 *) out = (struct opt_u64){ true, n };
        return r;
}

/* -1 is unlimited. */
static int read_limit(const struct where *at, struct json_object *v, void *out)
{
        int64_t n = 0;
        int r = read_number(at, v, -1, INT64_MAX, &n);
        if (r == 0 && n != 0)
                *(struct opt_i64 *) out = (struct opt_i64){ true, n };
        return r;
}

static int read_pids_limit(const struct where *at, struct json_object *v, void *out)
{
        int64_t n = 0;
        int r = read_number(at, v, INT64_MIN, INT64_MAX, &n);
        if (r == 0)
                *(struct opt_i64 *) out = (struct opt_i64){ true, n < 0 ? -1 : n };
        return r;
}

static int read_idle(const struct where *at, struct json_object *v, void *out)
{
        int64_t n = 0;
        int r = read_number(at, v, 0, 1, &n);
        if (r == 0)
                *(struct opt_i64 *) out = (struct opt_i64){ true, n };
        return r;
}

/* UINT64_MAX is the -1 of tools that do not know that the number is unsigned: not given. */
static int read_swappiness(const struct where *at, struct json_object *v, void *out)
{
        if (json_object_get_int64(v) == -1 || json_object_get_uint64(v) == UINT64_MAX)
                return 0;
        uint64_t n = 0;
        int r = read_natural(at, v, 100, &n);
        if (r == 0)
                *(struct opt_u64 *) out = (struct opt_u64){ true, n };
        return r;
}

static int read_oom_killer(const struct where *at, struct json_object *v, void *out)
{
        struct resources_memory *m = out;
        m->has_disable_oom_killer = true;
        return read_bool(at, v, &m->disable_oom_killer);
}

static int read_kernel_memory(const struct where *at, struct json_object *v, void *out)
{
        (void) at;
        bool *ignored = out;
        *ignored = *ignored || json_object_get_int64(v) > 0;
        return 0;
}

static int read_memory(const struct where *at, struct json_object *v, void *out)
{
        static const struct field memory_fields[] = {
                { "limit", WANT_NUMBER, OPTIONAL, read_limit, offsetof(struct resources_memory, limit) },
                { "reservation", WANT_NUMBER, OPTIONAL, read_limit, offsetof(struct resources_memory, reservation) },
                { "swap", WANT_NUMBER, OPTIONAL, read_limit, offsetof(struct resources_memory, swap) },
                { "swappiness", WANT_NUMBER, OPTIONAL, read_swappiness, offsetof(struct resources_memory, swappiness) },
                { "disableOOMKiller", WANT_BOOL, OPTIONAL, read_oom_killer, 0 },
                { "checkBeforeUpdate", WANT_BOOL, OPTIONAL, read_bool,
                  offsetof(struct resources_memory, check_before_update) },
                /* Gone from the kernel (5.4, 5.11 and 6.1); runc ignores them. */
                { "kernel", WANT_NUMBER, OPTIONAL, read_kernel_memory, offsetof(struct resources_memory, kernel_ignored) },
                { "kernelTCP", WANT_NUMBER, OPTIONAL, read_kernel_memory, offsetof(struct resources_memory, kernel_ignored) },
                { "useHierarchy", WANT_BOOL, OPTIONAL, read_unused, 0 },
        };
        return read_fields(at, v, memory_fields, COUNT(memory_fields), out);
}

/* "0-3,7", also "0-31:2/4" (every second of four). The kernel knows which exist. */
static int read_cpu_list(const struct where *at, struct json_object *v, void *out)
{
        const char *s = json_object_get_string(v);
        if (s[strspn(s, "0123456789-,:/ ")])
                return where_fail(at, "expected a list such as \"0-3,7\", found %s", quoted(s).text);
        return read_given(at, v, out);
}

static int read_cpu(const struct where *at, struct json_object *v, void *out)
{
        static const struct field cpu_fields[] = {
                { "shares", WANT_NUMBER, OPTIONAL, read_positive, offsetof(struct resources_cpu, shares) },
                { "quota", WANT_NUMBER, OPTIONAL, read_limit, offsetof(struct resources_cpu, quota) },
                { "burst", WANT_NUMBER, OPTIONAL, read_unsigned, offsetof(struct resources_cpu, burst) },
                { "period", WANT_NUMBER, OPTIONAL, read_positive, offsetof(struct resources_cpu, period) },
                { "realtimeRuntime", WANT_NUMBER, OPTIONAL, read_limit, offsetof(struct resources_cpu, rt_runtime) },
                { "realtimePeriod", WANT_NUMBER, OPTIONAL, read_positive, offsetof(struct resources_cpu, rt_period) },
                { "idle", WANT_NUMBER, OPTIONAL, read_idle, offsetof(struct resources_cpu, idle) },
                { "cpus", WANT_STRING, OPTIONAL, read_cpu_list, offsetof(struct resources_cpu, cpus) },
                { "mems", WANT_STRING, OPTIONAL, read_cpu_list, offsetof(struct resources_cpu, mems) },
        };
        return read_fields(at, v, cpu_fields, COUNT(cpu_fields), out);
}

static int read_pids(const struct where *at, struct json_object *v, void *out)
{
        static const struct field pids_fields[] = {
                { "limit", WANT_NUMBER, OPTIONAL, read_pids_limit, 0 },
        };
        return read_fields(at, v, pids_fields, COUNT(pids_fields), out);
}

/* ---- devices ---- */

static int read_rule_type(const struct where *at, struct json_object *v, void *out)
{
        const char *s = json_object_get_string(v);
        if (*s == '\0')
                return 0;
        if (strlen(s) != 1 || !strchr("abc", *s))
                return where_fail(at, "unknown device type %s (one of a, b, c)", quoted(s).text);
        *(char *) out = *s;
        return 0;
}

static int read_rule_number(const struct where *at, struct json_object *v, void *out)
{
        return read_number(at, v, -1, UINT32_MAX, out);
}

static int read_access(const struct where *at, struct json_object *v, void *out)
{
        struct device_rule *rule = out;
        const char *s = json_object_get_string(v);
        /* "a" for all is what the kernel's v1 file knows as a type; as a letter of access it adds nothing (runc). */
        if (*s == '\0' || s[strspn(s, "rwma")])
                return where_fail(at, "expected some of the letters r, w, m, found %s", quoted(s).text);
        rule->read = strchr(s, 'r');
        rule->write = strchr(s, 'w');
        rule->mknod = strchr(s, 'm');
        return 0;
}

static int read_rule(const struct where *at, struct json_object *v, void *out)
{
        static const struct field rule_fields[] = {
                { "allow", WANT_BOOL, REQUIRED, read_bool, offsetof(struct device_rule, allow) },
                { "type", WANT_STRING, OPTIONAL, read_rule_type, offsetof(struct device_rule, type) },
                { "major", WANT_NUMBER, OPTIONAL, read_rule_number, offsetof(struct device_rule, major) },
                { "minor", WANT_NUMBER, OPTIONAL, read_rule_number, offsetof(struct device_rule, minor) },
                { "access", WANT_STRING, REQUIRED, read_access, 0 },
        };
        struct device_rule *rule = out;
        *rule = (struct device_rule){ .type = 'a', .major = -1, .minor = -1 };
        return read_fields(at, v, rule_fields, COUNT(rule_fields), rule);
}

static int read_rules(const struct where *at, struct json_object *v, void *out)
{
        static const struct element rule = { WANT_OBJECT, sizeof(struct device_rule), read_rule, RULES_MAX };
        struct resources *res = out;
        struct list list = { 0 };
        int r = read_list(at, v, &rule, &list);
        if (r < 0)
                return r;
        res->devices = list.items;
        res->n_devices = list.n;
        return 0;
}

/* ---- unified ---- */

/* A file of the container's own cgroup: CONTROLLER.PARAMETER, never a path. */
static int check_unified(const struct where *at, const char *key)
{
        const char *dot = strchr(key, '.');
        if (strchr(key, '/') || !dot || dot == key || dot[1] == '\0' || strlen(key) > 255)
                return where_fail(at, "expected a file of the cgroup such as \"memory.high\"");
        return 0;
}

static int read_unified(const struct where *at, struct json_object *v, void *out)
{
        struct resources *res = out;
        struct list list = { 0 };
        int r = read_map(at, v, check_unified, &list);
        if (r < 0)
                return r;
        res->unified = list.items;
        res->n_unified = list.n;
        return 0;
}

int read_resources(const struct where *at, struct json_object *v, void *out)
{
        static const struct field resource_fields[] = {
                { "memory", WANT_OBJECT, OPTIONAL, read_memory, offsetof(struct resources, memory) },
                { "cpu", WANT_OBJECT, OPTIONAL, read_cpu, offsetof(struct resources, cpu) },
                { "pids", WANT_OBJECT, OPTIONAL, read_pids, offsetof(struct resources, pids_limit) },
                { "devices", WANT_ARRAY, OPTIONAL, read_rules, 0 },
                { "unified", WANT_OBJECT, OPTIONAL, read_unified, 0 },
                { "blockIO", WANT_OBJECT, OPTIONAL, read_block_io, 0 },
                { "hugepageLimits", WANT_ARRAY, OPTIONAL, read_huge_pages, 0 },
                { "network", WANT_OBJECT, OPTIONAL, read_network, 0 },
                { "rdma", WANT_OBJECT, OPTIONAL, read_rdma, 0 },
        };
        struct spec *spec = out;
        return read_fields(at, v, resource_fields, COUNT(resource_fields), &spec->resources);
}

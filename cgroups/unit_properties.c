#include "cgroups/unit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cgroups/translate_part.h"
#include "cgroups/unit_part.h"
#include "cgroups/variant.h"
#include "cgroups/weight.h"

#define AT "linux.resources."
#define CPUSET_MAX 8192                 /* CPUs and nodes that a list may name */
#define PERIOD_DEFAULT 100000u          /* us */

int unit_add(struct unit_properties *to, struct arena *arena, const char *fmt, ...)
{
        auto_str struct str s = STR_INIT;
        char buf[512];
        va_list ap;
        va_start(ap, fmt);
        int n = vsnprintf(buf, sizeof(buf), fmt, ap);
        va_end(ap);
        if (n >= 0 && (size_t) n < sizeof(buf)) {
                str_add(&s, buf);
        } else {
                char *large = arena_alloc(arena, (size_t) n + 1, 1);
                va_start(ap, fmt);
                if (large)
                        (void) vsnprintf(large, (size_t) n + 1, fmt, ap);
                va_end(ap);
                str_add(&s, large ? large : "");
        }
        if (to->n + 1 >= to->room) {
                size_t more = to->room ? to->room : 32;
                to->list = arena_grow(arena, to->list, to->n, to->room - to->n + more, sizeof(*to->list));
                to->room += more;
        }
        const char *copy = str_failed(&s) || !*s.text ? NULL : arena_strdup(arena, s.text);
        if (!copy || !to->list)
                return -ENOMEM;
        to->list[to->n++] = copy;
        return 0;
}

/* ---- of any unit ---- */

static const char *unified_value(const struct resources *res, const char *key)
{
        for (size_t i = 0; i < res->n_unified; i++)
                if (strcmp(res->unified[i].key, key) == 0)
                        return res->unified[i].value;
        return NULL;
}

int unit_describe(const struct unit *unit, const char *id, const struct resources *res, struct arena *arena,
                  struct unit_properties *to)
{
        const char *text = arena_printf(arena, "container %s", id), *group = unified_value(res, "memory.oom.group");
        const char *quoted = text ? variant_quote(text, arena) : NULL, *slice = variant_quote(unit->slice, arena);
        if (!quoted || !slice)
                return -ENOMEM;
        int r = unit_add(to, arena, "Description=%s", quoted);
        if (r == 0 && unit_is_slice(unit->name))
                r = unit_add(to, arena, "Wants=[%s]", slice);
        else if (r == 0)
                r = unit_add(to, arena, "Slice=%s", slice);
        /* The groups below are the container's own affair. */
        if (r == 0 && !unit_is_slice(unit->name))
                r = unit_add(to, arena, "Delegate=true");
        if (r == 0)
                r = unit_add(to, arena, "DefaultDependencies=false");
        static const char *const counted[] = { "CPU", "Memory", "IO", "Tasks" };
        for (size_t i = 0; r == 0 && i < sizeof(counted) / sizeof(*counted); i++)
                r = unit_add(to, arena, "%sAccounting=true", counted[i]);
        /* Cannot be changed later, and systemd would write its own into the file. */
        if (r == 0 && group && (strcmp(group, "0") == 0 || strcmp(group, "1") == 0))
                r = unit_add(to, arena, "OOMPolicy@253='%s'", *group == '1' ? "kill" : "continue");
        return r;
}

/* ---- limits ---- */

static int add_size(struct limits *l, const char *name, int64_t value)
{
        return unit_add(l->to, l->arena, "%s=uint64 %" PRIu64, name, value < 0 ? UINT64_MAX : (uint64_t) value);
}

static int add_memory(struct limits *l, const struct resources_memory *m)
{
        int64_t swap = 0;
        int r = 0;
        if (m->limit.has && m->limit.value != 0)
                r = add_size(l, l->v2 ? "MemoryMax" : "MemoryLimit", m->limit.value);
        if (r == 0 && l->v2 && m->reservation.has && m->reservation.value != 0)
                r = add_size(l, "MemoryLow", m->reservation.value);
        if (r == 0 && l->v2 && translate_swap(m, &swap))
                r = add_size(l, "MemorySwapMax", swap);
        return r;
}

/* Microseconds of CPU per second, in whole percent. */
static uint64_t per_second(int64_t quota, uint64_t period)
{
        uint64_t us = (uint64_t) quota * 1000000u / (period ? period : PERIOD_DEFAULT);
        return (us + 9999) / 10000 * 10000;
}

static void round_quota(struct resources_cpu *cpu)
{
        uint64_t period = cpu->period.has && cpu->period.value ? cpu->period.value : PERIOD_DEFAULT;
        if (cpu->quota.has && cpu->quota.value > 0 && cpu->quota.value < INT64_MAX / 1000000)
                cpu->quota.value = (int64_t) (per_second(cpu->quota.value, period) * period / 1000000);
}

static bool unified_idle(const struct resources *res)
{
        const char *idle = unified_value(res, "cpu.idle");
        return idle && strcmp(idle, "1") == 0;
}

/* runc's words, and its tests look for them. */
static void warn_of_weight(struct error *warning)
{
        (void) error_say(warning, -EBUSY, "unable to apply both CPUWeight and CpuIdle to systemd, ignoring CPUWeight");
}

int unit_adjust(struct resources *res, struct arena *arena, struct error *warning)
{
        round_quota(&res->cpu);
        if (res->cpu.idle.has && res->cpu.idle.value == 1) {
                if (res->cpu.shares.has && res->cpu.shares.value)
                        warn_of_weight(warning);
                res->cpu.shares.has = false;
        }
        if (!unified_idle(res))
                return 0;
        struct key_value *list = arena_alloc(arena, res->n_unified, sizeof(*list));
        size_t n = 0;
        for (size_t i = 0; list && i < res->n_unified; i++)
                if (strcmp(res->unified[i].key, "cpu.weight") != 0)
                        list[n++] = res->unified[i];
                else
                        warn_of_weight(warning);
        res->unified = list;
        res->n_unified = n;
        return list ? 0 : -ENOMEM;
}

static int add_quota(struct limits *l, int64_t quota, uint64_t period)
{
        int r = period ? unit_add(l->to, l->arena, "CPUQuotaPeriodUSec=uint64 %" PRIu64, period) : 0;
        if (r < 0 || (quota == 0 && period == 0))
                return r;
        bool limited = quota > 0 && quota < INT64_MAX / 1000000;
        return unit_add(l->to, l->arena, "CPUQuotaPerSecUSec=uint64 %" PRIu64,
                        limited ? per_second(quota, period) : UINT64_MAX);
}

/* A weight of 0 means idle, since systemd 252; it has no way to say "not idle any more" but another weight. */
static int add_cpu(struct limits *l, const struct resources_cpu *c)
{
        int r = 0;
        bool idle = l->v2 && c->idle.has && c->idle.value == 1;
        if (idle)
                r = unit_add(l->to, l->arena, "CPUWeight@252=uint64 0");
        else if (c->shares.has && c->shares.value && l->v2)
                r = unit_add(l->to, l->arena, "CPUWeight=uint64 %" PRIu64, weight_of_shares(c->shares.value));
        else if (c->shares.has && c->shares.value)
                r = unit_add(l->to, l->arena, "CPUShares=uint64 %" PRIu64, c->shares.value);
        return r < 0 ? r : add_quota(l, c->quota.has ? c->quota.value : 0, c->period.has ? c->period.value : 0);
}

/* "0-3,7" as the bytes of a mask, CPU 0 in the lowest bit of the first. */
static int add_list(struct limits *l, const char *key, const char *name, const char *list)
{
        auto_str struct str s = STR_INIT;
        uint8_t mask[CPUSET_MAX / 8] = { 0 };
        size_t used = 0;
        for (const char *at = list; *at;) {
                uint64_t from = 0, to = 0;
                const char *end = number_at(at + strspn(at, ", \n"), &from);
                to = from;
                if (end && *end == '-')
                        end = number_at(end + 1, &to);
                if (!end || to < from || to >= CPUSET_MAX || (*end && !strchr(", \n", *end)))
                        return error_say(l->err, -EINVAL, AT "%s: \"%s\" is not a list such as 0-3,7", key, list);
                for (uint64_t i = from; i <= to; i++)
                        mask[i / 8] |= (uint8_t) (1u << i % 8);
                used = to / 8 + 1 > used ? to / 8 + 1 : used;
                at = end + strspn(end, ", \n");
        }
        for (size_t i = 0; i < used; i++)
                str_addf(&s, "%s%u", i ? ", " : "byte ", mask[i]);
        if (str_failed(&s))
                return -ENOMEM;
        return used ? unit_add(l->to, l->arena, "%s=[%s]", name, s.text) : 0;
}

/* 0 would be refused: the container's own process is in it anyway. */
static int add_tasks(struct limits *l, int64_t limit) { return add_size(l, "TasksMax", limit == 0 ? 1 : limit); }

static int add_io_weight(struct limits *l, const struct resources_block_io *b)
{
        if (!b->weight.has || b->weight.value == 0)
                return 0;
        if (!l->v2)
                return unit_add(l->to, l->arena, "BlockIOWeight=uint64 %" PRIu64, b->weight.value);
        uint64_t w = b->weight.value < 10 ? 10 : b->weight.value; /* 10..1000 become 1..10000, as io.weight has them */
        return unit_add(l->to, l->arena, "IOWeight=uint64 %" PRIu64, 1 + (w - 10) * 9999 / 990);
}

/* ---- unified: files of v2 by name ---- */

static const struct {
        const char *key, *property;
} sizes[] = {
        { "memory.high", "MemoryHigh" }, { "memory.low", "MemoryLow" },           { "memory.max", "MemoryMax" },
        { "memory.min", "MemoryMin" },   { "memory.swap.max", "MemorySwapMax" },  { "pids.max", "TasksMax" },
};

static int bad_value(struct limits *l, const struct key_value *kv, const char *wanted)
{
        return error_say(l->err, -EINVAL, AT "unified.%s: \"%s\": expected %s", kv->key, kv->value, wanted);
}

/* A number or "max", up to white space. NULL: neither. */
static const char *size_at(const char *at, uint64_t *ret)
{
        at += strspn(at, " \t\n");
        if (strncmp(at, "max", 3) == 0) {
                *ret = UINT64_MAX;
                at += 3;
        } else {
                at = number_at(at, ret);
        }
        return at && (!*at || strchr(" \t\n", *at)) ? at + strspn(at, " \t\n") : NULL;
}

static int unified_quota(struct limits *l, const struct key_value *kv)
{
        uint64_t quota = 0, period = PERIOD_DEFAULT;
        const char *end = size_at(kv->value, &quota);
        if (end && *end)
                end = number_at(end, &period);
        if (!end || end[strspn(end, " \t\n")] || period == 0 || (quota != UINT64_MAX && quota > INT64_MAX))
                return bad_value(l, kv, "a quota and a period in microseconds, such as \"max 100000\"");
        return add_quota(l, quota == UINT64_MAX ? 0 : (int64_t) quota, period);
}

static int add_unified(struct limits *l, const struct resources *res, const struct key_value *kv)
{
        uint64_t value = 0;
        bool is_idle = unified_idle(res);
        if (strcmp(kv->key, "cpu.max") == 0)
                return unified_quota(l, kv);
        if (strcmp(kv->key, "cpu.idle") == 0)
                return is_idle ? unit_add(l->to, l->arena, "CPUWeight@252=uint64 0") : 0;
        if (strcmp(kv->key, "cpuset.cpus") == 0)
                return add_list(l, "unified.cpuset.cpus", "AllowedCPUs", kv->value);
        if (strcmp(kv->key, "cpuset.mems") == 0)
                return add_list(l, "unified.cpuset.mems", "AllowedMemoryNodes", kv->value);
        const char *end = size_at(kv->value, &value);
        bool number = end && !*end;
        if (strcmp(kv->key, "cpu.weight") == 0) {
                if (!number || value == UINT64_MAX)
                        return bad_value(l, kv, "a number");
                return is_idle ? 0 : unit_add(l->to, l->arena, "CPUWeight=uint64 %" PRIu64, value);
        }
        for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
                if (strcmp(kv->key, sizes[i].key) != 0)
                        continue;
                if (!number)
                        return bad_value(l, kv, "a number or max");
                bool tasks = strcmp(kv->key, "pids.max") == 0;
                return unit_add(l->to, l->arena, "%s=uint64 %" PRIu64, sizes[i].property, tasks && !value ? 1 : value);
        }
        return 0;
}

int unit_limits(const struct resources *res, const struct cgroup_host *host, struct arena *arena,
                struct unit_properties *to, struct error *err)
{
        struct limits l = { .v2 = host->mode == CGROUP_V2, .arena = arena, .to = to, .err = err };
        const struct resources_cpu *c = &res->cpu;
        int r = unit_devices(&l, res->devices, res->n_devices);
        if (r == 0)
                r = add_memory(&l, &res->memory);
        if (r == 0)
                r = add_cpu(&l, c);
        if (r == 0 && c->cpus && *c->cpus)
                r = add_list(&l, "cpu.cpus", "AllowedCPUs", c->cpus);
        if (r == 0 && c->mems && *c->mems)
                r = add_list(&l, "cpu.mems", "AllowedMemoryNodes", c->mems);
        if (r == 0 && res->pids_limit.has)
                r = add_tasks(&l, res->pids_limit.value);
        if (r == 0)
                r = add_io_weight(&l, &res->block_io);
        for (size_t i = 0; r == 0 && i < res->n_unified; i++)
                if (res->unified[i].value)
                        r = add_unified(&l, res, &res->unified[i]);
        return r == -ENOMEM ? error_set(err, r, "translate the limits for systemd") : r;
}

/* ---- annotations ---- */

/* A value of any number type times a million. */
static int seconds(const struct variant *v, uint64_t *ret)
{
        double us = v->type == 'd' ? v->fraction * 1e6 : v->type == 't' ? (double) v->large * 1e6 : (double) v->number * 1e6;
        if (!strchr("ynqiuxtd", v->type) || us < 0 || us >= 1.8e19)
                return -EINVAL;
        *ret = (uint64_t) us;
        return 0;
}

int unit_property(const char *name, const char *value, struct arena *arena, struct unit_properties *to, struct error *err)
{
        struct variant v;
        size_t n = strlen(name);
        uint64_t us = 0;
        if (n < 3 || name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")])
                return error_say(err, -EINVAL, "\"%s\" is not the name of a property: three or more letters", name);
        int r = variant_parse(value, arena, &v, err);
        if (r < 0)
                return r;
        if (n > 3 && strcmp(name + n - 3, "Sec") == 0 && name[n - 4] >= 'a' && name[n - 4] <= 'z') {
                if (seconds(&v, &us) < 0)
                        return error_say(err, -EINVAL, "\"%s\" is not a number of seconds", value);
                r = unit_add(to, arena, "%.*sUSec=uint64 %" PRIu64, (int) (n - 3), name, us);
        } else {
                r = unit_add(to, arena, "%s=%s", name, value);
        }
        return r < 0 ? error_set(err, r, "remember a property") : 0;
}

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "runtime/jot.h"
#include "runtime/update.h"

/* ---- which numbers there are ---- */

struct number {
        const char *key;
        size_t offset;
};

#define MEMORY(member) offsetof(struct resources_memory, member)
#define CPU(member)    offsetof(struct resources_cpu, member)

static const struct number memory_signed[] = {
        { "limit", MEMORY(limit) }, { "reservation", MEMORY(reservation) }, { "swap", MEMORY(swap) },
};
static const struct number memory_unsigned[] = { { "swappiness", MEMORY(swappiness) } };
static const struct number cpu_signed[] = {
        { "quota", CPU(quota) }, { "realtimeRuntime", CPU(rt_runtime) }, { "idle", CPU(idle) },
};
static const struct number cpu_unsigned[] = {
        { "shares", CPU(shares) }, { "period", CPU(period) }, { "burst", CPU(burst) },
        { "realtimePeriod", CPU(rt_period) },
};
#define N(table) (sizeof(table) / sizeof(*(table)))

static struct opt_i64 *at_i64(void *base, const struct number *n) { return (void *) ((char *) base + n->offset); }
static struct opt_u64 *at_u64(void *base, const struct number *n) { return (void *) ((char *) base + n->offset); }

static const struct opt_i64 *get_i64(const void *base, const struct number *n)
{
        return (const void *) ((const char *) base + n->offset);
}

static const struct opt_u64 *get_u64(const void *base, const struct number *n)
{
        return (const void *) ((const char *) base + n->offset);
}

static void lay_over(void *base, const void *given, const struct number *i64, size_t n_i64, const struct number *u64,
                     size_t n_u64)
{
        for (size_t i = 0; i < n_i64; i++)
                if (get_i64(given, &i64[i])->has)
                        *at_i64(base, &i64[i]) = *get_i64(given, &i64[i]);
        for (size_t i = 0; i < n_u64; i++)
                if (get_u64(given, &u64[i])->has)
                        *at_u64(base, &u64[i]) = *get_u64(given, &u64[i]);
}

static bool any_given(const void *base, const struct number *i64, size_t n_i64, const struct number *u64, size_t n_u64)
{
        for (size_t i = 0; i < n_i64; i++)
                if (get_i64(base, &i64[i])->has)
                        return true;
        for (size_t i = 0; i < n_u64; i++)
                if (get_u64(base, &u64[i])->has)
                        return true;
        return false;
}

static bool any_block_io(const struct resources_block_io *b)
{
        for (int i = 0; i < BLOCK_RATES; i++)
                if (b->n_rates[i] > 0)
                        return true;
        return b->weight.has || b->n_weights > 0;
}

bool update_is_empty(const struct resources *r)
{
        return !any_given(&r->memory, memory_signed, N(memory_signed), memory_unsigned, N(memory_unsigned)) &&
               !any_given(&r->cpu, cpu_signed, N(cpu_signed), cpu_unsigned, N(cpu_unsigned)) &&
               !r->memory.has_disable_oom_killer && !r->cpu.cpus && !r->cpu.mems && !r->pids_limit.has &&
               r->n_huge_pages == 0 && !any_block_io(&r->block_io) && r->n_rdma == 0 && !r->network.class_id.has &&
               r->network.n_priorities == 0 && r->n_devices == 0 && r->n_unified == 0;
}

/* ---- merging ---- */

static bool same_rules(const struct resources *a, const struct resources *b)
{
        if (a->n_devices != b->n_devices)
                return false;
        for (size_t i = 0; i < a->n_devices; i++) {
                const struct device_rule *x = &a->devices[i], *y = &b->devices[i];
                if (x->allow != y->allow || x->type != y->type || x->major != y->major || x->minor != y->minor ||
                    x->read != y->read || x->write != y->write || x->mknod != y->mknod)
                        return false;
        }
        return true;
}

static int merge_unified(const struct resources *given, struct arena *arena, struct resources *keep)
{
        size_t n = keep->n_unified;
        if (given->n_unified == 0)
                return 0;
        struct key_value *list = arena_grow(arena, keep->unified, n, given->n_unified, sizeof(*list));
        if (!list)
                return -ENOMEM;
        for (size_t i = 0; i < given->n_unified; i++) {
                size_t at = 0;
                while (at < n && strcmp(list[at].key, given->unified[i].key) != 0)
                        at++;
                list[at] = given->unified[i];
                n += at == n;
        }
        keep->unified = list;
        keep->n_unified = n;
        return 0;
}

/* memory.swap is the sum of memory and swap, whatever the kernel limits. */
static void merge_swap(const struct resources_memory *given, const struct resources_memory *stored, bool v2,
                       struct resources_memory *keep)
{
        if (!given->limit.has || given->swap.has)
                return;
        if (given->limit.value == -1)
                keep->swap = given->limit;      /* as it is written: no limit for both */
        else if (v2 && stored->swap.value > 0 && stored->limit.value > 0)
                keep->swap.value = given->limit.value + (stored->swap.value - stored->limit.value);
}

int update_merge(const struct resources *given, const struct resources *stored, bool v2_memory, struct arena *arena,
                 struct update *ret)
{
        struct update u = { *given, *stored };
        struct resources_memory *m = &u.keep.memory;
        struct resources_cpu *c = &u.keep.cpu;
        lay_over(m, &given->memory, memory_signed, N(memory_signed), memory_unsigned, N(memory_unsigned));
        lay_over(c, &given->cpu, cpu_signed, N(cpu_signed), cpu_unsigned, N(cpu_unsigned));
        merge_swap(&given->memory, &stored->memory, v2_memory, m);
        if (given->memory.has_disable_oom_killer) {
                m->has_disable_oom_killer = true;
                m->disable_oom_killer = given->memory.disable_oom_killer;
        }
        m->check_before_update = given->memory.check_before_update || stored->memory.check_before_update;
        u.write.memory.check_before_update = m->check_before_update;
        if (given->cpu.cpus)
                c->cpus = given->cpu.cpus;
        if (given->cpu.mems)
                c->mems = given->cpu.mems;
        if (given->pids_limit.has)
                u.keep.pids_limit = given->pids_limit;

        if (given->cpu.period.has || given->cpu.quota.has) {
                u.write.cpu.period = c->period;
                u.write.cpu.quota = c->quota;
        }
        /* v2 limits swap alone: what is given is the sum, so the other part is needed. */
        if (v2_memory && given->memory.swap.has && given->memory.swap.value > 0)
                u.write.memory.limit = m->limit;

        /* The same rules again are no reason to touch what another program may have added since (GPUs). */
        if (given->n_devices > 0 && !same_rules(given, stored)) {
                u.keep.devices = given->devices;
                u.keep.n_devices = given->n_devices;
        } else {
                u.write.devices = NULL;
                u.write.n_devices = 0;
        }
        int r = merge_unified(given, arena, &u.keep);
        if (r == 0)
                *ret = u;
        return r;
}

/* ---- JSON ---- */

static void put_numbers(struct jot *j, const void *base, const struct number *i64, size_t n_i64,
                        const struct number *u64, size_t n_u64)
{
        for (size_t i = 0; i < n_i64; i++)
                if (get_i64(base, &i64[i])->has)
                        jot_number(j, i64[i].key, get_i64(base, &i64[i])->value);
        for (size_t i = 0; i < n_u64; i++)
                if (get_u64(base, &u64[i])->has)
                        jot_unsigned(j, u64[i].key, get_u64(base, &u64[i])->value);
}

static void put_rule(struct jot *j, const struct device_rule *rule)
{
        const char type[2] = { rule->type, '\0' };
        char access[4];
        (void) snprintf(access, sizeof(access), "%s%s%s", rule->read ? "r" : "", rule->write ? "w" : "",
                        rule->mknod ? "m" : ""); /* fits */
        jot_open(j, NULL, '{');
        jot_bool(j, "allow", rule->allow);
        jot_text(j, "type", type);
        jot_number(j, "major", rule->major);
        jot_number(j, "minor", rule->minor);
        jot_text(j, "access", access);
        jot_close(j, '}');
}

char *update_format(const struct resources *r)
{
        auto_jot struct jot j = JOT_INIT(1);
        jot_open(&j, NULL, '{');
        jot_open(&j, "memory", '{');
        put_numbers(&j, &r->memory, memory_signed, N(memory_signed), memory_unsigned, N(memory_unsigned));
        if (r->memory.has_disable_oom_killer)
                jot_bool(&j, "disableOOMKiller", r->memory.disable_oom_killer);
        jot_bool(&j, "checkBeforeUpdate", r->memory.check_before_update);
        jot_close(&j, '}');
        jot_open(&j, "cpu", '{');
        put_numbers(&j, &r->cpu, cpu_signed, N(cpu_signed), cpu_unsigned, N(cpu_unsigned));
        if (r->cpu.cpus)
                jot_text(&j, "cpus", r->cpu.cpus);
        if (r->cpu.mems)
                jot_text(&j, "mems", r->cpu.mems);
        jot_close(&j, '}');
        if (r->pids_limit.has) {
                jot_open(&j, "pids", '{');
                jot_number(&j, "limit", r->pids_limit.value);
                jot_close(&j, '}');
        }
        jot_open(&j, "devices", '[');
        for (size_t i = 0; i < r->n_devices; i++)
                put_rule(&j, &r->devices[i]);
        jot_close(&j, ']');
        jot_open(&j, "unified", '{');
        for (size_t i = 0; i < r->n_unified; i++)
                jot_text(&j, r->unified[i].key, r->unified[i].value);
        jot_close(&j, '}');
        jot_close(&j, '}');
        return jot_take(&j);
}

#include "cgroups/translate.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cgroups/files.h"
#include "cgroups/translate_part.h"
#include "cgroups/weight.h"

#define AT "linux.resources."

/* 0 is "not given" for sizes and times, as in runc: Go programs write it for an empty value. */
static bool given_i64(struct opt_i64 v) { return v.has && v.value != 0; }
static bool given_u64(struct opt_u64 v) { return v.has && v.value != 0; }
static bool given_list(const char *s)   { return s && *s; }

static enum cgroup_place place_of(const struct cgroup_host *host, const char *v2_controllers, const char *controller)
{
        const struct cgroup_hierarchy *h = cgroup_find(host, controller);
        if (!h)
                return PLACE_NONE;
        if (!h->v2)
                return PLACE_V1;
        return list_has(v2_controllers, ' ', controller, strlen(controller)) ? PLACE_V2 : PLACE_NONE;
}

int translate_require(struct translation *t, const char *key, const char *controller, enum cgroup_place *ret)
{
        *ret = place_of(t->host, t->v2_controllers, controller);
        if (*ret != PLACE_NONE)
                return 0;
        const struct cgroup_hierarchy *v2 = cgroup_find(t->host, "");
        if (t->below_own && v2 && list_has(t->host->v2_top, ' ', controller, strlen(controller)))
                return error_say(t->err, -EOPNOTSUPP,
                                 AT "%s: our own cgroup \"%s\" does not give its children the %s controller (it has "
                                 "processes itself, or was not given it): set linux.cgroupsPath to an absolute path, "
                                 "or start berth where %s is delegated",
                                 key, v2->own, controller, controller);
        return error_say(t->err, -EOPNOTSUPP, AT "%s: no %s controller on this machine (%s)", key, controller,
                         t->host->mode == CGROUP_NONE ? "no cgroup file system is mounted"
                         : v2 ? "neither as a v1 hierarchy nor in cgroup.controllers of v2"
                              : "no v1 hierarchy has it");
}

int translate_require_v1(struct translation *t, const char *key, const char *controller)
{
        enum cgroup_place place = PLACE_NONE;
        int r = translate_require(t, key, controller, &place);
        if (r < 0 || place == PLACE_V1)
                return r;
        return error_say(t->err, -EOPNOTSUPP, AT "%s: cgroup v2 has no such limit; remove it from the configuration",
                         key);
}

int writes_add(struct translation *t, const char *controller, const char *file, const char *fmt, ...)
{
        struct cgroup_writes *w = &t->writes;
        if (w->n == t->room) {
                size_t more = t->room ? t->room : 16;
                w->list = arena_grow(t->arena, w->list, w->n, more, sizeof(*w->list));
                t->room += more;
        }
        char text[256];
        va_list ap;
        va_start(ap, fmt);
        int n = vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        char *copy = n >= 0 && (size_t) n < sizeof(text) ? arena_strdup(t->arena, text) : NULL;
        if (!copy || !w->list)
                return error_set(t->err, -ENOMEM, "translate " AT "%s", file);
        w->list[w->n++] = (struct cgroup_write_item){ controller, file, copy };
        return 0;
}

/* A text of the configuration, as it is. */
static int writes_add_text(struct translation *t, const char *controller, const char *file, const char *text)
{
        const char *kept = arena_strdup(t->arena, text);
        int r = kept ? writes_add(t, controller, file, "%s", "") : -ENOMEM;
        if (r < 0)
                return kept ? r : error_set(t->err, r, "translate " AT "%s", file);
        t->writes.list[t->writes.n - 1].text = kept;
        return 0;
}

/* A size of v2: -1 is "max". */
static int add_size(struct translation *t, const char *file, int64_t value)
{
        if (value < 0)
                return writes_add(t, "", file, "max");
        return writes_add(t, "", file, "%" PRId64, value);
}

static int check_size(struct translation *t, const char *key, struct opt_i64 v)
{
        if (v.has && v.value < -1)
                return error_say(t->err, -EINVAL, AT "%s: %" PRId64 " is neither a number of bytes nor -1 (unlimited)",
                                 key, v.value);
        return 0;
}

static int check_memory(struct translation *t, const struct resources_memory *m)
{
        int r = check_size(t, "memory.limit", m->limit);
        if (r == 0)
                r = check_size(t, "memory.swap", m->swap);
        if (r == 0)
                r = check_size(t, "memory.reservation", m->reservation);
        if (r < 0)
                return r;
        if (given_i64(m->swap) && m->swap.value > 0 && given_i64(m->limit) && m->limit.value > m->swap.value)
                return error_say(t->err, -EINVAL,
                                 AT "memory.swap: %" PRId64 " is memory and swap together, so it must not be below "
                                 "memory.limit (%" PRId64 ")",
                                 m->swap.value, m->limit.value);
        /* (uint64_t) -1: what Go programs write for "leave it" */
        if (m->swappiness.has && m->swappiness.value > 100 && m->swappiness.value != UINT64_MAX)
                return error_say(t->err, -EINVAL, AT "memory.swappiness: %" PRIu64 " is not in 0..100",
                                 m->swappiness.value);
        return 0;
}

/* Unlimited memory and nothing said of swap means both, as on v1 always. */
static struct opt_i64 wanted_swap(const struct resources_memory *m)
{
        if (given_i64(m->swap))
                return m->swap;
        return (struct opt_i64){ m->limit.has && m->limit.value == -1, -1 };
}

static int memory_v1(struct translation *t, const struct resources_memory *m)
{
        struct opt_i64 swap = wanted_swap(m);
        int r = 0;
        /* limit <= memory+swap holds at any time: raising both begins with the second, all else with the first. */
        if (swap.has && swap.value == -1)
                r = writes_add(t, "memory", "memory.memsw.limit_in_bytes", "-1");
        if (r == 0 && given_i64(m->limit))
                r = writes_add(t, "memory", "memory.limit_in_bytes", "%" PRId64, m->limit.value);
        if (r == 0 && swap.has && swap.value != -1)
                r = writes_add(t, "memory", "memory.memsw.limit_in_bytes", "%" PRId64, swap.value);
        if (r == 0 && given_i64(m->reservation))
                r = writes_add(t, "memory", "memory.soft_limit_in_bytes", "%" PRId64, m->reservation.value);
        if (r == 0 && m->has_disable_oom_killer && m->disable_oom_killer)
                r = writes_add(t, "memory", "memory.oom_control", "1");
        if (r == 0 && m->swappiness.has && m->swappiness.value != UINT64_MAX)
                r = writes_add(t, "memory", "memory.swappiness", "%" PRIu64, m->swappiness.value);
        return r;
}

bool translate_swap(const struct resources_memory *m, int64_t *ret)
{
        struct opt_i64 swap = wanted_swap(m);
        if (!swap.has)
                return false;
        *ret = swap.value > 0 && m->limit.value > 0 ? swap.value - m->limit.value : swap.value;
        return true;
}

static int memory_v2(struct translation *t, const struct resources_memory *m)
{
        struct opt_i64 swap = wanted_swap(m);
        int64_t alone = 0;
        int r = 0;
        if (swap.has && swap.value > 0 && !given_i64(m->limit))
                return error_say(t->err, -EINVAL,
                                 AT "memory.swap: on cgroup v2 the swap alone is limited, which is memory.swap less "
                                 "memory.limit: set memory.limit too");
        if (translate_swap(m, &alone))
                r = add_size(t, "memory.swap.max", alone);
        if (r == 0 && given_i64(m->limit))
                r = add_size(t, "memory.max", m->limit.value);
        if (r == 0 && given_i64(m->reservation))
                r = add_size(t, "memory.low", m->reservation.value);
        return r;
}

static bool memory_given(const struct resources_memory *m)
{
        return given_i64(m->limit) || given_i64(m->swap) || given_i64(m->reservation) ||
               (m->has_disable_oom_killer && m->disable_oom_killer) ||
               (m->swappiness.has && m->swappiness.value != UINT64_MAX);
}

static int translate_memory(struct translation *t, const struct resources_memory *m)
{
        const char *key = given_i64(m->limit)         ? "memory.limit"
                          : given_i64(m->swap)        ? "memory.swap"
                          : given_i64(m->reservation) ? "memory.reservation"
                          : m->swappiness.has         ? "memory.swappiness"
                                                      : "memory.disableOOMKiller";
        if (!memory_given(m))
                return 0;
        enum cgroup_place place = PLACE_NONE;
        int r = check_memory(t, m);
        if (r == 0)
                r = translate_require(t, key, "memory", &place);
        if (r == 0 && m->swappiness.has && m->swappiness.value != UINT64_MAX)
                r = translate_require_v1(t, "memory.swappiness", "memory");
        if (r == 0 && m->has_disable_oom_killer && m->disable_oom_killer)
                r = translate_require_v1(t, "memory.disableOOMKiller", "memory");
        if (r < 0)
                return r;
        return place == PLACE_V1 ? memory_v1(t, m) : memory_v2(t, m);
}

static int check_cpu(struct translation *t, const struct resources_cpu *c)
{
        /* cpu_cfs_* of the kernel: a period of 1 ms to 1 s, a quota of at least 1 ms */
        if (given_u64(c->period) && (c->period.value < 1000 || c->period.value > 1000000))
                return error_say(t->err, -EINVAL, AT "cpu.period: %" PRIu64 " is not in 1000..1000000 microseconds",
                                 c->period.value);
        if (given_i64(c->quota) && c->quota.value < 1000 && c->quota.value != -1)
                return error_say(t->err, -EINVAL,
                                 AT "cpu.quota: %" PRId64 " is neither 1000 microseconds or more nor -1 (unlimited)",
                                 c->quota.value);
        if (c->idle.has && c->idle.value != 0 && c->idle.value != 1)
                return error_say(t->err, -EINVAL, AT "cpu.idle: %" PRId64 " is neither 0 nor 1", c->idle.value);
        return 0;
}

static int cpu_v1(struct translation *t, const struct resources_cpu *c)
{
        int r = 0;
        /* The kernel clamps these in silence; v2's weight has room for any value. */
        if (given_u64(c->shares) && c->shares.value < 2)
                return error_say(t->err, -EINVAL, AT "cpu.shares: the minimum allowed cpu-shares is 2");
        if (given_u64(c->shares) && c->shares.value > 262144)
                return error_say(t->err, -EINVAL, AT "cpu.shares: the maximum allowed cpu-shares is 262144");
        if (given_u64(c->shares))
                r = writes_add(t, "cpu", "cpu.shares", "%" PRIu64, c->shares.value);
        if (r == 0 && given_u64(c->period))
                r = writes_add(t, "cpu", "cpu.cfs_period_us", "%" PRIu64, c->period.value);
        if (r == 0 && given_i64(c->quota))
                r = writes_add(t, "cpu", "cpu.cfs_quota_us", "%" PRId64, c->quota.value);
        if (r == 0 && c->burst.has)
                r = writes_add(t, "cpu", "cpu.cfs_burst_us", "%" PRIu64, c->burst.value);
        if (r == 0 && c->idle.has)
                r = writes_add(t, "cpu", "cpu.idle", "%" PRId64, c->idle.value);
        if (r == 0 && given_u64(c->rt_period))
                r = writes_add(t, "cpu", "cpu.rt_period_us", "%" PRIu64, c->rt_period.value);
        if (r == 0 && given_i64(c->rt_runtime))
                r = writes_add(t, "cpu", "cpu.rt_runtime_us", "%" PRId64, c->rt_runtime.value);
        return r;
}

static int cpu_v2(struct translation *t, const struct resources_cpu *c)
{
        uint64_t period = given_u64(c->period) ? c->period.value : 100000;
        int r = 0;
        /* Weight before idle: an idle cgroup refuses a weight. */
        if (given_u64(c->shares))
                r = writes_add(t, "", "cpu.weight", "%" PRIu64, weight_of_shares(c->shares.value));
        if (r == 0 && c->idle.has)
                r = writes_add(t, "", "cpu.idle", "%" PRId64, c->idle.value);
        if (r == 0 && given_i64(c->quota) && c->quota.value > 0)
                r = writes_add(t, "", "cpu.max", "%" PRId64 " %" PRIu64, c->quota.value, period);
        else if (r == 0 && (given_i64(c->quota) || given_u64(c->period)))
                r = writes_add(t, "", "cpu.max", "max %" PRIu64, period);
        if (r == 0 && c->burst.has)
                r = writes_add(t, "", "cpu.max.burst", "%" PRIu64, c->burst.value);
        return r;
}

static bool cpu_given(const struct resources_cpu *c)
{
        return given_u64(c->shares) || given_u64(c->period) || given_i64(c->quota) || c->burst.has || c->idle.has ||
               given_u64(c->rt_period) || given_i64(c->rt_runtime);
}

static int translate_cpu(struct translation *t, const struct resources_cpu *c)
{
        const char *key = given_i64(c->quota)        ? "cpu.quota"
                          : given_u64(c->shares)     ? "cpu.shares"
                          : given_u64(c->period)     ? "cpu.period"
                          : c->burst.has             ? "cpu.burst"
                          : c->idle.has              ? "cpu.idle"
                          : given_u64(c->rt_period)  ? "cpu.realtimePeriod"
                                                     : "cpu.realtimeRuntime";
        if (!cpu_given(c))
                return 0;
        enum cgroup_place place = PLACE_NONE;
        int r = check_cpu(t, c);
        if (r == 0)
                r = translate_require(t, key, "cpu", &place);
        if (r == 0 && given_u64(c->rt_period))
                r = translate_require_v1(t, "cpu.realtimePeriod", "cpu");
        if (r == 0 && given_i64(c->rt_runtime))
                r = translate_require_v1(t, "cpu.realtimeRuntime", "cpu");
        if (r < 0)
                return r;
        return place == PLACE_V1 ? cpu_v1(t, c) : cpu_v2(t, c);
}

static int translate_cpuset(struct translation *t, const struct resources_cpu *c)
{
        if (!given_list(c->cpus) && !given_list(c->mems))
                return 0;
        enum cgroup_place place = PLACE_NONE;
        int r = translate_require(t, given_list(c->cpus) ? "cpu.cpus" : "cpu.mems", "cpuset", &place);
        if (r < 0)
                return r;
        const char *controller = place == PLACE_V1 ? "cpuset" : "";
        if (given_list(c->cpus))
                r = writes_add_text(t, controller, "cpuset.cpus", c->cpus);
        if (r == 0 && given_list(c->mems))
                r = writes_add_text(t, controller, "cpuset.mems", c->mems);
        return r;
}

static int translate_pids(struct translation *t, struct opt_i64 limit)
{
        if (!limit.has)
                return 0;
        enum cgroup_place place = PLACE_NONE;
        int r = translate_require(t, "pids.limit", "pids", &place);
        if (r < 0)
                return limit.value < 0 ? 0 : r; /* nothing can keep us from not limiting */
        const char *controller = place == PLACE_V1 ? "pids" : "";
        if (limit.value < 0)
                return writes_add(t, controller, "pids.max", "max");
        /* 0 is 1 as in runc 1.5: the container's own process is in it anyway, nothing else can start. */
        return writes_add(t, controller, "pids.max", "%" PRId64, limit.value ? limit.value : 1);
}

/* v2 files by name. A text of several lines is several writes: each line of io.max is a setting of its own. */
static int translate_unified(struct translation *t, const struct key_value *list, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                const char *key = list[i].key, *dot = strchr(key, '.');
                if (strchr(key, '/') || !dot || dot == key)
                        return error_say(t->err, -EINVAL,
                                         AT "unified: \"%s\" is not the name of a cgroup v2 file (\"memory.max\")",
                                         key);
                if (!cgroup_find(t->host, "") || t->host->mode == CGROUP_NONE)
                        return error_say(t->err, -EOPNOTSUPP,
                                         AT "unified.%s: invalid configuration: cgroup v2 is not mounted on this machine; use the v1 limits "
                                         "(memory, cpu, pids ...)", key);
                size_t len = (size_t) (dot - key);
                if (!list_has(t->v2_controllers, ' ', key, len) && !str_starts(key, "cgroup."))
                        return error_say(t->err, -EOPNOTSUPP,
                                         AT "unified.%s: invalid configuration: the %.*s controller of cgroup v2 is not available %s", key,
                                         (int) len, key,
                                         t->below_own ? "below our own cgroup" : "on this machine");
                for (const char *at = list[i].value; *at; at += *at == '\n') {
                        size_t line = strcspn(at, "\n");
                        const char *text = arena_strndup(t->arena, at, line);
                        int r = text ? writes_add_text(t, "", key, text) : -ENOMEM;
                        if (r < 0)
                                return text ? r : error_set(t->err, r, "translate " AT "unified");
                        at += line;
                }
        }
        return 0;
}

int cgroup_translate_at(const struct resources *res, const struct cgroup_host *host, const char *path,
                        struct arena *arena, struct cgroup_writes *ret, struct error *err)
{
        struct translation t = { .host = host, .arena = arena, .err = err, .v2_controllers = host->v2_top };
        if (path[0] != '/') {
                t.below_own = true;
                t.v2_controllers = host->v2_below;
        }
        int r = translate_memory(&t, &res->memory);
        if (r == 0)
                r = translate_cpu(&t, &res->cpu);
        if (r == 0)
                r = translate_cpuset(&t, &res->cpu);
        if (r == 0)
                r = translate_pids(&t, res->pids_limit);
        if (r == 0)
                r = translate_huge_pages(&t, res->huge_pages, res->n_huge_pages);
        if (r == 0)
                r = translate_block_io(&t, &res->block_io);
        if (r == 0)
                r = translate_rdma(&t, res->rdma, res->n_rdma);
        if (r == 0)
                r = translate_network(&t, &res->network);
        const struct cgroup_hierarchy *devices = cgroup_find(host, "devices");
        if (r == 0 && devices && !devices->v2)
                r = translate_devices(&t, res->devices, res->n_devices);
        if (r == 0)
                r = translate_unified(&t, res->unified, res->n_unified);
        if (r == 0)
                *ret = t.writes;
        return r;
}

int cgroup_translate(const struct resources *res, const struct cgroup_host *host, struct arena *arena,
                     struct cgroup_writes *ret, struct error *err)
{
        return cgroup_translate_at(res, host, "/", arena, ret, err);
}

cgroup_set cgroup_needed(const struct resources *res, const struct cgroup_host *host)
{
        cgroup_set set = 0;
        if (memory_given(&res->memory))
                set |= cgroup_set_of(host, "memory");
        if (cpu_given(&res->cpu))
                set |= cgroup_set_of(host, "cpu");
        if (given_list(res->cpu.cpus) || given_list(res->cpu.mems))
                set |= cgroup_set_of(host, "cpuset");
        if (res->pids_limit.has)
                set |= cgroup_set_of(host, "pids");
        if (res->n_huge_pages > 0)
                set |= cgroup_set_of(host, "hugetlb");
        if (block_io_given(&res->block_io))
                set |= cgroup_set_of(host, block_io_controller(host));
        if (res->n_rdma > 0)
                set |= cgroup_set_of(host, "rdma");
        if (res->network.class_id.has)
                set |= cgroup_set_of(host, "net_cls");
        if (res->network.n_priorities > 0)
                set |= cgroup_set_of(host, "net_prio");
        if (res->n_devices > 0)
                set |= cgroup_set_of(host, "devices");
        if (res->n_unified > 0)
                set |= cgroup_set_of(host, "");
        return set;
}

int cgroup_check_memory(const struct cgroup *cgroup, const struct resources *res, struct error *err)
{
        const struct resources_memory *m = &res->memory;
        if (!m->check_before_update || (m->limit.value <= 0 && m->swap.value <= 0))
                return 0;
        const struct cgroup_hierarchy *h = cgroup_find(cgroup->host, "memory");
        auto_free char *text = NULL;
        uint64_t usage;
        if (!h || cgroup_read(cgroup, "memory", h->v2 ? "memory.current" : "memory.usage_in_bytes", &text, NULL) < 0 ||
            parse_u64(text, &usage) < 0)
                return 0; /* as far as it can be told */
        if (given_i64(m->swap) && m->swap.value > 0 && (uint64_t) m->swap.value <= usage)
                return error_say(err, -EBUSY,
                                 "rejecting memory+swap limit: " AT "memory.swap: %" PRId64 " is not above what is used now (%" PRIu64 ")",
                                 m->swap.value, usage);
        if (given_i64(m->limit) && m->limit.value > 0 && (uint64_t) m->limit.value <= usage)
                return error_say(err, -EBUSY,
                                 "rejecting memory limit: " AT "memory.limit: %" PRId64 " is not above what is used now (%" PRIu64 ")",
                                 m->limit.value, usage);
        return 0;
}

#include "launcher/jobgroup.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cgroups/devices.h"
#include "cgroups/translate.h"
#include "plan/compile.h"

static struct resources limits_of(const struct spec *spec)
{
        struct resources res = spec->resources;
        res.devices = NULL;
        res.n_devices = 0;
        return res;
}

static bool has_cpuset(const struct cgroup_host *host, const char *path)
{
        if (host->mode == CGROUP_V2)
                return strstr(path[0] == '/' ? host->v2_top : host->v2_below, " cpuset ") != NULL;
        const struct cgroup_hierarchy *h = cgroup_find(host, "cpuset");
        return h && !h->v2;
}

/* What the whole job needs: one hierarchy to freeze and kill it by, and the one with the device rules. */
static cgroup_set job_set(const struct host *host, const struct spec *spec)
{
        const struct cgroup_host *cg = &host->cgroups;
        cgroup_set set = cgroup_set_of(cg, cg->mode == CGROUP_V1 ? "freezer" : "");
        if (spec->resources.n_devices > 0 && host->privileged)
                set |= cgroup_set_of(cg, "devices");
        return set;
}

static cgroup_set rank_set(const struct jobgroup *g, const struct spec *spec)
{
        struct resources limits = limits_of(spec);
        cgroup_set set = g->limits ? cgroup_needed(&limits, g->host) : 0;
        if (g->devices)
                set |= cgroup_set_of(g->host, "devices");
        return g->cpuset ? set | cgroup_set_of(g->host, "cpuset") : set;
}

static int write_v1_rules(const struct jobgroup *g, const struct device_rule *rules, size_t n, struct arena *arena,
                          struct error *err)
{
        struct resources res = { .devices = rules, .n_devices = n };
        struct cgroup_writes writes;
        int r = cgroup_translate(&res, g->host, arena, &writes, err);
        for (size_t i = 0; r == 0 && i < writes.n; i++)
                r = cgroup_write(&g->job, writes.list[i].controller, writes.list[i].file, writes.list[i].text, err);
        return r;
}

static int set_device_rules(const struct jobgroup *g, const struct host *host, const struct spec *spec,
                            struct error *err)
{
        if (spec->resources.n_devices == 0 || !host->privileged)
                return 0;
        auto_arena struct arena *arena = arena_new();
        struct device_rule *rules;
        size_t n;
        if (!arena || plan_device_rules(spec, arena, &rules, &n) < 0)
                return error_set(err, -ENOMEM, "set the job's device rules");
        if (g->host->mode != CGROUP_V2)
                return write_v1_rules(g, rules, n, arena, err);

        struct bpf_insn *insns;
        size_t n_insns;
        int r = devices_program(rules, n, arena, &insns, &n_insns, err);
        if (r < 0 || cgroup_v2_fd(&g->job) < 0)
                return r;
        return devices_attach(cgroup_v2_fd(&g->job), insns, n_insns, err);
}

static bool has_limits(const struct spec *spec, const struct cgroup_host *host)
{
        struct resources limits = limits_of(spec);
        return cgroup_needed(&limits, host) != 0;
}

/* systemd's "slice:prefix:name" is for a manager that is not asked for here. */
static int name_it(struct jobgroup *g, const struct host *host, const struct spec *spec, const char *id, struct error *err)
{
        auto_arena struct arena *arena = arena_new();
        struct spec named = *spec;
        if (named.cgroups_path && strchr(named.cgroups_path, ':'))
                named.cgroups_path = NULL;
        const char *path = arena ? plan_cgroup_path(&named, host, id, arena) : NULL;
        int n = path ? snprintf(g->path, sizeof(g->path), "%s", path) : -1;
        if (n < 0 || (size_t) n >= sizeof(g->path))
                return error_set(err, path ? -ENAMETOOLONG : -ENOMEM, "name the job's cgroup");
        snprintf(g->launch, sizeof(g->launch), "%s/launch", g->path);
        return 0;
}

int jobgroup_open(struct jobgroup *g, const struct host *host, const struct spec *spec, const char *id, unsigned own,
                  struct error *err)
{
        *g = JOBGROUP_INIT;
        g->host = &host->cgroups;
        if (host->cgroups.n == 0)
                return 0;
        g->limits = has_limits(spec, g->host);
        g->devices = (own & JOBGROUP_DEVICES) && host->privileged;
        int r = name_it(g, host, spec, id, err);
        if (r < 0)
                return r;
        g->cpuset = (own & JOBGROUP_CPUS) && host->privileged && has_cpuset(g->host, g->path);
        cgroup_set set = job_set(host, spec), rest = rank_set(g, spec);
        cgroup_set optional = host->privileged ? 0 : CGROUP_ALL;
        auto_cgroup struct cgroup launch = CGROUP_INIT;
        r = cgroup_create(g->host, g->path, set | rest, optional, &g->job, err);
        if (r == 0)
                r = set_device_rules(g, host, spec, err);
        if (r == 0)     /* after the rules: on v1 a new directory inherits them */
                r = cgroup_create(g->host, g->launch, set, optional, &launch, err);
        for (size_t i = 0; i < CGROUP_HIERARCHIES_MAX; i++)
                g->exists |= g->job.dir[i].fd >= 0;
        if (r < 0) {
                struct error ignored;
                ignore_result(cgroup_remove(&g->job, &ignored)); /* the failure is already known */
                cgroup_clear(&g->job);
                g->exists = false;
        }
        return r;
}

void jobgroup_rank_path(const struct jobgroup *g, unsigned rank, char *buf, size_t size)
{
        snprintf(buf, size, "%s/rank-%u", g->path, rank);
}

void jobgroup_rank_done(const struct jobgroup *g, unsigned rank, struct cgroup_usage *ret_usage)
{
        char path[sizeof(g->path) + 32];
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        jobgroup_rank_path(g, rank, path, sizeof(path));
        if (cgroup_open(g->host, path, &cg, NULL) < 0)
                return;
        cgroup_usage(&cg, ret_usage);
        /* Who outlived the instance's first process would keep the directory for ever. */
        auto_free pid_t *pids = NULL;
        size_t n = 0;
        if ((g->limits || g->devices) && cgroup_pids(&cg, &pids, &n, NULL) == 0 && n > 0)
                ignore_result(cgroup_kill(&cg, SIGKILL, NULL)); /* what stays is killed and removed with the job */
        ignore_result(cgroup_remove(&cg, NULL));
}

bool jobgroup_set_frozen(const struct jobgroup *g, bool frozen)
{
        return g->exists && cgroup_set_frozen(&g->job, frozen ? CGROUP_FROZEN : CGROUP_THAWED, NULL) == 0;
}

void jobgroup_close(struct jobgroup *g)
{
        if (g->exists) {
                auto_free pid_t *pids = NULL;
                size_t n = 0;
                if (cgroup_pids(&g->job, &pids, &n, NULL) == 0 && n > 0)
                        ignore_result(cgroup_kill(&g->job, SIGKILL, NULL)); /* what cannot be killed cannot be removed */
                ignore_result(cgroup_remove(&g->job, NULL));
        }
        cgroup_clear(&g->job);
        *g = JOBGROUP_INIT;
}

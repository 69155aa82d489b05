#include <errno.h>
#include <linux/bpf.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>

#include "cgroups/devices.h"
#include "cgroups/translate.h"
#include "plan/compile_parts.h"

/* Devices that every container may use, whatever its config says (after its own rules). */
static const struct device_rule default_rules[] = {
        { true, 'c', -1, -1, false, false, true },      { true, 'b', -1, -1, false, false, true },
        { true, 'c', 1, 3, true, true, true },          { true, 'c', 1, 8, true, true, true },
        { true, 'c', 1, 7, true, true, true },          { true, 'c', 5, 0, true, true, true },
        { true, 'c', 1, 5, true, true, true },          { true, 'c', 1, 9, true, true, true },
        { true, 'c', 136, -1, true, true, true },       { true, 'c', 5, 2, true, true, true },
};

int plan_device_rules(const struct spec *spec, struct arena *arena, struct device_rule **ret_rules, size_t *ret_n)
{
        size_t n = spec->resources.n_devices, more = sizeof(default_rules) / sizeof(*default_rules);
        struct device_rule *rules = arena_grow(arena, spec->resources.devices, n, more, sizeof(*rules));
        if (!rules)
                return -ENOMEM;
        memcpy(rules + n, default_rules, sizeof(default_rules));
        *ret_rules = rules;
        *ret_n = n + more;
        return 0;
}

const char *plan_cgroup_path(const struct spec *spec, const struct host *host, const char *id, struct arena *arena)
{
        const struct cgroup_hierarchy *h = cgroup_find(&host->cgroups, "");
        const char *name = spec->cgroups_path && *spec->cgroups_path ? spec->cgroups_path : id;
        if (name[0] == '/' || host->cgroups.mode != CGROUP_V2 || !h || !h->own[0] || strcmp(h->own, "/") == 0)
                return name;
        struct resources res = spec->resources;
        struct cgroup_writes writes;
        res.devices = NULL;
        res.n_devices = 0;
        if (host->cgroups.stay_below && cgroup_translate_at(&res, &host->cgroups, name, arena, &writes, NULL) == 0)
                return name;
        return arena_printf(arena, "%.*s/%s", (int) (strrchr(h->own, '/') - h->own), h->own, name);
}

/*
 * Where it is: what the caller wishes, else what the config says, else a cgroup
 * with the container's id beside our own, or below it. A launcher's instances stay
 * in the cgroups of the process that clones them.
 */
void compile_cgroup_paths(struct compile *c)
{
        if (c->wish->no_cgroup)
                return;
        if (c->wish->systemd) {
                compile_unit_name(c);
                return;
        }
        c->cgroup_path = c->wish->cgroup_path;
        if (c->wish->cgroup_inherit || c->cgroup_path)
                return;
        c->cgroup_path = plan_cgroup_path(c->spec, c->host, c->wish->id, c->arena);
        if (!c->cgroup_path)
                compile_refuse(c, -ENOMEM, "no memory to compile the plan");
}

static void compile_device_program(struct compile *c, const struct device_rule *rules, size_t n)
{
        struct bpf_insn *insns;
        size_t n_insns;
        struct error err = ERROR_INIT;
        if (devices_program(rules, n, c->arena, &insns, &n_insns, &err) < 0) {
                plan_build_fail(c->b, &err);
                return;
        }
        plan_add(c->b, STEP_CGROUP_DEVICES, plan_build_blob(c->b, insns, n_insns * sizeof(*insns)));
}

static void compile_writes(struct compile *c, const struct resources *res)
{
        struct cgroup_writes writes;
        struct error err = ERROR_INIT;
        /* A path without a leading "/" is below our own cgroup, where v2 may offer less. A unit is not. */
        const char *path = c->wish->systemd ? "/" : c->cgroup_path ? c->cgroup_path : c->wish->id;
        if (cgroup_translate_at(res, &c->host->cgroups, path, c->arena, &writes, &err) < 0) {
                plan_build_fail(c->b, &err);
                return;
        }
        for (size_t i = 0; i < writes.n; i++)
                plan_add(c->b, STEP_CGROUP_WRITE, S(c, writes.list[i].controller), S(c, writes.list[i].file),
                         S(c, writes.list[i].text));
}

static void compile_cpuset(struct compile *c)
{
        if (!c->wish->cpuset_slot)
                return;
        const char *controller = c->host->cgroups.mode == CGROUP_V2 ? "" : "cpuset";
        plan_add(c->b, STEP_CGROUP_WRITE, S(c, controller), S(c, "cpuset.cpus"), SLOT(SLOT_CPUSET_CPUS));
        plan_add(c->b, STEP_CGROUP_WRITE, S(c, controller), S(c, "cpuset.mems"), SLOT(SLOT_CPUSET_MEMS));
}

/* The kernel lets only privileged processes set device rules, v1 and v2. */
static bool has_own_devices(const struct compile *c)
{
        return c->wish->own_devices && c->host->privileged;
}

/* What is limited per instance of a launcher. Device rules are the job's, mostly: a deny there holds below. */
static struct resources instance_limits(const struct compile *c)
{
        struct resources res = { 0 };
        if (c->wish->cgroup_slot)
                res = c->spec->resources;
        res.devices = NULL;
        res.n_devices = 0;
        return res;
}

/* An instance has a directory only in the hierarchies where something differs from the job's. */
static cgroup_set instance_set(const struct compile *c)
{
        const struct resources res = instance_limits(c);
        return cgroup_needed(&res, &c->host->cgroups) |
               (has_own_devices(c) ? cgroup_set_of(&c->host->cgroups, "devices") : 0) |
               (c->wish->cpuset_slot ? cgroup_set_of(&c->host->cgroups, "cpuset") : 0);
}

static void compile_instance_cgroup(struct compile *c)
{
        cgroup_set set = instance_set(c);
        if (set == 0)
                return;
        plan_add(c->b, STEP_CGROUP_CREATE, SLOT(SLOT_CGROUP), set, c->host->privileged ? 0u : set);
        struct resources res = instance_limits(c);
        struct device_rule *rules = NULL;
        if (has_own_devices(c)) {
                if (plan_device_rules(c->spec, c->arena, &rules, &res.n_devices) < 0) {
                        compile_refuse(c, -ENOMEM, "no memory for the device rules");
                        return;
                }
                res.devices = rules;
        }
        compile_writes(c, &res);
        if (c->host->cgroups.mode == CGROUP_V2 && rules)
                compile_device_program(c, rules, res.n_devices);
        compile_cpuset(c);
}

/* Device rules cannot hold either; but every config has some, and who wants no cgroup means that. */
static void refuse_limits(struct compile *c)
{
        struct resources res = c->spec->resources;
        res.devices = NULL;
        res.n_devices = 0;
        if (cgroup_needed(&res, &c->host->cgroups) != 0 || res.n_unified > 0)
                compile_refuse(c, -EINVAL, "linux.resources: limits need a cgroup, and there is to be none "
                               "(--cgroup-manager disabled)");
}

/* Hierarchies that may be out of reach: nobody delegated them to us. Whoever names a cgroup wants to have it. */
static cgroup_set compile_optional(const struct compile *c)
{
        const struct cgroup_host *host = &c->host->cgroups;
        bool rootless = c->wish->rootless == ROOTLESS_AUTO ? !c->host->privileged : c->wish->rootless == ROOTLESS_YES;
        if (!rootless)
                return 0;
        if (!c->spec->cgroups_path || !*c->spec->cgroups_path)
                return CGROUP_ALL;
        return host->mode == CGROUP_HYBRID ? cgroup_set_of(host, "") : 0; /* where no limit of ours is */
}

/* The config's rules, then those of every container. */
void compile_cgroup_rules(struct compile *c, struct resources *res)
{
        struct device_rule *rules;
        if (plan_device_rules(c->spec, c->arena, &rules, &res->n_devices) < 0) {
                compile_refuse(c, -ENOMEM, "no memory for the device rules");
                return;
        }
        res->devices = rules;
        if (!c->host->privileged)       /* the kernel lets only privileged processes set them, v1 and v2 */
                res->n_devices = 0;
}

void compile_cgroup_limits(struct compile *c, const struct resources *res)
{
        compile_writes(c, res);
        if (c->host->cgroups.mode == CGROUP_V2 && res->n_devices > 0)
                compile_device_program(c, res->devices, res->n_devices);
}

static bool sees_own_cgroup(const struct compile *c)
{
        const struct spec_mount *m = NULL;
        for (size_t i = 0; i < c->spec->n_mounts; i++)
                if (strcmp(c->spec->mounts[i].destination, "/sys/fs/cgroup") == 0)
                        m = &c->spec->mounts[i];
        return m && m->type && strcmp(m->type, "cgroup") == 0 && !(m->attr_set & MOUNT_ATTR_RDONLY) &&
               c->spec->ns[NS_CGROUP].wanted && !c->spec->ns[NS_CGROUP].path;
}

/* Who the process's user is here; false if it is nobody. */
static bool host_uid(const struct compile *c, uint32_t *ret)
{
        uint32_t uid = c->spec->process.user.uid;
        for (size_t i = 0; i < c->spec->n_uid_map; i++) {
                const struct spec_id_map *m = &c->spec->uid_map[i];
                if (uid >= m->container_id && uid - m->container_id < m->size) {
                        *ret = m->host_id + (uid - m->container_id);
                        return true;
                }
        }
        *ret = uid;
        return !c->spec->ns[NS_USER].wanted;
}

/*
 * A container with its own view of its cgroup, and the right to write: it may divide it further (config-linux.md, "Cgroup
 * ownership"). Not on v1, where that would not be safe.
 */
void compile_cgroup_owner(struct compile *c)
{
        uint32_t owner = 0;
        if (c->host->privileged && c->host->cgroups.mode == CGROUP_V2 && sees_own_cgroup(c) &&
            host_uid(c, &owner) && owner != 0)
                plan_add(c->b, STEP_CGROUP_OWNER, owner);
}

void compile_cgroup(struct compile *c)
{
        if (c->wish->no_cgroup) {
                refuse_limits(c);
                return;
        }
        if (c->wish->cgroup_inherit) {
                compile_instance_cgroup(c);
                compile_cgroup_entrances(c, instance_set(c) != 0);
                return;
        }
        if (c->host->cgroups.n == 0 || c->wish->systemd)
                return;
        plan_add(c->b, STEP_CGROUP_CREATE, S(c, c->cgroup_path), CGROUP_ALL, compile_optional(c));
        struct resources res = c->spec->resources;
        compile_cgroup_rules(c, &res);
        compile_cgroup_limits(c, &res);
        compile_cgroup_owner(c);
        if (!c->cgroup_only)
                compile_cgroup_entrances(c, true);
}

int plan_compile_cgroup(const struct spec *spec, const struct host *host, const struct wish *wish, void **ret_block,
                        size_t *ret_size, struct error *err)
{
        auto_plan_build struct plan_build *b = plan_build_new();
        auto_arena struct arena *arena = arena_new();
        if (!b || !arena)
                return error_set(err, -ENOMEM, "compile the plan");
        struct compile c = { .b = b, .arena = arena, .spec = spec, .host = host, .wish = wish, .cgroup_only = true };
        compile_cgroup_paths(&c);
        compile_rdt(&c);
        compile_cgroup(&c);
        compile_rdt_enter(&c);
        compile_unit(&c);
        return plan_build_finish(b, ret_block, ret_size, err);
}

/*
 * The process enters by itself, through descriptors opened before the clone: to
 * move another process the kernel waits for an RCU grace period (5 to 10 ms)
 * whenever nobody else did so just before; a single thread that moves itself is
 * spared that (Linux 5.5). With CLONE_INTO_CGROUP it is born in the v2 directory.
 */
void compile_cgroup_entrances(struct compile *c, bool own)
{
        const struct cgroup_host *host = &c->host->cgroups;
        c->enters_cgroup = own && host->n > 0;
        if (!own || host->n == 0 || (host->mode == CGROUP_V2 && c->host->clone3))
                return;
        c->n_entrances = host->n;
        c->entrances = plan_build_fd(c->b);
        for (size_t i = 1; i < host->n; i++)
                (void) plan_build_fd(c->b);
        plan_add(c->b, STEP_CGROUP_ENTRANCES, c->entrances, c->n_entrances, c->host->clone3 ? 1u : 0u);
}

void compile_cgroup_enter(struct compile *c)
{
        if (c->n_entrances > 0)
                plan_add(c->b, STEP_CGROUP_ENTER, c->entrances, c->n_entrances);
        if (c->enters_cgroup)
                plan_add(c->b, STEP_KEEP_CPUS, 0);
}

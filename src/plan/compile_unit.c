/*
 * --systemd-cgroup: the cgroup is that of a unit. A scope begins with a process in it, so it is started after the clone,
 * while the child waits; then what systemd knows no property for is written into its cgroup, as for any other.
 */
#include <errno.h>
#include <linux/mount.h>
#include <string.h>

#include "plan/compile_parts.h"

#define ANNOTATION "org.systemd.property."

int plan_unit(const struct spec *spec, const struct wish *wish, struct arena *arena, struct unit *ret,
              const char **ret_path, struct error *err)
{
        int r = unit_name(spec->cgroups_path, wish->id, wish->systemd_user, arena, ret, err);
        *ret_path = NULL;
        return r < 0 || wish->systemd_user ? r : unit_path(ret, arena, ret_path, err);
}

void compile_unit_name(struct compile *c)
{
        struct error err = ERROR_INIT;
        if (plan_unit(c->spec, c->wish, c->arena, &c->unit, &c->cgroup_path, &err) < 0)
                plan_build_fail(c->b, &err);
}

static int add_annotations(struct compile *c, struct unit_properties *p, struct error *err)
{
        for (size_t i = 0; i < c->spec->n_annotations; i++) {
                const struct spec_annotation *a = &c->spec->annotations[i];
                if (strncmp(a->key, ANNOTATION, strlen(ANNOTATION)) != 0)
                        continue;
                if (unit_property(a->key + strlen(ANNOTATION), a->value, c->arena, p, err) < 0)
                        return error_wrap(err, "annotations[\"%s\"]", a->key);
        }
        return 0;
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

void compile_unit(struct compile *c)
{
        struct unit_properties p = { 0 };
        struct error err = ERROR_INIT;
        uint32_t owner = 0;
        if (!c->wish->systemd || !c->unit.name)
                return;
        struct resources res = c->spec->resources;
        compile_cgroup_rules(c, &res);
        int r = unit_adjust(&res, c->arena, NULL);
        if (r == 0)
                r = unit_describe(&c->unit, c->wish->id, &res, c->arena, &p);
        if (r < 0)
                (void) error_set(&err, r, "describe unit \"%s\"", c->unit.name);
        if (r == 0)
                r = unit_limits(&res, &c->host->cgroups, c->arena, &p, &err);
        if (r == 0)
                r = add_annotations(c, &p, &err);
        if (r < 0) {
                plan_build_fail(c->b, &err);
                return;
        }
        plan_add(c->b, STEP_UNIT_START, S(c, c->unit.name), plan_build_strv(c->b, p.list), c->unit.user ? 1u : 0u);
        compile_cgroup_limits(c, &res);
        /* A container with its own view of its cgroup, and the right to write: it may divide it further. */
        if (c->host->privileged && c->host->cgroups.mode == CGROUP_V2 && sees_own_cgroup(c) &&
            host_uid(c, &owner) && owner != 0)
                plan_add(c->b, STEP_CGROUP_OWNER, owner);
        c->enters_cgroup = true;
}

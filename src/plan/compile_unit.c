/*
 * --systemd-cgroup: the cgroup is that of a unit. A scope begins with a process in it, so it is started after the clone,
 * while the child waits; then what systemd knows no property for is written into its cgroup, as for any other.
 */
#include <errno.h>
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

void compile_unit(struct compile *c)
{
        struct unit_properties p = { 0 };
        struct error err = ERROR_INIT;
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
        compile_cgroup_owner(c);
        c->enters_cgroup = true;
}

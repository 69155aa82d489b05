#include "runtime/update.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/io.h"
#include "cgroups/devices.h"
#include "cgroups/systemd.h"
#include "cgroups/translate.h"
#include "cgroups/unit.h"
#include "plan/compile.h"
#include "runtime/container_parts.h"
#include "spec/read.h"

#define RESOURCES_FILE "resources.json"

/* The limits of an earlier update, or those of the config. */
static int read_stored(const struct state_dir *dir, struct spec **ret_spec, struct error *err)
{
        auto_free char *text = NULL;
        size_t size;
        int r = io_read_file(dir->fd, RESOURCES_FILE, CONFIG_SIZE_MAX, &text, &size);
        if (r == -ENOENT)
                return found_read_spec(dir, ret_spec, err);
        if (r < 0 || !text)
                return error_set(err, r, "container \"%s\": read " RESOURCES_FILE, dir->id);
        r = spec_read_resources(text, size, RESOURCES_FILE, ret_spec, err);
        return r < 0 ? error_wrap(err, "container \"%s\"", dir->id) : 0;
}

static int write_stored(const struct state_dir *dir, const struct resources *keep, struct error *err)
{
        auto_free char *text = update_format(keep);
        int r = text ? io_replace_file(dir->fd, RESOURCES_FILE, text, strlen(text), 0600) : -ENOMEM;
        return r < 0 ? error_set(err, r, "container \"%s\": write " RESOURCES_FILE, dir->id) : 0;
}

static int find(struct found *c, int root_fd, const char *id, struct error *err)
{
        int r = found_open(c, root_fd, id, true, err);
        if (r < 0)
                return r;
        if (c->state.kind != STATE_CONTAINER)
                return error_say(err, -EINVAL, "\"%s\" is a job of the launcher, not a container", id);
        if (c->now.status == STATUS_STOPPED || c->now.status == STATUS_CREATING)
                return error_say(err, -ESRCH, "container not running: \"%s\" is %s", id, status_names[c->now.status]);
        return 0;
}

static bool is_v2(const struct cgroup_host *host, const char *controller)
{
        const struct cgroup_hierarchy *h = cgroup_find(host, controller);
        return h && h->v2;
}

/* Which controllers of v2 there are is a property of the place, and this one exists: it can be asked. */
static void look_at_controllers(struct cgroup_host *host, const struct cgroup *cg)
{
        auto_free char *have = NULL;
        if (cgroup_v2_fd(cg) >= 0 && cgroup_read(cg, "", "cgroup.controllers", &have, NULL) == 0)
                (void) snprintf(host->v2_top, sizeof(host->v2_top), " %s ", have); /* as long as it was */
}

struct change {
        struct found *c;
        struct cgroup_host host;
        struct cgroup cg;
        struct arena *arena;
        struct cgroup_writes writes;
        struct bpf_insn *insns;         /* NULL: the device program stays */
        size_t n_insns;
        struct error *warning;
        struct unit_properties now, before;     /* of the container's unit, if it has one: what to set, and to put back */
};

/* The device rules get the devices that every container has, as they did when it was made. */
static int compile(struct change *ch, struct resources *res, struct error *err)
{
        struct device_rule *rules = NULL;
        if (res->n_devices > 0) {
                const struct spec wish = { .arena = ch->arena, .resources = *res };
                int r = plan_device_rules(&wish, ch->arena, &rules, &res->n_devices);
                if (r < 0)
                        return error_set(err, r, "collect the device rules");
                res->devices = rules;
        }
        look_at_controllers(&ch->host, &ch->cg);
        int r = cgroup_translate(res, &ch->host, ch->arena, &ch->writes, err);
        if (r == 0 && rules && is_v2(&ch->host, "devices"))
                r = devices_program(rules, res->n_devices, ch->arena, &ch->insns, &ch->n_insns, err);
        if (r == 0 && state_has_unit(&ch->c->state))
                r = unit_limits(res, &ch->host, ch->arena, &ch->now, err);
        return r;
}

/* What the properties of `given` were, as far as it is known: what was never limited is not. */
static struct resources undo_of(const struct resources *given, const struct resources *stored)
{
        const struct opt_i64 none = { true, -1 };
        struct resources u = { .cpu = { .period = stored->cpu.period, .cpus = stored->cpu.cpus, .mems = stored->cpu.mems } };
        if (given->memory.limit.has)
                u.memory.limit = stored->memory.limit.has ? stored->memory.limit : none;
        if (given->memory.limit.has || given->memory.swap.has)
                u.memory.swap = stored->memory.swap.has ? stored->memory.swap : none;
        if (given->cpu.quota.has)
                u.cpu.quota = stored->cpu.quota.has ? stored->cpu.quota : none;
        if (given->cpu.shares.has)
                u.cpu.shares = stored->cpu.shares.has ? stored->cpu.shares : (struct opt_u64){ true, 1024 };
        if (given->pids_limit.has)
                u.pids_limit = stored->pids_limit.has ? stored->pids_limit : none;
        return u;
}

/*
 * What systemd knows of. It writes files of its own accord, some in its own way, so ours come after it. On v1 it takes
 * all devices away for a moment when it sets new rules, and the container must not see that.
 */
static int set_properties(struct change *ch, const struct unit_properties *p, struct error *err)
{
        const struct state *st = &ch->c->state;
        bool freeze = ch->host.mode != CGROUP_V2 && p->n > 0 && strncmp(p->list[0], "Device", 6) == 0 &&
                      ch->c->now.status != STATUS_PAUSED;
        if (p->n == 0)
                return 0;
        int r = freeze ? cgroup_set_frozen(&ch->cg, CGROUP_FROZEN, err) : 0;
        if (r < 0)
                return r;
        r = systemd_change(st->unit, st->unit_user, p->list, ch->warning, err);
        if (freeze && cgroup_set_frozen(&ch->cg, CGROUP_THAWED, r < 0 ? NULL : err) < 0 && r == 0)
                r = -EBUSY;
        return r;
}

/* What these files say now, as far as it can be written back. */
static struct cgroup_writes read_old(const struct change *ch)
{
        struct cgroup_writes old = { .list = arena_alloc(ch->arena, ch->writes.n + 1, sizeof(*old.list)) };
        for (size_t i = 0; old.list && i < ch->writes.n; i++) {
                const struct cgroup_write_item *item = &ch->writes.list[i];
                auto_free char *text = NULL;
                if (strncmp(item->file, "devices.", 8) == 0 ||
                    cgroup_read(&ch->cg, item->controller, item->file, &text, NULL) < 0 || strchr(text, '\n'))
                        continue;
                const char *copy = arena_strdup(ch->arena, text);
                if (copy && *copy)
                        old.list[old.n++] = (struct cgroup_write_item){ item->controller, item->file, copy };
        }
        return old;
}

static int apply(struct change *ch, const struct resources *keep, struct error *err)
{
        const struct cgroup_writes old = read_old(ch);
        int r = set_properties(ch, &ch->now, err);
        if (r == 0)
                r = cgroup_apply(&ch->cg, ch->writes.list, ch->writes.n, err);
        if (r == 0 && ch->insns && cgroup_v2_fd(&ch->cg) >= 0)
                r = devices_attach(cgroup_v2_fd(&ch->cg), ch->insns, ch->n_insns, err);
        if (r == 0)
                r = write_stored(&ch->c->dir, keep, err);
        if (r < 0)
                ignore_result(set_properties(ch, &ch->before, NULL)); /* the first failure is the one to tell */
        /* One after the other: what cannot be put back must not keep the rest from it. */
        for (size_t i = old.n; r < 0 && i-- > 0;)
                ignore_result(cgroup_apply(&ch->cg, &old.list[i], 1, NULL)); /* the first failure is the one to tell */
        return r;
}

static void change_clear_p(struct change *ch)
{
        cgroup_clear(&ch->cg);
        arena_free(ch->arena);
}

static int change_limits(struct found *c, const struct resources *given, struct error *warning, struct error *err)
{
        __attribute__((cleanup(change_clear_p))) struct change ch = { .c = c, .cg = CGROUP_INIT, .arena = arena_new(),
                                                                      .warning = warning };
        auto_spec struct spec *stored = NULL;
        struct update u;
        if (!ch.arena)
                return error_set(err, -ENOMEM, "update container \"%s\"", c->state.id);
        if (!state_has_cgroup(&c->state))
                return error_say(err, -EOPNOTSUPP, "container \"%s\" has no cgroup of its own: it has no limits",
                                 c->state.id);
        int r = state_open_cgroup(&c->state, &ch.host, &ch.cg, err);
        if (r == 0)
                r = read_stored(&c->dir, &stored, err);
        if (r < 0 || !stored)
                return r;
        r = update_merge(given, &stored->resources, is_v2(&ch.host, "memory"), ch.arena, &u);
        if (r < 0)
                return error_set(err, r, "update container \"%s\"", c->state.id);
        const struct spec merged = { .resources = u.keep };
        r = spec_validate_resources(&merged, err);
        if (r == 0)
                r = cgroup_check_memory(&ch.cg, &u.write, err);
        if (r == 0 && state_has_unit(&c->state)) {
                const struct resources undo = undo_of(&u.write, &stored->resources);
                r = unit_adjust(&u.write, ch.arena, warning);
                r = r < 0 ? error_set(err, r, "update container \"%s\"", c->state.id)
                          : unit_limits(&undo, &ch.host, ch.arena, &ch.before, err);
        }
        if (r == 0)
                r = compile(&ch, &u.write, err);
        return r == 0 ? apply(&ch, &u.keep, err) : r;
}

/* ---- caches and memory bandwidth ---- */

static int write_line(const struct resctrl *g, const char *line, struct error *err)
{
        return line ? resctrl_write(g, line, false, err) : 0;
}

/* One line after the other. The first failure is the one to tell. */
static void put_back(const struct resctrl *g, char *schemata)
{
        for (char *line = schemata, *next; *line; line = next) {
                next = line + strcspn(line, "\n");
                if (*next)
                        *next++ = '\0';
                ignore_result(resctrl_write(g, line + strspn(line, " "), false, NULL)); /* as it says above */
        }
}

/* Then the limits; if these fail, the class is as it was. */
static int change_class(struct found *c, const struct update_wish *wish, struct error *warning, struct error *err)
{
        auto_resctrl struct resctrl g = RESCTRL_INIT;
        auto_free char *old = NULL;
        if (!state_has_resctrl(&c->state))
                return error_say(err, -EOPNOTSUPP, "container \"%s\" has no class of resctrl whose schemata could be changed: its "
                                 "config has no linux.intelRdt (updating a non-existent Intel RDT configuration is not "
                                 "supported)", c->state.id);
        int r = resctrl_find(&g.root_fd, err);
        if (r == 0)
                r = resctrl_reopen(&g, c->state.resctrl, NULL, err);
        if (r == 0)
                r = resctrl_read(&g, &old, err);
        if (r < 0)
                return r;
        r = write_line(&g, wish->l3, err);
        if (r == 0)
                r = write_line(&g, wish->memory, err);
        if (r == 0 && !update_is_empty(wish->given))
                r = change_limits(c, wish->given, warning, err);
        if (r < 0 && old)
                put_back(&g, old);
        return r;
}

int update_limits(int root_fd, const char *id, const struct update_wish *wish, struct error *warning, struct error *err)
{
        auto_found struct found c = FOUND_INIT;
        int r = find(&c, root_fd, id, err);
        if (r == 0 && (wish->l3 || wish->memory))
                return change_class(&c, wish, warning, err);
        return r < 0 || update_is_empty(wish->given) ? r : change_limits(&c, wish->given, warning, err);
}

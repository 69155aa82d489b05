#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "cgroups/systemd.h"
#include "runtime/container_parts.h"
#include "spec/path_clean.h"
#include "spec/read.h"

void entry_clear(struct entry *entry)
{
        state_dir_clear(&entry->dir);
        spec_free(entry->spec);
        free(entry->config);
        *entry = ENTRY_INIT;
}

/* From here on the config, also the copy that is kept, is one that names them. */
static int add_devices(struct entry *e, struct error *err)
{
        const struct container_options *o = e->opts;
        struct error warning = ERROR_INIT;
        int r = device_edit(&o->devices, &e->config, &e->config_size, &e->spec, &warning, err);
        if (r == 0 && warning.code < 0 && o->warn)
                o->warn(o->warn_arg, &warning);
        return r;
}

/* The same of its place. */
static int add_place(struct entry *e, struct error *err)
{
        const struct container_options *o = e->opts;
        const struct wish wish = { .id = o->id, .no_cgroup = o->no_cgroup, .systemd = o->systemd, .rootless = o->rootless };
        struct place_config config = { .text = e->config, .size = e->config_size, .spec = e->spec };
        int r = place_config(&o->place, &e->host, &wish, &config, err);
        if (r < 0)
                return r;
        e->config = config.text;
        e->config_size = config.size;
        e->spec = config.spec;
        e->own_cpus = config.cpus;
        return 0;
}

/* What nobody can give is no reason to fail, but has to be told (config.md, linux-process and config-linux.md, memory). */
static void warn_of_ignored(const struct entry *e)
{
        const struct container_options *o = e->opts;
        struct error warning = ERROR_INIT;
        auto_str struct str names = STR_INIT;
        for (const char **name = e->spec->process.caps_ignored; name && *name; name++)
                str_addf(&names, "%s%s", names.size ? ", " : "", *name);
        if (o->warn && names.size && !names.failed) {
                (void) error_say(&warning, -EINVAL, "process.capabilities: unknown names are ignored: %s", names.text);
                o->warn(o->warn_arg, &warning);
        }
        if (o->warn && e->spec->resources.memory.kernel_ignored) {
                (void) error_say(&warning, -EOPNOTSUPP, "linux.resources.memory: kernel and kernelTCP are ignored, the kernel has no "
                                 "such limits any more");
                o->warn(o->warn_arg, &warning);
        }
}

int entry_read_config(struct entry *e, struct error *err)
{
        const char *bundle = e->opts->bundle, *name = e->opts->config ? e->opts->config : CONFIG_FILE;
        auto_fd int dir = open(bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0)
                return error_set(err, -errno, "open bundle \"%s\"", bundle);
        int r = io_read_file(dir, name, CONFIG_SIZE_MAX, &e->config, &e->config_size);
        if (r < 0)
                return error_set(err, r, "open %s%s%s", *name == '/' ? "" : bundle, *name == '/' ? "" : "/", name);
        r = spec_read_text(e->config, e->config_size, name, &e->spec, err);
        if (r == 0)
                r = add_devices(e, err);
        if (r == 0)
                r = host_probe(&e->host, err);
        if (r == 0 && !e->opts->systemd && !e->opts->no_cgroup && (!e->spec->cgroups_path || e->spec->cgroups_path[0] != '/'))
                cgroup_host_probe_own(&e->host.cgroups);
        if (r == 0)
                r = add_place(e, err);
        if (r < 0)
                return r;
        if (!e->spec->has_process || !e->spec->process.args)
                return error_say(err, -EINVAL, "%s: process.args: nothing to run", name);
        warn_of_ignored(e);
        return spec_default_maps(e->spec, geteuid(), getegid(), err);
}

int entry_wish(struct entry *e, struct wish *ret, struct error *err)
{
        const struct container_options *o = e->opts;
        struct wish wish = {
                .bundle = o->bundle,
                .id = o->id,
                .no_pivot = o->no_pivot,
                .no_cgroup = o->no_cgroup,
                .rootless = o->rootless,
                .no_new_keyring = o->no_new_keyring,
                .own_cpus = e->own_cpus,
        };
        int r = 0;
        if (o->systemd) {
                wish_systemd(&wish, systemd_is_users());
                r = plan_unit(e->spec, &wish, e->spec->arena, &e->unit, &e->unit_path, err);
        }
        if (r < 0)
                return r;
        *ret = wish;
        return 0;
}

/*
 * Where the cgroup is going to be, in the words of cgroup_save(). Should we be
 * killed after making it and before we can write down that we did, this is how
 * it is found.
 */
static const char *expected_cgroup(const struct entry *e)
{
        struct arena *arena = e->spec->arena;
        const char *text = "";
        const char *path = e->opts->systemd ? e->unit_path : plan_cgroup_path(e->spec, &e->host, e->opts->id, arena);
        if (!path)
                return e->opts->systemd ? text : NULL;
        for (size_t i = 0; text && !e->opts->no_cgroup && i < e->host.cgroups.n; i++) {
                const struct cgroup_hierarchy *h = &e->host.cgroups.h[i];
                const char *whole = path[0] == '/' ? path : arena_printf(arena, "%s/%s", h->own, path);
                const char *clean = whole ? path_clean(arena, whole) : NULL;
                text = clean ? arena_printf(arena, "%s%s:%s\n", text, h->controllers, clean) : NULL;
        }
        return text;
}

/*
 * As with the cgroup, this is how what we made is found, should we be killed before we can write down that we did. A class
 * of this name that is there already is somebody else's.
 */
static void expect_resctrl(struct entry *e)
{
        const struct rdt *rdt = &e->spec->rdt;
        auto_fd int root = -1;
        if (!rdt->wanted)
                return;
        e->state.resctrl = rdt->clos ? rdt->clos : e->opts->id;
        e->state.resctrl_monitored = rdt->monitoring;
        /* Without resctrl the plan's first step fails. */
        e->state.resctrl_own = !rdt->clos && resctrl_find(&root, NULL) == 0 && !resctrl_has(root, e->state.resctrl);
}

static int fill_state(struct entry *e, struct error *err)
{
        struct spec *spec = e->spec;
        const char *path = spec->root.path;
        if (path[0] != '/')
                path = arena_printf(spec->arena, "%s/%s", e->opts->bundle, path);
        const char *rootfs = path ? path_clean(spec->arena, path) : NULL;
        const char *cgroup = expected_cgroup(e);
        if (!rootfs || !cgroup)
                return error_set(err, -ENOMEM, "make container \"%s\"", e->opts->id);
        state_timestamp(e->created, sizeof(e->created));
        e->state = (struct state){
                .kind = STATE_CONTAINER,
                .status = STATUS_CREATING,
                .id = e->opts->id,
                .oci_version = spec->oci_version,
                .bundle = e->opts->bundle,
                .rootfs = rootfs,
                .created = e->created,
                .owner = geteuid(),
                .no_pivot = e->opts->no_pivot,
                .shares_pids = !spec->ns[NS_PID].wanted || spec->ns[NS_PID].path,
                .has_poststop = spec->hooks[HOOK_POSTSTOP].n > 0,
                .annotations = spec->annotations,
                .n_annotations = spec->n_annotations,
                .cgroup = cgroup,
                .cgroup_expected = *cgroup != '\0',
                .unit = e->unit.name,
                .unit_user = e->unit.user,
        };
        expect_resctrl(e);
        int r = process_ref_of(getpid(), &e->state.supervisor);
        return r < 0 ? error_set(err, r, "look at ourselves in /proc") : 0;
}

/* In a frozen cgroup our child would stop in the middle, and we would wait for it for ever. */
static int refuse_frozen(const struct entry *e, struct error *err)
{
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        enum cgroup_freeze frozen = CGROUP_THAWED;
        if (!state_has_cgroup(&e->state))
                return 0;
        int r = cgroup_restore(&e->host.cgroups, e->state.cgroup, &cg, err);
        if (r < 0)
                return r;
        /* What is not there, or cannot be asked, is not frozen. */
        if (cgroup_get_frozen(&cg, &frozen, NULL) < 0 || frozen == CGROUP_THAWED)
                return 0;
        return error_say(err, -EBUSY, "container's cgroup unexpectedly frozen: thaw it, or choose another cgroupsPath");
}

int entry_make(struct entry *e, int root_fd, struct error *err)
{
        int r = fill_state(e, err);
        if (r == 0)
                r = refuse_frozen(e, err);
        if (r < 0)
                return r;
        for (int tries = 0;; tries++) {
                struct error why = ERROR_INIT;
                r = state_dir_create(root_fd, &e->state, &e->dir, err);
                if (r != -EEXIST || tries == 3)
                        break;
                int collected = container_collect(root_fd, e->opts->id, &why);
                if (collected < 0 && collected != -ENOENT) {
                        *err = why;
                        return collected;
                }
                if (collected == 0)
                        break;
        }
        if (r < 0)
                return r;
        /* Nobody reads it before the state says more than `creating`. */
        r = io_create_file(e->dir.fd, CONFIG_FILE, e->config, e->config_size, 0600);
        return r < 0 ? error_set(err, r, "keep a copy of " CONFIG_FILE) : 0;
}

#include "plan/compile.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "plan/compile_parts.h"
#include "plan/plan_build.h"
#include "spec/path_clean.h"

void compile_refuse(struct compile *c, int code, const char *fmt, ...)
{
        char text[ERROR_TEXT_MAX];
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        struct error err = ERROR_INIT;
        (void) error_say(&err, code, "%s", text);
        plan_build_fail(c->b, &err);
}

static const char *rootfs_path(struct compile *c)
{
        const char *path = c->spec->root.path;
        if (path[0] == '/')
                return path;
        const char *joined = arena_printf(c->arena, "%s/%s", c->wish->bundle, path);
        if (!joined)
                compile_refuse(c, -ENOMEM, "no memory to compile the plan");
        return joined ? joined : path;
}

/*
 * Destinations of mounts are places in the rootfs. Some configs write where the host has them, "/bundle/rootfs/data";
 * runc takes that for "/data", too.
 */
static void compile_places(struct compile *c, struct spec *spec)
{
        const char *root = path_clean(c->arena, c->rootfs);
        struct spec_mount *mounts = arena_alloc(c->arena, spec->n_mounts + 1, sizeof(*mounts));
        if (!root || !mounts) {
                compile_refuse(c, -ENOMEM, "no memory to compile the mounts");
                return;
        }
        size_t len = strlen(root);
        for (size_t i = 0; i < spec->n_mounts; i++) {
                mounts[i] = spec->mounts[i];
                const char *place = mounts[i].destination;
                if (len > 1 && strncmp(place, root, len) == 0 && place[len] == '/')
                        mounts[i].destination = place + len;
        }
        spec->mounts = mounts;
}

/* In this order a container comes into being. */
static void compile_all(struct compile *c)
{
        /* outside: what the process is born into */
        compile_rdt(c);
        compile_cgroup(c);
        compile_device_store(c);
        compile_joins_before(c);
        compile_hook_files(c);
        compile_clone(c);
        compile_rdt_enter(c);
        compile_id_maps(c);
        compile_unit(c);
        compile_limits(c);
        compile_creating(c);

        /* inside: its namespaces, its file system */
        compile_signals(c);
        compile_state_ahead(c);
        compile_cgroup_enter(c);
        compile_joins(c);
        compile_names(c);
        compile_label(c);
        compile_rootfs(c);
        compile_mounts(c);
        compile_devices(c);
        compile_console(c);
        compile_sysctl(c);
        compile_hooks(c, HOOK_PRESTART);
        compile_hooks(c, HOOK_CREATE_RUNTIME);
        compile_hooks(c, HOOK_CREATE_CONTAINER);
        compile_protection(c);
        compile_pivot(c);

        /* the process itself */
        compile_place(c);
        compile_hook_state(c);
        compile_privileges(c);
        compile_await_start(c);
        compile_exec(c);
        compile_state(c, PLAN_RUNNING);
        compile_hooks(c, HOOK_POSTSTART);
}

int plan_compile(const struct spec *spec, const struct host *host, const struct wish *wish, void **ret_block,
                 size_t *ret_size, struct error *err)
{
        auto_plan_build struct plan_build *b = plan_build_new();
        auto_arena struct arena *arena = arena_new();
        if (!b || !arena)
                return error_set(err, -ENOMEM, "compile the plan");

        struct spec own = *spec;
        struct compile c = { .b = b, .arena = arena, .spec = &own, .host = host, .wish = wish,
                             .terminal = spec->process.terminal && !wish->stdio };
        c.rootfs = rootfs_path(&c);
        compile_places(&c, &own);
        if (wish->stdio) {
                c.stdio = plan_build_fd(b);
                (void) plan_build_fd(b);
                (void) plan_build_fd(b);
        }
        compile_decide_namespaces(&c);
        compile_cgroup_paths(&c);
        compile_all(&c);
        return plan_build_finish(b, ret_block, ret_size, err);
}

#include <errno.h>

#include "base/str.h"
#include "plan/compile_parts.h"

void compile_hooks(struct compile *c, enum hook_kind kind)
{
        const struct spec_hooks *hooks = &c->spec->hooks[kind];
        for (size_t i = 0; i < hooks->n; i++) {
                const struct spec_hook *h = &hooks->list[i];
                plan_add(c->b, STEP_HOOK, kind, S(c, h->path),
                         plan_build_strv(c->b, h->args),
                         plan_build_strv(c->b, h->env), h->timeout, i, h->has_env ? 0u : 1u);
        }
}

/*
 * startContainer hooks are run by the container's process itself, as it is just
 * before it becomes the program. What it needs for them is opened before it exists.
 */
void compile_hook_files(struct compile *c)
{
        c->runs_hooks = c->spec->hooks[HOOK_START_CONTAINER].n > 0;
        if (!c->runs_hooks)
                return;
        c->hook_files = plan_build_fd(c->b);
        (void) plan_build_fd(c->b);
        plan_add(c->b, STEP_HOOK_FILES, c->hook_files);
}

/* When it is known which process that will be, and before a filter. */
void compile_hook_state(struct compile *c)
{
        if (c->runs_hooks)
                plan_add(c->b, STEP_HOOK_STATE, c->hook_files);
}

void compile_start_hooks(struct compile *c)
{
        const struct spec_hooks *hooks = &c->spec->hooks[HOOK_START_CONTAINER];
        for (size_t i = 0; c->runs_hooks && i < hooks->n; i++) {
                const struct spec_hook *h = &hooks->list[i];
                if (strv_len(h->args) > HOOK_STRINGS_MAX || strv_len(h->env) > HOOK_STRINGS_MAX)
                        compile_refuse(c, -E2BIG, "hooks.startContainer[%zu]: more than %d arguments or variables", i,
                                       HOOK_STRINGS_MAX);
                plan_add(c->b, STEP_RUN_HOOK, S(c, h->path), plan_build_strv(c->b, h->args),
                         plan_build_strv(c->b, h->env), h->timeout, i, h->has_env ? 0u : 1u, c->hook_files);
        }
}

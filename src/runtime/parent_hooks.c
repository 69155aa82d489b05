#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/hook.h"
#include "runtime/parent.h"
#include "spec/spec.h"

int parent_write_state(struct session *s, const struct step *step, struct error *err)
{
        const struct session_ops *ops = s->opts->ops;
        return ops && ops->write_state ? ops->write_state(s->opts->ops_arg, s, (enum plan_state) step->arg[0], err) : 0;
}

/* A vector of the strings in a plan; only the vector is allocated. `first`: what argv[0] is if there is none. */
static const char **vector_of(struct plan_bytes bytes, const char *first)
{
        size_t n = 0;
        for (size_t at = 0; at < bytes.size; at += strlen((const char *) bytes.data + at) + 1)
                n++;
        const char **v = calloc(n + 2, sizeof(*v));
        if (!v)
                return NULL;
        size_t i = 0;
        for (size_t at = 0; at < bytes.size; at += strlen((const char *) bytes.data + at) + 1)
                v[i++] = (const char *) bytes.data + at;
        if (i == 0 && first)
                v[0] = first;
        return v;
}

int parent_hook(struct session *s, const struct step *step, struct error *err)
{
        unsigned kind = (unsigned) step->arg[0];
        const char *path = plan_string(s->plan, s->in, step, 1);
        auto_free const char **argv = vector_of(plan_bytes(s->plan, s->in, step, 2), path);
        auto_free const char **envp = vector_of(plan_bytes(s->plan, s->in, step, 3), NULL);
        if (!argv || !envp)
                return error_set(err, -ENOMEM, "prepare the hook \"%s\"", path);

        auto_free char *state = NULL;
        const struct session_ops *ops = s->opts->ops;
        int r = ops && ops->hook_state ? ops->hook_state(s->opts->ops_arg, s, kind, &state, err) : 0;
        if (r < 0)
                return r;
        /* Without an env of its own (config.md#posix-platform-hooks leaves open what then): what runc has always done. */
        const char *const *env = (const char *const *) envp;
        if (step->arg[6])
                env = kind == HOOK_START_CONTAINER ? s->in->envp : (const char *const *) environ;
        bool inside = kind == HOOK_CREATE_CONTAINER || kind == HOOK_START_CONTAINER;
        const struct hook_run hook = {
                .kind = kind < HOOK_KINDS ? hook_names[kind] : "?", .path = path, .argv = argv, .envp = env,
                .number = (unsigned) step->arg[5],
                .timeout = (unsigned) step->arg[4], .state = state, .enter_pidfd = inside ? s->pidfd : -1,
        };
        return hook_run(&hook, err);
}

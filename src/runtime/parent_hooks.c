#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/io.h"
#include "runtime/hook.h"
#include "runtime/parent.h"
#include "runtime/process_ref.h"
#include "spec/spec.h"

static int write_state(struct session *s, enum plan_state reached, struct error *err)
{
        const struct session_ops *ops = s->opts->ops;
        return ops && ops->write_state ? ops->write_state(s->opts->ops_arg, s, reached, err) : 0;
}

int parent_write_state(struct session *s, const struct step *step, struct error *err)
{
        return write_state(s, (enum plan_state) step->arg[0], err);
}

int parent_state_ahead(struct session *s, const struct step *step, struct error *err)
{
        (void) step;
        return write_state(s, PLAN_FORESEEN, err);
}

int parent_hook_files(struct session *s, const struct step *step, struct error *err)
{
        static const char *const names[] = { "hook-state", "hook-output" };
        for (size_t i = 0; i < 2; i++) {
                int fd = memfd_create(names[i], MFD_CLOEXEC);
                if (fd < 0)
                        return error_set(err, -errno, "prepare the startContainer hooks");
                s->in->fd[step->arg[0] + i] = fd;
        }
        return 0;
}

/* The state that a hook is told; the caller frees it. NULL: nobody knows one. */
static int state_for(const struct session *s, unsigned kind, char **ret_json, struct error *err)
{
        const struct session_ops *ops = s->opts->ops;
        if (!ops || !ops->hook_state)
                return 0;
        /* In the container the pid is the one that is seen there (runtime.md#state). */
        struct session seen = *s;
        if (kind == HOOK_CREATE_CONTAINER || kind == HOOK_START_CONTAINER)
                seen.pid = process_pid_inside(s->pid);
        return ops->hook_state(s->opts->ops_arg, &seen, kind, ret_json, err);
}

int parent_hook_state(struct session *s, const struct step *step, struct error *err)
{
        auto_free char *state = NULL;
        int r = state_for(s, HOOK_START_CONTAINER, &state, err);
        if (r < 0)
                return r;
        const char *text = state ? state : "{}";
        r = io_write_all(s->in->fd[step->arg[0]], text, strlen(text));
        return r < 0 ? error_set(err, r, "write the state for the startContainer hooks") : 0;
}

int parent_hook_ended(const struct session *s, const struct hook_end *end, size_t size, struct error *err)
{
        const struct step *step = end->report.step < s->plan->n_steps ? &s->plan->steps[end->report.step] : NULL;
        if (!step || step->op != STEP_RUN_HOOK || size < offsetof(struct hook_end, words))
                return error_say(err, -EPROTO, "the container's process reports about a hook that there is not");
        char words[sizeof(end->words) + 1];
        snprintf(words, sizeof(words), "%.*s", (int) (size - offsetof(struct hook_end, words)), end->words);
        const struct hook_run hook = { .path = plan_string(s->plan, s->in, step, 0), .timeout = (unsigned) step->arg[3] };
        (void) hook_explain(&hook, end->how, end->report.code, words, err);
        return error_wrap(err, "error running %s hook #%u", hook_names[HOOK_START_CONTAINER], (unsigned) step->arg[4]);
}

const char **parent_vector(struct plan_bytes bytes, const char *first)
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
        auto_free const char **argv = parent_vector(plan_bytes(s->plan, s->in, step, 2), path);
        auto_free const char **envp = parent_vector(plan_bytes(s->plan, s->in, step, 3), NULL);
        if (!argv || !envp)
                return error_set(err, -ENOMEM, "prepare the hook \"%s\"", path);

        auto_free char *state = NULL;
        int r = state_for(s, kind, &state, err);
        if (r < 0)
                return r;
        /* Without an env of its own (config.md#posix-platform-hooks leaves open what then): what runc has always done. */
        const char *const *env = step->arg[6] ? NULL : (const char *const *) envp;
        struct hook_run hook = {
                .kind = kind < HOOK_KINDS ? hook_names[kind] : "?", .path = path, .argv = argv, .envp = env,
                .number = (unsigned) step->arg[5],
                .timeout = (unsigned) step->arg[4], .state = state,
                .enter_pidfd = kind == HOOK_CREATE_CONTAINER ? s->pidfd : -1,
        };
        const struct session_ops *ops = s->opts->ops;
        if (ops && ops->hook_place)
                ops->hook_place(s->opts->ops_arg, &hook);
        return hook_run(&hook, err);
}

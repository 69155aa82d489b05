#include <errno.h>

#include "runtime/container_parts.h"
#include "runtime/hook.h"
#include "runtime/jot.h"

/* runtime.md#lifecycle: what a hook of this kind is to be told. */
static const enum state_status hook_status[HOOK_KINDS] = {
        [HOOK_PRESTART] = STATUS_CREATING,
        [HOOK_CREATE_RUNTIME] = STATUS_CREATING,
        [HOOK_CREATE_CONTAINER] = STATUS_CREATING,
        [HOOK_START_CONTAINER] = STATUS_CREATED,
        [HOOK_POSTSTART] = STATUS_RUNNING,
        [HOOK_POSTSTOP] = STATUS_STOPPED,
};

int recorder_hook_json(const struct state *state, enum hook_kind kind, char **ret_json, struct error *err)
{
        auto_jot struct jot j = JOT_INIT(0);
        state_jot(&j, state, hook_status[kind], NULL);
        char *json = jot_take(&j);
        if (!json)
                return error_set(err, -ENOMEM, "write the state for a hook");
        *ret_json = json;
        return 0;
}

static int hook_state(void *arg, const struct session *s, unsigned kind, char **ret_json, struct error *err)
{
        const struct recorder *rec = arg;
        /* Hooks can come before the first write-state. */
        struct state now = *rec->state;
        now.process.pid = s->pid;
        return recorder_hook_json(&now, (enum hook_kind) kind, ret_json, err);
}

void hook_place(const struct state *state, struct hook_run *hook)
{
        hook->cwd = state->bundle;
        hook->stdout_path = spec_annotation(state->annotations, state->n_annotations, "run.oci.hooks.stdout");
        hook->stderr_path = spec_annotation(state->annotations, state->n_annotations, "run.oci.hooks.stderr");
}

static void place_hook(void *arg, struct hook_run *hook)
{
        const struct recorder *rec = arg;
        hook_place(rec->state, hook);
}

static int write_state(void *arg, const struct session *s, enum plan_state reached, struct error *err)
{
        static const enum state_status status[] = {
                [PLAN_CREATING] = STATUS_CREATING, [PLAN_CREATED] = STATUS_CREATED, [PLAN_RUNNING] = STATUS_RUNNING,
                [PLAN_FORESEEN] = STATUS_RUNNING,
        };
        struct recorder *rec = arg;
        struct state *st = rec->state;
        if (reached == PLAN_RUNNING && st->foreseen)
                return state_confirm(rec->dir, st, err);
        /* A process that has already ended is nothing special: its state is `stopped` then. */
        struct process_ref ref = { .pid = s->pid };
        int r = process_ref_of(s->pid, &ref);
        if (r < 0 && r != -ESRCH)
                return error_set(err, r, "look at process %d", (int) s->pid);
        st->process = ref;
        st->status = status[reached];
        st->foreseen = reached == PLAN_FORESEEN;
        if (s->cgroup.host && !rec->cgroup) {
                r = cgroup_save(&s->cgroup, &rec->cgroup, err);
                if (r < 0)
                        return r;
                st->cgroup = rec->cgroup;
                st->cgroup_expected = false;
        }
        if (s->resctrl.fd >= 0)
                st->resctrl_own = st->resctrl_own && s->resctrl.made;
        if (reached != PLAN_CREATING && !rec->keeps_supervisor)
                st->supervisor = (struct process_ref){ 0 };
        return state_write(rec->dir, st, err);
}

const struct session_ops recorder_ops = { .write_state = write_state, .hook_state = hook_state,
                                         .hook_place = place_hook };

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "launcher/spawner.h"
#include "runtime/hook.h"
#include "runtime/jot.h"
#include "runtime/session.h"
#include "runtime/state.h"

static enum state_status status_at(enum hook_kind kind)
{
        return kind == HOOK_POSTSTOP      ? STATUS_STOPPED
               : kind == HOOK_POSTSTART   ? STATUS_RUNNING
               : kind == HOOK_START_CONTAINER ? STATUS_CREATED
                                          : STATUS_CREATING;
}

/* An instance has no entry of its own; to hooks it is a container all the same, named after job and rank. */
static int state_json(const struct spawner_job *job, unsigned rank, pid_t pid, enum hook_kind kind, char **ret_json,
                      struct error *err)
{
        char id[STATE_ID_MAX + 32];
        snprintf(id, sizeof(id), "%s.%u", job->id, rank);
        struct state st = { .id = id, .oci_version = job->spec->oci_version, .bundle = job->bundle,
                            .rootfs = job->spec->root.path, .process = { .pid = pid },
                            .annotations = job->spec->annotations, .n_annotations = job->spec->n_annotations };
        auto_jot struct jot j = JOT_INIT(0);
        state_jot(&j, &st, status_at(kind), NULL);
        *ret_json = jot_take(&j);
        return *ret_json ? 0 : error_set(err, -ENOMEM, "write the state for a hook");
}

static void place(const struct spawner_job *job, struct hook_run *hook)
{
        const struct spec *spec = job->spec;
        hook->cwd = job->bundle;
        hook->stdout_path = spec_annotation(spec->annotations, spec->n_annotations, "run.oci.hooks.stdout");
        hook->stderr_path = spec_annotation(spec->annotations, spec->n_annotations, "run.oci.hooks.stderr");
}

void spawner_hook_place(void *arg, struct hook_run *hook)
{
        const struct spawner_rank *r = arg;
        place(r->job, hook);
}

int spawner_hook_state(void *arg, const struct session *s, unsigned kind, char **ret_json, struct error *err)
{
        const struct spawner_rank *r = arg;
        return state_json(r->job, r->rank, s->pid, (enum hook_kind) kind, ret_json, err);
}

/* runtime.md#lifecycle: what a poststop hook says changes nothing any more; the others run all the same. */
void spawner_poststop(const struct spawner_job *job, unsigned rank)
{
        const struct spec_hooks *hooks = &job->spec->hooks[HOOK_POSTSTOP];
        auto_free char *json = NULL;
        if (state_json(job, rank, 0, HOOK_POSTSTOP, &json, NULL) < 0)
                return;
        for (size_t i = 0; i < hooks->n; i++) {
                const struct spec_hook *h = &hooks->list[i];
                const char *const just_path[] = { h->path, NULL }, *const nothing[] = { NULL };
                struct hook_run run = {
                        .kind = hook_names[HOOK_POSTSTOP], .path = h->path, .timeout = h->timeout, .state = json,
                        .argv = h->args ? (const char *const *) h->args : just_path, .number = (unsigned) i,
                        .enter_pidfd = -1,
                };
                if (h->has_env)
                        run.envp = h->env ? (const char *const *) h->env : nothing;
                place(job, &run);
                ignore_result(hook_run(&run, NULL));
        }
}

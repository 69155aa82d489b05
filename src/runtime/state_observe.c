#include "runtime/state.h"

#include <errno.h>

#include "runtime/jot.h"

const char *const status_names[STATUSES] = {
        [STATUS_CREATING] = "creating", [STATUS_CREATED] = "created", [STATUS_RUNNING] = "running",
        [STATUS_PAUSED] = "paused",     [STATUS_STOPPED] = "stopped",
};

int state_open_cgroup(const struct state *state, struct cgroup_host *host, struct cgroup *ret_cgroup, struct error *err)
{
        int r = cgroup_host_probe(host, err);
        if (r == 0)
                r = cgroup_restore(host, state_has_cgroup(state) ? state->cgroup : "", ret_cgroup, err);
        return r < 0 ? error_wrap(err, "cgroup of container \"%s\"", state->id) : 0;
}

static bool is_frozen(const struct state *state)
{
        struct cgroup_host host;
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        enum cgroup_freeze frozen = CGROUP_THAWED;
        /* A cgroup that cannot be asked is not known to be frozen: the container counts as running. */
        return state_has_cgroup(state) && state_open_cgroup(state, &host, &cg, NULL) == 0 &&
               cgroup_get_frozen(&cg, &frozen, NULL) == 0 &&
               frozen == CGROUP_FROZEN;
}

int state_observe(const struct state *state, struct observed *ret, struct error *err)
{
        auto_observed struct observed now = OBSERVED_INIT;
        bool supervised = state->supervisor.pid != 0 && process_ref_alive(&state->supervisor);
        int r = process_ref_open(&state->process, &now.pidfd);
        if (r < 0 && r != -ESRCH)
                return error_set(err, r, "look for process %d of container \"%s\"", (int) state->process.pid,
                                 state->id);

        if (r == 0)
                now.status = state->foreseen ? STATUS_CREATING : state->status;
        else if (state->process.pid == 0 && supervised)
                now.status = STATUS_CREATING;
        else
                now.stale = state->supervisor.pid != 0 && !supervised;

        if (r == 0 && now.status != STATUS_CREATING && is_frozen(state))
                now.status = STATUS_PAUSED;
        *ret = now;
        now.pidfd = -1;
        return 0;
}

void state_jot(struct jot *j, const struct state *state, enum state_status status, const char *owner)
{
        bool alive = status != STATUS_STOPPED;
        bool oci = owner == NULL;
        jot_open(j, NULL, '{');
        jot_text(j, "ociVersion", state->oci_version);
        jot_text(j, "id", state->id);
        if (oci)
                jot_text(j, "status", status_names[status]);
        if (!oci || (alive && state->process.pid > 0))
                jot_number(j, "pid", alive ? state->process.pid : 0);
        if (!oci)
                jot_text(j, "status", status_names[status]);
        jot_text(j, "bundle", state->bundle);
        if (!oci) {
                jot_text(j, "rootfs", state->rootfs);
                jot_text(j, "created", state->created);
        }
        if (state->n_annotations > 0) {
                jot_open(j, "annotations", '{');
                for (size_t i = 0; i < state->n_annotations; i++)
                        jot_text(j, state->annotations[i].key, state->annotations[i].value);
                jot_close(j, '}');
        }
        if (!oci) {
                jot_text(j, "owner", owner);
        }
        jot_close(j, '}');
}

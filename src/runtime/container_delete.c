#include "runtime/container.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "cgroups/systemd.h"
#include "runtime/container_parts.h"
#include "runtime/hook.h"
#include "syscall/sys.h"

#define DEATH_WAIT_MS 10000
#define EXPECTED_TRIES 200
#define EXPECTED_PAUSE_NS 10000000      /* 10 ms */

void container_poststop(const struct spec *spec, const struct state *state, struct error *warning)
{
        auto_free char *json = NULL;
        const struct spec_hooks *hooks = &spec->hooks[HOOK_POSTSTOP];
        if (recorder_hook_json(state, HOOK_POSTSTOP, &json, warning) < 0)
                return;
        /* All of them run, whatever the others said. */
        for (size_t i = 0; i < hooks->n; i++) {
                struct error why = ERROR_INIT;
                const struct spec_hook *hook = &hooks->list[i];
                const char *only_path[] = { hook->path, NULL }, *no_env[] = { NULL };
                struct hook_run run = {
                        .kind = hook_names[HOOK_POSTSTOP],
                        .number = (unsigned) i,
                        .path = hook->path,
                        .argv = hook->args ? hook->args : only_path,
                        .envp = !hook->has_env ? NULL : hook->env ? hook->env : no_env,
                        .timeout = hook->timeout,
                        .state = json,
                        .enter_pidfd = -1,
                };
                hook_place(state, &run);
                if (hook_run(&run, &why) < 0)
                        *warning = why;
        }
}

/*
 * A cgroup of which it is not known whether we made it: removed if it is empty,
 * or becomes so because its process ends together with a killed creator. If not,
 * it is somebody else's.
 */
static int remove_expected(struct cgroup *cgroup, struct error *err)
{
        for (int i = 0; i < EXPECTED_TRIES; i++) {
                auto_free pid_t *pids = NULL;
                size_t n = 0;
                int r = cgroup_pids(cgroup, &pids, &n, err);
                if (r < 0)
                        return r;
                if (n == 0)
                        return cgroup_remove(cgroup, err);
                (void) nanosleep(&(struct timespec){ .tv_nsec = EXPECTED_PAUSE_NS },
                                 NULL); /* a shorter pause is fine */
        }
        return 0;
}

/* Where there is no resctrl any more, there is no class either. */
static int remove_class(const struct state *state, struct error *err)
{
        auto_fd int root = -1;
        if (!state_has_resctrl(state) || (!state->resctrl_own && !state->resctrl_monitored) || resctrl_find(&root, NULL) < 0)
                return 0;
        return resctrl_remove(root, state->resctrl, state->resctrl_own ? NULL : state->id, err);
}

int container_destroy(struct state_dir *dir, const struct state *state, struct cgroup *cgroup, struct error *warning,
                      struct error *err)
{
        auto_spec struct spec *spec = NULL;
        int first = 0;
        if (state->has_poststop && found_read_spec(dir, &spec, warning) < 0)
                spec = NULL;

        if (cgroup && state->cgroup_expected) {
                first = remove_expected(cgroup, err);
        } else if (cgroup && state_has_cgroup(state)) {
                first = cgroup_kill(cgroup, SIGKILL, err);
                if (first == 0 && state_has_unit(state))
                        first = systemd_stop(state->unit, state->unit_user, err);
                if (first == 0)
                        first = cgroup_remove(cgroup, err);
        }
        struct error why = ERROR_INIT;
        int then = remove_class(state, &why);
        int removed = state_dir_remove(dir, then < 0 ? NULL : &why);
        then = then < 0 ? then : removed;
        if (first == 0 && then < 0) {
                first = then;
                *err = why;
        }
        if (spec)
                container_poststop(spec, state, warning);
        return first;
}

/* Destroy what another process made. */
static int destroy_found(struct found *c, struct error *warning, struct error *err)
{
        struct cgroup_host host;
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        if (!state_has_cgroup(&c->state))
                return container_destroy(&c->dir, &c->state, NULL, warning, err);
        int r = state_open_cgroup(&c->state, &host, &cg, err);
        return r < 0 ? r : container_destroy(&c->dir, &c->state, &cg, warning, err);
}

/* SIGKILL to the first process, and wait until it is gone. */
static int end_process(const struct found *c, struct error *err)
{
        if (c->now.pidfd < 0)
                return 0;
        struct cgroup_host host;
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        int r = sys_pidfd_kill(c->now.pidfd, SIGKILL);
        if (r < 0 && r != -ESRCH)
                return error_set(err, r, "kill container \"%s\"", c->state.id);
        /* v1 delivers the signal once thawed. On v2 it may be gone already, and the cgroup as well, which systemd removes. */
        if (c->now.status == STATUS_PAUSED) {
                r = state_open_cgroup(&c->state, &host, &cg, err);
                if (r == 0)
                        ignore_result(cgroup_set_frozen(&cg, CGROUP_THAWED, NULL)); /* who does not end is told of below */
                if (r < 0)
                        return r;
        }
        struct pollfd p = { .fd = c->now.pidfd, .events = POLLIN };
        do
                r = poll(&p, 1, DEATH_WAIT_MS);
        while (r < 0 && errno == EINTR);
        return r > 0 ? 0
                     : error_say(err, -EBUSY, "container \"%s\" does not end: process %d was killed and is still there",
                                 c->state.id, (int) c->state.process.pid);
}

/* An entry without a readable state: nothing to end, but its directory goes. */
static int delete_remains(int root_fd, const char *id)
{
        auto_state_dir struct state_dir dir = STATE_DIR_INIT;
        auto_state struct state st = STATE_INIT;
        int r = state_dir_open(root_fd, id, &dir, NULL);
        if (r == 0)
                r = state_dir_lock(&dir, NULL);
        if (r < 0)
                return r;
        /* It may be another one by now, whole and alive. */
        r = state_read(&dir, &st, NULL);
        if (r != -ENOENT && r != -EINVAL)
                return r < 0 ? r : -EBUSY;
        return state_dir_remove(&dir, NULL);
}

static int delete_found(int root_fd, const char *id, bool force, struct error *warning, struct error *err)
{
        auto_found struct found c = FOUND_INIT;
        /* Killing needs no lock: who holds it may be waiting for the very process. */
        int r = found_open(&c, root_fd, id, false, err);
        if (r < 0)
                return r;
        if (!force && c.now.status != STATUS_STOPPED && c.now.status != STATUS_CREATED)
                return error_say(err, -EBUSY, "cannot delete container %s that is not stopped: %s", id,
                                 status_names[c.now.status]);
        r = end_process(&c, err);
        found_clear(&c);
        if (r == 0)
                r = found_open(&c, root_fd, id, true, err);
        /* The foreground run that owned it may have been quicker. */
        if (r == -ENOENT)
                return 0;
        return r < 0 ? r : destroy_found(&c, warning, err);
}

int container_delete(int root_fd, const char *id, bool force, struct error *warning, struct error *err)
{
        int r = state_check_id(id, err);
        if (r < 0)
                return r;
        state_sweep(root_fd);
        r = delete_found(root_fd, id, force, warning, err);
        if (r == -ENOENT || (force && r == -EINVAL)) {
                int removed = delete_remains(root_fd, id);
                if (force && (removed == 0 || removed == -ENOENT))
                        return 0;
        }
        return r;
}

int container_collect(int root_fd, const char *id, struct error *err)
{
        auto_found struct found c = FOUND_INIT;
        struct error warning = ERROR_INIT;      /* nobody is left to be told about a hook */
        int r = found_open(&c, root_fd, id, false, err);
        if (r < 0 || !c.now.stale)
                return r;
        found_clear(&c);
        r = found_open(&c, root_fd, id, true, err);
        if (r < 0)
                return r == -ENOENT ? 1 : r;
        if (!c.now.stale)
                return 0;
        r = destroy_found(&c, &warning, err);
        return r < 0 ? error_wrap(err, "clean up after container \"%s\"", id) : 1;
}

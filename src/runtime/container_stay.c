#include <errno.h>

#include "runtime/container_parts.h"
#include "runtime/supervise.h"

/* The process has ended: leave the stopped container, or nothing. */
static int finish(const struct stay *s, struct error *warning, struct error *err)
{
        struct entry *e = s->entry;
        int r = state_dir_lock(&e->dir, err);
        if (r == -ENOENT)       /* `delete --force` or `checkpoint` was quicker */
                return 0;
        if (r == 0 && e->opts->keep) {
                e->state.supervisor = (struct process_ref){ 0 };
                return state_write(&e->dir, &e->state, err);
        }
        return r < 0 ? r : container_destroy(&e->dir, &e->state, &s->session->cgroup, warning, err);
}

int container_stay(const struct stay *s, int root_fd, int *ret_status, struct error *warning, struct error *err)
{
        auto_watch struct watch watch = WATCH_INIT;
        struct entry *e = s->entry;
        int r = 0, status = 255;
        state_dir_unlock(&e->dir);
        if (s->watched)
                r = watch_begin(&watch, root_fd, &e->dir, &e->state, &s->session->cgroup, err);
        if (r == 0)
                r = supervise_wait(s->sup, s->session->pidfd, s->console, &status, err);
        if (r < 0) {
                struct error more = ERROR_INIT;
                if (container_delete(root_fd, e->opts->id, true, warning, &more) < 0)
                        *warning = more;
                return r;
        }
        log_say(e->opts->log, "process %d ended: status %d", (int) s->session->pid, status);
        fd_close(take_fd(&s->session->pidfd));
        /* The container did what it was asked to: what goes wrong from here on does not change its status. */
        struct error why = ERROR_INIT;
        if (finish(s, warning, &why) < 0)
                *warning = why;
        session_release(s->session);
        if (s->console)
                supervise_drain(s->console);
        *ret_status = status;
        return 0;
}

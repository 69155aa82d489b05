#include "runtime/events.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

#include "cgroups/oom.h"
#include "runtime/container_parts.h"
#include "runtime/jot.h"

struct watched {
        struct found c;
        struct cgroup_host host;
        struct cgroup cg;
        struct resctrl resctrl;
};

#define WATCHED_INIT ((struct watched){ .c = FOUND_INIT, .cg = CGROUP_INIT, .resctrl = RESCTRL_INIT })

static void watched_clear_p(struct watched *w)
{
        resctrl_clear(&w->resctrl);
        cgroup_clear(&w->cg);
        found_clear(&w->c);
}
#define auto_watched __attribute__((cleanup(watched_clear_p)))

static int open_class(struct watched *w, struct error *err)
{
        const struct state *st = &w->c.state;
        int r = resctrl_find(&w->resctrl.root_fd, err);
        return r < 0 ? r : resctrl_reopen(&w->resctrl, st->resctrl, st->resctrl_monitored ? st->id : NULL, err);
}

static int watched_open(struct watched *w, int root_fd, const char *id, struct error *err)
{
        int r = found_open(&w->c, root_fd, id, false, err);
        if (r < 0)
                return r;
        if (w->c.now.pidfd < 0)
                return error_say(err, -ESRCH, "container with id %s is not running", id);
        /* Without a cgroup of its own (an ordinary user's) the numbers are 0, as with runc. */
        r = state_open_cgroup(&w->c.state, &w->host, &w->cg, err);
        return r < 0 || !state_has_resctrl(&w->c.state) ? r : open_class(w, err);
}

static int stats_line(const struct watched *w, char **ret_line, struct error *err)
{
        auto_arena struct arena *arena = arena_new();
        struct cgroup_stats stats;
        struct resctrl_stats rdt;
        bool has_class = state_has_resctrl(&w->c.state);
        int r = arena ? cgroup_stats_read(&w->cg, arena, &stats) : -ENOMEM;
        if (r == 0 && has_class && resctrl_stats_read(&w->resctrl, arena, &rdt, err) < 0)
                return -EIO;
        char *line = r == 0 ? events_format(w->c.state.id, &stats, has_class ? &rdt : NULL) : NULL;
        if (!line)
                return error_set(err, r < 0 ? r : -ENOMEM, "read what container \"%s\" uses", w->c.state.id);
        *ret_line = line;
        return 0;
}

int events_stats(int root_fd, const char *id, char **ret_line, struct error *err)
{
        auto_watched struct watched w = WATCHED_INIT;
        int r = watched_open(&w, root_fd, id, err);
        return r < 0 ? r : stats_line(&w, ret_line, err);
}

/* ---- following ---- */

struct sink {
        events_fn *fn;
        void *arg;
};

static int tell_stats(const struct watched *w, const struct sink *to, struct error *err)
{
        auto_free char *line = NULL;
        int r = stats_line(w, &line, err);
        return r < 0 ? r : to->fn(to->arg, line, err);
}

static int tell_oom(const struct watched *w, const struct sink *to, struct error *err)
{
        auto_jot struct jot j = JOT_INIT(0);
        jot_open(&j, NULL, '{');
        jot_text(&j, "type", "oom");
        jot_text(&j, "id", w->c.state.id);
        jot_close(&j, '}');
        auto_free char *line = jot_take(&j);
        return line ? to->fn(to->arg, line, err) : error_set(err, -ENOMEM, "write an event");
}

static uint64_t now_ns(void)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000000u + (uint64_t) t.tv_nsec;
}

static int follow(const struct watched *w, struct oom_watch *oom, uint64_t interval_ns, const struct sink *to,
                  struct error *err)
{
        for (uint64_t next = now_ns() + interval_ns;;) {
                struct pollfd p[] = { { .fd = w->c.now.pidfd, .events = POLLIN }, { .fd = oom->fd, .events = POLLIN } };
                uint64_t now = now_ns(), left = next > now ? next - now : 0;
                const struct timespec wait = { (time_t) (left / 1000000000u), (long) (left % 1000000000u) };
                if (ppoll(p, 2, &wait, NULL) < 0 && errno != EINTR)
                        return error_set(err, -errno, "wait for container \"%s\"", w->c.state.id);
                /* Also at the end, which may be why: the notice can come later than the process goes. */
                int r = oom_watch_happened(oom) ? tell_oom(w, to, err) : 0;
                if (r != 0 || p[0].revents)
                        return r;
                if (now_ns() < next)
                        continue;
                r = tell_stats(w, to, err);
                if (r != 0)
                        return r;
                /* A reader that was slow does not get the missed ones in a burst. */
                next = next + interval_ns > now_ns() ? next + interval_ns : now_ns() + interval_ns;
        }
}

int events_follow(int root_fd, const char *id, uint64_t interval_ns, events_fn *fn, void *arg, struct error *err)
{
        auto_watched struct watched w = WATCHED_INIT;
        auto_oom_watch struct oom_watch oom = OOM_WATCH_INIT;
        const struct sink to = { fn, arg };
        int r = watched_open(&w, root_fd, id, err);
        if (r < 0)
                return r;
        r = oom_watch_open(&w.cg, &oom, err);
        if (r < 0 && r != -EOPNOTSUPP)  /* without a memory controller it cannot run out */
                return error_wrap(err, "container \"%s\"", id);
        return follow(&w, &oom, interval_ns, &to, err);
}

#include "cgroups/oom.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/io.h"
#include "cgroups/files.h"

/* -errno: the cgroup is gone. */
static int read_kills(const struct oom_watch *w, uint64_t *ret)
{
        char text[512];
        ssize_t n = pread(w->file_fd, text, sizeof(text) - 1, 0);
        if (n < 0)
                return -errno;
        text[n] = '\0';
        return w->v2 ? flat_value(text, "oom_kill", ret) : 0;
}

static int open_v2(struct oom_watch *w, struct error *err)
{
        char path[32];
        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", w->file_fd); /* fits */
        w->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (w->fd < 0 || inotify_add_watch(w->fd, path, IN_MODIFY) < 0)
                return error_set(err, -errno, "watch \"memory.events\"");
        ignore_result(read_kills(w, &w->seen)); /* just gone: then nothing will be counted */
        return 0;
}

static int open_v1(struct oom_watch *w, int dir, struct error *err)
{
        char text[32];
        w->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (w->fd < 0)
                return error_set(err, -errno, "open an eventfd");
        (void) snprintf(text, sizeof(text), "%d %d", w->fd, w->file_fd); /* fits */
        int r = io_write_file(dir, "cgroup.event_control", text);
        return r < 0 ? error_set(err, r, "write \"%s\" to \"cgroup.event_control\"", text) : 0;
}

int oom_watch_open(const struct cgroup *cgroup, struct oom_watch *ret, struct error *err)
{
        const struct cgroup_hierarchy *h = cgroup->host ? cgroup_find(cgroup->host, "memory") : NULL;
        int dir = h ? cgroup->dir[h - cgroup->host->h].fd : -1;
        auto_oom_watch struct oom_watch w = OOM_WATCH_INIT;
        if (dir < 0)
                return error_say(err, -EOPNOTSUPP, "the cgroup has no memory controller");
        const char *file = h->v2 ? "memory.events" : "memory.oom_control";
        w.v2 = h->v2;
        w.file_fd = openat(dir, file, O_RDONLY | O_CLOEXEC);
        if (w.file_fd < 0 && errno == ENOENT)
                return error_say(err, -EOPNOTSUPP, "the cgroup has no memory controller");
        if (w.file_fd < 0)
                return error_set(err, -errno, "open \"%s\"", file);
        int r = w.v2 ? open_v2(&w, err) : open_v1(&w, dir, err);
        if (r < 0)
                return r;
        *ret = w;
        w = OOM_WATCH_INIT;
        return 0;
}

bool oom_watch_happened(struct oom_watch *w)
{
        uint64_t kills = 0, count = 0;
        if (w->fd < 0)
                return false;
        if (w->v2) {
                char events[4096];
                while (read(w->fd, events, sizeof(events)) > 0)
                        ;
                bool more = read_kills(w, &kills) == 0 && kills > w->seen;
                w->seen = more ? kills : w->seen;
                return more;
        }
        bool gone = read_kills(w, &kills) < 0;
        if (read(w->fd, &count, sizeof(count)) != sizeof(count))
                return false;
        return count > (gone ? 1u : 0u);        /* the end of the cgroup counts as one */
}

void oom_watch_close(struct oom_watch *w)
{
        fd_close(w->fd);
        fd_close(w->file_fd);
        *w = OOM_WATCH_INIT;
}

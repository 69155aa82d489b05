#include "cgroups/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cgroups/files.h"

#define PATIENCE_US 2000000u

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the cgroups are nested */
static int remove_child(int dirfd, const char *name, void *arg)
{
        struct patience *p = arg;
        for (;;) {
                if (unlinkat(dirfd, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
                        return 0;
                if (errno != EBUSY)
                        return -errno;
                auto_fd int fd = openat(dirfd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
                if (fd >= 0 && has_children(fd)) {
                        int r = each_child(fd, remove_child, p);
                        if (r < 0)
                                return r;
                        continue;
                }
                /* A process leaves its cgroup a little after its parent hears that it is gone. */
                if (!patience_wait(p, PATIENCE_US))
                        return -EBUSY;
        }
}

static int explain(const struct cgroup *cgroup, size_t i, int r, struct error *err)
{
        const char *mount = cgroup->host->h[i].mount_point, *path = cgroup->dir[i].path;
        char pids[32] = "";
        if (r == -EBUSY && file_read(cgroup->dir[i].fd, "cgroup.procs", pids, sizeof(pids)) == 0 && pids[0])
                return error_say(err, r, "remove cgroup \"%s%s\": process %.*s is still in it", mount, path,
                                 (int) strcspn(pids, "\n"), pids);
        return error_set(err, r, "remove cgroup \"%s%s\"", mount, path);
}

int cgroup_remove(struct cgroup *cgroup, struct error *err)
{
        struct patience p = PATIENCE_INIT;
        int result = 0;
        for (size_t i = 0; cgroup->host && i < cgroup->host->n; i++) {
                struct cgroup_dir *dir = &cgroup->dir[i];
                if (dir->fd < 0 || !dir->created)
                        continue;
                /* Through its own descriptor: "../leaf" is in the right parent whatever was mounted meanwhile. */
                char up[300];
                const char *leaf = strrchr(dir->path, '/');
                int n = snprintf(up, sizeof(up), "..%s", leaf ? leaf : "");
                int r = !leaf || n < 0 || (size_t) n >= sizeof(up) ? -EINVAL : remove_child(dir->fd, up, &p);
                if (r < 0 && result == 0)
                        result = explain(cgroup, i, r, err);
                if (r < 0)
                        continue;
                fd_close(dir->fd);
                free(dir->path);
                *dir = (struct cgroup_dir){ .fd = -1 };
        }
        return result;
}

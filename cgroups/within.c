/*
 * Other places within a container's cgroup: where `exec --cgroup` wants its process, and where the container's first
 * process moved to.
 */
#include "cgroups/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "cgroups/files.h"

static bool climbs(const char *path)
{
        for (const char *at = path; *at; at += strcspn(at, "/")) {
                at += strspn(at, "/");
                if (strcspn(at, "/") == 2 && strncmp(at, "..", 2) == 0)
                        return true;
        }
        return false;
}

/* Which hierarchies these controllers are in: "cpu,memory", all for "". */
static int choose(const struct cgroup_host *host, const char *controllers, size_t len, cgroup_set *ret, struct error *err)
{
        cgroup_set set = 0;
        if (len > 0 && host->mode == CGROUP_V2)
                return error_say(err, -EINVAL, "cgroup v2 has no controllers to choose from: give just the path");
        for (size_t at = 0; at < len;) {
                size_t n = 0;
                while (at + n < len && controllers[at + n] != ',')
                        n++;
                size_t i = 0;
                while (i < host->n && (host->h[i].v2 || !list_has(host->h[i].controllers, ',', controllers + at, n)))
                        i++;
                if (i == host->n)
                        return error_say(err, -EINVAL, "unknown controller \"%.*s\"", (int) n, controllers + at);
                set |= (cgroup_set) 1 << i;
                at += n + 1;
        }
        *ret = len > 0 ? set : CGROUP_ALL;
        return 0;
}

/* Names of cgroupfs are no links: without ".." the path stays below. */
static int descend(struct cgroup_dir *dir, const char *path)
{
        path += strspn(path, "/");
        if (!*path)
                return 0;
        auto_fd int fd = openat(dir->fd, path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        auto_str struct str s = STR_INIT;
        str_addf(&s, "%s/%s", strcmp(dir->path, "/") == 0 ? "" : dir->path, path);
        char *whole = str_take(&s);
        if (!whole)
                return -ENOMEM;
        fd_close(dir->fd);
        free(dir->path);
        dir->fd = take_fd(&fd);
        dir->path = whole;
        return 0;
}

int cgroup_descend(struct cgroup *cgroup, const char *where, struct error *err)
{
        const char *colon = strchr(where, ':'), *path = colon ? colon + 1 : where;
        cgroup_set set = 0;
        if (climbs(path))
                return error_say(err, -EINVAL, "bad sub cgroup path \"%s\": it has to stay within the container's", path);
        int r = cgroup->host ? choose(cgroup->host, where, colon ? (size_t) (colon - where) : 0, &set, err) : 0;
        if (r < 0)
                return r;
        for (size_t i = 0; cgroup->host && i < cgroup->host->n; i++) {
                struct cgroup_dir *dir = &cgroup->dir[i];
                if (!(set >> i & 1) || dir->fd < 0)
                        continue;
                r = descend(dir, path);
                if (r < 0)
                        return error_set(err, r, "adding pid of the process to cgroup \"%s\" of %s%s", path,
                                         cgroup->host->h[i].mount_point, dir->path);
        }
        return 0;
}

int cgroup_follow(struct cgroup *cgroup, const char *saved, pid_t pid, struct error *err)
{
        char file[64], enabled[256], path[PATH_MAX];
        size_t i = 0;
        while (cgroup->host && i < cgroup->host->n && !cgroup->host->h[i].v2)
                i++;
        if (!cgroup->host || i == cgroup->host->n || (saved[0] != ':' && !strstr(saved, "\n:")))
                return 0;
        struct cgroup_dir *dir = &cgroup->dir[i];
        if (dir->fd >= 0 && (file_read(dir->fd, "cgroup.subtree_control", enabled, sizeof(enabled)) < 0 || !enabled[0]))
                return 0;
        (void) snprintf(file, sizeof(file), "/proc/%d/cgroup", (int) pid);
        auto_free char *text = NULL;
        int r = io_read_file(AT_FDCWD, file, 1u << 20, &text, NULL);
        if (r < 0)
                return error_set(err, r, "read \"%s\"", file);
        const char *line = str_starts(text, "0::/") ? text : strstr(text, "\n0::/");
        if (!line)
                return 0;
        line = strchr(line, '/');
        int n = snprintf(path, sizeof(path), "%.*s", (int) strcspn(line, "\n"), line);
        if (n < 0 || (size_t) n >= sizeof(path))
                return error_set(err, -ENAMETOOLONG, "the cgroup of process %d", (int) pid);
        struct cgroup_dir there = { .fd = -1 };
        r = open_cgroup_dir(&cgroup->host->h[i], path, &there, err);
        if (r < 0 || there.fd < 0)
                return r < 0 ? r : error_say(err, -ENOENT, "the cgroup of process %d is not visible: \"%s\"", (int) pid, path);
        fd_close(dir->fd);
        free(dir->path);
        *dir = there;
        dir->created = false;
        return 0;
}

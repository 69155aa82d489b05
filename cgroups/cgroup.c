#include "cgroups/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "cgroups/files.h"

#define FILE_MAX (16u << 20)

static const struct cgroup_dir *dir_of(const struct cgroup *cgroup, const char *controller,
                                       const struct cgroup_hierarchy **ret_h, struct error *err)
{
        const struct cgroup_hierarchy *h = cgroup->host ? cgroup_find(cgroup->host, controller) : NULL;
        if (!h) {
                (void) error_say(err, -ENOENT, "no %s cgroup hierarchy is mounted", *controller ? controller : "v2");
                return NULL;
        }
        const struct cgroup_dir *dir = &cgroup->dir[h - cgroup->host->h];
        if (dir->fd < 0) {
                (void) error_say(err, -ENOENT, "the container has no cgroup in the %s hierarchy",
                                 h->v2 ? "v2" : h->controllers);
                return NULL;
        }
        *ret_h = h;
        return dir;
}

bool cgroup_has(const struct cgroup *cgroup, const char *controller)
{
        const struct cgroup_hierarchy *h;
        return dir_of(cgroup, controller, &h, NULL) != NULL;
}

/* An absent file of a controller has a cause that the errno does not tell. */
static int explain(const struct cgroup_hierarchy *h, const struct cgroup_dir *dir, const char *file, const char *text,
                   int r, struct error *err)
{
        const char *dot = strchr(file, '.');
        uint64_t usage;
        char used[64];
        if (h->v2 && (r == -ENOENT || r == -EPERM || r == -EACCES) && dot && !str_starts(file, "cgroup.")) {
                char have[256];
                if (file_read(dir->fd, "cgroup.controllers", have, sizeof(have)) == 0 &&
                    !list_has(have, ' ', file, (size_t) (dot - file)))
                        return error_say(err, r,
                                         "write \"%s\" to \"%s%s/%s\": the %.*s controller is not enabled for this "
                                         "cgroup (see cgroup.subtree_control of its parent)",
                                         text, h->mount_point, dir->path, file, (int) (dot - file), file);
        }
        if (r == -EBUSY && strcmp(file, "memory.limit_in_bytes") == 0 &&
            file_read(dir->fd, "memory.usage_in_bytes", used, sizeof(used)) == 0 && parse_u64(used, &usage) == 0)
                return error_say(err, r, "write \"%s\" to \"%s%s/%s\": more is in use already (%s bytes)", text,
                                 h->mount_point, dir->path, file, used);
        return error_set(err, r, "write \"%s\" to \"%s%s/%s\"", text, h->mount_point, dir->path, file);
}

/* Without swap accounting (swapaccount=0) there is no file, and these two ask for nothing that is not so. */
static bool is_harmless(const char *file, const char *text, int r)
{
        if (r != -ENOENT)
                return false;
        if (strcmp(file, "memory.swap.max") == 0)
                return strcmp(text, "max") == 0 || strcmp(text, "0") == 0;
        return strcmp(file, "memory.memsw.limit_in_bytes") == 0 && strcmp(text, "-1") == 0;
}

/* write(2) of one item through *fd, opened at need. */
static int write_through(int *fd, const struct cgroup_dir *dir, const char *file, const char *text)
{
        if (*fd < 0)
                *fd = openat(dir->fd, file, O_WRONLY | O_CLOEXEC);
        if (*fd < 0)
                return -errno;
        ssize_t n;
        do
                n = write(*fd, text, strlen(text));
        while (n < 0 && errno == EINTR);
        return n < 0 ? -errno : 0;
}

int cgroup_write(const struct cgroup *cgroup, const char *controller, const char *file, const char *text,
                 struct error *err)
{
        const struct cgroup_write_item item = { controller, file, text };
        return cgroup_apply(cgroup, &item, 1, err);
}

/* Items with an index in `again`, or all (NULL). Notes in `later` what to try again, if that is wanted. */
static int apply_pass(const struct cgroup *cgroup, const struct cgroup_write_item *list, size_t n,
                      const bool *again, bool *later, struct error *err)
{
        auto_fd int fd = -1;
        const struct cgroup_write_item *last = NULL;
        for (size_t i = 0; i < n; i++) {
                const struct cgroup_hierarchy *h = NULL;
                if (again && !again[i])
                        continue;
                const struct cgroup_dir *dir = dir_of(cgroup, list[i].controller, &h, err);
                if (!dir)
                        return -ENOENT;
                if (last && (strcmp(last->file, list[i].file) != 0 ||
                             strcmp(last->controller, list[i].controller) != 0)) {
                        fd_close(fd);
                        fd = -1;
                }
                last = &list[i];
                int r = write_through(&fd, dir, list[i].file, list[i].text);
                if ((r == -EINVAL || r == -EBUSY) && later && n > 1)
                        later[i] = later[n] = true;
                else if (r < 0 && !is_harmless(list[i].file, list[i].text, r))
                        return explain(h, dir, list[i].file, list[i].text, r, err);
        }
        return 0;
}

int cgroup_apply(const struct cgroup *cgroup, const struct cgroup_write_item *list, size_t n, struct error *err)
{
        auto_free bool *later = calloc(n + 1, sizeof(*later)); /* [n]: any of them */
        if (!later)
                return error_set(err, -ENOMEM, "write the limits of a cgroup");
        int r = apply_pass(cgroup, list, n, NULL, later, err);
        if (r == 0 && later[n])
                r = apply_pass(cgroup, list, n, later, NULL, err);
        return r;
}

int cgroup_read(const struct cgroup *cgroup, const char *controller, const char *file, char **ret_text,
                struct error *err)
{
        const struct cgroup_hierarchy *h = NULL;
        const struct cgroup_dir *dir = dir_of(cgroup, controller, &h, err);
        if (!dir)
                return -ENOENT;
        auto_free char *text = NULL;
        size_t n;
        int r = io_read_file(dir->fd, file, FILE_MAX, &text, &n);
        if (r < 0)
                return error_set(err, r, "read \"%s%s/%s\"", h->mount_point, dir->path, file);
        if (n > 0 && text[n - 1] == '\n')
                text[n - 1] = '\0';
        *ret_text = take_ptr(&text);
        return 0;
}

int open_cgroup_dir(const struct cgroup_hierarchy *h, const char *path, struct cgroup_dir *dir, struct error *err)
{
        char full[PATH_MAX];
        if (path_below(h, path, full) < 0)
                return error_say(err, -ENAMETOOLONG, "cgroup path \"%.60s...\" is too long", path);
        auto_fd int fd = open(full, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
                return 0;
        if (fd < 0)
                return error_set(err, -errno, "open cgroup \"%s\"", full);
        char *copy = strdup(path);
        if (!copy)
                return error_set(err, -ENOMEM, "remember cgroup \"%s\"", full);
        *dir = (struct cgroup_dir){ .fd = take_fd(&fd), .path = copy, .created = true };
        return 0;
}

int cgroup_open(const struct cgroup_host *host, const char *path, struct cgroup *ret_cgroup, struct error *err)
{
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        cg.host = host;
        for (size_t i = 0; i < host->n; i++) {
                const char *own = host->h[i].own;
                char whole[PATH_MAX];
                if (path[0] != '/' && !own[0])
                        continue;
                int n = path[0] == '/' ? snprintf(whole, sizeof(whole), "%s", path)
                                       : snprintf(whole, sizeof(whole), "%s/%s", own[1] ? own : "", path);
                if (n < 0 || (size_t) n >= sizeof(whole))
                        return error_say(err, -ENAMETOOLONG, "cgroup path \"%.60s...\" is too long", path);
                int r = open_cgroup_dir(&host->h[i], whole, &cg.dir[i], err);
                if (r < 0)
                        return r;
        }
        *ret_cgroup = cg;
        cg = CGROUP_INIT;
        return 0;
}

int cgroup_save(const struct cgroup *cgroup, char **ret_text, struct error *err)
{
        auto_str struct str s = STR_INIT;
        for (size_t i = 0; cgroup->host && i < cgroup->host->n; i++)
                if (cgroup->dir[i].path)
                        str_addf(&s, "%s:%s\n", cgroup->host->h[i].controllers, cgroup->dir[i].path);
        char *text = str_take(&s);
        if (!text)
                return error_set(err, -ENOMEM, "describe a cgroup");
        *ret_text = text;
        return 0;
}

int cgroup_restore(const struct cgroup_host *host, const char *text, struct cgroup *ret_cgroup, struct error *err)
{
        auto_cgroup struct cgroup cg = CGROUP_INIT;
        cg.host = host;
        while (*text) {
                char path[PATH_MAX];
                size_t line = strcspn(text, "\n");
                const char *colon = memchr(text, ':', line);
                size_t name = colon ? (size_t) (colon - text) : 0;
                size_t n = colon ? line - name - 1 : 0;
                if (n == 0 || colon[1] != '/' || n >= sizeof(path))
                        return error_say(err, -EBADMSG, "\"%.*s\" does not say where a cgroup is",
                                         (int) (line < 200 ? line : 200), text);
                memcpy(path, colon + 1, n);
                path[n] = '\0';
                for (size_t i = 0; i < host->n; i++) {
                        const char *c = host->h[i].controllers;
                        if (strlen(c) != name || memcmp(c, text, name) != 0 || cg.dir[i].fd >= 0)
                                continue;
                        int r = open_cgroup_dir(&host->h[i], path, &cg.dir[i], err);
                        if (r < 0)
                                return r;
                }
                text += line + (text[line] == '\n');
        }
        *ret_cgroup = cg;
        cg = CGROUP_INIT;
        return 0;
}

static const char *entrance(const struct cgroup_hierarchy *h, bool self)
{
        /*
         * v1 `tasks` moves one thread. When that thread is the writer, no lock is taken that waits for RCU;
         * cgroup.procs, even with the same single thread, takes it. v2 has no such way across domains.
         */
        return self && !h->v2 ? "tasks" : "cgroup.procs";
}

static int explain_enter(const struct cgroup_hierarchy *h, const struct cgroup_dir *dir, int r, struct error *err)
{
        const char *why = NULL;
        if (r == -ENOSPC)
                why = "its cpuset has no CPUs or no memory nodes";
        else if (r == -EBUSY && h->v2)
                why = "it gives controllers to its children, so it takes no process itself (cgroup.subtree_control)";
        else if (r == -EOPNOTSUPP && h->v2)
                why = "it is in a threaded subtree (cgroup.type)";
        else if (r == -EAGAIN)
                why = "a parent's pids.max is reached";
        if (why)
                return error_say(err, r, "enter cgroup \"%s%s\": %s", h->mount_point, dir->path, why);
        return error_set(err, r, "enter cgroup \"%s%s\"", h->mount_point, dir->path);
}

int cgroup_enter(const struct cgroup *cgroup, pid_t pid, bool skip_v2, struct error *err)
{
        char text[24];
        (void) snprintf(text, sizeof(text), "%d", (int) pid);
        for (size_t i = 0; cgroup->host && i < cgroup->host->n; i++) {
                const struct cgroup_hierarchy *h = &cgroup->host->h[i];
                const struct cgroup_dir *dir = &cgroup->dir[i];
                if (dir->fd < 0 || (h->v2 && skip_v2))
                        continue;
                int r = io_write_file(dir->fd, entrance(h, pid == 0), text);
                if (r < 0)
                        return explain_enter(h, dir, r, err);
        }
        return 0;
}

int cgroup_entrances(const struct cgroup *cgroup, bool skip_v2, int *fds, size_t max, size_t *ret_n,
                     struct error *err)
{
        int opened[CGROUP_HIERARCHIES_MAX];
        size_t n = 0;
        int r = 0;
        for (size_t i = 0; r == 0 && cgroup->host && i < cgroup->host->n; i++) {
                const struct cgroup_hierarchy *h = &cgroup->host->h[i];
                const struct cgroup_dir *dir = &cgroup->dir[i];
                if (dir->fd < 0 || (h->v2 && skip_v2))
                        continue;
                if (n == max) {
                        r = error_say(err, -ENOSPC, "more cgroup hierarchies than the %zu expected", max);
                        break;
                }
                opened[n] = openat(dir->fd, entrance(h, true), O_WRONLY | O_CLOEXEC);
                if (opened[n] < 0)
                        r = explain_enter(h, dir, -errno, err);
                else
                        n++;
        }
        for (size_t i = 0; r < 0 && i < n; i++)
                fd_close(opened[i]);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++)
                fds[i] = opened[i];
        *ret_n = n;
        return 0;
}

int cgroup_v2_fd(const struct cgroup *cgroup)
{
        for (size_t i = 0; cgroup->host && i < cgroup->host->n; i++)
                if (cgroup->host->h[i].v2)
                        return cgroup->dir[i].fd;
        return -1;
}

void cgroup_clear(struct cgroup *cgroup)
{
        for (size_t i = 0; i < CGROUP_HIERARCHIES_MAX; i++) {
                fd_close(cgroup->dir[i].fd);
                free(cgroup->dir[i].path);
        }
        *cgroup = CGROUP_INIT;
}

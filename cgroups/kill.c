#include "cgroups/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "cgroups/files.h"

#define PROCS_MAX  (64u << 20)
#define PATIENCE_US 10000000u

struct pid_list {
        pid_t *pids;
        size_t n, room;
};

static int add_pids(struct pid_list *list, const char *text)
{
        for (const char *at = text; *at;) {
                size_t n = strcspn(at, "\n");
                uint32_t pid = 0;
                char number[16];
                if (n > 0 && n < sizeof(number)) {
                        memcpy(number, at, n);
                        number[n] = '\0';
                        if (parse_u32(number, &pid) < 0)
                                return -EBADMSG;
                }
                at += n + (at[n] == '\n');
                if (pid == 0) /* a process outside our pid namespace is listed as 0 */
                        continue;
                if (list->n == list->room) {
                        size_t room = list->room ? list->room * 2 : 64;
                        pid_t *grown = reallocarray(list->pids, room, sizeof(*grown));
                        if (!grown)
                                return -ENOMEM;
                        list->pids = grown;
                        list->room = room;
                }
                list->pids[list->n++] = (pid_t) pid;
        }
        return 0;
}

/* A directory and those below. One that vanishes meanwhile had no processes. */
static int collect(int dirfd, struct pid_list *list);

static int collect_child(int dirfd, const char *name, void *arg)
{
        auto_fd int fd = openat(dirfd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? 0 : -errno;
        return collect(fd, arg);
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the cgroups are nested */
static int collect(int dirfd, struct pid_list *list)
{
        auto_free char *text = NULL;
        int r = io_read_file(dirfd, "cgroup.procs", PROCS_MAX, &text, NULL);
        if (r == -ENODEV || r == -ENOENT)
                return 0;
        /* EOPNOTSUPP: a threaded cgroup of v2; its processes are listed by the domain above. */
        if (r < 0 && r != -EOPNOTSUPP)
                return r;
        r = text ? add_pids(list, text) : 0;
        if (r == 0 && has_children(dirfd))
                r = each_child(dirfd, collect_child, list);
        return r == -ENODEV || r == -ENOENT ? 0 : r;
}

static int compare_pids(const void *a, const void *b)
{
        pid_t x = *(const pid_t *) a, y = *(const pid_t *) b;
        return (x > y) - (x < y);
}

/* The directory that tells best who belongs to the container: v2, then the v1 freezer, then any. */
static int best_dir(const struct cgroup *cgroup)
{
        int freezer = -1, any = -1;
        for (size_t i = 0; cgroup->host && i < cgroup->host->n; i++) {
                if (cgroup->dir[i].fd < 0)
                        continue;
                if (cgroup->host->h[i].v2)
                        return cgroup->dir[i].fd;
                if (cgroup->host->h[i].freezer)
                        freezer = cgroup->dir[i].fd;
                any = cgroup->dir[i].fd;
        }
        return freezer >= 0 ? freezer : any;
}

int cgroup_pids(const struct cgroup *cgroup, pid_t **ret_pids, size_t *ret_n, struct error *err)
{
        struct pid_list list = { 0 };
        int fd = best_dir(cgroup);
        int r = fd < 0 ? 0 : collect(fd, &list);
        if (r < 0) {
                free(list.pids);
                return error_set(err, r, "list the processes of a cgroup");
        }
        /* v2 promises neither order nor that a process that moves appears once. */
        if (list.n > 1)
                qsort(list.pids, list.n, sizeof(*list.pids), compare_pids);
        size_t kept = 0;
        for (size_t i = 0; i < list.n; i++)
                if (kept == 0 || list.pids[kept - 1] != list.pids[i])
                        list.pids[kept++] = list.pids[i];
        *ret_pids = list.pids;
        *ret_n = kept;
        return 0;
}

/* Wait until cgroup.events says that nobody is left here and below. */
static int wait_empty(int v2_fd, struct error *err)
{
        auto_fd int fd = openat(v2_fd, "cgroup.events", O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT || errno == ENODEV ? 0 : error_set(err, -errno, "open \"cgroup.events\"");
        for (int waited_ms = 0; waited_ms < (int) (PATIENCE_US / 1000); waited_ms += 100) {
                char text[256];
                uint64_t populated = 0;
                ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
                if (n < 0)
                        return errno == ENODEV ? 0 : error_set(err, -errno, "read \"cgroup.events\"");
                text[n] = '\0';
                if (flat_value(text, "populated", &populated) < 0 || populated == 0)
                        return 0;
                struct pollfd p = { .fd = fd, .events = POLLPRI };
                if (poll(&p, 1, 100) != 0)
                        waited_ms -= 99; /* something changed; but never wait for ever */
        }
        return error_say(err, -EBUSY, "processes of the cgroup are still there ten seconds after SIGKILL "
                                      "(waiting for a device or file server?)");
}

static int signal_once(const struct cgroup *cgroup, int sig, size_t *ret_left, struct error *err)
{
        auto_free pid_t *pids = NULL;
        size_t n = 0;
        int r = cgroup_pids(cgroup, &pids, &n, err);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++)
                if (kill(pids[i], sig) < 0 && errno != ESRCH)
                        return error_set(err, -errno, "send signal %d to process %d", sig, (int) pids[i]);
        *ret_left = n;
        return 0;
}

int cgroup_kill(const struct cgroup *cgroup, int sig, struct error *err)
{
        int v2 = cgroup_v2_fd(cgroup);
        size_t left = 0;
        if (sig != SIGKILL)
                return signal_once(cgroup, sig, &left, err);

        if (v2 >= 0) {
                int r = io_write_file(v2, "cgroup.kill", "1");
                if (r == 0)
                        return wait_empty(v2, err);
                if (r == -ENODEV) /* removed */
                        return 0;
        }
        /* As a rule they all went with their pid namespace; to freeze even an empty cgroup makes the kernel patch its
         * code on every CPU (static key freezer_active). */
        int r = signal_once(cgroup, 0, &left, err);
        if (r < 0 || left == 0)
                return r;
        /* Freezing stops a fork bomb from outrunning us. Without a freezer, a killed process cannot fork either. */
        int frozen = cgroup_set_frozen(cgroup, CGROUP_FROZEN, NULL);
        r = signal_once(cgroup, SIGKILL, &left, err);
        /* A frozen process of v1 dies only now; the thaw of a freeze that failed does no harm. */
        int thawed = cgroup_set_frozen(cgroup, CGROUP_THAWED, NULL);
        if (r == 0 && frozen == 0 && thawed < 0)
                return error_set(err, thawed, "thaw a cgroup to let its processes die");
        for (struct patience p = PATIENCE_INIT; r == 0 && left > 0;) {
                if (!patience_wait(&p, PATIENCE_US))
                        return error_say(err, -EBUSY, "%zu processes of the cgroup are still there ten seconds after "
                                                      "SIGKILL (waiting for a device or file server?)", left);
                r = signal_once(cgroup, SIGKILL, &left, err);
        }
        return r;
}

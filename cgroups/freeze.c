#include "cgroups/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "cgroups/files.h"

#define PATIENCE_MS 10000

/* v2: the kernel tells through cgroup.events when the last process has stopped (or runs again). */
static int freeze_v2(int dir, bool freeze, struct error *err)
{
        auto_fd int events = openat(dir, "cgroup.events", O_RDONLY | O_CLOEXEC);
        if (events < 0)
                return error_set(err, -errno, "open \"cgroup.events\"");
        int r = io_write_file(dir, "cgroup.freeze", freeze ? "1" : "0");
        if (r < 0)
                return error_set(err, r, "write \"cgroup.freeze\"");
        if (!freeze)
                return 0; /* takes effect at once; "frozen" stays 1 only if a parent is frozen */
        for (int waited_ms = 0; waited_ms < PATIENCE_MS; waited_ms += 100) {
                char text[256];
                uint64_t frozen = 0;
                ssize_t n = pread(events, text, sizeof(text) - 1, 0);
                if (n < 0)
                        return error_set(err, -errno, "read \"cgroup.events\"");
                text[n] = '\0';
                if (flat_value(text, "frozen", &frozen) < 0 || frozen == 1)
                        return 0;
                struct pollfd p = { .fd = events, .events = POLLPRI };
                if (poll(&p, 1, 100) != 0)
                        waited_ms -= 99; /* something changed; but never wait for ever */
        }
        file_try_write(dir, "cgroup.freeze", "0"); /* half frozen is worse than running */
        return error_say(err, -EBUSY, "the cgroup did not freeze in ten seconds: a process is stuck in the kernel");
}

/*
 * v1: writing FROZEN starts it, and reading freezer.state makes the kernel look whether it is done. New processes can
 * keep it FREEZING for ever (the reason why v2 has its own freezer): thaw now and then, and begin again.
 */
static int freeze_v1(int dir, bool freeze, struct error *err)
{
        int r = io_write_file(dir, "freezer.state", freeze ? "FROZEN" : "THAWED");
        if (r < 0)
                return error_set(err, r, "write \"freezer.state\"");
        if (!freeze)
                return 0;
        struct patience p = PATIENCE_INIT;
        for (int i = 1;; i++) {
                char state[32];
                r = file_read(dir, "freezer.state", state, sizeof(state));
                if (r < 0)
                        return error_set(err, r, "read \"freezer.state\"");
                if (strcmp(state, "FROZEN") == 0)
                        return 0;
                if (!patience_wait(&p, UINT64_C(1000) * PATIENCE_MS))
                        break;
                if (i % 20 == 0)
                        file_try_write(dir, "freezer.state", "THAWED"); /* the next write reports trouble */
                r = io_write_file(dir, "freezer.state", "FROZEN");
                if (r < 0)
                        return error_set(err, r, "write \"freezer.state\"");
        }
        file_try_write(dir, "freezer.state", "THAWED"); /* half frozen is worse than running */
        return error_say(err, -EBUSY, "the cgroup did not freeze in ten seconds: a process is stuck in the kernel");
}

/* The directory with a freezer, v2 first; -1 if there is none. */
static int freezer_dir(const struct cgroup *cgroup, bool *ret_v2)
{
        *ret_v2 = true;
        int fd = cgroup_v2_fd(cgroup);
        if (fd >= 0)
                return fd;
        *ret_v2 = false;
        for (size_t i = 0; cgroup->host && i < cgroup->host->n; i++)
                if (cgroup->host->h[i].freezer && cgroup->dir[i].fd >= 0)
                        return cgroup->dir[i].fd;
        return -1;
}

int cgroup_set_frozen(const struct cgroup *cgroup, enum cgroup_freeze want, struct error *err)
{
        bool v2;
        int fd = freezer_dir(cgroup, &v2);
        if (fd < 0)
                return error_say(err, -EOPNOTSUPP, "the container has no cgroup with a freezer");
        return v2 ? freeze_v2(fd, want == CGROUP_FROZEN, err) : freeze_v1(fd, want == CGROUP_FROZEN, err);
}

int cgroup_get_frozen(const struct cgroup *cgroup, enum cgroup_freeze *ret, struct error *err)
{
        bool v2;
        int fd = freezer_dir(cgroup, &v2);
        if (fd < 0) {
                *ret = CGROUP_THAWED; /* what cannot be frozen is not */
                return 0;
        }
        /* Its own state: frozen through a parent is not paused. */
        const char *file = v2 ? "cgroup.freeze" : "freezer.self_freezing";
        char text[8];
        int r = file_read(fd, file, text, sizeof(text));
        if (r == -ENOENT || r == -ENODEV) /* removed */
                text[0] = '0';
        else if (r < 0)
                return error_set(err, r, "read \"%s\"", file);
        *ret = text[0] == '1' ? CGROUP_FROZEN : CGROUP_THAWED;
        return 0;
}

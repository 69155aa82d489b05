#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/io.h"
#include "runtime/idmap_tool.h"
#include "runtime/parent.h"
#include "syscall/sys.h"

static int write_map(pid_t pid, const char *file, const char *text)
{
        char path[64];
        snprintf(path, sizeof(path), "/proc/%d/%s", (int) pid, file);
        return io_write_file(AT_FDCWD, path, text);
}

static int maps_of(pid_t pid, const char *uids, const char *gids, int *ret_fd)
{
        int r = write_map(pid, "uid_map", uids);
        if (r == 0)
                r = write_map(pid, "gid_map", gids);
        if (r < 0)
                return r;
        char path[64];
        snprintf(path, sizeof(path), "/proc/%d/ns/user", (int) pid);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        *ret_fd = fd;
        return 0;
}

/* A user namespace that nobody lives in: only its maps are wanted, and only a process can begin one. */
static int empty_user_namespace(const char *uids, const char *gids, int *ret_fd)
{
        uint64_t mask;
        int pidfd = -1, code, status;
        int r = sys_block_signals(&mask);
        if (r < 0)
                return r;
        pid_t pid = sys_clone3(CLONE_NEWUSER, -1, &pidfd);
        if (pid == 0) {
                (void) sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0);
                for (;;)
                        (void) pause();
        }
        (void) sys_set_sigmask(mask);
        if (pid < 0)
                return pid;
        r = maps_of(pid, uids, gids, ret_fd);
        (void) sys_pidfd_kill(pidfd, SIGKILL);
        (void) sys_pidfd_wait(pidfd, &code, &status);
        fd_close(pidfd);
        return r;
}

/* Of the mount that was opened last. It takes privilege over the file system, which the container has not. */
int parent_map_tree(struct session *s, const struct step *step, struct error *err)
{
        const char *path = plan_string(s->plan, s->in, step, 2), *target = plan_string(s->plan, s->in, step, 4);
        auto_fd int user_ns = -1;
        int r = 0;
        if (*path) {
                user_ns = open(path, O_RDONLY | O_CLOEXEC);
                r = user_ns < 0 ? -errno : 0;
        } else {
                r = empty_user_namespace(plan_string(s->plan, s->in, step, 0), plan_string(s->plan, s->in, step, 1),
                                         &user_ns);
        }
        if (r < 0)
                return error_set(err, r, "mount \"%s\": make its id maps", target);
        r = sys_mount_idmap(s->tree_fd, step->arg[3] ? AT_RECURSIVE : 0, user_ns);
        if (r == -EINVAL)
                return error_say(err, r, "mount \"%s\": the kernel cannot map ids on this file system", target);
        return r < 0 ? error_set(err, r, "mount \"%s\": map its ids", target) : 0;
}

int parent_map_by_tool(struct session *s, const struct step *step, struct error *err)
{
        return idmap_by_tool(plan_string(s->plan, s->in, step, 0), s->pid, plan_string(s->plan, s->in, step, 1), err);
}

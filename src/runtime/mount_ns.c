#include "runtime/mount_ns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#include "syscall/sys.h"

int mount_ns_enter(struct mount_ns *ret, unsigned long propagation, struct error *err)
{
        auto_fd int ns = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
        auto_fd int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        auto_fd int cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (ns < 0 || root < 0 || cwd < 0)
                return error_set(err, -errno, "look at our own mount namespace");
        int r = sys_unshare(CLONE_NEWNS);
        if (r < 0)
                return error_set(err, r, "make a mount namespace");
        *ret = (struct mount_ns){ take_fd(&ns), take_fd(&root), take_fd(&cwd) };
        r = sys_mount(NULL, "/", NULL, MS_REC | propagation, NULL);
        return r < 0 ? error_set(err, r, "detach our mounts from the host's") : 0;
}

int mount_ns_leave(struct mount_ns *from, struct error *err)
{
        if (from->ns_fd < 0)
                return 0;
        /* setns(2) resets the root and the working directory. */
        int r = sys_setns(from->ns_fd, CLONE_NEWNS);
        if (r >= 0)
                r = sys_fchdir(from->root_fd);
        if (r >= 0)
                r = sys_chroot(".");
        if (r >= 0)
                r = sys_fchdir(from->cwd_fd);
        fd_close(from->ns_fd);
        fd_close(from->root_fd);
        fd_close(from->cwd_fd);
        *from = MOUNT_NS_INIT;
        return r < 0 ? error_set(err, r, "return to our own mount namespace") : 0;
}

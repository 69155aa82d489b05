#include <errno.h>
#include <sys/mount.h>

#include "child/child_steps.h"
#include "child/walk.h"
#include "syscall/sys.h"

int child_host_propagation(struct child *c, const struct step *step)
{
        (void) c;
        return sys_mount(NULL, "/", NULL, step->arg[0], NULL);
}

/* The rootfs has to be a mount of its own: pivot_root(2) wants one, and the
 * flags of the container's root must not reach the host's mount. */
int child_open_root(struct child *c, const struct step *step)
{
        const char *path = child_string(c, step, 0);
        int on = sys_openat2(AT_FDCWD, path, O_PATH | O_DIRECTORY, 0, 0);
        if (on < 0)
                return on;
        if (!step->arg[1]) {
                c->root_fd = on;
                return 0;
        }
        int tree = sys_open_tree(on, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | AT_RECURSIVE);
        int r = tree < 0 ? tree : sys_move_mount(tree, on);
        (void) sys_close(on);
        if (r < 0)
                return r;
        c->root_fd = tree;
        return 0;
}

int child_pivot_root(struct child *c, const struct step *step)
{
        (void) step;
        int old = sys_openat2(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0, 0);
        if (old < 0)
                return old;
        int r = sys_fchdir(c->root_fd);
        /* Both names the same (pivot_root(2), NOTES): the old root ends up on top of the new one. */
        if (r >= 0)
                r = sys_pivot_root(".", ".");
        if (r >= 0)
                r = sys_fchdir(old);
        /* What we unmount here must not be unmounted on the host. */
        if (r >= 0)
                r = sys_mount(NULL, ".", NULL, MS_SLAVE | MS_REC, NULL);
        if (r >= 0)
                r = sys_umount(".", MNT_DETACH);
        (void) sys_close(old);
        return r < 0 ? r : sys_chdir("/");
}

/* For a rootfs on the initial ramfs, which cannot be pivoted away from. */
int child_move_root(struct child *c, const struct step *step)
{
        (void) step;
        int r = sys_fchdir(c->root_fd);
        if (r >= 0)
                r = sys_mount(".", "/", NULL, MS_MOVE, NULL);
        if (r >= 0)
                r = sys_chroot(".");
        return r < 0 ? r : sys_chdir("/");
}

int child_chroot(struct child *c, const struct step *step)
{
        (void) step;
        int r = sys_fchdir(c->root_fd);
        if (r >= 0)
                r = sys_chroot(".");
        return r < 0 ? r : sys_chdir("/");
}

int child_chroot_of(struct child *c, const struct step *step)
{
        int root = c->in->fd[step->arg[0]];
        int r = sys_fchdir(root);
        if (r >= 0)
                r = sys_chroot(".");
        return r < 0 ? r : sys_chdir("/");
}

int child_root_readonly(struct child *c, const struct step *step)
{
        (void) c, (void) step;
        /* Keeps the flags that are there: in a user namespace they are locked. */
        int fd = sys_openat2(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0, 0);
        if (fd < 0)
                return fd;
        int r = sys_mount_setattr(fd, 0, MOUNT_ATTR_RDONLY, 0, 0);
        (void) sys_close(fd);
        if (r == -ENOSYS)
                r = sys_mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL);
        return r;
}

int child_root_propagation(struct child *c, const struct step *step)
{
        (void) c;
        return sys_mount(NULL, "/", NULL, step->arg[0], NULL);
}

#include <errno.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "child/child_steps.h"
#include "child/hide.h"
#include "child/walk.h"
#include "syscall/sys.h"

int child_host_propagation(struct child *c, const struct step *step)
{
        (void) c;
        return sys_mount(NULL, "/", NULL, step->arg[0], NULL);
}

/* The mount that `dir` is on: only its root can be named to mount(2). */
static int make_parent_private(int dir)
{
        int fd = sys_openat2(dir, ".", O_PATH | O_DIRECTORY, 0, 0);
        int r = fd < 0 ? fd : -EINVAL;
        while (fd >= 0) {
                r = sys_mount(NULL, walk_fd_path(fd).text, NULL, MS_PRIVATE, NULL);
                struct stat here, above;
                int up = r == -EINVAL ? sys_openat2(fd, "..", O_PATH | O_DIRECTORY, 0, 0) : -1;
                bool top = up >= 0 && sys_fstat(fd, &here) >= 0 && sys_fstat(up, &above) >= 0 &&
                           here.st_ino == above.st_ino && here.st_dev == above.st_dev;
                (void) sys_close(fd);
                if (top) {
                        (void) sys_close(up);
                        up = -1;
                }
                fd = up;
        }
        return r;
}

/* A copy of what `on` refers to, mounted there. In the host's namespace nothing of it is passed on to others. */
static int mount_on_itself(struct child *c, int on, uint64_t flags)
{
        int r = flags & ROOT_PARENT_PRIVATE ? make_parent_private(on) : 0;
        int tree = r < 0 ? r : sys_open_tree(on, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | AT_RECURSIVE);
        if (tree < 0)
                return tree;
        r = sys_move_mount(tree, on);
        if (r >= 0 && flags & ROOT_IN_OUR_NAMESPACE) {
                c->undo_root = true;
                r = sys_mount(NULL, walk_fd_path(tree).text, NULL, MS_PRIVATE | MS_REC, NULL);
        }
        c->root_fd = tree;
        return r;
}

/* The rootfs has to be a mount of its own: pivot_root(2) wants one, and the
 * flags of the container's root must not reach the host's mount. */
int child_open_root(struct child *c, const struct step *step)
{
        int on = sys_openat2(AT_FDCWD, child_string(c, step, 0), O_PATH | O_DIRECTORY, 0, 0);
        if (on < 0)
                return on;
        if (step->arg[1] & ROOT_MOUNTED) {
                int r = mount_on_itself(c, on, step->arg[1]);
                (void) sys_close(on);
                if (r < 0)
                        return r;
        } else {
                c->root_fd = on;
        }
        /* Hooks that run while the host's files are still at "/" find the container's by this. */
        return sys_fchdir(c->root_fd);
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

/*
 * For a rootfs on the initial ramfs, which cannot be pivoted away from. The host's mounts stay below the container's
 * root: a whole procfs among them would allow the container to mount one without what is masked in its own.
 */
int child_move_root(struct child *c, const struct step *step)
{
        (void) step;
        int r = hide_pseudo_fs(c->root_fd);
        /* Below a shared mount the root would be moved onto the host's, too. */
        if (r >= 0)
                r = sys_mount(NULL, "/", NULL, MS_SLAVE, NULL);
        if (r >= 0)
                r = sys_fchdir(c->root_fd);
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

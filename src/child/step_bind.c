#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "child/child_steps.h"
#include "child/walk.h"
#include "syscall/sys.h"

#define ATTR_TIMES ((uint64_t) MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME)
#define ATTR_OTHERS                                                                                             \
        ((uint64_t) MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |              \
         MOUNT_ATTR_NOSYMFOLLOW)
/* In a user namespace all flags of a mount that came from outside stay, but this one. */
#define ATTR_NEVER_LOCKED ((uint64_t) MOUNT_ATTR_NOSYMFOLLOW)

/* mount_setattr(2) knows MOUNT_ATTR_NOSYMFOLLOW since Linux 5.14. */
static int change(int mount_fd, uint64_t set, uint64_t clear, uint64_t besides)
{
        besides &= ~(set | clear);
        int r = sys_mount_setattr(mount_fd, 0, set, clear | besides, 0);
        if (r == -EINVAL && (besides & MOUNT_ATTR_NOSYMFOLLOW))
                r = sys_mount_setattr(mount_fd, 0, set, clear | (besides & ~(uint64_t) MOUNT_ATTR_NOSYMFOLLOW), 0);
        return r;
}

/*
 * The flags that the step names, and, if it is exact, no others. What nobody named is cleared only if the kernel lets
 * us; a flag that was named and cannot be had is an error.
 */
static int set_flags(int mount_fd, const struct step *step)
{
        uint64_t set = step->arg[2], clear = step->arg[3];
        bool exact = step->arg[4] & BIND_EXACT;
        int r = exact || set || clear ? change(mount_fd, set, clear, exact ? ATTR_OTHERS : 0) : 0;
        return r == -EPERM && exact ? change(mount_fd, set, clear, ATTR_NEVER_LOCKED) : r;
}

/* MOUNT_ATTR_* as mount(2) writes them; for kernels before 5.12. */
static unsigned long old_flags(uint64_t attr, bool with_times)
{
        unsigned long flags = 0;
        flags |= attr & MOUNT_ATTR_RDONLY ? MS_RDONLY : 0;
        flags |= attr & MOUNT_ATTR_NOSUID ? MS_NOSUID : 0;
        flags |= attr & MOUNT_ATTR_NODEV ? MS_NODEV : 0;
        flags |= attr & MOUNT_ATTR_NOEXEC ? MS_NOEXEC : 0;
        flags |= attr & MOUNT_ATTR_NOSYMFOLLOW ? MS_NOSYMFOLLOW : 0;
        if (!with_times)
                return flags;
        flags |= attr & MOUNT_ATTR_NODIRATIME ? MS_NODIRATIME : 0;
        switch (attr & MOUNT_ATTR__ATIME) {
        case MOUNT_ATTR_NOATIME:
                return flags | MS_NOATIME;
        case MOUNT_ATTR_STRICTATIME:
                return flags | MS_STRICTATIME;
        default:
                return flags | MS_RELATIME;
        }
}

/* The same with a remount, which always replaces all flags (but keeps the access times if none is named). */
static int remount(int mount_fd, const struct step *step)
{
        uint64_t set = step->arg[2], clear = step->arg[3];
        bool exact = step->arg[4] & BIND_EXACT;
        if (!exact && !set && !clear)
                return 0;
        /* The numbers of statfs(2) for read-only, nosuid, nodev and noexec are those of mount(2). */
        int64_t now = sys_fstatfs_flags(mount_fd);
        if (now < 0)
                return (int) now;
        const unsigned long lockable = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;
        unsigned long flags = MS_REMOUNT | MS_BIND | old_flags(set, (set | clear) & ATTR_TIMES);
        unsigned long others = (unsigned long) now & lockable & ~old_flags(clear, false);
        int r = sys_mount(NULL, walk_fd_path(mount_fd).text, NULL, exact ? flags : flags | others, NULL);
        if (r == -EPERM && exact)
                r = sys_mount(NULL, walk_fd_path(mount_fd).text, NULL, flags | others, NULL);
        return r;
}

/* A detached copy of the source. The parent is root on the host: it reaches what is closed to the root of our user
 * namespace. */
static int open_source(struct child *c, const struct step *step)
{
        uint64_t flags = step->arg[4];
        int tree = -EACCES;
        if (!(flags & BIND_GIVEN))
                tree = sys_open_tree(AT_FDCWD, child_string(c, step, 0),
                                     OPEN_TREE_CLONE | (flags & BIND_RECURSIVE ? AT_RECURSIVE : 0) |
                                             (flags & BIND_SOURCE_LINK ? AT_SYMLINK_NOFOLLOW : 0));
        if ((tree == -EACCES || tree == -EPERM || tree == -EINVAL) && (flags & BIND_ASK)) {
                child_tell(c, REPORT_WANT_TREE, 0);
                child_await_tree(c);
                flags |= BIND_GIVEN;
        }
        if (flags & BIND_GIVEN) {
                tree = c->tree_fd >= 0 ? c->tree_fd : -EBADF;
                c->tree_fd = -1;
        }
        return tree;
}

/* The target is a link like the source; one that says the same may be there already. -EINVAL: the source is none. */
static int copy_link(const struct child *c, const char *source, const char *target)
{
        char to[PATH_MAX], is[PATH_MAX];
        ssize_t n = sys_readlinkat(AT_FDCWD, source, to, sizeof(to) - 1);
        if (n < 0)
                return (int) n;
        to[n] = '\0';
        const char *name;
        int dir = walk_parent(c->root_fd, target, &name);
        int r = dir < 0 ? dir : sys_symlinkat(to, dir, name);
        if (r == -EEXIST && sys_readlinkat(dir, name, is, sizeof(is)) == n && memcmp(is, to, (size_t) n) == 0)
                r = 0;
        if (dir >= 0)
                (void) sys_close(dir);
        return r;
}

/* The last component may be a link. */
static int open_unfollowed(const struct child *c, const char *path)
{
        const char *name;
        int dir = walk_parent(c->root_fd, path, &name);
        int fd = dir < 0 ? dir : sys_openat2(dir, name, O_PATH | O_NOFOLLOW, 0, RESOLVE_BENEATH);
        if (dir >= 0)
                (void) sys_close(dir);
        return fd;
}

int child_open_mounted(const struct child *c, const char *path, uint64_t flags)
{
        return (flags & MOUNTED_LAST) && c->bound == BOUND_ON_LINK ? open_unfollowed(c, path) : walk_open(c->root_fd, path);
}

#define PROC_FILE_SYSTEM 0x9fa0   /* PROC_SUPER_MAGIC of linux/magic.h */

static int attach_on_link(struct child *c, int mount_fd, const char *target)
{
        int on = open_unfollowed(c, target);
        if (on == -ENOENT)
                return child_attach(c, mount_fd, target, false);
        /* "/proc/self" and the like would then say what somebody else wants. */
        int r = on < 0 ? on : sys_fstatfs_type(on) == PROC_FILE_SYSTEM ? -EPERM : sys_move_mount(mount_fd, on);
        if (on >= 0)
                (void) sys_close(on);
        (void) sys_close(mount_fd);
        return r;
}

/* 1: the source was a link, and is copied. */
static int try_copy(struct child *c, const struct step *step)
{
        if (!(step->arg[4] & BIND_COPY_LINK))
                return 0;
        int r = copy_link(c, child_string(c, step, 0), child_string(c, step, 1));
        c->bound = r >= 0 ? LINK_COPIED : BOUND_PLAIN;
        return r >= 0 ? 1 : r == -EINVAL || r == -ENOENT ? 0 : r;
}

int child_bind(struct child *c, const struct step *step)
{
        int copied = try_copy(c, step);
        if (copied != 0)
                return copied < 0 ? copied : 0;
        c->bound = step->arg[4] & BIND_ON_LINK ? BOUND_ON_LINK : BOUND_PLAIN;
        int tree = open_source(c, step);
        if (tree < 0)
                return tree;
        struct stat st;
        bool old = step->arg[4] & BIND_REMOUNT;
        int r = sys_fstat(tree, &st);
        if (r >= 0 && !old)
                r = set_flags(tree, step);
        if (r < 0) {
                (void) sys_close(tree);
                return r;
        }
        const char *target = child_string(c, step, 1);
        r = c->bound == BOUND_ON_LINK && !S_ISDIR(st.st_mode) ? attach_on_link(c, tree, target)
                                                              : child_attach(c, tree, target, S_ISDIR(st.st_mode));
        if (r < 0 || !old)
                return r;
        int fd = child_open_mounted(c, target, MOUNTED_LAST);
        if (fd < 0)
                return fd;
        r = remount(fd, step);
        (void) sys_close(fd);
        return r;
}

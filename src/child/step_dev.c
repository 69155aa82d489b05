#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <termios.h>

#include "child/child_steps.h"
#include "child/walk.h"
#include "syscall/sys.h"

int child_make_directory(struct child *c, const struct step *step)
{
        int fd = walk_make(c->root_fd, child_string(c, step, 0), true);
        if (fd < 0)
                return fd;
        (void) sys_close(fd);
        return 0;
}

/* CVE-2019-16884, CVE-2019-19921: with /proc behind a link into a volume, all
 * protection of its files would be put on something else. */
int child_refuse_link(struct child *c, const struct step *step)
{
        const char *path = child_string(c, step, 0);
        while (*path == '/')
                path++;
        int fd = sys_openat2(c->root_fd, *path ? path : ".", O_PATH, 0, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);
        if (fd < 0)
                return fd == -ENOENT ? 0 : fd;
        (void) sys_close(fd);
        return 0;
}

/*
 * The directory of a node. Most nodes are in one directory, and their steps follow one another: it stays open in
 * between: to find it takes longer than to make the node.
 */
static int open_directory(struct child *c, const struct step *step, const char **ret_name)
{
        const char *path = child_string(c, step, 0);
        if (c->nodes_fd < 0)
                return c->nodes_fd = walk_parent(c->root_fd, path, ret_name);
        *ret_name = path + walk_prefix(path);
        return c->nodes_fd;
}

static void close_directory(struct child *c, const struct step *step)
{
        const struct step *next = step + 1; /* there is one: the plan ends with exec */
        if (next->op == STEP_MAKE_DEVICE || next->op == STEP_MAKE_SYMLINK) {
                const char *path = child_string(c, step, 0), *next_path = child_string(c, next, 0);
                size_t len = walk_prefix(path);
                if (walk_prefix(next_path) == len && memcmp(path, next_path, len) == 0)
                        return;
        }
        (void) sys_close(c->nodes_fd);
        c->nodes_fd = -1;
}

int child_make_symlink(struct child *c, const struct step *step)
{
        const char *name;
        int dir = open_directory(c, step, &name);
        if (dir < 0)
                return dir;
        int r = sys_symlinkat(child_string(c, step, 1), dir, name);
        close_directory(c, step);
        return r == -EEXIST ? 0 : r;
}

int child_make_device(struct child *c, const struct step *step)
{
        const char *name;
        int dir = open_directory(c, step, &name);
        if (dir < 0)
                return dir;
        mode_t mode = (mode_t) step->arg[1];
        int r = sys_mknodat(dir, name, mode, step->arg[2]);
        struct stat st;
        if (r == -EEXIST) {
                /* The image has one already: good if it is the same device. */
                r = sys_fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW);
                if (r >= 0 && ((st.st_mode & S_IFMT) != (mode & S_IFMT) || st.st_rdev != step->arg[2]))
                        r = -EEXIST;
        }
        if (r >= 0)
                r = sys_fchownat(dir, name, (uint32_t) step->arg[3], (uint32_t) step->arg[4], AT_SYMLINK_NOFOLLOW);
        if (r >= 0)
                r = sys_fchmodat(dir, name, mode & 07777);
        close_directory(c, step);
        return r;
}

/* Takes the detached mount of a node. */
static int attach_device(const struct child *c, int tree, const char *path)
{
        if (tree < 0)
                return tree;
        int on = walk_make(c->root_fd, path, false);
        int r = on < 0 ? on : sys_mount_setattr(tree, 0, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, 0, 0);
        if (r >= 0 || r == -ENOSYS)
                r = sys_move_mount(tree, on);
        if (on >= 0)
                (void) sys_close(on);
        (void) sys_close(tree);
        return r;
}

int child_bind_device(struct child *c, const struct step *step)
{
        const char *path = child_string(c, step, 0);
        return attach_device(c, sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE), path);
}

/* A part of a mount can be copied only while that is attached (before Linux 6.15): anywhere, we go by descriptors. */
int child_open_store(struct child *c, const struct step *step)
{
        return sys_move_mount(c->in->fd[step->arg[0]], c->root_fd);
}

int child_bind_stored(struct child *c, const struct step *step)
{
        int tree = sys_open_tree(c->in->fd[step->arg[1]], child_string(c, step, 2), OPEN_TREE_CLONE);
        return attach_device(c, tree, child_string(c, step, 0));
}

int child_close_store(struct child *c, const struct step *step)
{
        int *store = &c->in->fd[step->arg[0]];
        int r = sys_umount(walk_fd_path(*store).text, MNT_DETACH);
        (void) sys_close(*store);
        *store = -1;
        return r;
}

/* Without a terminal of its own, the container's output ends in "\n", not in "\r\n". */
static int clear_onlcr(int tty)
{
        /* The kernel's struct termios, not libc's larger one. */
        struct {
                uint32_t iflag, oflag, cflag, lflag;
                unsigned char line, cc[19];
        } t;
        int r = sys_ioctl(tty, TCGETS, &t);
        if (r < 0)
                return r;
        t.oflag &= ~(uint32_t) ONLCR;
        return sys_ioctl(tty, TCSETS, &t);
}

static int open_pty(const struct child *c, int *ret_master, int *ret_tty)
{
        /* Of the container's own devpts; through the host's, the number would mean another terminal. */
        int master = sys_openat2(c->root_fd, "dev/pts/ptmx", O_RDWR | O_NOCTTY, 0,
                                 RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
        if (master < 0)
                return master;
        int unlock = 0;
        int r = sys_ioctl(master, TIOCSPTLCK, &unlock);
        /* By the descriptor and not by the name /dev/pts/N, which the container could exchange. */
        int tty = r < 0 ? r : sys_ioctl(master, TIOCGPTPEER, (void *) (uintptr_t) (O_RDWR | O_NOCTTY | O_CLOEXEC));
        if (tty < 0) {
                (void) sys_close(master);
                return tty;
        }
        *ret_master = master;
        *ret_tty = tty;
        return 0;
}

static int bind_console(const struct child *c, int tty)
{
        int on = walk_make(c->root_fd, "/dev/console", false);
        if (on < 0)
                return on;
        int tree = sys_open_tree(tty, "", AT_EMPTY_PATH | OPEN_TREE_CLONE);
        int r = tree < 0 ? tree : sys_move_mount(tree, on);
        if (tree >= 0)
                (void) sys_close(tree);
        (void) sys_close(on);
        return r;
}

static int use_tty(const struct child *c, const struct step *step, int tty)
{
        struct winsize size = { .ws_col = (unsigned short) step->arg[0], .ws_row = (unsigned short) step->arg[1] };
        int r = size.ws_col && size.ws_row ? sys_ioctl(tty, TIOCSWINSZ, &size) : 0;
        if (r >= 0)
                r = clear_onlcr(tty);
        struct stat st;
        if (r >= 0)
                r = sys_fstat(tty, &st);
        if (r >= 0)
                r = sys_fchown(tty, (uint32_t) step->arg[2], st.st_gid);
        if (r >= 0 && step->arg[3])
                r = bind_console(c, tty);
        if (r >= 0)
                r = sys_ioctl(tty, TIOCSCTTY, NULL);
        for (int fd = 0; r >= 0 && fd < 3; fd++)
                r = sys_dup2(tty, fd);
        return r;
}

int child_open_console(struct child *c, const struct step *step)
{
        int master, tty;
        /* A process that joined a container finds its root at "/". */
        if (c->root_fd < 0)
                c->root_fd = sys_openat2(AT_FDCWD, "/", O_PATH | O_DIRECTORY, 0, 0);
        if (c->root_fd < 0)
                return c->root_fd;
        int r = open_pty(c, &master, &tty);
        if (r < 0)
                return r;
        r = use_tty(c, step, tty);
        if (r >= 0) {
                struct report report = { REPORT_CONSOLE, (uint16_t) c->at, 0 };
                r = (int) sys_send_fd(c->sync_fd, &report, sizeof(report), master);
        }
        (void) sys_close(tty);
        (void) sys_close(master);
        return r < 0 ? r : 0;
}

/* makedev(1, 3), which the C library does not always do in line */
#define NULL_DEVICE 0x103

static bool is_null(int fd)
{
        struct stat st;
        return sys_fstat(fd, &st) >= 0 && S_ISCHR(st.st_mode) && st.st_rdev == NULL_DEVICE;
}

/*
 * A file of the host's mounts is something that a checkpoint cannot write down (criu(8)), and this one is often
 * there. All null devices being alike, whoever cannot have his own keeps the host's.
 */
int child_own_null(struct child *c, const struct step *step)
{
        int fd = -1;
        (void) step;
        for (int i = 0; i < 3; i++) {
                if (!is_null(i))
                        continue;
                if (fd < 0)
                        fd = sys_openat2(c->root_fd, "dev/null", O_RDWR | O_NOCTTY, 0,
                                         RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
                if (fd < 0 || !is_null(fd))
                        break;
                (void) sys_dup2(fd, i); /* onto itself at worst */
        }
        if (fd >= 0)
                (void) sys_close(fd);
        return 0;
}

int child_write_sysctl(struct child *c, const struct step *step)
{
        static const char prefix[] = "/proc/sys/";
        const char *name = child_string(c, step, 0), *value = child_string(c, step, 1);
        char path[PATH_MAX];
        size_t n = strlen(name);
        if (sizeof(prefix) + n > sizeof(path))
                return -ENAMETOOLONG;
        memcpy(path, prefix, sizeof(prefix) - 1);
        memcpy(path + sizeof(prefix) - 1, name, n + 1);
        /* The host's /proc, which is still in place: its files act on the namespaces of who opens them. */
        int fd = sys_openat2(AT_FDCWD, path, O_WRONLY | O_NOFOLLOW, 0, RESOLVE_NO_SYMLINKS);
        if (fd < 0)
                return fd;
        ssize_t written = sys_write(fd, value, strlen(value));
        (void) sys_close(fd);
        return written < 0 ? (int) written : 0;
}

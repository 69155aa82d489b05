#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "child/child_steps.h"
#include "child/copy.h"
#include "child/walk.h"
#include "syscall/sys.h"

/* enum fsconfig_command of linux/mount.h, which clashes with sys/mount.h of glibc 2.36. */
enum { SET_FLAG = 0, SET_STRING = 1, CMD_CREATE = 6 };

/* "size=64k,nr_inodes=100,newinstance": one fsconfig() per word. A backslash
 * keeps the comma behind it in the word, as overlayfs writes its paths. */
static int configure(int fs, const char *data)
{
        char word[PATH_MAX];
        while (*data) {
                size_t n = 0;
                for (; *data && *data != ','; data++) {
                        if (*data == '\\' && data[1] == ',')
                                data++;
                        if (n + 1 >= sizeof(word))
                                return -ENAMETOOLONG;
                        word[n++] = *data;
                }
                word[n] = '\0';
                while (*data == ',')
                        data++;
                if (n == 0)
                        continue;
                char *value = memchr(word, '=', n);
                if (value)
                        *value++ = '\0';
                int r = sys_fsconfig(fs, value ? SET_STRING : SET_FLAG, word, value);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int configure_super_block(int fs, uint64_t flags)
{
        static const struct {
                uint64_t bit;
                const char *word;
        } words[] = {
                { MS_SYNCHRONOUS, "sync" }, { MS_DIRSYNC, "dirsync" }, { MS_MANDLOCK, "mand" },
                { MS_LAZYTIME, "lazytime" },
        };
        for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
                int r = flags & words[i].bit ? sys_fsconfig(fs, SET_FLAG, words[i].word, NULL) : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}

/* A detached mount of a new (or shared) super block. `mode` is one more word, or "". */
static int new_mount(const char *type, const char *source, const char *mode, const char *data, uint64_t attr,
                     uint64_t sb_flags)
{
        int fs = sys_fsopen(type);
        if (fs < 0)
                return fs;
        int r = *source ? sys_fsconfig(fs, SET_STRING, "source", source) : 0;
        if (r >= 0)
                r = configure(fs, mode);
        if (r >= 0)
                r = configure(fs, data);
        if (r >= 0)
                r = configure_super_block(fs, sb_flags);
        if (r >= 0)
                r = sys_fsconfig(fs, CMD_CREATE, NULL, NULL);
        int fd = r < 0 ? r : sys_fsmount(fs, attr);
        (void) sys_close(fs);
        return fd;
}

int child_attach(struct child *c, int mount_fd, const char *target, bool directory)
{
        int on = walk_make(c->root_fd, target, directory);
        int r = on < 0 ? on : sys_move_mount(mount_fd, on);
        if (on >= 0)
                (void) sys_close(on);
        int done = mount_fd;
        while (*target == '/')
                target++;
        if (r >= 0 && *target == '\0') {
                done = c->root_fd;
                c->root_fd = mount_fd;
        }
        (void) sys_close(done);
        return r;
}

/* "mode=1755" of the directory that the mount will cover; "" if there is none yet. */
static int mode_of_place(const struct child *c, const char *target, char *word, size_t size)
{
        struct stat st;
        int fd = walk_open(c->root_fd, target);
        int r = fd < 0 ? fd : sys_fstat(fd, &st);
        if (fd >= 0)
                (void) sys_close(fd);
        word[0] = '\0';
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        static const char prefix[] = "mode=";
        size_t n = sizeof(prefix) - 1;
        if (size < n + 5)
                return -ENAMETOOLONG;
        memcpy(word, prefix, n);
        for (int shift = 9; shift >= 0; shift -= 3)
                word[n++] = (char) ('0' + (st.st_mode >> shift & 7));
        word[n] = '\0';
        return 0;
}

/* What the image has at `target` goes into the new mount. The directory itself is root's, as with runc. */
static int copy_up(const struct child *c, int mount_fd, const char *target)
{
        int place = walk_open(c->root_fd, target);
        if (place < 0)
                return place == -ENOENT ? 0 : place;
        int from = sys_openat2(place, ".", O_RDONLY | O_DIRECTORY, 0, 0);
        (void) sys_close(place);
        if (from < 0)
                return from;
        int to = sys_openat2(mount_fd, ".", O_RDONLY | O_DIRECTORY, 0, 0);
        int r = to < 0 ? to : copy_tree(from, to, 0);
        if (to >= 0)
                (void) sys_close(to);
        (void) sys_close(from);
        return r;
}

int child_mount(struct child *c, const struct step *step)
{
        char mode[16] = "";
        c->bound = BOUND_PLAIN;
        if (step->arg[5] & MOUNT_KEEP_MODE) {
                int r = mode_of_place(c, child_string(c, step, 2), mode, sizeof(mode));
                if (r < 0)
                        return r;
        }
        int fd = new_mount(child_string(c, step, 0), child_string(c, step, 1), mode, child_string(c, step, 4), step->arg[3],
                           step->arg[5]);
        int r = fd >= 0 && (step->arg[5] & MOUNT_COPY_UP) ? copy_up(c, fd, child_string(c, step, 2)) : 0;
        if (r < 0) {
                (void) sys_close(fd);
                return r;
        }
        return fd < 0 ? fd : child_attach(c, fd, child_string(c, step, 2), true);
}

int child_set_attributes(struct child *c, const struct step *step)
{
        if ((step->arg[3] & MOUNTED_LAST) && c->bound == LINK_COPIED)
                return 0;
        int fd = child_open_mounted(c, child_string(c, step, 0), step->arg[3]);
        if (fd < 0)
                return fd;
        int r = sys_mount_setattr(fd, step->arg[3] & MOUNTED_RECURSIVE ? AT_RECURSIVE : 0, step->arg[1], step->arg[2], 0);
        (void) sys_close(fd);
        return r;
}

int child_set_propagation(struct child *c, const struct step *step)
{
        if ((step->arg[2] & MOUNTED_LAST) && c->bound == LINK_COPIED)
                return 0;
        int fd = child_open_mounted(c, child_string(c, step, 0), step->arg[2]);
        if (fd < 0)
                return fd;
        int r = sys_mount(NULL, walk_fd_path(fd).text, NULL, step->arg[1], NULL);
        (void) sys_close(fd);
        return r;
}

/* makedev(1, 3), which the C library does not always do in line */
#define NULL_DEVICE 0x103

/* The null device, and really that (CVE-2025-31133: an image could offer a link). Takes fd. */
static int check_null(int fd)
{
        struct stat st;
        int r = fd < 0 ? fd : sys_fstat(fd, &st);
        if (r >= 0 && (!S_ISCHR(st.st_mode) || st.st_rdev != NULL_DEVICE))
                r = -ENODEV;
        if (r < 0 && fd >= 0)
                (void) sys_close(fd);
        return r < 0 ? r : fd;
}

/* The container's own: whoever is root inside may change the mode of what he sees. Without one, the host's. */
static int open_null(struct child *c)
{
        if (c->null_fd < 0)
                c->null_fd = check_null(walk_open(c->root_fd, "/dev/null"));
        if (c->null_fd < 0)
                c->null_fd = check_null(sys_openat2(AT_FDCWD, "/dev/null", O_PATH, 0, 0));
        return c->null_fd < 0 ? c->null_fd : 0;
}

static int mask_file(struct child *c, int on)
{
        int r = open_null(c);
        if (r < 0)
                return r;
        int tree = sys_open_tree(c->null_fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE);
        if (tree < 0)
                return tree;
        r = sys_move_mount(tree, on);
        (void) sys_close(tree);
        return r;
}

/* All masked directories share one empty tmpfs. It can be copied only once it is attached (before Linux 6.15). */
static int mask_directory(struct child *c, int on)
{
        int tree = c->empty_fd >= 0 ? sys_open_tree(c->empty_fd, "", AT_EMPTY_PATH | OPEN_TREE_CLONE)
                                    : new_mount("tmpfs", "tmpfs", "", "nr_blocks=1,nr_inodes=1,mode=555", MOUNT_ATTR_RDONLY, 0);
        if (tree < 0)
                return tree;
        int r = sys_move_mount(tree, on);
        if (r >= 0 && c->empty_fd < 0)
                c->empty_fd = tree;
        else
                (void) sys_close(tree);
        return r;
}

/* Paths to mask or protect that the container has not got are no error (config-linux.md, Masked Paths). */
static bool is_absent(int r)
{
        return r == -ENOENT || r == -ENOTDIR;
}

int child_mask_path(struct child *c, const struct step *step)
{
        int on = walk_open(c->root_fd, child_string(c, step, 0));
        if (on < 0)
                return is_absent(on) ? 0 : on;
        struct stat st;
        int r = sys_fstat(on, &st);
        if (r >= 0)
                r = S_ISDIR(st.st_mode) ? mask_directory(c, on) : mask_file(c, on);
        (void) sys_close(on);
        return r;
}

int child_readonly_path(struct child *c, const struct step *step)
{
        int on = walk_open(c->root_fd, child_string(c, step, 0));
        if (on < 0)
                return is_absent(on) ? 0 : on;
        int tree = sys_open_tree(on, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | AT_RECURSIVE);
        int r = tree < 0 ? tree : sys_mount_setattr(tree, AT_RECURSIVE, MOUNT_ATTR_RDONLY, 0, 0);
        bool old_kernel = r == -ENOSYS;
        if (r >= 0 || old_kernel)
                r = sys_move_mount(tree, on);
        if (r >= 0 && old_kernel)
                r = sys_mount(NULL, walk_fd_path(tree).text, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL);
        if (tree >= 0)
                (void) sys_close(tree);
        (void) sys_close(on);
        return r;
}

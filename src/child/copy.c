#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "child/copy.h"
#include "syscall/sys.h"

/* Directories within each other; each takes a frame of our stack. */
#define COPY_DEPTH_MAX 64

/* getdents64(2), what the kernel writes. */
struct entry {
        uint64_t ino;
        int64_t off;
        uint16_t size;
        unsigned char type;
        char name[];
};

/* The tree is the image's: a link in it is copied, never followed. */
static int open_in(int dir, const char *name, uint64_t flags)
{
        return sys_openat2(dir, name, flags | O_NOFOLLOW, 0, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

/* Owner first: a change of owner takes the set-user-ID bits away. */
static int copy_owner(int to_dir, const char *name, const struct stat *st)
{
        int r = sys_fchownat(to_dir, name, st->st_uid, st->st_gid, AT_SYMLINK_NOFOLLOW);
        /* An owner that our user namespace has no number for: it stays ours. */
        if (r == -EINVAL || r == -EOVERFLOW)
                r = 0;
        if (r >= 0 && !S_ISLNK(st->st_mode))
                r = sys_fchmodat(to_dir, name, st->st_mode & 07777);
        const struct timespec times[2] = { st->st_atim, st->st_mtim };
        return r < 0 ? r : sys_utimensat(to_dir, name, times);
}

static int copy_data(int from, int to)
{
        char data[8192];
        for (;;) {
                ssize_t n = sys_read(from, data, sizeof(data));
                if (n <= 0)
                        return (int) n;
                for (ssize_t at = 0; at < n;) {
                        ssize_t done = sys_write(to, data + at, (size_t) (n - at));
                        if (done < 0)
                                return (int) done;
                        at += done;
                }
        }
}

static int copy_file(int from_dir, int to_dir, const char *name)
{
        /* O_NONBLOCK: should it have become a fifo meanwhile, nobody waits. */
        int from = open_in(from_dir, name, O_RDONLY | O_NONBLOCK);
        if (from < 0)
                return from;
        int to = sys_openat2(to_dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600, 0);
        int r = to < 0 ? to : copy_data(from, to);
        if (to >= 0)
                (void) sys_close(to);
        (void) sys_close(from);
        return r;
}

static int copy_link(int from_dir, int to_dir, const char *name)
{
        char target[PATH_MAX];
        ssize_t n = sys_readlinkat(from_dir, name, target, sizeof(target) - 1);
        if (n < 0)
                return (int) n;
        target[n] = '\0';
        return sys_symlinkat(target, to_dir, name);
}

static int copy_directory(int from_dir, int to_dir, const char *name, unsigned depth)
{
        int r = sys_mkdirat(to_dir, name, 0700);
        int from = r < 0 ? r : open_in(from_dir, name, O_RDONLY | O_DIRECTORY);
        int to = from < 0 ? from : open_in(to_dir, name, O_RDONLY | O_DIRECTORY);
        r = to < 0 ? to : copy_tree(from, to, depth + 1);
        if (to >= 0)
                (void) sys_close(to);
        if (from >= 0)
                (void) sys_close(from);
        return r;
}

static int copy_entry(int from_dir, int to_dir, const char *name, unsigned depth)
{
        struct stat st;
        int r = sys_fstatat(from_dir, name, &st, AT_SYMLINK_NOFOLLOW);
        if (r < 0)
                return r;
        if (S_ISDIR(st.st_mode))
                r = copy_directory(from_dir, to_dir, name, depth);
        else if (S_ISREG(st.st_mode))
                r = copy_file(from_dir, to_dir, name);
        else if (S_ISLNK(st.st_mode))
                r = copy_link(from_dir, to_dir, name);
        else
                r = sys_mknodat(to_dir, name, st.st_mode & (S_IFMT | 0777), st.st_rdev);
        return r < 0 ? r : copy_owner(to_dir, name, &st);
}

static bool is_dots(const char *name)
{
        return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

int copy_tree(int from_dir, int to_dir, unsigned depth)
{
        _Alignas(struct entry) char buf[2048];     /* the stack may be small: child.h */
        if (depth > COPY_DEPTH_MAX)
                return -ELOOP;
        for (;;) {
                ssize_t n = sys_getdents(from_dir, buf, sizeof(buf));
                if (n <= 0)
                        return (int) n;
                for (ssize_t at = 0; at < n;) {
                        const struct entry *e = (const void *) (buf + at);
                        int r = is_dots(e->name) ? 0 : copy_entry(from_dir, to_dir, e->name, depth);
                        if (r < 0)
                                return r;
                        at += e->size;
                }
        }
}

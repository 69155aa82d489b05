#include "child/walk.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "syscall/sys.h"

/* How often a path may grow by one component: bounds every loop below. */
#define DEPTH_MAX 256
/* Links to what does not exist, on one path; as many as the kernel follows (path_resolution(7)). */
#define LINKS_MAX 40

int walk_open(int root_fd, const char *path)
{
        /* An empty path or "/" is the root itself. */
        while (*path == '/')
                path++;
        return sys_openat2(root_fd, *path ? path : ".", O_PATH, 0, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

/* Open the first `len` bytes of the path as a directory. */
static int open_prefix(int root_fd, const char *path, size_t len)
{
        char buf[PATH_MAX];
        if (len >= sizeof(buf))
                return -ENAMETOOLONG;
        memcpy(buf, path, len);
        buf[len] = '\0';
        return walk_open(root_fd, buf);
}

/*
 * A path on the way to where it leads. The kernel follows the links of the image, but not to what does not exist:
 * such a link is written out in the text, and the walk starts again. No place is ever found by the text alone: what is
 * made is made in a directory that the kernel has found inside the root.
 */
struct way {
        char path[PATH_MAX];
        unsigned links;
        bool stay;              /* links to nothing are not followed */
};

static int way_begin(struct way *way, const char *path, size_t len)
{
        *way = (struct way){ .links = 0 };
        if (len >= sizeof(way->path))
                return -ENAMETOOLONG;
        memcpy(way->path, path, len);
        return 0;
}

/* Write out the link path[start..end), which is in the directory `dir`. -EINVAL: it is none. */
static int way_follow(struct way *way, int dir, size_t start, size_t end)
{
        char name[NAME_MAX + 1], to[PATH_MAX];
        if (end - start >= sizeof(name))
                return -ENAMETOOLONG;
        memcpy(name, way->path + start, end - start);
        name[end - start] = '\0';
        ssize_t n = sys_readlinkat(dir, name, to, sizeof(to));
        if (n < 0)
                return (int) n;
        if (++way->links > LINKS_MAX)
                return -ELOOP;
        size_t keep = to[0] == '/' ? 0 : start, rest = strlen(way->path + end) + 1;
        if (keep + (size_t) n + rest > sizeof(way->path))
                return -ENAMETOOLONG;
        memmove(way->path + keep + n, way->path + end, rest);
        memcpy(way->path + keep, to, (size_t) n);
        return 0;
}

/* Make the missing component path[start..end) in `parent`. 1: it is a link to nowhere, and is written out now. */
static int make_component(struct way *way, int parent, size_t start, size_t end)
{
        char name[NAME_MAX + 1];
        if (end - start >= sizeof(name))
                return -ENAMETOOLONG;
        memcpy(name, way->path + start, end - start);
        name[end - start] = '\0';
        int r = sys_mkdirat(parent, name, 0755);
        if (r != -EEXIST || way->stay)
                return r == -EEXIST ? 0 : r;
        r = way_follow(way, parent, start, end);
        /* Somebody else made it at this moment. */
        return r == -EINVAL ? 0 : r < 0 ? r : 1;
}

/* The deepest directory there is above the last component of path[0..*end), which ends where the missing ones begin. */
static int deepest_directory(int root_fd, const struct way *way, size_t *end)
{
        int fd;
        do {
                while (*end > 0 && way->path[*end - 1] == '/')
                        (*end)--;
                while (*end > 0 && way->path[*end - 1] != '/')
                        (*end)--;
                fd = open_prefix(root_fd, way->path, *end);
        } while (fd == -ENOENT && *end > 0);
        return fd;
}

/* Make what is missing of a path. 1: the text has changed, start again. */
static int make_missing(int root_fd, struct way *way, int *ret_fd)
{
        size_t start = strlen(way->path);
        int parent = deepest_directory(root_fd, way, &start);
        for (size_t depth = 0; parent >= 0 && depth < DEPTH_MAX; depth++) {
                while (way->path[start] == '/')
                        start++;
                size_t end = start;
                while (way->path[end] && way->path[end] != '/')
                        end++;
                if (end == start)
                        break;
                int r = make_component(way, parent, start, end);
                int fd = r == 0 ? open_prefix(root_fd, way->path, end) : r;
                (void) sys_close(parent);
                if (r > 0)
                        return r;
                parent = fd;
                start = end;
        }
        if (parent < 0)
                return parent;
        *ret_fd = parent;
        return 0;
}

/* The directory path[0..len), made as far as missing. */
static int make_directories(int root_fd, const char *path, size_t len, bool stay)
{
        struct way way;
        int r = way_begin(&way, path, len);
        if (r < 0)
                return r;
        way.stay = stay;
        int fd = walk_open(root_fd, way.path);
        if (fd != -ENOENT)
                return fd;
        do
                r = make_missing(root_fd, &way, &fd);
        while (r > 0);
        return r < 0 ? r : fd;
}

size_t walk_prefix(const char *path)
{
        size_t len = strlen(path);
        while (len > 0 && path[len - 1] != '/')
                len--;
        return len;
}

static int parent_of(int root_fd, const char *path, const char **ret_name, bool stay)
{
        size_t len = walk_prefix(path);
        *ret_name = path + len;
        return make_directories(root_fd, path, len, stay);
}

int walk_parent(int root_fd, const char *path, const char **ret_name)
{
        return parent_of(root_fd, path, ret_name, true);
}

/* O_EXCL: the file is made here, and not where a link of the image points to. 1: there is one, written out now. */
static int make_file(int root_fd, struct way *way)
{
        const char *name;
        int parent = parent_of(root_fd, way->path, &name, false);
        if (parent < 0)
                return parent;
        int file = sys_openat2(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644, 0);
        int r = file < 0 ? file : 0;
        if (file >= 0)
                (void) sys_close(file);
        if (r == -EEXIST) {
                r = way_follow(way, parent, (size_t) (name - way->path), strlen(way->path));
                r = r == -EINVAL ? 0 : r < 0 ? r : 1;
        }
        (void) sys_close(parent);
        return r;
}

int walk_make(int root_fd, const char *path, bool directory)
{
        if (directory)
                return make_directories(root_fd, path, strlen(path), false);
        struct way way;
        int r = way_begin(&way, path, strlen(path));
        while (r >= 0) {
                int fd = walk_open(root_fd, way.path);
                if (fd != -ENOENT)
                        return fd;
                r = make_file(root_fd, &way);
                if (r == 0)
                        return walk_open(root_fd, way.path);
        }
        return r;
}

struct fd_path walk_fd_path(int fd)
{
        struct fd_path p = { "/proc/self/fd/" };
        char digits[12];
        size_t n = 0, at = strlen(p.text);
        do
                digits[n++] = (char) ('0' + fd % 10);
        while ((fd /= 10) > 0);
        while (n > 0)
                p.text[at++] = digits[--n];
        p.text[at] = '\0';
        return p;
}

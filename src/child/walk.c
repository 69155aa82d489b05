#include "child/walk.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "syscall/sys.h"

/* How often a path may grow by one component: bounds every loop below. */
#define DEPTH_MAX 256

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

/* Make the component path[start..end) in `parent`. A concurrent or dangling one is the caller's next open to judge. */
static int make_component(int parent, const char *path, size_t start, size_t end)
{
        char name[NAME_MAX + 1];
        if (end - start >= sizeof(name))
                return -ENAMETOOLONG;
        memcpy(name, path + start, end - start);
        name[end - start] = '\0';
        int r = sys_mkdirat(parent, name, 0755);
        return r == -EEXIST ? 0 : r;
}

/* The directory path[0..len), made as far as missing. */
static int make_directories(int root_fd, const char *path, size_t len)
{
        int fd = open_prefix(root_fd, path, len);
        if (fd != -ENOENT)
                return fd;
        int parent = walk_open(root_fd, "/");
        for (size_t start = 0, depth = 0; parent >= 0 && start < len && depth < DEPTH_MAX; depth++) {
                while (start < len && path[start] == '/')
                        start++;
                size_t end = start;
                while (end < len && path[end] != '/')
                        end++;
                if (end == start)
                        break;
                fd = open_prefix(root_fd, path, end);
                if (fd == -ENOENT) {
                        int r = make_component(parent, path, start, end);
                        fd = r < 0 ? r : open_prefix(root_fd, path, end);
                }
                (void) sys_close(parent);
                parent = fd;
                start = end;
        }
        return parent;
}

int walk_parent(int root_fd, const char *path, const char **ret_name)
{
        size_t len = strlen(path);
        while (len > 0 && path[len - 1] != '/')
                len--;
        *ret_name = path + len;
        return make_directories(root_fd, path, len);
}

int walk_make(int root_fd, const char *path, bool directory)
{
        if (directory)
                return make_directories(root_fd, path, strlen(path));

        int fd = walk_open(root_fd, path);
        if (fd != -ENOENT)
                return fd;
        const char *name;
        int parent = walk_parent(root_fd, path, &name);
        if (parent < 0)
                return parent;
        /* O_EXCL: a dangling link of the image must not make a file elsewhere. */
        int file = sys_openat2(parent, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644, 0);
        (void) sys_close(parent);
        if (file < 0)
                return file;
        (void) sys_close(file);
        return walk_open(root_fd, path);
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

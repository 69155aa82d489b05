/*
 * resctrl_preload - a directory is the resctrl file system, for a CPU that has none.
 *
 * $RESCTRL_ROOT is found where resctrl would be mounted. The kernel's part is played for mkdirat(2) (a new class has its
 * files), unlinkat(2) (they go with it) and writing: `tasks` collects, `schemata` is what was written last, and a line
 * with "=0" in it is refused. For tests/integration/resctrl.sh, through LD_PRELOAD.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#define PLACE "/sys/fs/resctrl"

static const char *root(void)
{
        const char *path = getenv("RESCTRL_ROOT");
        return path ? path : "/nonexistent";
}

/* Where a descriptor points, if that is in our directory. */
static bool is_within(int fd, char *path, size_t size)
{
        char link[64];
        snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        ssize_t n = readlink(link, path, size - 1);
        if (n < 0)
                return false;
        path[n] = '\0';
        return strncmp(path, root(), strlen(root())) == 0;
}

int statfs64(const char *path, struct statfs64 *buf)
{
        if (strcmp(path, PLACE) != 0)
                return (int) syscall(SYS_statfs, path, buf);
        memset(buf, 0, sizeof(*buf));
        buf->f_type = 0x7655821; /* RDTGROUP_SUPER_MAGIC */
        return 0;
}

static int open_at(int dirfd, const char *path, int flags, unsigned mode)
{
        char dir[512];
        if (dirfd == AT_FDCWD && strcmp(path, PLACE) == 0)
                path = root();
        bool writes = dirfd != AT_FDCWD && (flags & O_ACCMODE) == O_WRONLY && is_within(dirfd, dir, sizeof(dir));
        if (!writes)
                return (int) syscall(SYS_openat, dirfd, path, flags, mode);
        int fd = (int) syscall(SYS_openat, dirfd, path, flags | (strcmp(path, "tasks") == 0 ? O_APPEND : O_TRUNC), mode);
        struct stat st;
        if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0 && syscall(SYS_write, fd, "\n", 1) < 0)
                return -1;
        return fd;
}

#define OPEN_AT(name)                                                                                           \
        int name(int dirfd, const char *path, int flags, ...)                                                   \
        {                                                                                                       \
                va_list ap;                                                                                     \
                va_start(ap, flags);                                                                            \
                unsigned mode = flags & O_CREAT ? va_arg(ap, unsigned) : 0;                                     \
                va_end(ap);                                                                                     \
                return open_at(dirfd, path, flags, mode);                                                       \
        }
OPEN_AT(openat)
OPEN_AT(openat64)

#define OPEN(name)                                                                                              \
        int name(const char *path, int flags, ...)                                                              \
        {                                                                                                       \
                va_list ap;                                                                                     \
                va_start(ap, flags);                                                                            \
                unsigned mode = flags & O_CREAT ? va_arg(ap, unsigned) : 0;                                     \
                va_end(ap);                                                                                     \
                return open_at(AT_FDCWD, path, flags, mode);                                                    \
        }
OPEN(open)
OPEN(open64)

ssize_t write(int fd, const void *data, size_t size)
{
        char path[512], *name;
        if (is_within(fd, path, sizeof(path)) && (name = strrchr(path, '/')) && strcmp(name, "/schemata") == 0 &&
            memmem(data, size, "=0\n", 3)) {
                errno = EINVAL;
                return -1;
        }
        return syscall(SYS_write, fd, data, size);
}

static void put_file(int dirfd, const char *name, const char *text)
{
        int fd = (int) syscall(SYS_openat, dirfd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        if (fd < 0 || syscall(SYS_write, fd, text, strlen(text)) < 0)
                abort();
        close(fd);
}

int mkdirat(int fd, const char *name, mode_t mode)
{
        char path[512];
        int r = (int) syscall(SYS_mkdirat, fd, name, mode);
        if (r < 0 || !is_within(fd, path, sizeof(path)))
                return r;
        int dir = (int) syscall(SYS_openat, fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
        bool is_class = syscall(SYS_faccessat, fd, "schemata", F_OK) == 0;
        put_file(dir, "tasks", "");
        if (is_class)
                put_file(dir, "schemata", "    L3:0=fffff\n    MB:0= 100\n");
        syscall(SYS_mkdirat, dir, is_class ? "mon_groups" : "mon_data", 0755);
        close(dir);
        return 0;
}

int unlinkat(int fd, const char *name, int flags)
{
        char path[512], command[1100];
        if (!(flags & AT_REMOVEDIR) || !is_within(fd, path, sizeof(path)) || syscall(SYS_faccessat, fd, name, F_OK) < 0)
                return (int) syscall(SYS_unlinkat, fd, name, flags);
        snprintf(command, sizeof(command), "LD_PRELOAD= rm -rf '%s/%s'", path, name);
        return system(command);
}

#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "syscall/ret.h"
#include "syscall/sys.h"

int sys_openat2(int dirfd, const char *path, uint64_t flags, uint32_t mode, uint64_t resolve)
{
        struct open_how how = { .flags = flags | O_CLOEXEC, .mode = mode, .resolve = resolve };
        long r;
        /* RESOLVE_IN_ROOT answers EAGAIN when a rename happened anywhere meanwhile. */
        do
                r = ret(syscall(SYS_openat2, dirfd, path, &how, sizeof(how)));
        while (r == -EAGAIN || r == -EINTR);
        return (int) r;
}

int sys_close(int fd) { return (int) ret(syscall(SYS_close, fd)); }
int sys_dup2(int from, int to)
{
        /* dup3() refuses from == to, where dup2() would leave close-on-exec as it is. */
        return from == to ? sys_clear_cloexec(to) : (int) ret(syscall(SYS_dup3, from, to, 0));
}
int sys_clear_cloexec(int fd) { return (int) ret(syscall(SYS_fcntl, fd, F_SETFD, 0)); }

int sys_cloexec_from(unsigned first)
{
        long r = ret(syscall(SYS_close_range, first, ~0U, CLOSE_RANGE_CLOEXEC));
        if (r != -EINVAL && r != -ENOSYS)
                return (int) r;
        for (unsigned fd = first; fd < 65536; fd++)
                syscall(SYS_fcntl, fd, F_SETFD, FD_CLOEXEC);
        return 0;
}

int sys_close_range(unsigned first, unsigned last)
{
        return (int) ret(syscall(SYS_close_range, first, last, 0));
}

off_t sys_lseek(int fd, off_t offset, int whence) { return ret(syscall(SYS_lseek, fd, offset, whence)); }

ssize_t sys_read(int fd, void *data, size_t size)
{
        long n;
        do
                n = ret(syscall(SYS_read, fd, data, size));
        while (n == -EINTR);
        return n;
}

ssize_t sys_write(int fd, const void *data, size_t size)
{
        long n;
        do
                n = ret(syscall(SYS_write, fd, data, size));
        while (n == -EINTR);
        return n;
}

ssize_t sys_getdents(int fd, void *data, size_t size) { return ret(syscall(SYS_getdents64, fd, data, size)); }

ssize_t sys_readlinkat(int dirfd, const char *path, char *buf, size_t size)
{
        return ret(syscall(SYS_readlinkat, dirfd, path, buf, size));
}

int sys_utimensat(int dirfd, const char *path, const struct timespec times[2])
{
        return (int) ret(syscall(SYS_utimensat, dirfd, path, times, AT_SYMLINK_NOFOLLOW));
}

int sys_mkdirat(int dirfd, const char *path, mode_t mode)
{
        return (int) ret(syscall(SYS_mkdirat, dirfd, path, mode));
}

int sys_symlinkat(const char *target, int dirfd, const char *path)
{
        return (int) ret(syscall(SYS_symlinkat, target, dirfd, path));
}

int sys_mknodat(int dirfd, const char *path, mode_t mode, uint64_t dev)
{
        return (int) ret(syscall(SYS_mknodat, dirfd, path, mode, (unsigned) dev));
}

int sys_unlinkat(int dirfd, const char *path, int flags)
{
        return (int) ret(syscall(SYS_unlinkat, dirfd, path, flags));
}

int sys_fchown(int fd, uint32_t uid, uint32_t gid) { return (int) ret(syscall(SYS_fchown, fd, uid, gid)); }

int sys_fchownat(int dirfd, const char *path, uint32_t uid, uint32_t gid, int flags)
{
        return (int) ret(syscall(SYS_fchownat, dirfd, path, uid, gid, flags));
}

int sys_fchmodat(int dirfd, const char *path, mode_t mode)
{
        return (int) ret(syscall(SYS_fchmodat, dirfd, path, mode));
}

int sys_fstat(int fd, struct stat *st) { return (int) ret(fstat(fd, st)); }

int sys_fstatat(int dirfd, const char *path, struct stat *st, int flags)
{
        return (int) ret(fstatat(dirfd, path, st, flags));
}

int64_t sys_fstatfs_type(int fd)
{
        struct statfs st;
        long r = ret(syscall(SYS_fstatfs, fd, &st));
        return r < 0 ? r : (int64_t) st.f_type;
}

int64_t sys_fstatfs_flags(int fd)
{
        struct statfs st;
        long r = ret(syscall(SYS_fstatfs, fd, &st));
        return r < 0 ? r : (int64_t) st.f_flags;
}

int sys_chdir(const char *path) { return (int) ret(syscall(SYS_chdir, path)); }
int sys_fchdir(int fd) { return (int) ret(syscall(SYS_fchdir, fd)); }
int sys_chroot(const char *path) { return (int) ret(syscall(SYS_chroot, path)); }
int sys_getcwd(char *buf, size_t size) { return (int) ret(syscall(SYS_getcwd, buf, size)); }
int sys_ioctl(int fd, unsigned long request, void *arg) { return (int) ret(syscall(SYS_ioctl, fd, request, arg)); }

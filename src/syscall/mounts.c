#include <sys/mount.h>
#include <unistd.h>

#include "syscall/ret.h"
#include "syscall/sys.h"

/* Numbers of the UAPI; glibc 2.36 and linux/mount.h clash over the declarations. */
int sys_fsopen(const char *type) { return (int) ret(syscall(SYS_fsopen, type, 1U /* FSOPEN_CLOEXEC */)); }

int sys_fsconfig(int fd, unsigned cmd, const char *key, const char *value)
{
        return (int) ret(syscall(SYS_fsconfig, fd, cmd, key, value, 0));
}

int sys_fsmount(int fd, uint64_t attr)
{
        return (int) ret(syscall(SYS_fsmount, fd, 1U /* FSMOUNT_CLOEXEC */, (unsigned) attr));
}

int sys_open_tree(int dirfd, const char *path, unsigned flags)
{
        return (int) ret(syscall(SYS_open_tree, dirfd, path, flags | O_CLOEXEC));
}

int sys_move_mount(int from_fd, int to_fd)
{
        return (int) ret(syscall(SYS_move_mount, from_fd, "", to_fd, "",
                                 0x04U /* F_EMPTY_PATH */ | 0x40U /* T_EMPTY_PATH */));
}

int sys_mount_setattr(int fd, unsigned flags, uint64_t set, uint64_t clear, uint64_t propagation)
{
        uint64_t attr[4] = { set, clear, propagation, 0 };      /* struct mount_attr */
        return (int) ret(syscall(SYS_mount_setattr, fd, "", (unsigned) AT_EMPTY_PATH | flags, attr, sizeof(attr)));
}

int sys_mount_idmap(int fd, unsigned flags, int user_ns_fd)
{
        uint64_t attr[4] = { MOUNT_ATTR_IDMAP, 0, 0, (uint64_t) user_ns_fd };
        return (int) ret(syscall(SYS_mount_setattr, fd, "", (unsigned) AT_EMPTY_PATH | flags, attr, sizeof(attr)));
}

int sys_mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data)
{
        return (int) ret(syscall(SYS_mount, source, target, type, flags, data));
}

int sys_umount(const char *target, int flags) { return (int) ret(syscall(SYS_umount2, target, flags)); }

int sys_pivot_root(const char *new_root, const char *put_old)
{
        return (int) ret(syscall(SYS_pivot_root, new_root, put_old));
}

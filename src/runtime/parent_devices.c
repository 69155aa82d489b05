#include <errno.h>
#include <linux/mount.h>
#include <sys/stat.h>

#include "runtime/parent.h"
#include "syscall/sys.h"

/*
 * Root of a user namespace cannot make device nodes (mknod(2)); we can, on a file system that then is the container's
 * alone. It has to be ours: on one that a user namespace mounts, nodes are dead (SB_I_NODEV).
 */
int parent_device_store(struct session *s, const struct step *step, struct error *err)
{
        int fs = sys_fsopen("tmpfs");
        int r = fs < 0 ? fs : sys_fsconfig(fs, FSCONFIG_SET_STRING, "mode", "0755");
        if (r >= 0)
                r = sys_fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL);
        int fd = r < 0 ? r : sys_fsmount(fs, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
        if (fs >= 0)
                (void) sys_close(fs);
        if (fd < 0)
                return error_set(err, fd, "linux.devices: make a place for the devices");
        s->in->fd[step->arg[0]] = fd;
        return 0;
}

int parent_store_device(struct session *s, const struct step *step, struct error *err)
{
        int dir = s->in->fd[step->arg[0]];
        const char *name = plan_string(s->plan, s->in, step, 1);
        mode_t mode = (mode_t) step->arg[2];
        int r = sys_mknodat(dir, name, mode, step->arg[3]);
        if (r >= 0)
                r = sys_fchownat(dir, name, (uint32_t) step->arg[4], (uint32_t) step->arg[5], AT_SYMLINK_NOFOLLOW);
        if (r >= 0)     /* again: the first time our umask was applied */
                r = sys_fchmodat(dir, name, mode & 07777);
        return r < 0 ? error_set(err, r, "linux.devices[%s]: make the device", name) : 0;
}

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "child/child_steps.h"
#include "syscall/sys.h"

#define PROC_SUPER_MAGIC 0x9fa0

enum { CMD_CREATE = 6 };        /* enum fsconfig_command */

/* A procfs that nobody else sees or can mount something into (CVE-2019-16884: labels written into a fake one). */
static int own_proc(void)
{
        int fs = sys_fsopen("proc");
        int r = fs < 0 ? fs : sys_fsconfig(fs, CMD_CREATE, NULL, NULL);
        int mount_fd = r < 0 ? r : sys_fsmount(fs, 0);
        if (fs >= 0)
                (void) sys_close(fs);
        return mount_fd;
}

/*
 * Without privilege, or where parts of /proc are covered, the kernel makes no
 * new procfs. Then it is the caller's: this step comes before any mount of the
 * container, and what is there has to be a procfs.
 */
static int open_attribute(const char *name)
{
        static const char prefix[] = "thread-self/attr/";
        char path[sizeof(prefix) + 32];
        size_t n = strlen(name);
        if (n > 32)
                return -ENAMETOOLONG;
        memcpy(path, prefix, sizeof(prefix) - 1);
        memcpy(path + sizeof(prefix) - 1, name, n + 1);

        int proc = own_proc();
        if (proc < 0)
                proc = sys_openat2(AT_FDCWD, "/proc", O_PATH | O_DIRECTORY, 0, RESOLVE_NO_SYMLINKS);
        if (proc < 0)
                return proc;
        int64_t type = sys_fstatfs_type(proc);
        int fd = type == PROC_SUPER_MAGIC
                ? sys_openat2(proc, path, O_WRONLY, 0, RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS)
                : (type < 0 ? (int) type : -ENOTDIR);
        (void) sys_close(proc);
        return fd;
}

/* The kernel keeps it for the next exec: of the container's program. */
int child_exec_label(struct child *c, const struct step *step)
{
        const char *text = child_string(c, step, 1);
        int fd = open_attribute(child_string(c, step, 0));
        if (fd < 0)
                return fd;
        ssize_t n = sys_write(fd, text, strlen(text));
        (void) sys_close(fd);
        return n < 0 ? (int) n : 0;
}

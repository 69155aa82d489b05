#include "runtime/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "syscall/sys.h"

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

extern char **environ;

/* On a read-only mount, which also a read-only /usr is, or sealed memory. */
static bool is_sealed(int exe)
{
        struct statvfs fs;
        int seals = fcntl(exe, F_GET_SEALS);
        return (seals >= 0 && (seals & F_SEAL_WRITE)) || (fstatvfs(exe, &fs) == 0 && (fs.f_flag & ST_RDONLY));
}

static int readonly_mount(int exe)
{
        auto_fd int tree = sys_open_tree(exe, "", AT_EMPTY_PATH | OPEN_TREE_CLONE);
        if (tree < 0)
                return tree;
        int r = sys_mount_setattr(tree, 0, MOUNT_ATTR_RDONLY, 0, 0);
        return r < 0 ? r : take_fd(&tree);
}

static int copy_in_memory(int exe)
{
        struct stat st;
        auto_fd int copy = memfd_create("berth", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (copy < 0 || fstat(exe, &st) < 0)
                return -errno;
        for (off_t left = st.st_size; left > 0;) {
                ssize_t n = sendfile(copy, exe, NULL, (size_t) left);
                if (n <= 0)
                        return n < 0 ? -errno : -EIO;
                left -= n;
        }
        if (fchmod(copy, 0755) < 0 || fcntl(copy, F_ADD_SEALS, SEALS) < 0)
                return -errno;
        return take_fd(&copy);
}

/* runc tells of the same under the name of exeseal. */
int seal_spared(const struct log *log)
{
        log_say(log, "our program runs as long as the container: no need of \"runc exeseal: using /proc/self/exe clone\"");
        log_say(log, "... nor of \"runc exeseal: using overlayfs for sealed /proc/self/exe\"");
        return 0;
}

int seal_self(char *const argv[], const struct log *log, struct error *err)
{
        auto_fd int exe = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        if (exe < 0)
                return error_set(err, -errno, "open our own program");
        if (is_sealed(exe)) {
                log_say(log, "our program cannot be written to: it is sealed");
                return 0;
        }
        auto_fd int sealed = readonly_mount(exe);
        bool mounted = sealed >= 0;
        if (!mounted)
                sealed = copy_in_memory(exe);
        if (sealed < 0)
                return error_set(err, sealed, "protect our own program from the container");
        log_say(log, "runc exeseal: using /proc/self/exe clone: we go on from %s",
                mounted ? "a read-only mount of our program" : "a sealed copy of our program in memory");
        execveat(sealed, "", argv, environ, AT_EMPTY_PATH);
        return error_set(err, -errno, "execute a protected copy of our own program");
}

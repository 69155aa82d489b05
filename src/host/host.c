#include "host/host.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

/* Number of the first user namespace: PROC_USER_INIT_INO, the same since Linux 3.8 (in uapi since 6.18). */
#define FIRST_USER_NAMESPACE "user:[4026531837]"

#define OLDEST_MAJOR 5
#define OLDEST_MINOR 10

bool host_release_is_enough(const char *release)
{
        unsigned int number[2] = { 0, 0 };
        for (int i = 0; i < 2; i++) {
                if (*release < '0' || *release > '9')
                        return true;
                for (; *release >= '0' && *release <= '9' && number[i] < 1000; release++)
                        number[i] = number[i] * 10 + (unsigned int) (*release - '0');
                release += *release == '.';
        }
        return number[0] > OLDEST_MAJOR || (number[0] == OLDEST_MAJOR && number[1] >= OLDEST_MINOR);
}

/*
 * Older kernels lack what there is no other way for (openat2 with RESOLVE_IN_ROOT, the new mount calls, close_range),
 * each in its own place. So there is one line for all of it.
 */
static int refuse_old(struct error *err)
{
        struct utsname u;
        if (uname(&u) < 0)
                return error_set(err, -errno, "ask for the kernel's release");
        if (host_release_is_enough(u.release))
                return 0;
        return error_say(err, -ENOSYS, "this is Linux %s, and Linux %d.%d or newer is needed", u.release, OLDEST_MAJOR,
                         OLDEST_MINOR);
}

/*
 * A cgroup that is no descriptor is refused (EINVAL) before anything of the process is copied: a clone that fails later
 * costs a tenth of a millisecond. With a seccomp filter in front of clone3: ENOSYS, EPERM.
 */
static bool has_clone3(void)
{
        struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD, .cgroup = UINT64_MAX };
        return syscall(SYS_clone3, &args, sizeof(args)) < 0 && errno == EINVAL;
}

/* Too small a size is EINVAL, after the call was found to exist. */
static bool has_mount_setattr(void)
{
        return syscall(SYS_mount_setattr, -1, "", 0, NULL, (size_t) 0) < 0 && errno == EINVAL;
}

static bool in_first_user_namespace(void)
{
        char name[64];
        ssize_t n = readlink("/proc/self/ns/user", name, sizeof(name) - 1);
        if (n < 0) /* a kernel without user namespaces has only one */
                return errno == ENOENT && access("/proc/self/ns", F_OK) == 0;
        name[n] = '\0';
        return strcmp(name, FIRST_USER_NAMESPACE) == 0;
}

/* Our effective capabilities, those below 32. */
static uint32_t low_capabilities(void)
{
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };
        return syscall(SYS_capget, &header, data) == 0 ? data[0].effective : 0;
}

static uint64_t bounding_set(void)
{
        uint64_t set = 0;
        for (int i = 0; i < 64; i++) {
                int r = prctl(PR_CAPBSET_READ, i, 0, 0, 0);
                if (r < 0) /* behind the last one that this kernel knows */
                        break;
                set |= (uint64_t) (r != 0) << i;
        }
        return set;
}

/* The first line of a file is this word. */
static bool says(const char *path, const char *word)
{
        char text[16] = "";
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return false;
        ssize_t n = read(fd, text, sizeof(text) - 1);
        (void) close(fd);
        return n > 0 && strcspn(text, "\n") == strlen(word) && strncmp(text, word, strlen(word)) == 0;
}

/* The kernel registers selinuxfs only if SELinux was switched on at boot; mounted it need not be. */
static bool has_file_system(const char *line)
{
        char text[8192];
        int fd = open("/proc/filesystems", O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return false;
        ssize_t n = read(fd, text, sizeof(text) - 1);
        (void) close(fd);
        text[n > 0 ? n : 0] = '\0';
        return strstr(text, line) != NULL;
}

int host_probe(struct host *ret_host, struct error *err)
{
        int r = refuse_old(err);
        if (r < 0)
                return r;
        r = cgroup_host_probe(&ret_host->cgroups, err);
        if (r < 0)
                return r;
        ret_host->clone3 = has_clone3();
        ret_host->mount_setattr = has_mount_setattr();
        const uint32_t caps = low_capabilities(), set_ids = 1u << CAP_SETUID | 1u << CAP_SETGID;
        ret_host->privileged = (caps >> CAP_SYS_ADMIN & 1) != 0 && in_first_user_namespace();
        ret_host->maps_ids = (caps & set_ids) == set_ids;
        ret_host->setgroups_denied = !ret_host->privileged && says("/proc/self/setgroups", "deny");
        ret_host->uid = geteuid();
        ret_host->gid = getegid();
        ret_host->kcore = access("/proc/kcore", F_OK) == 0;
        ret_host->apparmor = says("/sys/module/apparmor/parameters/enabled", "Y");
        ret_host->selinux = has_file_system("\tselinuxfs\n");
        ret_host->own_caps = bounding_set();
        return 0;
}

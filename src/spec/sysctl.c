#include "spec/sysctl.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "spec/json_read.h"

int sysctl_path(const char *key, char *ret_path, size_t size)
{
        char path[SYSCTL_PATH_MAX];
        size_t len = strlen(key);
        if (len >= sizeof(path) || len >= size)
                return -ENAMETOOLONG;

        const char *first = strpbrk(key, "./");
        bool dots = !first || *first == '.';
        memcpy(path, key, len + 1);
        for (char *p = path; dots && *p; p++) {
                if (*p == '.')
                        *p = '/';
                else if (*p == '/')
                        *p = '.';
        }
        for (const char *p = path;;) {
                size_t n = strcspn(p, "/");
                if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
                        return -EINVAL;
                p += n;
                if (*p++ == '\0')
                        break;
        }
        memcpy(ret_path, path, len + 1);
        return 0;
}

/* System V and POSIX message queues, semaphores, shared memory: ipc_namespaces(7). */
static bool is_ipc(const char *path)
{
        static const char *const names[] = {
                "kernel/msgmax", "kernel/msgmnb", "kernel/msgmni", "kernel/sem",
                "kernel/shmall", "kernel/shmmax", "kernel/shmmni", "kernel/shm_rmid_forced",
        };
        for (size_t i = 0; i < COUNT(names); i++)
                if (strcmp(path, names[i]) == 0)
                        return true;
        return str_starts(path, "fs/mqueue/");
}

static int refuse(struct error *err, const char *key, const char *why)
{
        return error_say(err, -EINVAL, "linux.sysctl[%s]: %s", quoted(key).text, why);
}

int sysctl_check(const struct spec *spec, const char *key, struct error *err)
{
        char path[SYSCTL_PATH_MAX];
        int r = sysctl_path(key, path, sizeof(path));
        if (r < 0)
                return refuse(err, key, "expected a name such as \"net.ipv4.ip_forward\"");

        enum ns_type type;
        if (is_ipc(path))
                type = NS_IPC;
        else if (str_starts(path, "net/"))
                type = NS_NETWORK;
        else if (str_starts(path, "user/"))
                type = NS_USER;
        else if (strcmp(path, "kernel/domainname") == 0)
                type = NS_UTS;
        else if (strcmp(path, "kernel/hostname") == 0)
                return refuse(err, key, "is what \"hostname\" is for");
        else
                return refuse(err, key, "belongs to the whole machine, no namespace has its own");

        if (!spec->ns[type].wanted)
                return error_say(err, -EINVAL, "linux.sysctl[%s]: needs %s %s namespace in linux.namespaces",
                                 quoted(key).text, type == NS_IPC ? "an" : "a", ns_names[type]);
        return 0;
}

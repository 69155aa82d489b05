#include <linux/capability.h>
#include <unistd.h>

#include "syscall/ret.h"
#include "syscall/sys.h"

int sys_setuid_all(uint32_t uid) { return (int) ret(syscall(SYS_setresuid, uid, uid, uid)); }
int sys_setgid_all(uint32_t gid) { return (int) ret(syscall(SYS_setresgid, gid, gid, gid)); }

int sys_setgroups(const uint32_t *groups, size_t n)
{
        return (int) ret(syscall(SYS_setgroups, n, groups));
}

int sys_capset(uint64_t effective, uint64_t permitted, uint64_t inheritable)
{
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[2];
        for (unsigned i = 0; i < 2; i++)
                data[i] = (struct __user_cap_data_struct){
                        .effective = (uint32_t) (effective >> (32 * i)),
                        .permitted = (uint32_t) (permitted >> (32 * i)),
                        .inheritable = (uint32_t) (inheritable >> (32 * i)),
                };
        return (int) ret(syscall(SYS_capset, &header, data));
}

int sys_capget(uint64_t *ret_effective, uint64_t *ret_permitted, uint64_t *ret_inheritable)
{
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[2];
        int r = (int) ret(syscall(SYS_capget, &header, data));
        if (r < 0)
                return r;
        *ret_effective = data[0].effective | (uint64_t) data[1].effective << 32;
        *ret_permitted = data[0].permitted | (uint64_t) data[1].permitted << 32;
        *ret_inheritable = data[0].inheritable | (uint64_t) data[1].inheritable << 32;
        return 0;
}

/*
 * memlock_preload - for crun on cgroup v2 on a machine whose root has not got CAP_SYS_RESOURCE.
 *
 * crun raises RLIMIT_MEMLOCK before it loads the BPF program of the devices and gives up when
 * that is refused. Since Linux 5.11 BPF memory is not charged to that limit: the refusal is harmless.
 */
#define _GNU_SOURCE
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

int setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
        long r = syscall(SYS_prlimit64, 0, resource, limit, NULL);
        return r < 0 && resource == RLIMIT_MEMLOCK ? 0 : (int) r;
}

int setrlimit64(__rlimit_resource_t resource, const struct rlimit64 *limit)
{
        long r = syscall(SYS_prlimit64, 0, resource, limit, NULL);
        return r < 0 && resource == RLIMIT_MEMLOCK ? 0 : (int) r;
}

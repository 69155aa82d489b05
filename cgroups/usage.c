#include "cgroups/cgroup.h"

#include <string.h>

#include "base/str.h"
#include "cgroups/files.h"

/* A whole file that is one number. */
static bool read_number(int dir, const char *file, uint64_t *ret)
{
        char text[32];
        return file_read(dir, file, text, sizeof(text)) == 0 && parse_u64(text, ret) == 0;
}

static bool read_key(int dir, const char *file, const char *key, uint64_t *ret)
{
        char text[2048];
        return file_read(dir, file, text, sizeof(text)) == 0 && flat_value(text, key, ret) == 0;
}

static int dir_with(const struct cgroup *cgroup, const char *controller)
{
        const struct cgroup_hierarchy *h = cgroup_find(cgroup->host, controller);
        return h && !h->v2 ? cgroup->dir[h - cgroup->host->h].fd : -1;
}

void cgroup_usage(const struct cgroup *cgroup, struct cgroup_usage *ret)
{
        struct cgroup_usage u = { 0 };
        if (cgroup->host) {
                int v2 = cgroup_v2_fd(cgroup);
                int memory = dir_with(cgroup, "memory"), cpuacct = dir_with(cgroup, "cpuacct");
                if (memory >= 0) {
                        u.has_memory = read_number(memory, "memory.max_usage_in_bytes", &u.memory_peak);
                        u.has_oom = read_key(memory, "memory.oom_control", "oom_kill", &u.oom_kills); /* 4.13 */
                } else if (v2 >= 0) {
                        u.has_memory = read_number(v2, "memory.peak", &u.memory_peak); /* 5.19 */
                        u.has_oom = read_key(v2, "memory.events", "oom_kill", &u.oom_kills);
                }
                /* v2 counts CPU time without any controller, also on a hybrid machine. */
                if (v2 >= 0 && read_key(v2, "cpu.stat", "usage_usec", &u.cpu_ns)) {
                        u.has_cpu = true;
                        u.cpu_ns *= 1000;
                } else if (cpuacct >= 0) {
                        u.has_cpu = read_number(cpuacct, "cpuacct.usage", &u.cpu_ns);
                }
        }
        *ret = u;
}

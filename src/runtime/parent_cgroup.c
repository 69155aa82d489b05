#include <errno.h>
#include <linux/bpf.h>

#include "cgroups/devices.h"
#include "runtime/parent.h"

int parent_cgroup_create(struct session *s, const struct step *step, struct error *err)
{
        const char *path = plan_string(s->plan, s->in, step, 0);
        cgroup_set set = (cgroup_set) step->arg[1];
        /* Without privilege, a hierarchy that nobody delegated to us is done without. */
        return cgroup_create(&s->opts->host->cgroups, path, set, s->opts->host->privileged ? 0 : set, &s->cgroup, err);
}

int parent_cgroup_write(struct session *s, const struct step *step, struct error *err)
{
        return cgroup_write(&s->cgroup, plan_string(s->plan, s->in, step, 0), plan_string(s->plan, s->in, step, 1),
                            plan_string(s->plan, s->in, step, 2), err);
}

int parent_cgroup_devices(struct session *s, const struct step *step, struct error *err)
{
        struct plan_bytes program = plan_bytes(s->plan, s->in, step, 0);
        int fd = cgroup_v2_fd(&s->cgroup);
        return fd < 0 ? 0 : devices_attach(fd, program.data, program.size / sizeof(struct bpf_insn), err);
}

int parent_cgroup_entrances(struct session *s, const struct step *step, struct error *err)
{
        size_t n;
        return cgroup_entrances(&s->cgroup, step->arg[2] != 0, &s->in->fd[step->arg[0]], step->arg[1], &n, err);
}

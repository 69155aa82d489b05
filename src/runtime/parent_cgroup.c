#include <errno.h>
#include <linux/bpf.h>
#include <string.h>

#include "cgroups/devices.h"
#include "runtime/parent.h"

int parent_cgroup_create(struct session *s, const struct step *step, struct error *err)
{
        const char *path = plan_string(s->plan, s->in, step, 0);
        int r = cgroup_create(&s->opts->host->cgroups, path, (cgroup_set) step->arg[1], (cgroup_set) step->arg[2],
                              &s->cgroup, err);
        if ((r == -EACCES || r == -EPERM) && !s->opts->host->privileged)
                return error_say(err, r, "unable to apply cgroup configuration: permission denied: cgroup \"%s\" is not "
                                 "ours to make (delegate it, or leave linux.cgroupsPath out)", path);
        return r;
}

/* The limits of a container without a cgroup: nobody delegated one to us. */
static int refuse_limit(const char *file, struct error *err)
{
        return error_say(err, -EPERM, "cannot set %.*s limit: container could not join or create cgroup: rootless needs "
                         "no limits + no cgrouppath when no permission is granted for cgroups",
                         (int) strcspn(file, "."), file);
}

int parent_cgroup_write(struct session *s, const struct step *step, struct error *err)
{
        const char *controller = plan_string(s->plan, s->in, step, 0), *file = plan_string(s->plan, s->in, step, 1);
        if (!s->opts->host->privileged && !cgroup_has(&s->cgroup, controller))
                return refuse_limit(file, err);
        return cgroup_write(&s->cgroup, controller, file, plan_string(s->plan, s->in, step, 2), err);
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

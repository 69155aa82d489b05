#include <errno.h>
#include <linux/bpf.h>
#include <string.h>

#include "cgroups/devices.h"
#include "cgroups/systemd.h"
#include "cgroups/unit.h"
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

int parent_cgroup_owner(struct session *s, const struct step *step, struct error *err)
{
        return cgroup_give(&s->cgroup, (uid_t) step->arg[0], err);
}

int parent_unit_start(struct session *s, const struct step *step, struct error *err)
{
        const char *unit = plan_string(s->plan, s->in, step, 0);
        auto_free const char **properties = parent_vector(plan_bytes(s->plan, s->in, step, 1), NULL);
        bool user = step->arg[2] != 0;
        auto_free char *path = NULL;
        if (!properties)
                return -ENOMEM;
        const struct systemd_start start = { unit, user, properties, s->pid, &s->opts->host->cgroups };
        int r = systemd_start(&start, &path, err);
        if (r < 0)
                return r;
        s->unit = unit;
        s->unit_user = user;
        const struct cgroup_adoption from = { .path = path, .pid = s->pid, .move = unit_is_slice(unit),
                                              .optional = s->opts->host->privileged ? 0 : CGROUP_ALL };
        return cgroup_adopt(&s->opts->host->cgroups, &from, &s->cgroup, err);
}

int parent_unit_attach(struct session *s, const struct step *step, struct error *err)
{
        const char *unit = plan_string(s->plan, s->in, step, 0), *within = NULL;
        /* The session's cgroup may be one below the unit's: --cgroup, or where the first process moved to. */
        for (size_t i = 0; !within && s->cgroup.host && i < s->cgroup.host->n; i++)
                if (s->cgroup.host->h[i].v2 && s->cgroup.dir[i].path)
                        within = strstr(s->cgroup.dir[i].path, unit);
        return systemd_attach(unit, step->arg[1] != 0, within ? within + strlen(unit) : "", s->pid, err);
}

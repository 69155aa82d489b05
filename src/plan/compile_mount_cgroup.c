#include <errno.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>

#include "plan/compile_parts.h"

/* What the container's cgroup is called in this hierarchy, seen from its mount point. */
static const char *cgroup_in(struct compile *c, const struct cgroup_hierarchy *h)
{
        const char *path = c->wish->cgroup_inherit ? NULL : c->cgroup_path;
        /* Without privilege its own cgroup is made only where somebody delegated; ours is there in any case. */
        if (!path || !c->host->privileged)
                return h->own;
        if (path[0] == '/')
                return path;
        return arena_printf(c->arena, "%s/%s", strcmp(h->own, "/") == 0 ? "" : h->own, path);
}

static void bind_own(struct compile *c, const struct cgroup_hierarchy *h, const char *target, uint64_t attr)
{
        const char *source = arena_printf(c->arena, "%s%s", h->mount_point, cgroup_in(c, h));
        plan_add(c->b, STEP_BIND, S(c, source), S(c, target), attr, 0, c->host->mount_setattr ? 0u : BIND_REMOUNT,
                 FD_NONE);
}

/* "cpu,cpuacct" is also reachable as cpu and as cpuacct. */
static void link_controllers(struct compile *c, const char *below, const char *name)
{
        if (!strchr(name, ','))
                return;
        for (const char *p = name; *p;) {
                size_t n = strcspn(p, ",");
                const char *path = arena_printf(c->arena, "%s/%.*s", below, (int) n, p);
                plan_add(c->b, STEP_MAKE_SYMLINK, S(c, path), S(c, name));
                p += n + (p[n] == ',');
        }
}

static void mount_hierarchy(struct compile *c, const struct cgroup_hierarchy *h, const char *below, uint64_t attr)
{
        const char *slash = strrchr(h->mount_point, '/');
        const char *name = slash ? slash + 1 : h->mount_point;
        const char *target = arena_printf(c->arena, "%s/%s", below, name);
        bool own_ns = c->spec->ns[NS_CGROUP].wanted;
        if (own_ns) {
                bool named = strncmp(h->controllers, "name=", 5) == 0;
                const char *data = named ? arena_printf(c->arena, "none,%s", h->controllers) : h->controllers;
                plan_add(c->b, STEP_MOUNT, S(c, "cgroup"), S(c, "cgroup"), S(c, target), attr, S(c, data), 0);
        } else {
                bind_own(c, h, target, attr);
        }
        link_controllers(c, below, name);
}

/*
 * config-linux.md: a mount of type cgroup shows the container its own cgroups.
 * With a cgroup namespace a fresh mount does; without, on v1, its directories are
 * bound. On v1 that is one mount per hierarchy below a tmpfs.
 */
void compile_mount_cgroup(struct compile *c, const struct spec_mount *m)
{
        const struct cgroup_host *host = &c->host->cgroups;
        if (host->mode == CGROUP_V2) {
                const struct cgroup_hierarchy *h = cgroup_find(host, "");
                /* Without a cgroup namespace it is the host's whole hierarchy, as with every runtime: managers that
                 * run in such a container look for themselves at the path of /proc/self/cgroup. */
                if (c->spec->ns[NS_CGROUP].wanted || !c->user_ns || !h)
                        plan_add(c->b, STEP_MOUNT, S(c, "cgroup2"), S(c, "cgroup"), S(c, m->destination), m->attr_set,
                                 S(c, m->data), 0);
                else if (*m->data)
                        compile_refuse(c, -EINVAL, "mounts: \"%s\": \"%s\" needs a mount of its own, which needs a cgroup "
                                       "namespace", m->destination, m->data);
                else
                        bind_own(c, h, m->destination, m->attr_set);
                return;
        }
        plan_add(c->b, STEP_MOUNT, S(c, "tmpfs"), S(c, "tmpfs"), S(c, m->destination),
                 m->attr_set & ~(uint64_t) MOUNT_ATTR_RDONLY, S(c, "mode=755"), 0);
        for (size_t i = 0; i < host->n; i++)
                if (!host->h[i].v2)
                        mount_hierarchy(c, &host->h[i], m->destination, m->attr_set);
        if (m->attr_set & MOUNT_ATTR_RDONLY)
                plan_add(c->b, STEP_SET_ATTRIBUTES, S(c, m->destination), MOUNT_ATTR_RDONLY, 0, 1);
}

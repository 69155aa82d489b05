#include <errno.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "plan/compile_parts.h"
#include "spec/sysctl.h"

static bool has_mount_ns(const struct compile *c)
{
        return c->spec->ns[NS_MOUNT].wanted;
}

static bool is_cgroup_mount(const struct spec_mount *m)
{
        return m->type && (strcmp(m->type, "cgroup") == 0 || strcmp(m->type, "cgroup2") == 0) && !m->bind;
}

/* Sources of bind mounts: relative to the bundle. */
static const char *bind_source(struct compile *c, const struct spec_mount *m)
{
        const char *source = m->source ? m->source : "";
        if (source[0] == '/')
                return source;
        return arena_printf(c->arena, "%s/%s", c->wish->bundle, source);
}

/* Maps of its own, else those of the container, which is in a new user namespace or joins one. */
static void compile_idmap(struct compile *c, const struct spec_mount *m, uint64_t tree)
{
        const struct spec *s = c->spec;
        const char *path = m->n_uid_map == 0 ? s->ns[NS_USER].path : NULL;
        bool own = m->n_uid_map > 0;
        if (!c->host->mount_setattr || !c->host->privileged) {
                compile_refuse(c, -EOPNOTSUPP, "mounts: \"%s\": mapping the ids of a mount needs %s", m->destination,
                               c->host->mount_setattr ? "root on the host" : "Linux 5.12");
                return;
        }
        plan_add(c->b, STEP_MAP_TREE, tree,
                 path ? S(c, "") : compile_map_text(c, own ? m->uid_map : s->uid_map, own ? m->n_uid_map : s->n_uid_map),
                 path ? S(c, "") : compile_map_text(c, own ? m->gid_map : s->gid_map, own ? m->n_gid_map : s->n_gid_map),
                 S(c, path), m->idmap == IDMAP_RECURSIVE ? 1u : 0u, S(c, m->destination));
}

/*
 * Root in a user namespace may not reach the source of a bind mount; we may. So
 * the parent copies the mount before it clones, and the child inherits the
 * descriptor. Without privilege only the child, in its namespace, can copy mounts.
 */
void compile_open_trees(struct compile *c)
{
        c->trees = arena_alloc(c->arena, c->spec->n_mounts + 1, sizeof(*c->trees));
        if (!c->trees) {
                compile_refuse(c, -ENOMEM, "no memory to compile the mounts");
                return;
        }
        for (size_t i = 0; i < c->spec->n_mounts; i++) {
                const struct spec_mount *m = &c->spec->mounts[i];
                c->trees[i] = FD_NONE;
                if (!m->bind || (!m->idmap && (!c->user_ns || !c->host->privileged)))
                        continue;
                c->trees[i] = plan_build_fd(c->b);
                plan_add(c->b, STEP_OPEN_TREE, c->trees[i], S(c, bind_source(c, m)), m->rbind ? 1u : 0u);
                if (m->idmap)
                        compile_idmap(c, m, c->trees[i]);
        }
}

void compile_rootfs(struct compile *c)
{
        if (!has_mount_ns(c)) {
                if (c->spec->n_mounts > 0)
                        compile_refuse(c, -EINVAL, "mounts: without a mount namespace they would be the host's; "
                                       "add { \"type\": \"mount\" } to linux.namespaces or remove the mounts");
                plan_add(c->b, STEP_OPEN_ROOT, S(c, c->rootfs), 0);
                return;
        }
        /* Never shared while we mount: nothing of the container may show up on the host. */
        unsigned long flags = c->spec->rootfs_propagation & (MS_PRIVATE) ? MS_PRIVATE : MS_SLAVE;
        plan_add(c->b, STEP_HOST_PROPAGATION, MS_REC | flags);
        plan_add(c->b, STEP_OPEN_ROOT, S(c, c->rootfs), 1);
}

/* With one of the atime bits the whole field has to be cleared first: mount_setattr(2). */
static uint64_t clear_of(uint64_t set, uint64_t clear)
{
        return set & MOUNT_ATTR__ATIME ? clear | MOUNT_ATTR__ATIME : clear;
}

static void compile_bind(struct compile *c, const struct spec_mount *m, uint64_t tree)
{
        uint64_t flags = m->rbind ? BIND_RECURSIVE : 0;
        if (!c->host->mount_setattr)
                flags |= BIND_REMOUNT;
        plan_add(c->b, STEP_BIND, S(c, bind_source(c, m)), S(c, m->destination), m->attr_set,
                 clear_of(m->attr_set, m->attr_clear), flags, tree);
}

/* "size=1m,mode=700" has a mode; "xmode=1" has not. */
static bool has_mode(const char *data)
{
        const char *at = strstr(data, "mode=");
        return at && (at == data || at[-1] == ',');
}

/* We have to write to it first: mount points for what is mounted below, devices, what is copied up. */
static bool is_readonly_tmpfs(const struct spec_mount *m)
{
        return m->type && !m->bind && strcmp(m->type, "tmpfs") == 0 && (m->attr_set & MOUNT_ATTR_RDONLY);
}

static void compile_file_system(struct compile *c, const struct spec_mount *m)
{
        const char *type = m->type ? m->type : "";
        if (!*type) {
                compile_refuse(c, -EINVAL, "mounts: \"%s\" has neither a type nor a bind option", m->destination);
                return;
        }
        if (strcmp(type, "proc") == 0 || strcmp(type, "sysfs") == 0)
                plan_add(c->b, STEP_REFUSE_LINK, S(c, m->destination));
        uint64_t flags = m->sb_flags;
        if (strcmp(type, "tmpfs") == 0 && !has_mode(m->data))
                flags |= MOUNT_KEEP_MODE;
        uint64_t attr = m->attr_set & ~(m->attr_clear & ~(uint64_t) MOUNT_ATTR__ATIME);
        if (m->copy_up)
                flags |= MOUNT_COPY_UP;
        if (is_readonly_tmpfs(m))
                attr &= ~(uint64_t) MOUNT_ATTR_RDONLY;
        plan_add(c->b, STEP_MOUNT, S(c, type), S(c, m->source ? m->source : type), S(c, m->destination), attr,
                 S(c, compile_mount_label(c, m)), flags);
}

void compile_mounts(struct compile *c)
{
        for (size_t i = 0; i < c->spec->n_mounts; i++) {
                const struct spec_mount *m = &c->spec->mounts[i];
                if (is_cgroup_mount(m))
                        compile_mount_cgroup(c, m);
                else if (m->bind)
                        compile_bind(c, m, c->trees[i]);
                else
                        compile_file_system(c, m);
                if (m->rec_set || m->rec_clear)
                        plan_add(c->b, STEP_SET_ATTRIBUTES, S(c, m->destination), m->rec_set,
                                 clear_of(m->rec_set, m->rec_clear), 1);
                if (m->propagation)
                        plan_add(c->b, STEP_SET_PROPAGATION, S(c, m->destination), m->propagation);
        }
}

/* --- /dev ----------------------------------------------------------------- */

/* config-linux.md, Default Devices */
static const struct {
        const char *path;
        unsigned major, minor;
} default_devices[] = {
        { "/dev/null", 1, 3 }, { "/dev/zero", 1, 5 },    { "/dev/full", 1, 7 },
        { "/dev/tty", 5, 0 },  { "/dev/random", 1, 8 },  { "/dev/urandom", 1, 9 },
};

static const struct {
        const char *path, *to;
} dev_links[] = {
        { "/dev/fd", "/proc/self/fd" },         { "/dev/stdin", "/proc/self/fd/0" },
        { "/dev/stdout", "/proc/self/fd/1" },   { "/dev/stderr", "/proc/self/fd/2" },
        { "/dev/ptmx", "pts/ptmx" },
};

static bool mounts_at(const struct compile *c, const char *destination, bool bind)
{
        for (size_t i = 0; i < c->spec->n_mounts; i++)
                if (strcmp(c->spec->mounts[i].destination, destination) == 0 && c->spec->mounts[i].bind == bind)
                        return true;
        return false;
}

static void compile_device(struct compile *c, const char *path, mode_t mode, dev_t dev, uint32_t uid, uint32_t gid)
{
        if (c->user_ns || !c->host->privileged) /* mknod(2) of a device needs privilege on the host */
                plan_add(c->b, STEP_BIND_DEVICE, S(c, path));
        else
                plan_add(c->b, STEP_MAKE_DEVICE, S(c, path), mode, dev, uid, gid);
}

static mode_t device_type(char type)
{
        return type == 'b' ? S_IFBLK : type == 'p' ? S_IFIFO : S_IFCHR;
}

static bool is_in_spec(const struct compile *c, const char *path)
{
        for (size_t i = 0; i < c->spec->n_devices; i++)
                if (strcmp(c->spec->devices[i].path, path) == 0)
                        return true;
        return false;
}

void compile_devices(struct compile *c)
{
        c->dev_is_ours = !mounts_at(c, "/dev", true);
        if (!c->dev_is_ours)
                return;
        plan_add(c->b, STEP_SET_UMASK, 0);
        for (size_t i = 0; i < sizeof(default_devices) / sizeof(*default_devices); i++)
                if (!is_in_spec(c, default_devices[i].path))
                        compile_device(c, default_devices[i].path, S_IFCHR | 0666,
                                       makedev(default_devices[i].major, default_devices[i].minor), 0, 0);
        for (size_t i = 0; i < c->spec->n_devices; i++) {
                const struct spec_device *d = &c->spec->devices[i];
                if (strcmp(d->path, "/dev/ptmx") == 0) /* that of the container's devpts, below */
                        continue;
                compile_device(c, d->path, device_type(d->type) | (d->has_mode ? d->mode : 0666),
                               makedev(d->major, d->minor), d->uid, d->gid);
        }
        for (size_t i = 0; i < sizeof(dev_links) / sizeof(*dev_links); i++)
                plan_add(c->b, STEP_MAKE_SYMLINK, S(c, dev_links[i].path), S(c, dev_links[i].to));
        if (c->host->kcore)
                plan_add(c->b, STEP_MAKE_SYMLINK, S(c, "/dev/core"), S(c, "/proc/kcore"));
        plan_add(c->b, STEP_SET_UMASK, 0022);
}

void compile_console(struct compile *c)
{
        const struct spec_process *p = &c->spec->process;
        if (c->terminal)
                plan_add(c->b, STEP_OPEN_CONSOLE, p->console_width, p->console_height, p->user.uid,
                         c->dev_is_ours && has_mount_ns(c) ? 1u : 0u);
        if (c->wish->stdio)
                plan_add(c->b, STEP_STDIO, c->stdio);
}

void compile_sysctl(struct compile *c)
{
        for (size_t i = 0; i < c->spec->n_sysctl; i++) {
                char path[SYSCTL_PATH_MAX];
                int r = sysctl_path(c->spec->sysctl[i].key, path, sizeof(path));
                if (r < 0)
                        compile_refuse(c, r, "linux.sysctl[\"%s\"]: not the name of a parameter", c->spec->sysctl[i].key);
                else
                        plan_add(c->b, STEP_WRITE_SYSCTL, S(c, path), S(c, c->spec->sysctl[i].value));
        }
}

void compile_protection(struct compile *c)
{
        if (c->spec->process.cwd && strcmp(c->spec->process.cwd, "/") != 0)
                plan_add(c->b, STEP_MAKE_DIRECTORY, S(c, c->spec->process.cwd));
        if (!has_mount_ns(c))
                return;
        for (size_t i = 0; i < c->spec->n_mounts; i++)
                if (is_readonly_tmpfs(&c->spec->mounts[i]))
                        plan_add(c->b, STEP_SET_ATTRIBUTES, S(c, c->spec->mounts[i].destination), MOUNT_ATTR_RDONLY, 0, 0);
        for (size_t i = 0; c->spec->readonly_paths && c->spec->readonly_paths[i]; i++)
                plan_add(c->b, STEP_READONLY_PATH, S(c, c->spec->readonly_paths[i]));
        for (size_t i = 0; c->spec->masked_paths && c->spec->masked_paths[i]; i++)
                plan_add(c->b, STEP_MASK_PATH, S(c, c->spec->masked_paths[i]));
}

void compile_pivot(struct compile *c)
{
        if (!has_mount_ns(c)) {
                plan_add(c->b, STEP_CHROOT, 0);
                return;
        }
        plan_add(c->b, c->wish->no_pivot ? STEP_MOVE_ROOT : STEP_PIVOT_ROOT, 0);
        if (c->spec->root.readonly)
                plan_add(c->b, STEP_ROOT_READONLY, 0);
        if (c->spec->rootfs_propagation)
                plan_add(c->b, STEP_ROOT_PROPAGATION, c->spec->rootfs_propagation);
}

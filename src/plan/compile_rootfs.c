#include <errno.h>
#include <linux/mount.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "plan/compile_parts.h"
#include "spec/path_clean.h"
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

static uint64_t link_flags(const struct spec_mount *m)
{
        return (m->source_nofollow ? BIND_SOURCE_LINK : 0) | (m->destination_nofollow ? BIND_ON_LINK : 0) |
               (m->copy_symlink ? BIND_COPY_LINK : 0);
}

/* Host ids of `map` that are ids of the container: moved by the range of the user namespace that holds them. */
static const struct spec_id_map *absolute_map(struct compile *c, const struct spec_id_map *map, size_t n,
                                              const struct spec_id_map *ns, size_t n_ns)
{
        struct spec_id_map *maps = arena_grow(c->arena, map, n, 0, sizeof(*maps));
        for (size_t i = 0; maps && i < n; i++) {
                size_t k = 0;
                while (k < n_ns && (map[i].host_id < ns[k].container_id ||
                                    map[i].host_id - ns[k].container_id + (uint64_t) map[i].size > ns[k].size))
                        k++;
                if (k == n_ns) {
                        compile_refuse(c, -EINVAL, "mounts: \"idmap\": %u ids from @%u on are in no range of the container's "
                                       "user namespace", map[i].size, map[i].host_id);
                        return map;
                }
                maps[i].host_id = ns[k].host_id + (map[i].host_id - ns[k].container_id);
        }
        if (!maps)
                compile_refuse(c, -ENOMEM, "no memory for the id maps");
        return maps ? maps : map;
}

/*
 * Only the host's root may map ids: the parent copies the mount, as the child sees it at this moment, and maps the copy.
 * Maps of its own, else those of the container, which is in a new user namespace or joins one.
 */
static void compile_idmap(struct compile *c, const struct spec_mount *m)
{
        const struct spec *s = c->spec;
        const char *path = m->n_uid_map == 0 ? s->ns[NS_USER].path : NULL;
        bool own = m->n_uid_map > 0;
        if (!c->host->mount_setattr || !c->host->privileged) {
                compile_refuse(c, -EOPNOTSUPP, "mounts: \"%s\": mapping the ids of a mount needs %s", m->destination,
                               c->host->mount_setattr ? "root on the host" : "Linux 5.12");
                return;
        }
        const struct spec_id_map *uids = own ? m->uid_map : s->uid_map, *gids = own ? m->gid_map : s->gid_map;
        if (m->uids_relative)
                uids = absolute_map(c, m->uid_map, m->n_uid_map, s->uid_map, s->n_uid_map);
        if (m->gids_relative)
                gids = absolute_map(c, m->gid_map, m->n_gid_map, s->gid_map, s->n_gid_map);
        plan_add(c->b, STEP_OPEN_TREE, S(c, bind_source(c, m)), link_flags(m) | (m->rbind ? BIND_RECURSIVE : 0));
        plan_add(c->b, STEP_MAP_TREE,
                 path ? S(c, "") : compile_map_text(c, uids, own ? m->n_uid_map : s->n_uid_map),
                 path ? S(c, "") : compile_map_text(c, gids, own ? m->n_gid_map : s->n_gid_map),
                 S(c, path), m->idmap == IDMAP_RECURSIVE ? 1u : 0u, S(c, m->destination));
}

/*
 * Nothing of the container may show up on the host: the mounts are not shared with it. Only who asks for a shared
 * root (config-linux.md, Rootfs Mount Propagation) wants just that, for what is bound from a shared mount of the
 * host; the root itself is new, and not the host's then either.
 */
void compile_rootfs(struct compile *c)
{
        unsigned long wanted = c->spec->rootfs_propagation;
        uint64_t root = ROOT_MOUNTED;
        if (!has_mount_ns(c) && c->spec->n_mounts > 0 && strcmp(path_clean(c->arena, c->rootfs), "/") == 0)
                compile_refuse(c, -EINVAL, "mounts: without a mount namespace they would be the host's; "
                               "add { \"type\": \"mount\" } to linux.namespaces or remove the mounts");
        if (!has_mount_ns(c))
                root = c->spec->n_mounts > 0 || c->spec->root.readonly ? ROOT_MOUNTED | ROOT_IN_OUR_NAMESPACE : 0;
        else if (wanted & MS_SHARED)
                root |= ROOT_PARENT_PRIVATE;
        else
                plan_add(c->b, STEP_HOST_PROPAGATION, MS_REC | (wanted & MS_PRIVATE ? MS_PRIVATE : MS_SLAVE));
        plan_add(c->b, STEP_OPEN_ROOT, S(c, c->rootfs), root);
}

/* With one of the atime bits the whole field has to be cleared first: mount_setattr(2). */
static uint64_t clear_of(uint64_t set, uint64_t clear)
{
        return set & MOUNT_ATTR__ATIME ? clear | MOUNT_ATTR__ATIME : clear;
}

/*
 * With no word about its flags a bind mount has those of its source; with one, it has what the words say, as with
 * runc since 1.2 (mount(8) would clear none with "bind,dev" alone). In a user namespace the source's flags are locked,
 * and stay. The settings of access times are one thing: given together or left as they are.
 *
 * Root in a user namespace may not reach the source, we may. Without privilege nobody can help.
 */
static void compile_bind(struct compile *c, const struct spec_mount *m)
{
        const uint64_t times = MOUNT_ATTR__ATIME | MOUNT_ATTR_NODIRATIME;
        uint64_t set = m->attr_set, clear = m->attr_clear & ~times;
        if ((m->attr_clear & MOUNT_ATTR__ATIME) || (set & times))
                clear |= times & ~(set & MOUNT_ATTR_NODIRATIME);
        uint64_t flags = link_flags(m) | (m->rbind ? BIND_RECURSIVE : 0);
        if (m->attr_named)
                flags |= BIND_EXACT;
        if (!c->host->mount_setattr)
                flags |= BIND_REMOUNT;
        if (m->idmap)
                flags |= BIND_GIVEN;
        else if (c->user_ns && c->host->privileged)
                flags |= BIND_ASK;
        if (m->idmap)
                compile_idmap(c, m);
        plan_add(c->b, STEP_BIND, S(c, bind_source(c, m)), S(c, m->destination), set, clear, flags);
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

/*
 * A new sysfs shows a network namespace, and whoever mounts one must own that (kobj_ns_current_may_mount()). In a
 * user namespace with the host's network there is only the host's /sys, as it is mounted.
 */
static bool binds_host_sys(const struct compile *c, const struct spec_mount *m)
{
        return c->user_ns && !c->spec->ns[NS_NETWORK].wanted && m->type && strcmp(m->type, "sysfs") == 0;
}

static void compile_host_sys(struct compile *c, const struct spec_mount *m)
{
        plan_add(c->b, STEP_REFUSE_LINK, S(c, m->destination));
        plan_add(c->b, STEP_BIND, S(c, "/sys"), S(c, m->destination), m->attr_set, clear_of(m->attr_set, 0),
                 BIND_RECURSIVE | (c->host->mount_setattr ? 0u : BIND_REMOUNT));
        if (c->host->mount_setattr)
                plan_add(c->b, STEP_SET_ATTRIBUTES, S(c, m->destination), m->attr_set, clear_of(m->attr_set, 0),
                         MOUNTED_RECURSIVE);
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
                        compile_bind(c, m);
                else if (binds_host_sys(c, m))
                        compile_host_sys(c, m);
                else
                        compile_file_system(c, m);
                uint64_t last = m->copy_symlink || m->destination_nofollow ? MOUNTED_LAST : 0;
                if (m->rec_set || m->rec_clear)
                        plan_add(c->b, STEP_SET_ATTRIBUTES, S(c, m->destination), m->rec_set,
                                 clear_of(m->rec_set, m->rec_clear), MOUNTED_RECURSIVE | last);
                if (m->propagation)
                        plan_add(c->b, STEP_SET_PROPAGATION, S(c, m->destination), m->propagation, last);
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

const char *plan_default_device(size_t i)
{
        return i < sizeof(default_devices) / sizeof(*default_devices) ? default_devices[i].path : NULL;
}

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

static mode_t device_mode(const struct spec_device *d)
{
        mode_t type = d->type == 'b' ? S_IFBLK : d->type == 'p' ? S_IFIFO : S_IFCHR;
        return type | (d->has_mode ? d->mode : 0666);
}

/* The id on the host of one in the container. */
static bool outside(const struct spec_id_map *map, size_t n, uint32_t id, uint32_t *ret)
{
        for (size_t i = 0; i < n; i++)
                if (id >= map[i].container_id && id - map[i].container_id < map[i].size) {
                        *ret = map[i].host_id + (id - map[i].container_id);
                        return true;
                }
        return false;
}

/* That of the container's devpts is linked to. */
static bool is_ptmx(const struct spec_device *d)
{
        return strcmp(d->path, "/dev/ptmx") == 0;
}

static const char *stored_name(struct compile *c, size_t i)
{
        const char *name = arena_printf(c->arena, "%zu", i);
        return name ? name : "";
}

/*
 * In a user namespace nobody may make device nodes. With privilege on the host, those of the config are made before
 * there is one, and it binds them; those that every container has are bound from the host, and so are all if the maps
 * of the user namespace are not known.
 */
void compile_device_store(struct compile *c)
{
        const struct spec *s = c->spec;
        c->store = FD_NONE;
        if (!c->user_ns || !c->host->privileged || s->n_devices == 0 || mounts_at(c, "/dev", true))
                return;
        uint32_t uid, gid;
        for (size_t i = 0; i < s->n_devices; i++)
                if (!outside(s->uid_map, s->n_uid_map, s->devices[i].uid, &uid) ||
                    !outside(s->gid_map, s->n_gid_map, s->devices[i].gid, &gid))
                        return;
        c->store = plan_build_fd(c->b);
        plan_add(c->b, STEP_DEVICE_STORE, c->store);
        for (size_t i = 0; i < s->n_devices; i++) {
                const struct spec_device *d = &s->devices[i];
                if (outside(s->uid_map, s->n_uid_map, d->uid, &uid) && outside(s->gid_map, s->n_gid_map, d->gid, &gid))
                        plan_add(c->b, STEP_STORE_DEVICE, c->store, S(c, stored_name(c, i)), device_mode(d),
                                 makedev(d->major, d->minor), uid, gid);
        }
}

static void compile_stored(struct compile *c)
{
        plan_add(c->b, STEP_OPEN_STORE, c->store);
        for (size_t i = 0; i < c->spec->n_devices; i++)
                if (!is_ptmx(&c->spec->devices[i]))
                        plan_add(c->b, STEP_BIND_STORED, S(c, c->spec->devices[i].path), c->store, S(c, stored_name(c, i)));
        plan_add(c->b, STEP_CLOSE_STORE, c->store);
}

static void compile_device(struct compile *c, const char *path, mode_t mode, dev_t dev, uint32_t uid, uint32_t gid)
{
        if (c->user_ns || !c->host->privileged) /* mknod(2) of a device needs privilege on the host */
                plan_add(c->b, STEP_BIND_DEVICE, S(c, path));
        else
                plan_add(c->b, STEP_MAKE_DEVICE, S(c, path), mode, dev, uid, gid);
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
        if (c->store != FD_NONE)
                compile_stored(c);
        for (size_t i = 0; c->store == FD_NONE && i < c->spec->n_devices; i++) {
                const struct spec_device *d = &c->spec->devices[i];
                if (is_ptmx(d))
                        continue;
                compile_device(c, d->path, device_mode(d), makedev(d->major, d->minor), d->uid, d->gid);
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
        else if (!c->terminal && c->dev_is_ours && has_mount_ns(c))
                plan_add(c->b, STEP_OWN_NULL, 0);
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

/* Each once: two mounts on one place would protect it no better. */
static void compile_masks(struct compile *c)
{
        size_t n = 0;
        while (c->spec->masked_paths && c->spec->masked_paths[n])
                n++;
        const char **done = arena_alloc(c->arena, n + 1, sizeof(*done));
        for (size_t i = 0; i < n; i++) {
                const char *path = path_clean(c->arena, c->spec->masked_paths[i]);
                if (!done || !path) {
                        compile_refuse(c, -ENOMEM, "no memory to compile the masked paths");
                        return;
                }
                size_t k = 0;
                while (k < i && strcmp(done[k], path) != 0)
                        k++;
                if (k == i)
                        plan_add(c->b, STEP_MASK_PATH, S(c, c->spec->masked_paths[i]));
                done[i] = path;
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
        compile_masks(c);
}

void compile_pivot(struct compile *c)
{
        if (!has_mount_ns(c))
                plan_add(c->b, STEP_CHROOT, 0);
        else
                plan_add(c->b, c->wish->no_pivot ? STEP_MOVE_ROOT : STEP_PIVOT_ROOT, 0);
        if (c->spec->root.readonly)
                plan_add(c->b, STEP_ROOT_READONLY, 0);
        if (c->spec->rootfs_propagation)
                plan_add(c->b, STEP_ROOT_PROPAGATION, c->spec->rootfs_propagation);
}

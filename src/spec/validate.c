#include "spec/read.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "spec/json_read.h"
#include "spec/sections.h"
#include "spec/sysctl.h"

/* ---- process ---- */

static int check_rlimits(const struct spec_process *p, struct error *err)
{
        for (size_t i = 0; i < p->n_rlimits; i++)
                if (p->rlimits[i].soft > p->rlimits[i].hard)
                        return error_say(err, -EINVAL,
                                         "process.rlimits[%zu].soft: %" PRIu64 " is above the hard limit %" PRIu64, i,
                                         p->rlimits[i].soft, p->rlimits[i].hard);
        return 0;
}

/* capset(2) refuses an effective capability that is not permitted. Ambient ones are only a wish, as with runc. */
static int check_capabilities(const struct spec_process *p, struct error *err)
{
        uint64_t extra = p->caps[CAPS_EFFECTIVE] & ~p->caps[CAPS_PERMITTED];
        if (extra == 0)
                return 0;
        return error_say(err, -EINVAL, "process.capabilities.effective: %s is not in permitted",
                         capability_words[__builtin_ctzll(extra)]);
}

int validate_process(const struct spec *spec, struct error *err)
{
        const struct spec_process *p = &spec->process;
        if (!spec->has_process)
                return error_say(err, -EINVAL, "process: missing, there is nothing to run");
        if (!p->args || !p->args[0])
                return error_say(err, -EINVAL, "process.args: missing, there is nothing to run");
        if (!*p->args[0])
                return error_say(err, -EINVAL, "process.args[0]: an empty name of a program");
        if (!p->cwd || *p->cwd != '/')
                return error_say(err, -EINVAL, "process.cwd: expected an absolute path");
        int r = check_rlimits(p, err);
        return r < 0 ? r : check_capabilities(p, err);
}

/* ---- user namespace ---- */

static bool overlap(uint32_t a, uint32_t b, const struct spec_id_map *x, const struct spec_id_map *y)
{
        return (uint64_t) a < (uint64_t) b + y->size && (uint64_t) b < (uint64_t) a + x->size;
}

static int check_map(const struct spec_id_map *map, size_t n, const char *name, struct error *err)
{
        for (size_t i = 0; i < n; i++) {
                const struct spec_id_map *m = &map[i];
                if ((uint64_t) m->container_id + m->size > UINT32_MAX || (uint64_t) m->host_id + m->size > UINT32_MAX)
                        return error_say(err, -EINVAL, "%s[%zu].size: %u ids reach beyond %u", name, i, m->size,
                                         UINT32_MAX - 1);
                for (size_t j = 0; j < i; j++)
                        if (overlap(m->container_id, map[j].container_id, m, &map[j]) ||
                            overlap(m->host_id, map[j].host_id, m, &map[j]))
                                return error_say(err, -EINVAL, "%s[%zu]: overlaps element %zu", name, i, j);
        }
        return 0;
}

static bool is_mapped(const struct spec_id_map *map, size_t n, uint32_t id)
{
        for (size_t i = 0; i < n; i++)
                if (id >= map[i].container_id && id - map[i].container_id < map[i].size)
                        return true;
        return false;
}

static int check_user(const struct spec *spec, struct error *err)
{
        static const char says[] = "process.user.%s: %u is in no element of linux.%s";
        const struct spec_user *u = &spec->process.user;

        if (!spec->has_process)
                return 0;
        if (!is_mapped(spec->uid_map, spec->n_uid_map, u->uid))
                return error_say(err, -EINVAL, says, "uid", u->uid, "uidMappings");
        if (!is_mapped(spec->gid_map, spec->n_gid_map, u->gid))
                return error_say(err, -EINVAL, says, "gid", u->gid, "gidMappings");
        for (size_t i = 0; i < u->n_groups; i++)
                if (!is_mapped(spec->gid_map, spec->n_gid_map, u->groups[i]))
                        return error_say(err, -EINVAL,
                                         "process.user.additionalGids[%zu]: %u is in no element of linux.gidMappings",
                                         i, u->groups[i]);
        return 0;
}

/* Without maps nobody but root is in it: spec_default_maps(). */
static int check_lone_root(const struct spec *spec, struct error *err)
{
        const struct spec_user *u = &spec->process.user;
        if (!spec->has_process || (u->uid == 0 && u->gid == 0 && u->n_groups == 0))
                return 0;
        return error_say(err, -EINVAL, "process.user: in a user namespace without linux.uidMappings there is only root, "
                         "found %u:%u%s", u->uid, u->gid, u->n_groups ? " with additional groups" : "");
}

static int check_user_namespace(const struct spec *spec, struct error *err)
{
        const struct spec_namespace *ns = &spec->ns[NS_USER];
        static const char needless[] = "linux.%s: needs a user namespace in linux.namespaces";
        static const char missing[] = "linux.%s: missing, and the other map is there";

        if (!ns->wanted && spec->n_uid_map > 0)
                return error_say(err, -EINVAL, needless, "uidMappings");
        if (!ns->wanted && spec->n_gid_map > 0)
                return error_say(err, -EINVAL, needless, "gidMappings");
        if (!ns->wanted)
                return 0;
        int r = check_map(spec->uid_map, spec->n_uid_map, "linux.uidMappings", err);
        if (r == 0)
                r = check_map(spec->gid_map, spec->n_gid_map, "linux.gidMappings", err);
        if (r < 0)
                return r;
        if (ns->path)
                return 0;       /* maps beside a path describe what is there: containerd and CRI-O write both */
        if (spec->n_uid_map == 0 && spec->n_gid_map == 0)
                return check_lone_root(spec, err);
        if (spec->n_uid_map == 0)
                return error_say(err, -EINVAL, missing, "uidMappings");
        if (spec->n_gid_map == 0)
                return error_say(err, -EINVAL, missing, "gidMappings");
        return check_user(spec, err);
}

/* ---- other namespaces ---- */

static int check_name(const struct spec *spec, const char *key, const char *name, struct error *err)
{
        const size_t max = sizeof(((struct utsname *) 0)->nodename) - 1;
        if (!name)
                return 0;
        if (!spec->ns[NS_UTS].wanted)
                return error_say(err, -EINVAL, "%s: needs a uts namespace in linux.namespaces", key);
        if (strlen(name) > max)
                return error_say(err, -EINVAL, "%s: %zu bytes, at most %zu are possible", key, strlen(name), max);
        return 0;
}

/* All of these would change the mounts of the caller. What is mounted in the rootfs does, too, and is asked for. */
static int check_mount_namespace(const struct spec *spec, struct error *err)
{
        const struct {
                bool used;
                const char *path;
        } uses[] = {
                { spec->masked_paths, "linux.maskedPaths" },
                { spec->readonly_paths, "linux.readonlyPaths" },
                { spec->rootfs_propagation != 0, "linux.rootfsPropagation" },
        };
        for (size_t i = 0; i < COUNT(uses); i++)
                if (uses[i].used && !spec->ns[NS_MOUNT].wanted)
                        return error_say(err, -EINVAL, "%s: needs a mount namespace in linux.namespaces",
                                         uses[i].path);
        return 0;
}

static int check_clocks(const struct spec *spec, struct error *err)
{
        const struct spec_namespace *ns = &spec->ns[NS_TIME];
        if ((!spec->monotonic.given && !spec->boottime.given) || (ns->wanted && !ns->path))
                return 0;
        return error_say(err, -EINVAL, "linux.timeOffsets: needs a new time namespace in linux.namespaces");
}

static int check_net_devices(const struct spec *spec, struct error *err)
{
        if (spec->n_net_devices == 0)
                return 0;
        if (!spec->ns[NS_NETWORK].wanted)
                return error_say(err, -EINVAL, "linux.netDevices: needs a network namespace in linux.namespaces");
        for (size_t i = 0; i < spec->n_net_devices; i++)
                for (size_t k = 0; k < i; k++)
                        if (!strchr(spec->net_devices[i].name, '%') &&
                            strcmp(spec->net_devices[i].name, spec->net_devices[k].name) == 0)
                                return error_say(err, -EINVAL, "linux.netDevices.%s: its name \"%s\" is given to %s, too",
                                                 spec->net_devices[i].device, spec->net_devices[i].name,
                                                 spec->net_devices[k].device);
        return 0;
}

static int check_sysctls(const struct spec *spec, struct error *err)
{
        for (size_t i = 0; i < spec->n_sysctl; i++) {
                const struct spec_sysctl *s = &spec->sysctl[i];
                char path[SYSCTL_PATH_MAX];
                int r = sysctl_check(spec, s->key, err);
                if (r < 0)
                        return r;
                if (spec->domainname && sysctl_path(s->key, path, sizeof(path)) == 0 &&
                    strcmp(path, "kernel/domainname") == 0 && strcmp(s->value, spec->domainname) != 0)
                        return error_say(err, -EINVAL, "linux.sysctl[%s]: \"%s\", but domainname says \"%s\"",
                                         quoted(s->key).text, s->value, spec->domainname);
        }
        return 0;
}

/* ---- mounts ---- */

static int check_idmap(const struct spec *spec, const struct spec_mount *m, size_t i, struct error *err)
{
        static const char *const names[] = { "uidMappings", "gidMappings" };
        const size_t n[] = { m->n_uid_map, m->n_gid_map };
        if (m->idmap == IDMAP_NONE)
                return 0;
        if (!m->bind)
                return error_say(err, -EINVAL, "mounts[%zu].options: ids are mapped for bind mounts only", i);
        if ((m->uids_relative || m->gids_relative) && !spec->ns[NS_USER].wanted)
                return error_say(err, -EINVAL, "mounts[%zu].options: a map with \"@\" is relative to a user namespace, and "
                                 "there is none", i);
        if (n[0] == 0 && n[1] == 0 && !spec->ns[NS_USER].wanted)
                return error_say(err, -EINVAL, "mounts[%zu].uidMappings: missing, and there is no user namespace whose "
                                 "maps could be used", i);
        for (int k = 0; k < 2; k++) {
                char name[64];
                snprintf(name, sizeof(name), "mounts[%zu].%s", i, names[k]);
                if (n[k] == 0 && n[1 - k] > 0)
                        return error_say(err, -EINVAL, "%s: missing beside %s", name, names[1 - k]);
                int r = check_map(k ? m->gid_map : m->uid_map, n[k], name, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int check_mount(const struct spec *spec, const struct spec_mount *m, size_t i, struct error *err)
{
        if (m->bind && !m->source)
                return error_say(err, -EINVAL, "mounts[%zu].source: missing, a bind mount needs one", i);
        if (m->bind && *m->data)
                return error_say(err, -EINVAL, "mounts[%zu].options: a bind mount takes no options of a file system, "
                                 "found %s", i, quoted(m->data).text);
        int r = check_idmap(spec, m, i, err);
        if (r < 0)
                return r;
        if (m->idmap && m->copy_symlink)
                return error_say(err, -EINVAL, "mounts[%zu].options: \"copy-symlink\" and maps of ids do not go together", i);
        if (!m->bind && (m->copy_symlink || m->source_nofollow || m->destination_nofollow))
                return error_say(err, -EINVAL, "mounts[%zu].options: \"copy-symlink\", \"src-nofollow\" and "
                                 "\"dest-nofollow\" are for bind mounts", i);
        if (m->copy_up && (m->bind || !m->type || strcmp(m->type, "tmpfs") != 0))
                return error_say(err, -EINVAL, "mounts[%zu].options: \"tmpcopyup\" is for mounts of type tmpfs", i);
        if (!m->bind && !m->type)
                return error_say(err, -EINVAL, "mounts[%zu].type: missing, and the options say neither bind nor rbind",
                                 i);
        if (!m->bind && strcmp(m->type, "none") == 0)
                return error_say(err, -EINVAL, "mounts[%zu].type: \"none\" is for bind mounts, and the options say "
                                 "neither bind nor rbind", i);
        return 0;
}

int spec_validate_resources(const struct spec *spec, struct error *err)
{
        const struct resources_memory *m = &spec->resources.memory;
        if (m->swap.has && m->limit.has && m->swap.value > 0 && m->limit.value > m->swap.value)
                return error_say(err, -EINVAL, "linux.resources.memory.swap: %" PRId64 " is memory and swap together, "
                                 "and less than the limit %" PRId64, m->swap.value, m->limit.value);
        return 0;
}

int spec_validate_start(const struct spec *spec, struct error *err)
{
        return validate_process(spec, err);
}

int spec_validate(const struct spec *spec, struct error *err)
{
        int r = spec->has_process ? validate_process(spec, err) : 0;
        if (r == 0)
                r = check_user_namespace(spec, err);
        if (r == 0)
                r = check_name(spec, "hostname", spec->hostname, err);
        if (r == 0)
                r = check_name(spec, "domainname", spec->domainname, err);
        if (r == 0)
                r = check_mount_namespace(spec, err);
        if (r == 0)
                r = check_clocks(spec, err);
        if (r == 0)
                r = check_net_devices(spec, err);
        if (r == 0)
                r = check_sysctls(spec, err);
        for (size_t i = 0; r == 0 && i < spec->n_mounts; i++)
                r = check_mount(spec, &spec->mounts[i], i, err);
        return r < 0 ? r : spec_validate_resources(spec, err);
}

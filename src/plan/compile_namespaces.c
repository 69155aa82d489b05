#include <errno.h>
#include <linux/sched.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "plan/compile_parts.h"

static bool is_new(const struct compile *c, enum ns_type type)
{
        return c->spec->ns[type].wanted && !c->spec->ns[type].path;
}

static bool is_joined(const struct compile *c, enum ns_type type)
{
        return c->spec->ns[type].wanted && c->spec->ns[type].path;
}

/*
 * The parent joins these for the time of the clone and comes back: a pid
 * namespace because only children enter it; the others, with a new user
 * namespace, because the child would lack the privilege. Without privilege here,
 * there is some only in the user namespace that is joined: then the child joins the
 * pid namespace from within, and a second process is the first in it.
 */
static bool joined_by_parent(const struct compile *c, enum ns_type type)
{
        if (!is_joined(c, type) || type == NS_USER || type == NS_MOUNT)
                return false;
        if (type == NS_PID)
                return c->host->privileged || !is_joined(c, NS_USER);
        return is_new(c, NS_USER);
}

/*
 * The user namespace that is joined need not own the others: root joins them before it becomes somebody else. Without
 * privilege there is some only afterwards. A mount namespace comes last in any case: paths are read in it then.
 */
static bool joined_before_user(const struct compile *c, enum ns_type type)
{
        return is_joined(c, type) && c->host->privileged && is_joined(c, NS_USER) && type != NS_USER &&
               type != NS_MOUNT && !joined_by_parent(c, type);
}

/* Offsets are written before anybody is in the namespace: one process unshares it, its child enters (time_namespaces(7)). */
static bool has_time_offsets(const struct compile *c)
{
        return c->spec->monotonic.given || c->spec->boottime.given;
}

/*
 * Which namespaces does clone make, which are joined, and when? What is made in
 * one clone together with a user namespace belongs to that. After joining a user
 * namespace by path the others have to be made by a second process. The cgroup
 * namespace is made last, once the process is in its cgroup: it is rooted there.
 */
void compile_decide_namespaces(struct compile *c)
{
        c->user_ns = c->spec->ns[NS_USER].wanted;
        uint64_t flags = 0;
        for (unsigned type = 0; type < NS_TYPES; type++)
                if (is_new(c, type) && type != NS_CGROUP)
                        flags |= ns_clone_flags[type];
        if (has_time_offsets(c))
                flags &= ~(uint64_t) CLONE_NEWTIME;
        if (is_joined(c, NS_USER))
                c->second_clone = flags;
        else if (has_time_offsets(c))   /* and the second process is to be the first of its pid namespace */
                c->second_clone = flags & CLONE_NEWPID;
        c->first_clone = is_joined(c, NS_USER) ? 0 : flags & ~c->second_clone;
        c->forks_again = c->second_clone || has_time_offsets(c) ||
                         (is_joined(c, NS_PID) && !joined_by_parent(c, NS_PID));
}

void compile_joins_before(struct compile *c)
{
        for (unsigned type = 0; type < NS_TYPES; type++)
                if (joined_by_parent(c, type))
                        plan_add(c->b, STEP_JOIN_AROUND, ns_clone_flags[type], S(c, c->spec->ns[type].path));
}

void compile_clone(struct compile *c)
{
        plan_add(c->b, STEP_CLONE, c->first_clone | (c->host->clone3 ? CLONE_CLEAR_SIGHAND : 0));
}

uint64_t compile_map_text(struct compile *c, const struct spec_id_map *map, size_t n)
{
        auto_str struct str text = STR_INIT;
        for (size_t i = 0; i < n; i++)
                str_addf(&text, "%u %u %u\n", map[i].container_id, map[i].host_id, map[i].size);
        if (str_failed(&text))
                compile_refuse(c, -ENOMEM, "no memory for the id maps");
        return S(c, text.text);
}

bool plan_maps_by_tool(const struct host *host, const struct spec_id_map *map, size_t n, uint32_t own)
{
        return !host->maps_ids && !(n == 1 && map[0].size == 1 && map[0].host_id == own);
}

/* newgidmap leaves setgroups(2) to those who have a range of group ids. */
static bool denies_setgroups(const struct compile *c)
{
        return !c->host->maps_ids && !plan_maps_by_tool(c->host, c->spec->gid_map, c->spec->n_gid_map, c->host->gid);
}

void compile_id_maps(struct compile *c)
{
        const struct spec *s = c->spec;
        if (!is_new(c, NS_USER))
                return;
        uint64_t uids = compile_map_text(c, s->uid_map, s->n_uid_map);
        uint64_t gids = compile_map_text(c, s->gid_map, s->n_gid_map);
        if (plan_maps_by_tool(c->host, s->uid_map, s->n_uid_map, c->host->uid))
                plan_add(c->b, STEP_MAP_BY_TOOL, S(c, "newuidmap"), uids);
        else
                plan_add(c->b, STEP_WRITE_UID_MAP, uids);
        if (denies_setgroups(c))        /* otherwise the kernel refuses the gid map */
                plan_add(c->b, STEP_DENY_SETGROUPS, 0);
        if (plan_maps_by_tool(c->host, s->gid_map, s->n_gid_map, c->host->gid))
                plan_add(c->b, STEP_MAP_BY_TOOL, S(c, "newgidmap"), gids);
        else
                plan_add(c->b, STEP_WRITE_GID_MAP, gids);
}

/* May the process change its groups? For `exec` too, which has the config of the container. Nobody knows of a user
 * namespace that others made: there it is left as it is, unless we may do everything. */
bool compile_may_set_groups(const struct compile *c)
{
        if (c->host->setgroups_denied)
                return false;
        return is_new(c, NS_USER) ? !denies_setgroups(c) : c->host->maps_ids;
}

static void add_rlimits(struct compile *c, enum step_op op)
{
        const struct spec_process *p = &c->spec->process;
        for (size_t i = 0; i < p->n_rlimits; i++)
                plan_add(c->b, op, (uint64_t) p->rlimits[i].resource, p->rlimits[i].soft, p->rlimits[i].hard);
}

/* From outside: in a user namespace the child could not raise them. */
void compile_limits(struct compile *c)
{
        if (c->user_ns)
                add_rlimits(c, STEP_SET_RLIMIT);
        if (c->spec->process.has_oom_score_adj)
                plan_add(c->b, STEP_SET_OOM_SCORE, (uint64_t) (int64_t) c->spec->process.oom_score_adj);
}

/* By itself, as late as the privilege lasts: few open files or little memory must not stop the steps before. */
void compile_own_limits(struct compile *c)
{
        if (!c->user_ns)
                add_rlimits(c, STEP_LIMIT_SELF);
}

/*
 * The parent blocks all signals while it clones, and the child lets them in only
 * when none of the parent's handlers is set any more. What our caller ignores
 * (a shell's background job: interrupts) is not ignored in the container, as with runc.
 */
void compile_signals(struct compile *c)
{
        plan_add(c->b, STEP_RESET_SIGNALS, 0);
        plan_add(c->b, STEP_KEEP_FDS, 3 + (uint64_t) c->wish->preserve_fds);
        if (!c->forks_again)
                compile_session(c);
}

/* Of the process that stays: only the leader of a session can have a terminal. */
void compile_session(struct compile *c)
{
        plan_add(c->b, STEP_NEW_SESSION, 0);
}

static void compile_time_offsets(struct compile *c)
{
        const struct spec_clock *clocks[] = { &c->spec->monotonic, &c->spec->boottime };
        static const char *const names[] = { "monotonic", "boottime" };
        auto_str struct str text = STR_INIT;
        for (size_t i = 0; i < 2; i++)
                if (clocks[i]->given)
                        str_addf(&text, "%s %lld %u\n", names[i], (long long) clocks[i]->secs, clocks[i]->nanosecs);
        if (str_failed(&text))
                compile_refuse(c, -ENOMEM, "no memory for the time offsets");
        plan_add(c->b, STEP_UNSHARE, CLONE_NEWTIME);
        plan_add(c->b, STEP_WRITE_TIME_OFFSETS, S(c, text.text));
}

/* Without a 0 in the map there is no root to become; all capabilities are ours in the new namespace anyway. */
static bool maps_root(const struct compile *c)
{
        bool joined = is_joined(c, NS_USER); /* without maps it is believed to have root */
        bool uid = joined && c->spec->n_uid_map == 0, gid = joined && c->spec->n_gid_map == 0;
        for (size_t i = 0; i < c->spec->n_uid_map; i++)
                uid = uid || c->spec->uid_map[i].container_id == 0;
        for (size_t i = 0; i < c->spec->n_gid_map; i++)
                gid = gid || c->spec->gid_map[i].container_id == 0;
        return uid && gid;
}

static void join(struct compile *c, enum ns_type type)
{
        plan_add(c->b, STEP_JOIN, ns_clone_flags[type], S(c, c->spec->ns[type].path));
}

void compile_joins(struct compile *c)
{
        for (unsigned type = 0; type < NS_TYPES; type++)
                if (joined_before_user(c, type))
                        join(c, type);
        if (is_joined(c, NS_USER))
                join(c, NS_USER);
        for (unsigned type = 0; type < NS_TYPES; type++)
                if (is_joined(c, type) && type != NS_USER && type != NS_MOUNT && !joined_before_user(c, type) &&
                    !joined_by_parent(c, type))
                        join(c, type);
        if (is_joined(c, NS_MOUNT))
                join(c, NS_MOUNT);
        if (has_time_offsets(c))
                compile_time_offsets(c);
        if (c->forks_again) {
                plan_add(c->b, STEP_FORK_AGAIN, c->second_clone);
                compile_session(c);
        }
        if (c->user_ns && maps_root(c))
                plan_add(c->b, STEP_BECOME_ROOT, 0);
        if (is_new(c, NS_CGROUP))
                plan_add(c->b, STEP_UNSHARE, CLONE_NEWCGROUP);
        if (!c->wish->no_new_keyring) {
                const char *name = arena_printf(c->arena, "_ses.%s", c->wish->id ? c->wish->id : "");
                plan_add(c->b, STEP_JOIN_KEYRING, S(c, name));
        }
}

void compile_names(struct compile *c)
{
        if (is_new(c, NS_NETWORK))
                plan_add(c->b, STEP_LOOPBACK_UP, 0);
        for (size_t i = 0; i < c->spec->n_net_devices; i++)
                plan_add(c->b, STEP_MOVE_NET_DEVICE, S(c, c->spec->net_devices[i].device),
                         S(c, c->spec->net_devices[i].name));
        if (c->spec->hostname && *c->spec->hostname)
                plan_add(c->b, STEP_SET_HOSTNAME, S(c, c->spec->hostname));
        if (c->spec->domainname && *c->spec->domainname)
                plan_add(c->b, STEP_SET_DOMAINNAME, S(c, c->spec->domainname));
}

#include "cli/criu_args.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

struct word {
        const char *text;
        int value;
};

static const struct word cgroup_modes[] = {
        { "", CRIU_CGROUP_DEFAULT },    { "soft", CRIU_CGROUP_SOFT },     { "full", CRIU_CGROUP_FULL },
        { "strict", CRIU_CGROUP_STRICT }, { "ignore", CRIU_CGROUP_IGNORE }, { NULL, 0 },
};

static const struct word network_locks[] = {
        { "", CRIU_LOCK_UNSAID },         { "iptables", CRIU_LOCK_IPTABLES }, { "nftables", CRIU_LOCK_NFTABLES },
        { "skip", CRIU_LOCK_SKIP },       { NULL, 0 },
};

static int find_word(const struct word *words, const char *option, const char *given, int *ret, struct error *err)
{
        auto_str struct str all = STR_INIT;
        for (; words->text; words++) {
                if (strcmp(words->text, given ? given : "") == 0) {
                        *ret = words->value;
                        return 0;
                }
                str_addf(&all, "%s%s", all.size ? ", " : "", words->text);
        }
        return error_say(err, -EINVAL, "--%s: \"%s\" is none of: %s", option, given, all.text ? all.text : "");
}

static int check_empty_ns(const char *const *list, struct error *err)
{
        for (; list && *list; list++)
                if (strcmp(*list, "network") != 0)
                        return error_say(err, -EINVAL, "--empty-ns: namespace \"%s\" is not supported, only network", *list);
        return 0;
}

static int default_path(const struct call *call, const char **ret, struct error *err)
{
        char cwd[PATH_MAX];
        if (!getcwd(cwd, sizeof(cwd)))
                return error_set(err, -errno, "find out where we are");
        *ret = arena_printf(call->arena, "%s/checkpoint", strcmp(cwd, "/") == 0 ? "" : cwd);
        return *ret ? 0 : error_set(err, -ENOMEM, "--image-path");
}

int criu_args_read(const struct call *call, const struct criu_args *a, struct criu_options *ret, struct error *err)
{
        struct criu_options o = {
                .image_path = a->image_path, .work_path = a->work_path && *a->work_path ? a->work_path : NULL,
                .tcp_established = a->tcp_established, .ext_unix_sk = a->ext_unix_sk, .shell_job = a->shell_job,
                .file_locks = a->file_locks, .auto_dedup = a->auto_dedup, .lazy_pages = a->lazy_pages,
        };
        int mode = 0, lock = 0;
        int r = find_word(cgroup_modes, "manage-cgroups-mode", a->cgroups_mode, &mode, err);
        if (r == 0)
                r = find_word(network_locks, "network-lock", a->network_lock, &lock, err);
        if (r == 0)
                r = check_empty_ns(a->empty_ns, err);
        if (r == 0 && (!o.image_path || !*o.image_path))
                r = default_path(call, &o.image_path, err);
        if (r < 0)
                return r;
        o.cgroup_mode = (enum criu_cgroup_mode) mode;
        o.network_lock = (enum criu_network_lock) lock;
        *ret = o;
        return 0;
}

void criu_args_warn(const struct call *call, const char *verb)
{
        struct error warning = ERROR_INIT;
        if (geteuid() == 0)
                return;
        (void) error_say(&warning, -EPERM, "%s needs root on the host: without, criu will most likely refuse", verb);
        command_warn(call, &warning);
}

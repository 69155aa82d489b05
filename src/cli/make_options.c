#include "cli/make_options.h"

#include <errno.h>
#include <limits.h>
#include <unistd.h>

#include "cli/helper.h"

int device_options(const struct call *call, const struct device_args *args, struct device_wish *ret, struct error *err)
{
        char cwd[PATH_MAX];
        size_t n = strv_len(args->cdi_dirs);
        const char **dirs = n > 0 ? arena_alloc(call->arena, n + 1, sizeof(*dirs)) : NULL;
        if (n > 0 && (!dirs || !getcwd(cwd, sizeof(cwd))))
                return error_set(err, dirs ? -errno : -ENOMEM, "find the CDI directories");
        for (size_t i = 0; i < n; i++) {
                const char *dir = args->cdi_dirs[i];
                dirs[i] = *dir == '/' ? dir : arena_printf(call->arena, "%s/%s", cwd, dir);
                if (!dirs[i])
                        return error_set(err, -ENOMEM, "find the CDI directories");
        }
        *ret = (struct device_wish){ args->devices, args->groups, dirs };
        return 0;
}

int place_options(const struct call *call, const struct place_words *words, struct place_options *ret, struct error *err)
{
        const char *helper = helper_path(call);
        if (!helper)
                return error_set(err, -ENOMEM, "find our programs");
        *ret = (struct place_options){ *words, helper };
        return 0;
}

static void warn(const void *arg, const struct error *warning)
{
        command_warn(arg, warning);
}

int make_options(const struct call *call, struct container_options *ret, struct error *err)
{
        const struct make_args *a = call->args;
        struct container_options o = {
                .id = call->pos.list[0],
                .config = a->config,
                .pid_file = a->pid_file,
                .console_socket = a->console_socket,
                .pidfd_socket = a->pidfd_socket,
                .notify_socket = getenv("NOTIFY_SOCKET"),
                .no_pivot = a->no_pivot,
                .no_cgroup = call->globals->no_cgroup,
                .rootless = call->globals->rootless,
                .systemd = call->globals->systemd,
                .no_new_keyring = a->no_new_keyring,
                .detach = a->detach,
                .keep = a->keep,
                .preserve_fds = a->preserve_fds,
                .log = call->log,
                .warn = warn, .warn_arg = call,
        };
        int r = command_listen_fds(&o.listen_fds, err);
        if (r == 0)
                r = container_check_fds(o.preserve_fds + o.listen_fds, err);
        if (r == 0)
                r = state_check_id(o.id, err);
        if (r == 0)
                r = device_options(call, &a->devices, &o.devices, err);
        if (r == 0)
                r = place_options(call, &a->place, &o.place, err);
        if (r == 0)
                r = command_bundle(call, a->bundle, &o.bundle, err);
        if (r == 0)
                *ret = o;
        return r;
}

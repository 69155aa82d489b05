#include "cli/make_options.h"

int make_options(const struct call *call, struct container_options *ret, struct error *err)
{
        const struct make_args *a = call->args;
        struct container_options o = {
                .id = call->pos.list[0],
                .pid_file = a->pid_file,
                .console_socket = a->console_socket,
                .pidfd_socket = a->pidfd_socket,
                .no_pivot = a->no_pivot,
                .no_cgroup = call->globals->no_cgroup,
                .rootless = call->globals->rootless,
                .systemd = call->globals->systemd,
                .no_new_keyring = a->no_new_keyring,
                .detach = a->detach,
                .keep = a->keep,
                .preserve_fds = a->preserve_fds,
                .log = call->log,
        };
        int r = command_listen_fds(&o.listen_fds, err);
        if (r == 0)
                r = container_check_fds(o.preserve_fds + o.listen_fds, err);
        if (r == 0)
                r = state_check_id(o.id, err);
        if (r == 0)
                r = command_bundle(call, a->bundle, &o.bundle, err);
        if (r == 0)
                *ret = o;
        return r;
}

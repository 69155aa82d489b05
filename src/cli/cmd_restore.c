#include "cli/criu_args.h"

struct restore_args {
        struct criu_args criu;
        const char *bundle, *pid_file, *console_socket, *lsm_profile, *lsm_mount_context;
        bool detach, no_pivot, tcp_close;
};

static int run(const struct call *call, struct error *err)
{
        const struct restore_args *a = call->args;
        struct restore_options o = {
                .make = { .id = call->pos.list[0], .pid_file = a->pid_file, .console_socket = a->console_socket,
                          .no_pivot = a->no_pivot, .detach = a->detach, .log = call->log,
                          .no_cgroup = call->globals->no_cgroup, .rootless = call->globals->rootless,
                          .systemd = call->globals->systemd },
                .lsm_profile = a->lsm_profile, .lsm_mount_context = a->lsm_mount_context,
        };
        struct error warning = ERROR_INIT;
        auto_fd int root = -1;
        int status = 0;
        int r = criu_args_read(call, &a->criu, &o.criu, err);
        o.criu.tcp_close = a->tcp_close;
        if (r == 0)
                r = state_check_id(o.make.id, err);
        if (r == 0)
                r = command_bundle(call, a->bundle, &o.make.bundle, err);
        if (r == 0)
                r = command_root(call, true, &root, err);
        if (r < 0)
                return r;
        criu_args_warn(call, "restore");
        r = container_restore(root, &o, &status, &warning, err);
        command_warn(call, &warning);
        return r < 0 ? r : status;
}

static const struct option options[] = {
        CRIU_OPTIONS,
        { "bundle", 'b', OPTION_PATH, offsetof(struct restore_args, bundle),
          "directory with config.json (default: the current one)" },
        { "detach", 'd', OPTION_FLAG, offsetof(struct restore_args, detach), "do not wait for the container" },
        { "pid-file", 0, OPTION_PATH, offsetof(struct restore_args, pid_file), "file to write the process id to" },
        { "console-socket", 0, OPTION_PATH, offsetof(struct restore_args, console_socket),
          "unix socket that receives the master of the container's terminal" },
        { "tcp-close", 0, OPTION_FLAG, offsetof(struct restore_args, tcp_close), "close the TCP connections that were open" },
        { "lsm-profile", 0, OPTION_TEXT, offsetof(struct restore_args, lsm_profile),
          "TYPE:NAME of the profile of the security module to restore with" },
        { "lsm-mount-context", 0, OPTION_TEXT, offsetof(struct restore_args, lsm_mount_context),
          "SELinux context of the mounts to restore with" },
        { "no-pivot", 0, OPTION_FLAG, offsetof(struct restore_args, no_pivot),
          "the container was made with --no-pivot" },
        { "no-subreaper", 0, OPTION_IGNORED_FLAG, 0, "we never become a subreaper" },
};

const struct command cmd_restore = {
        .name = "restore", .arguments = "<container-id>", .summary = "bring a container back from its files, by criu",
        .options = { options, COUNT(options), false }, .args_size = sizeof(struct restore_args),
        .min = 1, .max = 1, .failed = 1, .run = run,
        .text = "Takes what \"checkpoint\" wrote and the same bundle. Without --detach it stays in the foreground\n"
                "as \"run\" does.\n",
};

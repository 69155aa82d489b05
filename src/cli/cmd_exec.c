#include <errno.h>

#include "cli/make_options.h"
#include "runtime/exec.h"
#include "runtime/seal.h"

static int run(const struct call *call, struct error *err)
{
        struct exec_options o = *(const struct exec_options *) call->args;
        auto_fd int root = -1;
        int status = 0;
        o.id = call->pos.list[0];
        o.log = call->log;
        o.args = call->pos.n > 1 ? (const char *const *) call->pos.list + 1 : NULL;
        if (o.process_file && o.args)
                return error_say(err, -EINVAL, "--process says what to run: no command can be given with it");
        if (!o.process_file && !o.args)
                return error_say(err, -EINVAL, "process args cannot be empty: give a command, or --process");
        int r = seal_self(call->globals->argv, call->log, err);
        if (r == 0)
                r = command_listen_fds(&o.listen_fds, err);
        if (r == 0)
                r = container_check_fds(o.preserve_fds + o.listen_fds, err);
        if (r == 0)
                r = place_options(call, &o.place.words, &o.place, err);
        if (r == 0)
                r = command_root(call, false, &root, err);
        if (r == 0)
                r = exec_run(root, &o, &status, err);
        return r < 0 ? r : status;
}

#define AT(member) offsetof(struct exec_options, member)

static const struct option options[] = {
        { "console-socket", 0, OPTION_PATH, AT(console_socket),
          "unix socket that receives the master of the terminal" },
        { "pidfd-socket", 0, OPTION_PATH, AT(pidfd_socket), "unix socket that receives a pidfd of the process" },
        { "cwd", 0, OPTION_TEXT, AT(cwd), "working directory in the container" },
        { "env", 'e', OPTION_LIST, AT(env), "NAME=VALUE to add to the environment; may be repeated" },
        { "tty", 't', OPTION_FLAG, AT(tty), "give the process a terminal" },
        { "user", 'u', OPTION_TEXT, AT(user), "UID or UID:GID" },
        { "additional-gids", 'g', OPTION_LIST, AT(gids), "a further group id; may be repeated" },
        { "process", 'p', OPTION_PATH, AT(process_file), "file with a process object of the runtime specification" },
        { "detach", 'd', OPTION_FLAG, AT(detach), "do not wait for the process" },
        { "pid-file", 0, OPTION_PATH, AT(pid_file), "file to write the process id to" },
        { "no-new-privs", 0, OPTION_FLAG, AT(no_new_privs), "the process cannot gain privileges by exec" },
        { "cap", 'c', OPTION_LIST, AT(caps), "a further capability; may be repeated" },
        { "preserve-fds", 0, OPTION_NUMBER, AT(preserve_fds),
          "pass N descriptors, from 3 on, in addition to stdio and $LISTEN_FDS" },
        { "ignore-paused", 0, OPTION_FLAG, AT(ignore_paused), "also in a paused container: the process waits frozen" },
        { "process-label", 0, OPTION_TEXT, AT(selinux), "SELinux label of the process" },
        { "apparmor", 0, OPTION_TEXT, AT(apparmor), "AppArmor profile of the process" },
        { "cgroup", 0, OPTION_LIST, AT(cgroups),
          "[CONTROLLER,...:]PATH of a cgroup within the container's to run in; may be repeated" },
        PLACE_OPTIONS(exec_options, place.words),
};

const struct command cmd_exec = {
        .name = "exec", .arguments = "<container-id> <command> [args...]  |  -p process.json <container-id>",
        .summary = "run a further process in a container",
        .options = { options, COUNT(options), true }, .args_size = sizeof(struct exec_options),
        .min = 1, .max = (size_t) -1, .failed = 255, .run = run,
        .text = "The exit status is that of the process, 128+n if signal n ended it, 255 if it could not be started.\n",
};

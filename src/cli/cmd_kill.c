#include "cli/command.h"
#include "runtime/container.h"
#include "runtime/signal_name.h"

struct kill_args {
        bool all;
};

static int run(const struct call *call, struct error *err)
{
        const struct kill_args *a = call->args;
        auto_fd int root = -1;
        int sig = signal_from_name(call->pos.n > 1 ? call->pos.list[1] : "TERM", err);
        int r = sig < 0 ? sig : command_root(call, false, &root, err);
        return r == 0 ? container_kill(root, call->pos.list[0], sig, a->all, err) : r;
}

static const struct option options[] = {
        { "all", 'a', OPTION_FLAG, offsetof(struct kill_args, all), "signal every process of the container" },
};

const struct command cmd_kill = {
        .name = "kill", .arguments = "<container-id> [signal]",
        .summary = "send a signal (default: TERM) to the container's first process",
        .options = { options, COUNT(options), true }, .args_size = sizeof(struct kill_args),
        .min = 1, .max = 2, .failed = 1, .run = run,
        .text = "The signal is a number or a name, with or without SIG.\n",
};

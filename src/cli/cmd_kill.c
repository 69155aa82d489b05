#include "cli/match.h"
#include "runtime/container.h"
#include "runtime/signal_name.h"

struct kill_args {
        bool all, regex;
};

static int signal_of(const struct call *call, struct error *err)
{
        return signal_from_name(call->pos.n > 1 ? call->pos.list[1] : "TERM", err);
}

static int kill_one(const struct call *call, int root, const char *id, struct error *err)
{
        const struct kill_args *a = call->args;
        int sig = signal_of(call, err);
        return sig < 0 ? sig : container_kill(root, id, sig, a->all, err);
}

static int run(const struct call *call, struct error *err)
{
        const struct kill_args *a = call->args;
        auto_fd int root = -1;
        int sig = signal_of(call, err);
        int r = sig < 0 ? sig : command_root(call, false, &root, err);
        if (r < 0)
                return r;
        return a->regex ? match_each(call, root, call->pos.list[0], kill_one, err)
                        : kill_one(call, root, call->pos.list[0], err);
}

static const struct option options[] = {
        { "all", 'a', OPTION_FLAG, offsetof(struct kill_args, all), "signal every process of the container" },
        { "regex", 'r', OPTION_FLAG, offsetof(struct kill_args, regex),
          "the id is an extended regular expression: signal all that match" },
};

const struct command cmd_kill = {
        .name = "kill", .arguments = "<container-id> [signal]",
        .summary = "send a signal (default: TERM) to the container's first process",
        .options = { options, COUNT(options), true }, .args_size = sizeof(struct kill_args),
        .min = 1, .max = 2, .failed = 1, .run = run,
        .text = "The signal is a number or a name, with or without SIG.\n",
};

#include "cli/command.h"
#include "runtime/container.h"

static int run(const struct call *call, struct error *err)
{
        auto_fd int root = -1;
        int r = command_root(call, false, &root, err);
        return r == 0 ? container_start(root, call->pos.list[0], call->log, err) : r;
}

const struct command cmd_start = {
        .name = "start", .arguments = "<container-id>", .summary = "let the process of a created container begin",
        .min = 1, .max = 1, .failed = 1, .run = run,
};

#include "cli/command.h"
#include "runtime/container.h"

static int run(const struct call *call, struct error *err)
{
        struct error warning = ERROR_INIT;
        auto_fd int root = -1;
        int r = command_root(call, false, &root, err);
        if (r == 0)
                r = container_start(root, call->pos.list[0], call->log, &warning, err);
        command_warn(call, &warning);
        return r;
}

const struct command cmd_start = {
        .name = "start", .arguments = "<container-id>", .summary = "let the process of a created container begin",
        .min = 1, .max = 1, .failed = 1, .run = run,
};

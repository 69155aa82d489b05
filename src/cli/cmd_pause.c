#include "cli/command.h"
#include "runtime/container.h"

static int run(const struct call *call, struct error *err)
{
        auto_fd int root = -1;
        int r = command_root(call, false, &root, err);
        return r == 0 ? container_pause(root, call->pos.list[0], err) : r;
}

const struct command cmd_pause = {
        .name = "pause", .arguments = "<container-id>", .summary = "freeze all processes of a container",
        .min = 1, .max = 1, .failed = 1, .run = run,
};

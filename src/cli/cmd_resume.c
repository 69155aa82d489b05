#include "cli/command.h"
#include "runtime/container.h"

static int run(const struct call *call, struct error *err)
{
        auto_fd int root = -1;
        int r = command_root(call, false, &root, err);
        return r == 0 ? container_resume(root, call->pos.list[0], err) : r;
}

const struct command cmd_resume = {
        .name = "resume", .arguments = "<container-id>", .summary = "let the processes of a paused container go on",
        .min = 1, .max = 1, .failed = 1, .run = run,
};

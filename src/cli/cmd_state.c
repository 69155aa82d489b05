#include "cli/command.h"
#include "runtime/container.h"

static int run(const struct call *call, struct error *err)
{
        auto_fd int root = -1;
        auto_free char *json = NULL;
        int r = command_root(call, false, &root, err);
        if (r == 0)
                r = container_state(root, call->pos.list[0], &json, err);
        if (r < 0)
                return r;
        fputs(json, stdout); /* as runc: without a final newline */
        return 0;
}

const struct command cmd_state = {
        .name = "state", .arguments = "<container-id>", .summary = "print the state of a container as JSON",
        .min = 1, .max = 1, .failed = 1, .run = run,
};

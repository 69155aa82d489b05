#include "cli/make_options.h"
#include "runtime/seal.h"

static int run(const struct call *call, struct error *err)
{
        struct container_options opts;
        struct error warning = ERROR_INIT;
        auto_fd int root = -1;
        int r = seal_self(call->globals->argv, call->log, err);
        if (r == 0)
                r = make_options(call, &opts, err);
        if (r == 0)
                r = command_root(call, true, &root, err);
        if (r == 0)
                r = container_create(root, &opts, &warning, err);
        command_warn(call, &warning);
        return r;
}

static const struct option options[] = { MAKE_OPTIONS };

const struct command cmd_create = {
        .name = "create", .arguments = "<container-id>", .summary = "create a container",
        .options = { options, COUNT(options), false }, .args_size = sizeof(struct make_args),
        .min = 1, .max = 1, .failed = 1, .run = run,
        .text = "The container is made as config.json in the bundle says, up to the moment before its\n"
                "process begins; \"start\" lets it begin.\n",
};

#include "cli/make_options.h"
#include "runtime/seal.h"

static int run(const struct call *call, struct error *err)
{
        struct container_options opts;
        struct error warning = ERROR_INIT;
        auto_fd int root = -1;
        int status = 0;
        const struct make_args *args = call->args;
        /* In the foreground we run as long as the container does: nobody can write to a program that runs. */
        int r = args->detach ? seal_self(call->globals->argv, call->log, err) : seal_spared(call->log);
        if (r == 0)
                r = make_options(call, &opts, err);
        if (r == 0)
                r = command_root(call, true, &root, err);
        if (r == 0)
                r = container_run(root, &opts, &status, &warning, err);
        command_warn(call, &warning);
        return r < 0 ? r : status;
}

static const struct option options[] = {
        MAKE_OPTIONS,
        { "detach", 'd', OPTION_FLAG, offsetof(struct make_args, detach), "do not wait for the container" },
        { "keep", 0, OPTION_FLAG, offsetof(struct make_args, keep), "do not delete the container after it has ended" },
};

const struct command cmd_run = {
        .name = "run", .arguments = "<container-id>", .summary = "create and run a container",
        .options = { options, COUNT(options), false }, .args_size = sizeof(struct make_args),
        .min = 1, .max = 1, .failed = 1, .run = run,
        .text = "Stays in the foreground: passes on signals and, if process.terminal is true, the terminal.\n"
                "The exit status is that of the container, 128+n if signal n ended it. Killing this command\n"
                "ends the container.\n",
};

#include <errno.h>

#include "cli/match.h"
#include "runtime/container.h"

struct delete_args {
        bool force, regex;
};

static int delete_one(const struct call *call, int root, const char *id, struct error *err)
{
        const struct delete_args *a = call->args;
        struct error warning = ERROR_INIT;
        int r = container_delete(root, id, a->force, &warning, err);
        command_warn(call, &warning);
        return r;
}

static int run(const struct call *call, struct error *err)
{
        const struct delete_args *a = call->args;
        auto_fd int root = -1;
        int r = command_root(call, false, &root, err);
        if (r == -ENOENT && a->force)
                return 0;
        if (r < 0)
                return r;
        if (!a->regex)
                return delete_one(call, root, call->pos.list[0], err);
        r = match_each(call, root, call->pos.list[0], delete_one, err);
        return r == -ENOENT && a->force ? 0 : r;
}

static const struct option options[] = {
        { "force", 'f', OPTION_FLAG, offsetof(struct delete_args, force),
          "end the container first (SIGKILL) if it runs" },
        { "regex", 'r', OPTION_FLAG, offsetof(struct delete_args, regex),
          "the id is an extended regular expression: remove all that match" },
};

const struct command cmd_delete = {
        .name = "delete", .arguments = "<container-id>", .summary = "remove what is left of a container",
        .options = { options, COUNT(options), false }, .args_size = sizeof(struct delete_args),
        .min = 1, .max = 1, .failed = 1, .run = run,
        .text = "The container must have stopped, or be created only. With --force, a container that does not\n"
                "exist is no failure.\n",
};

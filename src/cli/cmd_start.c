#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/command.h"
#include "runtime/container.h"

#define HANDED_ON "_BERTH_HANDED_ON"

/*
 * The container was created before berth was updated. What is left to do is written in the words of the build that made
 * it, which its process still runs: that one does it. But no third one.
 */
static int hand_on(const struct call *call, int root, struct error *err)
{
        struct error why = ERROR_INIT;
        auto_fd int program = -1;
        if (getenv(HANDED_ON))
                return -ESTALE;
        int r = container_program(root, call->pos.list[0], &program, &why);
        if (r == 0 && setenv(HANDED_ON, "1", 1) == 0) {
                log_say(call->log, "another build of berth has created the container, and starts it");
                fexecve(program, call->globals->argv, environ);
                r = error_set(&why, -errno, "execute that build");
        }
        return r < 0 ? error_wrap(err, "%s", why.text) : -ESTALE;
}

static int run(const struct call *call, struct error *err)
{
        struct error warning = ERROR_INIT;
        auto_fd int root = -1;
        int r = command_root(call, false, &root, err);
        if (r == 0)
                r = container_start(root, call->pos.list[0], getenv("NOTIFY_SOCKET"), call->log, &warning, err);
        if (r == -ESTALE)
                r = hand_on(call, root, err);
        command_warn(call, &warning);
        return r;
}

const struct command cmd_start = {
        .name = "start", .arguments = "<container-id>", .summary = "let the process of a created container begin",
        .min = 1, .max = 1, .failed = 1, .run = run,
};

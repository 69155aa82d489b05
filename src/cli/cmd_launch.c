#include <errno.h>
#include <stdint.h>
#include <unistd.h>

#include "cli/helper.h"

#define LAUNCHER "berth-launch"

/* The launcher has options of its own, and libraries that the runtime should not have to load. */
static int start(const struct call *call, const char *name, bool debug, struct error *err)
{
        const struct globals *g = call->globals;
        const char **argv = arena_alloc(call->arena, call->pos.n + 8, sizeof(*argv));
        if (!argv)
                return error_set(err, -ENOMEM, "start the launcher");
        size_t n = 0;
        argv[n++] = name;
        if (g->root) {
                argv[n++] = "--root";
                argv[n++] = g->root;
        }
        if (debug)
                argv[n++] = "--debug";
        for (size_t i = 0; i < call->pos.n; i++)
                argv[n++] = call->pos.list[i];
        const char *path = helper_path(call);
        if (!path)
                return error_set(err, -ENOMEM, "start the launcher");
        execv(path, (char *const *) (uintptr_t) argv);
        return error_set(err, -errno, "start the launcher \"%s\"", path);
}

static int run(const struct call *call, struct error *err)
{
        if (call->globals->systemd)
                return error_say(err, -EOPNOTSUPP, "launch makes its cgroups itself, without systemd: leave --systemd-cgroup "
                                 "out");
        return start(call, LAUNCHER, call->globals->debug, err);
}

/* The same program; it goes by its name. */
static int run_topo(const struct call *call, struct error *err)
{
        return start(call, "berth-topo", false, err);
}

const struct command cmd_topo = {
        .name = "topo", .arguments = "[--svg file]",
        .summary = "print this machine and what runs where in it",
        .max = (size_t) -1, .failed = 1, .raw = true, .run = run_topo,
};

const struct command cmd_launch = {
        .name = "launch", .arguments = "[launch options] <bundle> [command...]",
        .summary = "start many instances of a bundle as one job (see berth launch --help)",
        .max = (size_t) -1, .failed = 1, .raw = true, .run = run,
};

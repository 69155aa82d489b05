#include <errno.h>
#include <stdlib.h>

#include "cli/command.h"
#include "cli/quantity.h"
#include "runtime/events.h"

#define DEFAULT_INTERVAL_NS 5000000000u

struct events_args {
        const char *interval;
        bool stats;
};

static int print_line(void *arg, const char *line, struct error *err)
{
        (void) arg;
        /* Each line at once: who reads them wants to act. */
        return printf("%s\n", line) >= 0 && fflush(stdout) == 0 ? 0 : error_set(err, -errno, "write an event");
}

static int run(const struct call *call, struct error *err)
{
        const struct events_args *a = call->args;
        const char *id = call->pos.list[0];
        uint64_t interval = DEFAULT_INTERVAL_NS;
        auto_fd int root = -1;
        if (a->interval && quantity_duration(a->interval, &interval) < 0)
                return error_say(err, -EINVAL, "invalid value \"%s\" for --interval: expected a duration such as 5s or "
                                 "500ms", a->interval);
        if (interval == 0)
                return error_say(err, -EINVAL, "duration interval must be greater than 0");
        int r = command_root(call, false, &root, err);
        if (r < 0)
                return r;
        if (!a->stats)
                return events_follow(root, id, interval, print_line, NULL, err);
        auto_free char *line = NULL;
        r = events_stats(root, id, &line, err);
        return r < 0 ? r : print_line(NULL, line, err);
}

static const struct option options[] = {
        { "interval", 0, OPTION_TEXT, offsetof(struct events_args, interval), "time between stats (default: 5s)" },
        { "stats", 0, OPTION_FLAG, offsetof(struct events_args, stats), "print the stats once" },
};

const struct command cmd_events = {
        .name = "events", .arguments = "<container-id>",
        .summary = "tell what a container uses, and when it runs out of memory",
        .options = { options, COUNT(options), false }, .args_size = sizeof(struct events_args),
        .min = 1, .max = 1, .failed = 1, .run = run,
        .text = "Lines of JSON, until the container ends.\n",
};

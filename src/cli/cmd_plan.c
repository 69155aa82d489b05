#include "cli/make_options.h"
#include "plan/plan.h"

struct plan_args {
        bool create, no_pivot;
        struct device_args devices;
        struct place_words place;
};

/* Of a container that nobody makes. */
static int options_of(const struct call *call, struct container_options *ret, struct error *err)
{
        const struct plan_args *a = call->args;
        struct container_options o = { .id = "ID", .no_pivot = a->no_pivot, .no_cgroup = call->globals->no_cgroup,
                                       .rootless = call->globals->rootless, .systemd = call->globals->systemd };
        int r = device_options(call, &a->devices, &o.devices, err);
        if (r == 0)
                r = place_options(call, &a->place, &o.place, err);
        if (r == 0)
                r = command_bundle(call, call->pos.n > 0 ? call->pos.list[0] : NULL, &o.bundle, err);
        if (r == 0)
                *ret = o;
        return r;
}

static int run(const struct call *call, struct error *err)
{
        const struct plan_args *a = call->args;
        struct container_options opts;
        auto_free void *block = NULL;
        struct plan plan;
        size_t size;
        int r = options_of(call, &opts, err);
        if (r == 0)
                r = container_plan(&opts, a->create, &block, &size, err);
        if (r == 0)
                r = plan_open(&plan, block, size, err);
        if (r < 0)
                return r;
        plan_list(&plan, stdout);
        return 0;
}

static const struct option options[] = {
        { "create", 0, OPTION_FLAG, offsetof(struct plan_args, create), "as create and start would do it, not run" },
        DEVICE_OPTIONS(plan_args, devices),
        PLACE_OPTIONS(plan_args, place),
        { "no-pivot", 0, OPTION_FLAG, offsetof(struct plan_args, no_pivot), "as with this option of run" },
};

const struct command cmd_plan = {
        .name = "plan", .arguments = "[bundle]", .summary = "print the steps in which a bundle would be started here",
        .options = { options, COUNT(options), false }, .args_size = sizeof(struct plan_args),
        .max = 1, .failed = 1, .run = run,
        .text = "Nothing is started. Arguments and environment of the process are never part of a plan.\n",
};

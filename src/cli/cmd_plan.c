#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/io.h"
#include "cgroups/systemd.h"
#include "cli/make_options.h"
#include "host/host.h"
#include "plan/compile.h"
#include "spec/read.h"

struct plan_args {
        bool create, no_pivot;
        struct device_args devices;
        struct place_words place;
};

#define CONFIG_MAX ((size_t) 16 << 20)

/* The config with its devices and its place. */
static int read_config(const struct call *call, const struct host *host, struct wish *wish, struct place_config *config,
                       struct error *err)
{
        const struct plan_args *a = call->args;
        struct device_wish devices;
        struct place_options place;
        struct error warning = ERROR_INIT;      /* for who starts it */
        int r = device_options(call, &a->devices, &devices, err);
        if (r == 0)
                r = place_options(call, &a->place, &place, err);
        if (r == 0)
                r = command_bundle(call, call->pos.n > 0 ? call->pos.list[0] : NULL, &wish->bundle, err);
        if (r < 0)
                return r;
        r = io_read_file(AT_FDCWD, "config.json", CONFIG_MAX, &config->text, &config->size);
        if (r < 0)
                return error_set(err, r, "read \"config.json\"");
        r = spec_read_text(config->text, config->size, "config.json", &config->spec, err);
        if (r == 0)
                r = device_edit(&devices, &config->text, &config->size, &config->spec, &warning, err);
        if (r == 0)
                r = place_config(&place, host, wish, config, err);
        wish->own_cpus = config->cpus;
        return r;
}

static void config_clear_p(struct place_config *config)
{
        free(config->text);
        spec_free(config->spec);
}

static int run(const struct call *call, struct error *err)
{
        const struct plan_args *a = call->args;
        CLEANUP(config_clear) struct place_config config = { 0 };
        auto_free void *block = NULL;
        struct host host;
        struct plan plan;
        size_t size;
        struct wish wish = { .id = "ID", .await_start = a->create, .no_pivot = a->no_pivot,
                             .die_with_parent = !a->create, .no_cgroup = call->globals->no_cgroup,
                             .rootless = call->globals->rootless };
        if (call->globals->systemd)
                wish_systemd(&wish, systemd_is_users());
        int r = host_probe(&host, err);
        if (r == 0)
                cgroup_host_probe_own(&host.cgroups);
        if (r == 0)
                r = read_config(call, &host, &wish, &config, err);
        struct spec *spec = config.spec;
        if (r == 0 && (!spec->has_process || !spec->process.args))
                r = error_say(err, -EINVAL, "config.json: process.args: nothing to run");
        if (r == 0)
                r = spec_default_maps(spec, geteuid(), getegid(), err);
        if (r == 0)
                r = plan_compile(spec, &host, &wish, &block, &size, err);
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

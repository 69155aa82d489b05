/* berth-launch - what `berth launch` executes: hwloc and PMIx are linked here and nowhere else. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "launcher/job.h"
#include "launcher/options.h"
#include "launcher/place_job.h"
#include "launcher/place_one.h"
#include "launcher/topo.h"

enum { STATUS_FAILED = 1, STATUS_USAGE = 2 };

static int fail(const struct error *err, int status)
{
        fprintf(stderr, "berth launch: %s\n", err->text);
        return status;
}

static void report_bindings(const struct launch_options *options, const struct placement *placement,
                            const struct rank_devices *devices, FILE *out)
{
        if (options->report_bindings != BINDINGS_JSON) {
                place_job_print(placement, devices, out);
                return;
        }
        auto_free char *json = place_job_json(placement, devices);
        if (json)
                fprintf(out, "%s\n", json);
}

static int dry_run(const struct launch_options *options, struct error *err)
{
        auto_placement struct placement *placement = NULL;
        struct rank_devices devices = { 0 };
        int r = place_job(options, &placement, err);
        if (r == 0 && rank_devices_wanted(options))
                r = rank_devices_deal(&devices, options, placement, err);
        if (r < 0)
                return fail(err, STATUS_FAILED);
        report_bindings(options, placement, &devices, stdout);
        rank_devices_clear(&devices);
        return fflush(stdout) == 0 ? 0 : STATUS_FAILED;
}

static int launch(const struct launch_options *options, char **environ_, struct error *err)
{
        struct job job = JOB_INIT;
        int status = STATUS_FAILED;
        if (job_prepare(&job, options, environ_, err) == 0) {
                if (job.warning.code < 0)
                        fprintf(stderr, "berth launch: warning: %s\n", job.warning.text);
                if (options->report_bindings != BINDINGS_NONE)
                        report_bindings(options, job.placement, &job.devices, stderr);
                status = job_run(&job);
        } else {
                (void) fail(err, status); /* the status is the same */
        }
        job_close(&job);
        return status;
}

/* `berth topo` is started as berth-topo, who places a single container as berth-place: they need hwloc, too. */
static bool goes_by(const char *name, const char *wanted)
{
        const char *slash = strrchr(name, '/');
        return strcmp(slash ? slash + 1 : name, wanted) == 0;
}

int main(int argc, char **argv, char **environ_)
{
        if (argc > 0 && goes_by(argv[0], "berth-topo"))
                return topo_main(argc - 1, argv + 1, environ_);
        if (argc > 0 && goes_by(argv[0], "berth-place"))
                return place_one_main(argc - 1, argv + 1);
        struct launch_options options;
        struct place_wish wish;
        struct error err = ERROR_INIT;
        if (options_parse(&options, argc - 1, argv + 1, &err) < 0)
                return fail(&err, STATUS_USAGE);
        int status = STATUS_USAGE;
        if (options.help) {
                options_help(stdout);
                status = fflush(stdout) == 0 ? 0 : STATUS_FAILED;
        } else if (place_job_wish(&options, &wish, &err) < 0) {
                (void) fail(&err, status); /* the status is the same */
        } else {
                if (wish.slurm.verbose && options.report_bindings == BINDINGS_NONE)
                        options.report_bindings = BINDINGS_TEXT;
                status = options.dry_run ? dry_run(&options, &err) : launch(&options, environ_, &err);
        }
        options_clear(&options);
        return status;
}

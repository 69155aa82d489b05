#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "cgroups/cgroup.h"
#include "cli/command.h"
#include "spec/read.h"

#define FILE_NAME "config.json"

struct spec_args {
        const char *bundle;
        bool rootless;
};

static int run(const struct call *call, struct error *err)
{
        const struct spec_args *a = call->args;
        struct cgroup_host host;
        if (a->bundle && chdir(a->bundle) < 0)
                return error_set(err, -errno, "bundle \"%s\"", a->bundle);
        int r = cgroup_host_probe(&host, err);
        if (r < 0)
                return r;
        struct spec_template wish = { .rootless = a->rootless, .uid = geteuid(), .gid = getegid(),
                                      .cgroup_v2 = host.mode == CGROUP_V2 };
        auto_free char *text = NULL;
        r = spec_write_default(&wish, &text, err);
        if (r < 0)
                return r;
        auto_fd int fd = open(FILE_NAME, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd < 0 && errno == EEXIST)
                return error_say(err, -EEXIST, "File " FILE_NAME " exists. Remove it first");
        r = fd < 0 ? -errno : io_write_all(fd, text, strlen(text));
        return r < 0 ? error_set(err, r, "write " FILE_NAME) : 0;
}

static const struct option options[] = {
        { "bundle", 'b', OPTION_PATH, offsetof(struct spec_args, bundle),
          "directory to write to (default: the current one)" },
        { "rootless", 0, OPTION_FLAG, offsetof(struct spec_args, rootless),
          "for a container that an ordinary user can start" },
};

const struct command cmd_spec = {
        .name = "spec", .arguments = "", .summary = "write a config.json to begin with",
        .options = { options, COUNT(options), false }, .args_size = sizeof(struct spec_args),
        .failed = 1, .run = run,
};

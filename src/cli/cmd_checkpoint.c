#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

#include "cli/criu_args.h"

struct checkpoint_args {
        struct criu_args criu;
        const char *parent_path, *status_fd, *page_server;
        bool leave_running, tcp_skip_in_flight, link_remap, pre_dump;
};

/* ADDRESS:PORT; [ADDRESS]:PORT for IPv6. */
static int read_page_server(const struct call *call, const char *text, struct checkpoint_options *o, struct error *err)
{
        const char *colon = text ? strrchr(text, ':') : NULL;
        if (!text || !*text)
                return 0;
        size_t n = colon ? (size_t) (colon - text) : 0;
        bool bracket = n >= 2 && text[0] == '[' && text[n - 1] == ']';
        if (bracket)
                n -= 2;
        if (n == 0 || !colon[1] || (!bracket && memchr(text, ':', n)))
                return error_say(err, -EINVAL, "--page-server: \"%s\": expected ADDRESS:PORT", text);
        if (parse_u32(colon + 1, &o->page_server_port) < 0 || o->page_server_port == 0 || o->page_server_port > 65535)
                return error_say(err, -EINVAL, "--page-server: \"%s\" is not a port number", colon + 1);
        o->page_server = arena_strndup(call->arena, text + bracket, n);
        return o->page_server ? 0 : error_set(err, -ENOMEM, "--page-server");
}

/* Looked at before we open anything: a number that is not open could become ours. */
static int read_status_fd(const char *text, bool lazy, int *ret, struct error *err)
{
        int64_t fd = -1;
        if (text && (parse_i64(text, &fd) < 0 || fd < -1 || fd > INT_MAX))
                return error_say(err, -EINVAL, "--status-fd: \"%s\" is not the number of a descriptor", text);
        if (fd == -1 || !lazy)
                return 0;
        int flags = fcntl((int) fd, F_GETFL);
        if (flags < 0)
                return error_set(err, -errno, "invalid --status-fd %d", (int) fd);
        if ((flags & O_ACCMODE) == O_RDONLY)
                return error_say(err, -EBADF, "invalid --status-fd %d: not writable", (int) fd);
        *ret = (int) fd;
        return 0;
}

static int run(const struct call *call, struct error *err)
{
        const struct checkpoint_args *a = call->args;
        struct checkpoint_options o = {
                .id = call->pos.list[0], .log = call->log, .parent_path = a->parent_path && *a->parent_path ? a->parent_path : NULL,
                .leave_running = a->leave_running, .tcp_skip_in_flight = a->tcp_skip_in_flight,
                .link_remap = a->link_remap, .pre_dump = a->pre_dump, .status_fd = -1,
        };
        struct error warning = ERROR_INIT;
        auto_fd int root = -1;
        int r = read_status_fd(a->status_fd, a->criu.lazy_pages, &o.status_fd, err);
        if (r == 0)
                r = read_page_server(call, a->page_server, &o, err);
        if (r == 0)
                r = criu_args_read(call, &a->criu, &o.criu, err);
        if (r == 0)
                r = command_root(call, false, &root, err);
        if (r < 0)
                return r;
        criu_args_warn(call, "checkpoint");
        r = container_checkpoint(root, &o, &warning, err);
        command_warn(call, &warning);
        return r;
}

static const struct option options[] = {
        CRIU_OPTIONS,
        { "parent-path", 0, OPTION_TEXT, offsetof(struct checkpoint_args, parent_path),
          "images of an earlier pre-dump, relative to the image path" },
        { "leave-running", 0, OPTION_FLAG, offsetof(struct checkpoint_args, leave_running), "the container goes on" },
        { "tcp-skip-in-flight", 0, OPTION_FLAG, offsetof(struct checkpoint_args, tcp_skip_in_flight),
          "leave out TCP connections that are being made" },
        { "link-remap", 0, OPTION_FLAG, offsetof(struct checkpoint_args, link_remap),
          "give open files without a name one, to find them again" },
        { "status-fd", 0, OPTION_TEXT, offsetof(struct checkpoint_args, status_fd),
          "descriptor that gets a zero byte when memory can be asked for (--lazy-pages)" },
        { "page-server", 0, OPTION_TEXT, offsetof(struct checkpoint_args, page_server),
          "ADDRESS:PORT of the page server that takes, or with --lazy-pages serves, the memory" },
        { "pre-dump", 0, OPTION_FLAG, offsetof(struct checkpoint_args, pre_dump),
          "the memory only, while the container goes on" },
};

const struct command cmd_checkpoint = {
        .name = "checkpoint", .arguments = "<container-id>", .summary = "write a running container to files, by criu",
        .options = { options, COUNT(options), false }, .args_size = sizeof(struct checkpoint_args),
        .min = 1, .max = 1, .failed = 1, .run = run,
        .text = "The container ends and is removed; \"restore\" makes it go on where it was. The program criu has\n"
                "to be in PATH.\n",
};

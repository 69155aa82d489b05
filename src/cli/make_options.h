#pragma once
/* make_options - the options that create and run have in common. */

#include "cli/command.h"
#include "runtime/container.h"

struct make_args {
        const char *bundle, *pid_file, *console_socket, *pidfd_socket;
        bool no_pivot, no_new_keyring, detach, keep;
        uint32_t preserve_fds;
};

#define MAKE_OPTIONS                                                                                            \
        { "bundle", 'b', OPTION_PATH, offsetof(struct make_args, bundle),                                       \
          "directory with config.json (default: the current one)" },                                            \
        { "console-socket", 0, OPTION_PATH, offsetof(struct make_args, console_socket),                         \
          "unix socket that receives the master of the container's terminal" },                                 \
        { "pidfd-socket", 0, OPTION_PATH, offsetof(struct make_args, pidfd_socket),                             \
          "unix socket that receives a pidfd of the container's first process" },                               \
        { "pid-file", 0, OPTION_PATH, offsetof(struct make_args, pid_file), "file to write the process id to" },  \
        { "no-pivot", 0, OPTION_FLAG, offsetof(struct make_args, no_pivot),                                     \
          "move the root instead of pivot_root(2): for a rootfs on a ramdisk" },                                \
        { "no-new-keyring", 0, OPTION_FLAG, offsetof(struct make_args, no_new_keyring),                         \
          "keep the caller's session keyring" },                                                                \
        { "preserve-fds", 0, OPTION_NUMBER, offsetof(struct make_args, preserve_fds),                           \
          "pass N descriptors, from 3 on, in addition to stdio and $LISTEN_FDS" },                              \
        { "no-subreaper", 0, OPTION_IGNORED_FLAG, 0, "we never become a subreaper" }

/* From the arguments of a call; checks the descriptors to be passed before anything is opened. */
int make_options(const struct call *call, struct container_options *ret, struct error *err) MUST_CHECK;

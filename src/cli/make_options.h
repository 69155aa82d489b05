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
        { 'b', "bundle", OPTION_PATH, offsetof(struct make_args, bundle),                                       \
          "directory with config.json (default: the current one)" },                                            \
        { 0, "console-socket", OPTION_PATH, offsetof(struct make_args, console_socket),                         \
          "unix socket that receives the master of the container's terminal" },                                 \
        { 0, "pidfd-socket", OPTION_PATH, offsetof(struct make_args, pidfd_socket),                             \
          "unix socket that receives a pidfd of the container's first process" },                               \
        { 0, "pid-file", OPTION_PATH, offsetof(struct make_args, pid_file), "file to write the process id to" },  \
        { 0, "no-pivot", OPTION_FLAG, offsetof(struct make_args, no_pivot),                                     \
          "move the root instead of pivot_root(2): for a rootfs on a ramdisk" },                                \
        { 0, "no-new-keyring", OPTION_FLAG, offsetof(struct make_args, no_new_keyring),                         \
          "keep the caller's session keyring" },                                                                \
        { 0, "preserve-fds", OPTION_NUMBER, offsetof(struct make_args, preserve_fds),                           \
          "pass N descriptors, from 3 on, in addition to stdio and $LISTEN_FDS" },                              \
        { 0, "no-subreaper", OPTION_IGNORED_FLAG, 0, "we never become a subreaper" }

/* From the arguments of a call; checks the descriptors to be passed before anything is opened. */
int make_options(const struct call *call, struct container_options *ret, struct error *err) MUST_CHECK;

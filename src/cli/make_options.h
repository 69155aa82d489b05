#pragma once
/* make_options - the options that create and run have in common. */

#include "cli/command.h"
#include "runtime/container.h"

/* Those of `plan`, too. */
struct device_args {
        const char **devices, **groups, **cdi_dirs;
};

#define DEVICE_OPTIONS(type, member)                                                                            \
        { "device", 0, OPTION_LIST, offsetof(struct type, member.devices),                                      \
          "add a device: VENDOR/CLASS=NAME (CDI) or /dev/x[:PATH][:rwm]" },                                     \
        { "device-group", 0, OPTION_LIST, offsetof(struct type, member.groups),                                 \
          "add the devices of verbs, cxi, xpmem or kfd" },                                                      \
        { "cdi-dir", 0, OPTION_LIST, offsetof(struct type, member.cdi_dirs),                                    \
          "look for CDI files here (default: /etc/cdi and /var/run/cdi); the last one wins" }

/* Those of `plan` and `exec`, too. */
#define PLACE_OPTIONS(type, member)                                                                             \
        { "cpus", 0, OPTION_TEXT, offsetof(struct type, member.cpus), "run on these CPUs: 0-3,8" },             \
        { "numa", 0, OPTION_TEXT, offsetof(struct type, member.numa),                                           \
          "run on these NUMA nodes, with memory of these" },                                                    \
        { "bind", 0, OPTION_TEXT, offsetof(struct type, member.bind),                                           \
          "run on such an object: words of launch --map-by or --cpu-bind" },                                    \
        { "mem-bind", 0, OPTION_TEXT, offsetof(struct type, member.mem_bind),                                   \
          "memory: none, local, prefer, bind, interleave, weighted, map_mem:LIST, mask_mem:LIST" }

struct make_args {
        const char *bundle, *config, *pid_file, *console_socket, *pidfd_socket;
        bool no_pivot, no_new_keyring, detach, keep;
        uint32_t preserve_fds;
        struct device_args devices;
        struct place_words place;
};

#define MAKE_OPTIONS                                                                                            \
        { "bundle", 'b', OPTION_PATH, offsetof(struct make_args, bundle),                                       \
          "directory with config.json (default: the current one)" },                                            \
        { "config", 'f', OPTION_PATH, offsetof(struct make_args, config),                                       \
          "read this file instead of the bundle's config.json" },                                               \
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
        DEVICE_OPTIONS(make_args, devices), PLACE_OPTIONS(make_args, place),                                                                     \
        { "no-subreaper", 0, OPTION_IGNORED_FLAG, 0, "we never become a subreaper" }

/* Directories are made absolute: they are relative to where we were started. */
int device_options(const struct call *call, const struct device_args *args, struct device_wish *ret,
                   struct error *err) MUST_CHECK;

/* -ENOMEM. */
int place_options(const struct call *call, const struct place_words *words, struct place_options *ret,
                  struct error *err) MUST_CHECK;

/* From the arguments of a call; checks the descriptors to be passed before anything is opened. */
int make_options(const struct call *call, struct container_options *ret, struct error *err) MUST_CHECK;

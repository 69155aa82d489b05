#pragma once
/* criu_args - the options that checkpoint and restore have in common. */

#include "cli/command.h"
#include "runtime/checkpoint.h"

/* First member of the struct of either command. */
struct criu_args {
        const char *image_path, *work_path, *cgroups_mode, *network_lock;
        const char **empty_ns;
        bool tcp_established, ext_unix_sk, shell_job, file_locks, auto_dedup, lazy_pages;
};

#define CRIU_OPTIONS                                                                                            \
        { "image-path", 0, OPTION_PATH, offsetof(struct criu_args, image_path),                                 \
          "directory of the images (default: ./checkpoint)" },                                                  \
        { "work-path", 0, OPTION_PATH, offsetof(struct criu_args, work_path),                                   \
          "directory of criu's log and other files of its own (default: the image path)" },                     \
        { "tcp-established", 0, OPTION_FLAG, offsetof(struct criu_args, tcp_established),                       \
          "with open TCP connections" },                                                                        \
        { "ext-unix-sk", 0, OPTION_FLAG, offsetof(struct criu_args, ext_unix_sk),                               \
          "with unix sockets whose other end is outside" },                                                     \
        { "shell-job", 0, OPTION_FLAG, offsetof(struct criu_args, shell_job),                                   \
          "with a terminal that is the caller's" },                                                             \
        { "file-locks", 0, OPTION_FLAG, offsetof(struct criu_args, file_locks), "with locks on files" },        \
        { "manage-cgroups-mode", 0, OPTION_TEXT, offsetof(struct criu_args, cgroups_mode),                      \
          "what criu does about cgroups: soft, full, strict, ignore" },                                         \
        { "network-lock", 0, OPTION_TEXT, offsetof(struct criu_args, network_lock),                             \
          "how the network is held meanwhile: iptables, nftables, skip" },                                      \
        { "empty-ns", 0, OPTION_LIST, offsetof(struct criu_args, empty_ns),                                     \
          "a namespace to make without what was in it; \"network\" always is" },                                \
        { "auto-dedup", 0, OPTION_FLAG, offsetof(struct criu_args, auto_dedup),                                 \
          "keep memory only once in images of several checkpoints" },                                           \
        { "lazy-pages", 0, OPTION_FLAG, offsetof(struct criu_args, lazy_pages),                                 \
          "hand over memory on demand, after the restore" }

/* Must be called before the directory is changed. */
int criu_args_read(const struct call *call, const struct criu_args *args, struct criu_options *ret,
                   struct error *err) MUST_CHECK;

/* In a user namespace it may work, or not. */
void criu_args_warn(const struct call *call, const char *verb);

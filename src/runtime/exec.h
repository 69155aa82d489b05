#pragma once
/*
 * exec - a further process in a running container.
 *
 * It enters the namespaces and the cgroup of the container's first process and
 * gets what config.json says of a process, changed by the options.
 */

#include "runtime/container.h"

struct exec_options {
        const char *id;
        const char *const *args;        /* the command; NULL with process_file */
        const char *process_file;       /* a process object of the runtime specification */
        const char *apparmor, *selinux; /* instead of what config.json has; NULL: that */
        const char *cwd, *user;         /* user: "UID" or "UID:GID" */
        const char *const *env;         /* "K=V", replace what config.json has; NULL: none */
        const char *const *caps;        /* names to add; NULL: none */
        const char *const *gids;        /* to add to additionalGids; NULL: none */
        const char *const *cgroups;     /* "[CONTROLLERS:]PATH" within the container's, see cgroup_descend(); NULL: that itself */
        bool tty, detach, no_new_privs, ignore_paused;
        const struct log *log;          /* NULL: nobody listens */
        const char *pid_file, *console_socket, *pidfd_socket;
        uint32_t preserve_fds, listen_fds;
        struct place_options place;     /* within the container's */
};

/* Without `detach`, waits: `*ret_status` is 0..255, 128+n for signal n. */
int exec_run(int root_fd, const struct exec_options *opts, int *ret_status, struct error *err) MUST_CHECK;

/*
 * Change the process of `spec` (the container's config.json) to the one that is
 * to run. `ret_other`: owner of what process_file brought, to be freed with the
 * spec; untouched without one.
 */
int exec_edit_process(struct spec *spec, const struct exec_options *opts, struct spec **ret_other,
                      struct error *err) MUST_CHECK;

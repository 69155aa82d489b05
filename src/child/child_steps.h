#pragma once
/* The child's steps. Each returns 0 or a negative errno; see child.h for what
 * they may not do. A step the child never performs has no entry. */

#include <limits.h>
#include <stdbool.h>

#include "child/child.h"

/* What the steps share. Descriptors are -1 until their step was done. */
struct child {
        const struct plan *plan;
        struct instance *in;
        int sync_fd, listen_fd, alive_fd;
        struct plan_bytes own_cpus;
        size_t at;              /* the step being done */
        int root_fd;            /* the container's root, once it is mounted */
        int tree_fd;            /* a detached mount that the parent opened, for the next bind mount */
        bool undo_root;         /* its mount is in the host's namespace: to be gone if we fail while we are privileged */
        int null_fd;            /* /dev/null of the host, verified */
        int nodes_fd;           /* the directory in which several nodes are being made */
        int empty_fd;           /* an empty read-only tmpfs that masks directories */
        enum { BOUND_PLAIN, BOUND_ON_LINK, LINK_COPIED } bound;     /* what the last bind step did */
        bool cwd_done, announced;
        bool met;               /* the step itself has met the parent, which is done with its steps after it */
        char program[PATH_MAX]; /* what find-program found */
};

typedef int child_step(struct child *c, const struct step *step);


/* By enum step_op; NULL for the parent's. */
extern child_step *const child_steps[];

/* step_ns.c */
child_step child_reset_signals, child_new_session, child_cgroup_enter, child_join, child_join_process, child_become_root, child_unshare,
        child_write_time_offsets, child_fork_again, child_join_keyring, child_loopback_up, child_set_hostname, child_set_domainname;
/* step_label.c */
child_step child_exec_label;
/* step_root.c */
child_step child_host_propagation, child_open_root, child_pivot_root, child_move_root, child_chroot, child_chroot_of,
        child_root_readonly, child_root_propagation;
/* step_bind.c */
child_step child_bind;
/* step_mount.c */
child_step child_mount, child_set_attributes, child_set_propagation, child_mask_path, child_readonly_path;
/* Put a detached mount on a place in the root, which is made if it is missing; one on "/" is the root from then on.
 * Takes mount_fd. */
int child_attach(struct child *c, int mount_fd, const char *target, bool directory);
/* What is mounted at `path`; with MOUNTED_LAST, what the last bind step has mounted, which may be on a link. */
int child_open_mounted(const struct child *c, const char *path, uint64_t flags);
/* step_dev.c */
child_step child_make_directory, child_refuse_link, child_make_symlink, child_make_device, child_bind_device, child_open_store,
        child_bind_stored, child_close_store, child_open_console, child_own_null, child_write_sysctl;
/* step_hook.c */
child_step child_run_hook;
/* step_process.c */
child_step child_stdio, child_own_stdio, child_keep_cpus, child_bind_cpus, child_bind_memory, child_set_personality, child_keep_fds, child_await_start, child_limit_self, child_no_new_privs,
        child_drop_bounding, child_set_groups, child_set_ids, child_set_caps, child_set_ambient, child_set_umask,
        child_chdir, child_find_home, child_find_program, child_load_filter, child_die_with_parent, child_exec, child_fail;

/*
 * Tell the parent, and wait until it lets us go on. A parent that is gone ends
 * us. By write(2) and read(2), which hardly a filter forbids (child.c).
 */
void child_tell(const struct child *c, enum report_kind kind, int code);
void child_await_release(const struct child *c);
/* The same; the mount that comes along is tree_fd then. */
void child_await_tree(struct child *c);

/* 0: a file that may be executed (step_process.c). */
int child_try_program(const char *path);

/* Argument `n` of the step. */
static inline const char *child_string(const struct child *c, const struct step *step, unsigned n)
{
        return plan_string(c->plan, c->in, step, n);
}

static inline struct plan_bytes child_bytes(const struct child *c, const struct step *step, unsigned n)
{
        return plan_bytes(c->plan, c->in, step, n);
}

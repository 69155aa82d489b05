#pragma once
/*
 * parent - the parent's steps. For runtime/session.c and runtime/parent_*.c only.
 *
 * Each returns 0 or a negative errno. A step that knows more than its errno
 * leaves a sentence in `err`; for the others session.c writes one from the plan.
 */

#include "base/error.h"
#include "child/child.h"
#include "runtime/session.h"

typedef int parent_step(struct session *s, const struct step *step, struct error *err);

/* By enum step_op; NULL for the child's. */
extern parent_step *const parent_steps[];

/* parent_cgroup.c */
parent_step parent_cgroup_create, parent_cgroup_write, parent_cgroup_devices, parent_cgroup_entrances,
        parent_cgroup_owner, parent_unit_start, parent_unit_attach;
/* parent_resctrl.c */
parent_step parent_resctrl_open, parent_resctrl_write, parent_resctrl_monitor, parent_resctrl_enter;
/* parent_join.c */
parent_step parent_join_around, parent_join_pid_of;
/* parent_clone.c */
parent_step parent_clone, parent_write_uid_map, parent_deny_setgroups,
        parent_write_gid_map, parent_set_oom_score, parent_set_rlimit;
/* parent_netdev.c */
parent_step parent_move_net_device;
/* parent_listener.c */
parent_step parent_send_listener;
/* parent_tree.c */
parent_step parent_open_tree;
/* A bind mount's source that the child may not open; it gets the copy with its release. */
parent_step parent_help_bind;
/* parent_devices.c */
parent_step parent_device_store, parent_store_device;
/* parent_idmap.c */
parent_step parent_map_tree, parent_map_by_tool;
/* parent_process.c */
parent_step parent_set_scheduler, parent_set_io_priority, parent_run_on_cpus;
/* parent_hooks.c */
parent_step parent_write_state, parent_state_ahead, parent_hook_files, parent_hook_state, parent_hook;
/* The sentence for a hook that the child ran. `size`: of the whole record. Returns a negative errno. */
int parent_hook_ended(const struct session *s, const struct hook_end *end, size_t size, struct error *err);

/* session_log.c: what is done, to the log. Ours; the child's up to step `end`; what a report of the child's means. */
void session_tell_own(const struct session *s, size_t step);
void session_tell_child(struct session *s, size_t end);
void session_tell_report(struct session *s, const struct report *report);

/* A vector of the strings in a plan; only the vector is allocated. `first`: what argv[0] is if there is none. NULL: no
 * memory. (parent_hooks.c) */
const char **parent_vector(struct plan_bytes bytes, const char *first);

/* Go back to the namespaces that were left for the clone. */
void parent_return(struct session *s);
/* Are there namespaces that we could not come back from? Then clone_apart() is the clone. */
bool parent_joins_apart(const struct session *s);
pid_t clone_apart(struct session *s, const struct step *step) MUST_CHECK;
/* The bare clone of our child with these flags, too. Sets s->pidfd. */
pid_t clone_child(struct session *s, const struct step *step, uint64_t more) MUST_CHECK;

/* A person's sentence for a failed step (explain.c). Returns `code`. */
int explain_step(const struct session *s, size_t step, int code, struct error *err);

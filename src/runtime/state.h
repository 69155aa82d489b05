#pragma once
/*
 * state - what is remembered of a container between two calls of the program.
 *
 * Every container has a directory ROOT/ID with `state.json` (this file's
 * struct), `config.json` (a copy), and while it is created `plan` and the socket
 * `start.sock`. A job of the launcher has an entry of the same kind, so that
 * `list` shows it and `delete --force` ends it.
 *
 *      state_root_open(path, true, &root_fd, &err);
 *      struct state st = { .id = "box", .status = STATUS_CREATING, ... };
 *      state_dir_create(root_fd, &st, &dir, &err);     // -EEXIST: the id is taken
 *      ... st.status = STATUS_RUNNING; state_write(&dir, &st, &err);
 *      state_dir_remove(&dir, &err);
 *
 * Invariants:
 * 1. An entry that can be seen has a complete state.json: it is made beside, then renamed.
 * 2. Entries are opened without following links, and only if they belong to us
 *    or to root: no pid is signalled and no hook run on a stranger's word.
 * 3. Who changes an entry holds its lock; readers need none, the file is replaced at once.
 * 4. What is stored is what happened. Whether the process still lives is asked
 *    anew each time: see state_observe().
 */

#include "base/arena.h"
#include "cgroups/cgroup.h"
#include "runtime/process_ref.h"
#include "spec/spec.h"

#define STATE_ID_MAX 200        /* with its directory's temporary name below NAME_MAX */

enum state_status { STATUS_CREATING, STATUS_CREATED, STATUS_RUNNING, STATUS_PAUSED, STATUS_STOPPED, STATUSES };
enum state_kind { STATE_CONTAINER, STATE_JOB };

/* "creating", "created", ...: the words of the runtime specification. */
extern const char *const status_names[STATUSES];

struct state {
        enum state_kind kind;
        enum state_status status;       /* stored: creating, created or running */
        bool foreseen;                  /* `running` is stored, but it is still being created: state_confirm() */
        const char *id;
        const char *oci_version, *bundle, *rootfs;
        const char *created;            /* RFC 3339 with nanoseconds, UTC */
        uid_t owner;                    /* who made it */
        struct process_ref process;     /* the container's first process, or the launcher */
        struct process_ref supervisor;  /* foreground run, or the creator while creating: when it is dead too,
                                           the entry is stale. pid 0: the container stands on its own */
        bool no_pivot;
        bool shares_pids;               /* no pid namespace of its own: killing the first process is not enough */
        bool has_poststop;              /* config.json has poststop hooks */
        const struct spec_annotation *annotations;
        size_t n_annotations;
        const char *cgroup;             /* as cgroup_save() wrote it; NULL or "": none of its own */
        bool cgroup_expected;           /* not yet made for sure: where it will be, for who cleans up after us */
        const char *resctrl;            /* class of the resctrl file system; NULL or "": none */
        bool resctrl_own;               /* ... that is removed with the container, as is mon_groups/ID in it: */
        bool resctrl_monitored;
        const char *unit;               /* of systemd, whose cgroup it is; NULL or "": none */
        bool unit_user;                 /* ... of the systemd of the user */
        struct arena *arena;            /* of the strings, after state_read(); else NULL: they are borrowed */
};

#define STATE_INIT ((struct state){ 0 })
void state_clear(struct state *state);
static inline void state_clear_p(struct state *state) { state_clear(state); }
#define auto_state CLEANUP(state_clear)

/* ---- the directory (state.c) ---- */

struct state_dir {
        int root_fd;            /* borrowed */
        int fd;                 /* -1: none */
        char id[STATE_ID_MAX + 1];
};

#define STATE_DIR_INIT ((struct state_dir){ .root_fd = -1, .fd = -1 })
/* Unlock and close. */
void state_dir_clear(struct state_dir *dir);
static inline void state_dir_clear_p(struct state_dir *dir) { state_dir_clear(dir); }
#define auto_state_dir CLEANUP(state_dir_clear)

/* Whether this may be the name of a container: [A-Za-z0-9_+-][A-Za-z0-9_+.-]*. */
int state_check_id(const char *id, struct error *err) MUST_CHECK;

/* Where entries are unless the caller says otherwise: /run/berth, for others $XDG_RUNTIME_DIR/berth. */
char *state_default_root(const char *const *environ_);

/* `create`: make it (mode 0700) and its parents. Without, -ENOENT if it is not there. "/" is refused. */
int state_root_open(const char *path, bool create, int *ret_fd, struct error *err) MUST_CHECK;

/*
 * A new entry with this state, locked. -EEXIST if there is one with this id,
 * stale or not: see container_collect().
 */
int state_dir_create(int root_fd, const struct state *state, struct state_dir *ret_dir, struct error *err) MUST_CHECK;

/* An existing entry, not locked. -ENOENT "container does not exist"; -EPERM if it is a stranger's. */
int state_dir_open(int root_fd, const char *id, struct state_dir *ret_dir, struct error *err) MUST_CHECK;

/* Lock against other writers; waits up to ten seconds, then -EBUSY. -ENOENT if it was removed meanwhile. */
int state_dir_lock(struct state_dir *dir, struct error *err) MUST_CHECK;

/* Children that were cloned while we held the lock share it: closing is not enough, it has to be given back. */
void state_dir_unlock(struct state_dir *dir);

/* Remove the entry with everything in it. The lock must be held. */
int state_dir_remove(struct state_dir *dir, struct error *err) MUST_CHECK;

/* The ids of all entries, sorted, in `arena`. */
int state_ids(int root_fd, struct arena *arena, const char ***ret_ids, size_t *ret_n, struct error *err) MUST_CHECK;

/* Remove what processes left that were killed while they made or removed an entry. */
void state_sweep(int root_fd);

/* ---- the file (state_file.c) ---- */

int state_read(const struct state_dir *dir, struct state *ret_state, struct error *err) MUST_CHECK;
int state_write(const struct state_dir *dir, const struct state *state, struct error *err) MUST_CHECK;
/* The same into a directory that has no name yet. */
int state_write_first(const struct state_dir *dir, const struct state *state, struct error *err) MUST_CHECK;

/* What was foreseen is so now. One byte of the file changes: no reader sees half of it. */
int state_confirm(const struct state_dir *dir, struct state *state, struct error *err) MUST_CHECK;

/* To and from text. `name` stands for the file in errors. */
char *state_format(const struct state *state);
int state_parse(const char *text, size_t size, const char *name, struct state *ret_state, struct error *err) MUST_CHECK;

/* The time now, as `created` wants it: "2026-01-02T03:04:05.06Z". */
void state_timestamp(char *buf, size_t size);

/* ---- what is true now (state_observe.c) ---- */

struct observed {
        enum state_status status;
        bool stale;             /* nobody will come back for it: may be collected */
        int pidfd;              /* of the first process; -1 when stopped */
};

#define OBSERVED_INIT ((struct observed){ .status = STATUS_STOPPED, .pidfd = -1 })
static inline void observed_clear_p(struct observed *o) { fd_close(o->pidfd); }
#define auto_observed __attribute__((cleanup(observed_clear_p)))

/* Never fails for a process that is gone: that is `stopped`. */
int state_observe(const struct state *state, struct observed *ret, struct error *err) MUST_CHECK;

static inline bool state_has_unit(const struct state *state) { return state->unit && state->unit[0]; }

static inline bool state_has_resctrl(const struct state *state) { return state->resctrl && state->resctrl[0]; }

static inline bool state_has_cgroup(const struct state *state) { return state->cgroup && state->cgroup[0]; }

/* The container's cgroup with the directories that still exist. Fills `host`, which must outlive it. */
int state_open_cgroup(const struct state *state, struct cgroup_host *host, struct cgroup *ret_cgroup,
                      struct error *err) MUST_CHECK;

/*
 * The OCI state as JSON (runtime.md#state). With `owner` (which may be ""),
 * runc's further members too, and in runc's order.
 */
struct jot;
void state_jot(struct jot *j, const struct state *state, enum state_status status, const char *owner);

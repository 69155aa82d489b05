#pragma once
/*
 * container_parts - what the files of container.h share. For runtime/container*.c and exec*.c only.
 */

#include "cgroups/unit.h"
#include "host/host.h"
#include "runtime/console.h"
#include "runtime/container.h"
#include "runtime/session.h"

#define CONFIG_FILE "config.json"
#define PLAN_FILE "plan"
#define SOCKET_FILE "start.sock"
#define CONFIG_SIZE_MAX (16u << 20)
#define PLAN_SIZE_MAX (64u << 20)

/* An entry opened and read, with what is true of it now. */
struct found {
        struct state_dir dir;
        struct state state;
        struct observed now;
};

#define FOUND_INIT ((struct found){ .dir = STATE_DIR_INIT, .state = STATE_INIT, .now = OBSERVED_INIT })
int found_open(struct found *found, int root_fd, const char *id, bool lock, struct error *err) MUST_CHECK;
void found_clear(struct found *found);
static inline void found_clear_p(struct found *found) { found_clear(found); }
#define auto_found CLEANUP(found_clear)

/* Read the copy of config.json in an entry. */
int found_read_spec(const struct state_dir *dir, struct spec **ret_spec, struct error *err) MUST_CHECK;

/*
 * A new container: what its bundle says, and its entry in the state directory. For create, run and restore.
 *
 *      struct entry e = ENTRY_INIT;  e.opts = ...;
 *      entry_read_config(&e, &err);            // e.spec, e.host
 *      entry_wish(&e, &wish, &err);            // e.unit
 *      entry_make(&e, root_fd, &err);          // e.state, e.dir: locked
 */
struct entry {
        const struct container_options *opts;   /* borrowed */
        char *config;                   /* the text of config.json */
        size_t config_size;
        struct spec *spec;
        struct id_set own_cpus;         /* where somebody wants it to be; in the spec's arena */
        struct host host;
        struct unit unit;               /* with opts->systemd */
        const char *unit_path;          /* its cgroup; NULL: not known yet, or none */
        struct state state;
        struct state_dir dir;
        char created[40];
};
#define ENTRY_INIT ((struct entry){ .dir = STATE_DIR_INIT })
int entry_read_config(struct entry *entry, struct error *err) MUST_CHECK;
/* What the options say of the plan. */
int entry_wish(struct entry *entry, struct wish *ret, struct error *err) MUST_CHECK;
/* Under an id that is free or held by something stale only; else -EEXIST. */
int entry_make(struct entry *entry, int root_fd, struct error *err) MUST_CHECK;
void entry_clear(struct entry *entry);
static inline void entry_clear_p(struct entry *entry) { entry_clear(entry); }
#define auto_entry CLEANUP(entry_clear)

/* What the steps write-state and hook of a session need. */
struct recorder {
        const struct state_dir *dir;
        struct state *state;
        bool keeps_supervisor;  /* foreground run: the entry is stale when we are gone */
        char *cgroup;           /* of the state, once there is one; recorder_clear() frees it */
};
static inline void recorder_clear_p(struct recorder *rec) { free(rec->cgroup); }
#define auto_recorder CLEANUP(recorder_clear)
extern const struct session_ops recorder_ops;

/* In the bundle, as its hooks may expect; its output where the annotations run.oci.hooks.stdout, .stderr want it. */
void hook_place(const struct state *state, struct hook_run *hook);

/* The state for a hook's standard input; the caller frees it. */
int recorder_hook_json(const struct state *state, enum hook_kind kind, char **ret_json, struct error *err) MUST_CHECK;

/*
 * The end of a container whose first process is gone: what is left in its
 * cgroup is killed, the cgroup and the entry (locked) are removed, the poststop
 * hooks run. Goes on after a failure; the first one is returned. A hook's failure
 * is a warning only (runtime.md#lifecycle).
 */
int container_destroy(struct state_dir *dir, const struct state *state, struct cgroup *cgroup, struct error *warning,
                      struct error *err) MUST_CHECK;

/* The poststop hooks, all of them; `warning` is what the last failing one said. */
void container_poststop(const struct spec *spec, const struct state *state, struct error *warning);

/*
 * What a process gives to others, besides itself: its terminal, its pid, a
 * pidfd. Who takes them is found out before anything exists.
 */
struct handout {
        struct console console;         /* ours, when the process stays in the foreground with a terminal */
        int console_socket, pidfd_socket;
        const char *pid_file;
};
#define HANDOUT_INIT ((struct handout){ .console = CONSOLE_INIT, .console_socket = -1, .pidfd_socket = -1 })
struct handout_paths {
        const char *console_socket, *pidfd_socket, *pid_file;
};
/* Sets the size of our terminal in `process`. */
int handout_prepare(struct handout *out, const struct handout_paths *paths, struct spec_process *process,
                    bool foreground, struct error *err) MUST_CHECK;
/* Give away what others wait for; in the foreground, our terminal becomes that of the process. */
int handout_give(struct handout *out, struct session *session, struct error *err) MUST_CHECK;
void handout_clear(struct handout *out);

/* LISTEN_FDS and LISTEN_PID (sd_listen_fds(3)) for the environment; NULL-terminated. */
struct listen_env {
        char fds[32];
        const char *list[3];
};
void listen_env_set(struct listen_env *env, uint32_t listen_fds);

/*
 * A foreground run takes its container along when it is killed: the first
 * process dies with us, and with it its pid namespace. A container without one
 * has processes that nothing would end. For these (only), a small process waits
 * for our death, and does what we then cannot.
 */
struct watch {
        int pipe_fd;            /* its other end hangs up when we are gone; -1: nobody watches */
        pid_t pid;
};
#define WATCH_INIT ((struct watch){ .pipe_fd = -1 })
int watch_begin(struct watch *watch, int root_fd, const struct state_dir *dir, const struct state *state,
                struct cgroup *cgroup, struct error *err) MUST_CHECK;
/* We are there to do it ourselves. */
void watch_end(struct watch *watch);
static inline void watch_end_p(struct watch *watch) { watch_end(watch); }
#define auto_watch CLEANUP(watch_end)

/* With a container in the foreground, until it ends. */
struct stay {
        struct entry *entry;
        struct session *session;
        struct supervise *sup;
        struct console *console;        /* NULL: it has no terminal of its own */
        bool watched;                   /* somebody has to end it should we be killed */
};
int container_stay(const struct stay *stay, int root_fd, int *ret_status, struct error *warning,
                   struct error *err) MUST_CHECK;

/* Write a pid as --pid-file wants it. */
int container_write_pid(const char *path, pid_t pid, struct error *err) MUST_CHECK;

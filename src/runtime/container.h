#pragma once
/*
 * container - the verbs of an OCI runtime: create, run, start, kill, delete, ...
 *
 * Each call finds the container by its id below a state directory `root_fd`
 * (runtime/state.h), does one thing, and leaves the entry as it is now. Nothing
 * is held between calls: the next one may be another process.
 *
 * The life of a container (runtime.md#lifecycle), and who moves it on:
 *
 *      create   -> creating -> created
 *      start    -> running                     run does both
 *      pause, resume: running <-> paused       (the cgroup says so, it is not stored)
 *      the process ends -> stopped             (observed, not stored)
 *      delete   -> gone                        a foreground run does it itself
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "device/device.h"
#include "plan/compile.h"
#include "runtime/place.h"
#include "runtime/state.h"

/* How a container is to be made. Strings are borrowed; NULL where not given. */
struct container_options {
        const char *id;
        const char *bundle;             /* absolute */
        const char *config;             /* read instead of the bundle's config.json */
        const char *pid_file;           /* receives the pid in decimal */
        const char *console_socket;     /* receives the master of the terminal */
        const char *notify_socket;      /* $NOTIFY_SOCKET, of who wants to know that it is ready: runtime/notify.h */
        const char *pidfd_socket;       /* receives a pidfd of the first process */
        const struct log *log;          /* NULL: nobody listens */
        bool no_pivot, no_new_keyring;
        bool no_cgroup;                 /* stay in the caller's */
        enum rootless rootless;
        bool systemd;                   /* the cgroup is a unit's of systemd */
        bool detach;                    /* run: do not wait */
        bool keep;                      /* run: leave the stopped container */
        uint32_t preserve_fds;          /* 3 .. 3+n-1 stay open, in addition to listen_fds */
        uint32_t listen_fds;            /* socket activation (sd_listen_fds(3)): LISTEN_FDS, LISTEN_PID */
        struct device_wish devices;     /* beside those of the config */
        struct place_options place;     /* before what the config says */
        /* Told of what does not keep the container from being made. NULL: nobody wants to know. */
        void (*warn)(const void *arg, const struct error *warning);
        const void *warn_arg;
};

/* Check that descriptors 3 .. 3+n-1 are open. To be called before anything else is opened. */
int container_check_fds(uint32_t n, struct error *err) MUST_CHECK;

/*
 * Up to `created`. On failure nothing is left. A stale container of this id is collected first. `warning`: what is
 * unwise about it; code 0 if nothing.
 */
int container_create(int root_fd, const struct container_options *opts, struct error *warning,
                     struct error *err) MUST_CHECK;

/*
 * Create and start. Without `detach`, waits, forwards signals, deletes the
 * container, and `*ret_status` is 0..255, 128+n for signal n; the process dies
 * with us. `warning`: as above, or what went wrong after the process had ended; code 0 if nothing.
 */
int container_run(int root_fd, const struct container_options *opts, int *ret_status, struct error *warning,
                  struct error *err) MUST_CHECK;

/* The plan by which it would be run, or (`await_start`) created: a block for plan_open(), which the caller frees. */
int container_plan(const struct container_options *opts, bool await_start, void **ret_block, size_t *ret_size,
                   struct error *err) MUST_CHECK;

/*
 * From created to running, and (`notify_socket` not NULL) until it is ready. When it fails the container is stopped; when a hook
 * fails, it is deleted as well (runtime.md#lifecycle), and `warning` is what a
 * poststop hook then said. -ESTALE, and nothing done: another build of berth has
 * created the container; its program, container_program(), can start it.
 */
int container_start(int root_fd, const char *id, const char *notify_socket, const struct log *log, struct error *warning,
                    struct error *err) MUST_CHECK;

/* The program that a created container's process runs: the build of berth that made it. O_PATH. */
int container_program(int root_fd, const char *id, int *ret_fd, struct error *err) MUST_CHECK;

/* `all`: to every process of the cgroup, and a stopped container is no failure. */
int container_kill(int root_fd, const char *id, int sig, bool all, struct error *err) MUST_CHECK;

int container_pause(int root_fd, const char *id, struct error *err) MUST_CHECK;
int container_resume(int root_fd, const char *id, struct error *err) MUST_CHECK;

/* The processes of the container, by their pids here. None when it has stopped. The caller frees the array. */
int container_pids(int root_fd, const char *id, pid_t **ret_pids, size_t *ret_n, struct error *err) MUST_CHECK;

/*
 * Remove a stopped container (created ones are ended first); with `force` any,
 * and an absent one is fine. A job's launcher is ended with everything in its
 * cgroup. `warning`: a poststop hook that failed; code 0 if none did.
 */
int container_delete(int root_fd, const char *id, bool force, struct error *warning, struct error *err) MUST_CHECK;

/* Remove the entry if it is stale. Returns 1 if it was, 0 if it is in use. */
int container_collect(int root_fd, const char *id, struct error *err) MUST_CHECK;

/* The OCI state as JSON with runc's further members; the caller frees it. */
int container_state(int root_fd, const char *id, char **ret_json, struct error *err) MUST_CHECK;

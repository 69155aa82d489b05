#pragma once
/*
 * session - one execution of a plan, seen from outside the container.
 *
 * Owns the child and the cgroup until they are handed over: a session that is
 * cleared early kills and reaps its child and removes what it made, so no error
 * path can leave half a container behind.
 *
 *      struct session_options opts = { .host = &host };
 *      auto_session struct session s = SESSION_INIT;
 *      if (session_start(&s, &plan, &in, &opts, &err) < 0) ...
 *      pid = s.pid;  pidfd = take_fd(&s.pidfd);        // the process runs now
 *
 * A plan with an await-start step is walked in two halves, by two processes:
 * session_start() returns when the child waits there, session_resume() goes on.
 */

#include "base/cleanup.h"
#include "base/log.h"
#include "cgroups/cgroup.h"
#include "cgroups/resctrl.h"
#include "host/host.h"
#include "plan/plan.h"

#define NS_FDS_MAX 8u    /* NS_TYPES of spec.h */

struct session;
struct hook_run;

/* What a session does not know itself. Any may be NULL: then the step does nothing. */
struct session_ops {
        /* The container reached this state; s->pid is set. */
        int (*write_state)(void *arg, const struct session *s, enum plan_state state, struct error *err);
        /* The OCI state as JSON for a hook's standard input; the caller frees it. */
        int (*hook_state)(void *arg, const struct session *s, unsigned hook_kind, char **ret_json, struct error *err);
        /* Where a hook runs and where its output goes: cwd, stdout_path, stderr_path. Borrowed strings. */
        void (*hook_place)(void *arg, struct hook_run *hook);
};

struct session_options {
        const struct host *host;
        bool for_grandparent;           /* CLONE_PARENT: our parent will be the container's parent and reap it */
        bool attached;                  /* a unit-attach step brings the child into session.cgroup: it is not born there */
        const struct session_ops *ops;
        void *ops_arg;
        const struct log *log;          /* is told each step when it is done; NULL: nobody */
        int listen_fd;                  /* with await-start: the socket on which the child waits; else -1 */
        /*
         * Memory for the child's stack, SESSION_STACK_SIZE bytes aligned to 16; NULL: none. With it a privileged
         * caller without signal handlers spares the copy of its memory, where the plan lets the child run alone:
         * it stands still until exec(). The child may write to the instance.
         */
        void *stack;
        int alive_fd;                   /* for_grandparent: end of a pipe that hangs up when the grandparent dies; else -1 */
};

struct session {
        const struct plan *plan;
        struct instance *in;
        const struct session_options *opts;
        pid_t pid;
        pid_t first_pid;        /* for_grandparent: handed over to a second process, and is the grandparent's to reap; 0: none */
        int pidfd;              /* -1 before the child exists */
        int sync_fd;
        int child_sync_fd;      /* the child's end, until it is cloned */
        int console_fd;         /* master of the pty, after take-console */
        int listener_fd;        /* of the seccomp filter, until it is sent to its agent */
        int tree_fd;            /* a detached mount, until the child is given it */
        int back_fd[NS_FDS_MAX]; /* our own namespaces, to return to after the clone */
        int join_fd[NS_FDS_MAX]; /* others, to which we could go, but not return */
        const char *unit;       /* of systemd, that the plan started; borrowed from the plan; NULL: none */
        bool unit_user;         /* ... of the user's systemd */
        struct resctrl resctrl; /* as cgroup */
        struct cgroup cgroup;   /* made by the plan, or opened by the caller before session_start() (exec) */
        size_t told;            /* the child's steps before this one are in the log */
        bool running;           /* exec() happened */
        bool awaiting;          /* the child waits in await-start */
};

#define SESSION_STACK_SIZE ((size_t) 512 * 1024)

#define SESSION_INIT                                                                                            \
        ((struct session){ .pid = -1, .pidfd = -1, .sync_fd = -1, .child_sync_fd = -1, .console_fd = -1, .listener_fd = -1,        \
                           .tree_fd = -1, .back_fd = { [0 ... NS_FDS_MAX - 1] = -1 },                       \
                           .join_fd = { [0 ... NS_FDS_MAX - 1] = -1 }, .resctrl = RESCTRL_INIT,             \
                           .cgroup = CGROUP_INIT })

/*
 * Carry out the plan until the process of the container runs (or waits for
 * start). On success the caller owns session->pidfd. On failure the error tells
 * what could not be done, and nothing of the container is left.
 */
int session_start(struct session *session, const struct plan *plan, struct instance *in,
                  const struct session_options *opts, struct error *err) MUST_CHECK;

/*
 * Carry out a plan that has parent steps only (plan_compile_cgroup()). What it
 * made is the session's, and goes with session_clear().
 */
int session_prepare(struct session *session, const struct plan *plan, struct instance *in,
                    const struct session_options *opts, struct error *err) MUST_CHECK;

/*
 * Go on after await-start, as `start` does: `sync_fd` (taken) is connected to the
 * child, `pid` is its process. Parent steps that follow are done here. When
 * this fails the container's process is gone; its cgroup is the caller's.
 */
int session_resume(struct session *session, const struct plan *plan, struct instance *in,
                   const struct session_options *opts, int sync_fd, pid_t pid, struct error *err) MUST_CHECK;

/*
 * The child is the caller's now: nothing is killed or removed by session_clear().
 * With for_grandparent, a failed session leaves its killed child in pidfd for the
 * grandparent to reap.
 */
void session_release(struct session *session);

void session_clear(struct session *session);
static inline void session_clear_p(struct session *s) { session_clear(s); }
#define auto_session CLEANUP(session_clear)

#pragma once
/*
 * hook - run one OCI hook (config.md#posix-platform-hooks).
 *
 * The hook's standard input is the container's state as JSON, its directory is
 * ours (for most: the bundle). createContainer hooks run in the container's
 * namespaces, with the host's files still at "/", and begin in its root directory.
 * startContainer hooks are not run by us but by the container's process
 * (child/step_hook.c); what it tells of their end is explained here.
 */

#include <sys/types.h>

#include "base/error.h"

struct hook_run {
        const char *kind;               /* for messages, as is its place in the list of this kind, from 0 */
        unsigned number;
        const char *path;
        const char *const *argv;        /* at least one element */
        const char *const *envp;        /* NULL: ours */
        const char *cwd;                /* its directory; NULL: ours, or of the process that is entered */
        const char *stdout_path, *stderr_path;  /* appended to; NULL: kept for the message */
        unsigned timeout;               /* seconds; 0: none */
        const char *state;              /* JSON */
        int enter_pidfd;                /* enter this process's namespaces and its directory first; -1: ours */
};

/*
 * Why a hook that ended is a failure, as a sentence without the hook's kind and number. `how`: CLD_* with its status
 * or signal; 0: it did not end in its time. Returns -ECANCELED. Of the hook, only path and timeout are looked at.
 */
int hook_explain(const struct hook_run *hook, int how, int status, const char *words, struct error *err);

/* Wait for it. A non-zero status, a signal, a time-out or a failing exec is -ECANCELED and a sentence with
 * what the hook wrote to its standard error. */
int hook_run(const struct hook_run *hook, struct error *err) MUST_CHECK;

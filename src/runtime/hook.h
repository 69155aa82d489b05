#pragma once
/*
 * hook - run one OCI hook (config.md#posix-platform-hooks).
 *
 * The hook's standard input is the container's state as JSON. createContainer and startContainer hooks run in
 * the container's namespaces: for the first the host's files are still at "/",
 * for the second the container's.
 */

#include <sys/types.h>

#include "base/error.h"

struct hook_run {
        const char *kind;               /* for messages, as is its place in the list of this kind, from 0 */
        unsigned number;
        const char *path;
        const char *const *argv;        /* at least one element */
        const char *const *envp;
        unsigned timeout;               /* seconds; 0: none */
        const char *state;              /* JSON */
        int enter_pidfd;                /* enter this process's namespaces first; -1: ours */
};

/* Wait for it. A non-zero status, a signal, a time-out or a failing exec is -ECANCELED and a sentence with
 * what the hook wrote to its standard error. */
int hook_run(const struct hook_run *hook, struct error *err) MUST_CHECK;

#pragma once
/*
 * supervise - stay with a process in the foreground: forward signals to it,
 * relay its terminal, and tell how it ended.
 *
 *      uint64_t old; int sigfd;
 *      supervise_begin(&sup, &err);            // before the process exists: no signal gets lost
 *      ... start the process ...
 *      supervise_wait(&sup, pidfd, &console, &status, &err);
 *
 * Every signal that can be caught is forwarded, but: SIGCHLD (ours), SIGWINCH
 * with a terminal (it gets the new size instead), SIGPIPE (we caused it).
 */

#include <stdint.h>

#include "runtime/console.h"
#include "runtime/notify.h"

struct supervise {
        int signal_fd;
        struct notify *notify;  /* heard meanwhile; borrowed; NULL: none */
        uint64_t old_mask;
};

#define SUPERVISE_INIT ((struct supervise){ .signal_fd = -1 })

/* Block all signals and collect them. */
int supervise_begin(struct supervise *sup, struct error *err) MUST_CHECK;

/*
 * Until our child behind `pidfd` has ended. `console` NULL: it has no terminal
 * of its own. `*ret_status` is what a shell would say: 0..255, 128+n for signal n.
 */
int supervise_wait(struct supervise *sup, int pidfd, struct console *console, int *ret_status,
                   struct error *err) MUST_CHECK;

/* What of the terminal's output is still on the way, after the processes are gone. */
void supervise_drain(struct console *console);

/* Unblock what was blocked. Signals that came meanwhile have been forwarded or are dropped. */
void supervise_end(struct supervise *sup);
static inline void supervise_end_p(struct supervise *sup) { supervise_end(sup); }
#define auto_supervise CLEANUP(supervise_end)

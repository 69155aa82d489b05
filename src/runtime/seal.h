#pragma once
/*
 * seal - let nobody inside a container reach the runtime's own program file.
 *
 * An image whose program is (a link to, a script for) /proc/self/exe makes the
 * kernel execute us inside the container, with the image's libraries; root in
 * there could then open /proc/self/exe and, once no process runs it any more,
 * write to the host's file (CVE-2019-5736). So a command that leaves a container
 * behind when it ends goes on from a copy that cannot be written to: a read-only
 * mount of the file that is attached nowhere, or without the privilege for that,
 * a sealed copy in memory.
 */

#include "base/log.h"

/*
 * Does nothing if our program file cannot be written to already; otherwise
 * executes it again and does not return. To be called first in a command: all
 * descriptors that are not close-on-exec are kept, numbers included. `log` may be NULL.
 */
int seal_self(char *const argv[], const struct log *log, struct error *err) MUST_CHECK;

/* Nothing but a line in the log, for a command that has no need of it. Returns 0. */
int seal_spared(const struct log *log);

#pragma once
/*
 * holder - the process that owns what the ranks of a job share.
 *
 * It is the first process of the job's pid namespace (and owns its ipc and user
 * namespace), reaps orphans there, and does nothing else. Ranks join through
 * /proc/<pid>/ns. When it goes, the kernel kills everything in that pid
 * namespace; it goes with the launcher, however that ends.
 *
 * The ranks see it, and some may run as the user it runs as. So it gives
 * away nothing: an empty root file system, no descriptor but one, not dumpable.
 */

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "plan/compile.h"

struct holder {
        pid_t pid;              /* 0: none was needed */
        int pidfd;
        int alive_fd;           /* our end; its other end hangs up when we are gone */
        uint64_t namespaces;    /* CLONE_NEW* that it owns */
};

#define HOLDER_INIT ((struct holder){ .pidfd = -1, .alive_fd = -1 })

/* New pid, ipc and user namespaces, as far as the spec wants new ones. */
int holder_start(const struct spec *spec, const struct host *host, struct holder *ret, struct error *err) MUST_CHECK;

/* SIGKILL for it and so for everything in the pid namespace. Does not wait. */
void holder_kill(const struct holder *holder);

/* End it and wait until it, and everything in its pid namespace, is gone. */
void holder_stop(struct holder *holder);

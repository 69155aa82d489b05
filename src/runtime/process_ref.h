#pragma once
/*
 * process_ref - a process, named so that it can be written into a file.
 *
 * A number alone is not enough: after the process is gone the kernel gives its
 * pid to somebody else. Together with the time it was started (clock ticks
 * since boot, proc_pid_stat(5) field 22) it is unique until the next boot.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* pid 0: no process. */
struct process_ref {
        pid_t pid;
        uint64_t start;
};

/* The reference to a process that lives now. -ESRCH if there is none. */
int process_ref_of(pid_t pid, struct process_ref *ret) MUST_CHECK;

/* A pidfd of the process. -ESRCH if it is gone, or dead and not yet reaped. */
int process_ref_open(const struct process_ref *ref, int *ret_pidfd) MUST_CHECK;

/* The number of the process behind a pidfd, as our /proc has it; -1 if it is gone. */
pid_t process_of_pidfd(int pidfd);

/* The number of a process in its own pid namespace; `pid` itself if that cannot be found out. */
pid_t process_pid_inside(pid_t pid);

bool process_ref_alive(const struct process_ref *ref);

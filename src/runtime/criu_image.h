#pragma once
/*
 * criu_image - what we put beside criu's images, and the one thing that we change in them.
 */

#include <sys/types.h>

#include "base/error.h"
#include "base/str.h"

/*
 * descriptors.json, as runc has it: where the standard streams of process `pid`
 * lead. At a restore, pipes among them are told to criu by name, to be replaced
 * by the stream of the same number that we have then.
 */
int criu_descriptors_write(int image_fd, pid_t pid, struct error *err) MUST_CHECK;
int criu_descriptors_put(int image_fd, struct str *opts, struct error *err) MUST_CHECK;

/*
 * A container that dies with the runtime (a foreground run: prctl(2),
 * PR_SET_PDEATHSIG) is in the images as such, and criu would make it die with the
 * `restore --detach` that is its parent for a moment. How it was started is no
 * property of what is restored, so this is taken out of its first process.
 */
int criu_image_stand_alone(int image_fd, uint32_t pid, struct error *err) MUST_CHECK;
/* The number of a process in its own pid namespace, by which criu names its file; to be asked while it lives. */
int criu_own_pid(pid_t pid, uint32_t *ret, struct error *err) MUST_CHECK;

/* The file's contents: two magic numbers, then size and message, once or more often. Pure; -EBADMSG. */
int criu_image_edit(const void *data, size_t size, struct str *out) MUST_CHECK;

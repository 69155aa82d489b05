#pragma once
/*
 * io - whole reads, whole writes, whole files.
 *
 * All functions retry EINTR and short transfers. They return 0 (or a size) and
 * a negative errno on failure; the caller knows the noun and writes the sentence.
 */

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

/* Write all of it. -EPIPE and the like come back as they are. */
int io_write_all(int fd, const void *data, size_t size) MUST_CHECK;

/* Read up to `size` bytes, until EOF. Returns how many. */
ssize_t io_read_all(int fd, void *data, size_t size) MUST_CHECK;

/*
 * Read a whole file (relative to dirfd, which may be AT_FDCWD) of at most `max`
 * bytes into a NUL-terminated buffer that the caller frees. -EFBIG if larger.
 */
int io_read_file(int dirfd, const char *path, size_t max, char **ret_text, size_t *ret_size) MUST_CHECK;

/* The same from an open descriptor. */
int io_read_fd(int fd, size_t max, char **ret_text, size_t *ret_size) MUST_CHECK;

/* Write a small text into an existing file (a cgroup or /proc file) with one write(2). */
int io_write_file(int dirfd, const char *path, const char *text) MUST_CHECK;

/* Make a file that nobody looks for yet; -EEXIST if there is one. */
int io_create_file(int dirfd, const char *path, const void *data, size_t size, mode_t mode) MUST_CHECK;

/*
 * Make a file, or replace it at once: readers see the old or the new one. After a crash of the machine it may be
 * empty. Mode as given.
 */
int io_replace_file(int dirfd, const char *path, const void *data, size_t size, mode_t mode) MUST_CHECK;

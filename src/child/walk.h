#pragma once
/*
 * walk - paths below the container's root, by descriptors.
 *
 * Every path of the config is resolved by the kernel with RESOLVE_IN_ROOT:
 * whatever symbolic links the image holds, the result is inside the root. What
 * is missing is made on the way; a link to what is missing leads to where that is
 * made, inside the root. Nothing is ever opened twice by name.
 */

#include <stdbool.h>
#include <sys/types.h>

/* O_PATH descriptor of an existing `path` below root_fd, last link followed. */
int walk_open(int root_fd, const char *path);

/* The same; directories that are missing are made (0755), and at last an empty
 * file if `directory` is false. -ELOOP: links to what is missing lead in a circle. */
int walk_make(int root_fd, const char *path, bool directory);

/* The directory that holds `path`, made if missing; `*ret_name` points to the last component in `path`. -ENOENT: a link
 * on the way leads to nothing. */
int walk_parent(int root_fd, const char *path, const char **ret_name);

/* Bytes of `path` before its last component. */
size_t walk_prefix(const char *path);

/* "/proc/self/fd/N" for calls that take only a path: the link is the open file itself. */
struct fd_path {
        char text[32];
};
struct fd_path walk_fd_path(int fd);

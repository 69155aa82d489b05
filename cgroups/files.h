#pragma once
/*
 * files - the small files of a cgroup directory, and the paths below a mount.
 * Used inside this module only.
 */

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "cgroups/cgroup.h"

/* Read a file into a fixed buffer, always terminated, without the final newline. 0 or -errno; more is cut off. */
int file_read(int dirfd, const char *name, char *buf, size_t size) MUST_CHECK;

/* Whether the file has any byte at all; -errno if it cannot be read. */
int file_has_text(int dirfd, const char *name) MUST_CHECK;

/* Write where failing is no harm, or where a failure has been reported already. */
void file_try_write(int dirfd, const char *name, const char *text);

/* "key value" lines (cpu.stat, cgroup.events): the number behind `key`. -ENOENT if there is none. */
int flat_value(const char *text, const char *key, uint64_t *ret) MUST_CHECK;

/* The decimal number at `at`: a pointer behind it. NULL if there is none or it is too large; `at` may be NULL. */
const char *number_at(const char *at, uint64_t *ret);

/* Is `word` (of n characters) one of the words of `list`, which `sep` separates? */
bool list_has(const char *list, char sep, const char *word, size_t n);

/* Wait a little longer each time, from 20 us to 10 ms. False when `limit_us` microseconds are over. */
struct patience {
        unsigned int next_us;
        uint64_t waited_us;
};
#define PATIENCE_INIT ((struct patience){ .next_us = 20 })
bool patience_wait(struct patience *p, uint64_t limit_us);

/* Where the directory is, for sentences and for mkdir: "/sys/fs/cgroup/memory" + "/box". -ENAMETOOLONG. */
int path_below(const struct cgroup_hierarchy *h, const char *path, char buf[PATH_MAX]) MUST_CHECK;

/* One directory that should be there. 0 also if it is gone: then *dir stays unused. */
int open_cgroup_dir(const struct cgroup_hierarchy *h, const char *path, struct cgroup_dir *dir, struct error *err) MUST_CHECK;

/* Directories below this one? A cgroup directory has two links, and one for each child. */
bool has_children(int dirfd);

/* The names of the directories below: calls `fn` for each. The first result that is not 0 ends it. */
int each_child(int dirfd, int (*fn)(int dirfd, const char *name, void *arg), void *arg) MUST_CHECK;

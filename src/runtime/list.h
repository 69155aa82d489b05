#pragma once
/*
 * list - all containers of a state directory.
 *
 * Stale entries are collected on the way. An entry that cannot be read is left
 * out of the list and named in `skipped`.
 */

#include "base/str.h"
#include "runtime/state.h"

struct list_row {
        struct state state;
        enum state_status status;
};

struct list {
        struct list_row *rows;          /* sorted by id */
        size_t n;
        struct str skipped;             /* one sentence per line */
};

#define LIST_INIT ((struct list){ .skipped = STR_INIT })

int list_read(int root_fd, struct list *ret_list, struct error *err) MUST_CHECK;

/* As runc prints it: one line, "null" for no containers. The caller frees it. */
char *list_format(const struct list *list);

/* "root", or "#1000" if the uid has no name. */
void list_owner(uid_t uid, char *buf, size_t size);

void list_clear(struct list *list);
static inline void list_clear_p(struct list *list) { list_clear(list); }
#define auto_list CLEANUP(list_clear)

#pragma once
/*
 * loop - the one place where the launcher waits (epoll).
 *
 * A watch lives inside the thing it watches for and outlives its registration;
 * `fd` is -1 while nothing is watched. An event that was already fetched when
 * its watch was dropped is skipped for that reason.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct watch {
        int fd;
        void (*ready)(struct watch *watch, uint32_t events);
};

#define WATCH_INIT ((struct watch){ .fd = -1 })

/* The thing around a watch: watch_owner(w, struct rank, exit_watch). */
#define watch_owner(w, type, member) ((type *) (void *) ((char *) (w) - offsetof(type, member)))

struct loop {
        int fd;
};

#define LOOP_INIT ((struct loop){ .fd = -1 })

int loop_open(struct loop *loop, struct error *err) MUST_CHECK;
void loop_close(struct loop *loop);

/* `watch->fd` and `ready` are set before. -EPERM for what epoll cannot watch (regular files). */
int loop_add(struct loop *loop, struct watch *watch, uint32_t events) MUST_CHECK;
void loop_change(struct loop *loop, struct watch *watch, uint32_t events);
/* Forget it and close its descriptor. */
void loop_drop(struct loop *loop, struct watch *watch);

/* Wait for events and call `ready` for each. 0, or -errno. */
int loop_once(struct loop *loop) MUST_CHECK;

#pragma once
/*
 * oom - to be told when a cgroup runs out of memory.
 *
 *      struct oom_watch w;
 *      if (oom_watch_open(&cgroup, &w, &err) == 0) {
 *              poll({ .fd = w.fd, .events = POLLIN });         // something happened, maybe that
 *              if (oom_watch_happened(&w)) ...
 *
 * v1: an eventfd registered in cgroup.event_control (Documentation/admin-guide/cgroup-v1/memory.rst, "OOM Control").
 * v2: inotify(7) on memory.events, where the kernel counts the processes it killed.
 */

#include "cgroups/cgroup.h"

struct oom_watch {
        int fd;                 /* to poll for POLLIN; -1: not open */
        int file_fd;            /* memory.oom_control or memory.events */
        bool v2;
        uint64_t seen;          /* v2: what was counted before */
};

#define OOM_WATCH_INIT ((struct oom_watch){ .fd = -1, .file_fd = -1 })

/* -EOPNOTSUPP: the cgroup has no memory controller. */
int oom_watch_open(const struct cgroup *cgroup, struct oom_watch *ret, struct error *err) MUST_CHECK;

/* Whether it happened since the last call. The end of the cgroup, which also wakes a v1 watch, is none. */
bool oom_watch_happened(struct oom_watch *watch);

void oom_watch_close(struct oom_watch *watch);
static inline void oom_watch_close_p(struct oom_watch *watch) { oom_watch_close(watch); }
#define auto_oom_watch CLEANUP(oom_watch_close)

#pragma once
/*
 * events - what a container uses, and when it runs out of memory, as lines of JSON.
 *
 * The lines are those of runc: {"type":"stats","id":ID,"data":{...}} and
 * {"type":"oom","id":ID}. A job of the launcher counts as one container.
 */

#include "base/error.h"
#include "cgroups/resctrl.h"
#include "cgroups/stats.h"

/* One line of stats, without its end; the caller frees it. -ESRCH: not running; -EOPNOTSUPP: no cgroup of its own. */
int events_stats(int root_fd, const char *id, char **ret_line, struct error *err) MUST_CHECK;

/* Gets each line, without its end. A result that is not 0 ends events_follow(), which returns it. */
typedef int events_fn(void *arg, const char *line, struct error *err);

/* Stats whenever the interval is over, and notices of OOM; until the container ends. Errors as above. */
int events_follow(int root_fd, const char *id, uint64_t interval_ns, events_fn *fn, void *arg,
                  struct error *err) MUST_CHECK;

/* The line of stats alone; pure. `rdt` NULL: no class of resctrl. NULL: no memory. */
char *events_format(const char *id, const struct cgroup_stats *stats, const struct resctrl_stats *rdt);

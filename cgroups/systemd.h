#pragma once
/*
 * systemd - what is asked of systemd over its bus, for the cgroups of containers (org.freedesktop.systemd1(5)).
 *
 * libsystemd is loaded when one of these is called (dlopen(3)), and only then; without it, or built without its
 * headers, they fail with -EOPNOTSUPP. Each call connects for itself: to systemd's own socket where it lets us, which
 * needs no bus daemon, else to the bus. All functions: 0 or a negative errno, and the sentence in `err`.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "base/arena.h"
#include "cgroups/cgroup.h"

/* Whether this program has it built in. */
bool systemd_built(void);

/* Whose systemd is to be asked: true for the caller's own (systemd --user), false for the machine's. */
bool systemd_is_users(void);

/*
 * Start a transient unit (cgroups/unit.h) with these properties, and wait until it is there, 30 seconds at most. A
 * scope begins with the process `pid`; a slice takes none. `*ret_path`: the unit's cgroup, "/system.slice/x.scope",
 * malloc()ed. -EEXIST: there is a unit of this name, and it is not just a failed one. On failure there is no unit.
 */
struct systemd_start {
        const char *unit;
        bool user;                              /* of the caller's own systemd */
        const char *const *properties;
        pid_t pid;
        const struct cgroup_host *host;         /* where to look for processes of a unit that is there already */
};
int systemd_start(const struct systemd_start *start, char **ret_path, struct error *err) MUST_CHECK;

/* Change properties, until the unit ends. `warning` (or NULL): what this systemd is too old for; code 0: nothing. */
int systemd_change(const char *unit, bool user, const char *const *properties, struct error *warning,
                   struct error *err) MUST_CHECK;

/* Move a process into the unit, or a cgroup within ("/sub"; "": itself), where we may not do it ourselves: from one part of the tree to another as a user. */
int systemd_attach(const char *unit, bool user, const char *within, pid_t pid, struct error *err) MUST_CHECK;

/* End a unit, and forget that it failed. One that is gone is fine. */
int systemd_stop(const char *unit, bool user, struct error *err) MUST_CHECK;

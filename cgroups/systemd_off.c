/* Built without libsystemd's headers. */
#include "cgroups/systemd.h"

#include <errno.h>

static int without(struct error *err)
{
        return error_say(err, -EOPNOTSUPP, "--systemd-cgroup: this program was built without libsystemd");
}

bool systemd_built(void) { return false; }

bool systemd_is_users(void) { return false; }

int systemd_start(const struct systemd_start *start, char **ret_path, struct error *err)
{
        (void) start, (void) ret_path;
        return without(err);
}

int systemd_change(const char *unit, bool user, const char *const *properties, struct error *warning, struct error *err)
{
        (void) unit, (void) user, (void) properties, (void) warning;
        return without(err);
}

int systemd_attach(const char *unit, bool user, const char *within, pid_t pid, struct error *err)
{
        (void) unit, (void) user, (void) within, (void) pid;
        return without(err);
}

int systemd_stop(const char *unit, bool user, struct error *err)
{
        (void) unit, (void) user;
        return without(err);
}

#include "cgroups/systemd_bus.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

#define LIBRARY "libsystemd.so.0"

static int load(struct bus *bus, struct error *err)
{
        bus->library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
        if (!bus->library) {
                const char *why = dlerror();
                return error_say(err, -EOPNOTSUPP, "--systemd-cgroup needs libsystemd: %s", why ? why : LIBRARY);
        }
#define LOAD(name)                                                                                              \
        *(void **) &bus->name = dlsym(bus->library, "sd_bus_" #name);                                           \
        if (!bus->name)                                                                                         \
                return error_say(err, -EOPNOTSUPP, "--systemd-cgroup: " LIBRARY " has no sd_bus_" #name);
        BUS_FUNCTIONS(LOAD)
#undef LOAD
        return 0;
}

/* An address of D-Bus: what is not plain is written as %xx. */
static char *address_of(const char *path)
{
        auto_str struct str s = STR_INIT;
        str_add(&s, "unix:path=");
        for (; *path; path++)
                if (strchr("-_/.\\*", *path) || (*path >= '0' && *path <= '9') || (*path >= 'a' && *path <= 'z') ||
                    (*path >= 'A' && *path <= 'Z'))
                        str_addn(&s, path, 1);
                else
                        str_addf(&s, "%%%02x", (unsigned char) *path);
        return str_take(&s);
}

/* systemd's own socket: a connection without a bus between. */
static int open_private(struct bus *bus, const char *path)
{
        auto_free char *address = address_of(path);
        if (!address)
                return -ENOMEM;
        sd_bus *b = NULL;
        int r = bus->new(&b);
        if (r >= 0)
                r = bus->set_address(b, address);
        if (r >= 0)
                r = bus->start(b);
        if (r < 0) {
                (void) bus->flush_close_unref(b); /* returns NULL */
                return r;
        }
        bus->connection = b;
        return 0;
}

/* On a bus, signals are sent only to who asked for them. */
static int subscribe(struct bus *bus)
{
        return bus->call_method(bus->connection, BUS_SERVICE, BUS_PATH, BUS_MANAGER, "Subscribe", NULL, NULL, "");
}

int bus_open(struct bus *bus, bool user, struct error *err)
{
        const char *dir = getenv("XDG_RUNTIME_DIR");
        char path[256] = "/run/systemd/private";
        int r = load(bus, err);
        if (r < 0)
                return r;
        if (user)
                (void) snprintf(path, sizeof(path), "%s/systemd/private", dir ? dir : ""); /* cut off: not found */
        r = user && !dir ? -ENOENT : !user && geteuid() != 0 ? -EACCES : open_private(bus, path);
        if (r >= 0)
                return 0;
        int own = r;
        r = user ? bus->open_user(&bus->connection) : bus->open_system(&bus->connection);
        if (r >= 0)
                r = subscribe(bus);
        if (r >= 0)
                return 0;
        if (user && !dir)
                return error_say(err, r, "--systemd-cgroup: there is no way to your systemd: XDG_RUNTIME_DIR is not set "
                                 "(log in, or loginctl enable-linger)");
        return error_set(err, own, "--systemd-cgroup: there is no systemd to ask for a cgroup (%s%s): \"%s\"",
                         user ? "of your own, systemd --user" : "as the init of this machine",
                         user ? "" : "; leave the option out", path);
}

void bus_close(struct bus *bus)
{
        if (bus->connection)
                (void) bus->flush_close_unref(bus->connection); /* returns NULL */
        if (bus->library)
                (void) dlclose(bus->library); /* nothing to be done about a failure */
        *bus = BUS_INIT;
}

int bus_method(struct bus *bus, const char *method, sd_bus_message **ret, struct error *err)
{
        int r = bus->message_new_method_call(bus->connection, ret, BUS_SERVICE, BUS_PATH, BUS_MANAGER, method);
        return r < 0 ? error_set(err, r, "write a message to systemd (%s)", method) : 0;
}

int bus_call(struct bus *bus, sd_bus_message *m, sd_bus_message **ret_answer, struct bus_failure *ret_failure)
{
        sd_bus_error error = SD_BUS_ERROR_NULL;
        int r = bus->call(bus->connection, m, 0, &error, ret_answer);
        (void) bus->message_unref(m); /* returns NULL */
        if (r < 0) {
                (void) snprintf(ret_failure->name, sizeof(ret_failure->name), "%s", error.name ? error.name : "");
                (void) snprintf(ret_failure->text, sizeof(ret_failure->text), "%s",
                                error.message ? error.message : strerror(-r));
        }
        bus->error_free(&error);
        return r < 0 ? r : 0;
}

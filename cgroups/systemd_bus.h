#pragma once
/* systemd_bus - libsystemd, loaded when it is needed, and a connection to a systemd. For systemd*.c only. */

#include <systemd/sd-bus.h>

#include "base/cleanup.h"
#include "base/error.h"

#define BUS_SERVICE "org.freedesktop.systemd1"
#define BUS_PATH    "/org/freedesktop/systemd1"
#define BUS_MANAGER "org.freedesktop.systemd1.Manager"

/* The functions of sd-bus that we call; names without "sd_bus_". All are in libsystemd 221 (2015) and newer. */
#define BUS_FUNCTIONS(F)                                                                                        \
        F(new) F(set_address) F(start) F(open_system) F(open_user) F(flush_close_unref) F(call) F(process) F(wait) \
        F(call_method) F(match_signal) F(error_free) F(get_property_string) F(path_encode)                      \
        F(message_new_method_call) F(message_append_basic) F(message_open_container) F(message_close_container) \
        F(message_read_basic) F(message_unref)

#define BUS_MEMBER(name) __typeof__(&sd_bus_##name) name;
struct bus {
        void *library;
        sd_bus *connection;
        BUS_FUNCTIONS(BUS_MEMBER)
};
#undef BUS_MEMBER

#define BUS_INIT ((struct bus){ 0 })

/* To systemd's own socket or, where that is not ours to use, to the bus. */
int bus_open(struct bus *bus, bool user, struct error *err) MUST_CHECK;
void bus_close(struct bus *bus);
static inline void bus_close_p(struct bus *bus) { bus_close(bus); }
#define auto_bus CLEANUP(bus_close)

/* A method of the manager, without its arguments. */
int bus_method(struct bus *bus, const char *method, sd_bus_message **ret, struct error *err) MUST_CHECK;

/* Send it (it is released) and wait for the answer; `ret_answer` NULL: nobody wants it. A failure is told by its name
 * ("org.freedesktop.systemd1.UnitExists"; "" if systemd has not even heard us) and systemd's words. */
struct bus_failure {
        char name[96];
        char text[400];
};
int bus_call(struct bus *bus, sd_bus_message *m, sd_bus_message **ret_answer, struct bus_failure *ret_failure) MUST_CHECK;

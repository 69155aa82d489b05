#include "cgroups/systemd.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"
#include "cgroups/files.h"
#include "cgroups/systemd_bus.h"
#include "cgroups/unit.h"
#include "cgroups/variant.h"

#define WAIT_US UINT64_C(30000000)      /* for a job */
#define ERROR_OF BUS_SERVICE "."

bool systemd_built(void) { return true; }

/*
 * Root of a user namespace is a user for the systemd outside, whose socket belongs to nobody it knows; in a machine
 * container whose systemd it is the root of, it is not.
 */
bool systemd_is_users(void)
{
        struct stat st;
        if (geteuid() != 0)
                return true;
        return stat("/run/systemd/private", &st) == 0 && st.st_uid != 0;
}

/* ---- properties into messages ---- */

/* NOLINTNEXTLINE(misc-no-recursion): as deep as variant_parse() lets it be */
static int append_variant(struct bus *bus, sd_bus_message *m, const struct variant *v)
{
        uint8_t byte = (uint8_t) v->number;
        int16_t n16 = (int16_t) v->number;
        int32_t n32 = (int32_t) v->number;
        int r;
        switch (v->type) {
        case 'y':
                return bus->message_append_basic(m, 'y', &byte);
        case 'n':
        case 'q':
                return bus->message_append_basic(m, v->type, &n16);
        case 'b':
        case 'i':
        case 'u':
                return bus->message_append_basic(m, v->type, &n32);
        case 'x':
                return bus->message_append_basic(m, 'x', &v->number);
        case 't':
                return bus->message_append_basic(m, 't', &v->large);
        case 'd':
                return bus->message_append_basic(m, 'd', &v->fraction);
        case 's':
        case 'o':
        case 'g':
                return bus->message_append_basic(m, v->type, v->text);
        default:
                break;
        }
        /* What is in it: "a(ss)" has "(ss)", "(ss)" has "ss", a variant what it has. */
        char inside[256];
        size_t n = strlen(v->signature);
        (void) snprintf(inside, sizeof(inside), "%.*s", (int) (v->type == 'r' ? n - 2 : n - 1), v->signature + 1);
        r = bus->message_open_container(m, v->type, v->type == 'v' ? v->items[0].signature : inside);
        for (size_t i = 0; r >= 0 && i < v->n; i++)
                r = append_variant(bus, m, &v->items[i]);
        return r < 0 ? r : bus->message_close_container(m);
}

/* (sv) */
static int append_property(struct bus *bus, sd_bus_message *m, const char *name, const struct variant *v)
{
        int r = bus->message_open_container(m, 'r', "sv");
        if (r >= 0)
                r = bus->message_append_basic(m, 's', name);
        const struct variant boxed = { .type = 'v', .signature = "v", .items = (struct variant *) (uintptr_t) v, .n = 1 };
        if (r >= 0)
                r = append_variant(bus, m, &boxed);
        return r < 0 ? r : bus->message_close_container(m);
}

/* "252.39-1" or "v255": 0 if it cannot be asked. */
static unsigned version_of(struct bus *bus)
{
        char *text = NULL;
        unsigned version = 0;
        if (bus->get_property_string(bus->connection, BUS_SERVICE, BUS_PATH, BUS_MANAGER, "Version", NULL, &text) < 0)
                return 0;
        for (const char *at = text + (*text == 'v'); *at >= '0' && *at <= '9' && version < 100000; at++)
                version = version * 10 + (unsigned) (*at - '0');
        free(text);
        return version;
}

struct properties {
        struct arena *arena;
        unsigned version;       /* asked when a property depends on it; 0: not yet */
        struct error *warning;  /* of what is left out; may be NULL */
};

/* "Name=value", "Name@253=value". */
static int append_text(struct bus *bus, sd_bus_message *m, struct properties *p, const char *property, struct error *err)
{
        size_t n = strcspn(property, "=@");
        const char *equals = strchr(property, '=');
        const char *name = arena_strndup(p->arena, property, n);
        struct variant v;
        if (!name || !equals)
                return error_set(err, name ? -EINVAL : -ENOMEM, "set the property \"%s\"", property);
        if (property[n] == '@') {
                uint32_t since = 0;
                const char *text = arena_strndup(p->arena, property + n + 1, (size_t) (equals - property) - n - 1);
                if (!text || parse_u32(text, &since) < 0)
                        return error_set(err, -EINVAL, "set the property \"%s\"", property);
                p->version = p->version ? p->version : version_of(bus);
                if (p->version < since) {
                        (void) error_say(p->warning, -EOPNOTSUPP, "systemd v%u is too old to support %s (setting will still be "
                                         "applied to the cgroup)", p->version, name);
                        return 0;
                }
        }
        int r = variant_parse(equals + 1, p->arena, &v, err);
        if (r < 0)
                return error_wrap(err, "property %s", name);
        r = append_property(bus, m, name, &v);
        return r < 0 ? error_set(err, r, "set the property \"%s\"", property) : 0;
}

static int append_all(struct bus *bus, sd_bus_message *m, const struct systemd_start *what, struct error *warning,
                      struct error *err)
{
        auto_arena struct arena *arena = arena_new();
        struct properties p = { .arena = arena, .warning = warning };
        const char *const *properties = what->properties;
        pid_t pid = what->pid;
        struct variant one = { .type = 'u', .signature = "u", .number = pid };
        const struct variant pids = { .type = 'a', .signature = "au", .items = &one, .n = 1 };
        int r = arena ? bus->message_open_container(m, 'a', "(sv)") : -ENOMEM;
        if (r < 0)
                return error_set(err, r, "write a message to systemd");
        r = 0;
        for (; r == 0 && *properties; properties++)
                r = append_text(bus, m, &p, *properties, err);
        if (r < 0)
                return r;
        if (pid > 0)
                r = append_property(bus, m, "PIDs", &pids);
        if (r >= 0)
                r = bus->message_close_container(m);
        return r < 0 ? error_set(err, r, "write a message to systemd") : 0;
}

/* ---- jobs ---- */

struct job {
        struct bus *bus;
        char path[128];         /* of the object, from the answer to what began it */
        char result[32];        /* "" while it lasts; "done", "failed", "timeout", ... */
};

/* JobRemoved(u id, o job, s unit, s result) */
static int job_removed(sd_bus_message *m, void *arg, sd_bus_error *error)
{
        struct job *job = arg;
        uint32_t id = 0;
        const char *path = NULL, *unit = NULL, *result = NULL;
        (void) error;
        const struct bus *bus = job->bus;
        if (bus->message_read_basic(m, 'u', &id) >= 0 && bus->message_read_basic(m, 'o', &path) >= 0 &&
            bus->message_read_basic(m, 's', &unit) >= 0 && bus->message_read_basic(m, 's', &result) >= 0 &&
            strcmp(path, job->path) == 0)
                (void) snprintf(job->result, sizeof(job->result), "%s", result); /* all known ones are short */
        return 0;
}

/* Before the job exists, so that its end is not missed. Asks the bus daemon, where there is one. */
static int watch_jobs(struct job *job, struct error *err)
{
        struct bus *bus = job->bus;
        int r = bus->match_signal(bus->connection, NULL, NULL, BUS_PATH, BUS_MANAGER, "JobRemoved", job_removed, job);
        return r < 0 ? error_set(err, r, "listen to systemd") : 0;
}

static uint64_t now_us(void)
{
        struct timespec t;
        (void) clock_gettime(CLOCK_MONOTONIC, &t); /* cannot fail */
        return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

static int wait_job(struct job *job)
{
        struct bus *bus = job->bus;
        uint64_t end = now_us() + WAIT_US;
        while (!job->result[0]) {
                uint64_t now = now_us();
                int r = bus->process(bus->connection, NULL);
                if (r == 0)
                        r = now >= end ? -ETIMEDOUT : bus->wait(bus->connection, end - now);
                if (r < 0 && r != -EINTR)
                        return r;
        }
        return 0;
}

/* Send what begins a job, and wait for its end. */
static int run_job(struct job *job, sd_bus_message *m, struct bus_failure *failure)
{
        struct bus *bus = job->bus;
        sd_bus_message *answer = NULL;
        const char *path = NULL;
        job->result[0] = '\0';
        int r = bus_call(bus, m, &answer, failure);
        if (r == 0 && bus->message_read_basic(answer, 'o', &path) >= 0)
                (void) snprintf(job->path, sizeof(job->path), "%s", path); /* 36 characters */
        if (answer)
                (void) bus->message_unref(answer); /* returns NULL */
        if (r < 0)
                return r;
        r = wait_job(job);
        if (r < 0)
                (void) snprintf(failure->text, sizeof(failure->text), "%s",
                                r == -ETIMEDOUT ? "no end of its job in 30 seconds" : strerror(-r));
        return r;
}

/* ---- the verbs ---- */

/* Forget that it failed: a failed unit keeps its name. That it never failed, or is gone, is as well. */
static void reset_failed(struct bus *bus, const char *unit)
{
        ignore_result(bus->call_method(bus->connection, BUS_SERVICE, BUS_PATH, BUS_MANAGER, "ResetFailedUnit", NULL,
                                       NULL, "s", unit));
}

static int write_start(struct bus *bus, const struct systemd_start *start, sd_bus_message **ret, struct error *err)
{
        sd_bus_message *m = NULL;
        int r = bus_method(bus, "StartTransientUnit", &m, err);
        if (r < 0)
                return r;
        r = bus->message_append_basic(m, 's', start->unit);
        if (r >= 0)
                r = bus->message_append_basic(m, 's', "replace");
        r = r < 0 ? error_set(err, r, "write a message to systemd") : append_all(bus, m, start, NULL, err);
        if (r == 0)
                r = bus->message_open_container(m, 'a', "(sa(sv))"); /* auxiliary units: none */
        if (r >= 0)
                r = bus->message_close_container(m);
        if (r < 0) {
                (void) bus->message_unref(m); /* returns NULL */
                return r;
        }
        *ret = m;
        return 0;
}

/* Where systemd put it; below the cgroup that systemd itself began in. */
static int ask_path(struct bus *bus, const char *unit, char **ret_path, struct error *err)
{
        char *object = NULL, *path = NULL;
        const char *interface = unit_is_slice(unit) ? BUS_SERVICE ".Slice" : BUS_SERVICE ".Scope";
        int r = bus->path_encode(BUS_PATH "/unit", unit, &object);
        if (r >= 0)
                r = bus->get_property_string(bus->connection, BUS_SERVICE, object, interface, "ControlGroup", NULL, &path);
        free(object);
        if (r >= 0 && (!path || path[0] != '/')) {
                free(path);
                return error_say(err, -ENOENT, "systemd unit \"%s\" has no cgroup: its process has ended", unit);
        }
        if (r < 0)
                return error_set(err, r, "ask systemd for the cgroup of unit \"%s\"", unit);
        *ret_path = path;
        return 0;
}

#define START_TRIES 20
#define START_PAUSE_NS (100L * 1000 * 1000)

static int explain_start(const char *unit, int r, const struct bus_failure *why, struct error *err)
{
        if (strcmp(why->name, ERROR_OF "UnitExists") == 0)
                return error_say(err, -EEXIST,
                                 "container's cgroup is not empty: systemd has a unit \"%s\" already: choose another name in "
                                 "linux.cgroupsPath, or stop it (systemctl stop %s)", unit, unit);
        return error_say(err, r, "start systemd unit \"%s\": %s", unit, why->text);
}

/* Does a process hold the unit? Its cgroup is in v2's hierarchy, or in that of systemd itself. */
static bool has_processes(struct bus *bus, const struct systemd_start *start)
{
        auto_free char *path = NULL;
        bool any = false;
        if (ask_path(bus, start->unit, &path, NULL) < 0)
                return false;
        for (size_t i = 0; i < start->host->n; i++) {
                const struct cgroup_hierarchy *h = &start->host->h[i];
                char dir[PATH_MAX];
                if ((!h->v2 && strcmp(h->controllers, "name=systemd") != 0) || path_below(h, path, dir) < 0)
                        continue;
                auto_fd int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
                any = any || (fd >= 0 && file_has_text(fd, "cgroup.procs") > 0);
        }
        return any;
}

int systemd_start(const struct systemd_start *start, char **ret_path, struct error *err)
{
        const char *unit = start->unit;
        bool user = start->user;
        struct systemd_start what = *start;
        if (unit_is_slice(unit))
                what.pid = 0;
        auto_bus struct bus bus = BUS_INIT;
        struct job job = { .bus = &bus };
        struct bus_failure why = { 0 };
        int r = bus_open(&bus, user, err);
        if (r == 0)
                r = watch_jobs(&job, err);
        for (int tries = 0; r == 0 && tries < START_TRIES; tries++) {
                sd_bus_message *m = NULL;
                r = write_start(&bus, &what, &m, err);
                if (r < 0 || !m)
                        return r;
                why = (struct bus_failure){ 0 };
                r = run_job(&job, m, &why);
                if (r == 0 || tries + 1 == START_TRIES || strcmp(why.name, ERROR_OF "UnitExists") != 0 ||
                    unit_is_slice(unit) || has_processes(&bus, &what))
                        break;
                /* A failed one that was left, or one whose starter was killed: systemd learns late that it is empty. */
                reset_failed(&bus, unit);
                ignore_result(systemd_stop(unit, user, NULL)); /* the next try tells */
                (void) nanosleep(&(struct timespec){ .tv_nsec = START_PAUSE_NS }, NULL); /* a shorter pause is fine */
                r = 0;
        }
        if (r < 0)
                return why.text[0] ? explain_start(unit, r, &why, err) : r;
        if (strcmp(job.result, "done") != 0) {
                reset_failed(&bus, unit);
                return error_say(err, -ECANCELED, "start systemd unit \"%s\": systemd says \"%s\" (see its log)", unit,
                                 job.result);
        }
        r = ask_path(&bus, unit, ret_path, err);
        if (r < 0)
                ignore_result(systemd_stop(unit, user, NULL)); /* the failure is already known */
        return r;
}

int systemd_change(const char *unit, bool user, const char *const *properties, struct error *warning, struct error *err)
{
        const struct systemd_start what = { .unit = unit, .user = user, .properties = properties };
        auto_bus struct bus bus = BUS_INIT;
        struct bus_failure why = { 0 };
        sd_bus_message *m = NULL;
        const int runtime = 1; /* not on disk */
        int r = bus_open(&bus, user, err);
        if (r == 0)
                r = bus_method(&bus, "SetUnitProperties", &m, err);
        if (r < 0)
                return r;
        r = bus.message_append_basic(m, 's', unit);
        if (r >= 0)
                r = bus.message_append_basic(m, 'b', &runtime);
        r = r < 0 ? error_set(err, r, "write a message to systemd") : append_all(&bus, m, &what, warning, err);
        if (r < 0) {
                (void) bus.message_unref(m); /* returns NULL */
                return r;
        }
        r = bus_call(&bus, m, NULL, &why);
        return r < 0 ? error_say(err, r, "set properties of systemd unit \"%s\": %s", unit, why.text) : 0;
}

int systemd_attach(const char *unit, bool user, const char *within, pid_t pid, struct error *err)
{
        auto_bus struct bus bus = BUS_INIT;
        struct bus_failure why = { 0 };
        sd_bus_message *m = NULL;
        struct variant one = { .type = 'u', .signature = "u", .number = pid };
        const struct variant pids = { .type = 'a', .signature = "au", .items = &one, .n = 1 };
        int r = bus_open(&bus, user, err);
        if (r == 0)
                r = bus_method(&bus, "AttachProcessesToUnit", &m, err);
        if (r < 0)
                return r;
        r = bus.message_append_basic(m, 's', unit);
        if (r >= 0)
                r = bus.message_append_basic(m, 's', within);
        if (r >= 0)
                r = append_variant(&bus, m, &pids);
        if (r < 0) {
                (void) bus.message_unref(m); /* returns NULL */
                return error_set(err, r, "write a message to systemd");
        }
        r = bus_call(&bus, m, NULL, &why);
        return r < 0 ? error_say(err, r, "enter systemd unit \"%s\": %s", unit, why.text) : 0;
}

int systemd_stop(const char *unit, bool user, struct error *err)
{
        auto_bus struct bus bus = BUS_INIT;
        struct job job = { .bus = &bus };
        struct bus_failure why = { 0 };
        sd_bus_message *m = NULL;
        int r = bus_open(&bus, user, err);
        if (r == 0)
                r = watch_jobs(&job, err);
        if (r == 0)
                r = bus_method(&bus, "StopUnit", &m, err);
        if (r < 0)
                return r;
        r = bus.message_append_basic(m, 's', unit);
        if (r >= 0)
                r = bus.message_append_basic(m, 's', "replace");
        if (r < 0) {
                (void) bus.message_unref(m); /* returns NULL */
                return error_set(err, r, "write a message to systemd");
        }
        r = run_job(&job, m, &why);
        if (strcmp(why.name, ERROR_OF "NoSuchUnit") == 0)
                return 0;
        reset_failed(&bus, unit);
        return r < 0 ? error_say(err, r, "stop systemd unit \"%s\": %s", unit, why.text) : 0;
}

#include "runtime/state.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "runtime/jot.h"

#define STATE_VERSION 1
#define STATE_FILE "state.json"
#define STATE_SIZE_MAX (16u << 20)
/* How the file begins if its state is foreseen; a digit follows. */
#define FORESEEN "{\n \"foreseen\": "

static const char *const kind_names[] = { [STATE_CONTAINER] = "container", [STATE_JOB] = "job" };

static void put_ref(struct jot *j, const char *key, const struct process_ref *ref)
{
        jot_open(j, key, '{');
        jot_number(j, "pid", ref->pid);
        jot_number(j, "start", (int64_t) ref->start);
        jot_close(j, '}');
}

static void put_annotations(struct jot *j, const struct state *state)
{
        jot_open(j, "annotations", '{');
        for (size_t i = 0; i < state->n_annotations; i++)
                jot_text(j, state->annotations[i].key, state->annotations[i].value);
        jot_close(j, '}');
}

static void put_resctrl(struct jot *j, const struct state *state)
{
        if (!state_has_resctrl(state))
                return;
        jot_open(j, "resctrl", '{');
        jot_text(j, "class", state->resctrl);
        jot_bool(j, "own", state->resctrl_own);
        jot_bool(j, "monitored", state->resctrl_monitored);
        jot_close(j, '}');
}

char *state_format(const struct state *state)
{
        auto_jot struct jot j = JOT_INIT(1);
        jot_open(&j, NULL, '{');
        if (state->foreseen)
                jot_number(&j, "foreseen", 1);
        jot_number(&j, "version", STATE_VERSION);
        jot_text(&j, "kind", kind_names[state->kind]);
        jot_text(&j, "id", state->id);
        jot_text(&j, "status", status_names[state->status]);
        jot_text(&j, "ociVersion", state->oci_version ? state->oci_version : "");
        jot_text(&j, "bundle", state->bundle ? state->bundle : "");
        jot_text(&j, "rootfs", state->rootfs ? state->rootfs : "");
        jot_text(&j, "created", state->created ? state->created : "");
        jot_number(&j, "owner", state->owner);
        put_ref(&j, "process", &state->process);
        put_ref(&j, "supervisor", &state->supervisor);
        jot_bool(&j, "noPivot", state->no_pivot);
        jot_bool(&j, "sharesPids", state->shares_pids);
        jot_bool(&j, "hasPoststop", state->has_poststop);
        put_annotations(&j, state);
        jot_text(&j, "cgroup", state->cgroup ? state->cgroup : "");
        jot_bool(&j, "cgroupExpected", state->cgroup_expected);
        put_resctrl(&j, state);
        jot_text(&j, "systemdUnit", state->unit ? state->unit : "");
        jot_bool(&j, "systemdUser", state->unit_user);
        jot_close(&j, '}');
        return jot_take(&j);
}

int state_write_first(const struct state_dir *dir, const struct state *state, struct error *err)
{
        auto_free char *text = state_format(state);
        int r = text ? io_create_file(dir->fd, STATE_FILE, text, strlen(text), 0600) : -ENOMEM;
        return r < 0 ? error_set(err, r, "write state of container \"%s\"", state->id) : 0;
}

int state_write(const struct state_dir *dir, const struct state *state, struct error *err)
{
        auto_free char *text = state_format(state);
        int r = text ? io_replace_file(dir->fd, STATE_FILE, text, strlen(text), 0600) : -ENOMEM;
        return r < 0 ? error_set(err, r, "write state of container \"%s\"", state->id) : 0;
}

int state_confirm(const struct state_dir *dir, struct state *state, struct error *err)
{
        auto_fd int fd = openat(dir->fd, STATE_FILE, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || pwrite(fd, "0", 1, sizeof(FORESEEN) - 1) != 1)
                return error_set(err, -errno, "confirm the state of container \"%s\"", state->id);
        state->foreseen = false;
        return 0;
}

/* ---- reading ---- */

struct reader {
        const char *name;       /* of the file */
        struct arena *arena;
        struct error *err;
        int r;                  /* the first failure */
};

static struct json_object *get(struct reader *in, struct json_object *obj, const char *key, enum json_type type)
{
        struct json_object *value = NULL;
        if (in->r == 0 && (!json_object_object_get_ex(obj, key, &value) || json_object_get_type(value) != type))
                in->r = error_say(in->err, -EINVAL, "%s: %s: expected a value of type %s", in->name, key,
                                  json_type_to_name(type));
        return in->r == 0 ? value : NULL;
}

static const char *keep(struct reader *in, const char *text)
{
        const char *copy = text ? arena_strdup(in->arena, text) : NULL;
        if (in->r == 0 && !copy)
                in->r = error_set(in->err, -ENOMEM, "%s", in->name);
        return copy;
}

static const char *get_text(struct reader *in, struct json_object *obj, const char *key)
{
        struct json_object *value = get(in, obj, key, json_type_string);
        return value ? keep(in, json_object_get_string(value)) : NULL;
}

static int64_t get_number(struct reader *in, struct json_object *obj, const char *key, int64_t max)
{
        struct json_object *value = get(in, obj, key, json_type_int);
        int64_t number = value ? json_object_get_int64(value) : 0;
        if (in->r == 0 && (number < 0 || number > max))
                in->r = error_say(in->err, -EINVAL, "%s: %s: %" PRId64 " is out of range", in->name, key, number);
        return number;
}

static bool get_bool(struct reader *in, struct json_object *obj, const char *key)
{
        struct json_object *value = get(in, obj, key, json_type_boolean);
        return value && json_object_get_boolean(value);
}

static struct process_ref get_ref(struct reader *in, struct json_object *obj, const char *key)
{
        struct process_ref ref = { 0 };
        struct json_object *value = get(in, obj, key, json_type_object);
        if (value) {
                ref.pid = (pid_t) get_number(in, value, "pid", INT32_MAX);
                ref.start = (uint64_t) get_number(in, value, "start", INT64_MAX);
        }
        return ref;
}

static int get_word(struct reader *in, struct json_object *obj, const char *key, const char *const *words, int n)
{
        const char *text = get_text(in, obj, key);
        for (int i = 0; text && i < n; i++)
                if (strcmp(words[i], text) == 0)
                        return i;
        if (in->r == 0)
                in->r = error_say(in->err, -EINVAL, "%s: %s: unknown word \"%s\"", in->name, key, text);
        return 0;
}

static void get_annotations(struct reader *in, struct json_object *obj, struct state *st)
{
        struct json_object *map = get(in, obj, "annotations", json_type_object);
        size_t n = map ? (size_t) json_object_object_length(map) : 0, i = 0;
        if (n == 0)
                return;
        struct spec_annotation *list = arena_alloc(in->arena, n, sizeof(*list));
        if (!list) {
                in->r = error_set(in->err, -ENOMEM, "%s", in->name);
                return;
        }
        json_object_object_foreach(map, key, value) {
                if (json_object_get_type(value) != json_type_string && in->r == 0)
                        in->r = error_say(in->err, -EINVAL, "%s: annotations: expected strings", in->name);
                list[i].key = keep(in, key);
                list[i++].value = keep(in, json_object_get_string(value));
        }
        st->annotations = list;
        st->n_annotations = n;
}

static void get_resctrl(struct reader *in, struct json_object *obj, struct state *st)
{
        /* Without a class it is not there, nor in what an older build wrote. */
        bool has_class = json_object_object_get_ex(obj, "resctrl", NULL);
        struct json_object *value = has_class ? get(in, obj, "resctrl", json_type_object) : NULL;
        if (!value)
                return;
        st->resctrl = get_text(in, value, "class");
        st->resctrl_own = get_bool(in, value, "own");
        st->resctrl_monitored = get_bool(in, value, "monitored");
}

static void read_members(struct reader *in, struct json_object *top, struct state *st)
{
        if (get_number(in, top, "version", INT32_MAX) != STATE_VERSION && in->r == 0)
                in->r = error_say(in->err, -EINVAL, "%s: written by another version of the program", in->name);
        st->kind = (enum state_kind) get_word(in, top, "kind", kind_names, 2);
        st->status = (enum state_status) get_word(in, top, "status", status_names, STATUS_PAUSED);
        st->foreseen = json_object_object_get_ex(top, "foreseen", NULL) && get_number(in, top, "foreseen", 1) != 0;
        st->id = get_text(in, top, "id");
        st->oci_version = get_text(in, top, "ociVersion");
        st->bundle = get_text(in, top, "bundle");
        st->rootfs = get_text(in, top, "rootfs");
        st->created = get_text(in, top, "created");
        st->owner = (uid_t) get_number(in, top, "owner", UINT32_MAX);
        st->process = get_ref(in, top, "process");
        st->supervisor = get_ref(in, top, "supervisor");
        st->no_pivot = get_bool(in, top, "noPivot");
        st->shares_pids = get_bool(in, top, "sharesPids");
        st->has_poststop = get_bool(in, top, "hasPoststop");
        st->cgroup = get_text(in, top, "cgroup");
        st->cgroup_expected = get_bool(in, top, "cgroupExpected");
        get_resctrl(in, top, st);
        st->unit = get_text(in, top, "systemdUnit");
        st->unit_user = get_bool(in, top, "systemdUser");
        get_annotations(in, top, st);
}

int state_parse(const char *text, size_t size, const char *name, struct state *ret_state, struct error *err)
{
        if (size > STATE_SIZE_MAX)
                return error_set(err, -EFBIG, "%s", name);
        auto_state struct state st = STATE_INIT;
        st.arena = arena_new();
        struct json_tokener *tokener = json_tokener_new();
        if (!st.arena || !tokener) {
                json_tokener_free(tokener);
                return error_set(err, -ENOMEM, "%s", name);
        }
        /* With the terminator: the tokener then knows that a number or the text has ended. */
        struct json_object *top = json_tokener_parse_ex(tokener, text, (int) size + 1);
        struct reader in = { .name = name, .arena = st.arena, .err = err };
        if (!top || json_object_get_type(top) != json_type_object)
                in.r = error_say(err, -EINVAL, "%s: %s", name,
                                 top ? "not an object" : json_tokener_error_desc(json_tokener_get_error(tokener)));
        else
                read_members(&in, top, &st);
        json_object_put(top);
        json_tokener_free(tokener);
        if (in.r == 0) {
                *ret_state = st;
                st.arena = NULL;
        }
        return in.r;
}

int state_read(const struct state_dir *dir, struct state *ret_state, struct error *err)
{
        auto_free char *text = NULL;
        size_t size;
        int r = io_read_file(dir->fd, STATE_FILE, STATE_SIZE_MAX, &text, &size);
        if (r == -ENOENT)
                return error_say(err, -ENOENT, "container does not exist: \"%s\"", dir->id);
        if (r < 0 || !text)
                return error_set(err, r, "read state of container \"%s\"", dir->id);
        char name[STATE_ID_MAX + sizeof(STATE_FILE) + 1];
        snprintf(name, sizeof(name), "%s/" STATE_FILE, dir->id);
        auto_state struct state st = STATE_INIT;
        r = state_parse(text, size, name, &st, err);
        if (r < 0)
                return r;
        if (!st.id || strcmp(st.id, dir->id) != 0)
                return error_say(err, -EINVAL, "%s: is about another container, \"%s\"", name, st.id ? st.id : "");
        *ret_state = st;
        st.arena = NULL;
        return 0;
}

void state_timestamp(char *buf, size_t size)
{
        struct timespec now;
        struct tm tm;
        clock_gettime(CLOCK_REALTIME, &now);
        gmtime_r(&now.tv_sec, &tm);
        char digits[16];
        snprintf(digits, sizeof(digits), ".%09ld", now.tv_nsec);
        /* RFC3339Nano of Go: no trailing zeros, and no point without digits. */
        size_t n = strlen(digits);
        while (n > 1 && digits[n - 1] == '0')
                n--;
        digits[n == 1 ? 0 : n] = '\0';
        snprintf(buf, size, "%04d-%02d-%02dT%02d:%02d:%02d%sZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                 tm.tm_hour, tm.tm_min, tm.tm_sec, digits);
}

#include "spec/edit.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include <json-c/json_object.h>
#include <json-c/linkhash.h>

#include "base/str.h"
#include "spec/json_text.h"
#include "spec/path_clean.h"
#include "spec/place_words.h"

/*
 * Everything that allocates can fail, and nothing can be done then but to give
 * up: the first failure is remembered and what follows does nothing, as in
 * base/str.h.
 */
struct editor {
        const struct spec *spec;
        struct json_object *config;
        bool failed;
};

/* The member of that name in any case of letters, as config.json is read; a new one where there is none. */
static struct json_object *member(struct editor *e, struct json_object *parent, const char *key,
                                  struct json_object *(*make)(void))
{
        if (e->failed || !parent)
                return NULL;
        const char *name = key;
        struct json_object *found = NULL;
        if (!json_object_object_get_ex(parent, key, &found)) {
                json_object_object_foreach(parent, other, value)
                        if (strcasecmp(other, key) == 0) {
                                name = other;
                                found = value;
                                break;
                        }
        }
        if (found)
                return found;
        found = make();
        const char *copy = arena_strdup(e->spec->arena, name);  /* json-c frees its own when it replaces a null */
        if (!found || !copy || json_object_object_add(parent, copy, found) < 0) {
                e->failed = true;
                return NULL;
        }
        return found;
}

static struct json_object *object_in(struct editor *e, struct json_object *parent, const char *key)
{
        return member(e, parent, key, json_object_new_object);
}

static struct json_object *array_in(struct editor *e, struct json_object *parent, const char *key)
{
        return member(e, parent, key, json_object_new_array);
}

/* Takes over the value. */
static void set(struct editor *e, struct json_object *object, const char *key, struct json_object *value)
{
        if (e->failed || !value || json_object_object_add(object, key, value) < 0) {
                tree_free(value);
                e->failed = true;
        }
}

static void set_text(struct editor *e, struct json_object *object, const char *key, const char *text)
{
        if (text)
                set(e, object, key, json_object_new_string(text));
}

static void set_number(struct editor *e, struct json_object *object, const char *key, uint64_t n)
{
        set(e, object, key, n > INT64_MAX ? json_object_new_uint64(n) : json_object_new_int64((int64_t) n));
}

/* Takes over the value. */
static void push(struct editor *e, struct json_object *array, struct json_object *value)
{
        if (e->failed || !value || json_object_array_add(array, value) < 0) {
                tree_free(value);
                e->failed = true;
        }
}

static void set_texts(struct editor *e, struct json_object *object, const char *key, const char *const *texts)
{
        if (!texts || e->failed)
                return;
        struct json_object *array = json_object_new_array();
        set(e, object, key, array);
        for (; !e->failed && *texts; texts++)
                push(e, array, json_object_new_string(*texts));
}

static const char *text_of(struct json_object *object, const char *key)
{
        struct json_object *found = NULL;
        if (json_object_get_type(object) != json_type_object)
                return NULL;
        if (!json_object_object_get_ex(object, key, &found)) {
                json_object_object_foreach(object, name, value)
                        if (strcasecmp(name, key) == 0)
                                found = value;
        }
        return json_object_get_type(found) == json_type_string ? json_object_get_string(found) : NULL;
}

/* Remove the elements whose `key` is this path. */
static void remove_path(struct editor *e, struct json_object *array, const char *key, const char *path)
{
        for (size_t i = e->failed ? 0 : json_object_array_length(array); i-- > 0;) {
                const char *text = text_of(json_object_array_get_idx(array, i), key);
                const char *clean = text ? path_clean(e->spec->arena, text) : NULL;
                if (clean && strcmp(clean, path) == 0 && json_object_array_del_idx(array, i, 1) < 0)
                        e->failed = true;
        }
}

/* ---- the kinds of edits ---- */

static void edit_env(struct editor *e, struct json_object *process, const char *const *env)
{
        if (!env)
                return;
        struct json_object *array = array_in(e, process, "env");
        for (; !e->failed && *env; env++) {
                struct json_object *value = json_object_new_string(*env);
                size_t len = strcspn(*env, "=") + 1, n = json_object_array_length(array);
                while (n > 0) {
                        const char *old = json_object_get_string(json_object_array_get_idx(array, n - 1));
                        if (old && strncmp(old, *env, len) == 0)
                                break;
                        n--;
                }
                if (n == 0)
                        push(e, array, value);
                else if (!value || json_object_array_put_idx(array, n - 1, value) < 0)
                        e->failed = true;
        }
}

static void edit_groups(struct editor *e, struct json_object *process, const struct edits *edits)
{
        if (edits->n_groups == 0)
                return;
        struct json_object *array = array_in(e, object_in(e, process, "user"), "additionalGids");
        for (size_t i = 0; !e->failed && i < edits->n_groups; i++) {
                size_t n = json_object_array_length(array), at = 0;
                while (at < n && json_object_get_int64(json_object_array_get_idx(array, at)) != edits->groups[i])
                        at++;
                if (at == n && edits->groups[i] != 0)
                        push(e, array, json_object_new_int64(edits->groups[i]));
        }
}

static void edit_memlock(struct editor *e, struct json_object *process, uint64_t limit)
{
        static const char name[] = "RLIMIT_MEMLOCK";
        struct json_object *array = array_in(e, process, "rlimits");
        for (size_t i = e->failed ? 0 : json_object_array_length(array); i-- > 0;) {
                struct json_object *old = json_object_array_get_idx(array, i);
                const char *type = text_of(old, "type");
                if (!type || strcmp(type, name) != 0)
                        continue;
                if (json_object_array_del_idx(array, i, 1) < 0)
                        e->failed = true;
        }
        struct json_object *entry = e->failed ? NULL : json_object_new_object();
        push(e, array, entry);
        if (e->failed)
                return;
        set_text(e, entry, "type", name);
        set_number(e, entry, "soft", limit);
        set_number(e, entry, "hard", limit);
}

static void allow(struct editor *e, struct json_object *linux_, const struct edit_node *n)
{
        if (n->type == 'p' || !(n->read || n->write || n->mknod))
                return;
        struct json_object *array = array_in(e, object_in(e, linux_, "resources"), "devices");
        struct json_object *rule = e->failed ? NULL : json_object_new_object();
        char access[4] = "", *p = access;
        if (n->read)
                *p++ = 'r';
        if (n->write)
                *p++ = 'w';
        if (n->mknod)
                *p++ = 'm';
        push(e, array, rule);
        if (e->failed)
                return;
        set(e, rule, "allow", json_object_new_boolean(1));
        set_text(e, rule, "type", n->type == 'b' ? "b" : "c");
        set_number(e, rule, "major", n->major);
        set_number(e, rule, "minor", n->minor);
        set_text(e, rule, "access", access);
}

static void add_node(struct editor *e, struct json_object *devices, const struct edit_node *n)
{
        const struct spec_user *user = &e->spec->process.user;
        const char type[] = { n->type, '\0' };
        struct json_object *entry = e->failed ? NULL : json_object_new_object();
        push(e, devices, entry);
        if (e->failed)
                return;
        set_text(e, entry, "path", n->path);
        set_text(e, entry, "type", type);
        if (n->type != 'p') {
                set_number(e, entry, "major", n->major);
                set_number(e, entry, "minor", n->minor);
        }
        if (n->has_mode)
                set_number(e, entry, "fileMode", n->mode);
        set_number(e, entry, "uid", n->has_uid ? n->uid : user->uid);
        set_number(e, entry, "gid", n->has_gid ? n->gid : user->gid);
}

/* Before the first mount that would be hidden by it; the order of the config's own mounts stays. */
static void insert_mount(struct editor *e, struct json_object *mounts, struct json_object *entry, const char *path)
{
        size_t n = e->failed ? 0 : json_object_array_length(mounts), at = 0, len = strlen(path);
        for (; at < n; at++) {
                const char *text = text_of(json_object_array_get_idx(mounts, at), "destination");
                const char *clean = text ? path_clean(e->spec->arena, text) : NULL;
                if (clean && strncmp(clean, path, len) == 0 && clean[len] == '/')
                        break;
        }
        push(e, mounts, entry);
        for (size_t i = n; !e->failed && i > at; i--) {
                struct json_object *before = json_object_get(json_object_array_get_idx(mounts, i - 1));
                struct json_object *here = json_object_get(json_object_array_get_idx(mounts, i));
                if (json_object_array_put_idx(mounts, i - 1, here) < 0 || json_object_array_put_idx(mounts, i, before) < 0)
                        e->failed = true;
        }
}

static bool has_option(const struct edit_mount *m, const char *word)
{
        for (const char **o = m->options; o && *o; o++)
                if (strcmp(*o, word) == 0)
                        return true;
        return false;
}

static void add_mount(struct editor *e, const struct edit_mount *m)
{
        static const char *const just_bind[] = { "rbind", NULL };
        struct json_object *mounts = array_in(e, e->config, "mounts");
        const char *path = path_clean(e->spec->arena, m->path);
        struct json_object *entry = e->failed || !path ? NULL : json_object_new_object();
        if (!entry) {
                e->failed = true;
                return;
        }
        bool bind = has_option(m, "bind") || has_option(m, "rbind");
        /* Without a type, and with nothing that says so, a path of the host can only be meant to be bound. */
        bool implied = !bind && (!m->type || strcmp(m->type, "none") == 0 || strcmp(m->type, "bind") == 0);
        set_text(e, entry, "destination", path);
        set_text(e, entry, "source", m->host);
        set_text(e, entry, "type", implied ? "bind" : m->type);
        set_texts(e, entry, "options", m->options ? m->options : implied ? just_bind : NULL);
        if (implied && m->options && !e->failed)
                push(e, array_in(e, entry, "options"), json_object_new_string("rbind"));
        remove_path(e, mounts, "destination", path);
        insert_mount(e, mounts, entry, path);
}

static void edit_node(struct editor *e, struct json_object *linux_, const struct edit_node *n)
{
        const struct spec_namespace *user = &e->spec->ns[NS_USER];
        const char *host = n->host ? n->host : n->path;
        struct json_object *devices = array_in(e, linux_, "devices");
        remove_path(e, devices, "path", n->path);
        /* There, nodes are not made but bound, from the same path of the host: linux.devices has no word for another. */
        if (user->wanted && strcmp(host, n->path) != 0) {
                static const char *options[] = { "bind", NULL };
                const struct edit_mount m = { .host = host, .path = n->path, .type = "bind", .options = options };
                add_mount(e, &m);
        } else {
                add_node(e, devices, n);
        }
        allow(e, linux_, n);
}

static void add_hook(struct editor *e, const struct edit_hook *h)
{
        struct json_object *list = array_in(e, object_in(e, e->config, "hooks"), hook_names[h->kind]);
        struct json_object *entry = e->failed ? NULL : json_object_new_object();
        push(e, list, entry);
        if (e->failed)
                return;
        set_text(e, entry, "path", h->hook.path);
        set_texts(e, entry, "args", h->hook.args);
        set_texts(e, entry, "env", h->hook.env);
        if (h->hook.timeout > 0)
                set_number(e, entry, "timeout", h->hook.timeout);
}

static void edit_rdt(struct editor *e, struct json_object *linux_, const struct rdt *rdt)
{
        if (e->failed)
                return;
        struct json_object *entry = json_object_new_object();
        struct json_object *old = object_in(e, linux_, "intelRdt");
        if (e->failed || !old) {
                tree_free(entry);
                return;
        }
        /* The key may be written in another case. */
        json_object_object_foreach(linux_, key, value)
                if (value == old) {
                        set(e, linux_, key, entry);
                        break;
                }
        if (e->failed)
                return;
        set_text(e, entry, "closID", rdt->clos);
        set_text(e, entry, "l3CacheSchema", rdt->l3);
        set_text(e, entry, "memBwSchema", rdt->memory);
        set_texts(e, entry, "schemata", rdt->schemata);
        if (rdt->monitoring)
                set(e, entry, "enableMonitoring", json_object_new_boolean(1));
}

static void edit_net(struct editor *e, struct json_object *linux_, const struct spec_net_device *net)
{
        struct json_object *list = object_in(e, linux_, "netDevices");
        struct json_object *entry = e->failed ? NULL : json_object_new_object();
        if (e->failed)
                return;
        set(e, list, net->device, entry);
        if (!e->failed)
                set_text(e, entry, "name", net->name);
}

/* Whatever was there under that name, in any case of letters, is gone. Takes over the value. */
static void replace(struct editor *e, struct json_object *object, const char *key, struct json_object *value)
{
        const char *old = NULL;
        if (e->failed || !object) {
                tree_free(value);
                e->failed = true;
                return;
        }
        json_object_object_foreach(object, name, ignored)
                if (strcasecmp(name, key) == 0) {
                        (void) ignored;
                        old = name;
                        break;
                }
        if (old)
                json_object_object_del(object, old);
        set(e, object, key, value);
}

static void replace_text(struct editor *e, struct json_object *object, const char *key, const char *text)
{
        if (text && !e->failed)
                replace(e, object, key, json_object_new_string(text));
}

static void edit_place(struct editor *e, struct json_object *linux_, const struct edit_place *place)
{
        if (place->cpus || place->mems) {
                struct json_object *cpu = object_in(e, object_in(e, linux_, "resources"), "cpu");
                replace_text(e, cpu, "cpus", place->cpus);
                replace_text(e, cpu, "mems", place->mems);
        }
        if (place->mode && !e->failed) {
                struct json_object *policy = json_object_new_object();
                replace(e, linux_, "memoryPolicy", policy);
                if (!e->failed)
                        set_text(e, policy, "mode", place->mode);
                if (!e->failed)
                        set_text(e, policy, "nodes", place->nodes);
        }
        set_text(e, object_in(e, e->config, "annotations"), PLACE_GIVEN, place->given);
}

static void edit_all(struct editor *e, const struct edits *edits)
{
        bool in_linux = edits->n_nodes > 0 || edits->n_nets > 0 || edits->rdt || edits->place;
        struct json_object *linux_ = in_linux ? object_in(e, e->config, "linux") : NULL;
        if (edits->env || edits->n_groups > 0 || edits->raises_memlock) {
                struct json_object *process = object_in(e, e->config, "process");
                edit_env(e, process, edits->env);
                edit_groups(e, process, edits);
                if (edits->raises_memlock)
                        edit_memlock(e, process, edits->memlock);
        }
        for (size_t i = 0; !e->failed && i < edits->n_nodes; i++)
                edit_node(e, linux_, &edits->nodes[i]);
        for (size_t i = 0; !e->failed && i < edits->n_nets; i++)
                edit_net(e, linux_, &edits->nets[i]);
        for (size_t i = 0; !e->failed && i < edits->n_mounts; i++)
                add_mount(e, &edits->mounts[i]);
        for (size_t i = 0; !e->failed && i < edits->n_hooks; i++)
                add_hook(e, &edits->hooks[i]);
        if (edits->rdt)
                edit_rdt(e, linux_, edits->rdt);
        if (edits->place)
                edit_place(e, linux_, edits->place);
}

int edit_config(const struct spec *spec, const char *text, size_t size, const struct edits *edits, char **ret_text,
                struct error *err)
{
        auto_tree struct json_object *config = NULL;
        int r = tree_parse(text, size, "config.json", &config, err);
        if (r < 0)
                return r;
        struct editor e = { .spec = spec, .config = config };
        edit_all(&e, edits);
        const char *edited = e.failed ? NULL : json_object_to_json_string_ext(config, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
        char *copy = edited ? strdup(edited) : NULL;
        if (!copy)
                return error_set(err, -ENOMEM, "write the changed config.json");
        *ret_text = copy;
        return 0;
}

#include "spec/cdi_parts.h"

#include <net/if.h>
#include <string.h>

#include <json-c/json_object.h>

#include "spec/path_clean.h"
#include "spec/sections.h"

#define ELEMENTS_MAX 65536

/* ---- env ---- */

static int read_variable(const struct where *at, struct json_object *v, void *out)
{
        const char *s = json_object_get_string(v);
        if (*s == '=' || !strchr(s, '='))
                return where_fail(at, "expected NAME=VALUE, found %s", quoted(s).text);
        return read_string(at, v, out);
}

static int read_env(const struct where *at, struct json_object *v, void *out)
{
        static const struct element variable = { WANT_STRING, sizeof(char *), read_variable, ELEMENTS_MAX };
        struct list list = { 0 };
        int r = read_list(at, v, &variable, &list);
        if (r == 0)
                *(const char ***) out = list.items;
        return r;
}

/* ---- device nodes ---- */

static int read_clean_path(const struct where *at, struct json_object *v, void *out)
{
        const char *written;
        int r = read_absolute(at, v, &written);
        if (r < 0)
                return r;
        const char *clean = path_clean(at->reader->arena, written);
        if (!clean)
                return where_no_memory(at);
        if (strcmp(clean, "/") == 0)
                return where_fail(at, "\"/\" cannot be replaced");
        *(const char **) out = clean;
        return 0;
}

static int read_host_path(const struct where *at, struct json_object *v, void *out)
{
        return json_object_get_string_len(v) == 0 ? 0 : read_absolute(at, v, out);
}

static int read_type(const struct where *at, struct json_object *v, void *out)
{
        const char *s = json_object_get_string(v);
        if (*s && (strlen(s) != 1 || !strchr("cubp", *s)))
                return where_fail(at, "unknown device type %s (one of c, u, b, p)", quoted(s).text);
        *(char *) out = *s;
        return 0;
}

static int read_mode(const struct where *at, struct json_object *v, void *out)
{
        struct edit_node *n = out;
        uint64_t mode = 0;
        int r = read_natural(at, v, UINT32_MAX, &mode);
        n->has_mode = r == 0;
        n->mode = mode & 07777;
        return r;
}

static int read_uid(const struct where *at, struct json_object *v, void *out)
{
        struct edit_node *n = out;
        n->has_uid = true;
        return read_id(at, v, &n->uid);
}

static int read_gid(const struct where *at, struct json_object *v, void *out)
{
        struct edit_node *n = out;
        n->has_gid = true;
        return read_id(at, v, &n->gid);
}

static int read_permissions(const struct where *at, struct json_object *v, void *out)
{
        struct edit_node *n = out;
        const char *s = json_object_get_string(v);
        if (*s == '\0')
                return 0;
        bool none = strcmp(s, "none") == 0;
        if (!none && s[strspn(s, "rwm")])
                return where_fail(at, "expected letters of \"rwm\", or \"none\", found %s", quoted(s).text);
        n->read = !none && strchr(s, 'r');
        n->write = !none && strchr(s, 'w');
        n->mknod = !none && strchr(s, 'm');
        return 0;
}

static int read_node(const struct where *at, struct json_object *v, void *out)
{
        static const struct field fields[] = {
                { "path", WANT_STRING, REQUIRED, read_clean_path, offsetof(struct edit_node, path) },
                { "hostPath", WANT_STRING, OPTIONAL, read_host_path, offsetof(struct edit_node, host) },
                { "type", WANT_STRING, OPTIONAL, read_type, offsetof(struct edit_node, type) },
                { "major", WANT_NUMBER, OPTIONAL, read_device_major, offsetof(struct edit_node, major) },
                { "minor", WANT_NUMBER, OPTIONAL, read_device_minor, offsetof(struct edit_node, minor) },
                { "fileMode", WANT_NUMBER, OPTIONAL, read_mode, 0 },
                { "permissions", WANT_STRING, OPTIONAL, read_permissions, 0 },
                { "uid", WANT_NUMBER, OPTIONAL, read_uid, 0 },
                { "gid", WANT_NUMBER, OPTIONAL, read_gid, 0 },
        };
        struct edit_node *n = out;
        n->read = n->write = n->mknod = true;
        return cdi_read_fields(at, v, fields, COUNT(fields), n);
}

/* ---- mounts ---- */

static int read_mount(const struct where *at, struct json_object *v, void *out)
{
        static const struct field fields[] = {
                { "hostPath", WANT_STRING, REQUIRED, read_path, offsetof(struct edit_mount, host) },
                { "containerPath", WANT_STRING, REQUIRED, read_clean_path, offsetof(struct edit_mount, path) },
                { "type", WANT_STRING, OPTIONAL, read_given, offsetof(struct edit_mount, type) },
                { "options", WANT_ARRAY, OPTIONAL, read_strings, offsetof(struct edit_mount, options) },
        };
        return cdi_read_fields(at, v, fields, COUNT(fields), out);
}

/* ---- hooks ---- */

static int read_hook_kind(const struct where *at, struct json_object *v, void *out)
{
        static const char one_of[] = "one of prestart, createRuntime, createContainer, startContainer, poststart, poststop";
        const char *s = json_object_get_string(v);
        for (int i = 0; i < HOOK_KINDS; i++)
                if (strcmp(s, hook_names[i]) == 0) {
                        *(enum hook_kind *) out = (enum hook_kind) i;
                        return 0;
                }
        return where_fail(at, "unknown hook %s (%s)", quoted(s).text, one_of);
}

static int read_timeout(const struct where *at, struct json_object *v, void *out)
{
        int64_t n = 0;
        int r = read_number(at, v, 1, INT32_MAX, &n);
        if (r == 0)
                *(uint32_t *) out = (uint32_t) n;
        return r;
}

static int read_hook(const struct where *at, struct json_object *v, void *out)
{
        static const struct field fields[] = {
                { "hookName", WANT_STRING, REQUIRED, read_hook_kind, offsetof(struct edit_hook, kind) },
                { "path", WANT_STRING, REQUIRED, read_absolute, offsetof(struct edit_hook, hook.path) },
                { "args", WANT_ARRAY, OPTIONAL, read_strings, offsetof(struct edit_hook, hook.args) },
                { "env", WANT_ARRAY, OPTIONAL, read_env, offsetof(struct edit_hook, hook.env) },
                { "timeout", WANT_NUMBER, OPTIONAL, read_timeout, offsetof(struct edit_hook, hook.timeout) },
        };
        return cdi_read_fields(at, v, fields, COUNT(fields), out);
}

/* ---- network devices, groups, resctrl ---- */

static int read_net_name(const struct where *at, struct json_object *v, void *out)
{
        const char *s = json_object_get_string(v);
        size_t len = strlen(s);
        if (len == 0 || len >= IFNAMSIZ || strpbrk(s, "/: \t\n"))
                return where_fail(at, "expected the name of a network device (1 to %d bytes), found %s", IFNAMSIZ - 1,
                                  quoted(s).text);
        return read_string(at, v, out);
}

static int read_net(const struct where *at, struct json_object *v, void *out)
{
        static const struct field fields[] = {
                { "hostInterfaceName", WANT_STRING, REQUIRED, read_net_name, offsetof(struct spec_net_device, device) },
                { "name", WANT_STRING, REQUIRED, read_net_name, offsetof(struct spec_net_device, name) },
        };
        return cdi_read_fields(at, v, fields, COUNT(fields), out);
}

static int check_nets(const struct where *at, const struct spec_net_device *nets, size_t n)
{
        for (size_t i = 0; i < n; i++)
                for (size_t k = 0; k < i; k++) {
                        const struct where here = where_index(at, i);
                        if (strcmp(nets[i].device, nets[k].device) == 0)
                                return where_fail(&here, "hostInterfaceName \"%s\" is in element %zu, too", nets[i].device, k);
                        if (strcmp(nets[i].name, nets[k].name) == 0)
                                return where_fail(&here, "name \"%s\" is in element %zu, too", nets[i].name, k);
                }
        return 0;
}

static int read_rdt(const struct where *at, struct json_object *v, void *out)
{
        struct rdt *rdt = arena_alloc(at->reader->arena, 1, sizeof(*rdt));
        if (!rdt)
                return where_no_memory(at);
        rdt->wanted = true;
        *(const struct rdt **) out = rdt;
        return cdi_read_fields(at, v, rdt_fields, RDT_FIELDS, rdt);
}

/* ---- containerEdits ---- */

static int read_nodes(const struct where *at, struct json_object *v, void *out)
{
        static const struct element node = { WANT_OBJECT, sizeof(struct edit_node), read_node, ELEMENTS_MAX };
        struct edits *e = out;
        struct list list = { 0 };
        int r = read_list(at, v, &node, &list);
        e->nodes = list.items;
        e->n_nodes = list.n;
        return r;
}

static int read_mounts_(const struct where *at, struct json_object *v, void *out)
{
        static const struct element mount = { WANT_OBJECT, sizeof(struct edit_mount), read_mount, ELEMENTS_MAX };
        struct edits *e = out;
        struct list list = { 0 };
        int r = read_list(at, v, &mount, &list);
        e->mounts = list.items;
        e->n_mounts = list.n;
        return r;
}

static int read_hooks_(const struct where *at, struct json_object *v, void *out)
{
        static const struct element hook = { WANT_OBJECT, sizeof(struct edit_hook), read_hook, ELEMENTS_MAX };
        struct edits *e = out;
        struct list list = { 0 };
        int r = read_list(at, v, &hook, &list);
        e->hooks = list.items;
        e->n_hooks = list.n;
        return r;
}

static int read_groups(const struct where *at, struct json_object *v, void *out)
{
        static const struct element group = { WANT_NUMBER, sizeof(uint32_t), read_id, ELEMENTS_MAX };
        struct edits *e = out;
        struct list list = { 0 };
        int r = read_list(at, v, &group, &list);
        e->groups = list.items;
        e->n_groups = list.n;
        return r;
}

static int read_nets(const struct where *at, struct json_object *v, void *out)
{
        static const struct element net = { WANT_OBJECT, sizeof(struct spec_net_device), read_net, 1024 };
        struct edits *e = out;
        struct list list = { 0 };
        int r = read_list(at, v, &net, &list);
        if (r < 0)
                return r;
        e->nets = list.items;
        e->n_nets = list.n;
        return check_nets(at, e->nets, e->n_nets);
}

int cdi_read_edits(const struct where *at, struct json_object *v, void *out)
{
        static const struct field fields[] = {
                { "env", WANT_ARRAY, OPTIONAL, read_env, offsetof(struct edits, env) },
                { "deviceNodes", WANT_ARRAY, OPTIONAL, read_nodes, 0 },
                { "mounts", WANT_ARRAY, OPTIONAL, read_mounts_, 0 },
                { "hooks", WANT_ARRAY, OPTIONAL, read_hooks_, 0 },
                { "additionalGids", WANT_ARRAY, OPTIONAL, read_groups, 0 },
                { "intelRdt", WANT_OBJECT, OPTIONAL, read_rdt, offsetof(struct edits, rdt) },
                { "netDevices", WANT_ARRAY, OPTIONAL, read_nets, 0 },
        };
        return cdi_read_fields(at, v, fields, COUNT(fields), out);
}

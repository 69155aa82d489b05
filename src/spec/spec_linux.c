#include "spec/sections.h"

#include <string.h>

#include <json-c/json_object.h>
#include <json-c/linkhash.h>

#include "spec/path_clean.h"
#include "spec/spec.h"
#include "spec/sysctl.h"

/* ---- namespaces ---- */

struct namespace {
        uint64_t type;
        const char *path;
};

static int read_namespace_type(const struct where *at, struct json_object *v, void *out)
{
        return read_word(at, v, &words_namespaces, out);
}

static int read_namespace_path(const struct where *at, struct json_object *v, void *out)
{
        return json_object_get_string_len(v) == 0 ? 0 : read_absolute(at, v, out);
}

static int read_namespace(const struct where *at, struct json_object *v, void *out)
{
        static const struct field namespace_fields[] = {
                { "type", WANT_STRING, REQUIRED, read_namespace_type, offsetof(struct namespace, type) },
                { "path", WANT_STRING, OPTIONAL, read_namespace_path, offsetof(struct namespace, path) },
        };
        return read_fields(at, v, namespace_fields, COUNT(namespace_fields), out);
}

static int read_namespaces(const struct where *at, struct json_object *v, void *out)
{
        static const struct element namespace = { WANT_OBJECT, sizeof(struct namespace), read_namespace, 256 };
        struct spec *spec = out;
        struct list list = { 0 };
        int r = read_list(at, v, &namespace, &list);
        if (r < 0)
                return r;
        for (size_t i = 0; i < list.n; i++) {
                const struct namespace *n = (const struct namespace *) list.items + i;
                const struct where here = where_index(at, i);
                if (spec->ns[n->type].wanted)
                        return where_fail(&here, "a second %s namespace", ns_names[n->type]);
                spec->ns[n->type] = (struct spec_namespace){ true, n->path };
        }
        return 0;
}

/* ---- uidMappings, gidMappings ---- */

static int read_uid_map(const struct where *at, struct json_object *v, void *out)
{
        struct spec *spec = out;
        return read_id_maps(at, v, &spec->uid_map, &spec->n_uid_map);
}

static int read_gid_map(const struct where *at, struct json_object *v, void *out)
{
        struct spec *spec = out;
        return read_id_maps(at, v, &spec->gid_map, &spec->n_gid_map);
}

/* ---- the rest ---- */

static int check_sysctl(const struct where *at, const char *key)
{
        char path[SYSCTL_PATH_MAX];
        if (sysctl_path(key, path, sizeof(path)) < 0)
                return where_fail(at, "expected a name such as \"net.ipv4.ip_forward\"");
        return 0;
}

static int read_sysctl(const struct where *at, struct json_object *v, void *out)
{
        struct spec *spec = out;
        struct list list = { 0 };
        int r = read_map(at, v, check_sysctl, &list);
        if (r < 0)
                return r;
        spec->sysctl = list.items;
        spec->n_sysctl = list.n;
        return 0;
}

/* Lexically clean, so that it stays below where it starts; "slice:prefix:name" has nothing to clean. */
static int read_cgroups_path(const struct where *at, struct json_object *v, void *out)
{
        if (json_object_get_string_len(v) == 0)
                return 0;
        const char *written;
        int r = read_path(at, v, &written);
        if (r < 0)
                return r;
        const char *clean = path_clean(at->reader->arena, written);
        if (!clean)
                return where_no_memory(at);
        if (*written != '/')
                clean++;
        if (*clean == '\0')
                return where_fail(at, "%s names no cgroup", quoted(written).text);
        *(const char **) out = clean;
        return 0;
}

static int read_propagation(const struct where *at, struct json_object *v, void *out)
{
        uint64_t flags = 0;
        if (json_object_get_string_len(v) == 0)
                return 0;
        int r = read_word(at, v, &words_propagation, &flags);
        if (r == 0)
                *(unsigned long *) out = (unsigned long) flags;
        return r;
}

static int read_domain(const struct where *at, struct json_object *v, void *out)
{
        static const struct word domains[] = { { "LINUX", 0 }, { "LINUX32", 1 } };
        static const struct words words = { "domain", domains, COUNT(domains) };
        uint64_t linux32 = 0;
        int r = read_word(at, v, &words, &linux32);
        if (r == 0)
                *(bool *) out = linux32 != 0;
        return r;
}

static int read_personality(const struct where *at, struct json_object *v, void *out)
{
        static const struct field fields[] = {
                { "domain", WANT_STRING, REQUIRED, read_domain, 0 },
                { "flags", WANT_ARRAY, OPTIONAL, read_refused, 0 },     /* the specification knows none */
        };
        return means_nothing(v) ? 0 : read_fields(at, v, fields, COUNT(fields), out);
}

static int read_secs(const struct where *at, struct json_object *v, void *out)
{
        return read_number(at, v, INT64_MIN, INT64_MAX, out);
}

static int read_nanosecs(const struct where *at, struct json_object *v, void *out)
{
        uint64_t n = 0;
        int r = read_natural(at, v, 999999999, &n);
        if (r == 0)
                *(uint32_t *) out = (uint32_t) n;
        return r;
}

static int read_clock(const struct where *at, struct json_object *v, void *out)
{
        static const struct field fields[] = {
                { "secs", WANT_NUMBER, OPTIONAL, read_secs, offsetof(struct spec_clock, secs) },
                { "nanosecs", WANT_NUMBER, OPTIONAL, read_nanosecs, offsetof(struct spec_clock, nanosecs) },
        };
        struct spec_clock *clock = out;
        int r = read_fields(at, v, fields, COUNT(fields), clock);
        clock->given = clock->secs != 0 || clock->nanosecs != 0;
        return r;
}

static int read_time_offsets(const struct where *at, struct json_object *v, void *out)
{
        static const struct field fields[] = {
                { "monotonic", WANT_OBJECT, OPTIONAL, read_clock, offsetof(struct spec, monotonic) },
                { "boottime", WANT_OBJECT, OPTIONAL, read_clock, offsetof(struct spec, boottime) },
        };
        json_object_object_foreach(v, key, value) {
                const struct where here = where_key(at, key);
                (void) value;
                if (strcmp(key, "monotonic") != 0 && strcmp(key, "boottime") != 0)
                        return where_fail(&here, "a time namespace has the clocks monotonic and boottime");
        }
        return read_fields(at, v, fields, COUNT(fields), out);
}

int read_linux(const struct where *at, struct json_object *v, void *out)
{
        static const struct field linux_fields[] = {
                { "namespaces", WANT_ARRAY, OPTIONAL, read_namespaces, 0 },
                { "uidMappings", WANT_ARRAY, OPTIONAL, read_uid_map, 0 },
                { "gidMappings", WANT_ARRAY, OPTIONAL, read_gid_map, 0 },
                { "devices", WANT_ARRAY, OPTIONAL, read_devices, 0 },
                { "cgroupsPath", WANT_STRING, OPTIONAL, read_cgroups_path, offsetof(struct spec, cgroups_path) },
                { "resources", WANT_OBJECT, OPTIONAL, read_resources, 0 },
                { "rootfsPropagation", WANT_STRING, OPTIONAL, read_propagation,
                  offsetof(struct spec, rootfs_propagation) },
                { "sysctl", WANT_OBJECT, OPTIONAL, read_sysctl, 0 },
                { "maskedPaths", WANT_ARRAY, OPTIONAL, read_absolutes, offsetof(struct spec, masked_paths) },
                { "readonlyPaths", WANT_ARRAY, OPTIONAL, read_absolutes, offsetof(struct spec, readonly_paths) },
                { "seccomp", WANT_OBJECT, OPTIONAL, read_filter, 0 },
                { "timeOffsets", WANT_OBJECT, OPTIONAL, read_time_offsets, 0 },
                { "netDevices", WANT_OBJECT, OPTIONAL, read_net_devices, 0 },
                { "mountLabel", WANT_STRING, OPTIONAL, read_label, offsetof(struct spec, mount_label) },
                { "intelRdt", WANT_OBJECT, OPTIONAL, read_intel_rdt, offsetof(struct spec, rdt) },
                { "memoryPolicy", WANT_OBJECT, OPTIONAL, read_memory_policy, offsetof(struct spec, memory_policy) },
                { "personality", WANT_OBJECT, OPTIONAL, read_personality, offsetof(struct spec, linux32) },
        };
        return read_fields(at, v, linux_fields, COUNT(linux_fields), out);
}

#include "spec/read.h"

#include <errno.h>
#include <json-c/json_object.h>

#include "base/io.h"
#include "base/str.h"
#include "spec/json_text.h"
#include "spec/sections.h"

/*
 * 1.x of the specification is one format (config.md, "Specification version").
 * Other tools write "1.0" and "1.0.2-dev" too, so only the beginning is looked at.
 */
static int read_version(const struct where *at, struct json_object *v, void *out)
{
        const char *s = json_object_get_string(v);
        if (!str_starts(s, "1.") || s[2] < '0' || s[2] > '9')
                return where_fail(at, "version %s, supported is 1.x", quoted(s).text);
        return read_string(at, v, out);
}

static int read_root(const struct where *at, struct json_object *v, void *out)
{
        static const struct field root_fields[] = {
                { "path", WANT_STRING, REQUIRED, read_path, offsetof(struct spec_root, path) },
                { "readonly", WANT_BOOL, OPTIONAL, read_bool, offsetof(struct spec_root, readonly) },
        };
        return read_fields(at, v, root_fields, COUNT(root_fields), out);
}

static int read_annotations(const struct where *at, struct json_object *v, void *out)
{
        struct spec *spec = out;
        struct list list = { 0 };
        int r = read_map(at, v, NULL, &list);
        if (r < 0)
                return r;
        spec->annotations = list.items;
        spec->n_annotations = list.n;
        return 0;
}

static int read_config(const struct where *at, struct json_object *v, void *out)
{
        static const struct field config_fields[] = {
                { "ociVersion", WANT_STRING, REQUIRED, read_version, offsetof(struct spec, oci_version) },
                { "process", WANT_OBJECT, OPTIONAL, read_process, 0 },
                { "root", WANT_OBJECT, REQUIRED, read_root, offsetof(struct spec, root) },
                { "hostname", WANT_STRING, OPTIONAL, read_given, offsetof(struct spec, hostname) },
                { "domainname", WANT_STRING, OPTIONAL, read_given, offsetof(struct spec, domainname) },
                { "mounts", WANT_ARRAY, OPTIONAL, read_mounts, 0 },
                { "hooks", WANT_OBJECT, OPTIONAL, read_hooks, 0 },
                { "annotations", WANT_OBJECT, OPTIONAL, read_annotations, 0 },
                { "linux", WANT_OBJECT, OPTIONAL, read_linux, 0 },
        };
        struct spec *spec = out;
        int r = read_fields(at, v, config_fields, COUNT(config_fields), spec);
        spec->seccomp.fail_unknown = spec_annotation_on(spec->annotations, spec->n_annotations,
                                                        "run.oci.seccomp_fail_unknown_syscall");
        return r;
}

static int spec_new(struct spec **ret)
{
        auto_arena struct arena *arena = arena_new();
        struct spec *spec = arena ? arena_alloc(arena, 1, sizeof(*spec)) : NULL;
        if (!spec)
                return -ENOMEM;
        spec->arena = take_ptr(&arena);
        *ret = spec;
        return 0;
}

typedef int validate_fn(const struct spec *spec, struct error *err);

static int read_text(const char *text, size_t size, const char *name, read_fn *read, validate_fn *validate,
                     struct spec **ret_spec, struct error *err)
{
        auto_spec struct spec *spec = NULL;
        int r = spec_new(&spec);
        if (r < 0)
                return error_set(err, r, "%s", name);

        auto_tree struct json_object *tree = NULL;
        r = tree_parse(text, size, name, &tree, err);
        if (r < 0)
                return r;

        const struct reader reader = { .arena = spec->arena, .err = err, .file = name };
        const struct where document = { .reader = &reader };
        r = read(&document, tree, spec);
        if (r < 0)
                return r;
        r = validate ? validate(spec, err) : 0;
        if (r < 0) {
                (void) error_wrap(err, "%s", name);     /* r is the code already */
                return r;
        }
        *ret_spec = take_ptr(&spec);
        return 0;
}

int spec_read_text(const char *text, size_t size, const char *name, struct spec **ret_spec, struct error *err)
{
        return read_text(text, size, name, read_config, spec_validate, ret_spec, err);
}

int spec_read_process(const char *text, size_t size, const char *name, struct spec **ret_spec, struct error *err)
{
        return read_text(text, size, name, read_process, validate_process, ret_spec, err);
}

int spec_read_resources(const char *text, size_t size, const char *name, struct spec **ret_spec, struct error *err)
{
        return read_text(text, size, name, read_resources, spec_validate_resources, ret_spec, err);
}

int spec_read_file(int dirfd, const char *path, struct spec **ret_spec, struct error *err)
{
        auto_free char *text = NULL;
        size_t size;
        int r = io_read_file(dirfd, path, TEXT_MAX, &text, &size);
        if (r == -EFBIG)
                return error_say(err, r, "%s: larger than %zu MiB", path, TEXT_MAX >> 20);
        if (r < 0)
                return error_set(err, r, "read \"%s\"", path);
        return spec_read_text(text, size, path, ret_spec, err);
}

#include "spec/cdi_parts.h"

#include <string.h>
#include <strings.h>

#include <json-c/json_object.h>
#include <json-c/linkhash.h>

#include "base/str.h"
#include "spec/json_text.h"

#define DEVICES_MAX 4096
#define ANNOTATIONS_MAX ((size_t) 256 << 10)    /* bytes in all */

int cdi_read_fields(const struct where *at, struct json_object *v, const struct field *fields, size_t n, void *out)
{
        json_object_object_foreach(v, key, value) {
                (void) value;   /* the macro defines it */
                size_t i = 0;
                while (i < n && strcasecmp(fields[i].key, key) != 0)
                        i++;
                if (i == n) {
                        const struct where here = where_key(at, key);
                        return where_fail(&here, "unknown property");
                }
        }
        return read_fields(at, v, fields, n, out);
}

static int read_version(const struct where *at, struct json_object *v, void *out)
{
        const char *s = json_object_get_string(v);
        if (!cdi_version_known(*s == 'v' ? s + 1 : s))
                return where_fail(at, "unknown version %s, supported are " CDI_VERSIONS, quoted(s).text);
        int r = read_string(at, v, out);
        if (r == 0 && *s == 'v')
                (*(const char **) out)++;
        return r;
}

static int read_kind(const struct where *at, struct json_object *v, void *out)
{
        struct cdi_file *file = out;
        const char *s = json_object_get_string(v), *slash = strchr(s, '/');
        if (!slash)
                return where_fail(at, "expected VENDOR/CLASS, found %s", quoted(s).text);
        file->vendor = arena_strndup(at->reader->arena, s, (size_t) (slash - s));
        file->class = arena_strdup(at->reader->arena, slash + 1);
        if (!file->vendor || !file->class)
                return where_no_memory(at);
        const char *wrong = cdi_check_vendor(file->vendor);
        if (wrong)
                return where_fail(at, "the vendor in %s %s", quoted(s).text, wrong);
        wrong = cdi_check_class(file->class);
        return wrong ? where_fail(at, "the class in %s %s", quoted(s).text, wrong) : 0;
}

static int check_annotation(const struct where *at, const char *key)
{
        const char *wrong = cdi_check_annotation(key);
        return wrong ? where_fail(at, "%s", wrong) : 0;
}

/* They are for others to read; all that is done with them is to check them. */
static int read_annotations(const struct where *at, struct json_object *v, void *out)
{
        (void) out;
        struct list list = { 0 };
        int r = read_map(at, v, check_annotation, &list);
        if (r < 0)
                return r;
        size_t size = 0;
        const char **items = list.items;
        for (size_t i = 0; i < 2 * list.n; i++)
                size += strlen(items[i]);
        return size > ANNOTATIONS_MAX ? where_fail(at, "%zu bytes, at most %zu are possible", size, ANNOTATIONS_MAX) : 0;
}

static int read_device_name(const struct where *at, struct json_object *v, void *out)
{
        const char *s = json_object_get_string(v), *wrong = cdi_check_device(s);
        if (wrong)
                return where_fail(at, "%s %s", quoted(s).text, wrong);
        return read_string(at, v, out);
}

static int read_device(const struct where *at, struct json_object *v, void *out)
{
        static const struct field fields[] = {
                { "name", WANT_STRING, REQUIRED, read_device_name, offsetof(struct cdi_device, name) },
                { "annotations", WANT_OBJECT, OPTIONAL, read_annotations, 0 },
                { "containerEdits", WANT_OBJECT, REQUIRED, cdi_read_edits, offsetof(struct cdi_device, edits) },
        };
        struct cdi_device *device = out;
        int r = cdi_read_fields(at, v, fields, COUNT(fields), device);
        if (r < 0 || !edits_empty(&device->edits))
                return r;
        const struct where here = where_key(at, "containerEdits");
        return where_fail(&here, "is empty: the device would change nothing");
}

static int read_cdi_devices(const struct where *at, struct json_object *v, void *out)
{
        static const struct element device = { WANT_OBJECT, sizeof(struct cdi_device), read_device, DEVICES_MAX };
        struct cdi_file *file = out;
        struct list list = { 0 };
        int r = read_list(at, v, &device, &list);
        if (r < 0)
                return r;
        if (list.n == 0)
                return where_fail(at, "is empty, expected at least one device");
        file->devices = list.items;
        file->n_devices = list.n;
        for (size_t i = 0; i < list.n; i++)
                for (size_t k = 0; k < i; k++)
                        if (strcmp(file->devices[i].name, file->devices[k].name) == 0) {
                                const struct where here = where_index(at, i);
                                return where_fail(&here, "name \"%s\" is in element %zu, too", file->devices[i].name, k);
                        }
        return 0;
}

/* The parser does not keep whether there were annotations: they are younger than the rest of the file. */
static bool has_annotations(struct json_object *v)
{
        struct json_object *devices = NULL;
        json_object_object_foreach(v, key, value) {
                if (strcasecmp(key, "annotations") == 0 && value && json_object_object_length(value) > 0)
                        return true;
                if (strcasecmp(key, "devices") == 0)
                        devices = value;
        }
        if (json_object_get_type(devices) != json_type_array)
                return false;
        for (size_t i = 0; i < json_object_array_length(devices); i++) {
                json_object_object_foreach(json_object_array_get_idx(devices, i), name, annotations)
                        if (strcasecmp(name, "annotations") == 0 && annotations && json_object_object_length(annotations) > 0)
                                return true;
        }
        return false;
}

static int check_version(const struct where *at, struct json_object *v, const struct cdi_file *file)
{
        const struct where here = where_key(at, "cdiVersion");
        const char *what;
        const char *needed = cdi_version_needed(file, &what);
        if (has_annotations(v) && cdi_version_older(needed, "0.6.0")) {
                needed = "0.6.0";
                what = "\"annotations\"";
        }
        if (!cdi_version_older(file->version, needed))
                return 0;
        return where_fail(&here, "\"%s\", but %s needs %s", file->version, what, needed);
}

static int read_file(const struct where *at, struct json_object *v, struct cdi_file *file)
{
        static const struct field fields[] = {
                { "cdiVersion", WANT_STRING, REQUIRED, read_version, offsetof(struct cdi_file, version) },
                { "kind", WANT_STRING, REQUIRED, read_kind, 0 },
                { "annotations", WANT_OBJECT, OPTIONAL, read_annotations, 0 },
                { "devices", WANT_ARRAY, REQUIRED, read_cdi_devices, 0 },
                { "containerEdits", WANT_OBJECT, OPTIONAL, cdi_read_edits, offsetof(struct cdi_file, edits) },
        };
        int r = cdi_read_fields(at, v, fields, COUNT(fields), file);
        return r < 0 ? r : check_version(at, v, file);
}

int cdi_read_text(struct arena *arena, const char *text, size_t size, const char *name, struct cdi_file *ret,
                  struct error *err)
{
        auto_tree struct json_object *tree = NULL;
        int r = tree_parse(text, size, name, &tree, err);
        if (r < 0)
                return r;
        const struct reader reader = { .arena = arena, .err = err, .file = name };
        const struct where document = { .reader = &reader };
        struct cdi_file file = { 0 };
        r = read_file(&document, tree, &file);
        if (r == 0)
                *ret = file;
        return r;
}

#include "spec/sections.h"

#include <inttypes.h>
#include <string.h>

#include <json-c/json_object.h>

#include "spec/path_clean.h"
#include "spec/spec.h"

#define DEVICES_MAX 4096

/* mknod(2) takes 12 and 20 bits; more would silently be another device. */
#define MAJOR_MAX ((1 << 12) - 1)
#define MINOR_MAX ((1 << 20) - 1)

static int read_device_path(const struct where *at, struct json_object *v, void *out)
{
        const char *written;
        int r = read_absolute(at, v, &written);
        if (r < 0)
                return r;
        const char *clean = path_clean(at->reader->arena, written);
        if (!clean)
                return where_no_memory(at);
        if (strcmp(clean, "/") == 0)
                return where_fail(at, "\"/\" cannot be a device");
        *(const char **) out = clean;
        return 0;
}

static int read_device_type(const struct where *at, struct json_object *v, void *out)
{
        const char *s = json_object_get_string(v);
        if (strlen(s) != 1 || !strchr("cubp", *s))
                return where_fail(at, "unknown device type %s (one of c, u, b, p)", quoted(s).text);
        *(char *) out = *s;
        return 0;
}

static int read_mode(const struct where *at, struct json_object *v, void *out)
{
        struct spec_device *d = out;
        uint64_t mode = 0;
        int r = read_natural(at, v, UINT32_MAX, &mode);
        if (r < 0)
                return r;
        d->has_mode = true;
        d->mode = mode & 07777; /* Docker leaves the type's bits in (0020660) */
        return 0;
}

static int read_part_of_number(const struct where *at, struct json_object *v, int64_t max, uint32_t *ret)
{
        int64_t n = 0;
        int r = read_number(at, v, 0, max, &n);
        if (r == 0)
                *ret = (uint32_t) n;
        return r;
}

int read_device_major(const struct where *at, struct json_object *v, void *out)
{
        return read_part_of_number(at, v, MAJOR_MAX, out);
}

int read_device_minor(const struct where *at, struct json_object *v, void *out)
{
        return read_part_of_number(at, v, MINOR_MAX, out);
}

static int read_device(const struct where *at, struct json_object *v, void *out)
{
        static const struct field device_fields[] = {
                { "type", WANT_STRING, REQUIRED, read_device_type, offsetof(struct spec_device, type) },
                { "path", WANT_STRING, REQUIRED, read_device_path, offsetof(struct spec_device, path) },
                { "fileMode", WANT_NUMBER, OPTIONAL, read_mode, 0 },
                { "uid", WANT_NUMBER, OPTIONAL, read_id, offsetof(struct spec_device, uid) },
                { "gid", WANT_NUMBER, OPTIONAL, read_id, offsetof(struct spec_device, gid) },
        };
        static const struct field number_fields[] = {
                { "major", WANT_NUMBER, REQUIRED, read_device_major, offsetof(struct spec_device, major) },
                { "minor", WANT_NUMBER, REQUIRED, read_device_minor, offsetof(struct spec_device, minor) },
        };
        struct spec_device *d = out;
        int r = read_fields(at, v, device_fields, COUNT(device_fields), d);
        if (r < 0 || d->type == 'p')
                return r;       /* a fifo has no number; whatever stands there is of no effect */
        return read_fields(at, v, number_fields, COUNT(number_fields), d);
}

int read_devices(const struct where *at, struct json_object *v, void *out)
{
        static const struct element device = { WANT_OBJECT, sizeof(struct spec_device), read_device, DEVICES_MAX };
        struct spec *spec = out;
        struct list list = { 0 };
        int r = read_list(at, v, &device, &list);
        if (r < 0)
                return r;
        spec->devices = list.items;
        spec->n_devices = list.n;
        return 0;
}

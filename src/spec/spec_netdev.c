#include "spec/sections.h"

#include <string.h>
#include <net/if.h>

#include <json-c/json_object.h>
#include <json-c/linkhash.h>

#include "spec/spec.h"

#define NET_DEVICES_MAX 1024

/* dev_valid_name() of the kernel; one "%d" in the new name is the kernel's to count. */
static bool is_device_name(const char *s, bool may_count)
{
        size_t len = strlen(s);
        if (len == 0 || len >= IFNAMSIZ || strcmp(s, ".") == 0 || strcmp(s, "..") == 0 || s[strcspn(s, "/: \t\n\v\f\r")])
                return false;
        const char *percent = strchr(s, '%');
        return !percent || (may_count && percent[1] == 'd' && !strchr(percent + 1, '%'));
}

static int read_new_name(const struct where *at, struct json_object *v, void *out)
{
        const char *s = json_object_get_string(v);
        if (*s && !is_device_name(s, true))
                return where_fail(at, "expected the name of a network device (at most %d bytes), found %s", IFNAMSIZ - 1,
                                  quoted(s).text);
        return read_given(at, v, out);
}

int read_net_devices(const struct where *at, struct json_object *v, void *out)
{
        static const struct field fields[] = {
                { "name", WANT_STRING, OPTIONAL, read_new_name, offsetof(struct spec_net_device, name) },
        };
        struct spec *spec = out;
        size_t n = (size_t) json_object_object_length(v), i = 0;
        if (n > NET_DEVICES_MAX)
                return where_fail(at, "%zu devices, at most %d are possible", n, NET_DEVICES_MAX);
        struct spec_net_device *list = arena_alloc(at->reader->arena, n + 1, sizeof(*list));
        if (!list)
                return where_no_memory(at);
        json_object_object_foreach(v, key, value) {
                const struct where here = where_key(at, key);
                if (!is_device_name(key, false))
                        return where_fail(&here, "expected the name of a network device");
                if (value && json_object_get_type(value) != json_type_object)
                        return where_fail(&here, "expected an object");
                list[i].device = arena_strdup(at->reader->arena, key);
                if (!list[i].device)
                        return where_no_memory(at);
                int r = value ? read_fields(&here, value, fields, COUNT(fields), &list[i]) : 0;
                if (r < 0)
                        return r;
                if (!list[i].name)
                        list[i].name = list[i].device;
                i++;
        }
        spec->net_devices = n > 0 ? list : NULL;
        spec->n_net_devices = n;
        return 0;
}

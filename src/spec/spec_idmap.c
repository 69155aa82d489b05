#include "spec/sections.h"

#include "spec/spec.h"

#define ID_MAPS_MAX 340         /* lines that the kernel takes (since 4.15) */

static int read_map_size(const struct where *at, struct json_object *v, void *out)
{
        int64_t n = 0;
        int r = read_number(at, v, 1, UINT32_MAX, &n);
        if (r == 0)
                *(uint32_t *) out = (uint32_t) n;
        return r;
}

static int read_id_map(const struct where *at, struct json_object *v, void *out)
{
        static const struct field id_map_fields[] = {
                { "containerID", WANT_NUMBER, REQUIRED, read_id, offsetof(struct spec_id_map, container_id) },
                { "hostID", WANT_NUMBER, REQUIRED, read_id, offsetof(struct spec_id_map, host_id) },
                { "size", WANT_NUMBER, REQUIRED, read_map_size, offsetof(struct spec_id_map, size) },
        };
        return read_fields(at, v, id_map_fields, COUNT(id_map_fields), out);
}

static const struct element id_map = { WANT_OBJECT, sizeof(struct spec_id_map), read_id_map, ID_MAPS_MAX };

int read_id_maps(const struct where *at, struct json_object *v, const struct spec_id_map **ret, size_t *ret_n)
{
        struct list list = { 0 };
        int r = read_list(at, v, &id_map, &list);
        if (r < 0)
                return r;
        *ret = list.items;
        *ret_n = list.n;
        return 0;
}

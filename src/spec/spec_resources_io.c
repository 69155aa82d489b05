#include "spec/sections.h"

#include <string.h>

#include <json-c/json_object.h>
#include <json-c/linkhash.h>

#include "spec/spec.h"

#define NUMBERS_MAX 4096        /* devices per list */

/* A name that becomes a word in a line of a cgroup file. */
static int read_device_name(const struct where *at, struct json_object *v, void *out)
{
        const char *s = json_object_get_string(v);
        if (*s == '\0' || strlen(s) > 64 || s[strcspn(s, " \t\n/")])
                return where_fail(at, "expected the name of a device, found %s", quoted(s).text);
        return read_string(at, v, out);
}

static int read_u64(const struct where *at, struct json_object *v, void *out)
{
        return read_natural(at, v, UINT64_MAX, out);
}

/* ---- hugepageLimits ---- */

/* "2MB": a number and KB, MB or GB, as the kernel calls its files. */
static int read_page_size(const struct where *at, struct json_object *v, void *out)
{
        const char *s = json_object_get_string(v);
        size_t digits = strspn(s, "0123456789");
        const char *unit = s + digits;
        if (digits == 0 || digits > 6 || *s == '0' ||
            (strcmp(unit, "KB") != 0 && strcmp(unit, "MB") != 0 && strcmp(unit, "GB") != 0))
                return where_fail(at, "expected a size such as \"2MB\", found %s", quoted(s).text);
        return read_string(at, v, out);
}

static int read_huge_page(const struct where *at, struct json_object *v, void *out)
{
        static const struct field fields[] = {
                { "pageSize", WANT_STRING, REQUIRED, read_page_size, offsetof(struct huge_page_limit, page_size) },
                { "limit", WANT_NUMBER, REQUIRED, read_u64, offsetof(struct huge_page_limit, limit) },
        };
        return read_fields(at, v, fields, COUNT(fields), out);
}

int read_huge_pages(const struct where *at, struct json_object *v, void *out)
{
        static const struct element limit = { WANT_OBJECT, sizeof(struct huge_page_limit), read_huge_page, 64 };
        struct resources *res = out;
        struct list list = { 0 };
        int r = read_list(at, v, &limit, &list);
        if (r < 0)
                return r;
        res->huge_pages = list.items;
        res->n_huge_pages = list.n;
        return 0;
}

/* ---- blockIO ---- */

static int read_weight(const struct where *at, struct json_object *v, void *out)
{
        uint64_t n = 0;
        int r = read_natural(at, v, 1000, &n);
        if (r == 0 && n > 0 && n < 10)
                return where_fail(at, "expected a weight from 10 to 1000, found %d", (int) n);
        if (r == 0 && n > 0)
                *(struct opt_u64 *) out = (struct opt_u64){ true, n };
        return r;
}

static int read_weight_number(const struct where *at, struct json_object *v, void *out)
{
        struct opt_u64 n = { 0 };
        int r = read_weight(at, v, &n);
        if (r == 0)
                *(uint64_t *) out = n.value;
        return r;
}

static int read_block_weight(const struct where *at, struct json_object *v, void *out)
{
        static const struct field fields[] = {
                { "major", WANT_NUMBER, REQUIRED, read_u32, offsetof(struct block_number, major) },
                { "minor", WANT_NUMBER, REQUIRED, read_u32, offsetof(struct block_number, minor) },
                { "weight", WANT_NUMBER, OPTIONAL, read_weight_number, offsetof(struct block_number, number) },
                { "leafWeight", WANT_NUMBER, OPTIONAL, read_refused, 0 },
        };
        struct block_number *b = out;
        int r = read_fields(at, v, fields, COUNT(fields), b);
        return r == 0 && b->number == 0 ? where_fail(at, "weight: missing") : r;
}

static int read_block_rate(const struct where *at, struct json_object *v, void *out)
{
        static const struct field fields[] = {
                { "major", WANT_NUMBER, REQUIRED, read_u32, offsetof(struct block_number, major) },
                { "minor", WANT_NUMBER, REQUIRED, read_u32, offsetof(struct block_number, minor) },
                { "rate", WANT_NUMBER, REQUIRED, read_u64, offsetof(struct block_number, number) },
        };
        return read_fields(at, v, fields, COUNT(fields), out);
}

static int read_block_weights(const struct where *at, struct json_object *v, void *out)
{
        static const struct element weight = { WANT_OBJECT, sizeof(struct block_number), read_block_weight, NUMBERS_MAX };
        struct resources_block_io *b = out;
        struct list list = { 0 };
        int r = read_list(at, v, &weight, &list);
        if (r < 0)
                return r;
        b->weights = list.items;
        b->n_weights = list.n;
        return 0;
}

static int read_rates(const struct where *at, struct json_object *v, struct resources_block_io *b, enum block_rate kind)
{
        static const struct element rate = { WANT_OBJECT, sizeof(struct block_number), read_block_rate, NUMBERS_MAX };
        struct list list = { 0 };
        int r = read_list(at, v, &rate, &list);
        if (r < 0)
                return r;
        b->rates[kind] = list.items;
        b->n_rates[kind] = list.n;
        return 0;
}

static int read_read_bps(const struct where *at, struct json_object *v, void *out)
{
        return read_rates(at, v, out, BLOCK_READ_BPS);
}

static int read_write_bps(const struct where *at, struct json_object *v, void *out)
{
        return read_rates(at, v, out, BLOCK_WRITE_BPS);
}

static int read_read_iops(const struct where *at, struct json_object *v, void *out)
{
        return read_rates(at, v, out, BLOCK_READ_IOPS);
}

static int read_write_iops(const struct where *at, struct json_object *v, void *out)
{
        return read_rates(at, v, out, BLOCK_WRITE_IOPS);
}

int read_block_io(const struct where *at, struct json_object *v, void *out)
{
        static const struct field fields[] = {
                { "weight", WANT_NUMBER, OPTIONAL, read_weight, offsetof(struct resources_block_io, weight) },
                /* Of the scheduler CFQ, which left the kernel in 5.0. */
                { "leafWeight", WANT_NUMBER, OPTIONAL, read_refused, 0 },
                { "weightDevice", WANT_ARRAY, OPTIONAL, read_block_weights, 0 },
                { "throttleReadBpsDevice", WANT_ARRAY, OPTIONAL, read_read_bps, 0 },
                { "throttleWriteBpsDevice", WANT_ARRAY, OPTIONAL, read_write_bps, 0 },
                { "throttleReadIOPSDevice", WANT_ARRAY, OPTIONAL, read_read_iops, 0 },
                { "throttleWriteIOPSDevice", WANT_ARRAY, OPTIONAL, read_write_iops, 0 },
        };
        return read_fields(at, v, fields, COUNT(fields), &((struct resources *) out)->block_io);
}

/* ---- rdma ---- */

static int read_count(const struct where *at, struct json_object *v, void *out)
{
        uint64_t n = 0;
        int r = read_natural(at, v, UINT32_MAX, &n);
        if (r == 0)
                *(struct opt_u64 *) out = (struct opt_u64){ true, n };
        return r;
}

int read_rdma(const struct where *at, struct json_object *v, void *out)
{
        static const struct field fields[] = {
                { "hcaHandles", WANT_NUMBER, OPTIONAL, read_count, offsetof(struct rdma_limit, handles) },
                { "hcaObjects", WANT_NUMBER, OPTIONAL, read_count, offsetof(struct rdma_limit, objects) },
        };
        struct resources *res = out;
        size_t n = 0;
        struct rdma_limit *list = arena_alloc(at->reader->arena, (size_t) json_object_object_length(v) + 1,
                                              sizeof(*list));
        if (!list)
                return where_no_memory(at);
        json_object_object_foreach(v, key, value) {
                const struct where here = where_key(at, key);
                struct json_object *name = json_object_new_string(key);
                if (!name)
                        return where_no_memory(at);
                int r = read_device_name(&here, name, &list[n].device);
                json_object_put(name);
                if (r == 0 && json_object_get_type(value) != json_type_object)
                        r = where_fail(&here, "expected an object");
                if (r == 0)
                        r = read_fields(&here, value, fields, COUNT(fields), &list[n]);
                if (r < 0)
                        return r;
                if (!list[n].handles.has && !list[n].objects.has)
                        return where_fail(&here, "expected hcaHandles, hcaObjects or both");
                n++;
        }
        res->rdma = n > 0 ? list : NULL;
        res->n_rdma = n;
        return 0;
}

/* ---- network ---- */

static int read_class(const struct where *at, struct json_object *v, void *out)
{
        uint64_t n = 0;
        int r = read_natural(at, v, UINT32_MAX, &n);
        if (r == 0 && n > 0)
                *(struct opt_u64 *) out = (struct opt_u64){ true, n };
        return r;
}

static int read_priority(const struct where *at, struct json_object *v, void *out)
{
        static const struct field fields[] = {
                { "name", WANT_STRING, REQUIRED, read_device_name, offsetof(struct network_priority, name) },
                { "priority", WANT_NUMBER, REQUIRED, read_u32, offsetof(struct network_priority, priority) },
        };
        return read_fields(at, v, fields, COUNT(fields), out);
}

static int read_priorities(const struct where *at, struct json_object *v, void *out)
{
        static const struct element priority = { WANT_OBJECT, sizeof(struct network_priority), read_priority, 4096 };
        struct resources_network *net = out;
        struct list list = { 0 };
        int r = read_list(at, v, &priority, &list);
        if (r < 0)
                return r;
        net->priorities = list.items;
        net->n_priorities = list.n;
        return 0;
}

int read_network(const struct where *at, struct json_object *v, void *out)
{
        static const struct field fields[] = {
                { "classID", WANT_NUMBER, OPTIONAL, read_class, offsetof(struct resources_network, class_id) },
                { "priorities", WANT_ARRAY, OPTIONAL, read_priorities, 0 },
        };
        return read_fields(at, v, fields, COUNT(fields), &((struct resources *) out)->network);
}

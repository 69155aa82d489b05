#include "spec/sections.h"

#include <errno.h>
#include <string.h>

#include "spec/read.h"

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

/* ---- maps without an object ---- */

int spec_default_maps(struct spec *spec, uint32_t uid, uint32_t gid, struct error *err)
{
        const struct spec_namespace *ns = &spec->ns[NS_USER];
        if (!ns->wanted || ns->path || spec->n_uid_map > 0 || spec->n_gid_map > 0)
                return 0;
        struct spec_id_map *maps = arena_alloc(spec->arena, 2, sizeof(*maps));
        if (!maps)
                return error_set(err, -ENOMEM, "map the ids of the user namespace");
        maps[0] = (struct spec_id_map){ .container_id = 0, .host_id = uid, .size = 1 };
        maps[1] = (struct spec_id_map){ .container_id = 0, .host_id = gid, .size = 1 };
        spec->uid_map = &maps[0];
        spec->gid_map = &maps[1];
        spec->n_uid_map = spec->n_gid_map = 1;
        return 0;
}

/* The number at *p, which must be followed by `end`; *p is left behind that. */
static bool take_number(const char **p, const char *end, uint32_t *ret)
{
        uint64_t n = 0;
        const char *at = *p;
        for (; *at >= '0' && *at <= '9' && n <= UINT32_MAX; at++)
                n = n * 10 + (uint64_t) (*at - '0');
        if (at == *p || n > UINT32_MAX || !strchr(end, *at))
                return false;
        *ret = (uint32_t) n;
        *p = *at ? at + 1 : at;
        return true;
}

/* "0-1000-10#10-2000-5": of the file system, of the host, how many. Ends at ";" or with the text. */
static int take_ranges(const struct where *at, const char **p, const struct spec_id_map **ret, size_t *ret_n)
{
        size_t room = 1;
        for (const char *s = *p; *s && *s != ';'; s++)
                room += *s == '#';
        struct spec_id_map *maps = room <= ID_MAPS_MAX ? arena_alloc(at->reader->arena, room, sizeof(*maps)) : NULL;
        if (!maps)
                return room > ID_MAPS_MAX ? where_fail(at, "more than %d ranges", ID_MAPS_MAX) : where_no_memory(at);
        for (size_t i = 0; i < room; i++) {
                struct spec_id_map *m = &maps[i];
                if (!take_number(p, "-", &m->container_id) || !take_number(p, "-", &m->host_id) ||
                    !take_number(p, "#;", &m->size) || m->size == 0)
                        return where_fail(at, "expected ranges such as \"0-1000-10#10-2000-5\" in the maps");
        }
        *ret = maps;
        *ret_n = room;
        return 0;
}

int read_idmap_option(const struct where *at, const char *text, struct spec_mount *m)
{
        if (m->n_uid_map > 0 || m->n_gid_map > 0)
                return where_fail(at, "the mount has maps already (uidMappings, gidMappings, or the option twice)");
        for (const char *p = text; *p;) {
                bool uids = strncmp(p, "uids=", 5) == 0;
                if (!uids && strncmp(p, "gids=", 5) != 0)
                        return where_fail(at, "expected \"uids=...;gids=...\" behind \"idmap=\", found %s", quoted(p).text);
                p += 5;
                bool relative = *p == '@';
                p += relative;
                int r = take_ranges(at, &p, uids ? &m->uid_map : &m->gid_map, uids ? &m->n_uid_map : &m->n_gid_map);
                if (r < 0)
                        return r;
                *(uids ? &m->uids_relative : &m->gids_relative) = relative;
        }
        return 0;
}

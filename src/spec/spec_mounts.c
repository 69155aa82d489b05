#include "spec/sections.h"

#include <string.h>

#include <json-c/json_object.h>

#include "spec/mount_options.h"
#include "spec/path_clean.h"

#define MOUNTS_MAX 16384
#define OPTIONS_MAX 256         /* per mount; there are 70 words */

static int read_destination(const struct where *at, struct json_object *v, void *out)
{
        const char *written;
        int r = read_path(at, v, &written);
        if (r < 0)
                return r;
        const char *clean = path_clean(at->reader->arena, written);
        if (!clean)
                return where_no_memory(at);
        *(const char **) out = clean;
        return 0;
}

/* The specification goes by the options alone; "type": "bind" without them is a habit from fstab. */
static int read_type(const struct where *at, struct json_object *v, void *out)
{
        struct spec_mount *m = out;
        m->bind = strcmp(json_object_get_string(v), "bind") == 0;
        return read_given(at, v, &m->type);
}

static bool has_word(const char **words, const char *word)
{
        for (; words && *words; words++)
                if (strcmp(*words, word) == 0)
                        return true;
        return false;
}

/*
 * A bind mount is made as one and changed afterwards in any case: "remount"
 * beside "bind" is a habit from fstab and adds nothing. Without "bind" it would
 * change a mount that somebody else made.
 */
static bool is_idle_remount(const struct spec_mount *m, const char **words, const char *word)
{
        return strcmp(word, "remount") == 0 && (m->bind || has_word(words, "bind") || has_word(words, "rbind"));
}

/* What follows "idmap=" or "ridmap="; NULL for other words. */
static const char *maps_of(const char *word)
{
        word += *word == 'r';
        return strncmp(word, "idmap=", 6) == 0 ? word + 6 : NULL;
}

/* Apply the known words and join the others with commas. */
static int apply_options(const struct where *at, const char **words, struct spec_mount *m)
{
        size_t room = 1;
        for (const char **w = words; *w; w++)
                room += strlen(*w) + 1;
        char *data = arena_alloc(at->reader->arena, room, 1);
        if (!data)
                return where_no_memory(at);

        size_t n = 0;
        for (size_t i = 0; words[i]; i++) {
                const struct where here = where_index(at, i);
                size_t len = strlen(words[i]);
                const char *maps = maps_of(words[i]);
                if (maps) {
                        m->idmap = words[i][0] == 'r' ? IDMAP_RECURSIVE : IDMAP_MOUNT;
                        int r = read_idmap_option(&here, maps, m);
                        if (r < 0)
                                return r;
                        continue;
                }
                switch (mount_option_apply(m, words[i])) {
                case MOUNT_WORD_KNOWN:
                        break;
                case MOUNT_WORD_REFUSED:
                        if (!is_idle_remount(m, words, words[i]))
                                return where_fail(&here, "\"%s\" is not supported", words[i]);
                        break;
                case MOUNT_WORD_DATA:
                        if (n > 0 && len > 0)
                                data[n++] = ',';
                        memcpy(data + n, words[i], len);
                        n += len;
                        break;
                }
        }
        m->data = data;
        return 0;
}

static int read_options(const struct where *at, struct json_object *v, void *out)
{
        static const struct element word = { WANT_STRING, sizeof(char *), read_string, OPTIONS_MAX };
        struct list list = { 0 };
        int r = read_list(at, v, &word, &list);
        if (r < 0 || list.n == 0)
                return r;
        return apply_options(at, list.items, out);
}

static int read_uid_maps(const struct where *at, struct json_object *v, void *out)
{
        struct spec_mount *m = out;
        if (m->n_uid_map > 0)
                return where_fail(at, "the options have maps, too");
        return read_id_maps(at, v, &m->uid_map, &m->n_uid_map);
}

static int read_gid_maps(const struct where *at, struct json_object *v, void *out)
{
        struct spec_mount *m = out;
        if (m->n_gid_map > 0)
                return where_fail(at, "the options have maps, too");
        return read_id_maps(at, v, &m->gid_map, &m->n_gid_map);
}

static int read_mount(const struct where *at, struct json_object *v, void *out)
{
        static const struct field mount_fields[] = {
                { "destination", WANT_STRING, REQUIRED, read_destination, offsetof(struct spec_mount, destination) },
                { "type", WANT_STRING, OPTIONAL, read_type, 0 },
                { "source", WANT_STRING, OPTIONAL, read_given, offsetof(struct spec_mount, source) },
                { "options", WANT_ARRAY, OPTIONAL, read_options, 0 },
                { "uidMappings", WANT_ARRAY, OPTIONAL, read_uid_maps, 0 },
                { "gidMappings", WANT_ARRAY, OPTIONAL, read_gid_maps, 0 },
        };
        struct spec_mount *m = out;
        m->data = "";
        int r = read_fields(at, v, mount_fields, COUNT(mount_fields), m);
        if (r == 0 && m->idmap == IDMAP_NONE && (m->n_uid_map > 0 || m->n_gid_map > 0))
                m->idmap = IDMAP_MOUNT; /* maps alone: before 1.2 the specification had no words for it */
        return r;
}

int read_mounts(const struct where *at, struct json_object *v, void *out)
{
        static const struct element mount = { WANT_OBJECT, sizeof(struct spec_mount), read_mount, MOUNTS_MAX };
        struct spec *spec = out;
        struct list list = { 0 };
        int r = read_list(at, v, &mount, &list);
        if (r < 0)
                return r;
        spec->mounts = list.items;
        spec->n_mounts = list.n;
        return 0;
}

#include "cgroups/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define UNIT_NAME_MAX 255
#define SLICE ".slice"

static bool is_unit_char(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr(":-_.\\", c));
}

static int check_name(const char *name, const char *what, struct error *err)
{
        size_t n = 0;
        while (is_unit_char(name[n]))
                n++;
        if (name[n])
                return error_say(err, -EINVAL,
                                 "linux.cgroupsPath: the %s \"%.*s...\" goes on with 0x%02x: names of systemd's units are of "
                                 "letters, digits and : - _ . \\", what, (int) n, name, (unsigned char) name[n]);
        if (n > UNIT_NAME_MAX)
                return error_say(err, -ENAMETOOLONG, "linux.cgroupsPath: the %s \"%.40s...\" is longer than %d characters",
                                 what, name, UNIT_NAME_MAX);
        return 0;
}

/* "a-b.slice": neither empty components nor anything but the suffix. "-.slice" is the root. */
static int check_slice(const char *slice, struct error *err)
{
        size_t n = strlen(slice);
        int r = check_name(slice, "slice", err);
        if (r < 0 || strcmp(slice, "-" SLICE) == 0)
                return r;
        if (!unit_is_slice(slice) || n == strlen(SLICE) || slice[0] == '-' || slice[n - strlen(SLICE) - 1] == '-' ||
            strstr(slice, "--"))
                return error_say(err, -EINVAL,
                                 "linux.cgroupsPath: \"%s\" is not the name of a slice, such as a.slice or, inside it, "
                                 "a-b.slice", slice);
        return 0;
}

/* An id may have what a unit's name may not: as systemd escapes it. */
static const char *name_of_id(const char *id, struct arena *arena)
{
        char *name = arena_alloc(arena, 4 * strlen(id) + 1, 1), *out = name;
        for (; name && *id; id++)
                if (is_unit_char(*id))
                        *out++ = *id;
                else
                        out += snprintf(out, 5, "\\x%02x", (unsigned char) *id);
        return name;
}

/* Three parts between two colons. */
static bool split(const char *path, struct arena *arena, const char *part[3])
{
        for (int i = 0; i < 3; i++) {
                size_t n = strcspn(path, ":");
                if ((path[n] == ':') != (i < 2))
                        return false;
                part[i] = arena_strndup(arena, path, n);
                path += n + (i < 2);
        }
        return true;
}

int unit_name(const char *cgroups_path, const char *id, bool user, struct arena *arena, struct unit *ret,
              struct error *err)
{
        const char *part[3] = { "", "berth", NULL };
        if (!cgroups_path || !*cgroups_path)
                part[2] = name_of_id(id, arena);
        else if (!split(cgroups_path, arena, part))
                return error_say(err, -EINVAL,
                                 "linux.cgroupsPath: \"%s\" is not of the form slice:prefix:name, which it has to be with "
                                 "--systemd-cgroup: \"system.slice:berth:%s\"", cgroups_path, id);
        if (!part[0] || !part[1] || !part[2])
                return error_set(err, -ENOMEM, "name the unit of a container");
        if (!*part[2] || strcmp(part[2], "-" SLICE) == 0)
                return error_say(err, -EINVAL, "linux.cgroupsPath: \"%s\" has no name of its own after the second colon",
                                 cgroups_path);
        struct unit u = { .user = user, .name = part[2], .slice = part[0] };
        if (!*u.slice)
                u.slice = user ? "user" SLICE : "system" SLICE;
        if (!unit_is_slice(u.name))
                u.name = arena_printf(arena, "%s-%s.scope", part[1], part[2]);
        if (!u.name)
                return error_set(err, -ENOMEM, "name the unit of a container");
        int r = check_slice(u.slice, err);
        if (r == 0)
                r = unit_is_slice(u.name) ? check_slice(u.name, err) : check_name(u.name, "unit", err);
        if (r == 0)
                *ret = u;
        return r;
}

int unit_path(const struct unit *unit, struct arena *arena, const char **ret, struct error *err)
{
        auto_str struct str s = STR_INIT;
        bool own_slice = unit_is_slice(unit->name);
        const char *slice = own_slice ? unit->name : unit->slice;
        size_t n = strcmp(slice, "-" SLICE) == 0 ? 0 : strlen(slice) - strlen(SLICE);
        for (size_t end = 0; end < n; end++) {
                end += strcspn(slice + end, "-");
                end = end < n ? end : n;        /* the last "-" may be far, in the suffix there is none */
                str_addf(&s, "/%.*s" SLICE, (int) end, slice);
        }
        if (!own_slice)
                str_addf(&s, "/%s", unit->name);
        const char *path = str_failed(&s) ? NULL : arena_strdup(arena, s.text);
        if (!path)
                return error_set(err, -ENOMEM, "find the cgroup of unit \"%s\"", unit->name);
        *ret = path;
        return 0;
}

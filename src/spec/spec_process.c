#include "spec/sections.h"

#include <string.h>
#include <sys/resource.h>

#include <json-c/json_object.h>

#include "spec/spec.h"

#define GROUPS_MAX 65536        /* NGROUPS_MAX of the kernel */
#define CAP_NAMES_MAX 256       /* per set; the kernel knows 41 */

static int read_console_size(const struct where *at, struct json_object *v, void *out)
{
        struct spec_process *p = out;
        struct {
                uint32_t width, height;
        } size = { 0 };
        static const struct field size_fields[] = {
                { "height", WANT_NUMBER, REQUIRED, read_u32, offsetof(__typeof__(size), height) },
                { "width", WANT_NUMBER, REQUIRED, read_u32, offsetof(__typeof__(size), width) },
        };
        int r = read_fields(at, v, size_fields, COUNT(size_fields), &size);
        if (r < 0)
                return r;
        if (size.width > UINT16_MAX || size.height > UINT16_MAX)
                return where_fail(at, "%u by %u characters, at most %d are possible", size.width, size.height,
                                  UINT16_MAX);
        p->console_width = (uint16_t) size.width;
        p->console_height = (uint16_t) size.height;
        return 0;
}

/* ---- user ---- */

static int read_umask(const struct where *at, struct json_object *v, void *out)
{
        struct spec_user *user = out;
        uint64_t n = 0;
        int r = read_natural(at, v, 0777, &n);
        if (r < 0)
                return r;
        user->has_umask = true;
        user->umask = (uint32_t) n;
        return 0;
}

static int read_groups(const struct where *at, struct json_object *v, void *out)
{
        static const struct element group = { WANT_NUMBER, sizeof(uint32_t), read_id, GROUPS_MAX };
        struct spec_user *user = out;
        struct list list = { 0 };
        int r = read_list(at, v, &group, &list);
        if (r < 0)
                return r;
        user->groups = list.items;
        user->n_groups = list.n;
        return 0;
}

static int read_user(const struct where *at, struct json_object *v, void *out)
{
        static const struct field user_fields[] = {
                { "uid", WANT_NUMBER, OPTIONAL, read_id, offsetof(struct spec_user, uid) },
                { "gid", WANT_NUMBER, OPTIONAL, read_id, offsetof(struct spec_user, gid) },
                { "umask", WANT_NUMBER, OPTIONAL, read_umask, 0 },
                { "additionalGids", WANT_ARRAY, OPTIONAL, read_groups, 0 },
        };
        return read_fields(at, v, user_fields, COUNT(user_fields), out);
}

/* ---- env ---- */

static int read_variable(const struct where *at, struct json_object *v, void *out)
{
        const char *s = json_object_get_string(v);
        if (*s == '=' || !strchr(s, '='))
                return where_fail(at, "expected NAME=value, found %s", quoted(s).text);
        return read_string(at, v, out);
}

static int read_env(const struct where *at, struct json_object *v, void *out)
{
        static const struct element variable = { WANT_STRING, sizeof(char *), read_variable, 131072 };
        struct list list = { 0 };
        int r = read_list(at, v, &variable, &list);
        if (r == 0)
                *(const char ***) out = list.items;
        return r;
}

/* ---- rlimits ---- */

static int read_rlimit_type(const struct where *at, struct json_object *v, void *out)
{
        uint64_t resource = 0;
        int r = read_word(at, v, &words_rlimits, &resource);
        if (r == 0)
                *(int *) out = (int) resource;
        return r;
}

/* Slurm rewrites config.json through signed numbers: infinity arrives as INT64_MAX. */
static int read_limit(const struct where *at, struct json_object *v, void *out)
{
        uint64_t n = 0;
        int r = read_natural(at, v, UINT64_MAX, &n);
        if (r == 0)
                *(uint64_t *) out = n == INT64_MAX ? UINT64_MAX : n;
        return r;
}

static int read_rlimit(const struct where *at, struct json_object *v, void *out)
{
        static const struct field rlimit_fields[] = {
                { "type", WANT_STRING, REQUIRED, read_rlimit_type, offsetof(struct spec_rlimit, resource) },
                { "soft", WANT_NUMBER, REQUIRED, read_limit, offsetof(struct spec_rlimit, soft) },
                { "hard", WANT_NUMBER, REQUIRED, read_limit, offsetof(struct spec_rlimit, hard) },
        };
        return read_fields(at, v, rlimit_fields, COUNT(rlimit_fields), out);
}

static int read_rlimits(const struct where *at, struct json_object *v, void *out)
{
        static const struct element rlimit = { WANT_OBJECT, sizeof(struct spec_rlimit), read_rlimit, 256 };
        struct spec_process *p = out;
        struct list list = { 0 };
        int r = read_list(at, v, &rlimit, &list);
        if (r < 0)
                return r;
        p->rlimits = list.items;
        p->n_rlimits = list.n;

        uint64_t seen = 0;
        for (size_t i = 0; i < list.n; i++) {
                uint64_t bit = UINT64_C(1) << p->rlimits[i].resource;
                const struct where here = where_index(at, i);
                if (seen & bit)
                        return where_fail(&here, "the same resource limit twice");
                seen |= bit;
        }
        return 0;
}

/* ---- capabilities ---- */

/* The names of one set, in any case of letters; what the table does not know is kept by name. */
static int read_set(const struct where *at, struct json_object *v, void *out)
{
        static const struct element name = { WANT_STRING, sizeof(char *), read_string, CAP_NAMES_MAX };
        struct list list = { 0 };
        int r = read_list(at, v, &name, &list);
        if (r == 0)
                *(const char ***) out = list.items;
        return r;
}

static bool is_in(const char **list, size_t n, const char *name)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(list[i], name) == 0)
                        return true;
        return false;
}

static int read_capabilities(const struct where *at, struct json_object *v, void *out)
{
        const char **names[CAP_SETS] = { 0 };
        static const struct field sets[] = {
                { "bounding", WANT_ARRAY, OPTIONAL, read_set, CAPS_BOUNDING * sizeof(*names) },
                { "effective", WANT_ARRAY, OPTIONAL, read_set, CAPS_EFFECTIVE * sizeof(*names) },
                { "inheritable", WANT_ARRAY, OPTIONAL, read_set, CAPS_INHERITABLE * sizeof(*names) },
                { "permitted", WANT_ARRAY, OPTIONAL, read_set, CAPS_PERMITTED * sizeof(*names) },
                { "ambient", WANT_ARRAY, OPTIONAL, read_set, CAPS_AMBIENT * sizeof(*names) },
        };
        int r = read_fields(at, v, sets, COUNT(sets), names);
        if (r < 0)
                return r;

        struct spec_process *p = out;
        const char *unknown[CAP_SETS * CAP_NAMES_MAX];
        size_t n_unknown = 0;
        p->has_capabilities = true;
        for (int set = 0; set < CAP_SETS; set++) {
                for (const char **name = names[set]; name && *name; name++) {
                        int number = capability_number(*name);
                        if (number >= 0)
                                p->caps[set] |= UINT64_C(1) << number;
                        else if (!is_in(unknown, n_unknown, *name))
                                unknown[n_unknown++] = *name;
                }
        }
        if (n_unknown == 0)
                return 0;
        p->caps_ignored = arena_grow(at->reader->arena, unknown, n_unknown, 1, sizeof(*unknown));
        return p->caps_ignored ? 0 : where_no_memory(at);
}

/* ---- the rest ---- */

static int read_oom_score(const struct where *at, struct json_object *v, void *out)
{
        struct spec_process *p = out;
        int64_t n = 0;
        int r = read_number(at, v, -1000, 1000, &n);
        if (r < 0)
                return r;
        p->has_oom_score_adj = true;
        p->oom_score_adj = (int) n;
        return 0;
}

/* One line: the kernel would take the rest for something else. */
int read_label(const struct where *at, struct json_object *v, void *out)
{
        const char *s = json_object_get_string(v);
        if (strlen(s) > 1024 || strchr(s, '\n'))
                return where_fail(at, "expected a label, found %s", quoted(s).text);
        return read_given(at, v, out);
}

int read_process(const struct where *at, struct json_object *v, void *out)
{
        struct spec *spec = out;
        static const struct field process_fields[] = {
                { "terminal", WANT_BOOL, OPTIONAL, read_bool, offsetof(struct spec_process, terminal) },
                { "consoleSize", WANT_OBJECT, OPTIONAL, read_console_size, 0 },
                { "user", WANT_OBJECT, OPTIONAL, read_user, offsetof(struct spec_process, user) },
                { "args", WANT_ARRAY, OPTIONAL, read_strings, offsetof(struct spec_process, args) },
                { "env", WANT_ARRAY, OPTIONAL, read_env, offsetof(struct spec_process, env) },
                { "cwd", WANT_STRING, REQUIRED, read_absolute, offsetof(struct spec_process, cwd) },
                { "capabilities", WANT_OBJECT, OPTIONAL, read_capabilities, 0 },
                { "rlimits", WANT_ARRAY, OPTIONAL, read_rlimits, 0 },
                { "noNewPrivileges", WANT_BOOL, OPTIONAL, read_bool,
                  offsetof(struct spec_process, no_new_privileges) },
                { "oomScoreAdj", WANT_NUMBER, OPTIONAL, read_oom_score, 0 },
                { "apparmorProfile", WANT_STRING, OPTIONAL, read_label, offsetof(struct spec_process, apparmor) },
                { "selinuxLabel", WANT_STRING, OPTIONAL, read_label, offsetof(struct spec_process, selinux) },
                { "scheduler", WANT_OBJECT, OPTIONAL, read_scheduler, offsetof(struct spec_process, scheduler) },
                { "ioPriority", WANT_OBJECT, OPTIONAL, read_io_priority,
                  offsetof(struct spec_process, io_priority) },
                { "execCPUAffinity", WANT_OBJECT, OPTIONAL, read_exec_affinity,
                  offsetof(struct spec_process, exec_affinity) },
        };
        if (json_object_object_length(v) == 0)
                return 0;       /* {} is no process */
        spec->has_process = true;
        return read_fields(at, v, process_fields, COUNT(process_fields), &spec->process);
}

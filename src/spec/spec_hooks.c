#include "spec/sections.h"

#include <json-c/json_object.h>

#include "spec/spec.h"

#define HOOKS_MAX 1024          /* per kind */

static int read_timeout(const struct where *at, struct json_object *v, void *out)
{
        int64_t n = 0;
        int r = read_number(at, v, 1, INT32_MAX, &n);
        if (r == 0)
                *(uint32_t *) out = (uint32_t) n;
        return r;
}

static int read_hook_env(const struct where *at, struct json_object *v, void *out)
{
        struct spec_hook *hook = out;
        hook->has_env = true;
        return read_strings(at, v, &hook->env);
}

static int read_hook(const struct where *at, struct json_object *v, void *out)
{
        static const struct field hook_fields[] = {
                { "path", WANT_STRING, REQUIRED, read_absolute, offsetof(struct spec_hook, path) },
                { "args", WANT_ARRAY, OPTIONAL, read_strings, offsetof(struct spec_hook, args) },
                { "env", WANT_ARRAY, OPTIONAL, read_hook_env, 0 },
                { "timeout", WANT_NUMBER, OPTIONAL, read_timeout, offsetof(struct spec_hook, timeout) },
        };
        return read_fields(at, v, hook_fields, COUNT(hook_fields), out);
}

static int read_kind(const struct where *at, struct json_object *v, void *out)
{
        static const struct element hook = { WANT_OBJECT, sizeof(struct spec_hook), read_hook, HOOKS_MAX };
        struct spec_hooks *hooks = out;
        struct list list = { 0 };
        int r = read_list(at, v, &hook, &list);
        if (r < 0)
                return r;
        hooks->list = list.items;
        hooks->n = list.n;
        return 0;
}

int read_hooks(const struct where *at, struct json_object *v, void *out)
{
        struct spec *spec = out;
        struct field kinds[HOOK_KINDS];
        for (size_t i = 0; i < HOOK_KINDS; i++)
                kinds[i] = (struct field){ hook_names[i], WANT_ARRAY, OPTIONAL, read_kind, i * sizeof(spec->hooks[0]) };
        return read_fields(at, v, kinds, HOOK_KINDS, spec->hooks);
}

#include "cli/option.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static bool takes_value(enum option_kind kind)
{
        return kind != OPTION_FLAG && kind != OPTION_IGNORED_FLAG && kind != OPTION_REFUSED_FLAG;
}

static const struct option *find(const struct option_set *set, const char *name, size_t size)
{
        for (size_t i = 0; i < set->n; i++) {
                const struct option *o = &set->list[i];
                if ((size == 1 && o->letter == *name) || (strncmp(o->name, name, size) == 0 && o->name[size] == '\0'))
                        return o;
        }
        return NULL;
}

static int parse_flag(const struct option *o, const char *value, bool *ret, struct error *err)
{
        static const char *const yes[] = { "true", "t", "1" }, *const no[] = { "false", "f", "0" };
        if (!value) {
                *ret = true;
                return 0;
        }
        for (size_t i = 0; i < sizeof(yes) / sizeof(*yes); i++)
                if (strcasecmp(value, yes[i]) == 0 || strcasecmp(value, no[i]) == 0) {
                        *ret = strcasecmp(value, yes[i]) == 0;
                        return 0;
                }
        return error_say(err, -EINVAL, "--%s=%s: expected true or false", o->name, value);
}

static int set_path(const char *value, struct arena *arena, const char **ret)
{
        char cwd[4096];
        if (value[0] != '/' && value[0] != '\0') {
                if (!getcwd(cwd, sizeof(cwd)))
                        return -errno;
                value = arena_printf(arena, "%s/%s", strcmp(cwd, "/") == 0 ? "" : cwd, value);
        }
        if (!value)
                return -ENOMEM;
        *ret = value;
        return 0;
}

static int add_to_list(const char *value, struct arena *arena, const char ***list)
{
        size_t n = strv_len(*list);
        const char **grown = arena_grow(arena, *list, n, 2, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        grown[n] = value;
        *list = grown;
        return 0;
}

static int store(const struct option *o, const char *value, struct arena *arena, void *args, struct error *err)
{
        void *at = (char *) args + o->offset;
        bool on = false;
        int r = 0;
        switch (o->kind) {
        case OPTION_FLAG:
                return parse_flag(o, value, at, err);
        case OPTION_TEXT:
                *(const char **) at = value;
                break;
        case OPTION_PATH:
                r = set_path(value, arena, at);
                break;
        case OPTION_LIST:
                r = add_to_list(value, arena, at);
                break;
        case OPTION_NUMBER:
                r = parse_u32(value, at);
                if (r < 0)
                        return error_say(err, -EINVAL, "--%s: \"%s\" is not a number of this option", o->name, value);
                break;
        case OPTION_REFUSED_FLAG:
                r = parse_flag(o, value, &on, err);
                return r < 0 || !on ? r : error_say(err, -EOPNOTSUPP, "--%s is not supported: %s", o->name, o->help);
        case OPTION_REFUSED_VALUE:
                return error_say(err, -EOPNOTSUPP, "--%s is not supported: %s", o->name, o->help);
        case OPTION_IGNORED_FLAG:
        case OPTION_IGNORED_VALUE:
                break;
        }
        return r < 0 ? error_set(err, r, "--%s", o->name) : 0;
}

int option_parse(const struct option_set *set, int argc, const char *const *argv, struct arena *arena, void *args,
                 struct positional *ret, struct error *err)
{
        struct positional pos = { arena_alloc(arena, (size_t) argc + 1, sizeof(*pos.list)), 0, false };
        if (!pos.list)
                return error_set(err, -ENOMEM, "read the options");
        bool only_args = false;
        for (int i = 0; i < argc; i++) {
                const char *word = argv[i];
                if (only_args || word[0] != '-' || word[1] == '\0') {
                        pos.list[pos.n++] = word;
                        only_args = only_args || set->rest;
                        continue;
                }
                if (strcmp(word, "--") == 0) {
                        only_args = true;
                        continue;
                }
                const char *name = word + 1 + (word[1] == '-');
                size_t size = strcspn(name, "=");
                const struct option *o = find(set, name, size);
                if (!o && ((size == 4 && strncmp(name, "help", 4) == 0) || (size == 1 && *name == 'h'))) {
                        pos.help = true;
                        continue;
                }
                if (!o)
                        return error_say(err, -EINVAL, "flag provided but not defined: %.*s",
                                         (int) (name - word + (long) size), word);
                const char *value = name[size] ? name + size + 1 : NULL;
                if (takes_value(o->kind) && !value) {
                        if (i + 1 == argc)
                                return error_say(err, -EINVAL, "flag needs an argument: %s", word);
                        value = argv[++i];
                }
                int r = store(o, value, arena, args, err);
                if (r < 0)
                        return r;
        }
        *ret = pos;
        return 0;
}

static int help_names(const struct option *o, char *buf, size_t size)
{
        const char *value = takes_value(o->kind) ? " value" : "";
        if (o->letter)
                return snprintf(buf, size, "--%s%s, -%c%s", o->name, value, o->letter, value);
        return snprintf(buf, size, "--%s%s", o->name, value);
}

void option_help(const struct option_set *set, struct str *out)
{
        char names[128];
        int width = 0;
        for (size_t i = 0; i < set->n; i++) {
                int n = help_names(&set->list[i], names, sizeof(names));
                width = n > width ? n : width;
        }
        for (size_t i = 0; i < set->n; i++) {
                const struct option *o = &set->list[i];
                help_names(o, names, sizeof(names));
                bool refused = o->kind == OPTION_REFUSED_FLAG || o->kind == OPTION_REFUSED_VALUE;
                bool ignored = o->kind == OPTION_IGNORED_FLAG || o->kind == OPTION_IGNORED_VALUE;
                const char *mark = refused ? "(not supported) " : ignored ? "(ignored) " : "";
                str_addf(out, "   %-*s  %s%s\n", width, names, mark, o->help);
        }
}

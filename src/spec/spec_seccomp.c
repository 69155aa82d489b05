#include "spec/sections.h"

#include <errno.h>
#include <string.h>
#include <sys/un.h>

#include <linux/seccomp.h>

#include <json-c/json_object.h>

#include "spec/spec.h"

#define RULES_MAX 65536
#define NAMES_MAX 4096          /* per rule; Linux has 500 */
#define ARGS_MAX 64             /* per rule; comparisons with the same argument are alternatives */
#define ERRNO_MAX 4095          /* the kernel cuts larger ones to this */

/* An action and, beside it in the object, the number that it returns. */
struct action {
        bool given;
        uint64_t ret;
        bool has_number;
        uint32_t number;
};

static int read_action(const struct where *at, struct json_object *v, void *out)
{
        struct action *a = out;
        a->given = true;
        return read_word(at, v, &words_filter_actions, &a->ret);
}

static int read_errno(const struct where *at, struct json_object *v, void *out)
{
        struct action *a = out;
        a->has_number = true;
        return read_u32(at, v, &a->number);
}

/* `key` is that of the number: errnoRet or defaultErrnoRet. */
static int join_action(const struct where *at, const char *key, const struct action *a, uint32_t *ret)
{
        const struct where here = where_key(at, key);
        uint32_t base = (uint32_t) a->ret, max = base == SECCOMP_RET_ERRNO ? ERRNO_MAX : SECCOMP_RET_DATA;

        if (base != SECCOMP_RET_ERRNO && base != SECCOMP_RET_TRACE) {
                if (a->has_number)
                        return where_fail(&here, "the action returns no number");
                *ret = base;
                return 0;
        }
        if (a->has_number && a->number > max)
                return where_fail(&here, "expected a number from 0 to %u, found %u", max, a->number);
        *ret = base | (a->has_number ? a->number : EPERM);
        return 0;
}

/* ---- syscalls ---- */

static int read_index(const struct where *at, struct json_object *v, void *out)
{
        uint64_t n = 0;
        int r = read_natural(at, v, 5, &n);     /* a system call has six arguments */
        if (r == 0)
                *(uint32_t *) out = (uint32_t) n;
        return r;
}

static int read_value(const struct where *at, struct json_object *v, void *out)
{
        return read_natural(at, v, UINT64_MAX, out);
}

static int read_op(const struct where *at, struct json_object *v, void *out)
{
        uint64_t op = 0;
        int r = read_word(at, v, &words_filter_ops, &op);
        if (r == 0)
                *(enum seccomp_op *) out = (enum seccomp_op) op;
        return r;
}

static int read_arg(const struct where *at, struct json_object *v, void *out)
{
        static const struct field arg_fields[] = {
                { "index", WANT_NUMBER, REQUIRED, read_index, offsetof(struct spec_seccomp_arg, index) },
                { "value", WANT_NUMBER, REQUIRED, read_value, offsetof(struct spec_seccomp_arg, value) },
                { "valueTwo", WANT_NUMBER, OPTIONAL, read_value, offsetof(struct spec_seccomp_arg, value_two) },
                { "op", WANT_STRING, REQUIRED, read_op, offsetof(struct spec_seccomp_arg, op) },
        };
        return read_fields(at, v, arg_fields, COUNT(arg_fields), out);
}

static int read_args(const struct where *at, struct json_object *v, void *out)
{
        static const struct element arg = { WANT_OBJECT, sizeof(struct spec_seccomp_arg), read_arg, ARGS_MAX };
        struct spec_seccomp_rule *rule = out;
        struct list list = { 0 };
        int r = read_list(at, v, &arg, &list);
        if (r < 0)
                return r;
        rule->args = list.items;
        rule->n_args = list.n;
        return 0;
}

static int read_names(const struct where *at, struct json_object *v, void *out)
{
        static const struct element name = { WANT_STRING, sizeof(char *), read_string, NAMES_MAX };
        struct list list = { 0 };
        int r = read_list(at, v, &name, &list);
        if (r == 0 && list.n == 0)
                return where_fail(at, "no system call named");
        if (r == 0)
                *(const char ***) out = list.items;
        return r;
}

struct rule {
        struct spec_seccomp_rule rule;
        struct action action;
};

static int read_rule(const struct where *at, struct json_object *v, void *out)
{
        static const struct field rule_fields[] = {
                { "names", WANT_ARRAY, REQUIRED, read_names, offsetof(struct rule, rule.names) },
                { "action", WANT_STRING, REQUIRED, read_action, offsetof(struct rule, action) },
                { "errnoRet", WANT_NUMBER, OPTIONAL, read_errno, offsetof(struct rule, action) },
                { "args", WANT_ARRAY, OPTIONAL, read_args, offsetof(struct rule, rule) },
        };
        struct rule rule = { 0 };
        int r = read_fields(at, v, rule_fields, COUNT(rule_fields), &rule);
        if (r == 0)
                r = join_action(at, "errnoRet", &rule.action, &rule.rule.action);
        if (r == 0)
                *(struct spec_seccomp_rule *) out = rule.rule;
        return r;
}

static int read_rules(const struct where *at, struct json_object *v, void *out)
{
        static const struct element rule = { WANT_OBJECT, sizeof(struct spec_seccomp_rule), read_rule, RULES_MAX };
        struct spec_seccomp *filter = out;
        struct list list = { 0 };
        int r = read_list(at, v, &rule, &list);
        if (r < 0)
                return r;
        filter->rules = list.items;
        filter->n_rules = list.n;
        return 0;
}

/* ---- the filter ---- */

struct filter {
        struct spec_seccomp filter;
        struct action action;
        bool has_flags;
};

static int read_arch(const struct where *at, struct json_object *v, void *out)
{
        uint64_t nothing = 0;
        int r = read_word(at, v, &words_filter_archs, &nothing);
        return r < 0 ? r : read_string(at, v, out);
}

static int read_archs(const struct where *at, struct json_object *v, void *out)
{
        static const struct element arch = { WANT_STRING, sizeof(char *), read_arch, 256 };
        struct list list = { 0 };
        int r = read_list(at, v, &arch, &list);
        if (r == 0)
                *(const char ***) out = list.items;
        return r;
}

static int read_flag(const struct where *at, struct json_object *v, void *out)
{
        return read_word(at, v, &words_filter_flags, out);
}

static int read_flags(const struct where *at, struct json_object *v, void *out)
{
        static const struct element flag = { WANT_STRING, sizeof(uint64_t), read_flag, 256 };
        struct filter *f = out;
        struct list list = { 0 };
        int r = read_list(at, v, &flag, &list);
        if (r < 0)
                return r;
        f->has_flags = true;
        for (size_t i = 0; i < list.n; i++)
                f->filter.flags |= ((const uint64_t *) list.items)[i];
        return 0;
}

static bool is_nothing(struct json_object *v, const char *key)
{
        struct json_object *value;
        return !json_object_object_get_ex(v, key, &value) || means_nothing(value);
}

static bool names_call(const struct spec_seccomp_rule *rule, const char *name)
{
        for (const char **n = rule->names; *n; n++)
                if (strcmp(*n, name) == 0)
                        return true;
        return false;
}

/*
 * The process that loads the filter tells us of the listener with write(2).
 * Would that ask the listener, which nobody has yet, it waited for ever.
 */
static int check_listener(const struct where *at, struct spec_seccomp *f)
{
        const struct where action = where_key(at, "defaultAction"), path = where_key(at, "listenerPath");
        if (f->default_action == SECCOMP_RET_USER_NOTIF)
                return where_fail(&action, "SCMP_ACT_NOTIFY cannot be the default: the filter itself could not be set up");
        for (size_t i = 0; i < f->n_rules; i++) {
                if (f->rules[i].action != SECCOMP_RET_USER_NOTIF)
                        continue;
                f->notifies = true;
                if (names_call(&f->rules[i], "write"))
                        return where_fail(at, "syscalls[%zu]: SCMP_ACT_NOTIFY cannot be used for the write syscall, which "
                                          "hands the listener over", i);
                f->notifies_sendmsg = f->notifies_sendmsg || names_call(&f->rules[i], "sendmsg");
        }
        if (!f->notifies)
                return 0;
        if (!f->listener_path)
                return where_fail(&path, "missing, SCMP_ACT_NOTIFY needs it");
        if (f->listener_path[0] != '/' || strlen(f->listener_path) >= sizeof(((struct sockaddr_un *) 0)->sun_path))
                return where_fail(&path, "expected the absolute path of a socket (at most %zu bytes), found %s",
                                  sizeof(((struct sockaddr_un *) 0)->sun_path) - 1, quoted(f->listener_path).text);
        return 0;
}

int read_filter(const struct where *at, struct json_object *v, void *out)
{
        static const struct field filter_fields[] = {
                { "defaultAction", WANT_STRING, REQUIRED, read_action, offsetof(struct filter, action) },
                { "defaultErrnoRet", WANT_NUMBER, OPTIONAL, read_errno, offsetof(struct filter, action) },
                { "architectures", WANT_ARRAY, OPTIONAL, read_archs, offsetof(struct filter, filter.architectures) },
                { "flags", WANT_ARRAY, OPTIONAL, read_flags, 0 },
                { "syscalls", WANT_ARRAY, OPTIONAL, read_rules, offsetof(struct filter, filter) },
                { "listenerPath", WANT_STRING, OPTIONAL, read_given, offsetof(struct filter, filter.listener_path) },
                { "listenerMetadata", WANT_STRING, OPTIONAL, read_given,
                  offsetof(struct filter, filter.listener_metadata) },
        };
        /* What a tool writes that filters nothing. runc takes it for no filter, too. */
        if (is_nothing(v, "defaultAction") && is_nothing(v, "syscalls"))
                return 0;

        struct filter f = { 0 };
        int r = read_fields(at, v, filter_fields, COUNT(filter_fields), &f);
        if (r == 0)
                r = join_action(at, "defaultErrnoRet", &f.action, &f.filter.default_action);
        if (r == 0)
                r = check_listener(at, &f.filter);
        if (r < 0)
                return r;
        /* Without any list of flags: no speculation penalty, as with runc. [] asks for the kernel's default. */
        if (!f.has_flags)
                f.filter.flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW;
        f.filter.wanted = true;
        ((struct spec *) out)->seccomp = f.filter;
        return 0;
}

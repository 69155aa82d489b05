/*
 * Device rules for v1. The kernel keeps a default (all or nothing) and exceptions from it, and takes an exception
 * back only by its exact name: "deny c 1:3" after "allow c *:*" would be ignored in silence. So the exceptions are
 * worked out here, and what v1 cannot express is refused.
 */
#include "cgroups/translate_part.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

enum { READ = 1, WRITE = 2, MKNOD = 4, ALL = READ | WRITE | MKNOD };

struct exception {
        char type;
        int64_t major, minor;
        unsigned int access;
};

struct state {
        struct translation *t;
        bool allowed;                   /* the default */
        struct exception *list;
        size_t n;
};

static unsigned int access_of(const struct device_rule *rule)
{
        return (rule->read ? READ : 0u) | (rule->write ? WRITE : 0u) | (rule->mknod ? MKNOD : 0u);
}

static bool covers(int64_t a, int64_t b)  { return a == -1 || a == b; }
static bool touches(int64_t a, int64_t b) { return a == -1 || b == -1 || a == b; }

/* A rule that agrees with the default takes something back from the exceptions. */
static int take_back(struct state *s, const struct exception *e, size_t index)
{
        for (size_t i = 0; i < s->n; i++) {
                struct exception *have = &s->list[i];
                if (have->type != e->type || !(have->access & e->access))
                        continue;
                if (covers(e->major, have->major) && covers(e->minor, have->minor))
                        have->access &= ~e->access;
                else if (touches(e->major, have->major) && touches(e->minor, have->minor))
                        return error_say(s->t->err, -EINVAL,
                                         "linux.resources.devices[%zu]: cgroup v1 cannot take a part out of an "
                                         "earlier rule with wider numbers; name the devices one by one", index);
        }
        return 0;
}

static int add_rule(struct state *s, const struct exception *e, bool allow, size_t index)
{
        if (e->access == 0)
                return 0;
        if (allow == s->allowed)
                return take_back(s, e, index);
        for (size_t i = 0; i < s->n; i++)
                if (s->list[i].type == e->type && s->list[i].major == e->major && s->list[i].minor == e->minor) {
                        s->list[i].access |= e->access;
                        return 0;
                }
        s->list[s->n++] = *e;
        return 0;
}

static int check_number(struct state *s, size_t index, const char *what, int64_t number)
{
        if (number >= -1 && number <= UINT32_MAX)
                return 0;
        return error_say(s->t->err, -EINVAL, "linux.resources.devices[%zu].%s: %" PRId64 " is not a device number",
                         index, what, number);
}

static int one_rule(struct state *s, const struct device_rule *rule, size_t index)
{
        unsigned int access = access_of(rule);
        int r = check_number(s, index, "major", rule->major);
        if (r == 0)
                r = check_number(s, index, "minor", rule->minor);
        if (r < 0)
                return r;
        if (rule->type == 'a' && rule->major == -1 && rule->minor == -1 && (access == ALL || access == 0)) {
                s->allowed = rule->allow; /* replaces everything before it */
                s->n = 0;
                return 0;
        }
        if (rule->type != 'a') {
                const struct exception e = { rule->type, rule->major, rule->minor, access };
                return add_rule(s, &e, rule->allow, index);
        }
        /* The kernel would take any "a" for everything, whatever numbers and access follow. */
        const struct exception c = { 'c', rule->major, rule->minor, access };
        const struct exception b = { 'b', rule->major, rule->minor, access };
        r = add_rule(s, &c, rule->allow, index);
        return r < 0 ? r : add_rule(s, &b, rule->allow, index);
}

static const char *number_text(int64_t number, char buf[24])
{
        if (number < 0)
                return "*";
        (void) snprintf(buf, 24, "%" PRId64, number);
        return buf;
}

int translate_devices(struct translation *t, const struct device_rule *rules, size_t n)
{
        if (n == 0)
                return 0;
        struct state s = { .t = t, .list = arena_alloc(t->arena, n * 2, sizeof(struct exception)) };
        if (!s.list)
                return error_set(t->err, -ENOMEM, "translate linux.resources.devices");
        int r = 0;
        for (size_t i = 0; r == 0 && i < n; i++)
                r = one_rule(&s, &rules[i], i);
        if (r == 0)
                r = writes_add(t, "devices", s.allowed ? "devices.allow" : "devices.deny", "a");
        for (size_t i = 0; r == 0 && i < s.n; i++) {
                const struct exception *e = &s.list[i];
                char major[24], minor[24];
                if (e->access)
                        r = writes_add(t, "devices", s.allowed ? "devices.deny" : "devices.allow", "%c %s:%s %s%s%s",
                                       e->type, number_text(e->major, major), number_text(e->minor, minor),
                                       e->access & READ ? "r" : "", e->access & WRITE ? "w" : "",
                                       e->access & MKNOD ? "m" : "");
        }
        return r;
}

/*
 * Device rules for systemd, which knows a list of what is allowed, or everything. Our own rules come on top (on v2 a
 * second program: both must agree; on v1 the same files, written after systemd's), so on v2 what cannot be said there
 * is better allowed by systemd, and on v1 better not.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/str.h"
#include "cgroups/unit_part.h"

enum { READ = 1, WRITE = 2, MKNOD = 4, ALL = READ | WRITE | MKNOD };

struct entry {
        char type;
        int64_t major, minor;
        unsigned access;
};

struct allowed {
        bool all;               /* everything but what `list` would take away, which cannot be said */
        bool vague;             /* some rule has no words here */
        struct entry *list;
        size_t n;
};

static unsigned access_of(const struct device_rule *rule)
{
        return (rule->read ? READ : 0u) | (rule->write ? WRITE : 0u) | (rule->mknod ? MKNOD : 0u);
}

static void allow(struct allowed *a, const struct entry *e)
{
        for (size_t i = 0; i < a->n; i++)
                if (a->list[i].type == e->type && a->list[i].major == e->major && a->list[i].minor == e->minor) {
                        a->list[i].access |= e->access;
                        return;
                }
        a->list[a->n++] = *e;
}

/* What is denied inside a wider entry stays allowed here: the kernel hears of it from us. */
static void deny(struct allowed *a, const struct entry *e)
{
        for (size_t i = 0; i < a->n; i++) {
                struct entry *have = &a->list[i];
                if (have->type == e->type && (e->major == -1 || e->major == have->major) &&
                    (e->minor == -1 || e->minor == have->minor))
                        have->access &= ~e->access;
        }
}

static void one_rule(struct allowed *a, const struct device_rule *rule)
{
        unsigned access = access_of(rule);
        if (rule->type == 'a' && rule->major == -1 && rule->minor == -1 && (access == ALL || access == 0)) {
                *a = (struct allowed){ .all = rule->allow, .list = a->list };
                return;
        }
        for (const char *type = "cb"; *type; type++) {
                const struct entry e = { *type, rule->major, rule->minor, access };
                if (rule->type != 'a' && rule->type != *type)
                        continue;
                if (a->all)
                        a->vague = a->vague || !rule->allow;
                else if (rule->allow)
                        allow(a, &e);
                else
                        deny(a, &e);
                a->vague = a->vague || (!a->all && rule->allow && rule->major == -1 && rule->minor != -1);
        }
}

static void describe(struct str *s, const struct entry *e)
{
        const char *kind = e->type == 'b' ? "block" : "char";
        str_add(s, s->size > 0 ? ", ('" : "('");
        if (e->major == -1)
                str_addf(s, "%s-*", kind);
        else if (e->minor == -1)
                str_addf(s, "%s-%" PRId64, kind, e->major);
        else
                str_addf(s, "/dev/%s/%" PRId64 ":%" PRId64, kind, e->major, e->minor);
        str_addf(s, "', '%s%s%s')", e->access & READ ? "r" : "", e->access & WRITE ? "w" : "",
                 e->access & MKNOD ? "m" : "");
}

int unit_devices(struct limits *l, const struct device_rule *rules, size_t n)
{
        auto_str struct str s = STR_INIT;
        if (n == 0)
                return 0;
        struct allowed a = { .list = arena_alloc(l->arena, n * 2, sizeof(struct entry)) };
        if (!a.list)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                one_rule(&a, &rules[i]);
        bool everything = a.vague ? l->v2 : a.all;
        for (size_t i = 0; !everything && i < a.n; i++)
                if (a.list[i].access && (a.list[i].major != -1 || a.list[i].minor == -1))
                        describe(&s, &a.list[i]);
        if (str_failed(&s))
                return -ENOMEM;
        /* The empty list takes back what an earlier one allowed. */
        int r = unit_add(l->to, l->arena, "DeviceAllow=@a(ss) []");
        if (r == 0)
                r = unit_add(l->to, l->arena, "DevicePolicy='%s'", everything ? "auto" : "strict");
        if (r == 0 && s.size > 0)
                r = unit_add(l->to, l->arena, "DeviceAllow=[%s]", s.text);
        return r;
}

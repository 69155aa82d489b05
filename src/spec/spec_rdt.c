#include <string.h>

#include <json-c/json_object.h>

#include "spec/resources.h"
#include "spec/sections.h"

/* A directory of resctrl; "/" is its root. */
static int read_clos(const struct where *at, struct json_object *v, void *out)
{
        const char *s = json_object_get_string(v);
        if (strcmp(s, "/") != 0 &&
            (strlen(s) >= RDT_CLOS_MAX || strcmp(s, ".") == 0 || strcmp(s, "..") == 0 || strpbrk(s, "/\n")))
                return where_fail(at, "expected the name of a file, or \"/\", found %s", quoted(s).text);
        return read_given(at, v, out);
}

/* More than one line is written by machines with code and data prioritization: L3CODE and L3DATA. */
static int read_l3(const struct where *at, struct json_object *v, void *out)
{
        const char *s = json_object_get_string(v);
        if (*s && !strchr(s, ':'))
                return where_fail(at, "expected a line such as \"L3:0=ff;1=ff\", found %s", quoted(s).text);
        return read_given(at, v, out);
}

static int read_memory(const struct where *at, struct json_object *v, void *out)
{
        const char *s = json_object_get_string(v);
        if (*s && (strncmp(s, "MB:", 3) != 0 || strchr(s, '\n')))
                return where_fail(at, "expected one line such as \"MB:0=50;1=70\", found %s", quoted(s).text);
        return read_given(at, v, out);
}

static int read_line(const struct where *at, struct json_object *v, void *out)
{
        const char *s = json_object_get_string(v);
        if (!strchr(s, ':') || strchr(s, '\n'))
                return where_fail(at, "expected one line such as \"L3:0=ff;1=ff\", found %s", quoted(s).text);
        return read_string(at, v, out);
}

static int read_lines(const struct where *at, struct json_object *v, void *out)
{
        static const struct element line = { WANT_STRING, sizeof(const char *), read_line, 64 };
        struct list list = { 0 };
        int r = read_list(at, v, &line, &list);
        *(const char ***) out = list.items;
        return r;
}

const struct field rdt_fields[RDT_FIELDS] = {
        { "closID", WANT_STRING, OPTIONAL, read_clos, offsetof(struct rdt, clos) },
        { "l3CacheSchema", WANT_STRING, OPTIONAL, read_l3, offsetof(struct rdt, l3) },
        { "memBwSchema", WANT_STRING, OPTIONAL, read_memory, offsetof(struct rdt, memory) },
        { "schemata", WANT_ARRAY, OPTIONAL, read_lines, offsetof(struct rdt, schemata) },
        { "enableMonitoring", WANT_BOOL, OPTIONAL, read_bool, offsetof(struct rdt, monitoring) },
};

int read_intel_rdt(const struct where *at, struct json_object *v, void *out)
{
        struct rdt *rdt = out;
        rdt->wanted = true;
        return read_fields(at, v, rdt_fields, RDT_FIELDS, rdt);
}

#include "spec/cdi.h"

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "spec/json_read.h"

#define VENDOR_MAX 253          /* SPEC.md, Kind: a DNS subdomain */
#define CLASS_MAX 63

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
static bool is_digit(char c)  { return c >= '0' && c <= '9'; }
static bool is_alnum(char c)  { return is_letter(c) || is_digit(c); }

static bool has_other(const char *s, const char *beside)
{
        for (; *s; s++)
                if (!is_alnum(*s) && !strchr(beside, *s))
                        return true;
        return false;
}

static const char *check_part(const char *s, size_t max, const char *too_long)
{
        size_t len = strlen(s);
        if (len == 0)
                return "is empty";
        if (len > max)
                return too_long;
        if (!is_letter(*s))
                return "has to begin with a letter";
        if (has_other(s, "_-."))
                return "may have letters, digits, \"_\", \"-\" and \".\" only";
        return is_alnum(s[len - 1]) ? NULL : "has to end with a letter or a digit";
}

const char *cdi_check_vendor(const char *s)
{
        return check_part(s, VENDOR_MAX, "is longer than 253 characters");
}

const char *cdi_check_class(const char *s)
{
        return check_part(s, CLASS_MAX, "is longer than 63 characters");
}

const char *cdi_check_device(const char *s)
{
        size_t len = strlen(s);
        if (len == 0)
                return "is empty";
        if (!is_alnum(*s))
                return "has to begin with a letter or a digit";
        if (has_other(s, "_-.:"))
                return "may have letters, digits, \"_\", \"-\", \".\" and \":\" only";
        return is_alnum(s[len - 1]) ? NULL : "has to end with a letter or a digit";
}

/* "[prefix/]name", as Kubernetes has it: the prefix is a DNS subdomain. */
const char *cdi_check_annotation(const char *key)
{
        const char *slash = strchr(key, '/'), *name = slash ? slash + 1 : key;
        size_t len = strlen(name);
        if (len == 0 || len > CLASS_MAX || !is_alnum(*name) || !is_alnum(name[len - 1]) || has_other(name, "_-."))
                return "its name has to be 1 to 63 letters, digits, \"_\", \"-\" and \".\", with letters or digits at the ends";
        if (!slash)
                return NULL;
        if (slash == key || slash - key > VENDOR_MAX)
                return "its prefix has to be a DNS name of 1 to 253 characters";
        char before = '.';
        for (const char *p = key; p <= slash; p++) {
                bool ends = p == slash || *p == '.';
                if ((ends && !is_alnum(before)) || (!ends && !is_alnum(*p) && (*p != '-' || before == '.')))
                        return "its prefix has to be a DNS name";
                before = *p;
        }
        return NULL;
}

bool cdi_is_name(const char *text)
{
        return text[0] != '/' && strchr(text, '=');
}

int cdi_parse_name(struct arena *arena, const char *text, struct cdi_name *ret, struct error *err)
{
        const char *slash = strchr(text, '/'), *equals = strchr(text, '=');
        if (!slash || !equals || slash > equals)
                return error_say(err, -EINVAL, "device %s: expected VENDOR/CLASS=NAME, or the path of a device",
                                 quoted(text).text);
        struct cdi_name name = {
                .vendor = arena_strndup(arena, text, (size_t) (slash - text)),
                .class = arena_strndup(arena, slash + 1, (size_t) (equals - slash - 1)),
                .device = arena_strdup(arena, equals + 1),
        };
        if (!name.vendor || !name.class || !name.device)
                return error_set(err, -ENOMEM, "device %s", quoted(text).text);
        const struct {
                const char *noun, *wrong;
        } parts[] = {
                { "the vendor", cdi_check_vendor(name.vendor) },
                { "the class", cdi_check_class(name.class) },
                { "the name", cdi_check_device(name.device) },
        };
        for (size_t i = 0; i < COUNT(parts); i++)
                if (parts[i].wrong)
                        return error_say(err, -EINVAL, "device %s: %s %s", quoted(text).text, parts[i].noun,
                                         parts[i].wrong);
        *ret = name;
        return 0;
}

/* ---- versions ---- */

static const char *const versions[] = {
        "0.3.0", "0.4.0", "0.5.0", "0.6.0", "0.7.0", "0.8.0", "1.0.0", "1.1.0",
};

static size_t index_of(const char *version)
{
        size_t i = 0;
        while (i < COUNT(versions) && strcmp(versions[i], version) != 0)
                i++;
        return i;
}

bool cdi_version_known(const char *version)
{
        return index_of(version) < COUNT(versions);
}

bool cdi_version_older(const char *version, const char *than)
{
        return index_of(version) < index_of(than);
}

struct demand {
        const char *version, *what;
};

static void demand(struct demand *n, bool used, const char *version, const char *what)
{
        if (used && cdi_version_older(n->version, version))
                *n = (struct demand){ version, what };
}

static void edits_need(struct demand *n, const struct edits *e)
{
        for (size_t i = 0; i < e->n_mounts; i++)
                demand(n, e->mounts[i].type, "0.4.0", "\"type\" of a mount");
        for (size_t i = 0; i < e->n_nodes; i++)
                demand(n, e->nodes[i].host, "0.5.0", "\"hostPath\" of a device node");
        demand(n, e->rdt, "0.7.0", "\"intelRdt\"");
        demand(n, e->n_groups > 0, "0.7.0", "\"additionalGids\"");
        demand(n, e->rdt && (e->rdt->schemata || e->rdt->monitoring), "1.1.0",
             "\"schemata\" or \"enableMonitoring\" of intelRdt");
        demand(n, e->n_nets > 0, "1.1.0", "\"netDevices\"");
}

const char *cdi_version_needed(const struct cdi_file *file, const char **ret_what)
{
        struct demand n = { "0.3.0", "a CDI file" };
        edits_need(&n, &file->edits);
        for (size_t i = 0; i < file->n_devices; i++) {
                demand(&n, is_digit(file->devices[i].name[0]), "0.5.0", "a device name that begins with a digit");
                edits_need(&n, &file->devices[i].edits);
        }
        demand(&n, strchr(file->class, '.'), "0.6.0", "a class with a dot");
        *ret_what = n.what;
        return n.version;
}

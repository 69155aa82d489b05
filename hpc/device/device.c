#include "device/device.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>

#include "base/io.h"
#include "base/str.h"
#include "device/node.h"
#include "device/store.h"
#include "spec/read.h"

#define ANNOTATION "cdi.k8s.io/"
#define CONFIG_MAX ((size_t) 16 << 20)

/* Everything that is asked for, as it comes together. */
struct request {
        const struct device_wish *wish;
        struct arena *arena;
        struct store store;
        bool loaded;            /* of CDI files */
        struct edits edits;
};

bool device_wanted(const struct device_wish *wish, const struct spec *spec)
{
        if ((wish->devices && wish->devices[0]) || (wish->groups && wish->groups[0]))
                return true;
        for (size_t i = 0; i < spec->n_annotations; i++)
                if (str_starts(spec->annotations[i].key, ANNOTATION))
                        return true;
        return false;
}

static int take_name(struct request *q, const char *text, struct error *err)
{
        struct cdi_name name = { 0 };
        int r = cdi_parse_name(q->arena, text, &name, err);
        if (r == 0 && !q->loaded) {
                r = store_load(&q->store, q->arena, q->wish->cdi_dirs, err);
                q->loaded = r == 0;
        }
        return r < 0 ? r : store_take(&q->store, &name, &q->edits, err);
}

/* "vendor.com/class=a,vendor.com/class=b" */
static int take_annotation(struct request *q, const struct spec_annotation *a, struct error *err)
{
        int r = 0;
        for (const char *p = a->value; r == 0; ) {
                size_t n = strcspn(p, ",");
                const char *one = arena_strndup(q->arena, p, n);
                r = one ? take_name(q, one, err) : error_set(err, -ENOMEM, "read the annotations");
                if (!p[n])
                        break;
                p += n + 1;
        }
        return r < 0 ? error_wrap(err, "annotation \"%s\"", a->key) : 0;
}

/*
 * As far as we may: to infinity with CAP_SYS_RESOURCE, which is found out by
 * trying, else to our hard limit.
 */
static void raise_memlock(struct request *q, const char *group, const struct spec *spec, struct error *warning)
{
        struct rlimit old;
        for (size_t i = 0; i < spec->process.n_rlimits; i++)
                if (spec->process.rlimits[i].resource == RLIMIT_MEMLOCK && spec->process.rlimits[i].soft == RLIM_INFINITY)
                        return;
        if (getrlimit(RLIMIT_MEMLOCK, &old) < 0)
                return;
        const struct rlimit most = { RLIM_INFINITY, RLIM_INFINITY };
        bool may = old.rlim_max == RLIM_INFINITY || setrlimit(RLIMIT_MEMLOCK, &most) == 0;
        if (may && old.rlim_max != RLIM_INFINITY)
                (void) setrlimit(RLIMIT_MEMLOCK, &old); /* down again: always allowed */
        q->edits.raises_memlock = true;
        q->edits.memlock = may ? UINT64_MAX : (uint64_t) old.rlim_max;
        if (!may)
                (void) error_say(warning, -EPERM, "device group %s: locked memory stays limited to %llu KiB, our hard limit "
                                 "(RLIMIT_MEMLOCK); raise it for the user, or start us with CAP_SYS_RESOURCE", group,
                                 (unsigned long long) old.rlim_max / 1024);     /* a warning is no failure */
}

static int take_group(struct request *q, const char *group, const struct spec *spec, struct error *warning,
                      struct error *err)
{
        bool pins = false;
        int r = node_group(q->arena, group, &q->edits, &pins, err);
        if (r == 0 && pins && !q->edits.raises_memlock)
                raise_memlock(q, group, spec, warning);
        return r;
}

static int collect(struct request *q, const struct spec *spec, struct error *warning, struct error *err)
{
        const struct device_wish *w = q->wish;
        int r = 0;
        for (size_t i = 0; r == 0 && i < spec->n_annotations; i++)
                if (str_starts(spec->annotations[i].key, ANNOTATION))
                        r = take_annotation(q, &spec->annotations[i], err);
        for (size_t i = 0; r == 0 && w->devices && w->devices[i]; i++)
                r = cdi_is_name(w->devices[i]) ? take_name(q, w->devices[i], err) :
                                                 node_plain(q->arena, w->devices[i], &q->edits, err);
        for (size_t i = 0; r == 0 && w->groups && w->groups[i]; i++)
                r = take_group(q, w->groups[i], spec, warning, err);
        return r;
}

int device_edit(const struct device_wish *wish, char **text, size_t *size, struct spec **spec, struct error *warning,
                struct error *err)
{
        if (!device_wanted(wish, *spec))
                return 0;
        auto_arena struct arena *arena = arena_new();
        auto_free char *edited = NULL;
        auto_spec struct spec *changed = NULL;
        struct request q = { .wish = wish, .arena = arena };
        if (!arena)
                return error_set(err, -ENOMEM, "find the devices");
        int r = collect(&q, *spec, warning, err);
        if (r == 0)
                r = edit_config(*spec, *text, *size, &q.edits, &edited, err);
        if (r == 0 && edited)
                r = spec_read_text(edited, strlen(edited), "config.json with its devices", &changed, err);
        if (r < 0 || !edited)
                return r;
        free(*text);
        *text = take_ptr(&edited);
        *size = strlen(*text);
        spec_free(*spec);
        *spec = take_ptr(&changed);
        return 0;
}

int device_read_config(int bundle_fd, const struct device_wish *wish, struct spec **ret_spec, struct error *warning,
                       struct error *err)
{
        auto_free char *text = NULL;
        auto_spec struct spec *spec = NULL;
        size_t size = 0;
        int r = io_read_file(bundle_fd, "config.json", CONFIG_MAX, &text, &size);
        if (r < 0)
                return error_set(err, r, "read \"config.json\"");
        r = spec_read_text(text, size, "config.json", &spec, err);
        if (r == 0)
                r = device_edit(wish, &text, &size, &spec, warning, err);
        if (r == 0)
                *ret_spec = take_ptr(&spec);
        return r;
}

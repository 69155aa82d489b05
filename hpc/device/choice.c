#include "device/choice.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/io.h"
#include "base/str.h"
#include "device/store.h"

#define NVIDIA_MAJOR 195        /* Documentation/admin-guide/devices.txt */
#define NVIDIA_GPUS "/proc/driver/nvidia/gpus"

/* ---- where a device is ---- */

static bool is_pci(const char *name, size_t n)
{
        static const char form[] = "xxxx:xx:xx.x";
        if (n != sizeof(form) - 1)
                return false;
        for (size_t i = 0; i < n; i++)
                if (form[i] == 'x' ? !strchr("0123456789abcdef", name[i]) : name[i] != form[i])
                        return false;
        return true;
}

/* The last PCI device on the way to it: /sys/devices/pci0000:00/0000:00:01.0/0000:03:00.0/drm/renderD128. */
static void pci_of_path(const char *path, char *ret)
{
        for (const char *p = path; (p = strchr(p, '/')); ) {
                p++;
                if (is_pci(p, strcspn(p, "/")))
                        snprintf(ret, DEVICE_PCI_SIZE, "%.12s", p);
        }
}

static void dir_close(DIR *dir) { closedir(dir); }
CLEANUP_DEFINE(DIR *, dir_close)

/* "Device Minor: \t 3" */
static bool says_minor(const char *text, uint32_t minor)
{
        static const char key[] = "Device Minor:";
        const char *at = strstr(text, key);
        char digits[12];
        uint32_t n = 0;
        if (!at)
                return false;
        at += strlen(key);
        at += strspn(at, " \t");
        snprintf(digits, sizeof(digits), "%.*s", (int) strspn(at, "0123456789"), at);
        return parse_u32(digits, &n) == 0 && n == minor;
}

/* NVIDIA's driver has no devices in /sys, but a file for each GPU that says which minor number it has. */
static void pci_of_nvidia(uint32_t minor, char *ret)
{
        CLEANUP(dir_close) DIR *dir = opendir(NVIDIA_GPUS);
        struct dirent *entry;
        while (dir && (entry = readdir(dir))) {
                auto_free char *text = NULL;
                char path[sizeof(NVIDIA_GPUS) + NAME_MAX + sizeof("/information")];
                size_t size;
                if (!is_pci(entry->d_name, strlen(entry->d_name)))
                        continue;
                snprintf(path, sizeof(path), "%s/information", entry->d_name);
                if (io_read_file(dirfd(dir), path, 65536, &text, &size) < 0)
                        continue;
                if (says_minor(text, minor))
                        memcpy(ret, entry->d_name, strlen(entry->d_name) + 1);     /* as long as is_pci() wants it */
        }
}

static void find_pci(const struct edits *edits, char *ret)
{
        for (size_t i = 0; i < edits->n_nodes && !*ret; i++) {
                const struct edit_node *n = &edits->nodes[i];
                char path[64], real[PATH_MAX];
                if (n->type != 'c' && n->type != 'u' && n->type != 'b')
                        continue;
                snprintf(path, sizeof(path), "/sys/dev/%s/%u:%u", n->type == 'b' ? "block" : "char", n->major, n->minor);
                if (realpath(path, real))
                        pci_of_path(real, ret);
                if (!*ret && n->major == NVIDIA_MAJOR)
                        pci_of_nvidia(n->minor, ret);
        }
}

/* ---- as a network adapter ---- */

/* The node of user space verbs says whose it is: class infiniband_verbs, Documentation/ABI/stable/sysfs-class-infiniband. */
static bool adapter_of_node(const struct edit_node *n, char *ret, size_t size)
{
        auto_free char *text = NULL;
        char path[64];
        size_t got;
        snprintf(path, sizeof(path), "/sys/dev/char/%u:%u/ibdev", n->major, n->minor);
        if ((n->type != 'c' && n->type != 'u') || io_read_file(AT_FDCWD, path, 256, &text, &got) < 0)
                return false;
        size_t len = strcspn(text, "\n");
        if (len == 0 || len >= size || memchr(text, '/', len) || text[0] == '.')
                return false;
        memcpy(ret, text, len);
        ret[len] = '\0';
        return true;
}

static void add_ports(const struct edit_node *n, const char *adapter, struct str *s)
{
        char path[64 + 2 * NAME_MAX];
        struct dirent **ports = NULL;
        snprintf(path, sizeof(path), "/sys/dev/char/%u:%u/device/infiniband/%s/ports", n->major, n->minor, adapter);
        int found = scandir(path, &ports, NULL, alphasort);
        for (int i = 0; i < found; i++) {
                if (ports[i]->d_name[0] != '.')
                        str_addf(s, "%s%s:%s", s->size > 0 ? "," : "", adapter, ports[i]->d_name);
                free(ports[i]);
        }
        free(ports);
}

static int find_adapter(struct arena *arena, const struct edits *edits, const char **ret)
{
        auto_str struct str s = STR_INIT;
        for (size_t i = 0; i < edits->n_nodes; i++) {
                char adapter[NAME_MAX + 1];
                if (adapter_of_node(&edits->nodes[i], adapter, sizeof(adapter)))
                        add_ports(&edits->nodes[i], adapter, &s);
        }
        *ret = s.size > 0 && !str_failed(&s) ? arena_strdup(arena, s.text) : NULL;
        return str_failed(&s) || (s.size > 0 && !*ret) ? -ENOMEM : 0;
}

/* ---- which devices there are ---- */

static bool has_node(const struct edits *e, const struct edit_node *n)
{
        for (size_t i = 0; i < e->n_nodes; i++)
                if (strcmp(e->nodes[i].path, n->path) == 0)
                        return true;
        return false;
}

/* Everything of `a` is in `b`. */
static bool nodes_inside(const struct edits *a, const struct edits *b)
{
        for (size_t i = 0; i < a->n_nodes; i++)
                if (!has_node(b, &a->nodes[i]))
                        return false;
        return a->n_nodes > 0;
}

struct found {
        const char *name;
        struct edits edits;     /* its own, without those of its file */
};

/* A second name for an earlier one, or a word for several. */
static bool is_alias(const struct found *list, size_t n, size_t at)
{
        for (size_t i = 0; i < n; i++) {
                if (i == at || !nodes_inside(&list[i].edits, &list[at].edits))
                        continue;
                bool same = nodes_inside(&list[at].edits, &list[i].edits);
                if (!same || i < at)
                        return true;
        }
        return false;
}

static int choose(struct store *store, const struct cdi_name *kind, const struct found *list, size_t n,
                  struct device_choice *ret, size_t *ret_n)
{
        for (size_t i = 0; i < n; i++) {
                if (strcmp(list[i].name, "all") == 0 || is_alias(list, n, i))
                        continue;
                struct device_choice *c = &ret[(*ret_n)++];
                c->name = arena_printf(store->arena, "%s/%s=%s", kind->vendor, kind->class, list[i].name);
                if (!c->name)
                        return -ENOMEM;
                find_pci(&list[i].edits, c->pci);
                int r = find_adapter(store->arena, &list[i].edits, &c->adapter);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int find_all(struct store *store, const struct cdi_name *kind, struct found **ret, size_t *ret_n, struct error *err)
{
        const char **names = NULL;
        size_t n = 0;
        int r = store_names(store, kind, &names, &n, err);
        if (r < 0)
                return r;
        struct found *list = arena_alloc(store->arena, n + 1, sizeof(*list));
        if (!list)
                return error_set(err, -ENOMEM, "find the devices of %s/%s", kind->vendor, kind->class);
        for (size_t i = 0; names && i < n; i++) {
                const struct cdi_name name = { kind->vendor, kind->class, names[i] };
                list[i].name = names[i];
                r = store_look(store, &name, &list[i].edits, err);
                if (r < 0)
                        return r;
        }
        *ret = list;
        *ret_n = n;
        return 0;
}

int device_choices(struct arena *arena, const char *const *cdi_dirs, const char *kind, struct device_choice **ret,
                   size_t *ret_n, struct error *err)
{
        struct store store = { 0 };
        struct cdi_name name = { 0 };
        struct found *list = NULL;
        size_t n = 0;
        const char *all = arena_printf(arena, "%s=all", kind);
        int r = all ? cdi_parse_name(arena, all, &name, err) : error_set(err, -ENOMEM, "find the devices of %s", kind);
        if (r == 0)
                r = store_load(&store, arena, cdi_dirs, err);
        if (r == 0)
                r = find_all(&store, &name, &list, &n, err);
        if (r < 0)
                return r;
        struct device_choice *choices = arena_alloc(arena, n + 1, sizeof(*choices));
        size_t n_choices = 0;
        r = choices && list ? choose(&store, &name, list, n, choices, &n_choices) : -ENOMEM;
        if (r < 0)
                return error_set(err, r, "find the devices of %s", kind);
        *ret = choices;
        *ret_n = n_choices;
        return 0;
}

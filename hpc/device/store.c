#include "device/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/str.h"
#include "device/node.h"
#include "device/yaml.h"

#define FILE_MAX ((size_t) 16 << 20)

static const char *const default_dirs[] = { "/etc/cdi", "/var/run/cdi", NULL };

static void dir_close(DIR *dir) { closedir(dir); }
CLEANUP_DEFINE(DIR *, dir_close)

static bool ends_with(const char *name, const char *end)
{
        size_t n = strlen(name), m = strlen(end);
        return n > m && strcmp(name + n - m, end) == 0;
}

static int read_text(int dir, const char *name, const char *path, char **ret_text, size_t *ret_size, struct error *err)
{
        /* Not for ever, should it be a fifo. */
        auto_fd int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        struct stat st;
        if (fd < 0 || fstat(fd, &st) < 0)
                return error_set(err, -errno, "%s", path);
        if (!S_ISREG(st.st_mode))
                return error_say(err, -EINVAL, "%s: is not a regular file", path);
        int r = io_read_fd(fd, FILE_MAX, ret_text, ret_size);
        return r < 0 ? error_set(err, r, "%s", path) : 0;
}

static int read_file(struct store *store, int dir, const char *name, struct store_file *file, struct error *err)
{
        auto_free char *text = NULL;
        size_t size = 0;
        int r = read_text(dir, name, file->path, &text, &size, err);
        if (r == 0 && ends_with(name, ".yaml")) {
                auto_free char *yaml = take_ptr(&text);
                r = yaml_to_json(yaml, size, file->path, &text, &size, err);
        }
        return r < 0 ? r : cdi_read_text(store->arena, text, size, file->path, &file->cdi, err);
}

static int add_file(struct store *store, int dir, const char *dir_path, const char *name, size_t priority)
{
        struct error why = ERROR_INIT;
        struct store_file *grown = arena_grow(store->arena, store->files, store->n, 1, sizeof(*grown));
        const char *path = arena_printf(store->arena, "%s/%s", dir_path, name);
        if (!grown || !path)
                return -ENOMEM;
        store->files = grown;
        grown[store->n] = (struct store_file){ .path = path, .priority = priority };
        int r = read_file(store, dir, name, &grown[store->n], &why);
        if (r == -ENOMEM)
                return r;
        if (r == 0)
                store->n++;
        else if (!store->broken)
                store->broken = arena_strdup(store->arena, why.text);
        return 0;
}

static int by_name(const void *a, const void *b)
{
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* In an order that does not depend on the file system. */
static int list_files(DIR *dir, struct arena *arena, const char ***ret, size_t *ret_n)
{
        const char **names = NULL;
        size_t n = 0, room = 0;
        struct dirent *entry;
        while ((entry = readdir(dir))) {
                if (!ends_with(entry->d_name, ".json") && !ends_with(entry->d_name, ".yaml"))
                        continue;
                if (n == room) {
                        names = arena_grow(arena, names, n, room = n + 16, sizeof(*names));
                        room += n;
                }
                if (!names || !(names[n] = arena_strdup(arena, entry->d_name)))
                        return -ENOMEM;
                n++;
        }
        if (n > 0)
                qsort(names, n, sizeof(*names), by_name);
        *ret = names;
        *ret_n = n;
        return 0;
}

static int load_dir(struct store *store, const char *path, size_t priority, bool given, struct error *err)
{
        auto_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT && !given ? 0 : error_set(err, -errno, "CDI directory \"%s\"", path);
        CLEANUP(dir_close) DIR *dir = fdopendir(fd);
        if (!dir)
                return error_set(err, -errno, "CDI directory \"%s\"", path);
        int dir_fd = take_fd(&fd);      /* the stream closes it */
        const char **names = NULL;
        size_t n = 0;
        int r = list_files(dir, store->arena, &names, &n);
        for (size_t i = 0; r == 0 && i < n; i++)
                r = add_file(store, dir_fd, path, names[i], priority);
        return r < 0 ? error_set(err, r, "CDI directory \"%s\"", path) : 0;
}

int store_load(struct store *ret, struct arena *arena, const char *const *dirs, struct error *err)
{
        struct store store = { .arena = arena, .dirs = dirs ? dirs : default_dirs };
        for (size_t i = 0; store.dirs[i]; i++) {
                int r = load_dir(&store, store.dirs[i], i, dirs != NULL, err);
                if (r < 0)
                        return r;
        }
        *ret = store;
        return 0;
}

/* ---- finding ---- */

static bool is_kind(const struct store_file *file, const struct cdi_name *name)
{
        return strcmp(file->cdi.vendor, name->vendor) == 0 && strcmp(file->cdi.class, name->class) == 0;
}

static const struct cdi_device *device_in(const struct store_file *file, const char *name)
{
        for (size_t i = 0; i < file->cdi.n_devices; i++)
                if (strcmp(file->cdi.devices[i].name, name) == 0)
                        return &file->cdi.devices[i];
        return NULL;
}

static int fail_missing(const struct store *store, const struct cdi_name *name, struct error *err)
{
        auto_str struct str s = STR_INIT;
        bool kind = false;
        for (size_t i = 0; i < store->n; i++) {
                const struct cdi_file *cdi = &store->files[i].cdi;
                for (size_t k = 0; is_kind(&store->files[i], name) && k < cdi->n_devices && s.size < 200; k++) {
                        str_addf(&s, "%s%s", kind ? ", " : "", cdi->devices[k].name);
                        kind = true;
                }
        }
        if (!kind)
                for (size_t i = 0; store->dirs[i]; i++)
                        str_addf(&s, "%s%s", i > 0 ? ", " : "", store->dirs[i]);
        const char *text = str_failed(&s) ? "" : s.text;
        const char *also = store->broken ? store->broken : "";
        const char *between = store->broken ? "; and a file cannot be used: " : "";
        if (kind)
                return error_say(err, -ENODEV, "device \"%s/%s=%s\": there is none of that name, but %s%s%s", name->vendor,
                                 name->class, name->device, text, between, also);
        return error_say(err, -ENODEV, "device \"%s/%s=%s\": no CDI file in %s describes devices of %s/%s%s%s",
                         name->vendor, name->class, name->device, text, name->vendor, name->class, between, also);
}

/* The highest directory that has it decides. */
static int find(const struct store *store, const struct cdi_name *name, struct store_file **ret, struct error *err)
{
        struct store_file *best = NULL, *equal = NULL;
        for (size_t i = 0; i < store->n; i++) {
                struct store_file *file = &store->files[i];
                if (!is_kind(file, name) || !device_in(file, name->device))
                        continue;
                if (!best || file->priority > best->priority) {
                        best = file;
                        equal = NULL;
                } else if (file->priority == best->priority) {
                        equal = file;
                }
        }
        if (equal)
                return error_say(err, -EEXIST, "device \"%s/%s=%s\": it is in %s and in %s, and neither takes precedence",
                                 name->vendor, name->class, name->device, best->path, equal->path);
        *ret = best;
        return 0;
}

/* The edits of the file, if it was not used yet and they are wanted, and the device's. */
static int collect(struct store *store, const struct cdi_name *name, bool whole, struct edits *edits, struct error *err)
{
        struct store_file *file = NULL;
        int r = find(store, name, &file, err);
        if (r < 0)
                return r;
        if (!file)
                return fail_missing(store, name, err);
        struct edits more = { 0 };
        if (whole && !file->used)
                r = edits_append(store->arena, &more, &file->cdi.edits);
        if (r == 0)
                r = edits_append(store->arena, &more, &device_in(file, name->device)->edits);
        if (r < 0)
                return error_set(err, r, "take the edits of %s", file->path);
        for (size_t i = 0; i < more.n_nodes; i++)
                if (node_fill(&more.nodes[i], err) < 0)
                        return error_wrap(err, "device \"%s/%s=%s\" of %s", name->vendor, name->class, name->device,
                                          file->path);
        r = edits_append(store->arena, edits, &more);
        if (r < 0)
                return error_set(err, r, "take the edits of %s", file->path);
        file->used |= whole;
        return 0;
}

int store_look(struct store *store, const struct cdi_name *name, struct edits *edits, struct error *err)
{
        return collect(store, name, false, edits, err);
}

/* "2" comes before "10". */
static int by_number(const void *a, const void *b)
{
        return strverscmp(*(const char *const *) a, *(const char *const *) b);
}

int store_names(struct store *store, const struct cdi_name *name, const char ***ret, size_t *ret_n, struct error *err)
{
        const char **names = NULL;
        size_t n = 0, different = 0;
        for (size_t i = 0; i < store->n; i++) {
                const struct cdi_file *cdi = &store->files[i].cdi;
                if (!is_kind(&store->files[i], name))
                        continue;
                names = arena_grow(store->arena, names, n, cdi->n_devices, sizeof(*names));
                if (!names)
                        return error_set(err, -ENOMEM, "device \"%s/%s=all\"", name->vendor, name->class);
                for (size_t k = 0; k < cdi->n_devices; k++)
                        names[n++] = cdi->devices[k].name;
        }
        if (n == 0)
                return fail_missing(store, name, err);
        qsort(names, n, sizeof(*names), by_number);
        for (size_t i = 0; i < n; i++)
                if (i == 0 || strcmp(names[i], names[different - 1]) != 0)
                        names[different++] = names[i];
        *ret = names;
        *ret_n = different;
        return 0;
}

static int take_all(struct store *store, const struct cdi_name *name, struct edits *edits, struct error *err)
{
        const char **names = NULL;
        size_t n = 0;
        int r = store_names(store, name, &names, &n, err);
        for (size_t i = 0; r == 0 && names && i < n; i++) {
                const struct cdi_name one = { name->vendor, name->class, names[i] };
                r = collect(store, &one, true, edits, err);
        }
        return r;
}

int store_take(struct store *store, const struct cdi_name *name, struct edits *edits, struct error *err)
{
        struct store_file *file = NULL;
        bool all = strcmp(name->device, "all") == 0;
        int r = all ? find(store, name, &file, err) : 0;
        if (r < 0)
                return r;
        return all && !file ? take_all(store, name, edits, err) : collect(store, name, true, edits, err);
}

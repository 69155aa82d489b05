#include "device/node.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "spec/path_clean.h"

static char type_of(mode_t mode)
{
        return S_ISCHR(mode) ? 'c' : S_ISBLK(mode) ? 'b' : S_ISFIFO(mode) ? 'p' : '\0';
}

int node_fill(struct edit_node *node, struct error *err)
{
        const char *host = node->host ? node->host : node->path;
        bool complete = node->type && (node->major != 0 || node->type == 'p');
        struct stat st;
        if (stat(host, &st) < 0)
                return complete ? 0 : error_set(err, -errno, "look at \"%s\"", host);
        char type = type_of(st.st_mode);
        if (type && !node->has_mode) {
                node->has_mode = true;
                node->mode = st.st_mode & 07777;
        }
        if (complete)
                return 0;
        if (!type)
                return error_say(err, -ENODEV, "\"%s\" is not a device", host);
        if (node->type && node->type != type && !(node->type == 'u' && type == 'c'))
                return error_say(err, -EINVAL, "\"%s\" is a device of type %c, not %c", host, type, node->type);
        node->type = type;
        if (type != 'p' && node->major == 0) {
                node->major = major(st.st_rdev);
                node->minor = minor(st.st_rdev);
        }
        return 0;
}

static int add(struct arena *arena, struct edits *edits, const struct edit_node *node, struct error *err)
{
        struct edit_node copy = *node;
        const struct edits one = { .nodes = &copy, .n_nodes = 1 };
        int r = edits_append(arena, edits, &one);
        return r < 0 ? error_set(err, r, "device \"%s\"", node->path) : 0;
}

/* Who may use it is decided by the host's owner and mode. */
static void take_owner(struct edit_node *node, const struct stat *st)
{
        node->type = type_of(st->st_mode);
        node->major = major(st->st_rdev);
        node->minor = minor(st->st_rdev);
        node->has_mode = node->has_uid = node->has_gid = true;
        node->mode = st->st_mode & 07777;
        node->uid = st->st_uid;
        node->gid = st->st_gid;
}

/* ---- several at once ---- */

static void dir_close(DIR *dir) { closedir(dir); }
CLEANUP_DEFINE(DIR *, dir_close)

static int by_path(const void *a, const void *b)
{
        return strverscmp(((const struct edit_node *) a)->path, ((const struct edit_node *) b)->path);
}

/* The devices of a directory whose names begin with `prefix`, like `model` otherwise. Returns how many, or -errno. */
static int add_dir(struct arena *arena, const char *host, const char *prefix, const struct edit_node *model,
                   struct edits *edits, struct error *err)
{
        CLEANUP(dir_close) DIR *dir = opendir(host);
        if (!dir)
                return error_set(err, -errno, "look at \"%s\"", host);
        size_t first = edits->n_nodes;
        struct dirent *entry;
        while ((entry = readdir(dir))) {
                struct stat st;
                if (!str_starts(entry->d_name, prefix) || fstatat(dirfd(dir), entry->d_name, &st, 0) < 0 ||
                    (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode)))
                        continue;
                struct edit_node node = *model;
                node.path = arena_printf(arena, "%s/%s", model->path, entry->d_name);
                node.host = arena_printf(arena, "%s/%s", host, entry->d_name);
                if (!node.path || !node.host)
                        return error_set(err, -ENOMEM, "look at \"%s\"", host);
                take_owner(&node, &st);
                int r = add(arena, edits, &node, err);
                if (r < 0)
                        return r;
        }
        size_t n = edits->n_nodes - first;
        if (n > 0)
                qsort(edits->nodes + first, n, sizeof(*edits->nodes), by_path);
        return (int) n;
}

/* ---- --device PATH ---- */

static bool is_access(const char *text)
{
        return *text && !text[strspn(text, "rwm")];
}

static int parse_plain(struct arena *arena, const char *text, struct edit_node *ret, struct error *err)
{
        char *copy = arena_strdup(arena, text);
        if (!copy)
                return error_set(err, -ENOMEM, "device \"%s\"", text);
        char *part[4] = { copy };
        int n = 1;
        for (char *p = copy; n < 4 && (p = strchr(p, ':')); n++) {
                *p++ = '\0';
                part[n] = p;
        }
        const char *access = n == 3 ? part[2] : n == 2 && part[1][0] != '/' ? part[1] : "rwm";
        const char *inside = n > 1 && part[1] != access ? part[1] : part[0];
        if (n > 3 || part[0][0] != '/' || inside[0] != '/')
                return error_say(err, -EINVAL, "device \"%s\": expected PATH[:PATH-IN-CONTAINER][:rwm], with absolute paths, "
                                 "or VENDOR/CLASS=NAME", text);
        if (!is_access(access))
                return error_say(err, -EINVAL, "device \"%s\": expected letters of \"rwm\" for the access, found \"%s\"", text,
                                 access);
        *ret = (struct edit_node){ .path = path_clean(arena, inside), .host = part[0], .read = strchr(access, 'r'),
                                   .write = strchr(access, 'w'), .mknod = strchr(access, 'm') };
        if (!ret->path)
                return error_set(err, -ENOMEM, "device \"%s\"", text);
        if (strcmp(ret->path, "/") == 0)
                return error_say(err, -EINVAL, "device \"%s\": \"/\" cannot be a device", text);
        return 0;
}

int node_plain(struct arena *arena, const char *text, struct edits *edits, struct error *err)
{
        struct edit_node node = { 0 };
        struct stat st;
        int r = parse_plain(arena, text, &node, err);
        if (r < 0 || !node.host)
                return r;
        if (stat(node.host, &st) < 0)
                return error_set(err, -errno, "device \"%s\"", node.host);
        if (S_ISDIR(st.st_mode)) {
                r = add_dir(arena, node.host, "", &node, edits, err);
                return r == 0 ? error_say(err, -ENODEV, "device \"%s\": no devices in this directory", node.host) :
                       r < 0  ? r : 0;
        }
        if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
                return error_say(err, -ENODEV, "device \"%s\" is not a device", node.host);
        take_owner(&node, &st);
        return add(arena, edits, &node, err);
}

/* ---- --device-group ---- */

struct pattern {
        const char *dir, *prefix;
};

static const struct group {
        const char *name, *nodes;
        bool pins;              /* its buffers are locked memory, limited by RLIMIT_MEMLOCK */
        struct pattern pattern[2];      /* of each there has to be one */
} groups[] = {
        { "verbs", "/dev/infiniband/*", true, { { "/dev/infiniband", "" } } },
        { "cxi", "/dev/cxi*", true, { { "/dev", "cxi" } } },
        { "xpmem", "/dev/xpmem", false, { { "/dev", "xpmem" } } },
        { "kfd", "/dev/kfd and /dev/dri/renderD*", true, { { "/dev", "kfd" }, { "/dev/dri", "renderD" } } },
};
#define N_GROUPS (sizeof(groups) / sizeof(*groups))

static const struct group *find_group(const char *name, struct error *err)
{
        auto_str struct str s = STR_INIT;
        for (size_t i = 0; i < N_GROUPS; i++) {
                if (strcmp(groups[i].name, name) == 0)
                        return &groups[i];
                str_addf(&s, "%s%s", i > 0 ? ", " : "", groups[i].name);
        }
        (void) error_say(err, -EINVAL, "device group \"%s\" is none of %s", name, s.text);      /* the caller returns it */
        return NULL;
}

int node_group(struct arena *arena, const char *name, struct edits *edits, bool *ret_pins, struct error *err)
{
        const struct group *g = find_group(name, err);
        if (!g)
                return -EINVAL;
        for (size_t i = 0; i < 2 && g->pattern[i].dir; i++) {
                const struct pattern *p = &g->pattern[i];
                const struct edit_node model = { .path = p->dir, .read = true, .write = true, .mknod = true };
                int n = add_dir(arena, p->dir, p->prefix, &model, edits, err);
                if (n == 0 || n == -ENOENT)
                        return error_say(err, -ENOENT, "device group %s: this machine has no %s/%s*; it needs %s", name,
                                         p->dir, p->prefix, g->nodes);
                if (n < 0)
                        return error_wrap(err, "device group %s", name);
        }
        *ret_pins = g->pins;
        return 0;
}

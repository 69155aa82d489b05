#include "child/hide.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mount.h>

#include "child/walk.h"
#include "syscall/sys.h"

/* Escapes and all; the options of an overlay may be long, and come after what we look for. */
#define LINE_ROOM 8192

/* A line of /proc/self/mountinfo, proc_pid_mountinfo(5): "36 35 98:0 ROOT POINT options shared:1 - TYPE source ...". */
struct line {
        char text[LINE_ROOM];
        size_t n;
        bool too_long;
};

/* The next field, terminated; `*at` is moved behind it. NULL: there is none. */
static char *next_field(char **at)
{
        char *field = *at;
        while (*field == ' ')
                field++;
        char *end = field;
        while (*end && *end != ' ')
                end++;
        *at = *end ? end + 1 : end;
        *end = '\0';
        return *field ? field : NULL;
}

/* "\040" is a blank. */
static void unescape(char *text)
{
        char *to = text;
        for (const char *from = text; *from; to++) {
                bool octal = from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' && from[2] <= '7' &&
                             from[3] >= '0' && from[3] <= '7';
                *to = octal ? (char) ((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0')) : *from;
                from += octal ? 4 : 1;
        }
        *to = '\0';
}

static bool same(const char *a, const char *b)
{
        size_t n = strlen(a);
        return n == strlen(b) && memcmp(a, b, n) == 0;
}

/* Where a whole proc or sysfs is mounted; NULL: the line tells of something else. */
static const char *point_of_pseudo_fs(char *line)
{
        char *field[5];
        for (size_t i = 0; i < sizeof(field) / sizeof(*field); i++)
                if (!(field[i] = next_field(&line)))
                        return NULL;
        if (!same(field[3], "/"))
                return NULL;
        char *word = next_field(&line);
        while (word && !same(word, "-"))
                word = next_field(&line);
        const char *type = word ? next_field(&line) : NULL;
        if (!type || (!same(type, "proc") && !same(type, "sysfs")))
                return NULL;
        unescape(field[4]);
        return field[4];
}

static bool is_below(const char *path, const char *root, size_t len)
{
        return strncmp(path, root, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

static int hide(const char *point)
{
        int r = sys_umount(point, MNT_DETACH);
        /* It went together with the mount that it was on. */
        if (r == -ENOENT)
                return 0;
        /* In a user namespace the host's mounts are locked, but may be covered. */
        return r == -EINVAL || r == -EPERM ? sys_mount("tmpfs", point, "tmpfs", MS_RDONLY, NULL) : r;
}

static int take_line(struct line *line, const char *root, size_t root_len)
{
        line->text[line->n] = '\0';
        const char *point = line->too_long ? NULL : point_of_pseudo_fs(line->text);
        line->n = 0;
        line->too_long = false;
        return point && !is_below(point, root, root_len) ? hide(point) : 0;
}

static int read_lines(int fd, const char *root, size_t root_len)
{
        struct line line = { .n = 0 };
        char data[1024];
        for (;;) {
                ssize_t n = sys_read(fd, data, sizeof(data));
                if (n <= 0)
                        return (int) n;
                for (ssize_t i = 0; i < n; i++) {
                        int r = 0;
                        if (data[i] == '\n')
                                r = take_line(&line, root, root_len);
                        else if (line.n + 1 < sizeof(line.text))
                                line.text[line.n++] = data[i];
                        else
                                line.too_long = true;
                        if (r < 0)
                                return r;
                }
        }
}

int hide_pseudo_fs(int root_fd)
{
        char root[PATH_MAX];
        ssize_t n = sys_readlinkat(AT_FDCWD, walk_fd_path(root_fd).text, root, sizeof(root) - 1);
        if (n < 0)
                return (int) n;
        root[n] = '\0';
        int fd = sys_openat2(AT_FDCWD, "/proc/self/mountinfo", O_RDONLY, 0, 0);
        if (fd < 0)
                return fd;
        /* What we take away must not be taken from the host: umount propagates between the mounts that it was on. */
        int r = sys_mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL);
        if (r >= 0)
                r = read_lines(fd, root, (size_t) n);
        (void) sys_close(fd);
        return r;
}

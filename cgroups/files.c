#include "cgroups/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"

int file_read(int dirfd, const char *name, char *buf, size_t size)
{
        auto_fd int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        /* One read(2) brings all of a file below a page: the kernel makes it in one go. */
        ssize_t n;
        do
                n = read(fd, buf, size - 1);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        if (n > 0 && buf[n - 1] == '\n')
                n--;
        buf[n] = '\0';
        return 0;
}

int file_has_text(int dirfd, const char *name)
{
        char first[2] = "";
        int r = file_read(dirfd, name, first, sizeof(first));
        if (r < 0)
                return r;
        return first[0] != '\0';
}

void file_try_write(int dirfd, const char *name, const char *text)
{
        ignore_result(io_write_file(dirfd, name, text)); /* the caller cannot do anything about it */
}

const char *number_at(const char *at, uint64_t *ret)
{
        uint64_t n = 0;
        size_t digits = at ? strspn(at, "0123456789") : 0;
        for (size_t i = 0; i < digits; i++)
                if (__builtin_mul_overflow(n, 10u, &n) || __builtin_add_overflow(n, (uint64_t) (at[i] - '0'), &n))
                        return NULL;
        if (digits == 0)
                return NULL;
        *ret = n;
        return at + digits;
}

int flat_value(const char *text, const char *key, uint64_t *ret)
{
        size_t n = strlen(key);
        for (const char *line = text; line; line = strchr(line, '\n')) {
                line += *line == '\n';
                if (strncmp(line, key, n) != 0 || line[n] != ' ')
                        continue;
                char number[24];
                size_t digits = strspn(line + n + 1, "0123456789");
                if (digits >= sizeof(number))
                        return -ERANGE;
                memcpy(number, line + n + 1, digits);
                number[digits] = '\0';
                return parse_u64(number, ret);
        }
        return -ENOENT;
}

bool list_has(const char *list, char sep, const char *word, size_t n)
{
        while (*list) {
                const char *end = strchr(list, sep);
                size_t len = end ? (size_t) (end - list) : strlen(list);
                if (len == n && n > 0 && memcmp(list, word, n) == 0)
                        return true;
                if (!end)
                        break;
                list = end + 1;
        }
        return false;
}

bool patience_wait(struct patience *p, uint64_t limit_us)
{
        if (p->waited_us >= limit_us)
                return false;
        const struct timespec nap = { .tv_nsec = (long) p->next_us * 1000 };
        (void) nanosleep(&nap, NULL); /* a signal ends it early: then we only look sooner */
        p->waited_us += p->next_us;
        p->next_us = p->next_us < 5000 ? p->next_us * 2 : 10000;
        return true;
}

int path_below(const struct cgroup_hierarchy *h, const char *path, char buf[PATH_MAX])
{
        int n = snprintf(buf, PATH_MAX, "%s%s", h->mount_point, path);
        return n < 0 || n >= PATH_MAX ? -ENAMETOOLONG : 0;
}

bool has_children(int dirfd)
{
        struct stat st;
        return fstat(dirfd, &st) == 0 && st.st_nlink > 2;
}

int each_child(int dirfd, int (*fn)(int dirfd, const char *name, void *arg), void *arg)
{
        int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        if (!dir) {
                int saved = errno;
                fd_close(fd);
                return -saved;
        }
        int r = 0;
        for (struct dirent *e; r == 0 && (e = readdir(dir));)
                if (e->d_type == DT_DIR && strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
                        r = fn(fd, e->d_name, arg);
        (void) closedir(dir); /* only read from */
        return r;
}

#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

int io_write_all(int fd, const void *data, size_t size)
{
        const char *p = data;
        while (size > 0) {
                ssize_t n = write(fd, p, size);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                p += n;
                size -= (size_t) n;
        }
        return 0;
}

ssize_t io_read_all(int fd, void *data, size_t size)
{
        char *p = data;
        size_t have = 0;
        while (have < size) {
                ssize_t n = read(fd, p + have, size - have);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        break;
                have += (size_t) n;
        }
        return (ssize_t) have;
}

int io_read_fd(int fd, size_t max, char **ret_text, size_t *ret_size)
{
        /* Files of /proc and /sys say size 0, so grow while reading. */
        size_t room = 4096, have = 0;
        auto_free char *text = malloc(room + 1);
        if (!text)
                return -ENOMEM;
        for (;;) {
                ssize_t n = io_read_all(fd, text + have, room - have);
                if (n < 0)
                        return (int) n;
                have += (size_t) n;
                if (have > max)
                        return -EFBIG;
                if (have < room)
                        break;
                room *= 2;
                char *grown = realloc(text, room + 1);
                if (!grown)
                        return -ENOMEM;
                text = grown;
        }
        text[have] = '\0';
        if (ret_size)
                *ret_size = have;
        *ret_text = take_ptr(&text);
        return 0;
}

int io_read_file(int dirfd, const char *path, size_t max, char **ret_text, size_t *ret_size)
{
        auto_fd int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        return io_read_fd(fd, max, ret_text, ret_size);
}

int io_write_file(int dirfd, const char *path, const char *text)
{
        auto_fd int fd = openat(dirfd, path, O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        /* One write(2): the kernel parses what one call brings. */
        ssize_t n;
        do
                n = write(fd, text, strlen(text));
        while (n < 0 && errno == EINTR);
        return n < 0 ? -errno : 0;
}

int io_create_file(int dirfd, const char *path, const void *data, size_t size, mode_t mode)
{
        auto_fd int fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
        if (fd < 0)
                return -errno;
        int r = io_write_all(fd, data, size);
        if (r < 0)
                (void) unlinkat(dirfd, path, 0); /* best effort: the failure is already known */
        return r;
}

/*
 * Changing places does as rename(2) does, but without ext4's care (auto_da_alloc) to have blocks for what replaces
 * something, which cost more than all the rest when they are freed again. Not all file systems can.
 */
static int put_in_place(int dirfd, const char *name, const char *path)
{
        if (renameat2(dirfd, name, dirfd, path, RENAME_EXCHANGE) == 0) {
                (void) unlinkat(dirfd, name, 0); /* best effort: the old file, under a name that nobody reads */
                return 0;
        }
        return renameat(dirfd, name, dirfd, path) < 0 ? -errno : 0;
}

int io_replace_file(int dirfd, const char *path, const void *data, size_t size, mode_t mode)
{
        char name[PATH_MAX];
        int len = snprintf(name, sizeof(name), "%s.%d.new", path, (int) getpid());
        if (len < 0 || (size_t) len >= sizeof(name))
                return -ENAMETOOLONG;
        auto_fd int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
        if (fd < 0)
                return -errno;
        int r = io_write_all(fd, data, size);
        if (r == 0)
                r = put_in_place(dirfd, name, path);
        if (r < 0)
                (void) unlinkat(dirfd, name, 0); /* best effort: the failure is already known */
        return r;
}

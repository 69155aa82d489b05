#include "hpc/wire_dir.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"

static void close_dir(DIR *dir) { closedir(dir); }
CLEANUP_DEFINE(DIR *, close_dir)
#define auto_close_dir CLEANUP(close_dir)

/* libpmix nests three deep; a rank that nests deeper only keeps its own litter */
enum { DEEPEST = 16 };

static void empty(int dir_fd, dev_t device, unsigned depth)
{
        /* a second descriptor of the same directory: closedir() takes it along */
        int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return;
        auto_close_dir DIR *dir = fdopendir(fd);
        if (!dir) {
                fd_close(fd);
                return;
        }

        struct dirent *entry;
        while ((entry = readdir(dir))) {
                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                        continue;
                if (unlinkat(dirfd(dir), entry->d_name, 0) == 0 || depth == DEEPEST)
                        continue;

                auto_fd int sub = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                struct stat st;
                if (sub < 0 || fstat(sub, &st) < 0 || st.st_dev != device)
                        continue;
                empty(sub, device, depth + 1);
                (void) unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);       /* best effort */
        }
}

void wire_dir_empty(int dir_fd)
{
        struct stat st;
        if (dir_fd >= 0 && fstat(dir_fd, &st) == 0)
                empty(dir_fd, st.st_dev, 0);
}

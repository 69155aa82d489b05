#include "runtime/process_ref.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "syscall/sys.h"

/* State letter and start time of /proc/PID/stat. The name in field 2 may contain anything: go by the last ')'. */
static int read_stat(pid_t pid, char *ret_letter, uint64_t *ret_start)
{
        char path[32];
        snprintf(path, sizeof(path), "/proc/%d/stat", (int) pid);
        auto_free char *text = NULL;
        int r = io_read_file(AT_FDCWD, path, 65536, &text, NULL);
        if (r < 0)
                return r == -ENOENT ? -ESRCH : r;

        char *p = strrchr(text, ')');
        if (!p || p[1] != ' ' || p[2] == '\0')
                return -EBADMSG;
        char letter = p[2];
        p += 2;
        for (int field = 3; field < 22; field++) {
                p = strchr(p, ' ');
                if (!p)
                        return -EBADMSG;
                p++;
        }
        p[strcspn(p, " ")] = '\0';
        r = parse_u64(p, ret_start);
        if (r == 0)
                *ret_letter = letter;
        return r;
}

int process_ref_of(pid_t pid, struct process_ref *ret)
{
        char letter;
        uint64_t start;
        int r = read_stat(pid, &letter, &start);
        if (r < 0)
                return r;
        *ret = (struct process_ref){ .pid = pid, .start = start };
        return 0;
}

int process_ref_open(const struct process_ref *ref, int *ret_pidfd)
{
        if (ref->pid <= 0)
                return -ESRCH;
        /* In this order: once we hold a pidfd the pid cannot change hands unnoticed. */
        auto_fd int pidfd = sys_pidfd_open(ref->pid);
        if (pidfd < 0)
                return pidfd == -EINVAL ? -ESRCH : pidfd;
        char letter;
        uint64_t start;
        int r = read_stat(ref->pid, &letter, &start);
        if (r < 0)
                return r;
        if (start != ref->start || letter == 'Z' || letter == 'X')
                return -ESRCH;
        *ret_pidfd = take_fd(&pidfd);
        return 0;
}

bool process_ref_alive(const struct process_ref *ref)
{
        auto_fd int pidfd = -1;
        /* When in doubt it lives: nobody must collect what is still in use. */
        return process_ref_open(ref, &pidfd) != -ESRCH;
}

pid_t process_of_pidfd(int pidfd)
{
        char path[64];
        snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
        auto_free char *text = NULL;
        if (io_read_file(AT_FDCWD, path, 4096, &text, NULL) < 0)
                return -1;
        const char *line = strstr(text, "\nPid:\t");
        uint32_t pid;
        if (!line)
                return -1;
        line += strlen("\nPid:\t");
        text[(size_t) (line - text) + strcspn(line, "\n")] = '\0';
        return parse_u32(line, &pid) < 0 ? -1 : (pid_t) pid;    /* "-1" of a process that is gone is no number here */
}

pid_t process_pid_inside(pid_t pid)
{
        char path[32];
        snprintf(path, sizeof(path), "/proc/%d/status", (int) pid);
        auto_free char *text = NULL;
        if (io_read_file(AT_FDCWD, path, 65536, &text, NULL) < 0)
                return pid;
        char *line = strstr(text, "\nNSpid:\t"), *last;
        uint32_t inside;
        if (!line)
                return pid;
        line++;
        line[strcspn(line, "\n")] = '\0';
        last = strrchr(line, '\t');
        return parse_u32(last + 1, &inside) < 0 ? pid : (pid_t) inside;
}

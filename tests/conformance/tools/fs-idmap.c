/* fs-idmap PATH: can the filesystem of PATH be id-mapped?  prints the errno text as the suite expects. */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#ifndef MOUNT_ATTR_IDMAP
#define MOUNT_ATTR_IDMAP 0x00100000
#endif
static int child(void *a)
{
        (void) a;
        pause();
        return 0;
}
static void w(pid_t p, const char *f, const char *t)
{
        char n[64];
        snprintf(n, sizeof n, "/proc/%d/%s", p, f);
        int d = open(n, O_WRONLY);
        if (d >= 0) {
                if (write(d, t, strlen(t)) < 0)
                        perror(n);
                close(d);
        }
}
int main(int argc, char **argv)
{
        static char st[65536];
        if (argc != 2)
                return 1;
        int t = syscall(SYS_open_tree, AT_FDCWD, argv[1], 1 /* OPEN_TREE_CLONE */ | O_CLOEXEC | AT_EMPTY_PATH),
            e = errno, rc = 1;
        if (t >= 0) {
                pid_t p = clone(child, st + sizeof st, CLONE_NEWUSER | SIGCHLD, NULL);
                w(p, "uid_map", "0 65536 65536\n");
                w(p, "gid_map", "0 65536 65536\n");
                char n[64];
                snprintf(n, sizeof n, "/proc/%d/ns/user", p);
                struct {
                        uint64_t set, clr, prop, ufd;
                } a = { MOUNT_ATTR_IDMAP, 0, 0, open(n, O_RDONLY) };
                rc = syscall(442 /* mount_setattr */, t, "", AT_EMPTY_PATH, &a, sizeof a) ? 1 : 0;
                e = errno;
                kill(p, SIGKILL);
                waitpid(p, NULL, 0);
        }
        if (rc) {
                char m[128];
                snprintf(m, sizeof m, "%s", strerror(e));
                m[0] = tolower(m[0]);
                fprintf(stderr, "fatal error: %s\n", m);
        }
        return rc;
}

/* watch PID SECONDS MARKFILE
 * Called at the start of every bats test (PID = the test's shell), inside isolate's pid namespace.
 *  1. cleans what earlier tests left: thaws freezers, kills every process that does not descend
 *     from the namespace's main command, removes empty cgroups.
 *  2. goes to the background and, if the test is still there after SECONDS, kills what blocks it:
 *     first its descendants, 10 s later every stray process as well, at last the test shell.
 * (bats' own BATS_TEST_TIMEOUT is a child of the test shell and makes a bare "wait" hang.) */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
static struct {
        int pid, ppid;
        char st;
} t[32768];
static int n;
static void scan(void)
{
        DIR *d = opendir("/proc");
        struct dirent *e;
        n = 0;
        while (d && (e = readdir(d)) && n < 32768) {
                int p = atoi(e->d_name);
                char f[64], b[512], *q;
                if (p <= 0)
                        continue;
                snprintf(f, sizeof f, "/proc/%d/stat", p);
                int fd = open(f, O_RDONLY);
                if (fd < 0)
                        continue;
                int r = read(fd, b, sizeof b - 1);
                close(fd);
                if (r <= 0)
                        continue;
                b[r] = 0;
                if (!(q = strrchr(b, ')')))
                        continue;
                t[n].pid = p;
                t[n].st = q[2];
                t[n].ppid = atoi(q + 4);
                n++;
        }
        if (d)
                closedir(d);
}
static int parent(int p)
{
        for (int i = 0; i < n; i++)
                if (t[i].pid == p)
                        return t[i].ppid;
        return 0;
}
static int under(int p, int a)
{
        for (int k = 0; p > 1 && k < 1000; k++, p = parent(p))
                if (p == a)
                        return 1;
        return 0;
}
static void wr(const char *f, const char *s)
{
        int fd = open(f, O_WRONLY);
        if (fd >= 0) {
                if (write(fd, s, strlen(s)) < 0) {
                }
                close(fd);
        }
}
static int thaw(const char *p, const struct stat *s, int ty, struct FTW *f)
{
        (void) s;
        (void) f;
        if (ty == FTW_F || ty == FTW_NS) {
                const char *b = strrchr(p, '/') + 1;
                if (!strcmp(b, "freezer.state"))
                        wr(p, "THAWED");
                if (!strcmp(b, "cgroup.freeze"))
                        wr(p, "0");
        }
        return 0;
}
static int prune(const char *p, const struct stat *s, int ty, struct FTW *f)
{
        (void) s;
        if (ty == FTW_DP && f->level > 0 && !strstr(p, "/init") && rmdir(p)) {
        }
        return 0;
}
static void strays(int self)
{
        nftw("/sys/fs/cgroup", thaw, 32, FTW_PHYS | FTW_MOUNT * 0);
        for (int round = 0; round < 100; round++) {
                scan();
                int mainp = 0, left = 0;
                for (int i = 0; i < n; i++)
                        if (t[i].ppid == 1 && (!mainp || t[i].pid < mainp))
                                mainp = t[i].pid;
                for (int i = 0; i < n; i++) {
                        int p = t[i].pid;
                        if (p == 1 || p == self || t[i].st == 'Z' || t[i].ppid == 2 * 0 && p == 1)
                                continue;
                        if (under(p, mainp))
                                continue;
                        if (!kill(p, SIGKILL))
                                left++;
                }
                if (!left)
                        break;
                usleep(20000);
        }
}
/* the test is over: if no other test follows, whatever still holds bats' pipes must go */
static int last(void)
{
        sleep(3);
        scan();
        for (int i = 0; i < n; i++) {
                char f[64], b[4096];
                snprintf(f, sizeof f, "/proc/%d/cmdline", t[i].pid);
                int fd = open(f, O_RDONLY), r = fd < 0 ? 0 : read(fd, b, sizeof b);
                if (fd >= 0)
                        close(fd);
                if (r > 0 && memmem(b, r, "bats-exec-test", 14))
                        return 0;
        }
        strays(getpid());
        return 0;
}
int main(int argc, char **argv)
{
        if (argc == 2 && !strcmp(argv[1], "clean")) {
                strays(getpid());
                nftw("/sys/fs/cgroup", prune, 32, FTW_PHYS | FTW_DEPTH);
                return 0;
        }
        if (argc != 4)
                return 2;
        int pid = atoi(argv[1]), secs = atoi(argv[2]);
        strays(getpid());
        nftw("/sys/fs/cgroup", prune, 32, FTW_PHYS | FTW_DEPTH);
        if (fork())
                return 0;
        setsid();
        if (fork())
                _exit(0);
        for (int i = 0; i < 256; i++)
                close(i);
        open("/dev/null", O_RDWR);
        dup(0);
        dup(0);
        char c[32];
        snprintf(c, sizeof c, "/proc/%d", pid);
        struct stat a, b;
        if (stat(c, &a))
                return 0;
        for (int round = 0; round < 5; round++) {
                time_t end = time(NULL) + (round ? 10 : secs);
                while (time(NULL) < end) {
                        usleep(250000);
                        if (stat(c, &b) || a.st_ino != b.st_ino)
                                return last();
                }
                int m = open(argv[3], O_WRONLY | O_CREAT | O_APPEND, 0666);
                if (m >= 0) {
                        const char *x = getenv("BATS_SUITE_TEST_NUMBER");
                        if (!x)
                                x = "?";
                        dprintf(m, "%d\t%s\n", round, x);
                        close(m);
                }
                scan();
                if (round < 4) {
                        for (int i = 0; i < n; i++)
                                if (t[i].pid != pid && t[i].pid != getpid() && under(t[i].pid, pid))
                                        kill(t[i].pid, SIGKILL);
                        if (round)
                                strays(getpid());
                } else
                        kill(pid, SIGKILL);
        }
        return 0;
}

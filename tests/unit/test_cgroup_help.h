#pragma once
/*
 * For tests that make real cgroups, as root. Their names are unique, and nothing is left.
 * The first argument chooses the machine, in a mount namespace of its own: "v2" mounts cgroup v2 on /sys/fs/cgroup
 * (with the controllers that v1 has not bound), "v1" hides the v2 mount of a hybrid machine.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cgroups/cgroup.h"

static struct error err;        /* of the last call */

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define must(call)                                                                  \
        do {                                                                        \
                err = ERROR_INIT;                                                   \
                int must_ = (call);                                                 \
                if (must_ < 0)                                                      \
                        fail_msg("%s: %d %s", #call, must_, err.text);              \
        } while (0)

static struct cgroup_host host;
static char base[64];           /* "/berth-test-<pid>", absolute */
static char enabled_before[256];

static inline bool exists(const char *mount_point, const char *path)
{
        char full[4096];
        snprintf(full, sizeof(full), "%s%s", mount_point, path);
        return access(full, F_OK) == 0;
}

static inline bool exists_anywhere(const char *path)
{
        for (size_t i = 0; i < host.n; i++)
                if (exists(host.h[i].mount_point, path))
                        return true;
        return false;
}

/* A child that runs `fn` after a byte on the returned pipe, or when its end is closed. */
struct child {
        pid_t pid;
        int go;
};

static inline struct child start(int (*fn)(void *), void *arg)
{
        int p[2];
        assert_int_equal(pipe2(p, O_CLOEXEC), 0);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                char byte;
                prctl(PR_SET_PDEATHSIG, SIGKILL);
                close(p[1]);
                while (read(p[0], &byte, 1) < 0)
                        ;
                _exit(fn(arg));
        }
        close(p[0]);
        return (struct child){ pid, p[1] };
}

static inline void let_go(struct child *c)
{
        close(c->go);
        c->go = -1;
}

/* The wait status. */
static inline int finish(struct child *c)
{
        int status = 0;
        if (c->go >= 0)
                let_go(c);
        assert_int_equal(waitpid(c->pid, &status, 0), c->pid);
        return status;
}

static inline int sleep_long(void *arg)
{
        (void) arg;
        sleep(100);
        return 0;
}

static inline void read_text(const char *path, char *buf, size_t size)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? 0 : read(fd, buf, size - 1);
        buf[n > 0 ? n : 0] = '\0';
        if (fd >= 0)
                close(fd);
}

/* Is the process in `path` in every hierarchy that the cgroup uses? */
static inline void assert_inside(pid_t pid, const struct cgroup *cg)
{
        char file[64], text[4096], line[1200];
        snprintf(file, sizeof(file), "/proc/%d/cgroup", (int) pid);
        read_text(file, text, sizeof(text));
        for (size_t i = 0; i < host.n; i++) {
                if (cg->dir[i].fd < 0)
                        continue;
                snprintf(line, sizeof(line), ":%s:%s\n", host.h[i].controllers, cg->dir[i].path);
                if (!strstr(text, line))
                        fail_msg("process %d is not in %s:\n%s", (int) pid, line, text);
        }
}

static inline void private_mounts(const char *how)
{
        if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                exit(77);
        if (strcmp(how, "v2") == 0 && mount("none", "/sys/fs/cgroup", "cgroup2", 0, NULL) < 0)
                exit(77);
        if (strcmp(how, "v1") == 0 && umount2("/sys/fs/cgroup/unified", MNT_DETACH) < 0)
                exit(77);
}

static inline const struct cgroup_hierarchy *v2_hierarchy(void)
{
        for (size_t i = 0; i < host.n; i++)
                if (host.h[i].v2)
                        return &host.h[i];
        return NULL;
}

/* Controllers that were not enabled at the top before are not afterwards. */
static inline void note_enabled(void)
{
        char path[256];
        const struct cgroup_hierarchy *v2 = v2_hierarchy();
        if (!v2)
                return;
        snprintf(path, sizeof(path), "%s/cgroup.subtree_control", v2->mount_point);
        read_text(path, enabled_before, sizeof(enabled_before));
}

static inline void restore_enabled(void)
{
        char path[256], now[256], *save = NULL;
        const struct cgroup_hierarchy *v2 = v2_hierarchy();
        if (!v2)
                return;
        snprintf(path, sizeof(path), "%s/cgroup.subtree_control", v2->mount_point);
        read_text(path, now, sizeof(now));
        for (char *word = strtok_r(now, " \n", &save); word; word = strtok_r(NULL, " \n", &save)) {
                char text[64];
                if (strstr(enabled_before, word))
                        continue;
                snprintf(text, sizeof(text), "-%s", word);
                int fd = open(path, O_WRONLY | O_CLOEXEC);
                if (fd >= 0 && write(fd, text, strlen(text)) < 0)
                        printf("# %s stays enabled\n", word); /* somebody else uses it by now */
                if (fd >= 0)
                        close(fd);
        }
}

/* Probes, or leaves with 77 where this machine cannot do it. */
static inline void prepare(int argc, char **argv)
{
        if (geteuid() != 0) {
                printf("needs root\n");
                exit(77);
        }
        if (argc > 1)
                private_mounts(argv[1]);
        if (cgroup_host_probe(&host, &err) < 0) {
                printf("%s\n", err.text);
                exit(1);
        }
        if (host.n == 0 || access(host.h[0].mount_point, W_OK) < 0) {
                printf("no cgroups to write to\n");
                exit(77);
        }
        snprintf(base, sizeof(base), "/berth-test-%d", (int) getpid());
        prctl(PR_SET_CHILD_SUBREAPER, 1);
        note_enabled();
        printf("# %s, %zu hierarchies\n",
               host.mode == CGROUP_V2 ? "v2" : host.mode == CGROUP_V1 ? "v1" : "hybrid", host.n);
}

static inline int nothing_is_left(void **state)
{
        (void) state;
        struct cgroup left;
        bool was = exists_anywhere(base);
        if (was && cgroup_open(&host, base, &left, NULL) == 0) {
                if (cgroup_kill(&left, SIGKILL, NULL) < 0 || cgroup_remove(&left, &err) < 0)
                        printf("# %s\n", err.text);
                cgroup_clear(&left);
        }
        while (waitpid(-1, NULL, WNOHANG) > 0)
                ;
        if (was)
                printf("# a test left its cgroup behind\n");
        return was ? -1 : 0;
}

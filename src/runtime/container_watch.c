#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/container_parts.h"
#include "syscall/sys.h"

#define KEEP_MAX (CGROUP_HIERARCHIES_MAX + 4)

static int by_number(const void *a, const void *b)
{
        return *(const int *) a - *(const int *) b;
}

/* Nobody shall wait for the end of a pipe, or of a terminal, that only the watcher still holds. */
static void close_others(int *keep, int n)
{
        qsort(keep, (size_t) n, sizeof(*keep), by_number);
        unsigned from = 0;
        for (int i = 0; i < n; i++) {
                if ((unsigned) keep[i] > from)
                        (void) syscall(SYS_close_range, from, (unsigned) keep[i] - 1, 0); /* best effort */
                from = (unsigned) keep[i] + 1;
        }
        (void) syscall(SYS_close_range, from, ~0U, 0); /* best effort */
}

/* All signals are blocked, as they are in the one who is watched. */
static _Noreturn void watch(int pipe_fd, struct state_dir dir, const struct state *state, struct cgroup *cgroup)
{
        int keep[KEEP_MAX], n = 0;
        keep[n++] = pipe_fd;
        keep[n++] = dir.root_fd;
        keep[n++] = dir.fd;
        for (size_t i = 0; i < CGROUP_HIERARCHIES_MAX; i++)
                if (cgroup->dir[i].fd >= 0)
                        keep[n++] = cgroup->dir[i].fd;
        close_others(keep, n);
        (void) setsid();                /* a hang-up of the terminal is not for us */
        ignore_result(chdir("/"));      /* nor do we hold a mount */
        (void) prctl(PR_SET_NAME, "berth-watch");

        char byte;
        if (read(pipe_fd, &byte, 1) != 0)
                _exit(0);
        struct error warning = ERROR_INIT, err = ERROR_INIT;
        if (state_dir_lock(&dir, &err) == 0)
                ignore_result(container_destroy(&dir, state, cgroup, &warning, &err)); /* nobody is left to be told */
        _exit(0);
}

int watch_begin(struct watch *w, int root_fd, const struct state_dir *dir, const struct state *state,
                struct cgroup *cgroup, struct error *err)
{
        int ends[2];
        if (!state_has_cgroup(state) || !cgroup->host)
                return 0;       /* without a cgroup its processes cannot be found */
        if (pipe2(ends, O_CLOEXEC) < 0)
                return error_set(err, -errno, "make a pipe");
        pid_t pid = fork();
        if (pid == 0) {
                struct state_dir copy = *dir;
                copy.root_fd = root_fd;
                close(ends[1]);
                watch(ends[0], copy, state, cgroup);
        }
        close(ends[0]);
        if (pid < 0) {
                int r = -errno;
                close(ends[1]);
                return error_set(err, r, "start the process that watches over us");
        }
        *w = (struct watch){ .pipe_fd = ends[1], .pid = pid };
        return 0;
}

void watch_end(struct watch *w)
{
        if (w->pipe_fd < 0)
                return;
        (void) sys_write(w->pipe_fd, "", 1);    /* if it is gone there is nothing to tell it */
        fd_close(w->pipe_fd);
        while (waitpid(w->pid, NULL, 0) < 0 && errno == EINTR)
                ;
        *w = WATCH_INIT;
}

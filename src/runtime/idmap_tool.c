#include "runtime/idmap_tool.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/str.h"

#define NUMBERS_MAX (3 * 340)   /* lines that the kernel takes: user_namespaces(7) */

/* "newuidmap 4711 0 1000 1 1 100000 65536" */
static const char **command_line(struct arena *arena, const char *tool, pid_t pid, const char *map)
{
        const char **argv = arena_alloc(arena, NUMBERS_MAX + 3, sizeof(*argv));
        char *text = arena_strdup(arena, map), *save = NULL;
        if (!argv || !text)
                return NULL;
        size_t n = 0;
        argv[n++] = tool;
        argv[n++] = arena_printf(arena, "%d", (int) pid);
        if (!argv[1])
                return NULL;
        for (char *word = strtok_r(text, " \n", &save); word; word = strtok_r(NULL, " \n", &save)) {
                if (n == NUMBERS_MAX + 2)
                        return NULL;
                argv[n++] = word;
        }
        argv[n] = NULL;
        return argv;
}

/* Where it is, by the caller's PATH: we have no more rights than he. */
static const char *find_tool(struct arena *arena, const char *tool)
{
        const char *path = strv_env((const char *const *) environ, "PATH");
        for (const char *at = path ? path : "/usr/bin:/bin"; *at;) {
                size_t n = strcspn(at, ":");
                const char *file = n > 0 ? arena_printf(arena, "%.*s/%s", (int) n, at, tool) : NULL;
                if (file && access(file, X_OK) == 0)
                        return file;
                at += n + (at[n] == ':');
        }
        return NULL;
}

/* A file and not a pipe: nobody has to read while the tool runs. */
static int spawn(const char *file, const char *const *argv, int output_fd, pid_t *ret_pid)
{
        posix_spawn_file_actions_t files;
        posix_spawnattr_t attr;
        sigset_t all, none;
        sigfillset(&all);
        sigemptyset(&none);
        int r = posix_spawn_file_actions_init(&files);
        if (r != 0)
                return -r;
        r = posix_spawnattr_init(&attr);
        if (r != 0) {
                (void) posix_spawn_file_actions_destroy(&files);
                return -r;
        }
        /* What we block and ignore is for us alone. */
        (void) posix_spawnattr_setsigdefault(&attr, &all);
        (void) posix_spawnattr_setsigmask(&attr, &none);
        (void) posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
        r = posix_spawn_file_actions_adddup2(&files, output_fd, 1);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(&files, output_fd, 2);
        if (r == 0)
                r = posix_spawn(ret_pid, file, &files, &attr, (char *const *) (uintptr_t) argv, environ);
        (void) posix_spawnattr_destroy(&attr);
        (void) posix_spawn_file_actions_destroy(&files);
        return -r;
}

/* What it said, on one line. */
static void read_words(int output_fd, char *buf, size_t size)
{
        ssize_t n = pread(output_fd, buf, size - 1, 0);
        size_t len = n > 0 ? (size_t) n : 0;
        while (len > 0 && buf[len - 1] == '\n')
                len--;
        buf[len] = '\0';
        for (size_t i = 0; i < len; i++)
                if ((unsigned char) buf[i] < 0x20)
                        buf[i] = ' ';
}

int idmap_by_tool(const char *tool, pid_t pid, const char *map, struct error *err)
{
        auto_arena struct arena *arena = arena_new();
        const char **argv = arena ? command_line(arena, tool, pid, map) : NULL;
        auto_fd int output_fd = memfd_create(tool, MFD_CLOEXEC);
        if (!argv || output_fd < 0)
                return error_set(err, !argv ? -ENOMEM : -errno, "prepare to start %s", tool);
        const char *file = find_tool(arena, tool);
        if (!file)
                return error_say(err, -ENOENT, "%s is not in PATH: an ordinary user needs it to map more than his own id "
                                         "(Debian: package uidmap)", tool);
        pid_t child = -1;
        int status = 0, r = spawn(file, argv, output_fd, &child);
        if (r < 0)
                return error_set(err, r, "start %s", file);
        while (waitpid(child, &status, 0) < 0)
                if (errno != EINTR)
                        return error_set(err, -errno, "wait for %s", tool);
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                return 0;
        char words[300];
        read_words(output_fd, words, sizeof(words));
        return error_say(err, -EPERM, "%s %s %d%s%s", tool,
                         WIFEXITED(status) ? "exited with status" : "was killed by signal",
                         WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status), *words ? ": " : "", words);
}

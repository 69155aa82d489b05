#include "runtime/tool.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"

static int spawn(const char *file, const char *const *argv, const int *outputs, pid_t *ret_pid)
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
        r = posix_spawn_file_actions_adddup2(&files, outputs[0], 1);
        if (r == 0)
                r = posix_spawn_file_actions_adddup2(&files, outputs[1], 2);
        if (r == 0)
                r = posix_spawn(ret_pid, file, &files, &attr, (char *const *) (uintptr_t) argv, environ);
        (void) posix_spawnattr_destroy(&attr);
        (void) posix_spawn_file_actions_destroy(&files);
        return -r;
}

static size_t read_words(int fd, char *buf, size_t size)
{
        ssize_t n = pread(fd, buf, size - 1, 0);
        size_t len = n > 0 ? (size_t) n : 0;
        while (len > 0 && buf[len - 1] == '\n')
                len--;
        buf[len] = '\0';
        return len;
}

int tool_run(const char *file, const char *const *argv, struct tool_words *ret)
{
        /* Files and not pipes: nobody has to read while the tool runs. */
        auto_fd int answer = memfd_create("answer", MFD_CLOEXEC);
        auto_fd int said = memfd_create("said", MFD_CLOEXEC);
        if (answer < 0 || said < 0)
                return -errno;
        const int outputs[] = { answer, said };
        pid_t child = -1;
        int status = 0, r = spawn(file, argv, outputs, &child);
        if (r < 0)
                return r;
        while (waitpid(child, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        (void) read_words(answer, ret->answer, sizeof(ret->answer));
        size_t len = read_words(said, ret->said, sizeof(ret->said));
        for (size_t i = 0; i < len; i++)
                if ((unsigned char) ret->said[i] < 0x20)
                        ret->said[i] = ' ';
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

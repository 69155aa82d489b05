#include "cli/helper.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef LAUNCHER_DIR
#define LAUNCHER_DIR "/usr/local/libexec/berth"
#endif
#define LAUNCHER "berth-launch"

static const char *beside(struct arena *arena, const char *program)
{
        const char *slash = strrchr(program, '/');
        const char *path = slash ? arena_printf(arena, "%.*s/" LAUNCHER, (int) (slash - program), program) : NULL;
        return path && access(path, X_OK) == 0 ? path : NULL;
}

/* The file that a shell starts by this name; NULL: none. */
static const char *find_program(struct arena *arena, const char *name)
{
        const char *path = strchr(name, '/') ? NULL : strv_env((const char *const *) environ, "PATH");
        for (const char *at = path ? path : ""; *at;) {
                size_t n = strcspn(at, ":");
                const char *file = n > 0 ? arena_printf(arena, "%.*s/%s", (int) n, at, name) : NULL;
                if (file && access(file, X_OK) == 0)
                        return file;
                at += n + (at[n] == ':');
        }
        return strchr(name, '/') ? name : NULL;
}

const char *helper_path(const struct call *call)
{
        char buf[PATH_MAX];
        const char *name = call->globals->argv ? call->globals->argv[0] : NULL;
        ssize_t n = readlink("/proc/self/exe", buf, sizeof(buf) - 1);
        buf[n > 0 ? n : 0] = '\0';
        const char *path = beside(call->arena, buf);
        /* A protected copy of our program (runtime/seal.h) has no place of its own. */
        const char *program = !path && name ? find_program(call->arena, name) : NULL;
        if (program && realpath(program, buf))
                path = beside(call->arena, buf);
        return path ? path : arena_strdup(call->arena, LAUNCHER_DIR "/" LAUNCHER);
}

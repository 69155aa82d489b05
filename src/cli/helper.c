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

const char *helper_path(const struct call *call)
{
        char buf[PATH_MAX], *name = call->globals->argv ? call->globals->argv[0] : NULL;
        ssize_t n = readlink("/proc/self/exe", buf, sizeof(buf) - 1);
        buf[n > 0 ? n : 0] = '\0';
        const char *path = beside(call->arena, buf);
        /* A protected copy of our program (runtime/seal.h) has no place of its own. */
        if (!path && name && strchr(name, '/') && realpath(name, buf))
                path = beside(call->arena, buf);
        return path ? path : arena_strdup(call->arena, LAUNCHER_DIR "/" LAUNCHER);
}

#include "runtime/idmap_tool.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/str.h"
#include "runtime/tool.h"

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

int idmap_by_tool(const char *tool, pid_t pid, const char *map, struct error *err)
{
        auto_arena struct arena *arena = arena_new();
        const char **argv = arena ? command_line(arena, tool, pid, map) : NULL;
        if (!argv)
                return error_set(err, -ENOMEM, "prepare to start %s", tool);
        const char *file = find_tool(arena, tool);
        if (!file)
                return error_say(err, -ENOENT, "%s is not in PATH: an ordinary user needs it to map more than his own id "
                                         "(Debian: package uidmap)", tool);
        struct tool_words words;
        int r = tool_run(file, argv, &words);
        if (r <= 0)
                return r < 0 ? error_set(err, r, "start %s", file) : 0;
        const char *more = *words.said ? words.said : words.answer;
        return error_say(err, -EPERM, "%s %s %d%s%s", tool, r < 128 ? "exited with status" : "was killed by signal",
                         r < 128 ? r : r - 128, *more ? ": " : "", more);
}

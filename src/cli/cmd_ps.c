#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "cli/command.h"
#include "runtime/container.h"
#include "runtime/jot.h"

#define OUTPUT_MAX (64u << 20)

struct ps_args {
        const char *format;
};

struct pids {
        pid_t *list;
        size_t n;
};

static int print_json(const struct pids *pids, struct error *err)
{
        auto_jot struct jot j = JOT_INIT(0);
        jot_open(&j, NULL, '[');
        for (size_t i = 0; i < pids->n; i++)
                jot_number(&j, NULL, pids->list[i]);
        jot_close(&j, ']');
        auto_free char *text = jot_take(&j);
        if (!text)
                return error_set(err, -ENOMEM, "print the pids");
        puts(text);
        return 0;
}

/* What ps(1) of this machine says of all processes. */
static int run_ps(const struct call *call, char **ret_text, struct error *err)
{
        const char *const *options = (const char *const *) call->pos.list + 1;
        size_t n = strv_len(options);
        const char **argv = arena_alloc(call->arena, n + 3, sizeof(*argv));
        int ends[2];
        if (!argv || pipe2(ends, O_CLOEXEC) < 0)
                return error_set(err, argv ? -errno : -ENOMEM, "run ps");
        argv[0] = "ps";
        argv[1] = "-ef";
        for (size_t i = 0; i < n; i++)
                argv[i + 1] = options[i];

        pid_t pid;
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
        const char *program = access("/usr/bin/ps", X_OK) == 0 ? "/usr/bin/ps" : "/bin/ps";
        int r = -posix_spawn(&pid, program, &actions, NULL, (char *const *) (uintptr_t) argv, environ);
        posix_spawn_file_actions_destroy(&actions);
        fd_close(ends[1]);
        int status = 0;
        if (r == 0) {
                r = io_read_fd(ends[0], OUTPUT_MAX, ret_text, NULL);
                while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                        ;
        }
        fd_close(ends[0]);
        if (r < 0)
                return error_set(err, r, "run ps");
        return status == 0 ? 0 : error_say(err, -EINVAL, "ps failed: see its message above");
}

/* The word number `column` of a line; its size is 0 if there is none. */
static const char *word(const char *line, size_t column, size_t *ret_size)
{
        const char *p = line + strspn(line, " \t");
        while (column-- > 0) {
                p += strcspn(p, " \t\n");
                p += strspn(p, " \t");
        }
        *ret_size = strcspn(p, " \t\n");
        return p;
}

static bool is_ours(const struct pids *pids, const char *text, size_t size)
{
        char number[16];
        uint32_t pid;
        if (size == 0 || size >= sizeof(number))
                return false;
        memcpy(number, text, size);
        number[size] = '\0';
        if (parse_u32(number, &pid) < 0)
                return false;
        for (size_t i = 0; i < pids->n; i++)
                if ((uint32_t) pids->list[i] == pid)
                        return true;
        return false;
}

/* The header, and the lines whose PID is in the container. */
static int print_table(const struct call *call, const struct pids *pids, struct error *err)
{
        auto_free char *text = NULL;
        int r = run_ps(call, &text, err);
        if (r < 0 || !text)
                return r;
        size_t column = 0, size;
        for (const char *w = word(text, 0, &size); size != 3 || memcmp(w, "PID", 3) != 0;
             w = word(text, ++column, &size))
                if (size == 0)
                        return error_say(err, -EINVAL, "couldn't find PID field in ps output");
        bool header = true;
        for (const char *line = text; *line;) {
                size_t length = strcspn(line, "\n");
                const char *pid = word(line, column, &size);
                if (header || is_ours(pids, pid, size))
                        printf("%.*s\n", (int) length, line);
                header = false;
                line += length + (line[length] == '\n');
        }
        return 0;
}

static int run(const struct call *call, struct error *err)
{
        const struct ps_args *a = call->args;
        struct pids pids = { 0 };
        auto_fd int root = -1;
        bool as_json = a->format && strcmp(a->format, "json") == 0;
        if (a->format && !as_json && strcmp(a->format, "table") != 0)
                return error_say(err, -EINVAL, "invalid format option: \"%s\": expected table or json", a->format);
        int r = command_root(call, false, &root, err);
        if (r == 0)
                r = container_pids(root, call->pos.list[0], &pids.list, &pids.n, err);
        if (r == 0)
                r = as_json ? print_json(&pids, err) : print_table(call, &pids, err);
        free(pids.list);
        return r;
}

static const struct option options[] = {
        { "format", 'f', OPTION_TEXT, offsetof(struct ps_args, format), "table (default) or json" },
};

const struct command cmd_ps = {
        .name = "ps", .arguments = "<container-id> [ps options]", .summary = "show the processes of a container",
        .options = { options, COUNT(options), true }, .args_size = sizeof(struct ps_args),
        .min = 1, .max = (size_t) -1, .failed = 1, .run = run,
        .text = "The table is that of ps(1) with these options (default: -ef), without the lines of others.\n",
};

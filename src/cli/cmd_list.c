#include <errno.h>
#include <string.h>

#include "cli/command.h"
#include "runtime/list.h"

#define COLUMNS 6
#define CELL_MIN 12     /* with the space after it; runc's table has the same widths */
#define CELL_PAD 3

struct list_args {
        const char *format;
        bool quiet;
};

/* All columns but the last are padded. */
static void print_table(const char *const (*cells)[COLUMNS], size_t rows)
{
        size_t width[COLUMNS];
        for (int c = 0; c < COLUMNS; c++) {
                width[c] = CELL_MIN;
                for (size_t i = 0; i < rows; i++)
                        if (strlen(cells[i][c]) + CELL_PAD > width[c])
                                width[c] = strlen(cells[i][c]) + CELL_PAD;
        }
        for (size_t i = 0; i < rows; i++) {
                for (int c = 0; c < COLUMNS - 1; c++)
                        printf("%-*s", (int) width[c], cells[i][c]);
                printf("%s\n", cells[i][COLUMNS - 1]);
        }
}

static int list_table(const struct call *call, const struct list *list, struct error *err)
{
        const char *(*cells)[COLUMNS] = arena_alloc(call->arena, list->n + 1, sizeof(*cells));
        if (!cells)
                return error_set(err, -ENOMEM, "print the list");
        static const char *const head[COLUMNS] = { "ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER" };
        memcpy(cells[0], head, sizeof(head));
        for (size_t i = 0; i < list->n; i++) {
                const struct list_row *row = &list->rows[i];
                char owner[256];
                list_owner(row->state.owner, owner, sizeof(owner));
                int pid = row->status == STATUS_STOPPED ? 0 : (int) row->state.process.pid;
                const char **c = cells[i + 1];
                c[0] = row->state.id;
                c[1] = arena_printf(call->arena, "%d", pid);
                c[2] = status_names[row->status];
                c[3] = row->state.bundle;
                c[4] = row->state.created;
                c[5] = arena_strdup(call->arena, owner);
                if (!c[1] || !c[5])
                        return error_set(err, -ENOMEM, "print the list");
        }
        print_table((const char *const (*)[COLUMNS]) cells, list->n + 1);
        return 0;
}

static int run(const struct call *call, struct error *err)
{
        const struct list_args *a = call->args;
        auto_fd int root = -1;
        auto_list struct list list = LIST_INIT;
        bool as_json = a->format && strcmp(a->format, "json") == 0;
        if (a->format && !as_json && strcmp(a->format, "table") != 0)
                return error_say(err, -EINVAL, "invalid format option: \"%s\": expected table or json", a->format);
        int r = command_root(call, false, &root, err);
        /* Nobody has made a container yet. A directory that was named must be there. */
        bool none = r == -ENOENT && !call->globals->root;
        if (r < 0 && !none)
                return r;
        if (!none)
                r = list_read(root, &list, err);
        if (r < 0 && !none)
                return r;
        if (list.skipped.size > 0)
                fprintf(stderr, "%s", list.skipped.text);
        if (a->quiet) {
                for (size_t i = 0; i < list.n; i++)
                        puts(list.rows[i].state.id);
                return 0;
        }
        if (!as_json)
                return list_table(call, &list, err);
        auto_free char *json = list_format(&list);
        if (!json)
                return error_set(err, -ENOMEM, "print the list");
        puts(json);
        return 0;
}

static const struct option options[] = {
        { "format", 'f', OPTION_TEXT, offsetof(struct list_args, format), "table (default) or json" },
        { "quiet", 'q', OPTION_FLAG, offsetof(struct list_args, quiet), "only the ids" },
};

const struct command cmd_list = {
        .name = "list", .arguments = "", .summary = "list the containers of the state directory",
        .options = { options, COUNT(options), false }, .args_size = sizeof(struct list_args),
        .failed = 1, .run = run,
};

#include "runtime/list.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "runtime/container.h"
#include "runtime/jot.h"

void list_owner(uid_t uid, char *buf, size_t size)
{
        struct passwd pw, *found = NULL;
        char room[4096];
        if (getpwuid_r(uid, &pw, room, sizeof(room), &found) == 0 && found)
                snprintf(buf, size, "%s", found->pw_name);
        else
                snprintf(buf, size, "#%u", (unsigned) uid);
}

/* 1: the row is there; 0: collected or gone meanwhile. */
static int read_row(int root_fd, const char *id, struct list_row *row, struct error *err)
{
        int r = container_collect(root_fd, id, err);
        if (r != 0)
                return r < 0 && r != -ENOENT ? r : 0;
        auto_state_dir struct state_dir dir = STATE_DIR_INIT;
        auto_state struct state st = STATE_INIT;
        auto_observed struct observed now = OBSERVED_INIT;
        r = state_dir_open(root_fd, id, &dir, err);
        if (r == 0)
                r = state_read(&dir, &st, err);
        if (r == 0)
                r = state_observe(&st, &now, err);
        if (r < 0)
                return r == -ENOENT ? 0 : r;
        row->state = st;
        row->status = now.status;
        st.arena = NULL;
        return 1;
}

int list_read(int root_fd, struct list *ret_list, struct error *err)
{
        auto_list struct list list = LIST_INIT;
        auto_arena struct arena *arena = arena_new();
        const char **ids = NULL;
        size_t n = 0;
        if (!arena)
                return error_set(err, -ENOMEM, "list containers");
        state_sweep(root_fd);
        int r = state_ids(root_fd, arena, &ids, &n, err);
        if (r < 0)
                return r;
        list.rows = calloc(n + 1, sizeof(*list.rows));
        if (!list.rows)
                return error_set(err, -ENOMEM, "list containers");
        for (size_t i = 0; i < n; i++) {
                struct error why = ERROR_INIT;
                r = read_row(root_fd, ids[i], &list.rows[list.n], &why);
                if (r > 0)
                        list.n++;
                else if (r < 0)
                        str_addf(&list.skipped, "%s\n", why.text);
        }
        *ret_list = list;
        list = LIST_INIT;
        return 0;
}

char *list_format(const struct list *list)
{
        if (list->n == 0)
                return strdup("null");
        auto_jot struct jot j = JOT_INIT(0);
        jot_open(&j, NULL, '[');
        for (size_t i = 0; i < list->n; i++) {
                char owner[256];
                list_owner(list->rows[i].state.owner, owner, sizeof(owner));
                state_jot(&j, &list->rows[i].state, list->rows[i].status, owner);
        }
        jot_close(&j, ']');
        return jot_take(&j);
}

void list_clear(struct list *list)
{
        for (size_t i = 0; i < list->n; i++)
                state_clear(&list->rows[i].state);
        free(list->rows);
        str_clear(&list->skipped);
        *list = LIST_INIT;
}

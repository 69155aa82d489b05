#include "launcher/lines.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#define WORTHWHILE ((size_t) 4096)
#define STATUS_CLEAR "\r\033[K"

int gather_open(struct gather *g, size_t room)
{
        assert(room >= 2 * LINES_MAX);
        char *text = malloc(room);
        if (!text)
                return -ENOMEM;
        *g = (struct gather){ .text = text, .room = room };
        return 0;
}

void gather_clear(struct gather *g)
{
        free(g->text);
        *g = GATHER_INIT;
}

void gather_written(struct gather *g, size_t n)
{
        g->head += n;
        if (g->head == g->tail)
                g->head = g->tail = 0;
}

static size_t gather_free(const struct gather *g)
{
        return g->room - gather_waiting(g);
}

/* The caller made sure that there is room. */
static void put(struct gather *g, const char *data, size_t n)
{
        if (n == 0)
                return;
        if (g->tail + n > g->room) {
                memmove(g->text, g->text + g->head, gather_waiting(g));
                g->tail -= g->head;
                g->head = 0;
        }
        assert(g->tail + n <= g->room);
        memcpy(g->text + g->tail, data, n);
        g->tail += n;
        g->mid_line = data[n - 1] != '\n';
}

static void clear_status(struct gather *g)
{
        if (!g->status_shown)
                return;
        put(g, STATUS_CLEAR, strlen(STATUS_CLEAR));
        g->status_shown = false;
        g->mid_line = false;
}

/* A new line begins: nobody else's is unfinished before it. */
static void begin_line(struct gather *g, const char *label)
{
        clear_status(g);
        if (g->mid_line)
                put(g, "\n", 1);
        put(g, label, strlen(label));
}

size_t lines_room(const struct lines *l, const struct gather *g, const char *label)
{
        /* The worst: a newline in every byte, each with its label, and what was unfinished before. */
        size_t each = strlen(label) + 1, fixed = l->size + 2 * each + 16;
        size_t room = gather_free(g);
        room = room > fixed ? (room - fixed) / each : 0;
        if (room > LINES_MAX)
                room = LINES_MAX;
        return room < WORTHWHILE ? 0 : room;
}

static int keep(struct lines *l, const char *data, size_t n)
{
        if (n == 0)
                return 0;
        if (l->size + n > l->room) {
                size_t room = l->room ? l->room : 256;
                while (room < l->size + n)
                        room *= 2;
                char *grown = realloc(l->text, room);
                if (!grown)
                        return -ENOMEM;
                l->text = grown;
                l->room = room;
        }
        memcpy(l->text + l->size, data, n);
        l->size += n;
        return 0;
}

static void put_kept(struct lines *l, struct gather *g)
{
        put(g, l->text, l->size);
        l->size = 0;
}

int lines_feed(struct lines *l, struct gather *g, const char *label, const char *data, size_t n)
{
        if (g->raw) {
                clear_status(g);
                put(g, data, n);
                return 0;
        }
        /* Without a label, whole lines need not be looked at one by one. */
        bool at_once = !*label;
        while (n > 0) {
                const char *end = at_once ? memrchr(data, '\n', n) : memchr(data, '\n', n);
                if (!end)
                        break;
                size_t size = (size_t) (end - data) + 1;
                begin_line(g, label);
                put_kept(l, g);
                put(g, data, size);
                data += size;
                n -= size;
        }
        if (l->size + n >= LINES_MAX) {
                begin_line(g, label);
                put_kept(l, g);
                put(g, data, n);
                put(g, "\n", 1);
                return 0;
        }
        return keep(l, data, n);
}

void lines_end(struct lines *l, struct gather *g, const char *label)
{
        if (l->size > 0) {
                begin_line(g, label);
                put_kept(l, g);
        }
        lines_clear(l);
}

void lines_clear(struct lines *l)
{
        free(l->text);
        *l = LINES_INIT;
}

static int make_room(struct gather *g, size_t n)
{
        if (gather_free(g) >= n)
                return 0;
        char *grown = realloc(g->text, g->room + n);
        if (!grown)
                return -ENOMEM;
        g->text = grown;
        g->room += n;
        return 0;
}

int gather_say(struct gather *g, const char *line)
{
        size_t n = strlen(line);
        int r = make_room(g, n + 16);
        if (r < 0)
                return r;
        begin_line(g, "");
        put(g, line, n);
        put(g, "\n", 1);
        return 0;
}

void gather_status(struct gather *g, const char *line)
{
        /* Never in the middle of somebody's line, and not worth a larger buffer. */
        if (!line) {
                clear_status(g);
                return;
        }
        if ((g->mid_line && !g->status_shown) || gather_free(g) < strlen(line) + 32)
                return;
        clear_status(g);
        put(g, line, strlen(line));
        g->status_shown = true;
}

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "cgroups/files.h"
#include "cgroups/stats.h"

#define NUMBERS_MAX 65536

static size_t count_lines(const char *text)
{
        size_t n = 1;
        for (; *text; text++)
                n += *text == '\n';
        return n;
}

/* The line at *at without its end, and *at behind it. False behind the last. */
static bool next_line(const char **at, char *buf, size_t size)
{
        if (**at == '\0')
                return false;
        size_t n = strcspn(*at, "\n");
        (void) snprintf(buf, size, "%.*s", (int) n, *at); /* no line of interest is longer */
        *at += n + ((*at)[n] == '\n');
        return true;
}

static int add_range(struct stats_numbers *out, struct arena *arena, uint64_t from, uint64_t to)
{
        if (to < from || to - from >= NUMBERS_MAX - out->n)
                return -EINVAL;
        out->list = arena_grow(arena, out->list, out->n, (size_t) (to - from) + 1, sizeof(*out->list));
        if (!out->list)
                return -ENOMEM;
        for (uint64_t i = from; i <= to; i++)
                out->list[out->n++] = i;
        return 0;
}

int stats_parse_list(const char *text, struct arena *arena, struct stats_numbers *ret)
{
        struct stats_numbers out = { 0 };
        for (const char *at = text; *at;) {
                uint64_t from, to;
                const char *end = number_at(at, &from);
                to = from;
                if (end && *end == '-')
                        end = number_at(end + 1, &to);
                if (!end)
                        return -EINVAL;
                int r = add_range(&out, arena, from, to);
                if (r < 0)
                        return r;
                if (*end != ',' && *end != '\0')
                        return -EINVAL;
                at = end + (*end == ',');
        }
        *ret = out;
        return 0;
}

static const char *skip(const char *at, const char *word)
{
        return at && str_starts(at, word) ? at + strlen(word) : NULL;
}

/* " avg10=0.12": two decimals, always. */
static const char *percent_at(const char *at, const char *name, uint32_t *ret)
{
        uint64_t whole = 0, part = 0;
        const char *point = number_at(skip(at, name), &whole);
        const char *end = number_at(skip(point, "."), &part);
        if (!end || end - point != 3 || whole > 100)
                return NULL;
        *ret = (uint32_t) (whole * 100 + part);
        return end;
}

static bool psi_line(const char *line, const char *kind, struct stats_psi_line *ret)
{
        struct stats_psi_line l = { 0 };
        const char *at = percent_at(skip(line, kind), " avg10=", &l.avg10);
        at = percent_at(at, " avg60=", &l.avg60);
        at = percent_at(at, " avg300=", &l.avg300);
        if (!number_at(skip(at, " total="), &l.total))
                return false;
        *ret = l;
        return true;
}

bool stats_parse_psi(const char *text, struct stats_psi *ret)
{
        struct stats_psi psi = { 0 };
        char line[256];
        while (next_line(&text, line, sizeof(line))) {
                if (psi_line(line, "some", &psi.some))
                        psi.has = true;
                else if (!psi_line(line, "full", &psi.full))
                        return false;
        }
        if (psi.has)
                *ret = psi;
        return psi.has;
}

static int by_name(const void *a, const void *b)
{
        return strcmp(((const struct stats_named *) a)->name, ((const struct stats_named *) b)->name);
}

int stats_parse_named(const char *text, struct arena *arena, struct stats_named **ret, size_t *ret_n)
{
        struct stats_named *list = arena_alloc(arena, count_lines(text), sizeof(*list));
        char line[256];
        size_t n = 0;
        if (!list)
                return -ENOMEM;
        while (next_line(&text, line, sizeof(line))) {
                char *value = strchr(line, ' ');
                uint64_t number;
                if (!value || parse_u64(value + 1, &number) < 0)
                        continue;
                *value = '\0';
                const char *name = arena_strdup(arena, line);
                if (!name)
                        return -ENOMEM;
                list[n++] = (struct stats_named){ name, number };
        }
        if (n > 1)
                qsort(list, n, sizeof(*list), by_name);
        *ret = list;
        *ret_n = n;
        return 0;
}

/* What v1 calls it; the others (discards) have no table there. */
static const struct {
        const char *key;
        enum stats_io kind;
        const char *op;
} io_keys[] = {
        { "rbytes", STATS_IO_BYTES, "Read" },
        { "wbytes", STATS_IO_BYTES, "Write" },
        { "rios", STATS_IO_SERVICED, "Read" },
        { "wios", STATS_IO_SERVICED, "Write" },
};
#define IO_KEYS (sizeof(io_keys) / sizeof(*io_keys))

static void add_io_word(const char *word, uint64_t major, uint64_t minor, struct stats_io_list io[STATS_IO_KINDS])
{
        const char *equals = strchr(word, '=');
        uint64_t value;
        if (!equals || parse_u64(equals + 1, &value) < 0)
                return;
        for (size_t i = 0; i < IO_KEYS; i++)
                if (strlen(io_keys[i].key) == (size_t) (equals - word) &&
                    strncmp(io_keys[i].key, word, (size_t) (equals - word)) == 0) {
                        struct stats_io_list *to = &io[io_keys[i].kind];
                        to->list[to->n++] = (struct stats_entry){ major, minor, value, io_keys[i].op };
                }
}

/* "8:16" */
static const char *device_at(const char *at, uint64_t *ret_major, uint64_t *ret_minor)
{
        return number_at(skip(number_at(at, ret_major), ":"), ret_minor);
}

int stats_parse_io_stat(const char *text, struct arena *arena, struct stats_io_list io[STATS_IO_KINDS])
{
        char line[512];
        size_t words = 0;
        for (const char *p = text; *p; p++)
                words += *p == '=';
        for (int kind = STATS_IO_BYTES; kind <= STATS_IO_SERVICED; kind++) {
                io[kind] = (struct stats_io_list){ arena_alloc(arena, words + 1, sizeof(struct stats_entry)), 0 };
                if (!io[kind].list)
                        return -ENOMEM;
        }
        while (next_line(&text, line, sizeof(line))) {
                uint64_t major, minor;
                char *rest = NULL, *word = strtok_r(line, " ", &rest);
                if (!device_at(word, &major, &minor))
                        continue;
                while ((word = strtok_r(NULL, " ", &rest)))
                        add_io_word(word, major, minor, io);
        }
        return 0;
}

int stats_parse_blkio(const char *text, struct arena *arena, struct stats_io_list *ret)
{
        char line[256];
        struct stats_io_list out = { arena_alloc(arena, count_lines(text), sizeof(*out.list)), 0 };
        if (!out.list)
                return -ENOMEM;
        while (next_line(&text, line, sizeof(line))) {
                struct stats_entry e = { .op = "" };
                const char *at = skip(device_at(line, &e.major, &e.minor), " ");
                size_t n = at ? strcspn(at, " ") : 0;
                if (at && at[n] == ' ') {
                        e.op = arena_strndup(arena, at, n);
                        at += n + 1;
                }
                if (!e.op)
                        return -ENOMEM;
                if (!number_at(at, &e.value))
                        continue;
                out.list[out.n++] = e;
        }
        *ret = out;
        return 0;
}

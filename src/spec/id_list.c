#include "spec/id_list.h"

#include <errno.h>
#include <string.h>

static const char *skip_blanks(const char *at)
{
        return at + strspn(at, " ");
}

static int read_id(const char **at, size_t *ret)
{
        size_t n = 0;
        const char *p = skip_blanks(*at);
        if (*p < '0' || *p > '9')
                return -EINVAL;
        for (; *p >= '0' && *p <= '9' && n < ID_LIST_MAX; p++)
                n = n * 10 + (size_t) (*p - '0');
        if (n >= ID_LIST_MAX)
                return -ERANGE;
        *at = skip_blanks(p);
        *ret = n;
        return 0;
}

/* One range from `*at` on, into `words`; `*at` is behind it and its comma. */
static int read_range(const char **at, uint64_t *words, size_t *ret_last)
{
        size_t first = 0, last;
        int r = read_id(at, &first);
        last = first;
        if (r == 0 && **at == '-') {
                ++*at;
                r = read_id(at, &last);
        }
        if (r < 0)
                return r;
        bool comma = **at == ',';
        if (last < first || (!comma && **at) || (comma && !*skip_blanks(*at + 1)))
                return -EINVAL;
        *at += comma;
        for (size_t id = first; id <= last; id++)
                words[id / 64] |= UINT64_C(1) << id % 64;
        *ret_last = last;
        return 0;
}

int id_list_parse(const char *text, struct arena *arena, struct id_set *ret)
{
        uint64_t words[ID_LIST_MAX / 64] = { 0 };
        size_t n = 0;
        const char *at = skip_blanks(text);
        while (*at) {
                size_t last = 0;
                int r = read_range(&at, words, &last);
                if (r < 0)
                        return r;
                if (last / 64 + 1 > n)
                        n = last / 64 + 1;
        }
        if (n == 0) {
                *ret = (struct id_set){ 0 };
                return 0;
        }
        uint64_t *kept = arena_alloc(arena, n, sizeof(*kept));
        if (!kept)
                return -ENOMEM;
        memcpy(kept, words, n * sizeof(*kept));
        *ret = (struct id_set){ kept, n * sizeof(*kept) };
        return 0;
}

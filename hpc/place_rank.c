#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hpc/place_parts.h"

struct row {
        unsigned group, turn, index;    /* index: by mapping */
};

static int by_group(const void *a_, const void *b_)
{
        const struct row *a = a_, *b = b_;
        if (a->group != b->group)
                return a->group < b->group ? -1 : 1;
        return a->index < b->index ? -1 : a->index > b->index;
}

static int by_turn(const void *a_, const void *b_)
{
        const struct row *a = a_, *b = b_;
        if (a->turn != b->turn)
                return a->turn < b->turn ? -1 : 1;
        return by_group(a_, b_);
}

static unsigned find_group(const struct machine_objects *objects, unsigned thread)
{
        unsigned i = 0;
        while (i < objects->n && thread - objects->span[i].first >= objects->span[i].n)
                i++;
        return i;
}

int place_rank(const struct place_wish *wish, const struct machine_objects *objects, const struct mapped *mapped,
               struct place_mask *set, size_t n)
{
        bool by_object = wish->rank == PLACE_RANK_OBJECT || wish->rank == PLACE_RANK_OBJECT_FILL;
        bool fill = wish->rank == PLACE_RANK_FILL || wish->rank == PLACE_RANK_OBJECT_FILL;
        if (wish->rank == PLACE_RANK_SLOT || n == 0)
                return 0;

        auto_free struct row *row = calloc(n, sizeof(*row));
        auto_free struct place_mask *sorted = calloc(n, sizeof(*sorted));
        if (!row || !sorted)
                return -ENOMEM;
        for (unsigned i = 0; i < n; i++)
                row[i] = (struct row){ by_object ? find_group(objects, mapped[i].thread) : mapped[i].place, 0, i };
        qsort(row, n, sizeof(*row), by_group);
        for (size_t i = 1; i < n; i++)
                row[i].turn = row[i].group == row[i - 1].group ? row[i - 1].turn + 1 : 0;
        if (!fill)
                qsort(row, n, sizeof(*row), by_turn);
        for (size_t i = 0; i < n; i++)
                sorted[i] = set[row[i].index];
        memcpy(set, sorted, n * sizeof(*set));
        return 0;
}

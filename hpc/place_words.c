#include "hpc/place.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

struct word {
        const char *name;
        int value;
};

/* Other words for a thing stand behind the first one, and are not offered in error messages. */
static const struct word map_words[] = {
        { "slot", PLACE_SLOT },         { "hwthread", PLACE_HWTHREAD }, { "core", PLACE_CORE },
        { "l1cache", PLACE_L1CACHE },   { "l2cache", PLACE_L2CACHE },   { "l3cache", PLACE_L3CACHE },
        { "numa", PLACE_NUMA },         { "package", PLACE_PACKAGE },   { "socket", PLACE_PACKAGE },
        { "node", PLACE_NODE },         { NULL, 0 },
};

static const struct word bind_words[] = {
        { "none", PLACE_NONE },         { "hwthread", PLACE_HWTHREAD }, { "core", PLACE_CORE },
        { "l1cache", PLACE_L1CACHE },   { "l2cache", PLACE_L2CACHE },   { "l3cache", PLACE_L3CACHE },
        { "numa", PLACE_NUMA },         { "package", PLACE_PACKAGE },   { "socket", PLACE_PACKAGE },
        { NULL, 0 },
};

static const struct word ways[] = {
        { "pe-list=", PLACE_BY_LIST }, { "rankfile", PLACE_BY_RANKFILE }, { "seq", PLACE_BY_SEQ }, { NULL, 0 },
};

/* Besides objects. */
static const struct word rank_words[] = {
        { "slot", PLACE_RANK_SLOT }, { "node", PLACE_RANK_SLOT }, { "fill", PLACE_RANK_FILL }, { "span", PLACE_RANK_SPAN },
        { NULL, 0 },
};

enum {
        MAP_PE, MAP_SPAN, MAP_OVERSUBSCRIBE, MAP_NOOVERSUBSCRIBE, MAP_HWTCPUS, MAP_CORECPUS, MAP_ORDERED, MAP_FILE, MAP_INHERIT,
        MAP_NOLOCAL
};

static const struct word map_qualifiers[] = {
        { "PE=N", MAP_PE },
        { "SPAN", MAP_SPAN },
        { "OVERSUBSCRIBE", MAP_OVERSUBSCRIBE },
        { "NOOVERSUBSCRIBE", MAP_NOOVERSUBSCRIBE },
        { "HWTCPUS", MAP_HWTCPUS },
        { "CORECPUS", MAP_CORECPUS },
        { "ORDERED", MAP_ORDERED },
        { "FILE=PATH", MAP_FILE },
        { "INHERIT", MAP_INHERIT },             /* of jobs that start jobs: nothing here */
        { "NOINHERIT", MAP_INHERIT },
        { "NOLOCAL", MAP_NOLOCAL },
        { NULL, 0 },
};

enum { BIND_OVERLOAD, BIND_NO_OVERLOAD, BIND_IF_SUPPORTED, BIND_LIMIT };

static const struct word bind_qualifiers[] = {
        { "overload-allowed", BIND_OVERLOAD },
        { "no-overload", BIND_NO_OVERLOAD },
        { "if-supported", BIND_IF_SUPPORTED },
        { "limit=N", BIND_LIMIT },
        { NULL, 0 },
};

const char *place_object_name(enum place_object object)
{
        for (const struct word *w = map_words; w->name; w++)
                if (w->value == (int) object)
                        return w->name;
        return object == PLACE_NONE ? "none" : object == PLACE_DEVICE ? "device" : "default";
}

/* A piece of the text: what stands between two separators. */
struct piece {
        const char *text;
        size_t size;
};

/* The next piece; *rest is behind its separator, or NULL after the last one. */
static struct piece cut(const char **rest)
{
        struct piece piece = { *rest, strcspn(*rest, ":,") };
        *rest = piece.text[piece.size] ? piece.text + piece.size + 1 : NULL;
        return piece;
}

/* The row whose name starts with the piece; NULL if there is none, or more than one with different values. */
static const struct word *find(const struct word *table, struct piece piece)
{
        const struct word *found = NULL;

        for (const struct word *w = table; w->name; w++) {
                if (!piece.size || strncasecmp(w->name, piece.text, piece.size) != 0)
                        continue;
                if (!w->name[piece.size])
                        return w;
                if (found && found->value != w->value)
                        return NULL;
                found = found ? found : w;
        }
        return found;
}

static int refuse(const char *option, const char *text, struct piece piece, const char *what, const struct word *table,
                  const char *more, struct error *err)
{
        auto_str struct str good = STR_INIT;

        for (const struct word *w = table; w->name; w++)
                if (w == table || w->value != w[-1].value)
                        str_addf(&good, "%s%s", w == table ? "" : ", ", w->name);
        str_add(&good, more);
        auto_free char *words = str_take(&good);
        return error_say(err, -EINVAL, "%s \"%s\": \"%.*s\" is not a %s; there are %s", option, text,
                         (int) piece.size, piece.text, what, words ? words : "others");
}

/* A count above 0. */
static int parse_count(struct piece piece, unsigned *ret)
{
        char digits[16];
        uint32_t n = 0;

        if (piece.size >= sizeof(digits))
                return -ERANGE;
        memcpy(digits, piece.text, piece.size);
        digits[piece.size] = '\0';
        int r = parse_u32(digits, &n);
        if (r == 0 && n == 0)
                r = -ERANGE;
        if (r == 0)
                *ret = n;
        return r;
}

static bool starts(struct piece piece, const char *word)
{
        size_t n = strlen(word);
        return piece.size >= n && strncasecmp(piece.text, word, n) == 0;
}

/* Paths and lists of PEs may have commas: only a colon ends them. */
static struct piece stretch(struct piece piece, const char **rest)
{
        piece.size = strcspn(piece.text, ":");
        *rest = piece.text[piece.size] ? piece.text + piece.size + 1 : NULL;
        return piece;
}

static struct place_text behind(struct piece piece, size_t n)
{
        return (struct place_text){ piece.text + n, piece.size - n };
}

static int map_file(struct place_wish *wish, const char *text, struct piece piece, struct error *err)
{
        wish->file = behind(piece, strlen("FILE="));
        if (wish->way != PLACE_BY_RANKFILE && wish->way != PLACE_BY_SEQ)
                return error_say(err, -EINVAL, "--map-by \"%s\": FILE= goes with rankfile and seq", text);
        if (!wish->file.size)
                return error_say(err, -EINVAL, "--map-by \"%s\": which file?", text);
        return 0;
}

static int map_qualifier(struct place_wish *wish, const char *text, const char **rest, struct error *err)
{
        struct piece piece = cut(rest);
        if (starts(piece, "FILE="))
                return map_file(wish, text, stretch(piece, rest), err);
        if (piece.size >= 3 && strncasecmp(piece.text, "PE=", 3) == 0) {
                struct piece count = { piece.text + 3, piece.size - 3 };
                if (parse_count(count, &wish->cpus) < 0)
                        return error_say(err, -EINVAL, "--map-by \"%s\": PE=%.*s is not a number of processing "
                                         "elements, such as PE=2", text, (int) count.size, count.text);
                return 0;
        }
        const struct word *w = find(map_qualifiers, piece);
        if (!w || w->value == MAP_PE || w->value == MAP_FILE)
                return refuse("--map-by", text, piece, "qualifier", map_qualifiers, "", err);
        switch (w->value) {
        case MAP_NOLOCAL:
                return error_say(err, -EINVAL, "--map-by \"%s\": NOLOCAL leaves no node: a launcher serves its own", text);
        case MAP_ORDERED:
                if (wish->way != PLACE_BY_LIST)
                        return error_say(err, -EINVAL, "--map-by \"%s\": ORDERED goes with pe-list=", text);
                wish->ordered = true;
                break;
        case MAP_INHERIT:         break;
        case MAP_SPAN:            wish->span = true; break;
        case MAP_OVERSUBSCRIBE:   wish->oversubscribe = true; wish->nooversubscribe = false; break;
        case MAP_NOOVERSUBSCRIBE: wish->oversubscribe = false; wish->nooversubscribe = true; break;
        case MAP_HWTCPUS:         wish->hwtcpus = true; break;
        default:                  wish->hwtcpus = false; break;
        }
        return 0;
}

static int map_device(struct place_wish *wish, const char *text, struct piece piece, struct error *err)
{
        wish->list = behind(piece, strlen("device="));
        wish->map_by = PLACE_DEVICE;
        if (!wish->list.size)
                return error_say(err, -EINVAL, "--map-by \"%s\": which device? gpu, network, or a name such as mlx5_0", text);
        return 0;
}

/* "ppr" is behind us: N and OBJ follow. */
static int map_pattern(struct place_wish *wish, const char *text, const char **rest, struct error *err)
{
        struct piece count = { "", 0 }, object = { "", 0 };

        if (*rest)
                count = cut(rest);
        if (parse_count(count, &wish->per_object) < 0)
                return error_say(err, -EINVAL, "--map-by \"%s\": ppr wants a number and an object, "
                                 "such as ppr:2:package", text);
        if (*rest)
                object = cut(rest);
        if (starts(object, "device="))
                return map_device(wish, text, object, err);
        const struct word *w = find(map_words, object);
        if (!w || w->value == PLACE_SLOT)
                return refuse("--map-by", text, object, "kind of object for ppr", map_words + 1, "", err);
        wish->map_by = (enum place_object) w->value;
        return 0;
}

/* The first word. */
static int map_word(struct place_wish *wish, const char *text, const char **rest, struct error *err)
{
        struct piece piece = cut(rest);

        if (piece.size == 3 && starts(piece, "ppr"))
                return map_pattern(wish, text, rest, err);
        if (starts(piece, "device="))
                return map_device(wish, text, piece, err);
        for (const struct word *w = ways; w->name; w++)
                if (starts(piece, w->name) && (w->value == PLACE_BY_LIST || piece.size == strlen(w->name)))
                        wish->way = (enum place_way) w->value;
        if (wish->way == PLACE_BY_LIST) {
                wish->list = behind(stretch(piece, rest), strlen("pe-list="));
                if (!wish->list.size)
                        return error_say(err, -EINVAL, "--map-by \"%s\": the list is empty", text);
        } else if (wish->way == PLACE_BY_OBJECT && (piece.size > 0 || !*rest)) {
                const struct word *w = find(map_words, piece);
                if (!w)
                        return refuse("--map-by", text, piece, "kind of object", map_words,
                                      ", ppr:N:OBJECT, pe-list=LIST, rankfile:FILE=PATH, seq:FILE=PATH, device=NAME", err);
                wish->map_by = (enum place_object) w->value;
        }
        return 0;
}

int place_parse_map_by(struct place_wish *wish, const char *text, struct error *err)
{
        struct place_wish parsed = *wish;
        const char *rest = text;

        parsed.map_by = PLACE_DEFAULT;
        parsed.way = PLACE_BY_OBJECT;
        parsed.per_object = 0;
        parsed.ordered = false;
        parsed.list = parsed.file = (struct place_text){ 0 };
        int r = map_word(&parsed, text, &rest, err);
        while (r == 0 && rest)
                r = map_qualifier(&parsed, text, &rest, err);
        if (r < 0)
                return r;
        if ((parsed.way == PLACE_BY_RANKFILE || parsed.way == PLACE_BY_SEQ) && !parsed.file.size)
                return error_say(err, -EINVAL, "--map-by \"%s\": which file? Say :FILE=PATH", text);
        *wish = parsed;
        return 0;
}

/* "limit=2", or one of the table. */
static int bind_qualifier(struct place_wish *wish, const char *text, struct piece piece, struct error *err)
{
        if (starts(piece, "limit=")) {
                struct piece count = { piece.text + 6, piece.size - 6 };
                if (parse_count(count, &wish->limit) < 0)
                        return error_say(err, -EINVAL, "--bind-to \"%s\": limit=%.*s is not a number above 0", text,
                                         (int) count.size, count.text);
                return 0;
        }
        const struct word *w = find(bind_qualifiers, piece);
        if (!w || w->value == BIND_LIMIT)
                return refuse("--bind-to", text, piece, "qualifier", bind_qualifiers, "", err);
        if (w->value == BIND_IF_SUPPORTED)
                wish->bind_if_supported = true;
        else
                wish->overload_allowed = w->value == BIND_OVERLOAD;
        return 0;
}

int place_parse_bind_to(struct place_wish *wish, const char *text, struct error *err)
{
        struct place_wish parsed = *wish;
        const char *rest = text;
        struct piece piece = cut(&rest);

        const struct word *w = find(bind_words, piece);
        if (!w)
                return refuse("--bind-to", text, piece, "kind of object", bind_words, "", err);
        parsed.bind_to = (enum place_object) w->value;
        while (rest) {
                int r = bind_qualifier(&parsed, text, cut(&rest), err);
                if (r < 0)
                        return r;
        }
        *wish = parsed;
        return 0;
}

int place_parse_rank_by(struct place_wish *wish, const char *text, struct error *err)
{
        struct place_wish parsed = *wish;
        const char *rest = text;
        struct piece piece = cut(&rest);

        const struct word *w = find(rank_words, piece);
        if (w) {
                parsed.rank = (enum place_rank) w->value;
        } else {
                w = find(map_words, piece);
                if (!w)
                        return refuse("--rank-by", text, piece, "way to number", rank_words,
                                      ", hwthread, core, l1cache, l2cache, l3cache, numa, package", err);
                parsed.rank = PLACE_RANK_OBJECT;
                parsed.rank_by = (enum place_object) w->value;
        }
        while (rest) {
                piece = cut(&rest);
                bool object = parsed.rank == PLACE_RANK_OBJECT || parsed.rank == PLACE_RANK_OBJECT_FILL;
                if (object && piece.size == 4 && starts(piece, "fill"))
                        parsed.rank = PLACE_RANK_OBJECT_FILL;
                else if (!object || piece.size != 4 || !starts(piece, "span")) /* which changes nothing on one node */
                        return error_say(err, -EINVAL, "--rank-by \"%s\": \"%.*s\" is not a qualifier; objects have fill "
                                         "and span", text, (int) piece.size, piece.text);
        }
        *wish = parsed;
        return 0;
}

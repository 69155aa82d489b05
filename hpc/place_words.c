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

enum { MAP_PE, MAP_SPAN, MAP_OVERSUBSCRIBE, MAP_NOOVERSUBSCRIBE, MAP_HWTCPUS, MAP_CORECPUS };

static const struct word map_qualifiers[] = {
        { "PE=N", MAP_PE },
        { "SPAN", MAP_SPAN },
        { "OVERSUBSCRIBE", MAP_OVERSUBSCRIBE },
        { "NOOVERSUBSCRIBE", MAP_NOOVERSUBSCRIBE },
        { "HWTCPUS", MAP_HWTCPUS },
        { "CORECPUS", MAP_CORECPUS },
        { NULL, 0 },
};

enum { BIND_OVERLOAD, BIND_NO_OVERLOAD, BIND_IF_SUPPORTED };

static const struct word bind_qualifiers[] = {
        { "overload-allowed", BIND_OVERLOAD },
        { "no-overload", BIND_NO_OVERLOAD },
        { "if-supported", BIND_IF_SUPPORTED },
        { NULL, 0 },
};

const char *place_object_name(enum place_object object)
{
        for (const struct word *w = map_words; w->name; w++)
                if (w->value == (int) object)
                        return w->name;
        return object == PLACE_NONE ? "none" : "default";
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

static int map_qualifier(struct place_wish *wish, const char *text, struct piece piece, struct error *err)
{
        if (piece.size >= 3 && strncasecmp(piece.text, "PE=", 3) == 0) {
                struct piece count = { piece.text + 3, piece.size - 3 };
                if (parse_count(count, &wish->cpus) < 0)
                        return error_say(err, -EINVAL, "--map-by \"%s\": PE=%.*s is not a number of processing "
                                         "elements, such as PE=2", text, (int) count.size, count.text);
                return 0;
        }
        const struct word *w = find(map_qualifiers, piece);
        if (!w || w->value == MAP_PE)
                return refuse("--map-by", text, piece, "qualifier", map_qualifiers, "", err);
        switch (w->value) {
        case MAP_SPAN:            wish->span = true; break;
        case MAP_OVERSUBSCRIBE:   wish->oversubscribe = true; break;
        case MAP_NOOVERSUBSCRIBE: wish->oversubscribe = false; break;
        case MAP_HWTCPUS:         wish->hwtcpus = true; break;
        default:                  wish->hwtcpus = false; break;
        }
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
        const struct word *w = find(map_words, object);
        if (!w || w->value == PLACE_SLOT)
                return refuse("--map-by", text, object, "kind of object for ppr", map_words + 1, "", err);
        wish->map_by = (enum place_object) w->value;
        return 0;
}

int place_parse_map_by(struct place_wish *wish, const char *text, struct error *err)
{
        struct place_wish parsed = *wish;
        const char *rest = text;
        struct piece piece = cut(&rest);

        parsed.map_by = PLACE_DEFAULT;
        parsed.per_object = 0;
        if (piece.size == 3 && strncasecmp(piece.text, "ppr", 3) == 0) {
                int r = map_pattern(&parsed, text, &rest, err);
                if (r < 0)
                        return r;
        } else if (piece.size > 0 || !rest) {
                const struct word *w = find(map_words, piece);
                if (!w)
                        return refuse("--map-by", text, piece, "kind of object", map_words, ", ppr:N:OBJECT", err);
                parsed.map_by = (enum place_object) w->value;
        }
        while (rest) {
                int r = map_qualifier(&parsed, text, cut(&rest), err);
                if (r < 0)
                        return r;
        }
        *wish = parsed;
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
                piece = cut(&rest);
                w = find(bind_qualifiers, piece);
                if (!w)
                        return refuse("--bind-to", text, piece, "qualifier", bind_qualifiers, "", err);
                if (w->value == BIND_IF_SUPPORTED)
                        parsed.bind_if_supported = true;
                else
                        parsed.overload_allowed = w->value == BIND_OVERLOAD;
        }
        *wish = parsed;
        return 0;
}

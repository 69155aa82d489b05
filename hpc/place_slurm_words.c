#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "hpc/place.h"
#include "hpc/place_parts.h"

struct word {
        const char *name;
        int value;
};

/* A name that ends with a colon is followed by a list, which goes on to the end of the text. */
static const struct word bind_words[] = {
        { "none", SLURM_BIND_NONE },         { "threads", SLURM_BIND_THREADS },   { "cores", SLURM_BIND_CORES },
        { "sockets", SLURM_BIND_SOCKETS },   { "ldoms", SLURM_BIND_LDOMS },       { "rank", SLURM_BIND_RANK },
        { "map_cpu:", SLURM_BIND_MAP_CPU },  { "mask_cpu:", SLURM_BIND_MASK_CPU }, { "rank_ldom", SLURM_BIND_RANK_LDOM },
        { "map_ldom:", SLURM_BIND_MAP_LDOM }, { "mask_ldom:", SLURM_BIND_MASK_LDOM }, { "no", SLURM_BIND_NONE },
        { NULL, 0 },
};

static const struct word order_words[] = {
        { "block", SLURM_BLOCK }, { "cyclic", SLURM_CYCLIC }, { "fcyclic", SLURM_FCYCLIC }, { "*", SLURM_DEFAULT },
        { NULL, 0 },
};

static const struct word hint_words[] = {
        { "compute_bound", SLURM_HINT_COMPUTE },   { "memory_bound", SLURM_HINT_MEMORY },
        { "multithread", SLURM_HINT_MULTI },       { "nomultithread", SLURM_HINT_NOMULTI },
        { NULL, 0 },
};

static const struct word memory_words[] = {
        { "none", MEMORY_NONE },       { "local", MEMORY_LOCAL },           { "prefer", MEMORY_PREFER },
        { "bind", MEMORY_BIND },       { "interleave", MEMORY_INTERLEAVE }, { "weighted", MEMORY_WEIGHTED },
        { "map_mem:", MEMORY_MAP },    { "mask_mem:", MEMORY_MASK },        { "no", MEMORY_NONE },
        { NULL, 0 },
};

static struct place_text until(const char *text, const char *separators)
{
        return (struct place_text){ text, strcspn(text, separators) };
}

static bool is_word(struct place_text piece, const char *word)
{
        return strlen(word) == piece.size && strncasecmp(word, piece.text, piece.size) == 0;
}

static const struct word *find(const struct word *table, const char *text, struct place_text piece)
{
        for (const struct word *w = table; w->name; w++) {
                size_t n = strlen(w->name);
                bool list = w->name[n - 1] == ':';
                if (list ? strncasecmp(w->name, text, n) == 0 : is_word(piece, w->name))
                        return w;
        }
        return NULL;
}

static int refuse(const char *option, const char *text, struct place_text piece, const struct word *table, struct error *err)
{
        auto_str struct str good = STR_INIT;
        for (const struct word *w = table; w->name; w++) {
                bool list = w->name[strlen(w->name) - 1] == ':';
                if (strcmp(w->name, "no") != 0)
                        str_addf(&good, "%s%s%s", w == table ? "" : ", ", w->name, list ? "LIST" : "");
        }
        auto_free char *words = str_take(&good);
        return error_say(err, -EINVAL, "%s \"%s\": \"%.*s\" is none of %s", option, text, (int) piece.size, piece.text,
                         words ? words : "the words");
}

int list_next(const char **rest, const char *end, struct list_item *ret)
{
        const char *p = *rest, *comma = memchr(p, ',', (size_t) (end - p)), *stop = comma ? comma : end;
        const char *star = memchr(p, '*', (size_t) (stop - p));
        struct list_item item = { { p, (size_t) ((star ? star : stop) - p) }, 1 };
        char digits[8];
        uint32_t times;

        *rest = comma ? comma + 1 : NULL;
        if (star) {
                size_t n = (size_t) (stop - star - 1);
                if (n == 0 || n >= sizeof(digits))
                        return -EINVAL;
                memcpy(digits, star + 1, n);
                digits[n] = '\0';
                if (parse_u32(digits, &times) < 0 || times == 0)
                        return -EINVAL;
                item.times = times;
        }
        *ret = item;
        return item.text.size ? 0 : -EINVAL;
}

static bool is_hex(struct place_text t)
{
        return t.size > 2 && t.text[0] == '0' && (t.text[1] | 0x20) == 'x';
}

/* -1: not a digit. */
static int hex_digit(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        c = (char) (c | 0x20);
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int list_mask(struct place_text text, struct place_mask *ret)
{
        struct place_mask mask = PLACE_MASK_INIT;
        if (is_hex(text))
                text = (struct place_text){ text.text + 2, text.size - 2 };
        for (size_t i = 0; i < text.size; i++) {
                int digit = hex_digit(text.text[text.size - 1 - i]);
                if (digit < 0)
                        return -EINVAL;
                for (unsigned bit = 0; bit < 4; bit++) {
                        if (!(digit >> bit & 1))
                                continue;
                        if (i * 4 + bit >= PLACE_MASK_BITS)
                                return -ERANGE;
                        bind_set(&mask, (unsigned) i * 4 + bit);
                }
        }
        *ret = mask;
        return text.size ? 0 : -EINVAL;
}

int list_number(struct place_text text, unsigned *ret)
{
        unsigned base = 10, n = 0;
        if (is_hex(text)) {
                text = (struct place_text){ text.text + 2, text.size - 2 };
                base = 16;
        }
        for (size_t i = 0; i < text.size; i++) {
                int digit = hex_digit(text.text[i]);
                if (digit < 0 || (unsigned) digit >= base)
                        return -EINVAL;
                n = n * base + (unsigned) digit;
                if (n >= PLACE_MASK_BITS)
                        return -ERANGE;
        }
        *ret = n;
        return text.size ? 0 : -EINVAL;
}

/* Is the list one of numbers (masks: hexadecimal, with or without 0x), each maybe with a star? */
static bool good_list(struct place_text list, bool masks)
{
        const char *rest = list.text, *end = list.text + list.size;
        while (rest) {
                struct list_item item;
                if (list_next(&rest, end, &item) < 0)
                        return false;
                struct place_mask mask;
                unsigned number;
                int r = masks ? list_mask(item.text, &mask) : list_number(item.text, &number);
                if (r == -EINVAL)       /* what is too large is told by who knows how large the machine is */
                        return false;
        }
        return true;
}

static int take_list(const char *option, const char *text, const char *list, bool masks, struct place_text *ret,
                     struct error *err)
{
        struct place_text t = { list, strlen(list) };
        if (!good_list(t, masks))
                return error_say(err, -EINVAL, "%s \"%s\": \"%s\" is not a list of %s", option, text, list,
                                 masks ? "masks such as 0x3,0xc" : "numbers such as 0,2,4*2");
        *ret = t;
        return 0;
}

static int bind_word(struct place_slurm *s, const char *text, const char **p, struct error *err)
{
        struct place_text piece = until(*p, ",");
        if (is_word(piece, "verbose") || is_word(piece, "v") || is_word(piece, "quiet") || is_word(piece, "q")) {
                s->verbose = (piece.text[0] | 0x20) == 'v';
                *p += piece.size;
                return 0;
        }
        const struct word *w = find(bind_words, *p, piece);
        if (!w)
                return refuse("--cpu-bind", text, piece, bind_words, err);
        s->bind = (enum slurm_bind) w->value;
        *p += piece.size;
        if (w->name[strlen(w->name) - 1] != ':')
                return 0;
        bool masks = s->bind == SLURM_BIND_MASK_CPU || s->bind == SLURM_BIND_MASK_LDOM;
        const char *list = piece.text + strlen(w->name);
        *p = list + strlen(list);
        return take_list("--cpu-bind", text, list, masks, &s->list, err);
}

int place_parse_cpu_bind(struct place_wish *wish, const char *text, struct error *err)
{
        struct place_slurm parsed = wish->slurm;
        for (const char *p = text;; p++) {
                int r = bind_word(&parsed, text, &p, err);
                if (r < 0)
                        return r;
                if (!*p)
                        break;
        }
        wish->slurm = parsed;
        wish->way = PLACE_AS_SLURM;
        return 0;
}

/* What another parser says, in the name of --bind: its sentences begin with the option that it knows. */
static int say_as_bind(const struct error *why, const char *option, const char *more, struct error *err)
{
        size_t n = str_starts(why->text, option) ? strlen(option) : 0;
        return error_say(err, why->code, "--bind%s%s%s", n > 0 ? "" : ": ", why->text + n, more);
}

int place_parse_bind(struct place_wish *wish, const char *text, struct error *err)
{
        struct place_wish parsed = *wish;
        struct error why = ERROR_INIT;
        const char *first = strncasecmp(text, "verbose,", 8) == 0 ? text + 8 : strncasecmp(text, "quiet,", 6) == 0 ? text + 6 : text;
        int r;
        if (find(bind_words, first, until(first, ",:"))) {
                r = place_parse_cpu_bind(&parsed, text, &why);
                if (r < 0)
                        return say_as_bind(&why, "--cpu-bind", "", err);
        } else {
                r = place_parse_map_by(&parsed, text, &why);
                if (r < 0)
                        return say_as_bind(&why, "--map-by", "; or srun's none, threads, cores, sockets, ldoms, map_cpu:LIST, "
                                           "mask_cpu:LIST, map_ldom:LIST, mask_ldom:LIST", err);
        }
        if (parsed.way == PLACE_BY_RANKFILE || parsed.way == PLACE_BY_SEQ)
                return error_say(err, -EINVAL, "--bind \"%s\": a file is for many instances (berth launch --map-by)", text);
        *wish = parsed;
        return 0;
}

/* "block", "cyclic", "plane=4", "*": what it says of nodes is nothing to us, but it has to be right. */
static bool good_nodes(struct place_text piece)
{
        if (is_word(piece, "block") || is_word(piece, "cyclic") || is_word(piece, "*") || is_word(piece, "arbitrary"))
                return true;
        return piece.size > 6 && piece.size < 16 && strncasecmp(piece.text, "plane=", 6) == 0 && piece.text[6] != '0' &&
               strspn(piece.text + 6, "0123456789") == piece.size - 6;
}

int place_parse_distribution(struct place_wish *wish, const char *text, struct error *err)
{
        struct place_slurm parsed = wish->slurm;
        struct place_text nodes = until(text, ":,");
        enum slurm_order *level[] = { &parsed.sockets, &parsed.cores };
        const char *p = text + nodes.size;

        if (!good_nodes(nodes))
                return error_say(err, -EINVAL, "--distribution \"%s\": \"%.*s\" is none of block, cyclic, arbitrary, plane=N, *",
                                 text, (int) nodes.size, nodes.text);
        parsed.sockets = parsed.cores = SLURM_DEFAULT;
        if (strncasecmp(nodes.text, "plane", 5) == 0)
                parsed.sockets = SLURM_BLOCK;
        for (size_t i = 0; *p == ':'; i++) {
                struct place_text piece = until(p + 1, ":,");
                const struct word *w = find(order_words, piece.text, piece);
                if (i >= 2)
                        return error_say(err, -EINVAL, "--distribution \"%s\": there are three levels: nodes:sockets:cores", text);
                if (!w)
                        return refuse("--distribution", text, piece, order_words, err);
                *level[i] = (enum slurm_order) w->value;
                p = piece.text + piece.size;
        }
        if (*p && strcasecmp(p, ",pack") != 0 && strcasecmp(p, ",nopack") != 0)
                return error_say(err, -EINVAL, "--distribution \"%s\": \"%s\" is neither Pack nor NoPack", text, p + 1);
        wish->slurm = parsed;
        wish->way = PLACE_AS_SLURM;
        return 0;
}

int place_parse_hint(struct place_wish *wish, const char *text, struct error *err)
{
        struct place_text piece = { text, strlen(text) };
        const struct word *w = find(hint_words, text, piece);
        if (!w)
                return refuse("--hint", text, piece, hint_words, err);
        wish->slurm.hint = (enum slurm_hint) w->value;
        wish->way = PLACE_AS_SLURM;
        return 0;
}

int place_parse_mem_bind(struct place_wish *wish, const char *text, struct error *err)
{
        struct place_memory parsed = { 0 };
        for (const char *p = text;; p++) {
                struct place_text piece = until(p, ",");
                const struct word *w = find(memory_words, p, piece);
                bool ours = is_word(piece, "verbose") || is_word(piece, "v") || is_word(piece, "quiet") || is_word(piece, "q");
                if (!w && !ours)
                        return refuse("--mem-bind", text, piece, memory_words, err);
                p += piece.size;
                /* In front of a list, "prefer" is about how strict it is. */
                if (w && w->value == MEMORY_PREFER && *p) {
                        parsed.prefer = true;
                } else if (w) {
                        parsed.kind = (enum memory_kind) w->value;
                        if (w->name[strlen(w->name) - 1] == ':') {
                                bool masks = parsed.kind == MEMORY_MASK;
                                const char *list = piece.text + strlen(w->name);
                                int r = take_list("--mem-bind", text, list, masks, &parsed.list, err);
                                if (r < 0)
                                        return r;
                                break;
                        }
                }
                if (!*p)
                        break;
        }
        if (parsed.prefer && parsed.kind == MEMORY_DEFAULT)
                parsed.kind = MEMORY_PREFER;
        wish->memory = parsed;
        return 0;
}

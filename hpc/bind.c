#include "hpc/bind.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/str.h"

void bind_set(struct place_mask *mask, unsigned bit)
{
        assert(bit < PLACE_MASK_BITS);
        mask->word[bit / 64] |= UINT64_C(1) << (bit % 64);
        if (mask->bits <= bit)
                mask->bits = bit + 1;
}

bool bind_has(const struct place_mask *mask, unsigned bit)
{
        return bit < mask->bits && (mask->word[bit / 64] >> (bit % 64) & 1);
}

void bind_merge(struct place_mask *mask, const struct place_mask *more)
{
        for (size_t i = 0; i < PLACE_MASK_WORDS; i++)
                mask->word[i] |= more->word[i];
        if (mask->bits < more->bits)
                mask->bits = more->bits;
}

unsigned bind_count(const struct place_mask *mask)
{
        int n = 0;
        for (size_t i = 0; i < PLACE_MASK_WORDS; i++)
                n += __builtin_popcountll(mask->word[i]);
        return (unsigned) n;
}

size_t bind_bytes(const struct place_mask *mask)
{
        size_t words = (mask->bits + 63) / 64;
        return (words ? words : 1) * sizeof(uint64_t);
}

static bool is_space(char c)
{
        return c == ' ' || c == '\t' || c == '\n';
}

static const char *skip_space(const char *s)
{
        while (is_space(*s))
                s++;
        return s;
}

/* Past the number, or NULL when there is none. Saturates above the largest bit. */
static const char *read_number(const char *s, unsigned *ret)
{
        unsigned n = 0;
        s = skip_space(s);
        if (*s < '0' || *s > '9')
                return NULL;
        for (; *s >= '0' && *s <= '9'; s++)
                if (n < PLACE_MASK_BITS)
                        n = n * 10 + (unsigned) (*s - '0');
        *ret = n;
        return skip_space(s);
}

int bind_parse(const char *list, struct place_mask *ret, struct error *err)
{
        struct place_mask mask = PLACE_MASK_INIT;
        const char *s = skip_space(list);

        while (*s) {
                unsigned first, last;
                s = read_number(s, &first);
                if (!s)
                        return error_say(err, -EINVAL, "\"%s\" is not a list of numbers such as 0-3,8", list);
                last = first;
                if (*s == '-') {
                        s = read_number(s + 1, &last);
                        if (!s)
                                return error_say(err, -EINVAL, "\"%s\": a range ends without a number", list);
                }
                if (last < first)
                        return error_say(err, -EINVAL, "\"%s\": the range %u-%u runs backwards", list, first, last);
                if (last >= PLACE_MASK_BITS)
                        return error_say(err, -ERANGE, "\"%s\": numbers end at %d", list, PLACE_MASK_BITS - 1);
                for (unsigned bit = first; bit <= last; bit++)
                        bind_set(&mask, bit);
                if (*s && *s != ',')
                        return error_say(err, -EINVAL, "\"%s\" is not a list of numbers such as 0-3,8", list);
                if (*s == ',' && !*skip_space(++s))
                        return error_say(err, -EINVAL, "\"%s\" ends with a comma", list);
        }
        *ret = mask;
        return 0;
}

char *bind_format(const struct place_mask *mask)
{
        auto_str struct str s = STR_INIT;

        for (unsigned bit = 0; bit < mask->bits; bit++) {
                if (!bind_has(mask, bit))
                        continue;
                unsigned last = bit;
                while (bind_has(mask, last + 1))
                        last++;
                const char *comma = s.size ? "," : "";
                if (last > bit)
                        str_addf(&s, "%s%u-%u", comma, bit, last);
                else
                        str_addf(&s, "%s%u", comma, bit);
                bit = last;
        }
        return str_take(&s);
}

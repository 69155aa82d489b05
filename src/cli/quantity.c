#include "cli/quantity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS "0123456789"

/* Digits with at most one point among them: *at is left behind them. */
static int read_decimal(const char **at, long double *ret)
{
        const char *p = *at;
        size_t whole = strspn(p, DIGITS), part = 0;
        p += whole;
        if (*p == '.') {
                part = strspn(p + 1, DIGITS);
                p += 1 + part;
        }
        if (whole + part == 0 || p - *at > 40)
                return -EINVAL;
        *ret = strtold(*at, NULL);
        *at = p;
        return 0;
}

static char lower(char c)
{
        return (char) (c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

int quantity_bytes(const char *text, int64_t *ret)
{
        static const char units[] = "kmgtp";
        long double value;
        if (strcmp(text, "-1") == 0) {
                *ret = -1;
                return 0;
        }
        if (read_decimal(&text, &value) < 0)
                return -EINVAL;
        text += *text == ' ';
        const char *unit = *text ? strchr(units, lower(*text)) : NULL;
        for (const char *u = units; unit && u <= unit; u++)
                value *= 1024;
        text += unit != NULL;
        text += unit && lower(*text) == 'i';
        text += lower(*text) == 'b';
        if (*text)
                return -EINVAL;
        if (value >= 0x1p63L)
                return -ERANGE;
        *ret = (int64_t) value;
        return 0;
}

int quantity_duration(const char *text, uint64_t *ret_ns)
{
        static const struct {
                const char *unit;
                long double ns;
        } units[] = { /* a longer unit before its own beginning */
                { "ns", 1 }, { "us", 1e3L }, { "\u00b5s", 1e3L }, { "\u03bcs", 1e3L }, { "ms", 1e6L }, { "s", 1e9L },
                { "m", 60e9L }, { "h", 3600e9L },
        };
        const size_t n = sizeof(units) / sizeof(*units);
        long double sum = 0, value;
        if (strcmp(text, "0") == 0) {
                *ret_ns = 0;
                return 0;
        }
        do {
                size_t i = 0;
                if (read_decimal(&text, &value) < 0)
                        return -EINVAL;
                while (i < n && strncmp(text, units[i].unit, strlen(units[i].unit)) != 0)
                        i++;
                if (i == n)
                        return -EINVAL;
                text += strlen(units[i].unit);
                sum += value * units[i].ns;
        } while (*text);
        if (sum >= 0x1p63L)
                return -ERANGE;
        *ret_ns = (uint64_t) sum;
        return 0;
}

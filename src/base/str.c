#include "base/str.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool make_room(struct str *s, size_t more)
{
        if (s->failed)
                return false;
        size_t need = s->size + more + 1;
        if (need <= s->room)
                return true;
        size_t room = s->room ? s->room : 64;
        while (room < need)
                room *= 2;
        char *grown = realloc(s->text, room);
        if (!grown) {
                s->failed = true;
                return false;
        }
        s->text = grown;
        s->room = room;
        return true;
}

void str_addn(struct str *s, const char *text, size_t n)
{
        if (!make_room(s, n))
                return;
        memcpy(s->text + s->size, text, n);
        s->size += n;
        s->text[s->size] = '\0';
}

void str_add(struct str *s, const char *text)
{
        str_addn(s, text, strlen(text));
}

void str_addf(struct str *s, const char *fmt, ...)
{
        va_list ap, again;
        va_start(ap, fmt);
        va_copy(again, ap);
        int n = vsnprintf(NULL, 0, fmt, ap);
        va_end(ap);
        if (n < 0)
                s->failed = true;
        else if (make_room(s, (size_t) n)) {
                vsnprintf(s->text + s->size, (size_t) n + 1, fmt, again);
                s->size += (size_t) n;
        }
        va_end(again);
}

char *str_take(struct str *s)
{
        str_addn(s, "", 0);
        char *text = s->failed ? NULL : take_ptr(&s->text);
        str_clear(s);
        return text;
}

void str_clear(struct str *s)
{
        free(s->text);
        *s = STR_INIT;
}

bool str_starts(const char *s, const char *prefix)
{
        return strncmp(s, prefix, strlen(prefix)) == 0;
}

const char *strv_env(const char *const *env, const char *key)
{
        size_t n = strlen(key);
        for (; env && *env; env++)
                if (strncmp(*env, key, n) == 0 && (*env)[n] == '=')
                        return *env + n + 1;
        return NULL;
}

size_t strv_len(const char *const *v)
{
        size_t n = 0;
        while (v && v[n])
                n++;
        return n;
}

int parse_u64(const char *s, uint64_t *ret)
{
        if (*s < '0' || *s > '9')
                return -EINVAL;
        uint64_t value = 0;
        for (; *s >= '0' && *s <= '9'; s++)
                if (__builtin_mul_overflow(value, 10u, &value) ||
                    __builtin_add_overflow(value, (uint64_t) (*s - '0'), &value))
                        return -ERANGE;
        if (*s)
                return -EINVAL;
        *ret = value;
        return 0;
}

int parse_i64(const char *s, int64_t *ret)
{
        bool negative = *s == '-';
        uint64_t value;
        int r = parse_u64(s + negative, &value);
        if (r < 0)
                return r;
        if (value > (uint64_t) INT64_MAX + negative)
                return -ERANGE;
        *ret = negative ? (int64_t) (0 - value) : (int64_t) value;
        return 0;
}

int parse_u32(const char *s, uint32_t *ret)
{
        uint64_t value;
        int r = parse_u64(s, &value);
        if (r < 0)
                return r;
        if (value > UINT32_MAX)
                return -ERANGE;
        *ret = (uint32_t) value;
        return 0;
}

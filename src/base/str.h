#pragma once
/*
 * str - a growing text, string vectors, and numbers read with care.
 *
 *      auto_str struct str s = STR_INIT;
 *      str_addf(&s, "%d", 7);                  // remembers the first failure
 *      if (str_failed(&s)) return -ENOMEM;
 *      puts(s.text);
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"

/* `text` is "" while nothing was added, and always terminated. */
struct str {
        char *text;
        size_t size;            /* without the terminator */
        size_t room;
        bool failed;
};

#define STR_INIT ((struct str){ 0 })

void str_add(struct str *s, const char *text);
void str_addn(struct str *s, const char *text, size_t n);
void str_addf(struct str *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
static inline bool str_failed(const struct str *s) { return s->failed; }
void str_clear(struct str *s);
static inline void str_clear_p(struct str *s) { str_clear(s); }
#define auto_str CLEANUP(str_clear)

/* The text, owned by the caller; never NULL unless memory ran out. The builder is empty afterwards. */
char *str_take(struct str *s);

bool str_starts(const char *s, const char *prefix);

/* The value behind `key` in an environment vector ("KEY=value"), or NULL. */
const char *strv_env(const char *const *env, const char *key);
size_t strv_len(const char *const *v);

/* A whole decimal number and nothing else. -EINVAL or -ERANGE, result untouched. */
int parse_u64(const char *s, uint64_t *ret) MUST_CHECK;
int parse_i64(const char *s, int64_t *ret) MUST_CHECK;
int parse_u32(const char *s, uint32_t *ret) MUST_CHECK;

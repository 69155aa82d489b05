#include "runtime/jot.h"

#include <inttypes.h>

static void add_newline(struct jot *j)
{
        if (j->indent == 0)
                return;
        str_add(&j->s, "\n");
        for (unsigned i = 0; i < j->depth * j->indent; i++)
                str_add(&j->s, " ");
}

static void add_quoted(struct str *s, const char *text)
{
        str_add(s, "\"");
        for (const char *p = text; *p; p++) {
                unsigned char c = (unsigned char) *p;
                if (c == '"' || c == '\\')
                        str_addf(s, "\\%c", c);
                else if (c == '\n')
                        str_add(s, "\\n");
                else if (c == '\r')
                        str_add(s, "\\r");
                else if (c == '\t')
                        str_add(s, "\\t");
                else if (c < 0x20 || c == '<' || c == '>' || c == '&')
                        str_addf(s, "\\u%04x", c);
                else
                        str_addn(s, p, 1);
        }
        str_add(s, "\"");
}

/* What stands before every value: comma, line break, key. */
static void begin(struct jot *j, const char *key)
{
        if (j->depth > 0) {
                if (!j->first)
                        str_add(&j->s, ",");
                add_newline(j);
        }
        j->first = false;
        if (key) {
                add_quoted(&j->s, key);
                str_add(&j->s, j->indent ? ": " : ":");
        }
}

void jot_open(struct jot *j, const char *key, char bracket)
{
        begin(j, key);
        str_addn(&j->s, &bracket, 1);
        j->depth++;
        j->first = true;
}

void jot_close(struct jot *j, char bracket)
{
        bool empty = j->first;
        j->depth--;
        if (!empty)
                add_newline(j);
        str_addn(&j->s, &bracket, 1);
        j->first = false;
}

void jot_text(struct jot *j, const char *key, const char *value)
{
        begin(j, key);
        add_quoted(&j->s, value);
}

void jot_number(struct jot *j, const char *key, int64_t value)
{
        begin(j, key);
        str_addf(&j->s, "%" PRId64, value);
}

void jot_unsigned(struct jot *j, const char *key, uint64_t value)
{
        begin(j, key);
        str_addf(&j->s, "%" PRIu64, value);
}

void jot_raw(struct jot *j, const char *key, const char *value)
{
        begin(j, key);
        str_add(&j->s, value);
}

void jot_bool(struct jot *j, const char *key, bool value)
{
        begin(j, key);
        str_add(&j->s, value ? "true" : "false");
}

char *jot_take(struct jot *j)
{
        return str_take(&j->s);
}

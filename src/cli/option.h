#pragma once
/*
 * option - the options of one command, as a table.
 *
 * --help, the man page's chapter and the parser read the same rows. Values go
 * into a struct of the command, at the offset of the row:
 *
 *      struct kill_args { bool all; };
 *      static const struct option kill_options[] = {
 *              { "all", 'a', OPTION_FLAG, offsetof(struct kill_args, all), "signal every process of the container" },
 *      };
 *
 * Written as runc takes them: "--name value", "--name=value", "-n value"; one
 * dash or two make no difference; a flag may be given as "--name=false"; a value
 * may begin with "-". Options and arguments may be mixed, unless the command
 * says `rest`: then everything after the first argument is an argument. "--"
 * ends the options.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/str.h"

enum option_kind {
        OPTION_FLAG,            /* bool */
        OPTION_TEXT,            /* const char * */
        OPTION_PATH,            /* const char *, made absolute: the command may change its directory */
        OPTION_LIST,            /* const char **, NULL-terminated, NULL if never given */
        OPTION_NUMBER,          /* uint32_t */
        OPTION_IGNORED_FLAG,    /* accepted for compatibility, has no effect */
        OPTION_IGNORED_VALUE,
        OPTION_REFUSED_FLAG,    /* known from runc, not done: an error that says so */
        OPTION_REFUSED_VALUE,
};

struct option {
        const char *name;
        char letter;            /* 0: none */
        enum option_kind kind;
        size_t offset;
        const char *help;       /* for ignored and refused ones: why */
};

struct option_set {
        const struct option *list;
        size_t n;
        bool rest;
};

/* The arguments that are left; `list` is NULL-terminated. `help`: --help was among the options, which every set has. */
struct positional {
        const char **list;
        size_t n;
        bool help;
};

/* Parse argv[0..argc). Memory, if any, is taken from the arena. -EINVAL names the option. */
int option_parse(const struct option_set *set, int argc, const char *const *argv, struct arena *arena, void *args,
                 struct positional *ret, struct error *err) MUST_CHECK;

/* The lines of a help text, one per option, below "OPTIONS:". */
void option_help(const struct option_set *set, struct str *out);

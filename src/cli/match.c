#include "cli/match.h"

#include <errno.h>
#include <regex.h>

#include "runtime/state.h"

static int each_of(const struct call *call, int root_fd, const regex_t *re, match_fn *each, size_t *ret_n,
                   struct error *err)
{
        const char **ids = NULL;
        size_t n = 0, matches = 0;
        int result = state_ids(root_fd, call->arena, &ids, &n, err);
        if (result < 0)
                return result;
        for (size_t i = 0; i < n; i++) {
                struct error why = ERROR_INIT;
                if (regexec(re, ids[i], 0, NULL, 0) != 0)
                        continue;
                matches++;
                int r = each(call, root_fd, ids[i], &why);
                if (r >= 0)
                        continue;
                if (result < 0)
                        command_warn(call, err);
                *err = why;
                result = r;
        }
        *ret_n = matches;
        return result;
}

int match_each(const struct call *call, int root_fd, const char *regex, match_fn *each, struct error *err)
{
        regex_t re;
        size_t matches = 0;
        char why[256];
        int bad = regcomp(&re, regex, REG_EXTENDED | REG_NOSUB);
        if (bad) {
                regerror(bad, &re, why, sizeof(why));
                return error_say(err, -EINVAL, "--regex: \"%s\" is no regular expression: %s", regex, why);
        }
        int r = each_of(call, root_fd, &re, each, &matches, err);
        regfree(&re);
        if (r == 0 && matches == 0)
                return error_say(err, -ENOENT, "--regex: no container matches \"%s\"", regex);
        return r;
}

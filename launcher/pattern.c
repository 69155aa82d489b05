#include "launcher/pattern.h"

#include <errno.h>

#include "launcher/request.h"
#include "plan/plan_share.h"

int pattern_make(const struct spec *spec, const struct host *host, const struct wish *wish, struct pattern *ret,
                 struct error *err)
{
        auto_pattern struct pattern p = PATTERN_INIT;
        auto_free void *plan = NULL, *words = NULL;
        size_t plan_size, words_size;

        int r = plan_compile(spec, host, wish, &plan, &plan_size, err);
        if (r == 0)
                r = plan_share(plan, plan_size, &p.plan_fd, err);
        if (r < 0)
                return r;
        r = words_pack(spec->process.args, spec->process.env, &words, &words_size);
        if (r < 0)
                return error_set(err, r, "pack the arguments and the environment");
        r = plan_share(words, words_size, &p.words_fd, err);
        if (r < 0)
                return r;
        *ret = p;
        p = PATTERN_INIT;
        return 0;
}

#pragma once
/*
 * pattern - what all instances of a job have in common, in sealed memory: the
 * plan, and the words (arguments and environment) of the process.
 */

#include "base/cleanup.h"
#include "launcher/jobgroup.h"
#include "plan/compile.h"

struct pattern {
        int plan_fd, words_fd;
};

#define PATTERN_INIT ((struct pattern){ -1, -1 })
static inline void pattern_clear_p(struct pattern *p) { fd_close(p->plan_fd); fd_close(p->words_fd); }
#define auto_pattern __attribute__((cleanup(pattern_clear_p)))

int pattern_make(const struct spec *spec, const struct host *host, const struct wish *wish, struct pattern *ret,
                 struct error *err) MUST_CHECK;

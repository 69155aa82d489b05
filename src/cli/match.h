#pragma once
/* match - the containers whose ids match a regular expression (regex(7), extended): --regex of delete and kill. */

#include "cli/command.h"

/* What is to be done with one container. */
typedef int match_fn(const struct call *call, int root_fd, const char *id, struct error *err);

/*
 * Do it with each of them. Goes on after a failure, and says the earlier ones as
 * warnings; the last one is the result. -ENOENT if no container matches.
 */
int match_each(const struct call *call, int root_fd, const char *regex, match_fn *each, struct error *err) MUST_CHECK;

#pragma once
/*
 * tool - another program of the host does something for us, and says what.
 */

#include <stddef.h>

#include "base/error.h"

/* What it wrote, as far as it fits. `said`: on one line. */
struct tool_words {
        char answer[4096];              /* on its standard output */
        char said[512];                 /* on its standard error */
};

/*
 * Run `file` with our environment and wait. Its exit status, 128+n for signal n; or what starting it failed
 * with. It gets no signal mask and no ignored signals of ours.
 */
int tool_run(const char *file, const char *const *argv, struct tool_words *ret) MUST_CHECK;

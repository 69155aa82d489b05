#pragma once
/*
 * log - tell what is being done, step by step, to whoever listens (--debug).
 *
 * Handed down as a pointer beside the options of an operation; NULL: nobody
 * listens, and nothing is formatted. A failure is no matter of the log: it is
 * returned (base/error.h), and printed once, by the caller at the top.
 */

#include "base/error.h"

struct log {
        void (*line)(void *arg, const char *text);      /* one line, without its end */
        void *arg;
};

#define LOG_LINE_MAX 1200

/* What does not fit into a line is cut off. */
void log_say(const struct log *log, const char *fmt, ...) PRINTF_LIKE(2, 3);

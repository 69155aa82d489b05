#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

void log_say(const struct log *log, const char *fmt, ...)
{
        if (!log)
                return;
        char text[LOG_LINE_MAX];
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(text, sizeof(text), fmt, ap);
        va_end(ap);
        log->line(log->arg, text);
}

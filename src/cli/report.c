#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "cli/command.h"
#include "runtime/jot.h"

#define LOG_FD_MAX 4096

/* logrus' text format, which container managers know how to read. */
static void add_text(struct str *s, const char *level, const char *text, const char *now)
{
        str_addf(s, "time=\"%s\" level=%s msg=\"", now, level);
        for (; *text; text++)
                if (*text == '"' || *text == '\\')
                        str_addf(s, "\\%c", *text);
                else if (*text == '\n')
                        str_add(s, "\\n");
                else
                        str_addn(s, text, 1);
        str_add(s, "\"\n");
}

static void add_json(struct str *s, const char *level, const char *text, const char *now)
{
        auto_jot struct jot j = JOT_INIT(0);
        jot_open(&j, NULL, '{');
        jot_text(&j, "level", level);
        jot_text(&j, "msg", text);
        jot_text(&j, "time", now);
        jot_close(&j, '}');
        auto_free char *line = jot_take(&j);
        str_addf(s, "%s\n", line ? line : "");
}

static void add_line(struct str *line, const struct globals *g, const char *level, const char *text)
{
        time_t seconds = time(NULL);
        struct tm tm;
        char now[32];
        strftime(now, sizeof(now), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &tm));
        if (g->log_format && strcmp(g->log_format, "json") == 0)
                add_json(line, level, text, now);
        else
                add_text(line, level, text, now);
}

void report(const struct globals *g, const char *level, const char *text)
{
        if (g->log_level && strcmp(g->log_level, "error") == 0 && strcmp(level, "warning") == 0)
                return;
        fprintf(stderr, "%s\n", text);
        if (!g->log)
                return;
        auto_str struct str line = STR_INIT;
        add_line(&line, g, level, text);
        auto_fd int fd = open(g->log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
        if (fd < 0 || str_failed(&line) || io_write_all(fd, line.text, line.size) < 0)
                fprintf(stderr, "%s: the log file \"%s\" cannot be written\n", g->program, g->log);
}

/*
 * A log that cannot be written is to be known before there is something to write. For debug messages it stays open,
 * above the descriptors that a container may be given (--preserve-fds): what is not open must not seem to be.
 */
int report_open(struct globals *g, struct error *err)
{
        if (!g->log || !*g->log)
                return 0;
        auto_fd int fd = open(g->log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
        struct rlimit limit = { .rlim_cur = 64 };
        (void) getrlimit(RLIMIT_NOFILE, &limit); /* it does not fail */
        int above = (limit.rlim_cur < LOG_FD_MAX ? (int) limit.rlim_cur : LOG_FD_MAX) - 1;
        g->log_fd = fd < 0 || !g->debug ? fd : fcntl(fd, F_DUPFD_CLOEXEC, above);
        if (g->log_fd >= 0)
                return 0;
        const char *log = g->log;
        g->log = NULL;          /* not to be tried again for the message about it */
        return error_set(err, -errno, "open the log file \"%s\"", log);
}

void report_debug(void *globals, const char *text)
{
        const struct globals *g = globals;
        auto_str struct str line = STR_INIT;
        add_line(&line, g, "debug", text);
        /* Of a log that cannot be written on, an error would say it. */
        if (!str_failed(&line))
                ignore_result(io_write_all(g->log ? g->log_fd : STDERR_FILENO, line.text, line.size));
}

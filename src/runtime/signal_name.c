#include "runtime/signal_name.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <strings.h>

#include "base/str.h"

static const struct {
        const char *name;
        int number;
} signals[] = {
        { "ABRT", SIGABRT },   { "ALRM", SIGALRM },     { "BUS", SIGBUS },   { "CHLD", SIGCHLD }, { "CLD", SIGCHLD },
        { "CONT", SIGCONT },   { "FPE", SIGFPE },       { "HUP", SIGHUP },   { "ILL", SIGILL },   { "INT", SIGINT },
        { "IO", SIGIO },       { "IOT", SIGIOT },       { "KILL", SIGKILL }, { "PIPE", SIGPIPE }, { "POLL", SIGPOLL },
        { "PROF", SIGPROF },   { "PWR", SIGPWR },       { "QUIT", SIGQUIT }, { "SEGV", SIGSEGV },
        { "STKFLT", SIGSTKFLT }, { "STOP", SIGSTOP },   { "SYS", SIGSYS },       { "TERM", SIGTERM }, { "TRAP", SIGTRAP }, { "TSTP", SIGTSTP },
        { "TTIN", SIGTTIN },   { "TTOU", SIGTTOU },     { "URG", SIGURG },   { "USR1", SIGUSR1 }, { "USR2", SIGUSR2 },
        { "VTALRM", SIGVTALRM }, { "WINCH", SIGWINCH }, { "XCPU", SIGXCPU }, { "XFSZ", SIGXFSZ },
};

/* The C library keeps the first two real-time signals for itself; the kernel's numbering is fixed. */
static int realtime(const char *name)
{
        uint32_t n = 0;
        if (strcasecmp(name, "RTMIN") == 0)
                return SIGRTMIN;
        if (strcasecmp(name, "RTMAX") == 0)
                return SIGRTMAX;
        uint32_t most = (uint32_t) (SIGRTMAX - SIGRTMIN);
        if (strncasecmp(name, "RTMIN+", 6) == 0 && parse_u32(name + 6, &n) == 0 && n <= most)
                return SIGRTMIN + (int) n;
        if (strncasecmp(name, "RTMAX-", 6) == 0 && parse_u32(name + 6, &n) == 0 && n <= most)
                return SIGRTMAX - (int) n;
        return -EINVAL;
}

int signal_from_name(const char *name, struct error *err)
{
        uint32_t number;
        if (parse_u32(name, &number) == 0 && number <= (uint32_t) SIGRTMAX)
                return (int) number;
        const char *bare = strncasecmp(name, "SIG", 3) == 0 ? name + 3 : name;
        for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
                if (strcasecmp(signals[i].name, bare) == 0)
                        return signals[i].number;
        int r = realtime(bare);
        return r > 0 ? r : error_say(err, -EINVAL, "unknown signal \"%s\"", name);
}

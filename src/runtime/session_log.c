#include <inttypes.h>
#include <stdio.h>

#include "base/log.h"
#include "runtime/parent.h"
#include "syscall/sys.h"

/*
 * Some lines have the words of runc's log beside ours: people, and runc's own
 * tests, look for them.
 */

static void tell_affinity(const struct session *s)
{
        uint64_t mask[SYS_CPUS_MAX / 64];
        int size = sys_sched_getaffinity(mask, sizeof(mask));
        size_t n = size < 0 ? 0 : (size_t) size / sizeof(*mask);
        while (n > 0 && mask[n - 1] == 0)
                n--;
        char text[SYS_CPUS_MAX / 4 + 1] = "0", *end = text;
        for (size_t i = n; i-- > 0;)
                end += snprintf(end, 17, end == text ? "%" PRIx64 : "%016" PRIx64, mask[i]);
        log_say(s->opts->log, "nsexec[%d]: affinity: 0x%s", (int) s->pid, text);
}

static bool joins(const struct session *s)
{
        for (size_t i = 0; i < s->plan->n_steps; i++)
                if (s->plan->steps[i].op == STEP_JOIN_PROCESS)
                        return true;
        return false;
}

static void tell(const struct session *s, size_t i)
{
        char phrase[512] = "";
        const struct step *step = &s->plan->steps[i];
        plan_phrase(s->plan, s->in, i, phrase, sizeof(phrase));
        log_say(s->opts->log, "%s: step %zu of %zu, %s", lane_names[step->lane], i + 1, s->plan->n_steps, phrase);
        if (step->op == STEP_LOAD_FILTER)
                log_say(s->opts->log, "seccomp filter flags: %" PRIu64, step->arg[1]);
}

void session_tell_own(const struct session *s, size_t i)
{
        if (!s->opts->log || s->plan->steps[i].lane == LANE_BESIDE) /* that is told in its turn */
                return;
        tell(s, i);
        if (s->plan->steps[i].op != STEP_CLONE)
                return;
        log_say(s->opts->log, "nsexec[%d]: nsexec container setup", (int) s->pid);
        tell_affinity(s);
        log_say(s->opts->log, "child process in init(): %d does its steps", (int) s->pid);
}

void session_tell_child(struct session *s, size_t end)
{
        if (!s->opts->log)
                return;
        for (; s->told < end && s->told < s->plan->n_steps; s->told++)
                if (s->plan->steps[s->told].lane != LANE_PARENT)
                        tell(s, s->told);
}

void session_tell_report(struct session *s, const struct report *report)
{
        if (!s->opts->log)
                return;
        bool done = report->kind == REPORT_REACHED || report->kind == REPORT_LISTENER || report->kind == REPORT_FORKED;
        session_tell_child(s, report->step + (done ? 1u : 0u));
        if (report->kind == REPORT_AWAIT)
                log_say(s->opts->log, "init: closing the pipe to signal completion: %d waits for start", (int) s->pid);
        if (report->kind == REPORT_EXEC)
                log_say(s->opts->log, joins(s) ? "setns_init: about to exec, as process %d"
                                               : "init: closing the pipe to signal completion: %d is about to exec",
                        (int) s->pid);
}

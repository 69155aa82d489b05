#pragma once
/*
 * child - carry out the child's side of a plan.
 *
 * This code runs between clone() and exec(), in a copy of a process that may
 * have had other threads. Locks those threads held stay locked here for ever.
 * Therefore nothing in this folder may allocate, print, format or translate
 * an error: it calls syscall/ and reads the plan. The test lint.child_symbols
 * fails when an object of this folder starts to need anything else.
 *
 * When a step fails the child sends the number of the step and the errno, and
 * exits. The parent has the same plan and writes the sentence.
 */

#include <stdint.h>

#include "plan/plan.h"

enum report_kind {
        REPORT_REACHED = 1,     /* my side is done up to and including `step` */
        REPORT_FAILED,          /* `step` failed with `code` */
        REPORT_WANT_TREE,       /* `step` is a bind mount whose source I may not open: you do, and send it */
        REPORT_CONSOLE,         /* the master of the pty comes along */
        REPORT_FORKED,          /* the process with pid `code` takes over; its pidfd comes along */
        REPORT_LISTENER,        /* as REACHED; the listener of the seccomp filter comes along, or is our descriptor `code` */
        REPORT_AWAIT,           /* waiting for `start` */
        REPORT_HOOK,            /* a hook failed: a struct hook_end */
        REPORT_EXEC,            /* about to exec; EOF from here on is success */
};

/* What travels from the child to the parent, always in one piece. */
struct report {
        uint16_t kind;
        uint16_t step;
        int32_t code;
};

/* How a hook ended that the child ran, when that is a failure. Words that are missing were not said. */
struct hook_end {
        struct report report;   /* code: the exit status, or the signal */
        int32_t how;            /* CLD_EXITED, ...; 0: it did not end in its time */
        char words[300];        /* the last of its output, without a terminator */
};

/* What the parent answers: its own steps up to `step` are done, go on. For a bind mount, one that it opened comes along. */
struct release {
        uint16_t step;
};

/* What the child knows besides the plan. */
struct child_start {
        const struct plan *plan;
        struct instance *in;    /* the child's own copy: it may write to it */
        int sync_fd;
        int listen_fd;          /* where `start` will knock; -1: no await-start */
        int alive_fd;           /* hangs up when the one who waits for us is gone; -1: sync_fd tells */
        struct plan_bytes own_cpus; /* where our parent may run: sched_getaffinity(2) */
        size_t first;           /* the step to begin with */
};

/* Execute every child step. Never returns. */
_Noreturn void child_run(const struct child_start *start);

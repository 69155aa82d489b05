#pragma once
/*
 * signals - what the launcher is told from outside, as events of the loop.
 *
 * INT, TERM, HUP and QUIT ask the job to end. USR1 and USR2 go to every
 * instance. TSTP stops the whole job, then us. PIPE is kept away: a lost
 * reader is a result of write(2) here.
 *
 * Open it after the spawners were forked and before any library starts a thread
 * (threads inherit the mask, and must not take our signals).
 */

#include "launcher/loop.h"

struct signals {
        struct watch watch;
        void (*handle)(void *arg, int sig);
        void *arg;
};

int signals_open(struct signals *s, struct loop *loop, void (*handle)(void *arg, int sig), void *arg,
                 struct error *err) MUST_CHECK;
void signals_close(struct signals *s, struct loop *loop);

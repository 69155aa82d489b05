#pragma once
/*
 * output - what the instances write goes to our stdout and stderr.
 *
 * Each instance has two pipes. Whole lines are collected and written together
 * after every round of the event loop. Our own stdout may be as slow as it
 * likes: writing never blocks, at most one buffer waits, and while it is full no
 * instance is read (it then blocks in its own write, as it would at a terminal).
 * If our reader goes away, the instances' readers go away: SIGPIPE, as in any pipeline.
 */

#include <stdbool.h>

#include "base/error.h"
#include "launcher/lines.h"
#include "launcher/loop.h"

/* stdout and stderr; one and the same if both are the same file. */
struct sink {
        struct watch watch;     /* what we write to: ours to close, see output.c */
        struct gather gather;
        struct output *output;
        int kind;
        bool armed;             /* epoll tells us when there is room */
        bool broken;            /* nobody reads it any more */
};

/* One pipe of an instance. */
struct stream {
        struct watch watch;
        struct lines lines;
        struct sink *sink;
        const char *label;      /* "" or "[7] ", borrowed */
        struct stream *next;    /* in the list of those that wait for room */
        bool waiting;
        bool finishing;         /* the instance is gone: close it once it is empty */
};

struct output {
        struct loop *loop;
        struct sink sink[2];
        struct sink *of[2];     /* where stdout and stderr go: &sink[0], &sink[0 or 1] */
        struct stream *waiting;
        char *scratch;
        unsigned open;          /* streams that have not seen their end */
};

int output_open(struct output *o, struct loop *loop, bool raw, struct error *err) MUST_CHECK;

/* Take over the reading end of a pipe. `which` is 0 for stdout, 1 for stderr. */
int output_add(struct output *o, struct stream *s, int which, const char *label, int *take_fd, struct error *err) MUST_CHECK;

/* Read what is there, then close: the instance is gone, whoever else holds the pipe. */
void output_finish(struct output *o, struct stream *s);

/* Write as much as is possible now. Called after every round of the loop. */
void output_flush(struct output *o);
/* Something still waits to be written. */
bool output_pending(const struct output *o);

/* A line of our own on stderr; the status line (a terminal only; NULL: none). */
void output_say(struct output *o, const char *fmt, ...) PRINTF_LIKE(2, 3);
bool output_is_terminal(const struct output *o);
void output_status(struct output *o, const char *line);

/* Throws away what was not written. */
void output_close(struct output *o);

#include "launcher/output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/cleanup.h"

#define BUFFER ((size_t) 1024 * 1024)

/*
 * O_NONBLOCK belongs to the open file, which we share with our caller's shell
 * and whoever else: it must not be set on descriptors we were given. A pipe or
 * terminal is opened anew instead, a socket has a flag per call, and a file
 * never blocks. What is left is asked with poll(2) before each small write.
 */
enum sink_kind { SINK_OWN, SINK_SOCKET, SINK_FILE, SINK_ASK };

static void sink_ready(struct watch *w, uint32_t events);

static int sink_open(struct sink *s, int fd, struct output *o, struct error *err)
{
        struct stat st;
        if (fstat(fd, &st) < 0) {
                /* Closed by our caller: as good as /dev/null. */
                s->broken = true;
                st.st_mode = 0;
        }
        s->output = o;
        s->kind = S_ISSOCK(st.st_mode) ? SINK_SOCKET : S_ISREG(st.st_mode) ? SINK_FILE : SINK_ASK;
        if (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)) {
                char path[32];
                snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
                s->watch.fd = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
                if (s->watch.fd >= 0)
                        s->kind = SINK_OWN;
        }
        if (s->watch.fd < 0 && !s->broken)
                s->watch.fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        if (s->watch.fd < 0 && !s->broken)
                return error_set(err, -errno, "duplicate descriptor %d", fd);
        s->watch.ready = sink_ready;
        if (gather_open(&s->gather, BUFFER) < 0)
                return error_set(err, -ENOMEM, "make a buffer for output");
        return 0;
}

static bool same_file(int a, int b)
{
        struct stat sa, sb;
        return fstat(a, &sa) == 0 && fstat(b, &sb) == 0 && sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

int output_open(struct output *o, struct loop *loop, bool raw, struct error *err)
{
        *o = (struct output){ .loop = loop, .sink = { { .watch = WATCH_INIT }, { .watch = WATCH_INIT } } };
        o->scratch = malloc(LINES_MAX);
        if (!o->scratch)
                return error_set(err, -ENOMEM, "make a buffer for output");
        bool same = same_file(1, 2);
        int r = sink_open(&o->sink[0], 1, o, err);
        if (r == 0 && !same)
                r = sink_open(&o->sink[1], 2, o, err);
        if (r < 0)
                return r;
        o->of[0] = &o->sink[0];
        o->of[1] = same ? &o->sink[0] : &o->sink[1];
        o->of[0]->gather.raw = o->of[1]->gather.raw = raw;
        return 0;
}

/* ---- reading instances ---- */

static void stream_close(struct output *o, struct stream *s)
{
        if (s->watch.fd < 0)
                return;
        lines_end(&s->lines, &s->sink->gather, s->label);
        loop_drop(o->loop, &s->watch);
        o->open--;
}

enum reading { READ_MORE, READ_NOTHING, READ_NO_ROOM, READ_END };

static enum reading stream_read(struct output *o, struct stream *s)
{
        size_t room = lines_room(&s->lines, &s->sink->gather, s->label);
        if (room == 0)
                return READ_NO_ROOM;
        ssize_t n = read(s->watch.fd, o->scratch, room);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR ? READ_NOTHING : READ_END;
        if (n == 0 || lines_feed(&s->lines, &s->sink->gather, s->label, o->scratch, (size_t) n) < 0)
                return READ_END;
        return (size_t) n == room ? READ_MORE : READ_NOTHING;
}

static void wait_for_room(struct output *o, struct stream *s)
{
        if (s->waiting)
                return;
        s->waiting = true;
        s->next = o->waiting;
        o->waiting = s;
        loop_change(o->loop, &s->watch, 0);
}

static void stream_ready(struct watch *w, uint32_t events)
{
        (void) events;
        struct stream *s = watch_owner(w, struct stream, watch);
        struct output *o = s->sink->output;

        if (s->sink->broken) {
                stream_close(o, s);
                return;
        }
        /* One read for each round: nobody's flood keeps the others waiting. */
        switch (stream_read(o, s)) {
        case READ_NO_ROOM:
                wait_for_room(o, s);
                break;
        case READ_END:
                stream_close(o, s);
                break;
        case READ_NOTHING:
                if (s->finishing)
                        stream_close(o, s);
                break;
        case READ_MORE:
                break;
        }
}

int output_add(struct output *o, struct stream *s, int which, const char *label, int *take_fd_, struct error *err)
{
        *s = (struct stream){ .watch = { *take_fd_, stream_ready }, .sink = o->of[which], .label = label };
        int r = loop_add(o->loop, &s->watch, EPOLLIN);
        if (r < 0) {
                s->watch.fd = -1;
                return error_set(err, r, "watch the output of an instance");
        }
        *take_fd_ = -1;
        o->open++;
        return 0;
}

static void forget_waiting(struct output *o, const struct stream *s)
{
        for (struct stream **p = &o->waiting; *p; p = &(*p)->next)
                if (*p == s) {
                        *p = s->next;
                        return;
                }
}

void output_finish(struct output *o, struct stream *s)
{
        if (s->watch.fd < 0)
                return;
        s->finishing = true;
        /* If our reader is too slow for what the pipe holds, the rest comes when there is room again. */
        for (enum reading r = READ_MORE; r == READ_MORE && !s->sink->broken;) {
                r = stream_read(o, s);
                if (r == READ_NO_ROOM)
                        return;
        }
        if (s->waiting) {
                forget_waiting(o, s);
                s->waiting = false;
        }
        stream_close(o, s);
}

/* ---- writing ---- */

static ssize_t sink_write(const struct sink *s, const char *data, size_t n)
{
        struct pollfd p = { .fd = s->watch.fd, .events = POLLOUT };
        switch ((enum sink_kind) s->kind) {
        case SINK_SOCKET:
                return send(s->watch.fd, data, n, MSG_DONTWAIT | MSG_NOSIGNAL);
        case SINK_ASK:
                if (poll(&p, 1, 0) == 0) {
                        errno = EAGAIN;
                        return -1;
                }
                return write(s->watch.fd, data, n < 4096 ? n : 4096);
        case SINK_OWN:
        case SINK_FILE:
                break;
        }
        return write(s->watch.fd, data, n);
}

/* Room again, or nobody there: whoever waited is looked at in the next round. */
static void resume_readers(struct output *o, const struct sink *sink)
{
        struct stream *list = take_ptr(&o->waiting);
        while (list) {
                struct stream *s = list;
                list = s->next;
                s->waiting = false;
                if (s->watch.fd < 0)
                        continue;
                if (s->sink == sink) {
                        loop_change(o->loop, &s->watch, EPOLLIN);
                } else {
                        s->waiting = true;
                        s->next = o->waiting;
                        o->waiting = s;
                }
        }
}

/* Tell us once when there is room. Between, the sink is not looked at: a lost reader would be reported for ever. */
static void sink_arm(struct sink *s)
{
        if (loop_add(s->output->loop, &s->watch, EPOLLOUT | EPOLLONESHOT) == -EEXIST)
                loop_change(s->output->loop, &s->watch, EPOLLOUT | EPOLLONESHOT);
        s->armed = true;
}

static void sink_flush(struct sink *s)
{
        struct gather *g = &s->gather;
        size_t before = gather_waiting(g);

        while (gather_waiting(g) > 0 && !s->broken) {
                ssize_t n = sink_write(s, g->text + g->head, gather_waiting(g));
                if (n >= 0) {
                        gather_written(g, (size_t) n);
                } else if (errno == EAGAIN) {
                        sink_arm(s);
                        break;
                } else if (errno != EINTR) {
                        s->broken = true;
                }
        }
        if (s->broken)
                gather_written(g, gather_waiting(g));
        if (gather_waiting(g) < before)
                resume_readers(s->output, s);
}

static void sink_ready(struct watch *w, uint32_t events)
{
        (void) events;
        struct sink *s = watch_owner(w, struct sink, watch);
        s->armed = false;       /* one shot */
        sink_flush(s);
}

void output_flush(struct output *o)
{
        for (int i = 0; i < 2; i++)
                if (!o->sink[i].armed && gather_waiting(&o->sink[i].gather) > 0)
                        sink_flush(&o->sink[i]);
}

bool output_pending(const struct output *o)
{
        return gather_waiting(&o->sink[0].gather) > 0 || gather_waiting(&o->sink[1].gather) > 0;
}

void output_say(struct output *o, const char *fmt, ...)
{
        char line[ERROR_TEXT_MAX + 128];
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(line, sizeof(line), fmt, ap);
        va_end(ap);
        if (!o->of[1] || !o->of[1]->gather.text)
                return;
        (void) gather_say(&o->of[1]->gather, line); /* without memory for a line there is nobody to tell */
}

bool output_is_terminal(const struct output *o)
{
        return o->of[1] && o->of[1]->watch.fd >= 0 && isatty(o->of[1]->watch.fd);
}

void output_status(struct output *o, const char *line)
{
        gather_status(&o->of[1]->gather, line);
}

void output_close(struct output *o)
{
        for (int i = 0; i < 2; i++) {
                if (o->loop)
                        loop_drop(o->loop, &o->sink[i].watch);
                gather_clear(&o->sink[i].gather);
        }
        free(take_ptr(&o->scratch));
}

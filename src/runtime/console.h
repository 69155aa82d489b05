#pragma once
/*
 * console - the terminal of a container: who has its master end.
 *
 * Either it is sent over a socket (--console-socket), or we sit between it and
 * the terminal we were started on: raw, so that the container's side does the
 * line editing and the signals.
 *
 *      auto_console struct console con = CONSOLE_INIT;
 *      console_open_host(&con, &err);                  // before anything exists
 *      ...
 *      console_attach(&con, take_fd(&session.console_fd), &err);
 *      poll con.master and con.input, call console_relay();    // supervise.c
 *      console_restore(&con);                          // also by cleanup
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <termios.h>

#include "base/cleanup.h"
#include "base/error.h"

/* Bytes under way in one direction: neither side waits for the other. */
struct console_buffer {
        char data[8192];
        size_t from, size;
};

struct console {
        int host_fd;            /* the terminal we were started on; -1: none */
        int master;             /* of the container's pty; -1: none */
        bool raw;               /* host_fd was set raw, `saved` is what it was */
        bool input_ended;
        struct termios saved;
        struct console_buffer in, out;
};

#define CONSOLE_INIT ((struct console){ .host_fd = -1, .master = -1 })

/* Find the caller's terminal: stderr, stdout, stdin, or /dev/tty. */
int console_open_host(struct console *con, struct error *err) MUST_CHECK;

/* Its size in characters; zeroes if it has none. */
void console_host_size(const struct console *con, uint16_t *ret_width, uint16_t *ret_height);

/* Take the master (owned from here on, also on failure), give it the host's size, set the host's terminal raw. */
int console_attach(struct console *con, int master, struct error *err) MUST_CHECK;

/* The caller's terminal changed its size (SIGWINCH). */
void console_resize(const struct console *con);

/* What poll(2) should wait for: fills `events` for the master, fd 0 and fd 1. */
void console_wants(const struct console *con, short *ret_master, short *ret_input, short *ret_output);

/*
 * Move what is there, in both directions, without blocking; `*_ready` is what
 * poll(2) said. Returns 1 when the container's side has hung up and everything
 * is written, else 0.
 */
int console_relay(struct console *con, bool master_ready, bool input_ready, bool output_ready);

void console_clear(struct console *con);
static inline void console_clear_p(struct console *con) { console_clear(con); }
#define auto_console CLEANUP(console_clear)

/* Connect to a unix stream socket that will be sent a descriptor later: fails early. */
int console_connect(const char *path, const char *what, int *ret_fd, struct error *err) MUST_CHECK;

/* Send a descriptor over it with `name` as the data. */
int console_send(int socket_fd, const char *name, int fd, struct error *err) MUST_CHECK;

/* Send the master of a pty as container managers expect it. */
int console_send_master(int socket_fd, int master, struct error *err) MUST_CHECK;

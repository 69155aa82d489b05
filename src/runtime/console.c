#include "runtime/console.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "syscall/sys.h"

int console_open_host(struct console *con, struct error *err)
{
        static const int streams[] = { 2, 1, 0 };
        struct termios probe;
        for (size_t i = 0; i < sizeof(streams) / sizeof(*streams); i++)
                if (tcgetattr(streams[i], &probe) == 0) {
                        con->host_fd = fcntl(streams[i], F_DUPFD_CLOEXEC, 3);
                        return con->host_fd < 0 ? error_set(err, -errno, "keep the terminal open") : 0;
                }
        con->host_fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
        if (con->host_fd < 0)
                return error_set(err, -errno, "a terminal is asked for, but we have none (standard streams, "
                                 "/dev/tty): use --detach with --console-socket, or do without");
        return 0;
}

void console_host_size(const struct console *con, uint16_t *ret_width, uint16_t *ret_height)
{
        struct winsize size = { 0 };
        if (con->host_fd >= 0 && ioctl(con->host_fd, TIOCGWINSZ, &size) < 0)
                size = (struct winsize){ 0 };
        *ret_width = size.ws_col;
        *ret_height = size.ws_row;
}

void console_resize(const struct console *con)
{
        struct winsize size;
        /* A terminal without a size is left as it is. */
        if (con->master >= 0 && ioctl(con->host_fd, TIOCGWINSZ, &size) == 0)
                (void) ioctl(con->master, TIOCSWINSZ, &size);
}

int console_attach(struct console *con, int master, struct error *err)
{
        con->master = master;
        if (master < 0)
                return error_say(err, -EBADF, "the container has not sent its terminal");
        console_resize(con);
        if (fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK) < 0)
                return error_set(err, -errno, "prepare the container's terminal");
        if (tcgetattr(con->host_fd, &con->saved) < 0)
                return error_set(err, -errno, "read the settings of our terminal");
        struct termios raw = con->saved;
        cfmakeraw(&raw);
        raw.c_oflag |= OPOST;   /* the container's side writes bare newlines: ours makes them new lines */
        if (tcsetattr(con->host_fd, TCSANOW, &raw) < 0)
                return error_set(err, -errno, "set our terminal raw");
        con->raw = true;
        return 0;
}

static bool has_room(const struct console_buffer *b)
{
        return b->from + b->size < sizeof(b->data);
}

void console_wants(const struct console *con, short *ret_master, short *ret_input, short *ret_output)
{
        *ret_master = (short) ((has_room(&con->out) ? POLLIN : 0) | (con->in.size ? POLLOUT : 0));
        *ret_input = !con->input_ended && has_room(&con->in) ? POLLIN : 0;
        *ret_output = con->out.size ? POLLOUT : 0;
}

/* Read once; false when nothing will come any more. */
static bool fill(struct console_buffer *b, int fd)
{
        if (b->size == 0)
                b->from = 0;
        if (!has_room(b))
                return true;
        size_t at = b->from + b->size;
        ssize_t n = read(fd, b->data + at, sizeof(b->data) - at);
        if (n < 0)
                return errno == EAGAIN || errno == EINTR;
        b->size += (size_t) n;
        return n > 0;
}

/* Write once; what cannot be written because nobody reads any more is dropped. */
static void drain(struct console_buffer *b, int fd)
{
        if (b->size == 0)
                return;
        /* poll(2) promises room for PIPE_BUF bytes in a pipe, not for more: a larger write could block. */
        ssize_t n = write(fd, b->data + b->from, b->size < PIPE_BUF ? b->size : PIPE_BUF);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        size_t done = n < 0 ? b->size : (size_t) n;
        b->from += done;
        b->size -= done;
}

int console_relay(struct console *con, bool master_ready, bool input_ready, bool output_ready)
{
        bool hung_up = false;
        /* A pty master whose slaves are all closed says EIO (tty_ioctl(4)), after all that was written has been read.
         */
        if (master_ready && has_room(&con->out))
                hung_up = !fill(&con->out, con->master);
        if (input_ready && !fill(&con->in, 0))
                con->input_ended = true;
        drain(&con->in, con->master);
        if (output_ready)
                drain(&con->out, 1);
        return hung_up && con->out.size == 0;
}

void console_clear(struct console *con)
{
        if (con->raw)
                (void) tcsetattr(con->host_fd, TCSANOW, &con->saved); /* it may be gone by now */
        fd_close(con->host_fd);
        fd_close(con->master);
        *con = CONSOLE_INIT;
}

/* ---- sockets ---- */

int console_connect(const char *path, const char *what, int *ret_fd, struct error *err)
{
        auto_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return error_set(err, -errno, "make a socket for %s", what);
        struct sockaddr_un to = { .sun_family = AF_UNIX };
        /* Paths longer than 107 bytes go through a descriptor of the file. */
        auto_fd int at = open(path, O_PATH | O_CLOEXEC);
        if (at < 0)
                return error_set(err, -errno, "%s \"%s\"", what, path);
        struct stat st;
        if (fstat(at, &st) < 0 || !S_ISSOCK(st.st_mode))
                return error_say(err, -ENOTSOCK, "%s \"%s\": not a socket", what, path);
        snprintf(to.sun_path, sizeof(to.sun_path), "/proc/self/fd/%d", at);
        if (connect(fd, (const struct sockaddr *) &to, sizeof(to)) < 0)
                return error_set(err, -errno, "connect to %s \"%s\"", what, path);
        *ret_fd = take_fd(&fd);
        return 0;
}

int console_send(int socket_fd, const char *name, int fd, struct error *err)
{
        ssize_t n = sys_send_fd(socket_fd, name, strlen(name), fd);
        return n < 0 ? error_set(err, (int) n, "send \"%s\" over the socket", name) : 0;
}

int console_send_master(int socket_fd, int master, struct error *err)
{
        unsigned number;
        if (master < 0 || ioctl(master, TIOCGPTN, &number) < 0)
                return error_say(err, -EBADF, "the container has not sent its terminal");
        char name[32];
        snprintf(name, sizeof(name), "/dev/pts/%u", number);
        return console_send(socket_fd, name, master, err);
}

#include "runtime/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"

#define DIRECTORY "notify"
#define SOCKET "notify.sock"
#define INSIDE "/run/notify"
#define MESSAGE_MAX 4096
#define BARRIER_MS 30000        /* a manager that knows no barrier never answers */

static bool wanted(const struct notify *n)
{
        return n->host && *n->host;
}

static int add_mount(struct spec *spec, const char *source)
{
        struct spec_mount *mounts = arena_grow(spec->arena, spec->mounts, spec->n_mounts, 1, sizeof(*mounts));
        if (!mounts)
                return -ENOMEM;
        mounts[spec->n_mounts++] = (struct spec_mount){
                .destination = INSIDE, .source = source, .bind = true, .data = "", .attr_named = true,
                .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
        };
        spec->mounts = mounts;
        return 0;
}

/* Behind the config's own: of a name, the last one counts. */
static int add_variable(struct spec *spec)
{
        size_t n = strv_len(spec->process.env);
        const char **env = arena_grow(spec->arena, spec->process.env, n, 2, sizeof(*env));
        if (!env)
                return -ENOMEM;
        env[n] = "NOTIFY_SOCKET=" INSIDE "/" SOCKET;
        env[n + 1] = NULL;
        spec->process.env = env;
        return 0;
}

int notify_offer(const struct notify *n, int root_fd, const char *id, struct spec *spec, struct error *err)
{
        char link[64], root[PATH_MAX];
        if (!wanted(n))
                return 0;
        snprintf(link, sizeof(link), "/proc/self/fd/%d", root_fd);
        ssize_t size = readlink(link, root, sizeof(root) - 1);
        if (size < 0)
                return error_set(err, -errno, "find the state directory");
        root[size] = '\0';
        const char *source = arena_printf(spec->arena, "%s/%s/" DIRECTORY, root, id);
        int r = source ? add_mount(spec, source) : -ENOMEM;
        if (r == 0)
                r = add_variable(spec);
        return r < 0 ? error_set(err, r, "pass on $NOTIFY_SOCKET") : 0;
}

int notify_make(const struct notify *n, int dir_fd, struct error *err)
{
        if (!wanted(n))
                return 0;
        /* The umask is not ours to change, and every user of the container has to get through. */
        if (mkdirat(dir_fd, DIRECTORY, 0755) < 0 || fchmodat(dir_fd, DIRECTORY, 0755, 0) < 0)
                return error_set(err, -errno, "make the directory for $NOTIFY_SOCKET");
        return 0;
}

int notify_listen(struct notify *n, int dir_fd, struct error *err)
{
        struct sockaddr_un at = { .sun_family = AF_UNIX };
        auto_fd int dir = openat(dir_fd, DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (!wanted(n) || (dir < 0 && errno == ENOENT))
                return 0;
        auto_fd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        snprintf(at.sun_path, sizeof(at.sun_path), "/proc/self/fd/%d/" SOCKET, dir);
        (void) unlinkat(dir, SOCKET, 0);        /* of a start that failed */
        if (dir < 0 || fd < 0 || bind(fd, (const struct sockaddr *) &at, sizeof(at)) < 0 ||
            fchmodat(dir, SOCKET, 0777, 0) < 0)
                return error_set(err, -errno, "make the socket for the container's $NOTIFY_SOCKET");
        n->fd = take_fd(&fd);
        return 0;
}

/* ---- to the manager ---- */

/* -EINVAL: of a kind that we do not know, such as "vsock:2:1234". */
static int address_of(const char *host, struct sockaddr_un *ret, socklen_t *ret_size)
{
        size_t n = strlen(host);
        if ((host[0] != '/' && host[0] != '@') || n >= sizeof(ret->sun_path))
                return -EINVAL;
        *ret = (struct sockaddr_un){ .sun_family = AF_UNIX };
        memcpy(ret->sun_path, host, n + 1);
        *ret_size = (socklen_t) (offsetof(struct sockaddr_un, sun_path) + n + (host[0] == '/'));
        if (host[0] == '@')
                ret->sun_path[0] = '\0';
        return 0;
}

/* `pass`: a descriptor that goes along; -1: none. */
static int tell(const struct notify *n, const char *text, int pass)
{
        struct sockaddr_un to;
        socklen_t size = 0;
        int r = address_of(n->host, &to, &size);
        auto_fd int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (r < 0 || fd < 0)
                return r < 0 ? r : -errno;
        union {
                char space[CMSG_SPACE(sizeof(int))];
                struct cmsghdr align;
        } control = { .space = "" };
        struct iovec iov = { .iov_base = (void *) (uintptr_t) text, .iov_len = strlen(text) };
        struct msghdr msg = { .msg_name = &to, .msg_namelen = size, .msg_iov = &iov, .msg_iovlen = 1 };
        if (pass >= 0) {
                msg.msg_control = control.space;
                msg.msg_controllen = sizeof(control.space);
                struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
                *c = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int)) };
                memcpy(CMSG_DATA(c), &pass, sizeof(pass));
        }
        return sendmsg(fd, &msg, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static bool says_ready(const char *message)
{
        return strncmp(message, "READY=1\n", 8) == 0 || strstr(message, "\nREADY=1\n") != NULL;
}

void notify_hear(struct notify *n, pid_t pid)
{
        char message[MESSAGE_MAX + 2], main_pid[32];
        /* Descriptors that come along are closed by the kernel: there is no room for them. */
        ssize_t size = recv(n->fd, message, MESSAGE_MAX, MSG_DONTWAIT);
        if (size < 0)
                return;
        memcpy(message + size, "\n", 2); /* the last line may lack its end */
        if (n->ready || !says_ready(message))
                return;
        n->ready = true;
        snprintf(main_pid, sizeof(main_pid), "MAINPID=%d", (int) pid);
        int r = tell(n, "READY=1", -1);
        if (r == 0)
                r = tell(n, main_pid, -1);
        log_say(n->log, "the container is ready: %s %s, %s", n->host, r < 0 ? "was not told" : "was told", main_pid);
        if (r < 0)
                (void) error_set(&n->failed, r, "tell \"%s\" ($NOTIFY_SOCKET) that the container is ready", n->host);
}

/*
 * sd_notify_barrier(3). The manager looks up by our pid whose message it is; when it has come to this one, it closes the
 * descriptor.
 */
static void await_manager(const struct notify *n)
{
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) < 0)
                return;
        auto_fd int in = ends[0];
        int r = tell(n, "BARRIER=1", ends[1]);
        fd_close(ends[1]);
        struct pollfd p = { .fd = in, .events = POLLIN };
        while (r == 0 && poll(&p, 1, BARRIER_MS) < 0 && errno == EINTR)
                ;
}

void notify_wait(struct notify *n, int pidfd, pid_t pid)
{
        if (n->fd < 0)
                return;
        log_say(n->log, "process %d is awaited to be ready", (int) pid);
        while (!n->ready) {
                struct pollfd p[] = { { .fd = n->fd, .events = POLLIN }, { .fd = pidfd, .events = POLLIN } };
                if (poll(p, 2, -1) < 0 && errno != EINTR)
                        return;
                if (p[0].revents)
                        notify_hear(n, pid);
                else if (p[1].revents)
                        return;         /* it said all that it had to say */
        }
        if (n->failed.code == 0)
                await_manager(n);
}

void notify_clear(struct notify *n)
{
        fd_close(n->fd);
        *n = NOTIFY_INIT;
}

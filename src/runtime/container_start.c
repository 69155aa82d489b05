#include "runtime/container.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/io.h"
#include "runtime/container_parts.h"
#include "runtime/notify.h"

static int connect_child(const struct found *c, int *ret_fd, struct error *err)
{
        auto_fd int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
        struct sockaddr_un to = { .sun_family = AF_UNIX };
        snprintf(to.sun_path, sizeof(to.sun_path), "/proc/self/fd/%d/" SOCKET_FILE, c->dir.fd);
        if (fd < 0 || connect(fd, (const struct sockaddr *) &to, sizeof(to)) < 0)
                return error_set(err, -errno, "connect to the created container \"%s\"", c->state.id);
        *ret_fd = take_fd(&fd);
        return 0;
}

static int resume(struct found *c, const struct plan *plan, struct notify *notify, struct error *err)
{
        auto_session struct session s = SESSION_INIT;
        auto_fd int fd = -1;
        struct host host;
        struct instance in = INSTANCE_INIT;
        auto_recorder struct recorder rec = { .dir = &c->dir, .state = &c->state };
        struct session_options opts = { .host = &host, .ops = &recorder_ops, .ops_arg = &rec, .listen_fd = -1,
                                        .alive_fd = -1, .log = notify->log };
        int r = host_probe(&host, err);
        if (r == 0)
                r = connect_child(c, &fd, err);
        if (r == 0)
                r = notify_listen(notify, c->dir.fd, err);
        if (r == 0)
                r = session_resume(&s, plan, &in, &opts, take_fd(&fd), c->state.process.pid, err);
        if (r < 0)
                return r;
        /* Of no use any more; left, they do no harm. */
        (void) unlinkat(c->dir.fd, PLAN_FILE, 0);
        (void) unlinkat(c->dir.fd, SOCKET_FILE, 0);
        if (notify->fd >= 0) {
                state_dir_unlock(&c->dir);
                notify_wait(notify, s.pidfd, s.pid);
        }
        session_release(&s);
        return 0;
}

static int start(int root_fd, const char *id, struct notify *notify, struct error *err)
{
        auto_found struct found c = FOUND_INIT;
        auto_free char *block = NULL;   /* malloc() aligns well enough for a plan */
        size_t size;
        struct plan plan;
        int r = found_open(&c, root_fd, id, true, err);
        if (r < 0)
                return r;
        if (c.now.status == STATUS_STOPPED)
                return error_say(err, -EINVAL, "cannot start a container that has stopped: \"%s\"", id);
        if (c.now.status == STATUS_RUNNING)
                return error_say(err, -EINVAL, "cannot start an already running container: \"%s\"", id);
        if (c.now.status != STATUS_CREATED)
                return error_say(err, -EINVAL, "cannot start a container in the state %s: \"%s\"",
                                 status_names[c.now.status], id);
        r = io_read_file(c.dir.fd, PLAN_FILE, PLAN_SIZE_MAX, &block, &size);
        if (r < 0)
                return error_set(err, r, "read the plan of container \"%s\"", id);
        r = plan_open(&plan, block, size, err);
        return r < 0 ? error_wrap(err, "container \"%s\"", id) : resume(&c, &plan, notify, err);
}

int container_program(int root_fd, const char *id, int *ret_fd, struct error *err)
{
        auto_found struct found c = FOUND_INIT;
        int r = found_open(&c, root_fd, id, false, err);
        if (r < 0)
                return r;
        if (c.now.status != STATUS_CREATED)
                return error_say(err, -EINVAL, "container \"%s\" is not waiting to be started", id);
        char path[32];
        snprintf(path, sizeof(path), "/proc/%d/exe", (int) c.state.process.pid);
        auto_fd int fd = open(path, O_PATH | O_CLOEXEC);
        if (fd < 0)
                return error_set(err, -errno, "open the program of the created container \"%s\"", id);
        /* Still the same process, so what was opened was its program. */
        if (!process_ref_alive(&c.state.process))
                return error_say(err, -ESRCH, "the process of container \"%s\" is gone", id);
        *ret_fd = take_fd(&fd);
        return 0;
}

int container_start(int root_fd, const char *id, const char *notify_socket, const struct log *log, struct error *warning,
                    struct error *err)
{
        auto_notify struct notify notify = { .host = notify_socket, .fd = -1, .log = log };
        int r = start(root_fd, id, &notify, err);
        if (notify.failed.code < 0)
                *warning = notify.failed;
        struct error why = ERROR_INIT;
        if (r == -ECANCELED && container_delete(root_fd, id, true, warning, &why) < 0)
                *warning = why;
        return r;
}

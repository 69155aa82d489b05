#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/io.h"
#include "runtime/jot.h"
#include "runtime/parent.h"
#include "spec/spec.h"
#include "syscall/sys.h"

/* Filters with no-new-privs are loaded by `start`. */
static unsigned moment(const struct session *s, const struct step *step)
{
        for (const struct step *before = s->plan->steps; before < step; before++)
                if (before->op == STEP_AWAIT_START)
                        return HOOK_START_CONTAINER;
        return HOOK_CREATE_RUNTIME;
}

/* config-linux.md, The Container Process State */
static char *process_state(const struct session *s, const char *metadata, const char *state)
{
        auto_jot struct jot j = JOT_INIT(0);
        jot_open(&j, NULL, '{');
        jot_text(&j, "ociVersion", "1.3.0");
        jot_open(&j, "fds", '[');
        jot_text(&j, NULL, "seccompFd");
        jot_close(&j, ']');
        jot_number(&j, "pid", s->pid);
        if (*metadata)
                jot_text(&j, "metadata", metadata);
        jot_raw(&j, "state", state ? state : "{}");
        jot_close(&j, '}');
        return jot_take(&j);
}

static int send_all(int socket_fd, const char *text, int with_fd)
{
        size_t size = strlen(text);
        ssize_t n = sys_send_fd(socket_fd, text, size, with_fd);
        if (n <= 0)
                return n < 0 ? (int) n : -EPIPE;
        return (size_t) n < size ? io_write_all(socket_fd, text + n, size - (size_t) n) : 0;
}

int parent_send_listener(struct session *s, const struct step *step, struct error *err)
{
        const char *path = plan_string(s->plan, s->in, step, 0);
        auto_fd int listener = take_fd(&s->listener_fd);
        auto_free char *state = NULL;
        if (listener < 0)
                return error_say(err, -EPROTO, "linux.seccomp: the container's process sent no listener");
        const struct session_ops *ops = s->opts->ops;
        int r = ops && ops->hook_state ? ops->hook_state(s->opts->ops_arg, s, moment(s, step), &state, err) : 0;
        if (r < 0)
                return r;
        auto_free char *text = process_state(s, plan_string(s->plan, s->in, step, 1), state);
        if (!text)
                return error_set(err, -ENOMEM, "linux.seccomp.listenerPath: write the state");

        auto_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sockaddr_un to = { .sun_family = AF_UNIX };
        snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
        if (fd < 0 || connect(fd, (const struct sockaddr *) &to, sizeof(to)) < 0)
                return error_set(err, -errno, "linux.seccomp.listenerPath: failed to connect with seccomp agent at \"%s\"",
                                 path);
        r = send_all(fd, text, listener);
        return r < 0 ? error_set(err, r, "linux.seccomp.listenerPath: send to \"%s\"", path) : 0;
}

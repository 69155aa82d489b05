#include <errno.h>
#include <stdio.h>

#include "runtime/container_parts.h"

int handout_prepare(struct handout *out, const struct handout_paths *paths, struct spec_process *process,
                    bool foreground, struct error *err)
{
        int r = 0;
        out->pid_file = paths->pid_file;
        if (paths->pidfd_socket)
                r = console_connect(paths->pidfd_socket, "pidfd socket", &out->pidfd_socket, err);
        if (r < 0)
                return r;
        if (paths->console_socket && (!process->terminal || foreground))
                return error_say(err, -EINVAL, "cannot use console socket: %s",
                                 process->terminal ? "the process stays in the foreground, on our terminal"
                                                   : "no terminal is asked for");
        if (paths->console_socket)
                return console_connect(paths->console_socket, "console socket", &out->console_socket, err);
        if (!process->terminal)
                return 0;
        if (!foreground)
                return error_say(err, -EINVAL, "cannot allocate tty: a terminal is asked for, and nobody holds its other "
                                 "end: use --console-socket");
        r = console_open_host(&out->console, err);
        uint16_t width = 0, height = 0;
        console_host_size(&out->console, &width, &height);
        if (width && height) {
                process->console_width = width;
                process->console_height = height;
        }
        return r;
}

int handout_give(struct handout *out, struct session *s, struct error *err)
{
        int r = 0;
        if (out->console_socket >= 0)
                r = console_send_master(out->console_socket, s->console_fd, err);
        if (r == 0 && out->pidfd_socket >= 0)
                r = console_send(out->pidfd_socket, "pidfd", s->pidfd, err);
        if (r == 0 && out->pid_file)
                r = container_write_pid(out->pid_file, s->pid, err);
        if (r == 0 && out->console.host_fd >= 0)
                r = console_attach(&out->console, take_fd(&s->console_fd), err);
        return r;
}

void handout_clear(struct handout *out)
{
        console_clear(&out->console);
        fd_close(out->console_socket);
        fd_close(out->pidfd_socket);
        *out = HANDOUT_INIT;
}

void listen_env_set(struct listen_env *env, uint32_t listen_fds)
{
        *env = (struct listen_env){ 0 };
        if (listen_fds == 0)
                return;
        snprintf(env->fds, sizeof(env->fds), "LISTEN_FDS=%u", listen_fds);
        env->list[0] = env->fds;
        env->list[1] = "LISTEN_PID=1";
}

#include "launcher/holder.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"
#include "base/str.h"
#include "runtime/idmap_tool.h"
#include "syscall/sys.h"

/* Whoever looks at us through /proc finds an empty directory. */
static int leave_the_host(void)
{
        int r = sys_mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
        if (r == 0)
                r = sys_mount("none", "/proc", "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=555");
        if (r == 0)
                r = sys_chdir("/proc");
        if (r < 0)
                return r;
        /* Not possible on an initramfs or in a chroot: there the old root stays mounted, but out of reach. */
        if (sys_pivot_root(".", ".") == 0)
                (void) sys_umount(".", MNT_DETACH);
        r = sys_chroot(".");
        return r < 0 ? r : sys_chdir("/");
}

/* Bare system calls only: the launcher's memory is a copy here. */
static _Noreturn void hold(int fd, uint64_t namespaces)
{
        int32_t word = 0;
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL); /* the socket tells the same; this is quicker */
        (void) prctl(PR_SET_NAME, "berth-holder");
        /* Root in a namespace of its own must stay visible to itself: ranks open our ns files from there. */
        if (!(namespaces & CLONE_NEWUSER))
                (void) prctl(PR_SET_DUMPABLE, 0);
        struct sigaction ignore = { .sa_handler = SIG_IGN };
        (void) sigaction(SIGCHLD, &ignore, NULL); /* the kernel reaps orphans for us */
        (void) sys_setsid();
        /* The launcher's environment is not for the ranks, who may be able to read ours. */
        for (char **e = environ; *e; e++)
                memset(*e, 0, strlen(*e));

        if (sys_dup2(fd, 0) < 0 || syscall(SYS_close_range, 1u, ~0u, 0u) < 0 ||
            sys_receive(0, &word, sizeof(word)) <= 0)
                sys_exit(1);
        word = leave_the_host();
        if (sys_send(0, &word, sizeof(word)) < 0 || word < 0)
                sys_exit(1);
        while (sys_receive(0, &word, sizeof(word)) > 0)
                continue;
        sys_exit(0);
}

/* `tool`: that has to write it; NULL: we may. */
static int write_map(pid_t pid, const char *file, const char *tool, const struct spec_id_map *map, size_t n,
                     struct error *err)
{
        auto_str struct str text = STR_INIT;
        for (size_t i = 0; i < n; i++)
                str_addf(&text, "%u %u %u\n", map[i].container_id, map[i].host_id, map[i].size);
        if (str_failed(&text))
                return error_set(err, -ENOMEM, "write %s", file);
        if (tool)
                return idmap_by_tool(tool, pid, text.text, err);
        char path[64];
        snprintf(path, sizeof(path), "/proc/%d/%s", (int) pid, file);
        int r = io_write_file(AT_FDCWD, path, text.text);
        return r < 0 ? error_set(err, r, "write %s of the job's user namespace", file) : 0;
}

static int write_maps(pid_t pid, const struct spec *spec, const struct host *host, struct error *err)
{
        bool uids_by_tool = plan_maps_by_tool(host, spec->uid_map, spec->n_uid_map, host->uid);
        bool gids_by_tool = plan_maps_by_tool(host, spec->gid_map, spec->n_gid_map, host->gid);
        int r = write_map(pid, "uid_map", uids_by_tool ? "newuidmap" : NULL, spec->uid_map, spec->n_uid_map, err);
        if (r < 0)
                return r;
        if (!host->maps_ids && !gids_by_tool) { /* otherwise the kernel refuses the gid map: user_namespaces(7) */
                char path[64];
                snprintf(path, sizeof(path), "/proc/%d/setgroups", (int) pid);
                r = io_write_file(AT_FDCWD, path, "deny");
                if (r < 0)
                        return error_set(err, r, "deny setgroups in the job's user namespace");
        }
        return write_map(pid, "gid_map", gids_by_tool ? "newgidmap" : NULL, spec->gid_map, spec->n_gid_map, err);
}

static uint64_t shared_namespaces(const struct spec *spec)
{
        static const enum ns_type types[] = { NS_USER, NS_PID, NS_IPC };
        uint64_t flags = 0;
        for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
                if (spec->ns[types[i]].wanted && !spec->ns[types[i]].path)
                        flags |= ns_clone_flags[types[i]];
        return flags;
}

int holder_start(const struct spec *spec, const struct host *host, struct holder *ret, struct error *err)
{
        struct holder h = HOLDER_INIT;
        h.namespaces = shared_namespaces(spec);
        if (!h.namespaces) {
                *ret = h;
                return 0;
        }
        int pair[2];
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set(err, -errno, "create a socket for the job's namespaces");
        h.alive_fd = pair[0];
        auto_fd int theirs = pair[1];

        h.pid = sys_clone3(h.namespaces | CLONE_NEWNS, -1, &h.pidfd);
        if (h.pid == 0)
                hold(theirs, h.namespaces);
        fd_close(take_fd(&theirs));

        int32_t word = 0;
        int r = h.pid;
        if (r < 0)
                r = error_set(err, r, "make the namespaces that the ranks share");
        else if (h.namespaces & CLONE_NEWUSER)
                r = write_maps(h.pid, spec, host, err);
        if (r >= 0 && (sys_send(h.alive_fd, &word, sizeof(word)) < 0 || sys_receive(h.alive_fd, &word, sizeof(word)) <= 0))
                r = error_say(err, -ECHILD, "the holder of the job's namespaces was lost");
        else if (r >= 0 && word < 0)
                r = error_set(err, word, "take the host's files away from the holder of the job's namespaces");
        if (r < 0) {
                holder_stop(&h);
                return r;
        }
        *ret = h;
        return 0;
}

void holder_kill(const struct holder *holder)
{
        if (holder->pidfd >= 0)
                (void) sys_pidfd_kill(holder->pidfd, SIGKILL); /* already gone: as wanted */
}

void holder_stop(struct holder *holder)
{
        int code, status;
        holder_kill(holder);
        if (holder->pidfd >= 0)
                (void) sys_pidfd_wait(holder->pidfd, &code, &status); /* ours; nothing to learn from it */
        fd_close(take_fd(&holder->pidfd));
        fd_close(take_fd(&holder->alive_fd));
        *holder = HOLDER_INIT;
}

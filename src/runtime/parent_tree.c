#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "runtime/parent.h"
#include "runtime/process_ref.h"
#include "syscall/sys.h"

/* What the helper is sent for. */
struct errand {
        int pidfd, answer_fd;
        pid_t pid;
        const char *path;
        uint64_t flags;         /* enum bind_flags */
};

static int open_tree_at(const char *path, uint64_t flags)
{
        return sys_open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | (flags & BIND_RECURSIVE ? AT_RECURSIVE : 0) |
                                                     (flags & BIND_SOURCE_LINK ? AT_SYMLINK_NOFOLLOW : 0));
}

/* In the helper: paths are those of the child, which may have been born below a root that is not the namespace's. */
static int open_there(const struct errand *errand)
{
        char root[64];
        snprintf(root, sizeof(root), "/proc/%d/root", (int) errand->pid);
        int root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
        int r = root_fd < 0 ? -errno : sys_setns(errand->pidfd, CLONE_NEWNS);
        if (r >= 0)
                r = sys_fchdir(root_fd);
        if (r >= 0)
                r = sys_chroot(".");
        return r < 0 ? r : open_tree_at(errand->path, errand->flags);
}

static _Noreturn void run_errand(const struct errand *errand)
{
        (void) sys_prctl(PR_SET_PDEATHSIG, SIGKILL, 0);
        int fd = open_there(errand), code = fd < 0 ? fd : 0;
        (void) sys_send_fd(errand->answer_fd, &code, sizeof(code), fd);
        sys_exit(0);
}

static int await_answer(int fd, int *ret_tree)
{
        int code = 0, tree = -1;
        ssize_t n = sys_receive_fd(fd, &code, sizeof(code), &tree);
        if (n < 0)
                return (int) n;
        if (n != sizeof(code) || (code == 0 && tree < 0))
                return -ECHILD;
        if (code < 0)
                return code;
        *ret_tree = tree;
        return 0;
}

/*
 * A copy of a mount as the child sees it, with what it has mounted so far; the flags of what came from the host are
 * locked in it if the child is in a user namespace. Who enters a mount namespace leaves its own root and directory:
 * a helper does it.
 */
static int tree_of_child(struct session *s, const char *path, uint64_t flags)
{
        int pair[2];
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        auto_fd int ours = pair[0], its = pair[1], helper = -1;
        const struct errand errand = { .pidfd = s->pidfd, .answer_fd = its, .pid = process_of_pidfd(s->pidfd),
                                       .path = path, .flags = flags };
        uint64_t mask;
        int r = sys_block_signals(&mask), code, status, tree = -1;
        if (r < 0)
                return r;
        pid_t pid = sys_clone3(0, -1, &helper);
        if (pid == 0)
                run_errand(&errand);
        (void) sys_set_sigmask(mask);
        if (pid < 0)
                return pid;
        fd_close(take_fd(&its));
        r = await_answer(ours, &tree);
        (void) sys_pidfd_wait(helper, &code, &status);
        if (r < 0)
                return r;
        fd_close(s->tree_fd);
        s->tree_fd = tree;
        return 0;
}

/*
 * In the mount namespace of a user namespace, mounts hang together (MNT_LOCKED, mount_namespaces(7)): without those
 * below it, a mount is copied only in ours. EINVAL is said of that, too; if it was something else, we hear it again.
 */
static int find_tree(struct session *s, const char *path, uint64_t flags)
{
        int r = tree_of_child(s, path, flags);
        if (r != -EINVAL || (flags & BIND_RECURSIVE))
                return r;
        int tree = open_tree_at(path, flags);
        if (tree < 0)
                return tree;
        fd_close(s->tree_fd);
        s->tree_fd = tree;
        return 0;
}

int parent_open_tree(struct session *s, const struct step *step, struct error *err)
{
        (void) err;
        return find_tree(s, plan_string(s->plan, s->in, step, 0), step->arg[1]);
}

int parent_help_bind(struct session *s, const struct step *step, struct error *err)
{
        (void) err;
        return find_tree(s, plan_string(s->plan, s->in, step, 0), step->arg[4]);
}

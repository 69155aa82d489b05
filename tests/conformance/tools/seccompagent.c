/* seccompagent -socketfile=PATH -pid-file PATH
 * Receives seccomp user-notification fds (OCI listenerPath protocol) and serves them:
 * mkdir(p) -> mkdir(p-METADATA) done here; chmod/fchmod/fchmodat -> ENOMEDIUM; rest: continue. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>
static const char *opt(int argc, char **argv, const char *n)
{
        size_t l = strlen(n);
        for (int i = 1; i < argc; i++) {
                char *a = argv[i];
                while (*a == '-')
                        a++;
                if (strncmp(a, n, l))
                        continue;
                if (a[l] == '=')
                        return a + l + 1;
                if (!a[l] && i + 1 < argc)
                        return argv[i + 1];
        }
        return NULL;
}
/* the few JSON fields needed; a parser is not worth it for a test helper */
static void jstr(const char *j, const char *k, char *out, size_t n)
{
        char key[64];
        snprintf(key, sizeof key, "\"%s\"", k);
        const char *p = strstr(j, key);
        out[0] = 0;
        if (!p)
                return;
        p = strchr(p + strlen(key), '"');
        if (!p)
                return;
        size_t i = 0;
        for (p++; *p && *p != '"' && i + 1 < n; p++)
                out[i++] = *p;
        out[i] = 0;
}
static int fdindex(const char *j)
{
        const char *p = strstr(j, "\"fds\"");
        if (!p || !(p = strchr(p, '[')))
                return -1;
        int idx = 0;
        for (p++; *p && *p != ']'; p++) {
                if (*p != '"')
                        continue;
                const char *e = strchr(p + 1, '"');
                if (!e)
                        return -1;
                if (e - p - 1 == 9 && !strncmp(p + 1, "seccompFd", 9))
                        return idx;
                idx++;
                p = e;
        }
        return -1;
}
static void serve(int fd, const char *meta)
{
        struct seccomp_notif_sizes sz;
        if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sz))
                exit(1);
        struct seccomp_notif *q = malloc(sz.seccomp_notif + 64);
        struct seccomp_notif_resp *r = malloc(sz.seccomp_notif_resp + 64);
        for (;;) {
                struct pollfd p = { fd, POLLIN, 0 };
                if (poll(&p, 1, -1) < 0 && errno != EINTR)
                        exit(1);
                if (p.revents & (POLLHUP | POLLERR | POLLNVAL) && !(p.revents & POLLIN))
                        exit(0);
                memset(q, 0, sz.seccomp_notif);
                memset(r, 0, sz.seccomp_notif_resp);
                if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, q)) {
                        if (errno == EBADF)
                                exit(0);
                        continue;
                }
                r->id = q->id;
                r->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
                int nr = q->data.nr, x32 = nr & 0x40000000;
                (void) x32;
                if (nr == SYS_mkdir) {
                        char path[4200], mem[64], b[4096];
                        int ok = 0;
                        snprintf(mem, sizeof mem, "/proc/%u/mem", q->pid);
                        int mfd = open(mem, O_RDONLY | O_CLOEXEC);
                        ssize_t n = mfd < 0 ? -1 : pread(mfd, b, sizeof b - 1, q->data.args[0]);
                        if (mfd >= 0)
                                close(mfd);
                        if (n > 0) {
                                b[n] = 0;
                                uint64_t id = q->id;
                                if (ioctl(fd, SECCOMP_IOCTL_NOTIF_ID_VALID, &id))
                                        continue;
                                snprintf(path, sizeof path, "/proc/%u/%s/%.4000s-%s", q->pid,
                                         b[0] == '/' ? "root" : "cwd", b, meta);
                                ok = !mkdir(path, q->data.args[1]);
                        }
                        r->flags = 0;
                        if (!ok) {
                                r->error = -ENOSYS;
                                r->val = -1;
                        }
                } else if (nr == SYS_chmod || nr == SYS_fchmod || nr == SYS_fchmodat) {
                        r->flags = 0;
                        r->error = -ENOMEDIUM;
                        r->val = -1;
                }
                ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, r);
        }
}
int main(int argc, char **argv)
{
        const char *s = opt(argc, argv, "socketfile"), *pf = opt(argc, argv, "pid-file");
        if (!s)
                s = "/run/seccomp-agent.socket";
        unlink(s);
        struct sockaddr_un sa = { .sun_family = AF_UNIX };
        snprintf(sa.sun_path, sizeof sa.sun_path, "%s", s);
        int l = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (pf) {
                FILE *f = fopen(pf, "w");
                if (f) {
                        fprintf(f, "%d", getpid());
                        fclose(f);
                }
        }
        if (l < 0 || bind(l, (void *) &sa, sizeof sa) || listen(l, 16)) {
                perror(s);
                return 1;
        }
        for (;;) {
                int c = accept4(l, NULL, NULL, SOCK_CLOEXEC);
                if (c < 0)
                        continue;
                char b[65536];
                union {
                        struct cmsghdr h;
                        char b[CMSG_SPACE(sizeof(int) * 8)];
                } u;
                struct iovec io = { b, sizeof b - 1 };
                struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = sizeof u };
                ssize_t n = recvmsg(c, &m, MSG_CMSG_CLOEXEC);
                close(c);
                struct cmsghdr *h = n > 0 ? CMSG_FIRSTHDR(&m) : NULL;
                if (!h || h->cmsg_type != SCM_RIGHTS)
                        continue;
                b[n] = 0;
                int nf = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int), *f = (int *) CMSG_DATA(h), idx = fdindex(b);
                char meta[256];
                jstr(b, "metadata", meta, sizeof meta);
                if (strchr(meta, '/') || !*meta)
                        strcpy(meta, "agent-generated-suffix");
                for (int i = 0; i < nf; i++)
                        if (i != idx)
                                close(f[i]);
                if (idx < 0 || idx >= nf) {
                        fprintf(stderr, "seccompagent: no seccompFd in %s\n", b);
                        continue;
                }

                fprintf(stderr, "seccompagent: serving, metadata %s\n", meta);
                pid_t p = fork();
                if (p == 0) {
                        close(l);
                        /* die with the parent, so that killing the agent closes the listener fd */

                        prctl(PR_SET_PDEATHSIG, SIGKILL);
                        serve(f[idx], meta);
                }
                close(f[idx]);
        }
}

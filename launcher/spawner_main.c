#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "launcher/spawner.h"
#include "plan/plan_share.h"
#include "runtime/session.h"
#include "syscall/sys.h"

/* How many variables an instance may bring: PMIx has about 20. */
#define ENV_ROOM 256

/* What instances are made from. */
struct sheet {
        struct plan_map map;
        struct words words;
};

struct shop {
        const struct spawner_job *job;
        struct sheet *sheet;    /* by number */
        size_t n_sheets, most_env;
        const char **envp;      /* of the instance in work */
        char home[INSTANCE_HOME_SIZE];
        struct cgroup cgroup;   /* where we and the instances are */
        void *stack;            /* of the child that is being born; NULL: it gets a copy of our memory */
};

static int map_words(int fd, struct words *ret)
{
        struct stat st;
        if (fstat(fd, &st) < 0)
                return -errno;
        void *at = mmap(NULL, (size_t) st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (at == MAP_FAILED)
                return -errno;
        return words_open(at, (size_t) st.st_size, ENV_ROOM, ret); /* mapped for as long as this process lives */
}

/* A process with one thread moves itself at little cost; to be moved takes the kernel milliseconds. */
static int enter_cgroup(struct shop *shop, const char *cgroup, struct error *err)
{
        if (!*cgroup)
                return 0;
        int r = cgroup_open(&shop->job->host->cgroups, cgroup, &shop->cgroup, err);
        if (r == 0)
                r = cgroup_enter(&shop->cgroup, 0, false, err);
        return r < 0 ? error_wrap(err, "enter the job's cgroup") : 0;
}

static int take_pattern(struct shop *shop, const int fds[3], const struct pattern_record *record, struct error *err)
{
        struct sheet *grown = reallocarray(shop->sheet, shop->n_sheets + 1, sizeof(*grown));
        if (!grown)
                return error_set(err, -ENOMEM, "make room for the plan");
        shop->sheet = grown;
        struct sheet *sheet = &grown[shop->n_sheets];
        *sheet = (struct sheet){ .map = PLAN_MAP_INIT };
        int r = record->number == shop->n_sheets ? 0 : error_say(err, -EPROTO, "a plan that makes no sense");
        if (r == 0)
                r = plan_map_fd(fds[0], &sheet->map, err);
        if (r == 0 && shop->n_sheets == 0)
                r = enter_cgroup(shop, record->cgroup, err);
        if (r < 0)
                return r;
        r = map_words(fds[1], &sheet->words);
        if (r < 0)
                return error_set(err, r, "map the words of the pattern");
        shop->n_sheets++;
        if (shop->envp && sheet->words.n_env <= shop->most_env)
                return 0;
        free(shop->envp);
        shop->most_env = sheet->words.n_env;
        shop->envp = calloc(shop->most_env + ENV_ROOM + 1, sizeof(*shop->envp));
        return shop->envp ? 0 : error_set(err, -ENOMEM, "make room for an environment");
}

/* At the place of the first of its name, else at the end. False: no room. */
static bool put(const char **envp, size_t *n, size_t room, const char *entry)
{
        size_t key = strcspn(entry, "="), i = 0;
        while (i < *n && (strncmp(envp[i], entry, key) != 0 || envp[i][key] != entry[key]))
                i++;
        if (i >= room)
                return false;
        envp[i] = entry;
        *n += i == *n;
        return true;
}

/* The pattern's variables, with those of the instance in their place or behind. */
static int make_env(struct shop *shop, const struct words *words, const struct plan_bytes *more, struct instance *in, struct error *err)
{
        size_t n = words->n_env, room = n + ENV_ROOM;
        memcpy(shop->envp, words->envp, n * sizeof(*shop->envp));
        const char *end = (const char *) more->data + more->size;
        for (const char *p = more->data; p < end; p += strlen(p) + 1)
                if (!put(shop->envp, &n, room - 1, p))
                        return error_say(err, -E2BIG, "more than %d variables of its own", ENV_ROOM);
        shop->envp[n] = NULL;
        const char *home = strv_env(shop->envp, "HOME");
        if (!home || !*home) {
                memcpy(shop->home, "HOME=/", sizeof("HOME=/"));
                (void) put(shop->envp, &n, room, shop->home); /* its room was kept */
                shop->envp[n] = NULL;
                in->home = shop->home;
        }
        in->argv = words->argv;
        in->envp = shop->envp;
        return 0;
}

/*
 * What no instance may have, none of them has to drop one by one (40 calls) if it is born without. But programs that we
 * run ourselves, hooks, would lack it, too.
 */
static void drop_bounding(const struct shop *shop)
{
        uint64_t keep = 0;
        for (unsigned kind = 0; kind < HOOK_KINDS; kind++)
                if (shop->job->spec->hooks[kind].n > 0)
                        return;
        for (size_t i = 0; i < shop->n_sheets; i++) {
                const struct plan *plan = &shop->sheet[i].map.plan;
                for (size_t k = 0; k < plan->n_steps; k++) {
                        if (plan->steps[k].op == STEP_HOOK)
                                return;
                        if (plan->steps[k].op == STEP_DROP_BOUNDING)
                                keep |= plan->steps[k].arg[0];
                }
        }
        (void) sys_drop_bounding(keep); /* what is left, instances drop */
}

static uint64_t now_ns(void)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t) t.tv_sec * 1000000000u + (uint64_t) t.tv_nsec;
}

static void start(struct shop *shop, int fd, const struct request *q, const int stdio[3], struct reply *reply, int *ret_pidfd)
{
        struct error err = ERROR_INIT;
        struct instance in = INSTANCE_INIT;
        for (size_t i = 0; i < SLOT_COUNT; i++)
                in.slot[i] = q->slot[i];
        for (size_t i = 0; i < 3; i++)
                in.fd[i] = stdio[i];

        /* Our socket hangs up when the launcher goes: that is what the child looks at. */
        static const struct session_ops ops = { .hook_state = spawner_hook_state,
                                                .hook_place = spawner_hook_place };
        struct spawner_rank rank = { shop->job, q->rank };
        struct session_options options = { .host = shop->job->host, .for_grandparent = true, .listen_fd = -1,
                                           .alive_fd = fd, .ops = &ops, .ops_arg = &rank,
                                           .stack = shop->stack };
        auto_session struct session s = SESSION_INIT;
        const struct sheet *sheet = q->pattern < shop->n_sheets ? &shop->sheet[q->pattern] : NULL;
        int r = sheet ? make_env(shop, &sheet->words, &q->env, &in, &err) : error_say(&err, -EPROTO, "there is no such plan");
        if (r == 0)
                r = session_start(&s, &sheet->map.plan, &in, &options, &err);
        reply->started_ns = now_ns();
        reply->code = r;
        reply->first_pid = s.first_pid;
        if (r < 0)
                snprintf(reply->text, sizeof(reply->text), "%s", err.text);
        /* A failed child is the launcher's to reap. */
        if (s.pidfd >= 0) {
                reply->pid = s.pid;
                *ret_pidfd = take_fd(&s.pidfd);
        }
        session_release(&s);
}

/* One record with at most three descriptors. 0: the launcher is gone, or has nothing more to do. */
static ssize_t receive(int fd, void *buf, size_t size, int fds[3])
{
        union {
                char space[CMSG_SPACE(3 * sizeof(int))];
                struct cmsghdr align;
        } control;
        struct iovec iov = { buf, size };
        struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.space,
                              .msg_controllen = sizeof(control.space) };
        ssize_t n;
        do
                n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
        while (n < 0 && errno == EINTR);
        fds[0] = fds[1] = fds[2] = -1;
        for (struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL; c; c = CMSG_NXTHDR(&msg, c))
                if (c->cmsg_type == SCM_RIGHTS)
                        memcpy(fds, CMSG_DATA(c), c->cmsg_len - CMSG_LEN(0));
        return n;
}

static bool answer(int fd, const struct reply *reply, int pidfd)
{
        union {
                char space[CMSG_SPACE(sizeof(int))];
                struct cmsghdr align;
        } control = { 0 };
        struct iovec iov = { (void *) (uintptr_t) reply, reply_size(reply) };
        struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };
        if (pidfd >= 0) {
                msg.msg_control = control.space;
                msg.msg_controllen = sizeof(control.space);
                struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
                c->cmsg_level = SOL_SOCKET;
                c->cmsg_type = SCM_RIGHTS;
                c->cmsg_len = CMSG_LEN(sizeof(int));
                memcpy(CMSG_DATA(c), &pidfd, sizeof(int));
        }
        return sendmsg(fd, &msg, MSG_NOSIGNAL) >= 0;
}

_Noreturn void spawner_main(int fd, const struct spawner_job *job)
{
        struct shop shop = { .job = job, .cgroup = CGROUP_INIT,
                             .stack = aligned_alloc(16, SESSION_STACK_SIZE) };
        struct error bad = ERROR_INIT;
        uint64_t buf[RECORD_MAX / sizeof(uint64_t)];
        bool begun = false;

        for (;;) {
                int fds[3];
                ssize_t n = receive(fd, buf, sizeof(buf), fds);
                if (n <= 0)
                        _exit(0);
                auto_fd int in = fds[0], out = fds[1], err = fds[2];
                auto_fd int pidfd = -1;
                struct request request = { 0 };
                const struct pattern_record *pattern = (const void *) buf;
                if (n == sizeof(*pattern) && pattern->kind == RECORD_PATTERN) {
                        (void) take_pattern(&shop, fds, pattern, &bad); /* told with the first rank */
                        continue;
                }
                const struct stopped_record *stopped = (const void *) buf;
                if (n == sizeof(*stopped) && stopped->kind == RECORD_STOPPED) {
                        spawner_poststop(job, stopped->rank);
                        continue;
                }
                struct reply reply = { .pid = -1 };
                if (bad.code == 0 && request_decode(buf, (size_t) n, &request) < 0)
                        (void) error_say(&bad, -EPROTO, "a request that makes no sense"); /* kept in bad */
                reply.rank = request.rank;
                reply.code = bad.code;
                snprintf(reply.text, sizeof(reply.text), "%s", bad.text);
                if (!begun) /* all patterns come before the first request */
                        drop_bounding(&shop);
                begun = true;
                if (bad.code == 0)
                        start(&shop, fd, &request, (const int[]){ in, out, err }, &reply, &pidfd);
                if (!answer(fd, &reply, pidfd))
                        _exit(1);
        }
}

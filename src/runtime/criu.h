#pragma once
/*
 * criu - the process `criu swrk`, which does one thing for us and ends.
 *
 * It is found in PATH and talks over a socket that it inherits (criu_rpc.h). One
 * process serves one request:
 *
 *      auto_criu struct criu criu = CRIU_INIT;
 *      criu_start(&criu, &(struct criu_start){ .stdio = true }, &err);
 *      criu_ask(&criu, &request, notify, arg, &response, &err);
 *      criu_end(&criu, &err);                  // it ended well
 *
 * A criu that is cleared early sees its socket hang up, undoes what it did, and is
 * waited for; one that was asked nothing yet is killed, it would only complain.
 */

#include "base/cleanup.h"
#include "runtime/criu_rpc.h"

struct criu {
        pid_t pid;
        int pidfd;              /* -1: none */
        int fd;                 /* our end of the socket */
        bool asked;
};

#define CRIU_INIT ((struct criu){ .pid = -1, .pidfd = -1, .fd = -1 })

/* Where a descriptor of `fds` is in criu: behind the standard streams and the socket. */
#define CRIU_FIRST_FD 4

struct criu_start {
        bool stdio;             /* our standard streams; else /dev/null */
        const int *fds;         /* become CRIU_FIRST_FD, ... */
        size_t n_fds;
};

/* -ENOENT: there is no criu in PATH. Returns when it has been executed. */
int criu_start(struct criu *criu, const struct criu_start *how, struct error *err) MUST_CHECK;

/*
 * What criu tells on the way; it waits for us. `fd`: what came along, -1 if nothing; borrowed. A negative errno
 * ends the request.
 */
typedef int criu_notify(void *arg, const struct criu_response *told, int fd, struct error *err);

/*
 * Send a request and wait for its response. Notifications go to `notify` (NULL: none of interest). 0: it is in
 * `*ret`, and may be of failure.
 */
int criu_ask(struct criu *criu, const struct str *request, criu_notify *notify, void *arg,
             struct criu_response *ret, struct error *err) MUST_CHECK;

/* Hang up, and wait for its end. -ECHILD if it did not end with status 0. */
int criu_end(struct criu *criu, struct error *err) MUST_CHECK;

void criu_clear(struct criu *criu);
static inline void criu_clear_p(struct criu *criu) { criu_clear(criu); }
#define auto_criu CLEANUP(criu_clear)

/* Which criu this is: 31701 is 3.17.1. */
int criu_version(unsigned *ret, struct error *err) MUST_CHECK;

/* -EOPNOTSUPP if criu or the kernel cannot do it; `what` is the noun for the sentence. */
int criu_require(enum criu_feature feature, const char *what, struct error *err) MUST_CHECK;

/*
 * The sentence for a request that failed: what criu says itself, else the first error in its log `dir`/`name`.
 * Returns -ECANCELED.
 */
int criu_explain(const struct criu_response *response, const char *doing, const char *dir, const char *name,
                 struct error *err);

#pragma once
/*
 * notify - a container tells the manager of services that it is ready (sd_notify(3)).
 *
 * The manager gave us $NOTIFY_SOCKET and believes only processes of its unit. The
 * container gets a socket of ours, notify/notify.sock in its entry, as
 * /run/notify/notify.sock; when READY=1 comes there, the manager is told, and which
 * process the service is: the container's, or who stays in the foreground for it.
 * Other messages are not passed on. All as runc does it.
 */

#include "base/cleanup.h"
#include "base/error.h"
#include "base/log.h"
#include "spec/spec.h"

struct notify {
        const char *host;       /* $NOTIFY_SOCKET: a path, or "@" and an abstract name; NULL or "": nobody wants to know */
        int fd;                 /* our socket; -1: none */
        bool ready;             /* it has said so */
        const struct log *log;
        struct error failed;    /* the manager could not be told; code 0: it could, or was not yet */
};

#define NOTIFY_INIT ((struct notify){ .fd = -1 })

/* Its mount and its variable, in the spec of a container that is going to be made. */
int notify_offer(const struct notify *notify, int root_fd, const char *id, struct spec *spec, struct error *err) MUST_CHECK;

/* The directory in the entry; what is mounted has to be there. */
int notify_make(const struct notify *notify, int dir_fd, struct error *err) MUST_CHECK;

/* The socket, before the process begins. Without the directory nothing happens: the container was made without. */
int notify_listen(struct notify *notify, int dir_fd, struct error *err) MUST_CHECK;

/*
 * Take one message. The first that says so: tell that the service is ready, and that `pid` is it. Later ones are taken, too:
 * who sends them would wait, or fail.
 */
void notify_hear(struct notify *notify, pid_t pid);

/* Until the container's process is ready, or has ended; and until the manager has heard it, as we are going to end. */
void notify_wait(struct notify *notify, int pidfd, pid_t pid);

void notify_clear(struct notify *notify);
static inline void notify_clear_p(struct notify *notify) { notify_clear(notify); }
#define auto_notify CLEANUP(notify_clear)

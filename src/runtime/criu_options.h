#pragma once
/* criu_options - what checkpoint and restore have in common. For runtime/checkpoint.c and restore.c only. */

#include <stdbool.h>
#include <stdint.h>

#include "runtime/criu_rpc.h"
#include "spec/spec.h"

struct criu_options {
        const char *image_path;         /* absolute */
        const char *work_path;          /* absolute, for the log; NULL: the image path */
        bool tcp_established, tcp_close, ext_unix_sk, shell_job, file_locks, auto_dedup, lazy_pages;
        enum criu_cgroup_mode cgroup_mode;
        enum criu_network_lock network_lock;
};

/* The directories, open. */
struct criu_dirs {
        int image_fd, work_fd;          /* work_fd -1: it is the image directory */
        const char *log_path;           /* borrowed from the options */
};
#define CRIU_DIRS_INIT ((struct criu_dirs){ .image_fd = -1, .work_fd = -1 })
/* `create`: the image directory, with its parents; the work directory is made in any case. Mode 0700. */
int criu_dirs_open(const struct criu_options *options, bool create, struct criu_dirs *ret, struct error *err) MUST_CHECK;
void criu_dirs_clear(struct criu_dirs *dirs);
static inline void criu_dirs_clear_p(struct criu_dirs *dirs) { criu_dirs_clear(dirs); }
#define auto_criu_dirs CLEANUP(criu_dirs_clear)

/* Into the options of a request. `log`: name of the log file. */
void criu_put_common(struct str *opts, const struct criu_options *options, const struct criu_dirs *dirs,
                     const char *log);

/*
 * criu's own configuration file, which wins over what we say: the annotation
 * org.criu.config names it; with an empty value there is none. Without,
 * /etc/criu/runc.conf, as administrators of runc know it. A file that is not there
 * is none.
 */
void criu_put_config(struct str *opts, const struct spec *spec);

/* How criu calls namespaces: "net", "mnt", ... */
extern const char *const criu_ns_names[NS_TYPES];

/* The name of a namespace that is not criu's business but the config's, in images; NULL for those it makes itself. */
const char *criu_external_ns(const struct spec *spec, enum ns_type type);

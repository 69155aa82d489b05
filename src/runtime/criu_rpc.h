#pragma once
/*
 * criu_rpc - the messages of criu's RPC: requests to bytes, bytes to responses. Pure.
 *
 * Options are fields of one message, written with criu_pb.h by who wants them:
 *
 *      auto_str struct str opts = STR_INIT, request = STR_INIT;
 *      pb_number(&opts, CRIU_LEAVE_RUNNING, true);
 *      criu_request(CRIU_DUMP, &opts, &request);
 *
 * Source of all numbers: images/rpc.proto of criu 4.2; those that older ones do
 * not know they skip, as protobuf does.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "runtime/criu_pb.h"

/* enum criu_req_type */
enum criu_type {
        CRIU_EMPTY = 0, CRIU_DUMP = 1, CRIU_RESTORE = 2, CRIU_PRE_DUMP = 4, CRIU_NOTIFY = 6,
        CRIU_FEATURE_CHECK = 9, CRIU_VERSION = 10,
};

/* Fields of message criu_opts. */
enum criu_option {
        CRIU_IMAGES_DIR_FD = 1,         /* descriptors: ours, criu opens them through /proc */
        CRIU_PID = 2,
        CRIU_LEAVE_RUNNING = 3,
        CRIU_EXT_UNIX_SK = 4,
        CRIU_TCP_ESTABLISHED = 5,
        CRIU_EVASIVE_DEVICES = 6,
        CRIU_SHELL_JOB = 7,
        CRIU_FILE_LOCKS = 8,
        CRIU_LOG_LEVEL = 9,
        CRIU_LOG_FILE = 10,             /* a name in the work directory */
        CRIU_PAGE_SERVER = 11,          /* message: see criu_opt_page_server() */
        CRIU_NOTIFY_SCRIPTS = 12,
        CRIU_ROOT = 13,
        CRIU_PARENT_IMG = 14,
        CRIU_TRACK_MEM = 15,
        CRIU_AUTO_DEDUP = 16,
        CRIU_WORK_DIR_FD = 17,
        CRIU_LINK_REMAP = 18,
        CRIU_EXT_MNT = 23,              /* pairs: criu_opt_pair() */
        CRIU_MANAGE_CGROUPS = 24,
        CRIU_CG_ROOT = 25,
        CRIU_RST_SIBLING = 26,
        CRIU_INHERIT_FD = 27,           /* criu_opt_fd(); the descriptor's number in criu */
        CRIU_MANAGE_CGROUPS_MODE = 34,
        CRIU_EXTERNAL = 37,
        CRIU_EMPTY_NS = 38,
        CRIU_JOIN_NS = 39,
        CRIU_FREEZE_CGROUP = 44,
        CRIU_TCP_SKIP_IN_FLIGHT = 46,
        CRIU_LAZY_PAGES = 48,
        CRIU_STATUS_FD = 49,
        CRIU_ORPHAN_PTS_MASTER = 50,
        CRIU_CONFIG_FILE = 51,
        CRIU_TCP_CLOSE = 52,
        CRIU_LSM_PROFILE = 53,
        CRIU_LSM_MOUNT_CONTEXT = 63,
        CRIU_NETWORK_LOCK = 64,
};

/* enum criu_cg_mode; the words of --manage-cgroups-mode. */
enum criu_cgroup_mode { CRIU_CGROUP_IGNORE = 0, CRIU_CGROUP_SOFT = 3, CRIU_CGROUP_FULL = 4, CRIU_CGROUP_STRICT = 5,
                        CRIU_CGROUP_DEFAULT = 6 };

/* enum criu_network_lock_method; 0: not said */
enum criu_network_lock { CRIU_LOCK_UNSAID = 0, CRIU_LOCK_IPTABLES = 1, CRIU_LOCK_NFTABLES = 2, CRIU_LOCK_SKIP = 3 };

/* The messages of two texts: ext_mount_map, cgroup_root, join_namespace. */
void criu_opt_pair(struct str *opts, enum criu_option field, const char *first, const char *second);
void criu_opt_fd(struct str *opts, const char *key, int fd);
void criu_opt_page_server(struct str *opts, const char *address, uint32_t port);

/* Whole requests. The failure of `opts` (NULL: none) is passed on to `ret`. */
void criu_request(enum criu_type type, const struct str *opts, struct str *ret);
/* Ask whether criu and kernel can do it. */
enum criu_feature { CRIU_MEM_TRACK = 1, CRIU_CAN_LAZY_PAGES = 2 };
void criu_request_feature(enum criu_feature feature, struct str *ret);
/* The answer to a notification. */
void criu_request_go_on(struct str *ret);

#define CRIU_SCRIPT_MAX 64
#define CRIU_ERRMSG_MAX 400

struct criu_response {
        enum criu_type type;
        bool success;
        int cr_errno;                   /* 0: not said */
        char errmsg[CRIU_ERRMSG_MAX];   /* one line; "" if criu is older than 3.12, or does not say */
        char script[CRIU_SCRIPT_MAX];   /* of a notification */
        pid_t pid;                      /* of a notification or a restore; 0: none */
        bool has_feature[3];            /* by enum criu_feature */
        unsigned version;               /* 31701: 3.17.1 */
};

/* -EBADMSG: this is no response. Unknown fields are skipped. */
int criu_response_parse(const void *data, size_t size, struct criu_response *ret) MUST_CHECK;

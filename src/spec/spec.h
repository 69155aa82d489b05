#pragma once
/*
 * spec - what config.json asks for, as plain typed data.
 *
 * One struct per object of the OCI runtime specification 1.3.0 (config.md,
 * config-linux.md). Reading is done by spec/read.h; nothing here has behaviour.
 * All memory belongs to the spec's arena: strings and arrays are released by
 * spec_free() and never alone. Edits (a launcher's, CDI's) allocate from the
 * same arena.
 *
 * Invariants after spec_read():
 * 1. A pointer to an array is NULL exactly if its count is 0; string vectors
 *    (args, env) are NULL-terminated and may be NULL.
 * 2. Optional numbers have a `has_` bit or a documented "not given" value.
 * 3. Properties that are known but not yet supported were refused by name:
 *    a spec never silently lacks what its config asked for.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "spec/resources.h"
#include "spec/spec_scheduling.h"

/* ---- process (config.md#process) ---- */

struct spec_rlimit {
        int resource;           /* RLIMIT_* */
        uint64_t soft, hard;    /* UINT64_MAX: infinity; INT64_MAX is read as that, Slurm clamps */
};

enum cap_set { CAPS_BOUNDING, CAPS_EFFECTIVE, CAPS_INHERITABLE, CAPS_PERMITTED, CAPS_AMBIENT, CAP_SETS };

struct spec_user {
        uint32_t uid, gid;
        bool has_umask;
        uint32_t umask;
        const uint32_t *groups; /* additionalGids */
        size_t n_groups;
};

struct spec_process {
        bool terminal;
        uint16_t console_width, console_height; /* 0: not given */
        struct spec_user user;
        const char **args;
        const char **env;
        const char *cwd;                /* absolute */
        bool has_capabilities;
        uint64_t caps[CAP_SETS];        /* bit n: capability n */
        const char **caps_ignored;      /* names that no table knows, to warn about; NULL: none */
        const struct spec_rlimit *rlimits;
        size_t n_rlimits;
        bool no_new_privileges;
        bool has_oom_score_adj;
        int oom_score_adj;
        const char *apparmor, *selinux; /* profile, label; NULL: not given */
        struct spec_scheduler scheduler;
        struct spec_io_priority io_priority;
        struct spec_exec_affinity exec_affinity;
};

/* ---- root, mounts (config.md#root, #mounts) ---- */

struct spec_root {
        const char *path;       /* as written; relative to the bundle */
        bool readonly;
};

struct spec_id_map {
        uint32_t container_id, host_id, size;
};

/* Whose files appear as whose: idmap, ridmap. */
enum spec_idmap { IDMAP_NONE, IDMAP_MOUNT, IDMAP_RECURSIVE };

struct spec_mount {
        const char *destination;        /* absolute after reading, lexically clean */
        const char *type;               /* NULL for binds without a type */
        const char *source;             /* NULL if not given */
        bool bind, rbind;               /* rbind implies bind */
        uint64_t attr_set, attr_clear;  /* MOUNT_ATTR_* (linux/mount.h) of this mount */
        bool attr_named;                /* a word said something about them, if only "atime" */
        uint64_t rec_set, rec_clear;    /* the same, recursively: rro, rnosuid, ... */
        unsigned long propagation;      /* MS_SHARED, .. with MS_REC: the last one given; 0: not given */
        unsigned long sb_flags;         /* MS_SYNCHRONOUS, _DIRSYNC, _MANDLOCK, _LAZYTIME, _I_VERSION, _SILENT */
        bool copy_up;                   /* tmpcopyup: a tmpfs begins with what it covers */
        enum spec_idmap idmap;
        const struct spec_id_map *uid_map, *gid_map;    /* none: those of the container's user namespace */
        size_t n_uid_map, n_gid_map;
        bool uids_relative, gids_relative;      /* their host ids are those of the container's user namespace */
        bool source_nofollow, destination_nofollow; /* a link is mounted itself, or is what is mounted on */
        bool copy_symlink;              /* a source that is a link becomes one like it, without a mount */
        const char *data;               /* what the file system itself parses: "mode=755,size=64k"; "" if none */
};

/* ---- hooks (config.md#posix-platform-hooks), in the order they run ---- */

enum hook_kind {
        HOOK_PRESTART, HOOK_CREATE_RUNTIME, HOOK_CREATE_CONTAINER, HOOK_START_CONTAINER,
        HOOK_POSTSTART, HOOK_POSTSTOP, HOOK_KINDS
};

struct spec_hook {
        const char *path;       /* absolute */
        const char **args;      /* NULL: just the path */
        bool has_env;           /* given, if only as []; else it inherits ours */
        const char **env;       /* NULL: empty */
        uint32_t timeout;       /* seconds; 0: none */
};

struct spec_hooks {
        const struct spec_hook *list;
        size_t n;
};

/* ---- linux (config-linux.md) ---- */

enum ns_type { NS_USER, NS_PID, NS_MOUNT, NS_UTS, NS_IPC, NS_NETWORK, NS_CGROUP, NS_TIME, NS_TYPES };

struct spec_namespace {
        bool wanted;            /* false: share the caller's */
        const char *path;       /* join this one; NULL: a new one */
};

struct spec_device {
        char type;              /* 'c', 'u' (same), 'b' or 'p' */
        const char *path;       /* absolute, inside the container */
        uint32_t major, minor;
        bool has_mode;
        mode_t mode;            /* permission bits */
        uint32_t uid, gid;
};

struct spec_sysctl {
        const char *key;        /* as written; sysctl_path() in spec/sysctl.h makes it a path */
        const char *value;
};

enum seccomp_op {
        SECCOMP_NE, SECCOMP_LT, SECCOMP_LE, SECCOMP_EQ, SECCOMP_GE, SECCOMP_GT, SECCOMP_MASKED_EQ
};

struct spec_seccomp_arg {
        uint32_t index;
        uint64_t value, value_two;
        enum seccomp_op op;
};

struct spec_seccomp_rule {
        const char **names;
        uint32_t action;        /* SECCOMP_RET_* with data (errno, trace number) in the low 16 bits */
        const struct spec_seccomp_arg *args;
        size_t n_args;
};

#define SPEC_FILTER_WAIT_KILLABLE (1u << 5)     /* SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, Linux 5.19 */

struct spec_seccomp {
        bool wanted;
        uint32_t default_action;        /* like spec_seccomp_rule.action */
        const char **architectures;     /* "SCMP_ARCH_X86_64", ...; NULL: the native one */
        uint64_t flags;                 /* SECCOMP_FILTER_FLAG_* */
        bool fail_unknown;              /* a name that no kernel knows is an error, not left out */
        bool notifies;                  /* some rule asks a listener */
        bool notifies_sendmsg;          /* ... about sendmsg(2) */
        const char *listener_path, *listener_metadata;  /* NULL: not given */
        const struct spec_seccomp_rule *rules;
        size_t n_rules;
};

/* Clocks of a new time namespace, relative to the host's. */
struct spec_clock {
        bool given;
        int64_t secs;
        uint32_t nanosecs;
};

/* Moved into the container's network namespace. */
struct spec_net_device {
        const char *device;     /* as it is called here */
        const char *name;       /* as it will be called there; may have one "%d" */
};

struct spec_annotation {
        const char *key, *value;
};

/* The value of a key; NULL if there is none. */
const char *spec_annotation(const struct spec_annotation *list, size_t n, const char *key);
/* Whether it is there and says neither "0" nor "false". */
bool spec_annotation_on(const struct spec_annotation *list, size_t n, const char *key);

struct spec {
        struct arena *arena;            /* owns everything below */
        const char *oci_version;
        bool has_process;
        struct spec_process process;
        struct spec_root root;
        const char *hostname, *domainname;      /* NULL: not given */
        struct spec_mount *mounts;
        size_t n_mounts;
        struct spec_hooks hooks[HOOK_KINDS];
        const struct spec_annotation *annotations;
        size_t n_annotations;

        struct spec_namespace ns[NS_TYPES];
        const struct spec_id_map *uid_map, *gid_map;
        size_t n_uid_map, n_gid_map;
        const struct spec_device *devices;
        size_t n_devices;
        const char *cgroups_path;               /* lexically clean; NULL: beside or below the caller's */
        struct resources resources;
        struct rdt rdt;
        unsigned long rootfs_propagation;       /* MS_* | MS_REC; 0: not given */
        const struct spec_sysctl *sysctl;
        size_t n_sysctl;
        const char **masked_paths, **readonly_paths;
        struct spec_seccomp seccomp;
        const struct spec_net_device *net_devices;
        size_t n_net_devices;
        const char *mount_label;                /* NULL: not given */
        bool linux32;                           /* personality */
        struct spec_memory_policy memory_policy;
        struct spec_clock monotonic, boottime;  /* timeOffsets */
};

/* "pid", "network", ...: the words of config.json, by enum ns_type. */
extern const char *const ns_names[NS_TYPES];
/* CLONE_NEW* by enum ns_type. */
extern const uint64_t ns_clone_flags[NS_TYPES];
/* "prestart", "createRuntime", ... by enum hook_kind. */
extern const char *const hook_names[HOOK_KINDS];

void spec_free(struct spec *spec);
CLEANUP_DEFINE(struct spec *, spec_free)
#define auto_spec CLEANUP(spec_free)

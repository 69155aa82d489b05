#pragma once
/*
 * step - the words a plan is written in.
 *
 * A plan is one list. Every entry is done either by the parent (outside the
 * container) or by the child (inside it). Where the list changes sides the two
 * processes meet: that is all the synchronisation there is. Nobody sends
 * "ready" or "go" by hand. Only a step beside the child's meets nobody.
 *
 * To add a step: name it here, describe it in step.c, compile it in one of
 * plan/compile_*.c, execute it in child/step_*.c or runtime/parent_*.c.
 * A test complains until all four are there.
 */

#include <stdint.h>

enum lane {
        LANE_PARENT,
        LANE_CHILD,
        LANE_BESIDE,            /* the parent's, while the child goes on: nobody waits */
};

enum step_op {
        /* parent, before the child exists */
        STEP_RESCTRL_OPEN,      /* class, 1: made if it is not there */
        STEP_RESCTRL_WRITE,     /* line of schemata, 1: a class that was there has to have it */
        STEP_RESCTRL_MONITOR,   /* name in mon_groups */
        STEP_CGROUP_CREATE,     /* path, hierarchies, those of them that may be out of reach */
        STEP_CGROUP_WRITE,      /* controller, file, text */
        STEP_CGROUP_DEVICES,    /* BPF instructions (v2) */
        STEP_CGROUP_ENTRANCES,  /* first of n descriptor slots, n, 1: all but v2 */
        STEP_UNIT_START,        /* after the clone: unit of systemd, its properties, 1: of the user's systemd */
        STEP_UNIT_ATTACH,       /* ... of a further process: unit, 1: of the user's systemd */
        STEP_CGROUP_OWNER,      /* uid: of the v2 directory and what of it may be delegated */
        STEP_JOIN_AROUND,       /* namespace, path: joined by the parent for the time of the clone */
        STEP_JOIN_PID_OF,       /* pidfd slot: as JOIN_AROUND, the pid namespace of a process */
        STEP_DEVICE_STORE,      /* fd slot: a detached tmpfs for device nodes, made with privilege on the host */
        STEP_STORE_DEVICE,      /* fd slot, name in it, mode with type, dev_t, uid, gid (of the host) */
        STEP_RUN_ON_CPUS,       /* mask: we and what we clone; for exec */
        STEP_HOOK_FILES,        /* first fd slot of two: for the state and the output of the hooks that the child runs */
        STEP_CLONE,             /* flags */

        /* parent, beside the child */
        STEP_RESCTRL_ENTER,     /* the child, into the class that is open */
        STEP_WRITE_UID_MAP,     /* text of the map */
        STEP_DENY_SETGROUPS,
        STEP_WRITE_GID_MAP,     /* text of the map */
        STEP_MAP_BY_TOOL,       /* newuidmap or newgidmap, text of the map */
        STEP_SET_OOM_SCORE,     /* value */
        STEP_SET_RLIMIT,        /* resource, soft, hard: where the child may not raise them itself */
        STEP_SET_SCHEDULER,     /* policy, nice, priority, flags, { runtime, deadline, period } or nothing */
        STEP_SET_IO_PRIORITY,   /* class, level */
        STEP_OPEN_TREE,         /* path, enum bind_flags: a detached copy of a mount as the child sees it, which it is given */
        STEP_MAP_TREE,          /* uid map, gid map, or path of a user namespace, recursive, destination: of that copy */
        STEP_WRITE_STATE,       /* enum plan_state */
        STEP_STATE_AHEAD,       /* beside the child: all that the last write-state has to say, but that it is so */
        STEP_MOVE_NET_DEVICE,   /* device, its name in the container */
        STEP_SEND_LISTENER,     /* path of a socket, metadata: the seccomp listener that the child sent, to its agent */
        STEP_HOOK_STATE,        /* first fd slot of two: what the hooks that the child runs are told */
        STEP_HOOK,              /* kind, path, argv, env, timeout, its place in the list, 1: no env of its own */

        /* child, namespaces and identity */
        STEP_RESET_SIGNALS,     /* nothing is caught, ignored or blocked */
        STEP_SET_PERSONALITY,   /* PER_* */
        STEP_OWN_STDIO,         /* uid, gid: pipes and files that are fd 0, 1, 2 become the user's */
        STEP_KEEP_FDS,          /* n: from descriptor n on, all are closed that no step needs */
        STEP_NEW_SESSION,
        STEP_CGROUP_ENTER,      /* first descriptor slot, n */
        STEP_KEEP_CPUS,         /* where whoever cloned us ran, as far as the new cgroup's cpuset has it */
        STEP_JOIN,              /* namespace, path */
        STEP_JOIN_PROCESS,      /* pidfd slot, CLONE_NEW* flags */
        STEP_BECOME_ROOT,
        STEP_UNSHARE,           /* CLONE_NEW* flags */
        STEP_WRITE_TIME_OFFSETS, /* text: for the time namespace that was unshared */
        STEP_FORK_AGAIN,        /* CLONE_NEW* flags: the grandchild takes over */
        STEP_EXEC_LABEL,        /* file below attr of procfs, text: for the security module, at exec */
        STEP_JOIN_KEYRING,      /* name */
        STEP_LOOPBACK_UP,
        STEP_SET_HOSTNAME,      /* name */
        STEP_SET_DOMAINNAME,    /* name */

        /* child, the file system */
        STEP_HOST_PROPAGATION,  /* MS_* flags on the whole tree, before anything is mounted */
        STEP_OPEN_ROOT,         /* path of the rootfs, enum root_flags; held open */
        STEP_MOUNT,             /* type, source, target, attributes, data, super block flags */
        STEP_BIND,              /* source, target, attributes to set, to clear, enum bind_flags */
        STEP_SET_ATTRIBUTES,    /* target, set, clear, enum mounted_flags */
        STEP_SET_PROPAGATION,   /* target, MS_* flags, enum mounted_flags */
        STEP_MAKE_DIRECTORY,    /* path */
        STEP_REFUSE_LINK,       /* path: /proc and /sys must not be somewhere else by a link of the image */
        STEP_MAKE_SYMLINK,      /* path, where it points */
        STEP_MAKE_DEVICE,       /* path, mode with type, device number, uid, gid */
        STEP_BIND_DEVICE,       /* path: the host's node, where mknod is not allowed */
        STEP_OPEN_STORE,        /* fd slot: the device store is reachable, for bind-stored alone */
        STEP_BIND_STORED,       /* path, fd slot, name: a node of the device store */
        STEP_CLOSE_STORE,       /* fd slot */
        STEP_OPEN_CONSOLE,      /* width, height, uid, 1 to bind it on /dev/console: a pty of the container becomes stdio */
        STEP_OWN_NULL,          /* standard streams that are the host's /dev/null become the container's */
        STEP_WRITE_SYSCTL,      /* path below /proc/sys, value */
        STEP_MASK_PATH,         /* path */
        STEP_READONLY_PATH,     /* path */
        STEP_PIVOT_ROOT,
        STEP_MOVE_ROOT,         /* --no-pivot */
        STEP_CHROOT,            /* without a mount namespace */
        STEP_CHROOT_OF,         /* pidfd slot: the root of a process whose container was made with --no-pivot */
        STEP_ROOT_READONLY,
        STEP_ROOT_PROPAGATION,  /* MS_* flags, on the container's root at last */

        /* child, the process */
        STEP_STDIO,             /* first fd slot of three */
        STEP_BIND_CPUS,         /* mask */
        STEP_BIND_MEMORY,       /* MPOL_* mode, node mask */
        STEP_AWAIT_START,       /* `create` ends here, `start` goes on */
        STEP_LIMIT_SELF,        /* resource, soft, hard */
        STEP_NO_NEW_PRIVS,
        STEP_DROP_BOUNDING,     /* capabilities that stay */
        STEP_SET_GROUPS,        /* uint32_t ids */
        STEP_SET_IDS,           /* uid, gid */
        STEP_SET_CAPS,          /* effective, permitted, inheritable */
        STEP_SET_AMBIENT,       /* capabilities */
        STEP_SET_UMASK,         /* bits */
        STEP_CHDIR,             /* path, 1: as root, if root may; the user's attempt decides */
        STEP_FIND_HOME,         /* uid: HOME from the container's /etc/passwd */
        STEP_FIND_PROGRAM,      /* argv[0] in the instance's PATH */
        STEP_LOAD_FILTER,       /* BPF instructions, SECCOMP_FILTER_FLAG_*, enum filter_how */
        STEP_RUN_HOOK,          /* path, argv, env, timeout, number, 1: the process's env, first fd slot of two */
        STEP_DIE_WITH_PARENT,
        STEP_EXEC,              /* argv and envp come from the instance */

        STEP_FAIL,              /* errno; exists for tests */
        STEP_OPS,
};

/* How to read an argument of a step. */
enum arg_kind {
        ARG_NONE,
        ARG_NUMBER,
        ARG_SIGNED,
        ARG_HEX,
        ARG_OCTAL,
        ARG_CLONE_FLAGS,        /* numbers too, but listed by name */
        ARG_MOUNT_ATTR,
        ARG_MS_FLAGS,
        ARG_CAPS,
        ARG_HOOK_KIND,
        ARG_FD,                 /* number of a descriptor of the instance; FD_NONE */
        ARG_STRING,             /* offset into the plan's data, or a slot */
        ARG_BLOB,               /* offset of { uint64_t size; bytes }, or a slot */
        ARG_STRV,               /* a blob of strings, each with its terminator: "a\0b\0" */
};

#define STEP_ARGS 7

/* The same bytes in memory, in a file and in another process. */
struct step {
        uint16_t op;
        uint16_t lane;
        uint32_t unused;
        uint64_t arg[STEP_ARGS];
};
_Static_assert(sizeof(struct step) == 64, "a step is part of the plan format");

/* An argument with this bit is not a value but the number of a slot: each
 * instance of the plan brings its own value (a CPU mask, a cgroup path, ...).
 * Plain numbers with the top bit set exist (flags of a mount), therefore only
 * kinds that can vary are ever looked at for it: see arg_may_vary(). */
#define ARG_SLOT   (UINT64_C(1) << 63)
#define SLOT(n)    (ARG_SLOT | (uint64_t) (n))

enum root_flags {
        ROOT_MOUNTED = 1 << 0,          /* on itself */
        ROOT_PARENT_PRIVATE = 1 << 1,   /* below a shared mount it would show up in the host's namespace */
        ROOT_IN_OUR_NAMESPACE = 1 << 2, /* the host's: taken away again if the container does not come into being */
};

enum bind_flags {
        BIND_RECURSIVE = 1 << 0,
        BIND_EXACT = 1 << 1,            /* flags that are neither set nor cleared are cleared, too, as far as we may */
        BIND_REMOUNT = 1 << 2,          /* attributes by a remount: no mount_setattr() before Linux 5.12 */
        BIND_GIVEN = 1 << 3,            /* the parent has opened the source */
        BIND_ASK = 1 << 4,              /* the parent opens the source if we may not */
        BIND_SOURCE_LINK = 1 << 5,      /* a source that is a symbolic link is not followed */
        BIND_ON_LINK = 1 << 6,          /* ... nor a target */
        BIND_COPY_LINK = 1 << 7,        /* a source that is a symbolic link is copied, not mounted */
};

enum filter_how {
        FILTER_LAST = 1 << 0,           /* only exec follows: there is nothing to be said any more */
        FILTER_SEND = 1 << 1,           /* the listener is sent; otherwise its number is told, for pidfd_getfd(2) */
};

/* Of set-attributes and set-propagation. */
enum mounted_flags {
        MOUNTED_RECURSIVE = 1 << 0,
        MOUNTED_LAST = 1 << 1,          /* about what the last bind step did, which may have been about a link */
};

/* Beside the MS_* flags of a mount step: without a mode of its own a tmpfs takes that of the directory it covers. */
#define MOUNT_KEEP_MODE (UINT64_C(1) << 40)
/* ... and a tmpfs begins with a copy of that directory (tmpcopyup). */
#define MOUNT_COPY_UP   (UINT64_C(1) << 41)

#define HOOK_STRINGS_MAX 1024   /* of a hook that the child runs: arguments, and variables */

#define FD_NONE UINT64_C(0xffff)

struct step_info {
        const char *name;       /* "set-hostname": in listings and in errors */
        enum lane lane;
        enum arg_kind arg[STEP_ARGS];
};

/* "parent", "child", "beside": by enum lane. */
extern const char *const lane_names[];

/* NULL if there is no such step. */
const struct step_info *step_info(unsigned op);

/* Strings, blobs: the kinds that an instance may bring. */
static inline int arg_may_vary(enum arg_kind kind)
{
        return kind == ARG_STRING || kind == ARG_BLOB || kind == ARG_STRV;
}

#pragma once
/*
 * cgroup - one control group of a container, on cgroup v1, hybrid or v2.
 *
 * A container's cgroup is one path, relative to the root of every hierarchy it
 * uses: on v2 one directory, on v1 one per controller, on a hybrid machine both.
 * Directories are held open; everything goes through these descriptors.
 *
 *      struct cgroup_host host;                    // once per process
 *      cgroup_host_probe(&host, &err);
 *      auto_cgroup struct cgroup cg = CGROUP_INIT;
 *      cgroup_create(&host, "/box", CGROUP_ALL, &cg, &err);
 *      cgroup_write(&cg, "memory", "memory.max", "1048576", &err);
 *      cgroup_enter(&cg, pid, &err);  ...  cgroup_remove(&cg, &err);
 *
 * Which of v1 and v2 it is comes from statfs(2) of the mount points, never from
 * /proc/self/cgroup (which lists v1 lines on a machine whose /sys/fs/cgroup is
 * v2). Sources: cgroups(7), Documentation/admin-guide/cgroup-v{1,2}.
 *
 * All functions: 0 or a negative errno, and the sentence in `err`.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/error.h"

enum cgroup_mode { CGROUP_V2, CGROUP_V1, CGROUP_HYBRID, CGROUP_NONE /* nothing is mounted: host.n is 0 */ };

#define CGROUP_HIERARCHIES_MAX 16

/* One mounted hierarchy. The v2 one has controllers "" in /proc/self/cgroup. */
struct cgroup_hierarchy {
        char controllers[64];   /* "cpu,cpuacct"; "name=systemd"; "" for v2 */
        char mount_point[128];  /* where it is mounted: "/sys/fs/cgroup/cpu,cpuacct" */
        char own[1024];         /* the caller's cgroup in it: "/user.slice/..." (as the mount shows it);
                                   "" if the mount does not show it */
        bool v2;
        bool freezer, devices;  /* v1: carries this controller */
};

/* What is mounted on this machine, and where we are in it. A plain value. */
struct cgroup_host {
        enum cgroup_mode mode;
        struct cgroup_hierarchy h[CGROUP_HIERARCHIES_MAX];
        size_t n;
        char v2_controllers[256];       /* those available at our own v2 cgroup: " cpu memory " */
        char v2_top[256];               /* ... at the root of the mount: what an absolute path can have */
        char v2_below[256];             /* ... to a child of our own cgroup. Less than v2_controllers where our own
                                           has processes (us), which by the rules of v2 must not compete with groups */
        bool stay_below;                /* v2: who needs no limits belongs below our own cgroup, not beside it:
                                           cgroup_host_probe_own() */
};

/* Fill it in. Costs three to five small files. A machine without cgroups is not a failure: CGROUP_NONE. */
int cgroup_host_probe(struct cgroup_host *ret_host, struct error *err) MUST_CHECK;

/*
 * Fill in stay_below: a dozen small files more, for who makes a cgroup. Our own is limited, and that shall hold, or we may
 * make none beside it. Limited: by limits and weights that are not what a new cgroup has, by BPF programs; protections
 * (memory.min, memory.low) are none, and pids.max alone is not meant (systemd). What cannot be read limits nothing.
 */
void cgroup_host_probe_own(struct cgroup_host *host);

/* The hierarchy with this v1 controller ("memory", "name=systemd"), or the v2 one, which is also "";
 * NULL if not mounted. Co-mounted controllers ("cpu,cpuacct") share one. */
const struct cgroup_hierarchy *cgroup_find(const struct cgroup_host *host, const char *controller);

struct cgroup_dir {
        int fd;                 /* the directory itself, O_PATH|O_DIRECTORY; -1: not used in this hierarchy */
        char *path;             /* below the mount point, malloc()ed */
        bool created;           /* by us: cgroup_remove() removes it */
};

struct cgroup {
        const struct cgroup_host *host;                 /* borrowed */
        struct cgroup_dir dir[CGROUP_HIERARCHIES_MAX];  /* by index of host->h */
};

#define CGROUP_INIT ((struct cgroup){ .dir = { [0 ... CGROUP_HIERARCHIES_MAX - 1] = { .fd = -1 } } })

/* Bit i: use hierarchy i of the host. */
typedef uint32_t cgroup_set;
#define CGROUP_ALL (~(cgroup_set) 0)

/* The set of hierarchies that hold these controllers ("memory,cpu"; v1 names, mapped to v2 where that is mounted). */
cgroup_set cgroup_set_of(const struct cgroup_host *host, const char *controllers);

/*
 * Make the directories. A `path` with a leading "/" is below the root of each
 * hierarchy, another one below the caller's own cgroup there ("the caller's
 * place is kept"). On v2, the controllers are enabled along the way
 * (cgroup.subtree_control) as far as allowed; on v1 cpuset, cpus and mems are
 * inherited so that a process can enter. -EEXIST if the leaf exists and is
 * populated with processes; an empty leftover is taken over. On failure nothing
 * made here is left. A hierarchy we may not write to is skipped only if
 * `optional` has its bit (rootless).
 */
int cgroup_create(const struct cgroup_host *host, const char *path, cgroup_set wanted, cgroup_set optional,
                  struct cgroup *ret_cgroup, struct error *err) MUST_CHECK;

/*
 * Take over the directories that systemd made for a unit and the process `pid` that it put there (cgroups/systemd.h):
 * what it does not do is done here. On v2 that is the controllers it does not know (hugetlb, rdma, misc), on v1 also the
 * hierarchies, into which `pid` is moved. `move`: also where systemd moves processes itself; a slice has none.
 */
struct cgroup_adoption {
        const char *path;               /* absolute, as systemd tells it */
        pid_t pid;
        bool move;
        cgroup_set optional;
};
int cgroup_adopt(const struct cgroup_host *host, const struct cgroup_adoption *from, struct cgroup *ret_cgroup,
                 struct error *err) MUST_CHECK;

/* v2: the directory and what may be delegated of its files belong to this user (cgroups(7), "Delegation"). */
int cgroup_give(const struct cgroup *cgroup, uid_t uid, struct error *err) MUST_CHECK;

/* Open what cgroup_create() made earlier, in another process. Hierarchies where it is gone are left out. */
int cgroup_open(const struct cgroup_host *host, const char *path, struct cgroup *ret_cgroup,
                struct error *err) MUST_CHECK;

/* Is there a directory in the hierarchy that holds `controller`? */
bool cgroup_has(const struct cgroup *cgroup, const char *controller);

/* Write one file of the hierarchy that holds `controller` ("" is the v2 one). */
int cgroup_write(const struct cgroup *cgroup, const char *controller, const char *file, const char *text,
                 struct error *err) MUST_CHECK;

/* Read one file, without its final newline; the caller frees it. */
int cgroup_read(const struct cgroup *cgroup, const char *controller, const char *file, char **ret_text,
                struct error *err) MUST_CHECK;

/*
 * Write several files in this order: each open()ed once for a run of items with the same name. What the kernel
 * refuses with EINVAL or EBUSY is tried once more after the others: quota and period, memory and memory+swap
 * depend on each other, and an update can need them in either order.
 */
struct cgroup_write_item {
        const char *controller; /* v1 controller, "" on v2 */
        const char *file;
        const char *text;
};
int cgroup_apply(const struct cgroup *cgroup, const struct cgroup_write_item *list, size_t n,
                 struct error *err) MUST_CHECK;

/*
 * What to remember of a cgroup, to open it again from a process that is elsewhere: lines "controllers:path" with
 * paths below the mount points. cgroup_restore() leaves out what is gone, as cgroup_open() does.
 */
int cgroup_save(const struct cgroup *cgroup, char **ret_text, struct error *err) MUST_CHECK;
int cgroup_restore(const struct cgroup_host *host, const char *text, struct cgroup *ret_cgroup,
                   struct error *err) MUST_CHECK;

/*
 * Move a process into every directory (all hierarchies, or all but v2 when clone3 did that one).
 *
 * pid 0: the caller, which must have one thread. This is the cheap way: 25 us a hierarchy, while moving another
 * process makes the kernel wait for an RCU grace period, 5 to 10 ms, whenever nobody else did so just before
 * (cgroup_threadgroup_rwsem; a single thread that moves itself is excepted on v1 since Linux 5.5).
 */
int cgroup_enter(const struct cgroup *cgroup, pid_t pid, bool skip_v2, struct error *err) MUST_CHECK;

/*
 * For a child that enters by itself, with nothing but write(2): it writes "0" to each of these descriptors, having
 * one thread and still the caller's credentials and cgroup namespace. The caller closes them. -ENOSPC: `max` is
 * too small, CGROUP_HIERARCHIES_MAX never is.
 */
int cgroup_entrances(const struct cgroup *cgroup, bool skip_v2, int *fds, size_t max, size_t *ret_n,
                     struct error *err) MUST_CHECK;

/*
 * Go down to a cgroup within, which has to be there: "PATH", or "cpu,memory:PATH" for some v1 controllers. "/" is the
 * cgroup itself. -EINVAL: a path with "..", an unknown controller.
 */
int cgroup_descend(struct cgroup *cgroup, const char *where, struct error *err) MUST_CHECK;

/*
 * v2: a cgroup that gives controllers to its children takes no process (EBUSY), and one that is gone does not either.
 * Then the container's first process, `pid`, moved elsewhere, and whoever joins it belongs there. Else nothing changes; nor
 * for a container that never had a v2 directory, which `saved` says: what cgroup_save() wrote.
 */
int cgroup_follow(struct cgroup *cgroup, const char *saved, pid_t pid, struct error *err) MUST_CHECK;

/* The v2 directory for CLONE_INTO_CGROUP, -1 if there is none. Borrowed. */
int cgroup_v2_fd(const struct cgroup *cgroup);

/* Every process in it and below, once each. The caller frees the array. */
int cgroup_pids(const struct cgroup *cgroup, pid_t **ret_pids, size_t *ret_n, struct error *err) MUST_CHECK;

/*
 * SIGKILL to all of them: cgroup.kill (5.14) where it is, else freeze, kill, thaw, until none is left; -EBUSY when
 * some are still there after ten seconds. A frozen cgroup is thawed, so that its processes can die. Another `sig`
 * is sent once to each and nothing is waited for.
 */
int cgroup_kill(const struct cgroup *cgroup, int sig, struct error *err) MUST_CHECK;

enum cgroup_freeze { CGROUP_THAWED, CGROUP_FROZEN };
/* Freeze or thaw, and wait until it is so; -EBUSY and thawed again after ten seconds. The v2 freezer where there is
 * a v2 directory, else v1's; -EOPNOTSUPP without either. */
int cgroup_set_frozen(const struct cgroup *cgroup, enum cgroup_freeze want, struct error *err) MUST_CHECK;
int cgroup_get_frozen(const struct cgroup *cgroup, enum cgroup_freeze *ret, struct error *err) MUST_CHECK;

/* Remove the directories and everything below them. Waits up to two seconds for
 * dying processes to leave; -EBUSY after that. Absent directories are fine. */
int cgroup_remove(struct cgroup *cgroup, struct error *err) MUST_CHECK;

/* What was used. Members are 0 where the machine cannot tell; `has_` bits say which. */
struct cgroup_usage {
        bool has_memory, has_cpu, has_oom;
        uint64_t memory_peak;           /* bytes */
        uint64_t cpu_ns;
        uint64_t oom_kills;
};
void cgroup_usage(const struct cgroup *cgroup, struct cgroup_usage *ret);

/* Close the descriptors; removes nothing. */
void cgroup_clear(struct cgroup *cgroup);
static inline void cgroup_clear_p(struct cgroup *cgroup) { cgroup_clear(cgroup); }
#define auto_cgroup CLEANUP(cgroup_clear)

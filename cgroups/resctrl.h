#pragma once
/*
 * resctrl - a class of service for caches and memory bandwidth (linux.intelRdt).
 *
 * A class is a directory at the top of the resctrl file system: a task whose number
 * is in its `tasks` gets what its `schemata` say. Below a class, directories of
 * `mon_groups` count what some of its tasks use. Tasks inherit both. There are few
 * of either (4 to 16 classes), and who is in one that is removed falls back to the
 * class above.
 *
 *      auto_resctrl struct resctrl g = RESCTRL_INIT;
 *      resctrl_find(&g.root_fd, &err);
 *      resctrl_open(&g, "box", true, &err);            // made, if it is not there
 *      resctrl_write(&g, "L3:0=ff", false, &err);
 *      resctrl_enter(&g, pid, &err);
 *
 * Others who make classes are kept out meanwhile: the root is locked (flock(2)), as
 * Documentation/filesystems/resctrl.rst wants it. Everything goes through descriptors,
 * so any directory that looks like resctrl can be the root. Functions: 0 or a negative
 * errno, and the sentence, with the kernel's own (info/last_cmd_status), in `err`.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "spec/resources.h"

struct resctrl {
        int root_fd;                    /* of the file system */
        int fd;                         /* of the class; the root itself for "/" */
        int monitor_fd;                 /* of its directory in mon_groups; -1: none */
        char name[RDT_CLOS_MAX], monitor[RDT_CLOS_MAX];
        bool made, made_monitor;        /* by us, just now */
};

#define RESCTRL_INIT ((struct resctrl){ .root_fd = -1, .fd = -1, .monitor_fd = -1 })

/* The root of the file system. -EOPNOTSUPP: this CPU or kernel has none, or it is not mounted. */
int resctrl_find(int *ret_fd, struct error *err) MUST_CHECK;

/* Whether there is such a class. */
bool resctrl_has(int root_fd, const char *name);

/*
 * Take the lock, and open the class, which is made if it is not there and `make` says so; else -ENOENT. A class that
 * was made and a directory that was made below it are removed by resctrl_undo().
 */
int resctrl_open(struct resctrl *group, const char *name, bool make, struct error *err) MUST_CHECK;

/*
 * Write one line of schemata. `compare`: a class that was there before has to have this already (-EEXIST), and is
 * left alone.
 */
int resctrl_write(const struct resctrl *group, const char *line, bool compare, struct error *err) MUST_CHECK;

/* Make mon_groups/ID, or take over one that nobody is in. -EEXIST: others are. */
int resctrl_monitor(struct resctrl *group, const char *id, struct error *err) MUST_CHECK;

/* Put a task into the class, and where it is counted. Gives the lock back. */
int resctrl_enter(const struct resctrl *group, pid_t tid, struct error *err) MUST_CHECK;

/* Remove what was made, unless somebody else has come into it. Nothing is said about failures. */
void resctrl_undo(struct resctrl *group);

/* Open what is there; takes no lock. `monitor` NULL: not counted by itself. */
int resctrl_reopen(struct resctrl *group, const char *name, const char *monitor, struct error *err) MUST_CHECK;

/* Remove the class, or (`monitor` not NULL) only the directory in its mon_groups. What is gone already is fine. */
int resctrl_remove(int root_fd, const char *name, const char *monitor, struct error *err) MUST_CHECK;

/* All of schemata; the caller frees it. */
int resctrl_read(const struct resctrl *group, char **ret_text, struct error *err) MUST_CHECK;

/* Closes descriptors, and with them gives the lock back; removes nothing. */
void resctrl_clear(struct resctrl *group);
static inline void resctrl_clear_p(struct resctrl *group) { resctrl_clear(group); }
#define auto_resctrl CLEANUP(resctrl_clear)

/*
 * Pure: does the text of schemata say of each domain in `line` what it says? Bandwidth is compared as the kernel rounds
 * it: up to the next multiple of `step` (info/MB/bandwidth_gran; 0 or 1: exactly).
 */
bool resctrl_matches(const char *line, const char *schemata, uint64_t step);

/* ---- what is used (resctrl_stats.c) ---- */

struct resctrl_domain {
        uint64_t total_bytes, local_bytes;      /* of memory traffic, since the group was made */
        uint64_t occupancy;                     /* bytes of the cache */
};

/* Members of what the machine cannot do are 0, "" and NULL. Strings are in the arena. */
struct resctrl_stats {
        bool has_l3, has_memory;                /* is it divided? */
        bool has_traffic, has_occupancy;        /* is it counted? */
        const char *cbm_mask;                   /* hexadecimal */
        uint64_t min_cbm_bits, l3_classes;
        uint64_t bandwidth_gran, delay_linear, min_bandwidth, memory_classes;
        const char *l3_root, *l3, *memory_root, *memory;        /* lines of schemata: of all, of the class */
        const char **lines;                     /* schemata of the class */
        const struct resctrl_domain *domains;   /* by name: mon_L3_00, mon_L3_01 */
        size_t n_domains;
};
int resctrl_stats_read(const struct resctrl *group, struct arena *arena, struct resctrl_stats *ret,
                       struct error *err) MUST_CHECK;

#pragma once
/*
 * compile_parts - the chapters of compile.c. For plan/compile*.c only.
 *
 * Each part adds the steps of one subject. None returns a result: the builder
 * keeps the first failure (compile_refuse() adds one), so that compile.c reads
 * as a list.
 */

#include "base/arena.h"
#include "cgroups/unit.h"
#include "plan/compile.h"
#include "plan/plan_build.h"

struct compile {
        struct plan_build *b;
        struct arena *arena;            /* for the time of compiling */
        const struct spec *spec;
        const struct host *host;
        const struct wish *wish;
        const char *rootfs;             /* absolute */
        const char *cgroup_path;        /* as cgroup_create() takes it; NULL: none of its own */
        uint64_t first_clone;           /* CLONE_NEW* made by clone itself */
        uint64_t second_clone;          /* ... made after joining a user namespace */
        uint64_t stdio;                 /* first of three descriptor slots */
        uint64_t entrances, n_entrances; /* descriptor slots of the cgroups to enter */
        uint64_t hook_files;            /* first of two descriptor slots */
        bool runs_hooks;                /* ... of startContainer hooks, of which there are some */
        struct unit unit;               /* of systemd; no name: the cgroup is made by ourselves */
        uint64_t store;                 /* descriptor slot of the device store, or FD_NONE */
        bool enters_cgroup;             /* ... or is born in it */
        bool forks_again;               /* the process that is cloned makes another one */
        bool user_ns;                   /* new or joined: the child is not privileged on the host */
        bool dev_is_ours;               /* /dev is not bound from the host: we fill it */
        bool terminal;
        bool cgroup_only;               /* nobody is cloned */
};

void compile_refuse(struct compile *c, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* A string for a step. */
static inline uint64_t S(struct compile *c, const char *s) { return plan_build_string(c->b, s); }

/* compile_cgroup.c */
void compile_cgroup_paths(struct compile *c);
void compile_cgroup(struct compile *c);
void compile_cgroup_entrances(struct compile *c, bool own);
void compile_cgroup_enter(struct compile *c);
void compile_cgroup_rules(struct compile *c, struct resources *res);
void compile_cgroup_limits(struct compile *c, const struct resources *res);
void compile_cgroup_owner(struct compile *c);

/* compile_rdt.c */
void compile_rdt(struct compile *c);
void compile_rdt_enter(struct compile *c);

/* compile_unit.c */
void compile_unit_name(struct compile *c);
void compile_unit(struct compile *c);

/* compile_namespaces.c */
void compile_decide_namespaces(struct compile *c);
void compile_joins_before(struct compile *c);
void compile_clone(struct compile *c);
uint64_t compile_map_text(struct compile *c, const struct spec_id_map *map, size_t n);
void compile_id_maps(struct compile *c);
bool compile_may_set_groups(const struct compile *c);
void compile_limits(struct compile *c);
void compile_own_limits(struct compile *c);
void compile_signals(struct compile *c);
void compile_session(struct compile *c);
void compile_joins(struct compile *c);
void compile_names(struct compile *c);

/* compile_rootfs.c */
void compile_device_store(struct compile *c);
void compile_rootfs(struct compile *c);
void compile_mounts(struct compile *c);
void compile_devices(struct compile *c);
void compile_console(struct compile *c);
void compile_sysctl(struct compile *c);
void compile_protection(struct compile *c);
void compile_pivot(struct compile *c);

/* compile_mount_cgroup.c */
void compile_mount_cgroup(struct compile *c, const struct spec_mount *m);

/* compile_label.c */
void compile_label(struct compile *c);
const char *compile_mount_label(struct compile *c, const struct spec_mount *m);

/* compile_hooks.c */
void compile_hooks(struct compile *c, enum hook_kind kind);
void compile_hook_files(struct compile *c);
void compile_hook_state(struct compile *c);
void compile_start_hooks(struct compile *c);

/* compile_process.c */
void compile_creating(struct compile *c);
void compile_state_ahead(struct compile *c);
void compile_state(struct compile *c, unsigned state);
void compile_run_on(struct compile *c);
void compile_place(struct compile *c);
void compile_privileges(struct compile *c);
void compile_await_start(struct compile *c);
void compile_exec(struct compile *c);

/* compile_seccomp.c: the filter as struct sock_filter[], in the arena */
int compile_filter(const struct spec_seccomp *seccomp, struct arena *arena, struct plan_bytes *ret_filter,
                   struct error *err) MUST_CHECK;

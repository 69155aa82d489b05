#pragma once
/*
 * update - change the limits of a container that exists.
 *
 * What is given is written, and nothing else; what depends on the other half of
 * a pair (cpu.quota and cpu.period, on cgroup v2 memory.swap and memory.limit)
 * is completed with what was set before. The entry remembers the limits in
 * `resources.json`, beside the copy of the config, which stays as it was. Not
 * those that stand alone: of huge pages, block devices, RDMA and networks a later
 * update needs nothing. A failure leaves limits as they were, as far as the
 * kernel lets us put them back.
 */

#include "base/arena.h"
#include "base/error.h"
#include "spec/resources.h"

struct update_wish {
        const struct resources *given;
        const char *l3, *memory;        /* lines of schemata for the container's class of resctrl; NULL: not given */
};

/*
 * -ESRCH: not running; -EBUSY: memory.checkBeforeUpdate forbids it; -EOPNOTSUPP: no class (linux.intelRdt) whose schemata
 * could be changed. Nothing given: nothing is done, successfully. `warning`: what of it was not done; code 0: nothing.
 */
int update_limits(int root_fd, const char *id, const struct update_wish *wish, struct error *warning,
                  struct error *err) MUST_CHECK;

/* ---- pure (update_resources.c) ---- */

struct update {
        struct resources write;         /* to be written now */
        struct resources keep;          /* to be remembered */
};

/*
 * `v2_memory`: the memory controller is v2's, where a new memory.limit leaves swap alone as it is, so that their
 * sum changes; on v1 the sum stays. Arrays are borrowed from both, or in `arena`. -ENOMEM.
 */
int update_merge(const struct resources *given, const struct resources *stored, bool v2_memory, struct arena *arena,
                 struct update *ret) MUST_CHECK;

/* Whether anything is given. */
bool update_is_empty(const struct resources *given);

/*
 * What is remembered (see above) as JSON, which spec_read_resources() reads back to the same. The caller frees it.
 * NULL: no memory.
 */
char *update_format(const struct resources *res);

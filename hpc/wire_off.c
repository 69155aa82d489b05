/* wire.h in a build without libpmix: nothing can be started, so nothing else is ever reached. */
#include "hpc/wire.h"

#include <errno.h>

bool wire_available(void) { return false; }

int wire_start(const struct wire_job *job, struct wire **ret, struct error *err)
{
        (void) job;
        (void) ret;
        return error_say(err, -ENOSYS, "this berth was built without PMIx: MPI ranks cannot be wired up");
}

int wire_rank_env(struct wire *wire, unsigned rank, char ***ret_env, struct error *err)
{
        (void) wire;
        (void) rank;
        (void) ret_env;
        return error_say(err, -ENOSYS, "this berth was built without PMIx");
}

int wire_event_fd(const struct wire *wire)
{
        (void) wire;
        return -1;
}

int wire_next_event(struct wire *wire, struct wire_event *ret)
{
        (void) wire;
        (void) ret;
        return 0;
}

enum wire_rank_state wire_rank_state(struct wire *wire, unsigned rank)
{
        (void) wire;
        (void) rank;
        return WIRE_RANK_SILENT;
}

void wire_stop(struct wire *wire) { (void) wire; }

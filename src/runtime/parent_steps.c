#include "runtime/parent.h"

parent_step *const parent_steps[STEP_OPS] = {
        [STEP_CGROUP_CREATE]  = parent_cgroup_create,
        [STEP_CGROUP_WRITE]   = parent_cgroup_write,
        [STEP_CGROUP_DEVICES] = parent_cgroup_devices,
        [STEP_JOIN_AROUND]    = parent_join_around,
        [STEP_JOIN_PID_OF]    = parent_join_pid_of,
        [STEP_OPEN_TREE]      = parent_open_tree,
        [STEP_CLONE]          = parent_clone,
        [STEP_CGROUP_ENTRANCES] = parent_cgroup_entrances,
        [STEP_WRITE_UID_MAP]  = parent_write_uid_map,
        [STEP_DENY_SETGROUPS] = parent_deny_setgroups,
        [STEP_WRITE_GID_MAP]  = parent_write_gid_map,
        [STEP_SET_OOM_SCORE]  = parent_set_oom_score,
        [STEP_SET_RLIMIT]     = parent_set_rlimit,
        [STEP_MAP_TREE]       = parent_map_tree,
        [STEP_RUN_ON_CPUS]    = parent_run_on_cpus,
        [STEP_SET_SCHEDULER]  = parent_set_scheduler,
        [STEP_SET_IO_PRIORITY] = parent_set_io_priority,
        [STEP_WRITE_STATE]    = parent_write_state,
        [STEP_SEND_LISTENER]  = parent_send_listener,
        [STEP_HOOK]           = parent_hook,
};

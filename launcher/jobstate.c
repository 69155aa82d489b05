#include "launcher/jobstate.h"

#include <stddef.h>

static const char *const state_names[JOB_STATES] = {
        [JOB_PLACING] = "placing",   [JOB_STARTING] = "starting", [JOB_RUNNING] = "running",
        [JOB_STOPPING] = "stopping", [JOB_KILLING] = "killing",   [JOB_DONE] = "done",
};

static const char *const event_names[JOB_EVENTS] = {
        [EV_PLACED] = "placed",       [EV_ALL_STARTED] = "all-started", [EV_FAILURE] = "failure",
        [EV_INTERRUPT] = "interrupt", [EV_TIMEOUT] = "timeout",         [EV_LAST_EXITED] = "last-exited",
};

struct transition {
        enum job_event event;
        enum job_state from, to;
};

static const struct transition transitions[] = {
        { EV_PLACED, JOB_PLACING, JOB_STARTING },
        { EV_FAILURE, JOB_PLACING, JOB_DONE },

        { EV_ALL_STARTED, JOB_STARTING, JOB_RUNNING },
        { EV_FAILURE, JOB_STARTING, JOB_STOPPING },
        { EV_INTERRUPT, JOB_STARTING, JOB_STOPPING },
        { EV_LAST_EXITED, JOB_STARTING, JOB_DONE },

        { EV_FAILURE, JOB_RUNNING, JOB_STOPPING },
        { EV_INTERRUPT, JOB_RUNNING, JOB_STOPPING },
        { EV_LAST_EXITED, JOB_RUNNING, JOB_DONE },

        { EV_INTERRUPT, JOB_STOPPING, JOB_KILLING },
        { EV_TIMEOUT, JOB_STOPPING, JOB_KILLING },
        { EV_LAST_EXITED, JOB_STOPPING, JOB_DONE },

        { EV_LAST_EXITED, JOB_KILLING, JOB_DONE },
};

enum job_state jobstate_next(enum job_state state, enum job_event event)
{
        for (size_t i = 0; i < sizeof(transitions) / sizeof(*transitions); i++)
                if (transitions[i].event == event && transitions[i].from == state)
                        return transitions[i].to;
        return state;
}

const char *jobstate_name(enum job_state state)
{
        return state_names[state];
}

const char *jobevent_name(enum job_event event)
{
        return event_names[event];
}

#pragma once
/*
 * jobstate - what a job does next.
 *
 *      placing --placed--> starting --all-started--> running
 *                             |                         |
 *                             +--failure, interrupt-----+--> stopping --again, timeout--> killing
 *                             |                                  |                           |
 *                             +--last-exited-----------+---------+---------------------------+--> done
 *
 * The table is pure. Every state has an action (job.c); entering a state and
 * every later change of a rank calls it again, so actions are idempotent:
 * "send SIGTERM to whoever runs and was not told yet", never "send SIGTERM".
 */

enum job_state {
        JOB_PLACING,    /* nothing runs yet */
        JOB_STARTING,   /* instances wait for a slot or for their start */
        JOB_RUNNING,    /* all were started */
        JOB_STOPPING,   /* told to end: SIGTERM, and a time limit */
        JOB_KILLING,    /* SIGKILL */
        JOB_DONE,       /* nothing runs any more */
        JOB_STATES,
};

enum job_event {
        EV_PLACED,
        EV_ALL_STARTED,
        EV_FAILURE,     /* a rank could not be started, or failed where that ends the job */
        EV_INTERRUPT,   /* somebody told us to stop */
        EV_TIMEOUT,     /* --kill-wait is over */
        EV_LAST_EXITED, /* nothing runs, and nothing will be started */
        JOB_EVENTS,
};

/* The state after the event; the same one where the event means nothing. */
enum job_state jobstate_next(enum job_state state, enum job_event event);

const char *jobstate_name(enum job_state state);
const char *jobevent_name(enum job_event event);

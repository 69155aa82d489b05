#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "launcher/jobstate.h"

/* What the drawing in jobstate.h says; everything else stays where it is. */
static const struct {
        enum job_state from;
        enum job_event event;
        enum job_state to;
} drawn[] = {
        { JOB_PLACING, EV_PLACED, JOB_STARTING },       { JOB_PLACING, EV_FAILURE, JOB_DONE },
        { JOB_STARTING, EV_ALL_STARTED, JOB_RUNNING },  { JOB_STARTING, EV_FAILURE, JOB_STOPPING },
        { JOB_STARTING, EV_INTERRUPT, JOB_STOPPING },   { JOB_STARTING, EV_LAST_EXITED, JOB_DONE },
        { JOB_RUNNING, EV_FAILURE, JOB_STOPPING },      { JOB_RUNNING, EV_INTERRUPT, JOB_STOPPING },
        { JOB_RUNNING, EV_LAST_EXITED, JOB_DONE },      { JOB_STOPPING, EV_INTERRUPT, JOB_KILLING },
        { JOB_STOPPING, EV_TIMEOUT, JOB_KILLING },      { JOB_STOPPING, EV_LAST_EXITED, JOB_DONE },
        { JOB_KILLING, EV_LAST_EXITED, JOB_DONE },
};

static enum job_state expected(enum job_state from, enum job_event event)
{
        for (size_t i = 0; i < sizeof(drawn) / sizeof(*drawn); i++)
                if (drawn[i].from == from && drawn[i].event == event)
                        return drawn[i].to;
        return from;
}

static void every_pair_goes_where_the_drawing_says(void **state)
{
        (void) state;
        for (unsigned s = 0; s < JOB_STATES; s++)
                for (unsigned e = 0; e < JOB_EVENTS; e++)
                        assert_int_equal(jobstate_next((enum job_state) s, (enum job_event) e),
                                         expected((enum job_state) s, (enum job_event) e));
}

static void no_way_leads_back(void **state)
{
        (void) state;
        for (unsigned s = 0; s < JOB_STATES; s++)
                for (unsigned e = 0; e < JOB_EVENTS; e++)
                        assert_true(jobstate_next((enum job_state) s, (enum job_event) e) >= s);
}

static void from_every_state_the_job_can_end(void **state)
{
        (void) state;
        for (unsigned s = JOB_STARTING; s < JOB_DONE; s++)
                assert_int_equal(jobstate_next((enum job_state) s, EV_LAST_EXITED), JOB_DONE);
}

static void everything_has_a_name(void **state)
{
        (void) state;
        for (unsigned s = 0; s < JOB_STATES; s++)
                assert_non_null(jobstate_name((enum job_state) s));
        for (unsigned e = 0; e < JOB_EVENTS; e++)
                assert_non_null(jobevent_name((enum job_event) e));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(every_pair_goes_where_the_drawing_says),
                cmocka_unit_test(no_way_leads_back),
                cmocka_unit_test(from_every_state_the_job_can_end),
                cmocka_unit_test(everything_has_a_name),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

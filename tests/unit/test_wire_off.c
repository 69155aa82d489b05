/* wire.h in a build without PMIx: compiled here together with hpc/wire_off.c, whatever this build has. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>

#include "hpc/wire.h"

static void without_pmix_a_job_is_refused_with_a_sentence(void **state)
{
        (void) state;
        struct wire_job job = { .name = "job", .hostname = "here", .dir = "/tmp", .size = 1 };
        struct wire *wire = NULL;
        struct error err = ERROR_INIT;
        assert_false(wire_available());
        assert_int_equal(wire_start(&job, &wire, &err), -ENOSYS);
        assert_string_equal(err.text, "this berth was built without PMIx: MPI ranks cannot be wired up");
        assert_null(wire);
        wire_stop(wire);
}

int main(void)
{
        const struct CMUnitTest tests[] = { cmocka_unit_test(without_pmix_a_job_is_refused_with_a_sentence) };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

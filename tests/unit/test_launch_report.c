#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "launcher/report.h"

static char list[] = "4-5", text[] = "package[0][core:2]";

static struct job example(struct rank *ranks, struct placement *placement, struct place_slot *slot)
{
        *slot = (struct place_slot){ .cpu_list = list, .report = text };
        *placement = (struct placement){ .slot = slot, .n_slots = 1, .instances = 3, .bound = true };
        struct job job = JOB_INIT;
        snprintf(job.id, sizeof(job.id), "j");
        snprintf(job.started, sizeof(job.started), "2026-01-02T03:04:05Z");
        job.bundle = list;
        job.placement = placement;
        job.n = 3;
        job.n_slots = 1;
        job.rank = ranks;
        job.failed = 1;
        job.not_started = 1;
        job.started_ns = 1000000;
        job.ended_ns = 9000000;
        for (unsigned i = 0; i < 3; i++) {
                ranks[i] = RANK_INIT;
                ranks[i].number = i;
        }
        ranks[0].pid = 100;
        ranks[0].state = RANK_ENDED;
        ranks[0].started_ns = 2000000;
        ranks[0].ended_ns = 5000000;
        ranks[0].cpu_us = 1500;
        ranks[0].max_rss = 4096;
        ranks[1].pid = 101;
        ranks[1].state = RANK_ENDED;
        ranks[1].signal = 11;
        ranks[1].oom_kills = 2;
        ranks[1].cpu_us = 500;
        ranks[1].max_rss = 8192;
        return job;
}

static void has(const char *json, const char *part)
{
        if (!strstr(json, part))
                fail_msg("no %s in %s", part, json);
}

static void the_report_has_ranks_and_totals(void **state)
{
        (void) state;
        struct rank ranks[3];
        struct placement placement;
        struct place_slot slot;
        struct job job = example(ranks, &placement, &slot);
        char *json = report_json(&job, 139);
        has(json, "\"status\": 139");
        has(json, "\"instances\": 3");
        has(json, "\"not_started\": 1");
        has(json, "\"wall_us\": 8000");
        has(json, "\"cpu_us\": 2000");
        has(json, "\"max_rss_bytes\": 8192");
        has(json, "\"oom_kills\": 2");
        has(json, "\"exit_code\": 139");
        has(json, "\"signal\": 11");
        has(json, "\"start_us\": 1000");
        has(json, "\"end_us\": 4000");
        has(json, "\"cpus\": \"4-5\"");
        has(json, "\"binding\": \"package[0][core:2]\"");
        has(json, "\"started\": false");
        free(json);
}

static void the_end_of_a_rank_is_told_in_words(void **state)
{
        (void) state;
        char buf[128];
        struct rank r = { .signal = 11 };
        rank_describe(&r, buf, sizeof(buf));
        assert_string_equal(buf, "killed by signal 11 (Segmentation fault)");
        r = (struct rank){ .signal = 9, .oom_kills = 1 };
        rank_describe(&r, buf, sizeof(buf));
        assert_string_equal(buf, "killed by signal 9 (Killed), out of memory");
        r = (struct rank){ .code = 3 };
        rank_describe(&r, buf, sizeof(buf));
        assert_string_equal(buf, "exited with status 3");
        r = (struct rank){ .early = true };
        rank_describe(&r, buf, sizeof(buf));
        assert_string_equal(buf, "exited with status 0 without MPI_Finalize");
        assert_int_equal(rank_status(&r), 1);
}

static void the_status_is_the_worst_of_those_that_failed_by_themselves(void **state)
{
        (void) state;
        struct rank ranks[3];
        struct placement placement;
        struct place_slot slot;
        struct job job = example(ranks, &placement, &slot);
        assert_int_equal(job_status(&job), 139);
        ranks[1].told = true;
        ranks[0].code = 3;
        assert_int_equal(job_status(&job), 3);
        job.abort_status = 5;
        assert_int_equal(job_status(&job), 5);
        job.lost = true;
        assert_int_equal(job_status(&job), 1);
        job.signal = 15;
        assert_int_equal(job_status(&job), 143);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(the_report_has_ranks_and_totals),
                cmocka_unit_test(the_end_of_a_rank_is_told_in_words),
                cmocka_unit_test(the_status_is_the_worst_of_those_that_failed_by_themselves),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

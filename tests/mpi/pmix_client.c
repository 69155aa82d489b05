/*
 * pmix_client - one rank of a job without MPI: what a PMIx server must do, and nothing else.
 *
 *      pmix_client exchange            everybody puts a value, everybody gets everybody's
 *      pmix_client get KEY...          print what the server says about this rank ("pmix.lrank"), or,
 *                                      with a '+' in front, about the job ("+pmix.job.size")
 *      pmix_client abort STATUS TEXT   rank 1 aborts (twice), the others wait for it until they are killed
 *      pmix_client stranger            ask for the data of a rank that does not exist; it must fail
 *
 * Exit status 0: as it should be.
 */
#include <pmix.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* LeakSanitizer asks for this: libpmix and what it opens leak at exit, and that is not ours to find. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) { return "leak:libpmix\nleak:libhwloc\nleak:libevent"; }

static pmix_proc_t me;

static void must(pmix_status_t status, const char *what)
{
        if (status == PMIX_SUCCESS)
                return;
        fprintf(stderr, "pmix_client %u: %s: %s\n", me.rank, what, PMIx_Error_string(status));
        exit(1);
}

static void get_u32(pmix_rank_t rank, const char *key, uint32_t *ret)
{
        pmix_proc_t who;
        pmix_value_t *value = NULL;
        PMIX_LOAD_PROCID(&who, me.nspace, rank);
        must(PMIx_Get(&who, key, NULL, 0, &value), key);
        *ret = value->data.uint32;
        PMIX_VALUE_RELEASE(value);
}

static void fence(bool collect)
{
        pmix_proc_t all;
        pmix_info_t info;
        PMIX_LOAD_PROCID(&all, me.nspace, PMIX_RANK_WILDCARD);
        PMIX_INFO_LOAD(&info, PMIX_COLLECT_DATA, &collect, PMIX_BOOL);
        must(PMIx_Fence(&all, 1, &info, 1), "fence");
}

static int exchange(void)
{
        uint32_t size = 0;
        get_u32(PMIX_RANK_WILDCARD, PMIX_JOB_SIZE, &size);

        pmix_value_t mine = { .type = PMIX_UINT32 };
        mine.data.uint32 = 1000 + me.rank;
        must(PMIx_Put(PMIX_GLOBAL, "card", &mine), "put");
        must(PMIx_Commit(), "commit");
        fence(true);
        for (uint32_t rank = 0; rank < size; rank++) {
                uint32_t card = 0;
                get_u32(rank, "card", &card);
                if (card != 1000 + rank) {
                        fprintf(stderr, "pmix_client %u: rank %u said %u\n", me.rank, rank, card);
                        return 1;
                }
        }
        fence(false);
        printf("%u/%u\n", me.rank, size);
        return 0;
}

static int get(char **keys)
{
        for (char **key = keys; *key; key++) {
                bool job = **key == '+';
                pmix_proc_t who;
                pmix_value_t *value = NULL;
                PMIX_LOAD_PROCID(&who, me.nspace, job ? PMIX_RANK_WILDCARD : me.rank);
                must(PMIx_Get(&who, *key + job, NULL, 0, &value), *key);
                if (value->type == PMIX_STRING)
                        printf("%s%s", key == keys ? "" : " ", value->data.string);
                else
                        printf("%s%u", key == keys ? "" : " ",
                               value->type == PMIX_UINT16 ? value->data.uint16 : value->data.uint32);
                PMIX_VALUE_RELEASE(value);
        }
        printf("\n");
        return 0;
}

static int do_abort(int status, const char *text)
{
        if (me.rank == 1) {
                must(PMIx_Abort(status, text, NULL, 0), "abort");
                must(PMIx_Abort(status + 1, "once more", NULL, 0), "second abort");
                _exit(status);
        }
        for (;;)
                pause();
}

static int stranger(void)
{
        pmix_proc_t who;
        pmix_value_t *value = NULL;
        pmix_info_t info;
        int seconds = 1;
        PMIX_LOAD_PROCID(&who, me.nspace, 4711);
        PMIX_INFO_LOAD(&info, PMIX_TIMEOUT, &seconds, PMIX_INT);
        pmix_status_t status = PMIx_Get(&who, "card", &info, 1, &value);
        printf("%s\n", PMIx_Error_string(status));
        return status == PMIX_SUCCESS;
}

int main(int argc, char **argv)
{
        const char *verb = argc > 1 ? argv[1] : "";
        must(PMIx_Init(&me, NULL, 0), "init");

        int r = 2;
        if (strcmp(verb, "exchange") == 0)
                r = exchange();
        else if (strcmp(verb, "get") == 0)
                r = get(argv + 2);
        else if (strcmp(verb, "abort") == 0 && argc == 4)
                r = do_abort(atoi(argv[2]), argv[3]);
        else if (strcmp(verb, "stranger") == 0)
                r = stranger();

        must(PMIx_Finalize(NULL, 0), "finalize");
        return r;
}

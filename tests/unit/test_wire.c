/*
 * The PMIx server with real clients (tests/mpi/pmix_client.c), without MPI and
 * without containers. A process can start one server, so each test has its own;
 * in there a failed check ends the process, and the parent fails the test.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "hpc/wire.h"
#include "hpc/wire_pmix.h"

enum { RANKS = 4, PATIENCE_MS = 60000 };

#define check(what)                                                             \
        do {                                                                    \
                if (!(what)) {                                                  \
                        fprintf(stderr, "line %d: not true: %s\n", __LINE__, #what); \
                        _exit(1);                                               \
                }                                                               \
        } while (0)

struct lab {
        char dir[32];
        struct wire_job job;
        struct wire *wire;
        struct error err;
        pid_t pid[RANKS];
        int out[RANKS];         /* stdout of the ranks */
};

static void lab_init(struct lab *lab)
{
        *lab = (struct lab){ .dir = "/tmp/test_wire.XXXXXX" };
        check(mkdtemp(lab->dir));
        lab->job = (struct wire_job){ .name = "test_wire", .hostname = "here", .dir = lab->dir, .size = RANKS,
                                      .uid = geteuid(), .gid = getegid(), .outside_uid = geteuid() };
}

static void lab_start(struct lab *lab)
{
        lab_init(lab);
        if (wire_start(&lab->job, &lab->wire, &lab->err) == 0)
                return;
        fprintf(stderr, "%s\n", lab->err.text);
        _exit(1);
}

/* As the launcher would: exactly the environment that wire gives, nothing inherited. */
static void lab_spawn(struct lab *lab, const char *const *args)
{
        for (unsigned rank = 0; rank < lab->job.size; rank++) {
                int pipe_fd[2];
                char **env = NULL;
                check(wire_rank_env(lab->wire, rank, &env, &lab->err) == 0);
                check(pipe2(pipe_fd, O_CLOEXEC) == 0);
                lab->pid[rank] = fork();
                check(lab->pid[rank] >= 0);
                if (lab->pid[rank] == 0) {
                        dup2(pipe_fd[1], STDOUT_FILENO);
                        /* opened as root: another user may not get through the directories of the checkout */
                        int program = open(PMIX_CLIENT, O_RDONLY | O_CLOEXEC);
                        if (lab->job.uid != geteuid() && (setgid(lab->job.gid) < 0 || setuid(lab->job.uid) < 0))
                                _exit(126);
                        const char *argv[9] = { "pmix_client" };
                        for (size_t i = 0; i < 7 && args[i]; i++)
                                argv[i + 1] = args[i];
                        fexecve(program, (char *const *) (uintptr_t) argv, env);
                        _exit(127);
                }
                close(pipe_fd[1]);
                lab->out[rank] = pipe_fd[0];
                wire_env_free(env);
        }
}

/* Status 0 of everyone, and what each one printed. */
static void lab_join(struct lab *lab, char said[RANKS][128])
{
        for (unsigned rank = 0; rank < lab->job.size; rank++) {
                ssize_t n = io_read_all(lab->out[rank], said[rank], 127);
                int status = -1;
                check(n >= 0);
                said[rank][n] = '\0';
                said[rank][strcspn(said[rank], "\n")] = '\0';
                check(waitpid(lab->pid[rank], &status, 0) == lab->pid[rank]);
                if (status != 0)
                        fprintf(stderr, "rank %u: wait status %#x\n", rank, (unsigned) status);
                check(status == 0);
                close(lab->out[rank]);
        }
}

static unsigned count_entries(const char *dir)
{
        unsigned n = 0;
        DIR *d = opendir(dir);
        check(d);
        while (readdir(d))
                n++;
        closedir(d);
        return n - 2;   /* . and .. */
}

static void lab_stop(struct lab *lab)
{
        wire_stop(lab->wire);
        check(count_entries(lab->dir) == 0);
        check(rmdir(lab->dir) == 0);
}

static void in_own_process(void (*body)(void))
{
        fflush(NULL);
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
                alarm(PATIENCE_MS / 1000);
                signal(SIGALRM, SIG_DFL);
                body();
                _exit(0);
        }
        int status = -1;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
}

/* ---- wiring up ---- */

static void exchange(void)
{
        struct lab lab;
        char said[RANKS][128];
        lab_start(&lab);
        check(count_entries(lab.dir) > 0);      /* else "stop leaves it empty" would prove nothing */
        lab_spawn(&lab, (const char *[]){ "exchange", NULL });
        lab_join(&lab, said);
        for (unsigned rank = 0; rank < RANKS; rank++) {
                char want[16];
                snprintf(want, sizeof(want), "%u/%u", rank, RANKS);
                check(strcmp(said[rank], want) == 0);
                check(wire_rank_state(lab.wire, rank) == WIRE_RANK_FINALIZED);
        }
        lab_stop(&lab);
}
static void ranks_exchange_data_and_stopping_leaves_nothing(void **state) { (void) state; in_own_process(exchange); }

static void expect(struct lab *lab, const char *const *args, const char *const want[RANKS])
{
        char said[RANKS][128];
        lab_spawn(lab, args);
        lab_join(lab, said);
        for (unsigned rank = 0; rank < RANKS; rank++) {
                if (strcmp(said[rank], want[rank]) != 0)
                        fprintf(stderr, "rank %u was told \"%s\", not \"%s\"\n", rank, said[rank], want[rank]);
                check(strcmp(said[rank], want[rank]) == 0);
        }
}

static void place_in_the_job(void)
{
        struct lab lab;
        lab_start(&lab);
        expect(&lab,
               (const char *[]){ "get", PMIX_LOCAL_RANK, PMIX_HOSTNAME, "+" PMIX_LOCAL_PEERS, "+" PMIX_LOCAL_SIZE,
                                 "+" PMIX_JOBID, NULL },
               (const char *[]){ "0 here 0,1,2,3 4 test_wire", "1 here 0,1,2,3 4 test_wire",
                                 "2 here 0,1,2,3 4 test_wire", "3 here 0,1,2,3 4 test_wire" });
        lab_stop(&lab);
}
static void a_rank_is_told_its_place_in_the_job(void **state) { (void) state; in_own_process(place_in_the_job); }

static void bound(void)
{
        struct lab lab;
        lab_init(&lab);
        static const char *const cpus[RANKS] = { "0", "0,2-3", "1", "0-1" };
        lab.job.cpu_lists = cpus;
        check(wire_start(&lab.job, &lab.wire, &lab.err) == 0);
        expect(&lab, (const char *[]){ "get", PMIX_CPUSET, NULL },
               (const char *[]){ "hwloc:0", "hwloc:0,2-3", "hwloc:1", "hwloc:0-1" });
        lab_stop(&lab);
}
static void a_bound_rank_is_told_its_cpus(void **state) { (void) state; in_own_process(bound); }

static void other_user(void)
{
        struct lab lab;
        lab_init(&lab);
        check(chmod(lab.dir, 0755) == 0);
        lab.job.uid = lab.job.outside_uid = 65534;
        lab.job.gid = 65534;
        check(wire_start(&lab.job, &lab.wire, &lab.err) == 0);
        lab_spawn(&lab, (const char *[]){ "exchange", NULL });
        char said[RANKS][128];
        lab_join(&lab, said);
        lab_stop(&lab);
}
static void ranks_of_another_user_can_connect(void **state)
{
        (void) state;
        if (geteuid() != 0)
                skip();
        in_own_process(other_user);
}

static void changed_user(void)
{
        struct lab lab;
        char said[RANKS][128];
        lab_init(&lab);
        lab.job.uid = geteuid() + 1;    /* announced, but the ranks come as ourselves */
        check(wire_start(&lab.job, &lab.wire, &lab.err) == 0);
        lab.job.uid = geteuid();
        lab_spawn(&lab, (const char *[]){ "exchange", NULL });
        lab_join(&lab, said);
        lab_stop(&lab);
}
static void a_rank_that_changed_its_user_is_still_served(void **state) { (void) state; in_own_process(changed_user); }

static void stranger(void)
{
        struct lab lab;
        char said[RANKS][128];
        lab_start(&lab);
        lab_spawn(&lab, (const char *[]){ "stranger", NULL });
        lab_join(&lab, said);   /* status 0: an error, not a hang */
        lab_stop(&lab);
}
static void data_of_a_rank_that_does_not_exist_is_an_error(void **state) { (void) state; in_own_process(stranger); }

/* ---- events ---- */

static void aborted(void)
{
        struct lab lab;
        lab_start(&lab);
        struct wire_event event;
        struct pollfd poll_fd = { .fd = wire_event_fd(lab.wire), .events = POLLIN };
        check(wire_next_event(lab.wire, &event) == 0);
        check(poll(&poll_fd, 1, 0) == 0);

        lab_spawn(&lab, (const char *[]){ "abort", "7", "no\033[31m more\n", NULL });
        check(poll(&poll_fd, 1, PATIENCE_MS) == 1);
        check(wire_next_event(lab.wire, &event) == 1);
        check(event.kind == WIRE_ABORT && event.rank == 1 && event.status == 7);
        check(strcmp(event.message, "no [31m more ") == 0);

        /* it aborts a second time before it exits */
        int status = -1;
        check(waitpid(lab.pid[1], &status, 0) == lab.pid[1]);
        check(WEXITSTATUS(status) == 7);
        check(wire_next_event(lab.wire, &event) == 0);
        check(poll(&poll_fd, 1, 0) == 0);
        check(wire_rank_state(lab.wire, 1) == WIRE_RANK_CONNECTED);

        for (unsigned rank = 0; rank < RANKS; rank++)
                if (rank != 1)
                        kill(lab.pid[rank], SIGKILL);
        while (wait(NULL) > 0)
                ;
        lab_stop(&lab);
}
static void an_abort_is_one_event_with_rank_and_clean_text(void **state) { (void) state; in_own_process(aborted); }

/* ---- environment ---- */

static void environment(void)
{
        setenv("PMIX_NAMESPACE", "slurm.pmix.1.0", 1);
        setenv("PMIX_SECURITY_MODE", "munge", 1);
        setenv("PMIX_MCA_mine", "kept", 1);
        struct lab lab;
        lab_start(&lab);
        check(!getenv("PMIX_NAMESPACE") && getenv("PMIX_MCA_mine"));

        char **env = NULL, **again = NULL;
        check(wire_rank_env(lab.wire, 2, &env, &lab.err) == 0);
        check(wire_rank_env(lab.wire, 2, &again, &lab.err) == 0);
        const char *const *v = (const char *const *) (uintptr_t) env;
        check(strcmp(strv_env(v, "PMIX_NAMESPACE"), "test_wire") == 0);
        check(strcmp(strv_env(v, "PMIX_RANK"), "2") == 0);
        check(strcmp(strv_env(v, "PMIX_SERVER_TMPDIR"), lab.dir) == 0);
        check(strcmp(strv_env(v, "PMIX_SECURITY_MODE"), "none") == 0 && !getenv("PMIX_MCA_psec"));
        check(strv_env(v, "JSM_JSRUN_PORT"));
        check(strstr(strv_env(v, "PMIX_SERVER_URI4"), "tcp4://127.0.0.1:"));
        check(!strv_env(v, "PATH"));
        for (size_t i = 0; env[i] || again[i]; i++)
                check(env[i] && again[i] && strcmp(env[i], again[i]) == 0);
        wire_env_free(env);
        wire_env_free(again);

        check(wire_rank_env(lab.wire, RANKS, &env, &lab.err) == -EINVAL);
        check(strcmp(lab.err.text, "rank 4 of a job of 4") == 0);
        lab_stop(&lab);
}
static void the_environment_of_a_rank_is_ours_alone(void **state) { (void) state; in_own_process(environment); }

static void words_of_other_launchers_are_known(void **state)
{
        (void) state;
        assert_true(wire_env_is_foreign("PMIX_RANK=3"));
        assert_true(wire_env_is_foreign("PMI_FD=3"));
        assert_true(wire_env_is_foreign("OMPI_COMM_WORLD_RANK"));
        assert_false(wire_env_is_foreign("PMIX_MCA_gds=hash"));
        assert_false(wire_env_is_foreign("OMPI_MCA_btl=self,vader"));
        assert_false(wire_env_is_foreign("SLURM_JOB_ID=7"));
}

/* ---- starting and stopping ---- */

static void second_server(void)
{
        struct lab lab;
        lab_start(&lab);
        struct wire *second = NULL;
        check(wire_start(&lab.job, &second, &lab.err) == -EBUSY);
        check(!second && strstr(lab.err.text, "once"));
        lab_stop(&lab);
        check(mkdir(lab.dir, 0700) == 0);
        check(wire_start(&lab.job, &second, &lab.err) == -EBUSY);
        check(rmdir(lab.dir) == 0);
}
static void a_process_starts_one_server_only(void **state) { (void) state; in_own_process(second_server); }

static void leftovers(void)
{
        struct lab lab;
        lab_start(&lab);
        char victim[] = "/tmp/test_wire_victim.XXXXXX", path[128], link[128];
        check(mkdtemp(victim));
        snprintf(path, sizeof(path), "%s/precious", victim);
        check(creat(path, 0600) >= 0);

        /* a rank that can write there leaves a link, a deep tree, and a link where libpmix has its own files */
        snprintf(link, sizeof(link), "%s/link", lab.dir);
        check(symlink(victim, link) == 0);
        snprintf(link, sizeof(link), "%s/a", lab.dir);
        check(mkdir(link, 0700) == 0);
        snprintf(link, sizeof(link), "%s/a/b", lab.dir);
        check(mkdir(link, 0700) == 0);
        char aside[128];
        snprintf(link, sizeof(link), "%s/pmix_dstor_ds21_%d", lab.dir, getpid());
        snprintf(aside, sizeof(aside), "%s/aside", lab.dir);
        if (rename(link, aside) == 0)
                check(symlink(victim, link) == 0);

        lab_stop(&lab);
        check(access(path, F_OK) == 0);
        check(unlink(path) == 0 && rmdir(victim) == 0);
}
static void stopping_removes_leftovers_but_follows_no_link(void **state) { (void) state; in_own_process(leftovers); }

static void expect_refusal(const struct wire_job *job, int code, const char *part)
{
        struct wire *wire = NULL;
        struct error err = ERROR_INIT;
        int r = wire_start(job, &wire, &err);
        if (r != code || !strstr(err.text, part))
                fprintf(stderr, "got %d \"%s\", not %d \"...%s...\"\n", r, err.text, code, part);
        check(r == code && strstr(err.text, part) && !wire);
}

static void bad_jobs(void)
{
        struct lab lab;
        lab_init(&lab);
        char longest[300];
        memset(longest, 'x', sizeof(longest));
        longest[256] = '\0';

        struct wire_job job = lab.job;
        job.size = 0;
        expect_refusal(&job, -EINVAL, "0 ranks");
        job.size = 65536;
        expect_refusal(&job, -EINVAL, "65536 ranks");
        job = lab.job;
        job.name = longest;
        expect_refusal(&job, -EINVAL, "1 to 255 bytes");
        job.name = "../up";
        expect_refusal(&job, -EINVAL, "\"../up\"");
        job = lab.job;
        job.hostname = "a,b";
        expect_refusal(&job, -EINVAL, "\"a,b\"");
        job = lab.job;
        job.dir = "tmp";
        expect_refusal(&job, -EINVAL, "absolute");
        job.dir = "/nowhere/at/all";
        expect_refusal(&job, -ENOENT, "/nowhere/at/all");

        /* noticed only when the server runs: it has to go away again */
        static const char *const cpus[RANKS] = { "0", "banana", "0", "0" };
        job = lab.job;
        job.cpu_lists = cpus;
        expect_refusal(&job, -EINVAL, "CPUs of rank 1, \"banana\"");
        check(count_entries(lab.dir) == 0);
        check(rmdir(lab.dir) == 0);
}
static void a_bad_job_is_refused_with_a_sentence(void **state) { (void) state; in_own_process(bad_jobs); }

/* ---- what libpmix asks only if told to: straight at the callbacks ---- */

static void note_status(pmix_status_t status, const char *blob, size_t size, void *data, pmix_release_cbfunc_t release,
                        void *release_data)
{
        (void) blob;
        (void) size;
        (void) release;
        (void) release_data;
        *(pmix_status_t *) data = status;
}

static void a_fence_of_local_ranks_is_complete_at_once(void **state)
{
        (void) state;
        struct wire wire = { .name = "job", .size = 2 };
        pmix_server_module_t *module = wire_server_module(&wire);
        pmix_proc_t all, two[2], strange[2];
        PMIX_LOAD_PROCID(&all, "job", PMIX_RANK_WILDCARD);
        PMIX_LOAD_PROCID(&two[0], "job", 0);
        PMIX_LOAD_PROCID(&two[1], "job", 1);
        strange[0] = two[0];
        PMIX_LOAD_PROCID(&strange[1], "other", 1);

        pmix_status_t done = PMIX_ERROR;
        assert_int_equal(module->fence_nb(&all, 1, NULL, 0, NULL, 0, note_status, &done), PMIX_SUCCESS);
        assert_int_equal(done, PMIX_SUCCESS);
        done = PMIX_ERROR;
        assert_int_equal(module->fence_nb(two, 2, NULL, 0, NULL, 0, note_status, &done), PMIX_SUCCESS);
        assert_int_equal(done, PMIX_SUCCESS);
        done = PMIX_ERROR;
        assert_int_equal(module->fence_nb(strange, 2, NULL, 0, NULL, 0, note_status, &done), PMIX_ERR_NOT_SUPPORTED);
        two[1].rank = 2;
        assert_int_equal(module->fence_nb(two, 2, NULL, 0, NULL, 0, note_status, &done), PMIX_ERR_NOT_SUPPORTED);
        assert_int_equal(done, PMIX_ERROR);
        assert_int_equal(module->direct_modex(&strange[1], NULL, 0, note_status, &done), PMIX_ERR_NOT_FOUND);
        (void) wire_server_module(NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(ranks_exchange_data_and_stopping_leaves_nothing),
                cmocka_unit_test(a_rank_is_told_its_place_in_the_job),
                cmocka_unit_test(a_bound_rank_is_told_its_cpus),
                cmocka_unit_test(ranks_of_another_user_can_connect),
                cmocka_unit_test(a_rank_that_changed_its_user_is_still_served),
                cmocka_unit_test(data_of_a_rank_that_does_not_exist_is_an_error),
                cmocka_unit_test(an_abort_is_one_event_with_rank_and_clean_text),
                cmocka_unit_test(the_environment_of_a_rank_is_ours_alone),
                cmocka_unit_test(words_of_other_launchers_are_known),
                cmocka_unit_test(a_process_starts_one_server_only),
                cmocka_unit_test(stopping_removes_leftovers_but_follows_no_link),
                cmocka_unit_test(a_bad_job_is_refused_with_a_sentence),
                cmocka_unit_test(a_fence_of_local_ranks_is_complete_at_once),
        };
        return cmocka_run_group_tests(tests, NULL, NULL);
}

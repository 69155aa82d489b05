/*
 * wirerun - the smallest launcher: hpc/wire.h without containers.
 *
 *      wirerun [-n RANKS] [-b CPULIST,... per rank: "0:1:0-1"] -- COMMAND [ARGS...]
 *
 * For tests and for a person who wants to see what an MPI library says to our
 * server. Exit status: of the abort, else the worst of the ranks (128 + signal).
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hpc/wire.h"

/* LeakSanitizer asks for this: libpmix and what it opens leak at exit, and that is not ours to find. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) { return "leak:libpmix\nleak:libhwloc\nleak:libevent"; }

enum { MOST = 1024 };

static pid_t start_rank(struct wire *wire, unsigned rank, char **argv)
{
        struct error err = ERROR_INIT;
        char **env = NULL;
        if (wire_rank_env(wire, rank, &env, &err) < 0) {
                fprintf(stderr, "wirerun: %s\n", err.text);
                return -1;
        }
        pid_t pid = fork();
        if (pid == 0) {
                for (char **e = env; *e; e++)
                        putenv(*e);
                execvp(argv[0], argv);
                fprintf(stderr, "wirerun: %s: %s\n", argv[0], strerror(errno));
                _exit(127);
        }
        wire_env_free(env);
        return pid;
}

static void kill_all(const pid_t *pids, unsigned n)
{
        for (unsigned i = 0; i < n; i++)
                if (pids[i] > 0)
                        kill(pids[i], SIGKILL);
}

/* Wait for everybody; the first failure ends the others. */
static int wait_ranks(struct wire *wire, pid_t *pids, unsigned n)
{
        int worst = 0, aborted = 0, status;
        pid_t pid;
        while ((pid = wait(&status)) > 0) {
                unsigned rank = 0;
                while (rank < n && pids[rank] != pid)
                        rank++;
                if (rank == n)
                        continue;
                pids[rank] = 0;
                struct wire_event event;
                while (wire_next_event(wire, &event)) {
                        fprintf(stderr, "wirerun: rank %u aborted with %d: %s\n", event.rank, event.status,
                                event.message);
                        aborted = aborted ? aborted : event.status;
                }
                int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
                bool early = wire_rank_state(wire, rank) == WIRE_RANK_CONNECTED;
                if ((code || early) && !worst) {
                        worst = code ? code : 1;
                        fprintf(stderr, "wirerun: rank %u ended with %d%s\n", rank, code,
                                early ? " without MPI_Finalize" : "");
                        kill_all(pids, n);
                }
        }
        return aborted ? aborted : worst;
}

int main(int argc, char **argv)
{
        static const char *cpus[MOST];
        static pid_t pids[MOST];
        unsigned n = 2, n_cpus = 0;
        int option;
        while ((option = getopt(argc, argv, "+n:b:")) != -1) {
                if (option == 'n')
                        n = (unsigned) atoi(optarg);
                else if (option == 'b')
                        for (char *list = strtok(optarg, ":"); list && n_cpus < MOST; list = strtok(NULL, ":"))
                                cpus[n_cpus++] = list;
                else
                        return 2;
        }
        char dir[] = "/tmp/wirerun.XXXXXX", name[64], host[64];
        if (optind == argc || n > MOST || !mkdtemp(dir) || gethostname(host, sizeof(host)) < 0)
                return 2;
        snprintf(name, sizeof(name), "wirerun.%d", getpid());

        struct wire_job job = { .name = name, .hostname = host, .dir = dir, .size = n, .uid = geteuid(),
                                .gid = getegid(), .outside_uid = geteuid(), .cpu_lists = n_cpus ? cpus : NULL };
        struct error err = ERROR_INIT;
        struct wire *wire = NULL;
        if (wire_start(&job, &wire, &err) < 0) {
                fprintf(stderr, "wirerun: %s\n", err.text);
                rmdir(dir);
                return 1;
        }
        for (unsigned rank = 0; rank < n; rank++)
                pids[rank] = start_rank(wire, rank, argv + optind);
        int code = wait_ranks(wire, pids, n);
        wire_stop(wire);
        if (rmdir(dir) < 0) {
                fprintf(stderr, "wirerun: %s: %s\n", dir, strerror(errno));
                return 1;
        }
        return code;
}

/*
 * timer - how long does a command take, without a shell around it?
 *
 *      timer [-n COUNT] [-p PARALLEL] [-f FIRST] -- COMMAND [ARG...]
 *
 * Runs COMMAND COUNT times in each of PARALLEL sequences that run side by side (1 and 1
 * unless told). "{}" in an argument becomes the number of the run, from FIRST on: ids have
 * to differ. Prints one line when all are done: microseconds on the clock, microseconds
 * of CPU time of the command and what it waited for. Fails if any run failed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static long long now_us(void)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (long long) t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* A copy of the command with the number in the place of "{}". Freed by the end of the program. */
static char **numbered(char **command, int n, int number)
{
        char **argv = calloc((size_t) n + 1, sizeof(*argv));
        for (int i = 0; argv && i < n; i++) {
                char *at = strstr(command[i], "{}");
                if (!at)
                        argv[i] = command[i];
                else if (asprintf(&argv[i], "%.*s%d%s", (int) (at - command[i]), command[i], number, at + 2) < 0)
                        return NULL;
        }
        return argv;
}

static void sequence(char **command, int n, int first, int count)
{
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
        for (int i = 0; i < count; i++) {
                char **argv = numbered(command, n, first + i);
                pid_t pid;
                int status;
                errno = argv ? posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ) : ENOMEM;
                if (errno || waitpid(pid, &status, 0) < 0 || status != 0) {
                        fprintf(stderr, "timer: %s failed: %s\n", command[0], errno ? strerror(errno) : "bad status");
                        _exit(1);
                }
        }
        _exit(0);
}

int main(int argc, char **argv)
{
        int count = 1, parallel = 1, first = 0, option;
        while ((option = getopt(argc, argv, "+n:p:f:")) != -1) {
                switch (option) {
                case 'n': count = atoi(optarg); break;
                case 'p': parallel = atoi(optarg); break;
                case 'f': first = atoi(optarg); break;
                default: return 2;
                }
        }
        if (optind == argc || count < 1 || parallel < 1) {
                fprintf(stderr, "usage: timer [-n COUNT] [-p PARALLEL] [-f FIRST] -- COMMAND...\n");
                return 2;
        }

        long long start = now_us();
        for (int i = 0; i < parallel; i++) {
                pid_t pid = fork();
                if (pid == 0)
                        sequence(argv + optind, argc - optind, first + i * count, count);
                if (pid < 0) {
                        perror("timer: fork");
                        return 1;
                }
        }
        int status, failed = 0;
        for (int i = 0; i < parallel; i++)
                failed |= wait(&status) < 0 || status != 0;
        long long wall = now_us() - start;

        struct rusage used;
        getrusage(RUSAGE_CHILDREN, &used);
        printf("%lld %lld\n", wall,
               (long long) (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1000000 + used.ru_utime.tv_usec +
                       used.ru_stime.tv_usec);
        return failed;
}

/*
 * pi - a small real computation that says where it ran.
 *
 *      pi [MILLIONS]           points to throw, default 20 million
 *
 * Estimates pi by throwing points at a square and counting those in the circle.
 * Ranks of a job (BERTH_RANK, BERTH_SIZE) throw different points. Prints one line:
 * rank, the CPU and NUMA node it ended on, the CPUs it may use, the result, the time.
 *
 *      gcc -O2 -static -o pi pi.c
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* xorshift64*: good enough to throw points, and no library between us and the CPU */
static uint64_t next_random(uint64_t *state)
{
        uint64_t x = *state;
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        *state = x;
        return x * UINT64_C(2685821657736338717);
}

static double now(void)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double) t.tv_sec + (double) t.tv_nsec * 1e-9;
}

/* "0-3,8": as taskset prints it */
static void print_cpus(void)
{
        cpu_set_t set;
        if (sched_getaffinity(0, sizeof(set), &set) < 0) {
                printf("?");
                return;
        }
        const char *comma = "";
        for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
                if (!CPU_ISSET(cpu, &set))
                        continue;
                int last = cpu;
                while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, &set))
                        last++;
                printf(last == cpu ? "%s%d" : "%s%d-%d", comma, cpu, last);
                comma = ",";
                cpu = last;
        }
}

static const char *variable(const char *name, const char *otherwise)
{
        const char *value = getenv(name);
        return value && *value ? value : otherwise;
}

int main(int argc, char **argv)
{
        char *end = NULL;
        long millions = argc > 1 ? strtol(argv[1], &end, 10) : 20;
        if (millions < 1 || millions > 1000000 || (end && *end)) {
                fprintf(stderr, "usage: pi [MILLIONS]\n");
                return 2;
        }
        const char *rank = variable("BERTH_RANK", "0");
        uint64_t state = UINT64_C(88172645463325252) + UINT64_C(7919) * (strtoull(rank, NULL, 10) + 1);

        double start = now();
        uint64_t points = (uint64_t) millions * 1000000, inside = 0;
        for (uint64_t i = 0; i < points; i++) {
                double x = (double) (next_random(&state) >> 11) * 0x1p-53;
                double y = (double) (next_random(&state) >> 11) * 0x1p-53;
                inside += x * x + y * y < 1;
        }
        double seconds = now() - start;

        unsigned cpu = 0, node = 0;
        getcpu(&cpu, &node);
        printf("rank %s of %s: pi is about %.6f; cpu %u, numa node %u, may use cpus ", rank, variable("BERTH_SIZE", "1"),
               4.0 * (double) inside / (double) points, cpu, node);
        print_cpus();
        printf("; %.3f s, %.0f million points/s\n", seconds, (double) millions / seconds);
        return 0;
}

/* What placing costs: a node of 2 x 128 cores with two threads each, and more and more instances. Prints Markdown.
 * Status 1 when a thousand take longer than they may. */
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "hpc/place.h"

#define MACHINE "package:2 numa:4 l3:4 core:8 pu:2"
#define ROUNDS 5
#define LIMIT_MS 20     /* for a thousand: the promise */

static double now_ms(void)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double) t.tv_sec * 1e3 + (double) t.tv_nsec / 1e6;
}

struct words {
        const char *map, *bind, *slurm;
};

static int parse(const struct words *w, unsigned n, struct place_wish *ret, struct error *err)
{
        struct place_wish wish = PLACE_WISH_INIT;
        wish.instances = n;
        wish.oversubscribe = true;
        int r = w->map ? place_parse_map_by(&wish, w->map, err) : place_parse_cpu_bind(&wish, w->slurm, err);
        if (r == 0 && w->bind)
                r = place_parse_bind_to(&wish, w->bind, err);
        *ret = wish;
        return r;
}

/*
 * In a process of its own, whose heap never shrinks: how far it has grown is the peak. Small free pieces of before
 * are filled first, hence a row of no instances would show 0.
 */
static int measure_here(const struct topology *t, const struct words *w, unsigned n)
{
        struct place_wish wish;
        struct error err = ERROR_INIT;
        struct placement *kept = NULL;
        double best = 1e9;
        size_t peak = 0, stays = 0;
        int r = parse(w, n, &wish, &err);
        for (int i = 0; r == 0 && i < ROUNDS; i++) {
                struct mallinfo2 before = mallinfo2();
                double start = now_ms();
                r = place(t, &wish, &kept, &err);
                double took = now_ms() - start;
                struct mallinfo2 after = mallinfo2();
                if (i == 0) {
                        peak = after.arena - before.arena + before.keepcost;
                        stays = after.uordblks - before.uordblks;
                }
                best = took < best ? took : best;
        }
        if (r < 0 || !kept) {
                fprintf(stderr, "%s\n", err.text);
                return 1;
        }
        printf("| `%s%s%s` | %u | %.2f | %zu | %zu |\n", w->map ? w->map : w->slurm, w->bind ? " " : "", w->bind ? w->bind : "", n,
               best, peak / 1024, stays / 1024);
        return best > LIMIT_MS * (double) n / 1000;
}

static int measure(const struct topology *t, const struct words *w, unsigned n)
{
        int status = 1;
        (void) fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
                int r = measure_here(t, w, n);
                _exit(fflush(stdout) == 0 ? r : 1);
        }
        if (child < 0 || waitpid(child, &status, 0) < 0)
                return 1;
        return status != 0;
}

int main(void)
{
        auto_topology struct topology *t = NULL;
        struct error err = ERROR_INIT;
        double start = now_ms();

        setenv("HWLOC_SYNTHETIC", MACHINE, 1);
        /* So that everything is counted in one place, and to the page. */
        (void) mallopt(M_MMAP_THRESHOLD, 1 << 30);
        (void) mallopt(M_TRIM_THRESHOLD, -1);
        (void) mallopt(M_TOP_PAD, 0);
        if (topology_load(&t, &err) < 0) {
                fprintf(stderr, "%s\n", err.text);
                return 1;
        }
        printf("Placing on %u cores, %u hardware threads (`%s`; loading the topology: %.1f ms); the best of %d.\n\n",
               topology_cores(t), topology_pus(t), MACHINE, now_ms() - start, ROUNDS);
        printf("| words | instances | ms | KiB of heap at most | of it for the result |\n|---|---:|---:|---:|---:|\n");
        static const unsigned counts[] = { 1000, 2000, 4000 };
        static const struct words words[] = {
                { "core", "core:overload-allowed", NULL },           { "numa", "core:overload-allowed", NULL },
                { "l3cache:PE=2", "core:overload-allowed", NULL },   { "pe-list=0-255:ORDERED", "core:overload-allowed", NULL },
                { NULL, NULL, "rank_ldom" },
        };
        int failed = 0;
        for (size_t k = 0; k < sizeof(words) / sizeof(*words); k++)
                for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++)
                        failed |= measure(t, &words[k], counts[i]);
        return failed;
}

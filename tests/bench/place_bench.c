/* What placing costs: a node of 2 x 128 cores with two threads each, and more and more instances. Prints Markdown. */
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "hpc/place.h"

#define MACHINE "package:2 numa:4 l3:4 core:8 pu:2"
#define ROUNDS 5

static double now_ms(void)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double) t.tv_sec * 1e3 + (double) t.tv_nsec / 1e6;
}

static int measure(const struct topology *t, const char *map, const char *bind, const char *slurm, unsigned n)
{
        struct place_wish wish = PLACE_WISH_INIT;
        struct error err = ERROR_INIT;
        double best = 1e9;
        size_t bytes = 0, slots = 0;

        wish.instances = n;
        wish.oversubscribe = true;
        int r = map ? place_parse_map_by(&wish, map, &err) : place_parse_cpu_bind(&wish, slurm, &err);
        if (r == 0 && bind)
                r = place_parse_bind_to(&wish, bind, &err);
        for (int i = 0; r == 0 && i < ROUNDS; i++) {
                auto_placement struct placement *p = NULL;
                size_t before = mallinfo2().uordblks;
                double start = now_ms();
                r = place(t, &wish, &p, &err);
                double took = now_ms() - start;
                best = took < best ? took : best;
                bytes = mallinfo2().uordblks - before + mallinfo2().hblkhd;
                slots = p ? p->n_slots : 0;
        }
        if (r < 0) {
                fprintf(stderr, "%s\n", err.text);
                return 1;
        }
        printf("| %s %s | %u | %zu | %.2f | %zu |\n", map ? map : slurm, bind ? bind : "", n, slots, best, bytes / 1024);
        return 0;
}

int main(void)
{
        auto_topology struct topology *t = NULL;
        struct error err = ERROR_INIT;
        double start = now_ms();

        setenv("HWLOC_SYNTHETIC", MACHINE, 1);
        (void) mallopt(M_MMAP_THRESHOLD, 1 << 30); /* so that everything is counted in one place */
        if (topology_load(&t, &err) < 0) {
                fprintf(stderr, "%s\n", err.text);
                return 1;
        }
        printf("Placing on %u cores, %u hardware threads (loading the topology: %.1f ms); the best of %d.\n\n",
               topology_cores(t), topology_pus(t), now_ms() - start, ROUNDS);
        printf("| words | instances | slots | ms | KiB |\n|---|---|---|---|---|\n");
        static const unsigned counts[] = { 100, 1000, 10000 };
        int failed = 0;
        for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
                failed |= measure(t, "core", "core:overload-allowed", NULL, counts[i]);
                failed |= measure(t, "numa", "core:overload-allowed", NULL, counts[i]);
                failed |= measure(t, "l3cache:PE=2", "core:overload-allowed", NULL, counts[i]);
                failed |= measure(t, "pe-list=0-255:ORDERED", "core:overload-allowed", NULL, counts[i]);
                failed |= measure(t, NULL, NULL, "rank_ldom", counts[i]);
        }
        return failed;
}

/*
 * mpi_hello - does MPI work here, and how do the ranks reach each other?
 *
 *      mpi_hello [--need-shm] [--size BYTES] [--rounds N]
 *
 * Every rank says one line: who it is, whether a sum over all ranks is right,
 * whether messages that go around a ring arrive intact and how fast, and with
 * how many other ranks it shares memory. Exit status 0 if all of it is right;
 * --need-shm asks for shared memory with every other rank.
 *
 * Shared memory is proved by looking: Open MPI's vader maps one segment per rank
 * (vader_segment.<host>...) into each of its peers. Messages could still go
 * elsewhere; to force them through it, leave nothing else:
 *
 *      OMPI_MCA_pml=ob1 OMPI_MCA_btl=self,vader
 */
#define _GNU_SOURCE
#include <mpi.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct wish {
        bool need_shm;
        int size, rounds;
};

static struct wish read_args(int argc, char **argv)
{
        struct wish wish = { .size = 1 << 20, .rounds = 20 };
        for (int i = 1; i < argc; i++) {
                if (strcmp(argv[i], "--need-shm") == 0)
                        wish.need_shm = true;
                else if (strcmp(argv[i], "--size") == 0 && i + 1 < argc)
                        wish.size = atoi(argv[++i]);
                else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc)
                        wish.rounds = atoi(argv[++i]);
        }
        return wish;
}

static bool sum_is_right(int rank, int ranks)
{
        long mine = rank + 1, sum = 0;
        MPI_Allreduce(&mine, &sum, 1, MPI_LONG, MPI_SUM, MPI_COMM_WORLD);
        return sum == (long) ranks * (ranks + 1) / 2;
}

/* To the right, from the left. Every byte depends on sender, round and position. */
static bool ring_is_right(int rank, int ranks, const struct wish *wish, double *ret_mb_per_s)
{
        int right = (rank + 1) % ranks, left = (rank + ranks - 1) % ranks;
        size_t size = (size_t) wish->size;
        unsigned char *out = malloc(size + 1), *in = malloc(size + 1);
        if (!out || !in)
                MPI_Abort(MPI_COMM_WORLD, 3);

        bool right_bytes = true;
        double seconds = 0;
        for (int round = 0; round < wish->rounds; round++) {
                for (size_t i = 0; i < size; i++)
                        out[i] = (unsigned char) ((size_t) (rank + round) + i * 7);
                memset(in, 0, size);
                MPI_Barrier(MPI_COMM_WORLD);
                double start = MPI_Wtime();
                MPI_Sendrecv(out, wish->size, MPI_BYTE, right, round, in, wish->size, MPI_BYTE, left, round,
                             MPI_COMM_WORLD, MPI_STATUS_IGNORE);
                seconds += MPI_Wtime() - start;
                for (size_t i = 0; i < size; i++)
                        right_bytes = right_bytes && in[i] == (unsigned char) ((size_t) (left + round) + i * 7);
        }
        *ret_mb_per_s = (double) size * wish->rounds / seconds / 1e6;
        free(out);
        free(in);
        return right_bytes;
}

/* How many vader segments are mapped here, but for our own. Each one is a line or more of the map. */
static int count_shm_peers(void)
{
        FILE *maps = fopen("/proc/self/maps", "re");
        char *line = NULL, last[512] = "";
        size_t room = 0;
        int segments = 0;
        while (maps && getline(&line, &room, maps) > 0) {
                char *name = strstr(line, "vader_segment.");
                if (!name || strcmp(name, last) == 0)
                        continue;
                snprintf(last, sizeof(last), "%s", name);
                segments++;
        }
        free(line);
        if (maps)
                fclose(maps);
        return segments > 0 ? segments - 1 : 0;
}

int main(int argc, char **argv)
{
        MPI_Init(&argc, &argv);
        struct wish wish = read_args(argc, argv);
        int rank, ranks;
        char host[256] = "";
        MPI_Comm_rank(MPI_COMM_WORLD, &rank);
        MPI_Comm_size(MPI_COMM_WORLD, &ranks);
        gethostname(host, sizeof(host) - 1);

        double speed = 0;
        bool sum = sum_is_right(rank, ranks);
        bool ring = ring_is_right(rank, ranks, &wish, &speed);
        int peers = count_shm_peers();
        bool shm = !wish.need_shm || peers == ranks - 1;
        printf("rank %d of %d on %s pid %d: sum %s, ring of %d bytes %s at %.0f MB/s, shared memory with %d%s\n",
               rank, ranks, host, (int) getpid(), sum ? "ok" : "WRONG", wish.size, ring ? "ok" : "WRONG", speed,
               peers, shm ? "" : " (TOO FEW)");
        fflush(stdout);
        MPI_Finalize();
        return sum && ring && shm ? 0 : 1;
}

/*
 * mpi_end - end badly in the middle of a job.
 *
 *      mpi_end abort|exit|segv|early RANK
 *
 * RANK calls MPI_Abort(5), exits with 6, crashes, or exits with 0 without
 * MPI_Finalize; the others wait in a barrier that never completes.
 */
#include <mpi.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
        int rank;
        MPI_Init(&argc, &argv);
        MPI_Comm_rank(MPI_COMM_WORLD, &rank);
        const char *how = argc > 1 ? argv[1] : "abort";
        if (rank == (argc > 2 ? atoi(argv[2]) : 0)) {
                if (strcmp(how, "abort") == 0)
                        MPI_Abort(MPI_COMM_WORLD, 5);
                if (strcmp(how, "exit") == 0)
                        _exit(6);
                if (strcmp(how, "early") == 0)
                        _exit(0);
                signal(SIGSEGV, SIG_DFL);
                raise(SIGSEGV);
        }
        MPI_Barrier(MPI_COMM_WORLD);
        MPI_Finalize();
        return 0;
}

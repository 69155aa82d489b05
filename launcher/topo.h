#pragma once
/*
 * topo - `berth topo`: this machine, and which containers run where in it.
 *
 * Who runs where is read from the state directory (containers, jobs), from /proc
 * (the instances of a job are its launcher's children and have BERTH_RANK), and
 * from the affinity of the first process of each.
 */

/* `argv` without the program's name. The exit status: 0, 1, or 2 for a wrong option. Prints. */
int topo_main(int argc, char **argv, char **environ_);

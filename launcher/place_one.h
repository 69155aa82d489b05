#pragma once
/*
 * place_one - the place of one container: what `berth run`, which has no hwloc, starts as "berth-place".
 *
 *      berth-place [--cpus LIST] [--numa LIST] [--bind WORDS] [--mem-bind WORDS] [--within-cpus LIST] [--within-mems LIST]
 *
 * - What may be given is our own affinity and Mems_allowed, less what is not in --within-*.
 * - --cpus are the CPUs; without, those of the NUMA nodes of --numa; without, all. --bind picks an object among them.
 * - Memory is that of --numa; without, of the nodes near the CPUs. --mem-bind says how; without, it is bound to --numa,
 *   or preferred there, if there are CPUs to be near to and the caller has no memory policy of his own.
 *
 * Prints words for place_word(), each only if something is to be changed:
 *
 *      cpus=0-3                what to bind to
 *      mems=0                  for cpuset.mems
 *      mode=MPOL_PREFERRED     as linux.memoryPolicy calls it,
 *      nodes=0                 its nodes,
 *      memory=prefer           and as we do
 */

/* `argv` without the program's name. The exit status: 0, or 1 and a line on stderr. Narrows our affinity. */
int place_one_main(int argc, char **argv);

#pragma once
/*
 * options - what the command line of `berth launch` asks for.
 *
 * One table has a row per option: parsing, --help and the test that compares
 * the option chapter of docs/launch.md all read it. Pure: no system call.
 *
 *      struct launch_options o = LAUNCH_OPTIONS_INIT;
 *      switch (options_parse(&o, argc, argv, &err)) ...
 *
 * Options may stand before or behind BUNDLE; `--` ends them, and what follows
 * it is the command. All strings are borrowed from argv.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

enum isolate { ISOLATE_DEFAULT, ISOLATE_FULL, ISOLATE_RANKS };
enum bindings { BINDINGS_NONE, BINDINGS_TEXT, BINDINGS_JSON };
enum wire_up { WIRE_UP_NONE, WIRE_UP_PMIX };

struct launch_options {
        uint32_t instances;             /* 0: one for each slot */
        uint32_t cpus;                  /* per instance; 0: 1 */
        uint32_t spawners;              /* 0: one per CPU, at most 8 */
        uint32_t isolate, mpi;          /* enum isolate, enum wire_up */
        uint64_t kill_wait_ms;
        uint32_t report_bindings;       /* enum bindings */
        const char *map_by, *rank_by, *bind_to;                         /* NULL: the default */
        const char *cpu_bind, *distribution, *hint, *mem_bind;          /* srun's */
        const char *report, *root, *name;
        uint32_t gpus_per_rank;         /* 0: none */
        const char **devices, **groups, **cdi_dirs, **devices_per_rank; /* NULL-terminated, or NULL; freed by options_clear() */
        bool oversubscribe, label, dry_run, quiet, debug, help;
        const char *bundle;             /* NULL only with dry_run or help */
        const char *const *command;     /* NULL: the one of config.json */
};

#define LAUNCH_OPTIONS_INIT ((struct launch_options){ .kill_wait_ms = 5000 })

/* `argv` without the program's name. -EINVAL with one line that names the option. */
int options_parse(struct launch_options *ret, int argc, char **argv, struct error *err) MUST_CHECK;

void options_clear(struct launch_options *options);

/* --help, generated from the table. */
void options_help(FILE *out);

/* Row `i` of the table as "-n, --instances N"; false behind the last one. For the test of the manual. */
bool options_word(unsigned i, char *buf, size_t size);

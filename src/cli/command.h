#pragma once
/*
 * command - one verb of the program: a row, a table of options, a function.
 *
 * To add a verb: write cmd_<verb>.c with a `const struct command`, name it here,
 * and put it into the table of main.c. Only this folder prints.
 */

#include <stdio.h>

#include "base/log.h"
#include "cli/option.h"
#include "plan/compile.h"

/* The options before the verb. */
struct globals {
        const char *program;            /* as we were called: "berth", "runc" */
        const char *root;               /* as given; NULL: the default */
        const char *log, *log_format;
        const char *log_level;          /* NULL: warnings and errors */
        bool debug;
        bool no_cgroup, systemd;        /* the cgroup manager; neither: we make cgroups ourselves */
        enum rootless rootless;
        int log_fd;                     /* of `log`, with debug: paths may mean something else while namespaces are joined */
        char *const *argv;              /* all of our command line */
};

struct call {
        const struct globals *globals;
        const void *args;               /* the struct of the command, filled by its options */
        struct positional pos;
        struct arena *arena;
        const struct log *log;          /* what is done, step by step; NULL: nobody listens */
};

struct command {
        const char *name;
        const char *arguments;          /* "<container-id> [signal]" */
        const char *summary;            /* one line */
        struct option_set options;
        size_t args_size;
        size_t min, max;                /* number of positional arguments; max SIZE_MAX: any */
        int failed;                     /* exit status when we fail */
        bool raw;                       /* has its own parser: everything is an argument */
        /* The exit status, or a negative errno with the sentence in `err`. */
        int (*run)(const struct call *call, struct error *err);
        const char *text;               /* further paragraphs of the help; NULL: none */
};

#define ARGS_MAX 256    /* room for the struct of any command */
#define COUNT(a) (sizeof(a) / sizeof(*(a)))

extern const struct command cmd_checkpoint, cmd_create, cmd_delete, cmd_events, cmd_exec, cmd_features, cmd_kill,
        cmd_launch, cmd_list, cmd_pause, cmd_plan, cmd_ps, cmd_restore, cmd_resume, cmd_run, cmd_spec, cmd_start, cmd_state,
        cmd_topo, cmd_update;

/* Open the state directory. `create`: make it if it is not there; otherwise a missing default one is -ENOENT too. */
int command_root(const struct call *call, bool create, int *ret_fd, struct error *err) MUST_CHECK;

/* The bundle as an absolute path without links, and our directory from here on. NULL: the current one. */
int command_bundle(const struct call *call, const char *given, const char **ret, struct error *err) MUST_CHECK;

/* LISTEN_FDS of the environment: 0 if there are none. */
int command_listen_fds(uint32_t *ret, struct error *err) MUST_CHECK;

/* Say what went wrong, but did not make us fail. */
void command_warn(const struct call *call, const struct error *warning);

/* report.c: a line of the debug log (struct log), to the log file if there is one, else on standard error. */
int report_open(struct globals *globals, struct error *err) MUST_CHECK;
void report_debug(void *globals, const char *text);

/* On standard error, and into the log if there is one. `level`: "error", "warning". */
void report(const struct globals *globals, const char *level, const char *text);

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "cgroups/systemd.h"
#include "cli/command.h"
#include "cli/version.h"

#define EXIT_FAILED 1
#define EXIT_UNKNOWN_COMMAND 3

static const struct command *const commands[] = {
        &cmd_checkpoint, &cmd_create,  &cmd_delete, &cmd_events, &cmd_exec,  &cmd_features, &cmd_kill,
        &cmd_launch,     &cmd_list,    &cmd_pause,  &cmd_plan,   &cmd_ps,    &cmd_restore,  &cmd_resume,
        &cmd_run,        &cmd_spec,    &cmd_start,  &cmd_state,  &cmd_topo,  &cmd_update,   NULL,
};

struct global_args {
        struct globals g;
        bool version;
        const char *rootless, *cgroup_manager;
};

static const struct option global_options[] = {
        { "debug", 0, OPTION_FLAG, offsetof(struct global_args, g.debug), "tell each step as it is done: on standard error, or in the log file" },
        { "log", 0, OPTION_PATH, offsetof(struct global_args, g.log), "also append messages to this file" },
        { "log-format", 0, OPTION_TEXT, offsetof(struct global_args, g.log_format),
          "of the log file: text (default) or json" },
        { "log-level", 0, OPTION_TEXT, offsetof(struct global_args, g.log_level),
          "error, warning (default) or debug: what is less than that is not told" },
        { "root", 0, OPTION_PATH, offsetof(struct global_args, g.root),
          "directory of the containers' state (default: /run/berth, or $XDG_RUNTIME_DIR/berth)" },
        { "criu", 0, OPTION_IGNORED_VALUE, 0, "path of criu" },
        { "systemd-cgroup", 0, OPTION_FLAG, offsetof(struct global_args, g.systemd),
          "containers are units of systemd; cgroupsPath is then slice:prefix:name" },
        { "cgroup-manager", 0, OPTION_TEXT, offsetof(struct global_args, cgroup_manager),
          "cgroupfs (default); systemd: as --systemd-cgroup; disabled: stay in the caller's cgroup, without limits" },
        { "rootless", 0, OPTION_TEXT, offsetof(struct global_args, rootless),
          "true, false or auto: are cgroups left out that we may not use? auto: unless we are root" },
        { "version", 'v', OPTION_FLAG, offsetof(struct global_args, version), "print the version" },
};

static const struct option_set global_set = { global_options, COUNT(global_options), true };

static void add_version(struct str *s)
{
        const struct scmp_version *v = seccomp_version();
        str_addf(s, "commit: %s\nspec: %s\n", BERTH_COMMIT, OCI_SPEC_VERSION);
        str_addf(s, "libseccomp: %u.%u.%u\n", v->major, v->minor, v->micro);
}

static int show(struct str *text)
{
        if (str_failed(text))
                return EXIT_FAILED;
        fputs(text->text, stdout);
        return fflush(stdout) == 0 ? 0 : EXIT_FAILED;
}

static int show_help(const char *program)
{
        auto_str struct str s = STR_INIT;
        str_addf(&s,
                 "NAME:\n   %s - Open Container Initiative runtime and launcher of HPC jobs\n\n"
                 "Runs containers from bundles: directories with a config.json and a root file system,\n"
                 "as the OCI runtime specification describes them.\n\n"
                 "USAGE:\n   %s [global options] command [command options] [arguments...]\n\n"
                 "VERSION:\n   %s\n",
                 program, program, BERTH_VERSION);
        add_version(&s);
        str_add(&s, "\nCOMMANDS:\n");
        for (const struct command *const *c = commands; *c; c++)
                str_addf(&s, "   %-10s  %s\n", (*c)->name, (*c)->summary);
        str_addf(&s, "   %-10s  %s\n", "help, h", "show this, or the help of one command");
        str_add(&s, "\nGLOBAL OPTIONS:\n");
        option_help(&global_set, &s);
        str_add(&s, "   --help, -h  show help\n");
        return show(&s);
}

static int show_command_help(const char *program, const struct command *cmd)
{
        auto_str struct str s = STR_INIT;
        str_addf(&s, "NAME:\n   %s %s - %s\n\nUSAGE:\n   %s %s %s%s\n", program, cmd->name, cmd->summary, program,
                 cmd->name, cmd->options.n ? "[command options] " : "", cmd->arguments);
        if (cmd->text)
                str_addf(&s, "\n%s", cmd->text);
        if (cmd->options.n) {
                str_add(&s, "\nOPTIONS:\n");
                option_help(&cmd->options, &s);
        }
        return show(&s);
}

static int show_version(const char *program)
{
        auto_str struct str s = STR_INIT;
        str_addf(&s, "%s version %s\n", program, BERTH_VERSION);
        add_version(&s);
        return show(&s);
}

static const struct command *find_command(const char *name)
{
        for (const struct command *const *c = commands; *c; c++)
                if (strcmp((*c)->name, name) == 0)
                        return *c;
        return NULL;
}

/* runc's wording for what managers look for: run and create "failed", exec without the program's name. */
static int fail(const struct globals *g, const struct command *cmd, const struct error *err)
{
        auto_str struct str s = STR_INIT;
        if (cmd && strcmp(cmd->name, "exec") == 0)
                str_addf(&s, "exec failed: %s", err->text);
        else if (cmd && strcmp(cmd->name, "run") == 0 && err->kind == ERROR_EXECVE)
                str_add(&s, err->text); /* with runc the container's process says it itself */
        else if (cmd)
                str_addf(&s, "%s %s failed: %s", g->program, cmd->name, err->text);
        else
                str_addf(&s, "%s: %s", g->program, err->text);
        report(g, "error", str_failed(&s) ? err->text : s.text);
        return cmd ? cmd->failed : EXIT_FAILED;
}

/* As Go reads a bool. */
static int read_rootless(const char *word, enum rootless *ret, struct error *err)
{
        static const struct {
                const char *word;
                enum rootless value;
        } words[] = {
                { "", ROOTLESS_AUTO },    { "auto", ROOTLESS_AUTO },
                { "true", ROOTLESS_YES }, { "1", ROOTLESS_YES }, { "t", ROOTLESS_YES },
                { "false", ROOTLESS_NO }, { "0", ROOTLESS_NO },  { "f", ROOTLESS_NO },
        };
        for (size_t i = 0; i < COUNT(words); i++)
                if (strcasecmp(word, words[i].word) == 0) {
                        *ret = words[i].value;
                        return 0;
                }
        return error_say(err, -EINVAL, "invalid value \"%s\" for --rootless: expected true, false or auto", word);
}

static int check_globals(struct global_args *a, struct error *err)
{
        const char *f = a->g.log_format, *r = a->rootless, *l = a->g.log_level;
        if (f && strcmp(f, "text") != 0 && strcmp(f, "json") != 0)
                return error_say(err, -EINVAL, "invalid log-format: \"%s\": expected text or json", f);
        if (l && strcmp(l, "error") != 0 && strcmp(l, "warning") != 0 && strcmp(l, "debug") != 0)
                return error_say(err, -EINVAL, "invalid log-level: \"%s\": expected error, warning or debug", l);
        a->g.debug = a->g.debug || (l && strcmp(l, "debug") == 0);
        return r ? read_rootless(r, &a->g.rootless, err) : 0;
}

static int choose_manager(struct global_args *a, struct error *err)
{
        const char *m = a->cgroup_manager ? a->cgroup_manager : a->g.systemd ? "systemd" : "cgroupfs";
        if (a->g.systemd && strcmp(m, "systemd") != 0)
                return error_say(err, -EINVAL, "--systemd-cgroup and --cgroup-manager %s contradict each other", m);
        a->g.no_cgroup = strcmp(m, "disabled") == 0;
        a->g.systemd = strcmp(m, "systemd") == 0;
        if (!a->g.systemd && !a->g.no_cgroup && strcmp(m, "cgroupfs") != 0)
                return error_say(err, -EINVAL, "invalid value \"%s\" for --cgroup-manager: expected cgroupfs, systemd or "
                                 "disabled", m);
        if (a->g.systemd && !systemd_built())
                return error_say(err, -EOPNOTSUPP, "--systemd-cgroup: this program was built without libsystemd");
        return 0;
}

static int run_command(struct globals *g, const struct command *cmd, int argc, const char *const *argv,
                       struct arena *arena)
{
        struct error err = ERROR_INIT;
        _Alignas(max_align_t) char args[ARGS_MAX] = { 0 };
        const struct log listener = { report_debug, g }, *log = g->debug ? &listener : NULL;
        struct call call = { .globals = g, .args = args, .arena = arena, .log = log };
        int r = 0;
        if (cmd->raw)
                call.pos = (struct positional){ .list = (const char **) (uintptr_t) argv, .n = (size_t) argc };
        else
                r = option_parse(&cmd->options, argc, argv, arena, args, &call.pos, &err);
        if (r == 0 && call.pos.help)
                return show_command_help(g->program, cmd);
        if (r == 0 && (call.pos.n < cmd->min || call.pos.n > cmd->max)) {
                bool few = call.pos.n < cmd->min;
                const char *how = cmd->min == cmd->max ? "exactly" : few ? "a minimum of" : "a maximum of";
                r = error_say(&err, -EINVAL, "%s: \"%s\" requires %s %zu argument(s): %s", g->program, cmd->name, how,
                              few ? cmd->min : cmd->max, cmd->arguments);
        }
        if (r == 0)
                log_say(log, "%s %s, commit %s: %s", g->program, BERTH_VERSION, BERTH_COMMIT, cmd->name);
        if (r == 0)
                r = cmd->run(&call, &err);
        return r < 0 ? fail(g, cmd, &err) : r;
}

static int unknown(const struct globals *g, const char *name)
{
        struct error err = ERROR_INIT;
        (void) error_say(&err, -EINVAL, "No help topic for '%s'", name);
        (void) fail(g, NULL, &err);
        return EXIT_UNKNOWN_COMMAND;
}

static const char *base_name(const char *path)
{
        const char *slash = path ? strrchr(path, '/') : NULL;
        const char *name = slash ? slash + 1 : path;
        return name && *name ? name : "berth";
}

/* A closed standard stream would become whatever we open first, and the container would get it. */
static void open_standard_streams(void)
{
        for (int fd = 0; fd < 3; fd++)
                if (fcntl(fd, F_GETFD) < 0)
                        ignore_result(open("/dev/null", O_RDWR)); /* takes the lowest number, which is this one */
}

int main(int argc, char **argv)
{
        open_standard_streams();
        struct error err = ERROR_INIT;
        struct global_args a = { .g.program = base_name(argc > 0 ? argv[0] : NULL), .g.argv = argv };
        struct positional pos = { 0 };
        auto_arena struct arena *arena = arena_new();
        const char *const *words = (const char *const *) argv;
        int r = arena ? option_parse(&global_set, argc > 0 ? argc - 1 : 0, words + 1, arena, &a, &pos, &err)
                      : error_set(&err, -ENOMEM, "start");
        if (r == 0)
                r = check_globals(&a, &err);
        if (r == 0)
                r = choose_manager(&a, &err);
        if (r == 0)
                r = report_open(&a.g, &err);
        if (r < 0)
                return fail(&a.g, NULL, &err);
        if (a.version)
                return show_version(a.g.program);

        const char *name = pos.n > 0 ? pos.list[0] : "help";
        if (pos.help || strcmp(name, "help") == 0 || strcmp(name, "h") == 0) {
                const struct command *topic = pos.n > 1 ? find_command(pos.list[1]) : NULL;
                if (pos.n > 1 && !topic)
                        return unknown(&a.g, pos.list[1]);
                return topic ? show_command_help(a.g.program, topic) : show_help(a.g.program);
        }
        const struct command *cmd = find_command(name);
        if (!cmd)
                return unknown(&a.g, name);
        return run_command(&a.g, cmd, (int) pos.n - 1, pos.list + 1, arena);
}

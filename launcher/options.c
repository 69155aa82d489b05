#include "launcher/options.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

enum kind { KIND_FLAG, KIND_NUMBER, KIND_SECONDS, KIND_TEXT, KIND_LIST, KIND_WORD, KIND_CHOICE /* a word, or no value at all */ };

struct word {
        const char *name;
        uint32_t value;
};

struct row {
        char letter;            /* 0: none */
        const char *name;
        enum kind kind;
        size_t offset;
        const char *value;      /* how --help calls it */
        const char *help;
        const struct word *words;
};

static const struct word isolate_words[] = { { "full", ISOLATE_FULL }, { "ranks", ISOLATE_RANKS }, { 0 } };
static const struct word bindings_words[] = { { "text", BINDINGS_TEXT }, { "json", BINDINGS_JSON }, { 0 } };
static const struct word mpi_words[] = { { "none", WIRE_UP_NONE }, { "pmix", WIRE_UP_PMIX }, { 0 } };

#define AT(member) offsetof(struct launch_options, member)

static const struct row rows[] = {
        { 'n', "instances", KIND_NUMBER, AT(instances), "N", "how many instances to run (default: one for each slot)", NULL },
        { 'c', "cpus", KIND_NUMBER, AT(cpus), "N", "CPUs for each instance (default: 1)", NULL },
        { 0, "map-by", KIND_TEXT, AT(map_by), "WORDS", "place by slot, hwthread, core, l1cache, l2cache, l3cache, numa,\n"
                "package, node, ppr:N:OBJ, pe-list=LIST, rankfile, seq, device=NAME; :PE=N", NULL },
        { 0, "rank-by", KIND_TEXT, AT(rank_by), "WORD", "number by slot, fill, span, or an object", NULL },
        { 0, "bind-to", KIND_TEXT, AT(bind_to), "WORD", "bind to none, hwthread, core, l1cache, l2cache, l3cache, numa, package", NULL },
        { 0, "cpu-bind", KIND_TEXT, AT(cpu_bind), "WORDS", "as srun does: none, threads, cores, sockets, ldoms, rank, map_cpu:LIST,\n"
                "mask_cpu:LIST, rank_ldom, map_ldom:LIST, mask_ldom:LIST, verbose", NULL },
        { 'm', "distribution", KIND_TEXT, AT(distribution), "WORDS", "as srun does: block, cyclic, plane=N, then :block, :cyclic,\n"
                ":fcyclic for sockets, and once more for cores", NULL },
        { 0, "hint", KIND_TEXT, AT(hint), "WORD", "as srun does: compute_bound, memory_bound, multithread, nomultithread", NULL },
        { 0, "mem-bind", KIND_TEXT, AT(mem_bind), "WORDS", "memory: none, local, prefer, bind, interleave, weighted, map_mem:LIST,\n"
                "mask_mem:LIST", NULL },
        { 0, "isolate", KIND_WORD, AT(isolate), "full|ranks", "own namespaces for each instance, or pid, ipc and user\n"
                "namespaces, network and /dev/shm shared by all (default with --mpi=pmix)", isolate_words },
        { 0, "oversubscribe", KIND_FLAG, AT(oversubscribe), NULL, "run all instances at once, however few the slots", NULL },
        { 'l', "label", KIND_FLAG, AT(label), NULL, "put the rank before each line of output", NULL },
        { 0, "mpi", KIND_WORD, AT(mpi), "none|pmix", "wire the instances up as MPI ranks", mpi_words },
        { 0, "device", KIND_LIST, AT(devices), "DEVICE", "add a device to every instance: VENDOR/CLASS=NAME (CDI) or\n"
                "/dev/x[:PATH][:rwm]", NULL },
        { 0, "device-group", KIND_LIST, AT(groups), "GROUP", "add the devices of verbs, cxi, xpmem or kfd", NULL },
        { 0, "gpus-per-rank", KIND_NUMBER, AT(gpus_per_rank), "N", "N GPUs for each instance, the nearest to its CPUs, and no\n"
                "others; of CDI files of nvidia.com, amd.com or intel.com", NULL },
        { 0, "devices-per-rank", KIND_LIST, AT(devices_per_rank), "VENDOR/CLASS=N", "the same for N CDI devices of this kind",
          NULL },
        { 0, "cdi-dir", KIND_LIST, AT(cdi_dirs), "DIR", "look for CDI files here (default: /etc/cdi and /var/run/cdi);\n"
                "the last one takes precedence", NULL },
        { 0, "name", KIND_TEXT, AT(name), "ID", "name of the job (default: job-PID)", NULL },
        { 0, "root", KIND_TEXT, AT(root), "DIR", "where the state of containers and jobs is kept", NULL },
        { 0, "kill-wait", KIND_SECONDS, AT(kill_wait_ms), "SECONDS", "from the request to stop to SIGKILL (default: 5)", NULL },
        { 0, "report", KIND_TEXT, AT(report), "FILE", "write what every instance did and used as JSON", NULL },
        { 0, "report-bindings", KIND_CHOICE, AT(report_bindings), "[=text|json]", "say on stderr where each instance is bound",
          bindings_words },
        { 0, "dry-run", KIND_FLAG, AT(dry_run), NULL, "print the placement, start nothing", NULL },
        { 0, "spawners", KIND_NUMBER, AT(spawners), "N", "processes that start instances (default: two per CPU, at most 8)", NULL },
        { 'q', "quiet", KIND_FLAG, AT(quiet), NULL, "no progress line, no summary", NULL },
        { 0, "debug", KIND_FLAG, AT(debug), NULL, "tell on stderr where each instance is put, and when and how it\n"
                "begins and ends", NULL },
        { 'h', "help", KIND_FLAG, AT(help), NULL, "print this text", NULL },
};
#define N_ROWS (sizeof(rows) / sizeof(*rows))

static const struct row *find_letter(char letter)
{
        for (size_t i = 0; i < N_ROWS; i++)
                if (letter && rows[i].letter == letter)
                        return &rows[i];
        return NULL;
}

static const struct row *find_name(const char *name, size_t n)
{
        for (size_t i = 0; i < N_ROWS; i++)
                if (strlen(rows[i].name) == n && strncmp(rows[i].name, name, n) == 0)
                        return &rows[i];
        return NULL;
}

static void *member(struct launch_options *o, const struct row *row)
{
        return (char *) o + row->offset;
}

/* "2", "0.5": milliseconds, so that a test need not wait for seconds. */
static int parse_seconds(const char *text, uint64_t *ret_ms)
{
        uint64_t ms = 0, scale = 1000;
        bool digits = false;
        for (; *text >= '0' && *text <= '9'; text++, digits = true) {
                ms = ms * 10 + (uint64_t) (*text - '0') * 1000;
                if (ms > 1000 * UINT64_C(1000000000))
                        return -ERANGE;
        }
        if (*text == '.')
                for (text++; *text >= '0' && *text <= '9'; text++, digits = true) {
                        scale /= 10;
                        ms += (uint64_t) (*text - '0') * scale;
                }
        if (*text || !digits)
                return -EINVAL;
        *ret_ms = ms;
        return 0;
}

static int take_word(struct launch_options *o, const struct row *row, const char *text, struct error *err)
{
        for (const struct word *w = row->words; w->name; w++)
                if (strcmp(w->name, text) == 0 || (row->kind == KIND_CHOICE && !*text)) {
                        *(uint32_t *) member(o, row) = w->value;
                        return 0;
                }
        const char *words = row->kind == KIND_CHOICE ? "text, json" : row->value;
        return error_say(err, -EINVAL, "--%s: \"%s\" is none of %s", row->name, text, words);
}

static int add_to_list(const char ***list, const struct row *row, const char *text, struct error *err)
{
        size_t n = strv_len(*list);
        if (!*text)
                return error_say(err, -EINVAL, "--%s: the value is empty", row->name);
        const char **grown = realloc(*list, (n + 2) * sizeof(*grown));
        if (!grown)
                return error_set(err, -ENOMEM, "--%s", row->name);
        grown[n] = text;
        grown[n + 1] = NULL;
        *list = grown;
        return 0;
}

void options_clear(struct launch_options *o)
{
        free(o->devices);
        free(o->groups);
        free(o->cdi_dirs);
        free(o->devices_per_rank);
        o->devices_per_rank = o->devices = o->groups = o->cdi_dirs = NULL;
}

static int take_value(struct launch_options *o, const struct row *row, const char *text, struct error *err)
{
        switch (row->kind) {
        case KIND_FLAG:
                *(bool *) member(o, row) = true;
                return 0;
        case KIND_NUMBER: {
                uint32_t n = 0;
                int r = parse_u32(text, &n);
                if (r == -ERANGE)
                        return error_say(err, -EINVAL, "--%s: \"%s\" is more than %u", row->name, text, UINT32_MAX);
                if (r < 0 || n == 0)
                        return error_say(err, -EINVAL, "--%s: \"%s\" is not a number above 0", row->name, text);
                *(uint32_t *) member(o, row) = n;
                return 0;
        }
        case KIND_SECONDS:
                if (parse_seconds(text, member(o, row)) < 0)
                        return error_say(err, -EINVAL, "--%s: \"%s\" is not a number of seconds", row->name, text);
                return 0;
        case KIND_TEXT:
                if (!*text)
                        return error_say(err, -EINVAL, "--%s: the value is empty", row->name);
                *(const char **) member(o, row) = text;
                return 0;
        case KIND_LIST:
                return add_to_list(member(o, row), row, text, err);
        case KIND_CHOICE:
        case KIND_WORD:
                return take_word(o, row, text, err);
        }
        return -EINVAL;
}

struct cursor {
        int argc, at;
        char **argv;
};

static int need_value(struct cursor *c, const struct row *row, const char **ret_value, struct error *err)
{
        if (++c->at >= c->argc)
                return error_say(err, -EINVAL, "--%s needs a value: %s", row->name, row->value);
        *ret_value = c->argv[c->at];
        return 0;
}

static int take_long(struct launch_options *o, struct cursor *c, struct error *err)
{
        const char *name = c->argv[c->at] + 2;
        const char *equals = strchr(name, '=');
        size_t n = equals ? (size_t) (equals - name) : strlen(name);
        const struct row *row = find_name(name, n);
        if (!row)
                return error_say(err, -EINVAL, "unknown option --%.*s", (int) n, name);

        const char *value = equals ? equals + 1 : "";
        if (row->kind == KIND_FLAG && equals)
                return error_say(err, -EINVAL, "--%s takes no value", row->name);
        if (row->kind != KIND_FLAG && row->kind != KIND_CHOICE && !equals) {
                int r = need_value(c, row, &value, err);
                if (r < 0)
                        return r;
        }
        return take_value(o, row, value, err);
}

/* "-l", "-lq", "-n8", "-n 8" */
static int take_letters(struct launch_options *o, struct cursor *c, struct error *err)
{
        for (const char *p = c->argv[c->at] + 1; *p; p++) {
                const struct row *row = find_letter(*p);
                if (!row)
                        return error_say(err, -EINVAL, "unknown option -%c", *p);
                bool last = row->kind != KIND_FLAG;
                const char *value = p + 1;
                int r = last && !*value ? need_value(c, row, &value, err) : 0;
                if (r == 0)
                        r = take_value(o, row, value, err);
                if (r < 0 || last)
                        return r;
        }
        return 0;
}

static int check(struct launch_options *o, struct error *err)
{
        if (o->help)
                return 0;
        if (!o->bundle && !o->dry_run)
                return error_say(err, -EINVAL, "which bundle? usage: berth launch [OPTIONS] BUNDLE [-- COMMAND...]");
        if (o->isolate == ISOLATE_DEFAULT)
                o->isolate = o->mpi == WIRE_UP_PMIX ? ISOLATE_RANKS : ISOLATE_FULL;
        return 0;
}

static int take_words(struct launch_options *o, int argc, char **argv, struct error *err)
{
        struct cursor c = { argc, 0, argv };

        for (; c.at < argc; c.at++) {
                const char *arg = argv[c.at];
                int r = 0;
                if (strcmp(arg, "--") == 0) {
                        if (c.at + 1 < argc)
                                o->command = (const char *const *) argv + c.at + 1;
                        break;
                }
                if (str_starts(arg, "--"))
                        r = take_long(o, &c, err);
                else if (arg[0] == '-' && arg[1])
                        r = take_letters(o, &c, err);
                else if (!o->bundle)
                        o->bundle = arg;
                else
                        r = error_say(err, -EINVAL, "unexpected argument \"%s\": a command comes behind --", arg);
                if (r < 0)
                        return r;
        }
        return check(o, err);
}

int options_parse(struct launch_options *ret, int argc, char **argv, struct error *err)
{
        struct launch_options o = LAUNCH_OPTIONS_INIT;
        int r = take_words(&o, argc, argv, err);
        if (r < 0)
                options_clear(&o);
        else
                *ret = o;
        return r;
}

bool options_word(unsigned i, char *buf, size_t size)
{
        if (i >= N_ROWS)
                return false;
        const struct row *row = &rows[i];
        char letter[5] = "    ";
        if (row->letter)
                snprintf(letter, sizeof(letter), "-%c, ", row->letter);
        snprintf(buf, size, "%s--%s%s%s", letter, row->name, row->value && row->kind != KIND_CHOICE ? " " : "",
                 row->value ? row->value : "");
        return true;
}

void options_help(FILE *out)
{
        fputs("Usage: berth launch [OPTIONS] BUNDLE [-- COMMAND...]\n\n"
              "Run many instances of a bundle on this node: placed, supervised, accounted for.\n\n"
              "Options:\n", out);
        char word[64];
        for (unsigned i = 0; options_word(i, word, sizeof(word)); i++) {
                fprintf(out, "  %-28s  ", word);
                for (const char *p = rows[i].help; *p; p++) {
                        fputc(*p, out);
                        if (*p == '\n')
                                fprintf(out, "%32s", "");
                }
                fputc('\n', out);
        }
        fputs("\nExit status: the highest of the instances (128+N if killed by signal N), 1 if an instance\n"
              "cannot be started, 2 for a wrong option, 128+N if the launcher was told to stop by signal N.\n", out);
}

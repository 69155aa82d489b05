#include "runtime/place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "cgroups/translate.h"
#include "runtime/tool.h"
#include "spec/edit.h"
#include "spec/read.h"
#include "spec/words.h"

#define ARGS_MAX 16

/* What the helper answers, in words of "key=value". NULL: left alone. */
struct answer {
        const char *cpus, *mems, *mode, *nodes, *memory;
};

static void add(const char **argv, size_t *n, const char *option, const char *value)
{
        if (!value || !*value)
                return;
        argv[(*n)++] = option;
        argv[(*n)++] = value;
}

/* `within`: what the config allows, beside what we may ourselves. */
static int ask(const struct place_options *o, const struct place_words *w, const struct resources_cpu *within,
               struct arena *arena, struct answer *ret, struct error *err)
{
        const char *argv[ARGS_MAX] = { "berth-place" };
        struct tool_words words;
        size_t n = 1;
        add(argv, &n, "--cpus", w->cpus);
        add(argv, &n, "--numa", w->numa);
        add(argv, &n, "--bind", w->bind);
        add(argv, &n, "--mem-bind", w->mem_bind);
        add(argv, &n, "--within-cpus", within->cpus);
        add(argv, &n, "--within-mems", within->mems);
        if (!o->helper)
                return error_say(err, -ENOENT, "no program to find a place with");
        int r = tool_run(o->helper, argv, &words);
        if (r < 0)
                return error_set(err, r, "find the place: start \"%s\"", o->helper);
        if (r > 0)
                return error_say(err, -EINVAL, "%s", *words.said ? words.said : "the place was not found, and nothing was said");
        *ret = (struct answer){ place_word(arena, words.answer, "cpus"), place_word(arena, words.answer, "mems"),
                                place_word(arena, words.answer, "mode"), place_word(arena, words.answer, "nodes"),
                                place_word(arena, words.answer, "memory") };
        return 0;
}

/*
 * A cpuset that the container can have where its cgroup is anyway. The affinity holds without. What was delegated to an
 * ordinary user is not known before the cgroup is made.
 */
static bool has_cpuset(const struct host *host, const struct wish *wish, const struct spec *spec, struct arena *arena)
{
        const struct resources res = { .cpu = { .cpus = "0" } };
        struct cgroup_writes writes;
        if (wish->no_cgroup || !host->privileged || wish->rootless == ROOTLESS_YES)
                return false;
        const char *path = wish->systemd ? "/" : plan_cgroup_path(spec, host, wish->id, arena);
        return path && cgroup_translate_at(&res, &host->cgroups, path, arena, &writes, NULL) == 0;
}

static int set_affinity(struct spec *spec, const char *cpus, struct id_set *ret, struct error *err)
{
        int r = cpus ? id_list_parse(cpus, spec->arena, ret) : 0;
        return r < 0 ? error_set(err, r, "read the CPUs \"%s\"", cpus) : 0;
}

/* "cpus=0-3 memory=prefer:0" */
static const char *given(struct arena *arena, const struct answer *a)
{
        return arena_printf(arena, "%s%s%s%s%s%s%s", a->cpus ? "cpus=" : "", a->cpus ? a->cpus : "",
                            a->cpus && a->memory ? " " : "", a->memory ? "memory=" : "", a->memory ? a->memory : "",
                            a->nodes ? ":" : "", a->nodes ? a->nodes : "");
}

/* Without a word about memory, what the config says of it stays. */
static bool changes_memory(const struct place_words *w, const struct spec *spec)
{
        return w->mem_bind || w->numa || !spec->memory_policy.wanted;
}

static int edit(struct place_config *c, const struct answer *a, bool cpuset, bool memory, struct error *err)
{
        const struct resources_cpu *cpu = &c->spec->resources.cpu;
        const struct edit_place place = { .cpus = cpuset ? a->cpus : NULL,
                                          .mems = cpuset && !(cpu->mems && *cpu->mems) ? a->mems : NULL,
                                          .mode = memory ? a->mode : NULL, .nodes = memory ? a->nodes : NULL,
                                          .given = given(c->spec->arena, a) };
        const struct edits edits = { .place = &place };
        auto_free char *text = NULL;
        auto_spec struct spec *spec = NULL;
        struct id_set cpus = { 0 };
        int r = place.given ? edit_config(c->spec, c->text, c->size, &edits, &text, err) : error_set(err, -ENOMEM, "find the place");
        if (r == 0 && text)
                r = spec_read_text(text, strlen(text), "config.json with its place", &spec, err);
        if (r == 0 && spec)
                r = set_affinity(spec, a->cpus, &cpus, err);
        if (r < 0 || !text || !spec)
                return r;
        free(c->text);
        spec_free(c->spec);
        c->text = take_ptr(&text);
        c->size = strlen(c->text);
        c->spec = take_ptr(&spec);
        c->cpus = cpus;
        return 0;
}

int place_config(const struct place_options *o, const struct host *host, const struct wish *wish, struct place_config *c,
                 struct error *err)
{
        struct place_words w = o->words;
        struct answer a = { 0 };
        int r = place_words_add(&w, c->spec, err);
        if (r < 0 || !place_words_any(&w))
                return r;
        r = ask(o, &w, &c->spec->resources.cpu, c->spec->arena, &a, err);
        return r < 0 ? r : edit(c, &a, has_cpuset(host, wish, c->spec, c->spec->arena), changes_memory(&w, c->spec), err);
}

static int set_memory(struct spec *spec, const struct answer *a, struct error *err)
{
        const struct word *mode = word_find(&words_memory_modes, a->mode);
        struct spec_memory_policy policy = { .wanted = true, .mode = mode ? (uint32_t) mode->value : SPEC_MPOL_DEFAULT };
        int r = mode ? 0 : -EPROTO;
        if (r == 0 && a->nodes)
                r = id_list_parse(a->nodes, spec->arena, &policy.nodes);
        if (r < 0)
                return error_set(err, r, "read the memory policy %s", a->mode);
        spec->memory_policy = policy;
        return 0;
}

int place_process(const struct place_options *o, struct spec *spec, struct error *err)
{
        const char *was = spec_annotation(spec->annotations, spec->n_annotations, PLACE_GIVEN);
        const char *cpus = was ? place_word(spec->arena, was, "cpus") : NULL;
        bool cpuset = spec->resources.cpu.cpus && *spec->resources.cpu.cpus;
        struct id_set *final = &spec->process.exec_affinity.final;
        if (!place_words_any(&o->words))
                return cpuset || final->size > 0 ? 0 : set_affinity(spec, cpus, final, err);

        struct resources_cpu within = { .cpus = cpuset ? spec->resources.cpu.cpus : cpus, .mems = spec->resources.cpu.mems };
        struct answer a = { 0 };
        int r = ask(o, &o->words, &within, spec->arena, &a, err);
        if (r == 0)
                r = set_affinity(spec, a.cpus, final, err);
        if (r < 0 || !a.mode)
                return r;
        return changes_memory(&o->words, spec) ? set_memory(spec, &a, err) : 0;
}

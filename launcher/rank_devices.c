#include "launcher/rank_devices.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "device/choice.h"
#include "hpc/deal.h"

#define EACH_MAX 1024u

/* The kinds that vendors' generators of CDI files use, and what their libraries read. */
static const struct gpu {
        const char *kind, *variable;
} gpus[] = {
        { "nvidia.com/gpu", "CUDA_VISIBLE_DEVICES" },
        { "amd.com/gpu", "ROCR_VISIBLE_DEVICES" },
        { "intel.com/gpu", NULL },
};
#define N_GPUS (sizeof(gpus) / sizeof(*gpus))

bool rank_devices_wanted(const struct launch_options *o)
{
        return o->gpus_per_rank > 0 || (o->devices_per_rank && o->devices_per_rank[0]);
}

void rank_devices_clear(struct rank_devices *d)
{
        for (size_t i = 0; d->spec && i < d->n; i++)
                spec_free(d->spec[i]);
        free(d->spec);
        spec_free(d->all);
        arena_free(d->arena);
        *d = (struct rank_devices){ 0 };
}

static int no_memory(struct error *err)
{
        return error_set(err, -ENOMEM, "deal out the devices");
}

static int add_name(struct arena *arena, const char ***list, const char *name)
{
        size_t n = strv_len(*list);
        const char **grown = arena_grow(arena, *list, n, 2, sizeof(*grown));
        if (!grown)
                return -ENOMEM;
        grown[n] = name;
        *list = grown;
        return 0;
}

/* ---- one kind ---- */

struct deck {
        const struct topology *topology;
        const struct placement *placement;
        struct device_choice *choice;
        size_t n;
        unsigned each;
};

/* UCX, by itself, would try all adapters that it sees in /sys. */
static int add_adapter(struct rank_devices *d, size_t slot, const char *adapter)
{
        const char *old = d->adapters[slot];
        if (!adapter)
                return 0;
        d->adapters[slot] = arena_printf(d->arena, "%s%s%s", old ? old : "UCX_NET_DEVICES=", old ? "," : "", adapter);
        return d->adapters[slot] ? 0 : -ENOMEM;
}

static int deal(struct rank_devices *d, const struct deck *deck, const char *kind, struct error *err)
{
        size_t n_slots = deck->placement->n_slots;
        auto_free struct place_mask *near = calloc(deck->n + 1, sizeof(*near));
        auto_free struct place_mask *cpus = calloc(n_slots + 1, sizeof(*cpus));
        auto_free unsigned *dealt = calloc(n_slots * deck->each + 1, sizeof(*dealt));
        if (!near || !cpus || !dealt)
                return no_memory(err);
        for (size_t i = 0; i < deck->n; i++)
                if (!topology_near_pci(deck->topology, deck->choice[i].pci, &near[i]))
                        near[i] = PLACE_MASK_INIT;      /* nobody knows: near to all */
        for (size_t i = 0; i < n_slots; i++)
                cpus[i] = deck->placement->slot[i].cpus;
        const struct deal wish = { cpus, n_slots, near, deck->n, deck->each };
        int r = deal_devices(deck->topology, &wish, dealt);
        if (r == -ENOSPC)
                return error_say(err, r, "%zu instances at once with %u of %s each need %zu, and there are %zu: use fewer, "
                                 "or larger ones (-n, -c, --map-by)", n_slots, deck->each, kind, n_slots * deck->each, deck->n);
        for (size_t i = 0; r == 0 && i < n_slots * deck->each; i++) {
                r = add_name(d->arena, &d->names[i / deck->each], deck->choice[dealt[i]].name);
                if (r == 0)
                        r = add_adapter(d, i / deck->each, deck->choice[dealt[i]].adapter);
        }
        return r < 0 ? no_memory(err) : 0;
}

static int deal_kind(struct rank_devices *d, const struct launch_options *o, struct deck *deck, const char *kind,
                     struct error *err)
{
        const char *const *dirs = (const char *const *) o->cdi_dirs;
        int r = device_choices(d->arena, dirs, kind, &deck->choice, &deck->n, err);
        return r < 0 ? r : deal(d, deck, kind, err);
}

/* ---- what is asked for ---- */

/* "VENDOR/CLASS=N" */
static int deal_words(struct rank_devices *d, const struct launch_options *o, struct deck *deck, const char *words,
                      struct error *err)
{
        const char *equals = strchr(words, '=');
        const char *kind = equals ? arena_strndup(d->arena, words, (size_t) (equals - words)) : "";
        if (!kind)
                return no_memory(err);
        if (!equals || parse_u32(equals + 1, &deck->each) < 0 || deck->each == 0 || deck->each > EACH_MAX)
                return error_say(err, -EINVAL, "--devices-per-rank: expected VENDOR/CLASS=NUMBER, found \"%s\"", words);
        int r = deal_kind(d, o, deck, kind, err);
        return r < 0 ? error_wrap(err, "--devices-per-rank %s", words) : 0;
}

/* "0,1": the numbers by which a rank knows its own, since it cannot open the others. */
static int make_visible(struct rank_devices *d, const char *variable, unsigned each)
{
        auto_str struct str s = STR_INIT;
        if (!variable)
                return 0;
        str_addf(&s, "%s=", variable);
        for (unsigned i = 0; i < each; i++)
                str_addf(&s, "%s%u", i > 0 ? "," : "", i);
        d->visible = str_failed(&s) ? NULL : arena_strdup(d->arena, s.text);
        return d->visible ? 0 : -ENOMEM;
}

static int deal_gpus(struct rank_devices *d, const struct launch_options *o, struct deck *deck, struct error *err)
{
        struct error first = ERROR_INIT;
        deck->each = o->gpus_per_rank;
        if (deck->each > EACH_MAX)
                return error_say(err, -EINVAL, "--gpus-per-rank: at most %u are possible", EACH_MAX);
        for (size_t i = 0; i < N_GPUS; i++) {
                struct error why = ERROR_INIT;
                int r = deal_kind(d, o, deck, gpus[i].kind, &why);
                if (r == 0)
                        return make_visible(d, gpus[i].variable, deck->each) < 0 ? no_memory(err) : 0;
                if (r != -ENODEV) {
                        *err = why;
                        return r;
                }
                if (first.code == 0)
                        first = why;
        }
        *err = first;
        return error_wrap(err, "--gpus-per-rank");
}

static int deal_all(struct rank_devices *d, const struct launch_options *o, const struct placement *placement,
                    struct error *err)
{
        auto_topology struct topology *topology = NULL;
        int r = topology_load_devices(&topology, err);
        struct deck deck = { .topology = topology, .placement = placement };
        if (r == 0 && o->gpus_per_rank > 0)
                r = deal_gpus(d, o, &deck, err);
        for (size_t i = 0; r == 0 && o->devices_per_rank && o->devices_per_rank[i]; i++)
                r = deal_words(d, o, &deck, o->devices_per_rank[i], err);
        return r;
}

/* ---- configs ---- */

static int read_one(const struct rank_devices *d, const struct launch_options *o, int bundle_fd, size_t from, size_t to,
                    struct spec **ret, struct error *err)
{
        struct error warning = ERROR_INIT;      /* told already, of the job's config */
        const char **names = NULL;
        int r = 0;
        for (size_t i = 0; r == 0 && o->devices && o->devices[i]; i++)
                r = add_name(d->arena, &names, o->devices[i]);
        for (size_t s = from; s < to; s++)
                for (size_t i = 0; r == 0 && d->names[s] && d->names[s][i]; i++)
                        r = add_name(d->arena, &names, d->names[s][i]);
        if (r < 0)
                return no_memory(err);
        const struct device_wish wish = { names, (const char *const *) o->groups, (const char *const *) o->cdi_dirs };
        return device_read_config(bundle_fd, &wish, ret, &warning, err);
}

/* The spawners run the hooks of the end, and know the job's config only: they exist before anything is dealt. */
static int check_hooks(const struct rank_devices *d, const struct spec *spec, struct error *err)
{
        for (size_t i = 0; i < d->n; i++)
                if (d->spec[i]->hooks[HOOK_POSTSTOP].n != spec->hooks[HOOK_POSTSTOP].n)
                        return error_say(err, -EOPNOTSUPP, "device \"%s\": its poststop hooks are not possible for a device of "
                                         "a rank", d->names[i][0]);
        return 0;
}

int rank_devices_deal(struct rank_devices *ret, const struct launch_options *o, const struct placement *placement,
                      struct error *err)
{
        struct rank_devices d = { .n = placement->n_slots, .arena = arena_new() };
        d.names = d.arena ? arena_alloc(d.arena, d.n + 1, sizeof(*d.names)) : NULL;
        d.adapters = d.arena ? arena_alloc(d.arena, d.n + 1, sizeof(*d.adapters)) : NULL;
        int r = d.names && d.adapters ? deal_all(&d, o, placement, err) : no_memory(err);
        if (r < 0)
                rank_devices_clear(&d);
        else
                *ret = d;
        return r;
}

int rank_devices_make(struct rank_devices *ret, const struct launch_options *o, const struct placement *placement,
                      int bundle_fd, const struct spec *spec, struct error *err)
{
        struct rank_devices d = { 0 };
        int r = rank_devices_deal(&d, o, placement, err);
        if (r < 0 || !d.names)
                return r;
        d.spec = calloc(d.n + 1, sizeof(struct spec *));
        if (!d.spec)
                r = no_memory(err);
        for (size_t i = 0; r == 0 && i < d.n; i++)
                r = read_one(&d, o, bundle_fd, i, i + 1, &d.spec[i], err);
        if (r == 0)
                r = read_one(&d, o, bundle_fd, 0, d.n, &d.all, err);
        if (r == 0)
                r = check_hooks(&d, spec, err);
        if (r < 0)
                rank_devices_clear(&d);
        else
                *ret = d;
        return r;
}

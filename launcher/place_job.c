#include "launcher/place_job.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "runtime/jot.h"

/* A rankfile of 65536 ranks is smaller. */
#define FILE_MAX ((size_t) 16 << 20)

struct text_option {
        const char *text;
        int (*parse)(struct place_wish *wish, const char *text, struct error *err);
};

/* srun's words and mpirun's are two languages: one sentence is in one of them. */
static int check_languages(const struct launch_options *o, struct error *err)
{
        const char *slurm = o->cpu_bind ? "--cpu-bind" : o->distribution ? "--distribution" : o->hint ? "--hint" : NULL;
        const char *prrte = o->map_by ? "--map-by" : o->bind_to ? "--bind-to" : o->rank_by ? "--rank-by" : NULL;
        if (slurm && prrte)
                return error_say(err, -EINVAL, "%s is a word of srun's and %s one of mpirun's: use either srun's (--cpu-bind, "
                                 "--distribution, --hint) or mpirun's (--map-by, --rank-by, --bind-to)", slurm, prrte);
        return 0;
}

int place_job_wish(const struct launch_options *options, struct place_wish *ret, struct error *err)
{
        const struct launch_options *o = options;
        const struct text_option texts[] = {
                { o->map_by, place_parse_map_by },     { o->rank_by, place_parse_rank_by },
                { o->bind_to, place_parse_bind_to },   { o->cpu_bind, place_parse_cpu_bind },
                { o->distribution, place_parse_distribution }, { o->hint, place_parse_hint },
                { o->mem_bind, place_parse_mem_bind },
        };
        struct place_wish wish = PLACE_WISH_INIT;
        wish.instances = o->instances;
        wish.cpus = o->cpus;
        int r = check_languages(o, err);
        for (size_t i = 0; r == 0 && i < sizeof(texts) / sizeof(*texts); i++)
                r = texts[i].text ? texts[i].parse(&wish, texts[i].text, err) : 0;
        if (r < 0)
                return r;
        if (o->oversubscribe && wish.nooversubscribe)
                return error_say(err, -EINVAL, "--oversubscribe and --map-by %s contradict each other", o->map_by);
        wish.oversubscribe |= o->oversubscribe;
        *ret = wish;
        return 0;
}

/* The file that a rankfile or seq names. */
static int read_places(const struct place_wish *wish, char **ret, struct error *err)
{
        if (wish->way != PLACE_BY_RANKFILE && wish->way != PLACE_BY_SEQ)
                return 0;
        auto_free char *path = strndup(wish->file.text, wish->file.size);
        if (!path)
                return error_set(err, -ENOMEM, "read the file of --map-by");
        int r = io_read_file(AT_FDCWD, path, FILE_MAX, ret, NULL);
        return r < 0 ? error_set(err, r, "--map-by: read \"%s\"", path) : 0;
}

/* On a page of its own: nothing of ours is changed. */
unsigned place_job_policy(unsigned policy, const struct place_mask *nodes)
{
        if (policy != MPOL_PREFERRED_MANY)
                return policy;
        void *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (page == MAP_FAILED)
                return policy;
        bool unknown = syscall(SYS_mbind, page, 4096ul, MPOL_PREFERRED_MANY, nodes->word,
                               (unsigned long) bind_bytes(nodes) * 8 + 1, 0ul) < 0 && errno == EINVAL;
        (void) munmap(page, 4096); /* it was ours */
        return unknown ? MPOL_PREFERRED : policy;
}

int place_job(const struct launch_options *options, struct placement **ret, struct error *err)
{
        struct place_wish wish = PLACE_WISH_INIT;
        auto_free char *places = NULL;
        auto_topology struct topology *topology = NULL;
        char host[256] = "";
        int r = place_job_wish(options, &wish, err);
        if (r == 0)
                r = read_places(&wish, &places, err);
        if (r == 0)
                r = (wish.map_by == PLACE_DEVICE ? topology_load_devices : topology_load)(&topology, err);
        if (r == 0 && !topology_is_real(topology) && !options->dry_run)
                r = error_say(err, -EINVAL, "the topology (HWLOC_SYNTHETIC, HWLOC_XMLFILE) is not this machine's: "
                              "only --dry-run makes sense");
        if (r < 0)
                return r;
        wish.places = places;
        (void) gethostname(host, sizeof(host) - 1); /* without a name there is localhost */
        wish.host = topology_is_real(topology) && *host ? host : NULL;
        r = place(topology, &wish, ret, err);
        if (r == 0 && (*ret)->n_slots > 0)
                (*ret)->policy = place_job_policy((*ret)->policy, &(*ret)->slot[0].numa);
        return r;
}

static void print_devices(const struct rank_devices *devices, size_t slot, FILE *out)
{
        const char **names = devices->names ? devices->names[slot] : NULL;
        for (size_t i = 0; names && names[i]; i++)
                fprintf(out, "%s %s", i == 0 ? ", has" : "", names[i]);
}

void place_job_print(const struct placement *placement, const struct rank_devices *devices, FILE *out)
{
        for (unsigned rank = 0; rank < placement->instances; rank++) {
                if (rank < placement->n_slots) {
                        placement_report_rank(placement, rank, rank, out);
                        print_devices(devices, rank, out);
                        fputc('\n', out);
                } else {
                        fprintf(out, "rank %u waits for a slot\n", rank);
                }
        }
}

void place_job_jot_devices(struct jot *j, const struct rank_devices *devices, size_t slot)
{
        if (!devices->names)
                return;
        jot_open(j, "devices", '[');
        for (const char **name = devices->names[slot]; name && *name; name++)
                jot_text(j, NULL, *name);
        jot_close(j, ']');
}

char *place_job_json(const struct placement *p, const struct rank_devices *devices)
{
        auto_jot struct jot j = JOT_INIT(1);
        jot_open(&j, NULL, '{');
        jot_number(&j, "instances", p->instances);
        jot_number(&j, "slots", (int64_t) p->n_slots);
        jot_bool(&j, "bound", p->bound);
        jot_text(&j, "memory_policy", placement_policy_name(p));
        jot_open(&j, "bindings", '[');
        for (unsigned rank = 0; rank < p->instances; rank++) {
                const struct place_slot *s = rank < p->n_slots ? &p->slot[rank] : NULL;
                jot_open(&j, NULL, '{');
                jot_number(&j, "rank", rank);
                jot_bool(&j, "waits", !s);
                if (s) {
                        jot_text(&j, "cpus", s->cpu_list);
                        jot_text(&j, "numa", s->numa_list);
                        jot_text(&j, "binding", s->report);
                        place_job_jot_devices(&j, devices, rank);
                }
                jot_close(&j, '}');
        }
        jot_close(&j, ']');
        jot_close(&j, '}');
        return jot_take(&j);
}

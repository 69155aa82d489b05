#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "device/device.h"
#include "launcher/edit.h"
#include "launcher/job.h"
#include "launcher/pattern.h"
#include "launcher/place_job.h"
#include "spec/read.h"

/* Descriptors of a running instance: two pipes and its pidfd. And what we need besides. */
#define FDS_EACH 3u
#define FDS_OTHER 200u

static int read_bundle(struct job *job, struct error *err)
{
        job->bundle = realpath(job->options->bundle, NULL);
        if (!job->bundle)
                return error_set(err, -errno, "bundle \"%s\"", job->options->bundle);
        auto_fd int dir = open(job->bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0)
                return error_set(err, -errno, "bundle \"%s\"", job->bundle);
        const struct launch_options *o = job->options;
        const struct device_wish devices = { o->devices, o->groups, o->cdi_dirs };
        int r = device_read_config(dir, &devices, &job->spec, &job->warning, err);
        if (r == 0)
                r = spec_default_maps(job->spec, geteuid(), getegid(), err);
        return r < 0 ? error_wrap(err, "bundle \"%s\"", job->bundle) : 0;
}

/* Two for each CPU we may use: a fifth of the time that an instance takes to begin, the kernel waits for others (RCU, when
 * mounts are taken away). More than eight get into each other's way. */
static unsigned count_spawners(const struct launch_options *o)
{
        cpu_set_t *cpus = CPU_ALLOC(PLACE_MASK_BITS);
        size_t size = CPU_ALLOC_SIZE(PLACE_MASK_BITS);
        unsigned n = o->spawners;
        if (n == 0)
                n = cpus && sched_getaffinity(0, size, cpus) == 0 ? 2 * (unsigned) CPU_COUNT_S(size, cpus) : 2;
        CPU_FREE(cpus);
        if (o->spawners == 0 && n > 8)
                n = 8;
        return o->instances && n > o->instances ? o->instances : n;
}

static int fork_spawners(struct job *job, struct error *err)
{
        job->spawner_job = (struct spawner_job){ &job->host, job->id, job->bundle, job->spec };
        job->n_spawners = 0;
        unsigned n = count_spawners(job->options);
        job->spawner = calloc(n, sizeof(*job->spawner));
        if (!job->spawner)
                return error_set(err, -ENOMEM, "make room for %u spawners", n);
        for (; job->n_spawners < n; job->n_spawners++) {
                int r = spawner_fork(job->spawner, job->n_spawners, &job->spawner_job, err);
                if (r < 0)
                        return r;
                job->spawner[job->n_spawners].owner = job;
        }
        return 0;
}

static int check_placement(const struct job *job, struct error *err)
{
        const struct placement *p = job->placement;
        if (job->options->mpi == WIRE_UP_PMIX && p->instances > p->n_slots)
                return error_say(err, -EINVAL, "%u MPI ranks have to run at once, and there are %zu slots: use fewer, "
                                 "or --oversubscribe", p->instances, p->n_slots);
        struct rlimit limit;
        if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
                return error_set(err, -errno, "read the limit of open files");
        /* The spawners, and so the instances, keep what we were given. */
        limit.rlim_cur = limit.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &limit); /* up to the hard limit: always allowed */
        size_t at_once = p->n_slots < p->instances ? p->n_slots : p->instances;
        if (limit.rlim_max < at_once * FDS_EACH + FDS_OTHER)
                return error_say(err, -EMFILE, "%zu instances at once need %zu open files, and RLIMIT_NOFILE allows %llu",
                                 at_once, at_once * FDS_EACH + FDS_OTHER, (unsigned long long) limit.rlim_max);
        return 0;
}

static int make_ranks(struct job *job, struct error *err)
{
        job->n = job->placement->instances;
        job->n_slots = job->placement->n_slots;
        job->rank = calloc(job->n, sizeof(*job->rank));
        job->free_slot = calloc(job->n_slots, sizeof(*job->free_slot));
        if (!job->rank || !job->free_slot)
                return error_set(err, -ENOMEM, "make room for %u instances", job->n);
        for (unsigned i = 0; i < job->n; i++) {
                job->rank[i] = RANK_INIT;
                job->rank[i].job = job;
                job->rank[i].number = i;
        }
        for (size_t i = 0; i < job->n_slots; i++)
                job_free_slot(job, (uint32_t) i);
        job->null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        return job->null_fd < 0 ? error_set(err, -errno, "open /dev/null") : 0;
}

static int deal_out_devices(struct job *job, struct error *err)
{
        if (!rank_devices_wanted(job->options))
                return 0;
        auto_fd int dir = open(job->bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0)
                return error_set(err, -errno, "bundle \"%s\"", job->bundle);
        return rank_devices_make(&job->devices, job->options, job->placement, dir, job->spec, err);
}

static uint32_t outside(const struct spec_id_map *map, size_t n, uint32_t inside)
{
        for (size_t i = 0; i < n; i++)
                if (inside >= map[i].container_id && inside - map[i].container_id < map[i].size)
                        return map[i].host_id + (inside - map[i].container_id);
        return inside;
}

static int start_wire(struct job *job, uid_t outside_uid, struct error *err)
{
        char host[256] = "localhost", name[STATE_ID_MAX + 32];
        (void) gethostname(host, sizeof(host) - 1); /* any name will do on one node */
        snprintf(name, sizeof(name), "berth.%s.%d", job->id, (int) getpid());
        auto_free const char **lists = calloc(job->n, sizeof(*lists));
        if (!lists)
                return error_set(err, -ENOMEM, "start the PMIx server");
        for (unsigned i = 0; i < job->n; i++)
                lists[i] = job->placement->slot[i % job->n_slots].cpu_list;
        struct wire_job wire = { .name = name, .hostname = host, .dir = job->dir.pmix, .size = job->n,
                                 .uid = job->spec->process.user.uid, .gid = job->spec->process.user.gid,
                                 .outside_uid = outside_uid, .cpu_lists = job->placement->bound ? lists : NULL };
        int r = wire_start(&wire, &job->wire, err);
        if (r < 0)
                return r;
        job->wire_watch = (struct watch){ fcntl(wire_event_fd(job->wire), F_DUPFD_CLOEXEC, 3), job_wire_ready };
        r = job->wire_watch.fd < 0 ? -errno : loop_add(&job->loop, &job->wire_watch, EPOLLIN);
        return r < 0 ? error_set(err, r, "wait for the PMIx server") : 0;
}

/* The config that leads there: of the job, or of one slot. */
/* `adapters`: what is this slot's alone, or NULL. */
static int finish_config(struct job *job, struct spec *spec, const char *adapters, char **environ_, struct error *err)
{
        const struct launch_options *o = job->options;
        bool mpi = o->mpi == WIRE_UP_PMIX;
        struct edit edit = { .isolate = (enum isolate) o->isolate, .holder = job->holder.pid, .shm = job->dir.shm,
                             .bind = mpi && !job->dir.pmix_in_shm ? job->dir.pmix : NULL, .command = o->command,
                             .mpi = mpi };
        int r = edit_for_launch(spec, &edit, err);
        if (r < 0)
                return r;
        char size[32], id[STATE_ID_MAX + 16];
        snprintf(size, sizeof(size), "BERTH_SIZE=%u", job->n);
        snprintf(id, sizeof(id), "BERTH_JOBID=%s", job->id);
        const char *own[5] = { arena_strdup(spec->arena, size), arena_strdup(spec->arena, id) };
        size_t n = 2;
        if (job->devices.visible)
                own[n++] = job->devices.visible;
        if (adapters)
                own[n++] = adapters;
        return edit_environment(spec, (const char *const *) environ_, own, mpi, err);
}

/* The places and processes that the ranks share, then the config that leads there. */
static int make_surroundings(struct job *job, bool private_shm, char **environ_, struct error *err)
{
        const struct launch_options *o = job->options;
        struct spec *spec = job->spec;
        bool ranks = o->isolate == ISOLATE_RANKS, mpi = o->mpi == WIRE_UP_PMIX;
        uid_t uid = outside(spec->uid_map, spec->n_uid_map, spec->process.user.uid);
        gid_t gid = outside(spec->gid_map, spec->n_gid_map, spec->process.user.gid);
        struct jobdir_share share = { .private_shm = private_shm, .shm = ranks, .pmix = mpi, .uid = uid, .gid = gid };

        int r = jobdir_share(&job->dir, &share, err);
        if (r == 0 && ranks)
                r = holder_start(spec, &job->host, &job->holder, err);
        if (r == 0 && mpi)
                r = start_wire(job, uid, err);
        if (r == 0)
                r = finish_config(job, spec, NULL, environ_, err);
        for (size_t i = 0; r == 0 && i < job->devices.n; i++)
                r = finish_config(job, job->devices.spec[i], job->devices.adapters[i], environ_, err);
        return r;
}

static int hand_out_pattern(struct job *job, const struct spec *spec, unsigned number, struct error *err)
{
        auto_pattern struct pattern pattern = PATTERN_INIT;
        struct wish wish = { .bundle = job->bundle, .id = job->id, .die_with_parent = true, .stdio = true,
                             .cpus = job->placement->bound, .numa = job->placement->memory,
                             .numa_policy = job->placement->policy, .no_state = true,
                             .cgroup_path = job->group.path, .cgroup_inherit = true, .cgroup_slot = job->group.limits, .cpuset_slot = job->group.cpuset,
                             .own_devices = job->group.devices };
        int r = pattern_make(spec, &job->host, &wish, &pattern, err);
        for (unsigned i = 0; r == 0 && i < job->n_spawners; i++)
                r = spawner_give_pattern(&job->spawner[i], number, &pattern,
                                         job->group.exists ? job->group.launch : "", err);
        return r;
}

/* One for all, or one for each slot that has devices of its own. */
static int hand_out_patterns(struct job *job, struct error *err)
{
        int r = job->devices.n == 0 ? hand_out_pattern(job, job->spec, 0, err) : 0;
        for (unsigned i = 0; r == 0 && i < job->devices.n; i++)
                r = hand_out_pattern(job, job->devices.spec[i], i, err);
        for (unsigned i = 0; r == 0 && i < job->n_spawners; i++) {
                struct spawner *s = &job->spawner[i];
                s->watch.ready = job_spawner_ready;
                if (loop_add(&job->loop, &s->watch, EPOLLIN) < 0)
                        r = error_say(err, -EIO, "cannot wait for the spawners");
        }
        return r;
}

static int open_group(struct job *job, struct error *err)
{
        struct spec spec = *job->spec;
        unsigned own = job->placement->bound ? JOBGROUP_CPUS : 0;
        if (job->devices.n > 0) {
                own |= JOBGROUP_DEVICES;
                spec.resources = job->devices.all->resources;
        }
        return jobgroup_open(&job->group, &job->host, &spec, job->id, own, err);
}

static int open_entry(struct job *job, char **environ_, struct error *err)
{
        const char *rootfs = job->spec->root.path;
        if (rootfs[0] != '/')
                rootfs = arena_printf(job->spec->arena, "%s/%s", job->bundle, rootfs);
        struct jobdir_wish wish = { .root = job->options->root, .id = job->id, .bundle = job->bundle,
                                    .rootfs = rootfs ? rootfs : "", .oci_version = job->spec->oci_version,
                                    .environ_ = (const char *const *) environ_ };
        int r = jobdir_open(&job->dir, &wish, err);
        if (r == 0)
                r = open_group(job, err);
        if (r == 0 && job->group.exists)
                r = jobdir_note_cgroup(&job->dir, &job->group.job, err);
        const struct spec *whole = job->devices.n > 0 ? job->devices.all : job->spec;
        if (r == 0)
                r = jobclass_open(&job->class, &whole->rdt, &job->dir, err);
        if (r == 0)
                r = jobclass_enter(&job->class, job->spawner, job->n_spawners, err);
        return r;
}

int job_prepare(struct job *job, const struct launch_options *options, char **environ_, struct error *err)
{
        job->options = options;
        job->started_ns = job_now_ns();
        state_timestamp(job->started, sizeof(job->started));
        if (options->name)
                snprintf(job->id, sizeof(job->id), "%.*s", STATE_ID_MAX, options->name);
        else
                snprintf(job->id, sizeof(job->id), JOB_PREFIX "%d", (int) getpid());

        int r = options->name ? state_check_id(options->name, err) : 0;
        if (r == 0)
                r = read_bundle(job, err);
        if (r == 0)
                r = host_probe(&job->host, err);
        if (r < 0)
                return r;
        job->host.cgroups.stay_below = true;    /* nobody updates a job: without limits it stays where it is accounted for */
        bool private_shm = options->isolate == ISOLATE_RANKS && jobdir_private_shm();
        r = fork_spawners(job, err);    /* before hwloc and PMIx: nothing of them is in the spawners */
        if (r == 0)
                r = place_job(options, &job->placement, err);
        if (r == 0)
                r = check_placement(job, err);
        if (r == 0)
                r = deal_out_devices(job, err);
        if (r == 0)
                r = make_ranks(job, err);
        if (r == 0)
                r = job_open_loop(job, err);
        if (r == 0)
                r = open_entry(job, environ_, err);
        if (r == 0)
                r = make_surroundings(job, private_shm, environ_, err);
        return r < 0 ? r : hand_out_patterns(job, err);
}

#include "launcher/edit.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>

#include "base/str.h"
#include "hpc/wire.h"
#include "spec/read.h"

static int no_memory(struct error *err)
{
        return error_set(err, -ENOMEM, "prepare the config for the job");
}

static bool is_new(const struct spec *spec, enum ns_type type)
{
        return spec->ns[type].wanted && !spec->ns[type].path;
}

static int share_namespaces(struct spec *spec, pid_t holder, struct error *err)
{
        static const struct {
                enum ns_type type;
                const char *file;
        } shared[] = { { NS_USER, "user" }, { NS_PID, "pid" }, { NS_IPC, "ipc" } };

        for (size_t i = 0; i < sizeof(shared) / sizeof(*shared); i++) {
                if (!is_new(spec, shared[i].type))
                        continue;
                const char *path = arena_printf(spec->arena, "/proc/%d/ns/%s", (int) holder, shared[i].file);
                if (!path)
                        return no_memory(err);
                spec->ns[shared[i].type].path = path;
        }
        /* Beside a path, maps only describe what is there: the holder's namespace has them already. */
        return 0;
}

/* The PMIx server listens on the launcher's 127.0.0.1, and fabrics are the host's. */
static int share_network(struct spec *spec, struct error *err)
{
        if (!is_new(spec, NS_NETWORK))
                return 0;
        for (size_t i = 0; i < spec->n_sysctl; i++)
                if (str_starts(spec->sysctl[i].key, "net.") || str_starts(spec->sysctl[i].key, "net/"))
                        return error_say(err, -EINVAL,
                                         "linux.sysctl[\"%s\"]: with --isolate=ranks the network is the host's; "
                                         "remove the setting or use --isolate=full", spec->sysctl[i].key);
        spec->ns[NS_NETWORK] = (struct spec_namespace){ 0 };
        /* sysfs belongs to a network: a user namespace that does not own it cannot mount one, and gets the host's. */
        for (size_t i = 0; i < spec->n_mounts && spec->ns[NS_USER].wanted; i++) {
                struct spec_mount *m = &spec->mounts[i];
                if (m->bind || !m->type || strcmp(m->type, "sysfs") != 0)
                        continue;
                m->type = "bind";
                m->source = "/sys";
                m->bind = m->rbind = true;
                m->data = "";
        }
        return 0;
}

/* A bind mount with the directory's own options. */
static struct spec_mount bind_mount(const char *source, const char *destination)
{
        return (struct spec_mount){ .destination = destination, .type = "bind", .source = source, .bind = true,
                                    .rbind = true, .data = "" };
}

static int add_mount(struct spec *spec, const struct spec_mount *m, struct error *err)
{
        struct spec_mount *grown = arena_grow(spec->arena, spec->mounts, spec->n_mounts, 1, sizeof(*grown));
        if (!grown)
                return no_memory(err);
        grown[spec->n_mounts] = *m;
        spec->mounts = grown;
        spec->n_mounts++;
        return 0;
}

/* In place of the config's, so that the order of mounts stays; else behind all others. */
static int share_memory_files(struct spec *spec, const char *shm, struct error *err)
{
        struct spec_mount m = bind_mount(shm, "/dev/shm");
        for (size_t i = spec->n_mounts; i-- > 0;)
                if (strcmp(spec->mounts[i].destination, "/dev/shm") == 0) {
                        spec->mounts[i] = m;
                        return 0;
                }
        return add_mount(spec, &m, err);
}

/*
 * Each rank is process 1 of its own namespace then, and Open MPI 4.1 takes equal
 * pids for one process: its transports through shared memory are switched off.
 */
static int separate_mpi(struct spec *spec, struct error *err)
{
        if (is_new(spec, NS_NETWORK))
                return error_say(err, -EINVAL, "--isolate=full: ranks with a network of their own cannot reach the "
                                 "PMIx server; remove the network namespace from the config or use --isolate=ranks");
        size_t n = strv_len(spec->process.env);
        const char **env = arena_grow(spec->arena, spec->process.env, n, 2, sizeof(*env));
        if (!env)
                return no_memory(err);
        if (!strv_env(env, "OMPI_MCA_btl"))
                env[n] = "OMPI_MCA_btl=self,tcp";
        spec->process.env = env;
        return 0;
}

static int replace_command(struct spec *spec, const char *const *command, struct error *err)
{
        size_t n = strv_len(command);
        const char **args = arena_alloc(spec->arena, n + 1, sizeof(*args));
        if (!args)
                return no_memory(err);
        memcpy(args, command, n * sizeof(*args));
        spec->process.args = args;
        return 0;
}

int edit_for_launch(struct spec *spec, const struct edit *edit, struct error *err)
{
        int r = 0;
        if (!spec->has_process)
                return error_say(err, -EINVAL, "process: a job needs one, and the config has none");
        spec->process.terminal = false;
        if (edit->command)
                r = replace_command(spec, edit->command, err);
        if (r == 0 && edit->isolate == ISOLATE_RANKS) {
                r = share_namespaces(spec, edit->holder, err);
                if (r == 0)
                        r = share_network(spec, err);
                if (r == 0)
                        r = share_memory_files(spec, edit->shm, err);
        } else if (r == 0 && edit->mpi) {
                r = separate_mpi(spec, err);
        }
        if (r == 0 && edit->bind) {
                struct spec_mount m = bind_mount(edit->bind, edit->bind);
                r = add_mount(spec, &m, err);
        }
        return r < 0 ? r : spec_validate(spec, err);
}

/* The last one of a name wins, as in a container started alone. */
static void put(const char **env, size_t *n, const char *entry, bool replace)
{
        size_t len = strcspn(entry, "=");
        for (size_t i = 0; i < *n; i++)
                if (strncmp(env[i], entry, len) == 0 && env[i][len] == entry[len]) {
                        env[i] = replace ? entry : env[i];
                        return;
                }
        env[(*n)++] = entry;
}

int edit_environment(struct spec *spec, const char *const *own, const char *const *job, bool mpi, struct error *err)
{
        const char **old = spec->process.env;
        size_t n = 0;
        const char **env = arena_alloc(spec->arena, strv_len(old) + strv_len(own) + strv_len(job) + 1, sizeof(*env));
        if (!env)
                return no_memory(err);
        for (size_t i = 0; old && old[i]; i++)
                if (!mpi || !wire_env_is_foreign(old[i]))
                        put(env, &n, old[i], true);
        for (size_t i = 0; own && own[i]; i++)
                if (str_starts(own[i], "SLURM_"))
                        put(env, &n, own[i], false);
        for (size_t i = 0; job && job[i]; i++)
                put(env, &n, job[i], true);
        spec->process.env = env;
        return 0;
}

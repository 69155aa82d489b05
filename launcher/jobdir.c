#include "launcher/jobdir.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "runtime/container.h"

/* Absolute: what is mounted into the instances needs a path that does not depend on where we are. */
static int find_root(const struct jobdir_wish *wish, char *buf, size_t size, struct error *err)
{
        auto_free char *root = wish->root ? strdup(wish->root) : state_default_root(wish->environ_);
        auto_free char *cwd = getcwd(NULL, 0);
        if (!root || !cwd)
                return error_set(err, -errno, "find the state directory");
        int n = root[0] == '/' ? snprintf(buf, size, "%s", root) : snprintf(buf, size, "%s/%s", cwd, root);
        return n < 0 || (size_t) n >= size ? error_set(err, -ENAMETOOLONG, "state directory \"%s\"", root) : 0;
}

/*
 * Jobs without a name of their own never come back under the same one: the next job
 * collects those whose launcher was killed. Best effort, it is not ours that fails.
 */
static void collect_stale(int root_fd)
{
        auto_arena struct arena *arena = arena_new();
        const char **ids;
        size_t n;
        if (!arena || state_ids(root_fd, arena, &ids, &n, NULL) < 0)
                return;
        for (size_t i = 0; i < n; i++)
                if (str_starts(ids[i], JOB_PREFIX))
                        ignore_result(container_collect(root_fd, ids[i], NULL));
}

static int make_entry(struct jobdir *d, const char *id, struct error *err)
{
        int r = state_dir_create(d->root_fd, &d->state, &d->dir, err);
        if (r == -EEXIST) {
                r = container_collect(d->root_fd, id, err);
                if (r == 0)
                        return error_say(err, -EEXIST, "a job or container \"%s\" exists: end it, or choose another --name",
                                         id);
                if (r > 0)
                        r = state_dir_create(d->root_fd, &d->state, &d->dir, err);
        }
        /* Nobody else writes to it while we live; who deletes it must get the lock. */
        state_dir_unlock(&d->dir);
        return r;
}

int jobdir_open(struct jobdir *d, const struct jobdir_wish *wish, struct error *err)
{
        char root[PATH_MAX];
        int r = state_check_id(wish->id, err);
        if (r == 0)
                r = find_root(wish, root, sizeof(root), err);
        if (r == 0)
                r = state_root_open(root, true, &d->root_fd, err);
        if (r < 0)
                return r;
        collect_stale(d->root_fd);
        int n = snprintf(d->path, sizeof(d->path), "%s/%s", root, wish->id);
        if (n < 0 || (size_t) n >= sizeof(d->path))
                return error_set(err, -ENAMETOOLONG, "state directory \"%s\"", root);

        state_timestamp(d->created, sizeof(d->created));
        d->state = (struct state){ .kind = STATE_JOB, .status = STATUS_RUNNING, .id = wish->id,
                                   .oci_version = wish->oci_version, .bundle = wish->bundle, .rootfs = wish->rootfs,
                                   .created = d->created, .owner = geteuid(), .shares_pids = true };
        r = process_ref_of(getpid(), &d->state.process);
        if (r < 0)
                return error_set(err, r, "find out when we were started");
        d->state.supervisor = d->state.process;
        return make_entry(d, wish->id, err);
}

int jobdir_note_cgroup(struct jobdir *d, const struct cgroup *cgroup, struct error *err)
{
        int r = cgroup_save(cgroup, &d->cgroup, err);
        if (r < 0)
                return r;
        d->state.cgroup = d->cgroup;
        return state_write(&d->dir, &d->state, err);
}

int jobdir_note_class(struct jobdir *d, const char *name, bool own, bool monitored, struct error *err)
{
        d->state.resctrl = name;
        d->state.resctrl_own = own;
        d->state.resctrl_monitored = monitored;
        return state_write(&d->dir, &d->state, err);
}

bool jobdir_private_shm(void)
{
        /* Only a file system on /dev/shm is replaced: on a bare directory the mount would hide nothing,
         * but a machine without one is no place for MPI's shared memory anyway. */
        if (unshare(CLONE_NEWNS) < 0)
                return false;
        return mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) == 0 &&
               mount("job", "/dev/shm", "tmpfs", MS_NOSUID | MS_NODEV, "mode=1777") == 0;
}

static int make_dir(const char *path, mode_t mode, uid_t uid, gid_t gid, struct error *err)
{
        /* chmod: the umask is not ours to change */
        if (mkdir(path, mode) < 0 || chmod(path, mode) < 0)
                return error_set(err, -errno, "make the job's directory \"%s\"", path);
        if (geteuid() == 0 && chown(path, uid, gid) < 0)
                return error_set(err, -errno, "give the job's directory \"%s\" to uid %u", path, (unsigned) uid);
        return 0;
}

static int join(char *buf, size_t size, const char *dir, const char *name, struct error *err)
{
        int n = snprintf(buf, size, "%s/%s", dir, name);
        return n < 0 || (size_t) n >= size ? error_set(err, -ENAMETOOLONG, "the job's directory in \"%s\"", dir) : 0;
}

int jobdir_share(struct jobdir *d, const struct jobdir_share *share, struct error *err)
{
        int r = 0;
        if (share->shm && share->private_shm) {
                r = join(d->shm, sizeof(d->shm), "/dev", "shm", err);
        } else if (share->shm) {
                r = join(d->shm, sizeof(d->shm), d->path, "shm", err);
                if (r == 0)
                        r = make_dir(d->shm, 01777, 0, 0, err);
        }
        if (r < 0 || !share->pmix)
                return r;
        d->pmix_in_shm = share->shm && share->private_shm;
        char name[STATE_ID_MAX + 16];
        snprintf(name, sizeof(name), "pmix.%s", d->dir.id);
        r = join(d->pmix, sizeof(d->pmix), d->pmix_in_shm ? d->shm : d->path, d->pmix_in_shm ? name : "pmix", err);
        return r < 0 ? r : make_dir(d->pmix, 0700, share->uid, share->gid, err);
}

void jobdir_close(struct jobdir *d)
{
        /* Best effort: an entry that stays is stale, and is collected. */
        if (d->dir.fd >= 0 && state_dir_lock(&d->dir, NULL) == 0)
                ignore_result(state_dir_remove(&d->dir, NULL));
        state_dir_clear(&d->dir);
        fd_close(take_fd(&d->root_fd));
        free(d->cgroup);
        *d = JOBDIR_INIT;
}

#include "runtime/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "base/io.h"
#include "base/str.h"

#define DIR_FLAGS (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define LOCK_TRIES 1000
#define LOCK_PAUSE_NS 10000000  /* 10 ms */
#define NESTING_MAX 64

int state_check_id(const char *id, struct error *err)
{
        static const char first[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-";
        if (id[0] == '\0')
                return error_say(err, -EINVAL, "container id cannot be empty");
        size_t size = strlen(id);
        if (size > STATE_ID_MAX)
                return error_say(err, -ENAMETOOLONG, "invalid container id: longer than %d characters", STATE_ID_MAX);
        size_t good = strspn(id, first);
        while (good > 0 && id[good] == '.')
                good += 1 + strspn(id + good + 1, first);
        if (good < size)
                return error_say(
                        err, -EINVAL,
                        "invalid container id format \"%s\": letters, digits and _+-. are allowed, no dot first", id);
        return 0;
}

/* The number behind some blanks; what is none is 0. */
static uint32_t next_number(const char **at)
{
        uint32_t number = 0;
        char digits[16] = "";
        *at += strspn(*at, " ");
        size_t n = strspn(*at, "0123456789");
        if (n < sizeof(digits))
                memcpy(digits, *at, n);
        *at += n;
        return parse_u32(digits, &number) < 0 ? 0 : number;
}

/* Root of a user namespace has no right to /run of the machine; uid_map tells (user_namespaces(7)). */
static bool in_initial_userns(uint32_t *ret_outside)
{
        auto_free char *text = NULL;
        uint32_t map[3]; /* of the first line: inside, outside, how many */
        *ret_outside = geteuid();
        if (io_read_file(AT_FDCWD, "/proc/self/uid_map", 65536, &text, NULL) < 0)
                return true; /* a kernel without user namespaces */
        const char *at = text;
        for (int i = 0; i < 3; i++)
                map[i] = next_number(&at);
        if (map[0] == 0 && map[1] == 0 && map[2] == UINT32_MAX)
                return true;
        if (geteuid() >= map[0] && geteuid() - map[0] < map[2])
                *ret_outside = geteuid() - map[0] + map[1];
        return false;
}

/* Root of the machine, not of a user namespace. */
static bool is_root(void)
{
        uint32_t outside;
        return geteuid() == 0 && in_initial_userns(&outside);
}

/* As runc: Podman starts us as root of its user namespace with no USER, and "root" there is a container of its own. */
char *state_default_root(const char *const *environ_)
{
        const char *runtime_dir = strv_env(environ_, "XDG_RUNTIME_DIR");
        const char *user = strv_env(environ_, "USER");
        uint32_t outside;
        auto_str struct str s = STR_INIT;
        if (geteuid() == 0 && ((user && strcmp(user, "root") == 0) || in_initial_userns(&outside)))
                str_add(&s, "/run/berth");
        else if (runtime_dir && runtime_dir[0] == '/')
                str_addf(&s, "%s/berth", runtime_dir);
        else {
                /* No login session, as in a batch job. Safe in /tmp: a stranger's directory is refused. */
                (void) in_initial_userns(&outside);
                str_addf(&s, "/tmp/berth-%u", (unsigned) outside);
        }
        return str_take(&s);
}

static int make_root(const char *path, struct error *err)
{
        if (mkdir(path, 0700) == 0 || errno == EEXIST)
                return 0;
        if (errno != ENOENT)
                return error_set(err, -errno, "make state directory \"%s\"", path);

        auto_str struct str s = STR_INIT;
        str_add(&s, path);
        if (str_failed(&s))
                return error_set(err, -ENOMEM, "make state directory");
        for (char *p = strchr(s.text + 1, '/'); p; p = strchr(p + 1, '/')) {
                *p = '\0';
                if (mkdir(s.text, 0755) < 0 && errno != EEXIST)
                        return error_set(err, -errno, "make \"%s\" for the state directory", s.text);
                *p = '/';
        }
        if (mkdir(path, 0700) < 0 && errno != EEXIST)
                return error_set(err, -errno, "make state directory \"%s\"", path);
        return 0;
}

int state_root_open(const char *path, bool create, int *ret_fd, struct error *err)
{
        struct stat st, top;
        if (path[0] == '\0')
                return error_say(err, -EINVAL, "--root is empty");
        if (stat("/", &top) < 0)
                return error_set(err, -errno, "look at \"/\"");
        if (create) {
                int r = make_root(path, err);
                if (r < 0)
                        return r;
        }
        /* The last component may be a link only of the one who names it: /run/x chosen by the caller is fine. */
        auto_fd int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return error_set(err, -errno, "open state directory \"%s\"", path);
        if (fstat(fd, &st) < 0)
                return error_set(err, -errno, "look at state directory \"%s\"", path);
        if (st.st_dev == top.st_dev && st.st_ino == top.st_ino)
                return error_say(err, -EINVAL,
                                 "--root \"%s\" is the root of the file system: name a directory of its own", path);
        if (create && st.st_uid != geteuid() && !is_root())
                return error_say(err, -EPERM, "state directory \"%s\" belongs to uid %u: give another one with --root",
                                 path, (unsigned) st.st_uid);
        *ret_fd = take_fd(&fd);
        return 0;
}

static int remove_tree(int parent_fd, const char *name, unsigned nesting);

static int remove_children(int fd, unsigned nesting)
{
        int own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        DIR *d = own < 0 ? NULL : fdopendir(own);
        if (!d) {
                int r = -errno;
                fd_close(own);
                return r;
        }
        int r = 0;
        for (struct dirent *e; r == 0 && (e = readdir(d));)
                if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
                        r = remove_tree(fd, e->d_name, nesting + 1);
        closedir(d);
        return r;
}

/* Links are removed, not followed. What is mounted in there says EBUSY, and stays. */
static int remove_tree(int parent_fd, const char *name, unsigned nesting)
{
        if (unlinkat(parent_fd, name, 0) == 0 || errno == ENOENT)
                return 0;
        if (errno != EISDIR && errno != EPERM)
                return -errno;
        if (nesting > NESTING_MAX)
                return -ELOOP;
        auto_fd int fd = openat(parent_fd, name, DIR_FLAGS);
        if (fd < 0)
                return -errno;
        int r = remove_children(fd, nesting);
        if (r == 0 && unlinkat(parent_fd, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
                r = -errno;
        return r;
}

int state_dir_create(int root_fd, const struct state *state, struct state_dir *ret_dir, struct error *err)
{
        auto_state_dir struct state_dir dir = STATE_DIR_INIT;
        dir.root_fd = root_fd;
        snprintf(dir.id, sizeof(dir.id), "%s", state->id);

        char name[STATE_ID_MAX + 32];
        snprintf(name, sizeof(name), ".%s.%d.new", state->id, (int) getpid());
        if (mkdirat(root_fd, name, 0700) < 0)
                return error_set(err, -errno, "make directory for the state of \"%s\"", state->id);
        int r = 0;
        dir.fd = openat(root_fd, name, DIR_FLAGS);
        if (dir.fd < 0 || flock(dir.fd, LOCK_EX | LOCK_NB) < 0)
                r = error_set(err, -errno, "open directory for the state of \"%s\"", state->id);
        if (r == 0)
                r = state_write_first(&dir, state, err);
        /* An empty leftover is replaced, an entry never: it has a file in it. */
        if (r == 0 && renameat(root_fd, name, root_fd, state->id) < 0)
                r = errno == EEXIST || errno == ENOTEMPTY || errno == ENOTDIR
                            ? error_say(err, -EEXIST, "container with given ID already exists: \"%s\"", state->id)
                            : error_set(err, -errno, "name directory for the state of \"%s\"", state->id);
        if (r < 0) {
                (void) remove_tree(root_fd, name, 0); /* best effort: the failure is already known */
                return r;
        }
        *ret_dir = dir;
        dir.fd = -1;
        return 0;
}

int state_dir_open(int root_fd, const char *id, struct state_dir *ret_dir, struct error *err)
{
        int r = state_check_id(id, err);
        if (r < 0)
                return r;
        auto_fd int fd = openat(root_fd, id, DIR_FLAGS);
        if (fd < 0 && errno == ENOENT)
                return error_say(err, -ENOENT, "container does not exist: \"%s\"", id);
        if (fd < 0)
                return error_set(err, -errno, "open state of container \"%s\"", id);
        struct stat st;
        if (fstat(fd, &st) < 0)
                return error_set(err, -errno, "look at state of container \"%s\"", id);
        if (st.st_uid != geteuid() && st.st_uid != 0)
                return error_say(err, -EPERM, "state of container \"%s\" belongs to uid %u, and we are %u: not trusted",
                                 id, (unsigned) st.st_uid, (unsigned) geteuid());

        ret_dir->root_fd = root_fd;
        snprintf(ret_dir->id, sizeof(ret_dir->id), "%s", id);
        ret_dir->fd = take_fd(&fd);
        return 0;
}

/* Is what we hold still the entry of this name? */
static bool still_there(const struct state_dir *dir)
{
        struct stat held, named;
        return fstat(dir->fd, &held) == 0 && fstatat(dir->root_fd, dir->id, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
               held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

int state_dir_lock(struct state_dir *dir, struct error *err)
{
        for (int i = 0; flock(dir->fd, LOCK_EX | LOCK_NB) < 0; i++) {
                if (errno != EWOULDBLOCK && errno != EINTR)
                        return error_set(err, -errno, "lock state of container \"%s\"", dir->id);
                if (i == LOCK_TRIES)
                        return error_say(err, -EBUSY, "container \"%s\" is being changed by another process", dir->id);
                (void) nanosleep(&(struct timespec){ .tv_nsec = LOCK_PAUSE_NS }, NULL); /* a shorter pause is fine */
        }
        if (!still_there(dir))
                return error_say(err, -ENOENT, "container does not exist: \"%s\"", dir->id);
        return 0;
}

void state_dir_unlock(struct state_dir *dir)
{
        if (dir->fd >= 0)
                (void) flock(dir->fd, LOCK_UN); /* cannot fail on an open directory */
}

void state_dir_clear(struct state_dir *dir)
{
        state_dir_unlock(dir);
        fd_close(dir->fd);
        dir->fd = -1;
}

int state_dir_remove(struct state_dir *dir, struct error *err)
{
        if (!still_there(dir))
                return 0;
        /* Under another name first: the id is free at once and never seen half empty. */
        char name[STATE_ID_MAX + 32];
        snprintf(name, sizeof(name), ".%s.%d.old", dir->id, (int) getpid());
        if (renameat(dir->root_fd, dir->id, dir->root_fd, name) < 0)
                return error_set(err, -errno, "remove state of container \"%s\"", dir->id);
        int r = remove_tree(dir->root_fd, name, 0);
        return r < 0 ? error_set(err, r, "remove state of container \"%s\"", dir->id) : 0;
}

/* ".ID.PID.new" or ".ID.PID.old", and that process is gone? */
static bool is_left_over(const char *name)
{
        size_t n = strlen(name);
        char pid[16];
        uint32_t number;
        if (name[0] != '.' || n < 8 || (strcmp(name + n - 4, ".new") != 0 && strcmp(name + n - 4, ".old") != 0))
                return false;
        size_t from = n - 4;
        while (from > 0 && name[from - 1] != '.')
                from--;
        if (n - 4 - from >= sizeof(pid))
                return false;
        memcpy(pid, name + from, n - 4 - from);
        pid[n - 4 - from] = '\0';
        return parse_u32(pid, &number) == 0 && kill((pid_t) number, 0) < 0 && errno == ESRCH;
}

void state_sweep(int root_fd)
{
        auto_fd int fd = openat(root_fd, ".", DIR_FLAGS);
        DIR *d = fd < 0 ? NULL : fdopendir(fd);
        if (!d)
                return;
        (void) take_fd(&fd); /* closedir() closes it */
        for (struct dirent *e; (e = readdir(d));) {
                auto_fd int left = is_left_over(e->d_name) ? openat(root_fd, e->d_name, DIR_FLAGS) : -1;
                /* A creator in another pid namespace is not gone: it holds the lock. */
                if (left >= 0 && flock(left, LOCK_EX | LOCK_NB) == 0)
                        (void) remove_tree(root_fd, e->d_name, 0); /* the next one tries again */
        }
        closedir(d);
}

static int by_name(const void *a, const void *b)
{
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

int state_ids(int root_fd, struct arena *arena, const char ***ret_ids, size_t *ret_n, struct error *err)
{
        auto_fd int fd = openat(root_fd, ".", DIR_FLAGS);
        DIR *d = fd < 0 ? NULL : fdopendir(fd);
        if (!d)
                return error_set(err, -errno, "read state directory");
        (void) take_fd(&fd); /* closedir() closes it */

        const char **ids = NULL;
        size_t n = 0, room = 0;
        int r = 0;
        for (struct dirent *e; r == 0 && (e = readdir(d));) {
                if (state_check_id(e->d_name, NULL) < 0 || (e->d_type != DT_DIR && e->d_type != DT_UNKNOWN))
                        continue;
                if (n == room) {
                        room = n + n + 16;
                        ids = arena_grow(arena, ids, n, room - n, sizeof(*ids));
                }
                char *id = ids ? arena_strdup(arena, e->d_name) : NULL;
                if (id)
                        ids[n++] = id;
                else
                        r = error_set(err, -ENOMEM, "read state directory");
        }
        closedir(d);
        if (r < 0)
                return r;
        if (n > 1)
                qsort(ids, n, sizeof(*ids), by_name);
        *ret_ids = ids;
        *ret_n = n;
        return 0;
}

void state_clear(struct state *state)
{
        arena_free(state->arena);
        *state = STATE_INIT;
}

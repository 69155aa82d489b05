#include "runtime/criu_options.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/stat.h>

#define LOG_LEVEL 4             /* everything; the file is the only witness of a failure */
#define DEFAULT_CONFIG "/etc/criu/runc.conf"
#define CONFIG_ANNOTATION "org.criu.config"

const char *const criu_ns_names[NS_TYPES] = {
        [NS_USER] = "user", [NS_PID] = "pid", [NS_MOUNT] = "mnt",     [NS_UTS] = "uts",
        [NS_IPC] = "ipc",   [NS_NETWORK] = "net", [NS_CGROUP] = "cgroup", [NS_TIME] = "time",
};

static int make_dir(const char *path, bool parents, const char *what, struct error *err)
{
        if (mkdir(path, 0700) == 0 || errno == EEXIST)
                return 0;
        if (errno != ENOENT || !parents)
                return error_set(err, -errno, "make the %s \"%s\"", what, path);
        auto_str struct str s = STR_INIT;
        str_add(&s, path);
        if (str_failed(&s))
                return error_set(err, -ENOMEM, "make the %s", what);
        for (char *p = strchr(s.text + 1, '/'); p; p = strchr(p + 1, '/')) {
                *p = '\0';
                if (mkdir(s.text, 0755) < 0 && errno != EEXIST)
                        return error_set(err, -errno, "make \"%s\" for the %s", s.text, what);
                *p = '/';
        }
        return make_dir(path, false, what, err);
}

static int open_dir(const char *path, const char *what, int *ret_fd, struct error *err)
{
        *ret_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return *ret_fd < 0 ? error_set(err, -errno, "open the %s \"%s\"", what, path) : 0;
}

int criu_dirs_open(const struct criu_options *o, bool create, struct criu_dirs *ret, struct error *err)
{
        auto_criu_dirs struct criu_dirs dirs = CRIU_DIRS_INIT;
        dirs.log_path = o->work_path ? o->work_path : o->image_path;
        int r = create ? make_dir(o->image_path, true, "image path", err) : 0;
        if (r == 0)
                r = open_dir(o->image_path, "image path", &dirs.image_fd, err);
        if (r == 0 && o->work_path)
                r = make_dir(o->work_path, false, "work path", err);
        if (r == 0 && o->work_path)
                r = open_dir(o->work_path, "work path", &dirs.work_fd, err);
        if (r < 0)
                return r;
        *ret = dirs;
        dirs = CRIU_DIRS_INIT;
        return 0;
}

void criu_dirs_clear(struct criu_dirs *dirs)
{
        fd_close(dirs->image_fd);
        fd_close(dirs->work_fd);
        *dirs = CRIU_DIRS_INIT;
}

void criu_put_common(struct str *opts, const struct criu_options *o, const struct criu_dirs *dirs, const char *log)
{
        const struct {
                enum criu_option field;
                bool on;
        } flags[] = {
                { CRIU_MANAGE_CGROUPS, true },  /* criu before 2.0 knows no modes */
                { CRIU_NOTIFY_SCRIPTS, true },
                { CRIU_ORPHAN_PTS_MASTER, true },
                { CRIU_TCP_ESTABLISHED, o->tcp_established },
                { CRIU_TCP_CLOSE, o->tcp_close },
                { CRIU_EXT_UNIX_SK, o->ext_unix_sk },
                { CRIU_SHELL_JOB, o->shell_job },
                { CRIU_FILE_LOCKS, o->file_locks },
                { CRIU_AUTO_DEDUP, o->auto_dedup },
                { CRIU_LAZY_PAGES, o->lazy_pages },
        };
        pb_number(opts, CRIU_IMAGES_DIR_FD, dirs->image_fd);
        if (dirs->work_fd >= 0)
                pb_number(opts, CRIU_WORK_DIR_FD, dirs->work_fd);
        pb_number(opts, CRIU_LOG_LEVEL, LOG_LEVEL);
        pb_text(opts, CRIU_LOG_FILE, log);
        for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
                if (flags[i].on)
                        pb_number(opts, flags[i].field, true);
        pb_number(opts, CRIU_MANAGE_CGROUPS_MODE, o->cgroup_mode);
        if (o->network_lock)
                pb_number(opts, CRIU_NETWORK_LOCK, o->network_lock);
        /* Devices and addresses are not ours to restore: a network namespace that criu makes stays empty. */
        pb_number(opts, CRIU_EMPTY_NS, CLONE_NEWNET);
}

void criu_put_config(struct str *opts, const struct spec *spec)
{
        const char *file = DEFAULT_CONFIG;
        for (size_t i = 0; i < spec->n_annotations; i++)
                if (strcmp(spec->annotations[i].key, CONFIG_ANNOTATION) == 0)
                        file = spec->annotations[i].value;
        if (*file)
                pb_text(opts, CRIU_CONFIG_FILE, file);
}

/* The names are runc's: images of one can be restored by the other. */
const char *criu_external_ns(const struct spec *spec, enum ns_type type)
{
        if (!spec->ns[type].wanted || !spec->ns[type].path)
                return NULL;
        return type == NS_NETWORK ? "extRootNetNS" : type == NS_PID ? "extRootPidNS" : NULL;
}

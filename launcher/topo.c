#include "launcher/topo.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "hpc/draw.h"
#include "runtime/list.h"

enum { STATUS_FAILED = 1, STATUS_USAGE = 2 };

static const char usage[] =
        "Usage: berth topo [OPTIONS]\n\n"
        "Print this machine, and which containers and instances of jobs run where in it.\n\n"
        "Options:\n"
        "  --svg FILE    draw it instead, as a picture for browsers\n"
        "  --root DIR    where the state of containers and jobs is kept\n"
        "  -h, --help    print this text\n";

struct topo_args {
        const char *svg, *root;
        bool help;
};

struct occupants {
        struct occupant *list;
        size_t n, room;
};
static void occupants_clear_p(struct occupants *o)
{
        for (size_t i = 0; i < o->n; i++)
                free(o->list[i].name);
        free(o->list);
}

static int parse(int argc, char **argv, struct topo_args *ret, struct error *err)
{
        struct topo_args a = { 0 };
        for (int i = 0; i < argc; i++) {
                const char **value = str_starts(argv[i], "--svg") ? &a.svg : str_starts(argv[i], "--root") ? &a.root : NULL;
                const char *rest = value ? argv[i] + (value == &a.svg ? 5 : 6) : "";
                if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
                        a.help = true;
                else if (!value || (*rest && *rest != '='))
                        return error_say(err, -EINVAL, "unknown %s \"%s\"", argv[i][0] == '-' ? "option" : "argument", argv[i]);
                else if (*rest == '=')
                        *value = rest + 1;
                else if (++i < argc)
                        *value = argv[i];
                else
                        return error_say(err, -EINVAL, "%s needs a value", argv[i - 1]);
        }
        *ret = a;
        return 0;
}

static int add(struct occupants *o, const char *name, pid_t pid)
{
        size_t size = PLACE_MASK_BITS / 8;
        struct place_mask cpus = PLACE_MASK_INIT;
        auto_free cpu_set_t *set = calloc(1, size);
        if (!set)
                return -ENOMEM;
        if (sched_getaffinity(pid, size, set) < 0)
                return 0;       /* it has ended meanwhile */
        for (unsigned i = 0; i < PLACE_MASK_BITS; i++)
                if (CPU_ISSET_S(i, size, set))
                        bind_set(&cpus, i);
        if (o->n == o->room) {
                size_t room = o->room ? o->room * 2 : 16;
                struct occupant *list = realloc(o->list, room * sizeof(*list));
                if (!list)
                        return -ENOMEM;
                o->list = list;
                o->room = room;
        }
        char *copy = strdup(name);
        if (!copy)
                return -ENOMEM;
        o->list[o->n++] = (struct occupant){ copy, cpus };
        return 0;
}

/* The value of a variable of a process; NULL: it has none, or we may not look. The caller frees. */
static char *variable_of(pid_t pid, const char *name)
{
        char path[64];
        auto_free char *text = NULL;
        size_t size = 0, n = strlen(name);
        snprintf(path, sizeof(path), "/proc/%d/environ", (int) pid);
        if (io_read_file(AT_FDCWD, path, 4 << 20, &text, &size) < 0)
                return NULL;
        for (size_t i = 0; i < size; i += strlen(text + i) + 1)
                if (strncmp(text + i, name, n) == 0 && text[i + n] == '=')
                        return strdup(text + i + n + 1);
        return NULL;
}

/* The instances of a job are children of its launcher; spawners and holder have no rank. */
static int add_job(struct occupants *o, const char *id, pid_t launcher)
{
        char path[96], name[STATE_ID_MAX + 24];
        auto_free char *children = NULL;
        snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int) launcher, (int) launcher);
        if (io_read_file(AT_FDCWD, path, 4 << 20, &children, NULL) < 0)
                return 0;       /* it has ended meanwhile */
        for (char *rest = children, *word; (word = strsep(&rest, " \n")) != NULL;) {
                uint32_t pid;
                if (parse_u32(word, &pid) < 0)
                        continue;
                auto_free char *rank = variable_of((pid_t) pid, "BERTH_RANK");
                if (!rank)
                        continue;
                snprintf(name, sizeof(name), "%s.%.16s", id, rank);
                int r = add(o, name, (pid_t) pid);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int who_runs(const struct topo_args *a, char **environ_, struct occupants *ret, struct error *err)
{
        auto_free char *root = a->root ? strdup(a->root) : state_default_root((const char *const *) environ_);
        auto_fd int fd = -1;
        auto_list struct list list = LIST_INIT;
        if (!root)
                return error_set(err, -ENOMEM, "find the state directory");
        int r = state_root_open(root, false, &fd, err);
        if (r == -ENOENT && !a->root)
                return 0;       /* nobody has made a container yet */
        if (r == 0)
                r = list_read(fd, &list, err);
        if (r < 0)
                return r;
        for (size_t i = 0; r == 0 && i < list.n; i++) {
                const struct list_row *row = &list.rows[i];
                if (row->status == STATUS_STOPPED)
                        continue;
                r = row->state.kind == STATE_JOB ? add_job(ret, row->state.id, row->state.process.pid)
                                                 : add(ret, row->state.id, row->state.process.pid);
        }
        return r < 0 ? error_set(err, r, "find out who runs where") : 0;
}

static int write_svg(const char *path, const char *text, struct error *err)
{
        auto_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        int r = fd < 0 ? -errno : io_write_all(fd, text, strlen(text));
        return r < 0 ? error_set(err, r, "write \"%s\"", path) : 0;
}

static int show(const struct topo_args *a, char **environ_, struct error *err)
{
        CLEANUP(occupants_clear) struct occupants who = { 0 };
        auto_topology struct topology *topology = NULL;
        int r = topology_load(&topology, err);
        /* On another machine nothing of ours runs. */
        if (r == 0 && topology_is_real(topology))
                r = who_runs(a, environ_, &who, err);
        if (r < 0)
                return r;
        auto_free char *text = a->svg ? draw_svg(topology, who.list, who.n) : draw_text(topology, who.list, who.n);
        if (!text)
                return error_set(err, -ENOMEM, "draw the machine");
        if (a->svg)
                return write_svg(a->svg, text, err);
        fputs(text, stdout);
        return fflush(stdout) == 0 ? 0 : error_set(err, -EIO, "print the machine");
}

int topo_main(int argc, char **argv, char **environ_)
{
        struct topo_args a = { 0 };
        struct error err = ERROR_INIT;
        int status = STATUS_USAGE;
        int r = parse(argc, argv, &a, &err);
        if (r == 0 && a.help) {
                fputs(usage, stdout);
                return fflush(stdout) == 0 ? 0 : STATUS_FAILED;
        }
        if (r == 0) {
                status = STATUS_FAILED;
                r = show(&a, environ_, &err);
        }
        if (r < 0)
                fprintf(stderr, "berth topo: %s\n", err.text);
        return r < 0 ? status : 0;
}

#include <errno.h>
#include <sched.h>
#include <string.h>

#include "runtime/parent.h"

static const char *arg(const struct session *s, const struct step *step, unsigned n)
{
        return plan_string(s->plan, s->in, step, n);
}

static int explain_program(const struct session *s, int code, struct error *err)
{
        const char *name = s->in->argv && s->in->argv[0] ? s->in->argv[0] : "";
        if (code == -ENOENT && !strchr(name, '/'))
                return error_say(err, code, "exec: \"%s\": executable file not found in $PATH", name);
        if (code == -ENOEXEC)
                return error_say(err, code, "exec: \"%s\": not a program of this machine, or a script without #!", name);
        return error_set(err, code, "exec: \"%s\"", name);
}

/* The file is there: ENOENT is about its interpreter. */
static int explain_exec(const struct session *s, int code, struct error *err)
{
        int r = code == -ENOENT ? error_say(err, code, "exec %s: no such file or directory", s->in->argv[0])
                                : explain_program(s, code, err);
        return err ? error_mark(err, ERROR_EXECVE) : r;
}

static int explain_mount(const struct session *s, const struct step *step, int code, struct error *err)
{
        const char *data = arg(s, step, 4);
        if (code == -ENODEV)
                return error_say(err, code, "mount \"%s\": this kernel has no file system of type \"%s\"",
                                 arg(s, step, 2), arg(s, step, 0));
        return error_set(err, code, "mount \"%s\" of type %s%s%s%s%s", arg(s, step, 2), arg(s, step, 0),
                         *data ? " with options \"" : "", data, *data ? "\"" : "",
                         step->arg[5] & MOUNT_COPY_UP ? ", and copy to it what the image has there (tmpcopyup)" : "");
}

static int explain_chdir(const char *path, int code, struct error *err)
{
        if (code == -EXDEV)
                return error_say(err, code, "process.cwd: \"%s\" is outside of the container's root", path);
        return error_set(err, code, "process.cwd: change to \"%s\"", path);
}

static int explain_label(const char *label, int code, struct error *err)
{
        if (code == -ENOENT)
                return error_say(err, code, "the security module has no profile for: %s", label);
        return error_set(err, code, "label the process for the security module: \"%s\"", label);
}

/* The words in front and behind are those of runc: its tests, and maybe other programs, look for them. */
static int explain_bind(const struct session *s, const struct step *step, int code, struct error *err)
{
        if (code == -EPERM && (step->arg[4] & BIND_EXACT))
                return error_say(err, code, "unable to start container process: error during container init: error "
                                 "mounting \"%s\" to rootfs at \"%s\": its options change flags of the source (ro, nosuid, "
                                 "nodev, noexec, atime) that a user namespace must keep: operation not permitted",
                                 arg(s, step, 0), arg(s, step, 1));
        return error_set(err, code, "bind mount \"%s\" on \"%s\"", arg(s, step, 0), arg(s, step, 1));
}

static int explain_clone(const struct session *s, const struct step *step, int code, struct error *err)
{
        if (code == -EBUSY)
                return error_set(err, code, "adding pid of the process to cgroups: its cgroup gives controllers to its children, "
                                 "so it takes no process itself");
        if (code == -ENOSPC)
                return error_say(err, code, "make the namespaces: there are as many as this machine, or its user namespace, "
                                 "allows (sysctl user.max_*_namespaces)");
        if (code == -EOPNOTSUPP)
                return error_set(err, code, "adding pid of the process to cgroups: its cgroup is in a threaded subtree, or beside "
                                 "one (cgroup.type)");
        if (code == -EPERM && (step->arg[0] & CLONE_NEWUSER) && !s->opts->host->privileged)
                return error_set(err, code, "make the user namespace (perhaps this machine lets ordinary users make none: sysctl "
                                 "kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns)");
        if (code == -EPERM && !(step->arg[0] & CLONE_NEWUSER) && !parent_joins_apart(s) && !s->opts->host->privileged)
                return error_say(err, code, "make the namespaces: rootless container requires user namespaces: add one to "
                                 "linux.namespaces, with maps (\"berth spec --rootless\" writes such a config); or it takes "
                                 "CAP_SYS_ADMIN");
        char phrase[256] = "";
        plan_phrase(s->plan, s->in, (size_t) (step - s->plan->steps), phrase, sizeof(phrase));
        return error_set(err, code, "%s", phrase);
}

static const struct fixed {
        enum step_op op;
        int code;               /* 0: any */
        bool is_all;            /* the errno would add nothing */
        const char *text;
} fixed[] = {
        { STEP_CGROUP_ENTER, -ENOSPC, true, "enter the cgroup: its cpuset has no CPUs or no memory nodes" },
        { STEP_CGROUP_ENTER, -EBUSY, true, "enter the cgroup: it gives controllers to its children, so it takes no process "
                                           "itself (cgroup.subtree_control)" },
        { STEP_CGROUP_ENTER, 0, false, "enter the cgroup" },
        { STEP_WRITE_TIME_OFFSETS, 0, false, "linux.timeOffsets" },
        { STEP_SET_PERSONALITY, 0, false, "linux.personality" },
        { STEP_BIND_MEMORY, 0, false, "bind the memory (linux.memoryPolicy, or the launcher's choice)" },
        { STEP_SET_GROUPS, -EPERM, true, "process.user.additionalGids: an ordinary user can give a container groups only if it "
                                         "maps a range of them (/etc/subgid)" },
        { STEP_SET_CAPS, -EPERM, true, "process.capabilities: asks for a capability that we do not have ourselves (see CapPrm "
                                       "in /proc/self/status)" },
        { STEP_DROP_BOUNDING, -EPERM, true, "process.capabilities: asks for a capability that we do not have ourselves (see "
                                            "CapPrm in /proc/self/status)" },
};

static const struct fixed *fixed_words(unsigned op, int code)
{
        for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
                if (fixed[i].op == op && (fixed[i].code == 0 || fixed[i].code == code))
                        return &fixed[i];
        return NULL;
}

/* Steps whose argument list says less than a sentence would; all others are told as `berth plan` lists them. */
int explain_step(const struct session *s, size_t i, int code, struct error *err)
{
        if (i >= s->plan->n_steps)
                return error_set(err, code, "the plan ended without a process");
        const struct step *step = &s->plan->steps[i];
        switch (step->op) {
        case STEP_CLONE:
                return explain_clone(s, step, code, err);
        case STEP_FIND_PROGRAM:
                return explain_program(s, code, err);
        case STEP_EXEC:
                return explain_exec(s, code, err);
        case STEP_MOUNT:
                return explain_mount(s, step, code, err);
        case STEP_BIND:
                return explain_bind(s, step, code, err);
        case STEP_OPEN_TREE:
                return error_set(err, code, "bind mount \"%s\"", arg(s, step, 0));
        case STEP_BIND_DEVICE:
                if (code == -ENOENT)
                        return error_say(err, code, "device \"%s\": in a user namespace it is the host's own node, and the host has "
                                         "none at this path", arg(s, step, 0));
                return error_set(err, code, "bind the device \"%s\"", arg(s, step, 0));
        case STEP_OPEN_ROOT:
                return error_set(err, code, "root.path: rootfs \"%s\"", arg(s, step, 0));
        case STEP_RUN_HOOK:
                return error_set(err, code, "error running startContainer hook #%u: \"%s\"", (unsigned) step->arg[4],
                                 arg(s, step, 0));
        case STEP_CHDIR:
                return explain_chdir(arg(s, step, 0), code, err);
        case STEP_WRITE_SYSCTL:
                return error_set(err, code, "linux.sysctl: write \"%s\" to /proc/sys/%s", arg(s, step, 1),
                                 arg(s, step, 0));
        case STEP_EXEC_LABEL:
                return explain_label(arg(s, step, 1), code, err);
        case STEP_REFUSE_LINK:
                return error_say(err, code, "mount \"%s\": must be mounted on ordinary directory, but the way to it in "
                                 "the rootfs has a symbolic link, which is not safe for this type", arg(s, step, 0));
        default:
                break;
        }
        const struct fixed *words = fixed_words(step->op, code);
        if (words)
                return words->is_all ? error_say(err, code, "%s", words->text) : error_set(err, code, "%s", words->text);
        char phrase[256] = "";
        plan_phrase(s->plan, s->in, i, phrase, sizeof(phrase));
        return error_set(err, code, "%s", phrase);
}

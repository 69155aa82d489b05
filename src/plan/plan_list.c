#include "plan/plan.h"

#include <inttypes.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/capability.h>

#include "spec/spec.h"

struct flag_name {
        uint64_t bit;
        const char *name;
};

static const struct flag_name clone_flags[] = {
        { CLONE_NEWUSER, "user" },     { CLONE_NEWPID, "pid" },       { CLONE_NEWNS, "mount" },
        { CLONE_NEWUTS, "uts" },       { CLONE_NEWIPC, "ipc" },       { CLONE_NEWNET, "network" },
        { CLONE_NEWCGROUP, "cgroup" }, { CLONE_NEWTIME, "time" },     { CLONE_CLEAR_SIGHAND, "clear-sighand" },
        { 0, NULL },
};

static const struct flag_name mount_attr[] = {
        { MOUNT_ATTR_RDONLY, "ro" },         { MOUNT_ATTR_NOSUID, "nosuid" },
        { MOUNT_ATTR_NODEV, "nodev" },       { MOUNT_ATTR_NOEXEC, "noexec" },
        { MOUNT_ATTR_NOATIME, "noatime" },   { MOUNT_ATTR_STRICTATIME, "strictatime" },
        { MOUNT_ATTR_NODIRATIME, "nodiratime" }, { 0, NULL },
};

/* The numbers of mount(2). */
static const struct flag_name ms_flags[] = {
        { 1 << 4, "sync" },     { 1 << 6, "mand" },     { 1 << 7, "dirsync" },     { 1 << 14, "rec" },
        { 1 << 15, "silent" },  { 1 << 17, "unbindable" }, { 1 << 18, "private" }, { 1 << 19, "slave" },
        { 1 << 20, "shared" },  { 1 << 25, "lazytime" }, { MOUNT_KEEP_MODE, "keep-mode" },
        { MOUNT_COPY_UP, "copy-up" }, { 0, NULL },
};

/* "user,pid,mount"; bits without a name come last, as a number; none at all is "-". */
static void print_flags(FILE *out, uint64_t flags, const struct flag_name *names)
{
        const char *comma = " ";
        if (!flags)
                fputs(" -", out);
        for (; names->name; names++) {
                if (!(flags & names->bit))
                        continue;
                fprintf(out, "%s%s", comma, names->name);
                flags &= ~names->bit;
                comma = ",";
        }
        if (flags)
                fprintf(out, "%s%#" PRIx64, comma, flags);
}

static void print_caps(FILE *out, uint64_t caps)
{
        const char *comma = " ";
        if (!caps)
                fputs(" -", out);
        for (cap_value_t cap = 0; cap < 64; cap++) {
                if (!(caps & (UINT64_C(1) << cap)))
                        continue;
                char *name = cap_to_name(cap);
                fprintf(out, "%s%s", comma, name ? name : "?");
                (void) cap_free(name);
                comma = ",";
        }
}

/* Strings of the config come from outside: nothing of them may steer a terminal. */
static void print_quoted(FILE *out, const char *s)
{
        fputs(" \"", out);
        for (; *s; s++) {
                unsigned char ch = (unsigned char) *s;
                if (ch == '"' || ch == '\\')
                        fprintf(out, "\\%c", ch);
                else if (ch == '\n')
                        fputs("\\n", out);
                else if (ch < 0x20 || ch == 0x7f)
                        fprintf(out, "\\x%02x", ch);
                else
                        fputc(ch, out);
        }
        fputc('"', out);
}

static void print_strv(FILE *out, struct plan_bytes bytes)
{
        fputs(" [", out);
        for (size_t at = 0; at < bytes.size; at += strlen((const char *) bytes.data + at) + 1)
                print_quoted(out, (const char *) bytes.data + at);
        fputs(" ]", out);
}

static void print_data(FILE *out, const struct plan *plan, const struct instance *in, const struct step *step, unsigned n)
{
        enum arg_kind kind = step_info(step->op)->arg[n];
        uint64_t arg = step->arg[n];
        if ((arg & ARG_SLOT) && (!in || kind != ARG_STRING || !plan_bytes(plan, in, step, n).data))
                fprintf(out, " $%" PRIu64, arg & ~ARG_SLOT);
        else if (kind == ARG_STRING)
                print_quoted(out, plan_string(plan, in, step, n));
        else if (kind == ARG_STRV)
                print_strv(out, plan_bytes(plan, in, step, n));
        else
                fprintf(out, " <%zu bytes>", plan_bytes(plan, in, step, n).size);
}

static void print_arg(FILE *out, const struct plan *plan, const struct instance *in, const struct step *step, unsigned n)
{
        enum arg_kind kind = step_info(step->op)->arg[n];
        uint64_t arg = step->arg[n];
        switch (kind) {
        case ARG_NONE:
                return;
        case ARG_STRING:
        case ARG_BLOB:
        case ARG_STRV:
                print_data(out, plan, in, step, n);
                return;
        case ARG_CLONE_FLAGS:
                print_flags(out, arg, clone_flags);
                return;
        case ARG_MOUNT_ATTR:
                print_flags(out, arg, mount_attr);
                return;
        case ARG_MS_FLAGS:
                print_flags(out, arg, ms_flags);
                return;
        case ARG_CAPS:
                print_caps(out, arg);
                return;
        case ARG_HOOK_KIND:
                fprintf(out, " %s", arg < HOOK_KINDS ? hook_names[arg] : "?");
                return;
        case ARG_FD:
                if (arg != FD_NONE)
                        fprintf(out, " fd%" PRIu64, arg);
                return;
        case ARG_SIGNED:
                fprintf(out, " %" PRId64, (int64_t) arg);
                return;
        case ARG_HEX:
                fprintf(out, " %#" PRIx64, arg);
                return;
        case ARG_OCTAL:
                fprintf(out, " %#" PRIo64, arg);
                return;
        case ARG_NUMBER:
                break;
        }
        fprintf(out, " %" PRIu64, arg);
}

static void print_step(FILE *out, const struct plan *plan, const struct instance *in, size_t i)
{
        const struct step *step = &plan->steps[i];
        fputs(step_info(step->op)->name, out);
        for (unsigned n = 0; n < STEP_ARGS; n++)
                print_arg(out, plan, in, step, n);
}

void plan_list(const struct plan *plan, FILE *out)
{
        for (size_t i = 0; i < plan->n_steps; i++) {
                fprintf(out, "%3zu  %-6s  ", i, lane_names[plan->steps[i].lane]);
                print_step(out, plan, NULL, i);
                fputc('\n', out);
        }
}

void plan_phrase(const struct plan *plan, const struct instance *in, size_t step, char *buf, size_t size)
{
        FILE *out = fmemopen(buf, size, "w");
        if (!out)
                return;
        print_step(out, plan, in, step);
        fclose(out);
        buf[size - 1] = '\0';
}

#include <errno.h>
#include <string.h>

#include "base/str.h"
#include "plan/compile_parts.h"

static const char no_module[] = "%s: \"%s\": this kernel runs without %s; leave it out";

/* A process may always ask to be unconfined: without AppArmor everybody is. */
static void compile_apparmor(struct compile *c)
{
        const char *profile = c->spec->process.apparmor;
        if (!profile)
                return;
        if (c->host->apparmor)
                plan_add(c->b, STEP_EXEC_LABEL, S(c, "apparmor/exec"), S(c, arena_printf(c->arena, "exec %s", profile)));
        else if (strcmp(profile, "unconfined") != 0)
                compile_refuse(c, -EOPNOTSUPP, no_module, "process.apparmorProfile", profile, "AppArmor");
}

/*
 * The kernel keeps the label for the next exec of this process, which is that
 * of the container's program. So it is written while /proc is not the
 * container's yet.
 */
void compile_label(struct compile *c)
{
        const char *label = c->spec->process.selinux;
        compile_apparmor(c);
        if (!label)
                return;
        if (c->host->selinux)
                plan_add(c->b, STEP_EXEC_LABEL, S(c, "exec"), S(c, label));
        else
                compile_refuse(c, -EOPNOTSUPP, no_module, "process.selinuxLabel", label, "SELinux");
}

static bool takes_no_label(const char *type)
{
        static const char *const types[] = { "proc", "sysfs", "mqueue" };
        for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
                if (strcmp(type, types[i]) == 0)
                        return true;
        return false;
}

/* The options of a file system with linux.mountLabel. proc, sysfs and mqueue are labelled by the policy, as with runc. */
const char *compile_mount_label(struct compile *c, const struct spec_mount *m)
{
        const char *label = c->spec->mount_label;
        if (!label || takes_no_label(m->type) || strstr(m->data, "context="))
                return m->data;
        if (!c->host->selinux) {
                compile_refuse(c, -EOPNOTSUPP, no_module, "linux.mountLabel", label, "SELinux");
                return m->data;
        }
        auto_str struct str text = STR_INIT;
        str_addf(&text, "%s%scontext=", m->data, *m->data ? "," : "");
        for (const char *p = label; *p; p++)    /* its commas do not end the option */
                str_addf(&text, "%s%c", *p == ',' ? "\\" : "", *p);
        const char *kept = str_failed(&text) ? NULL : arena_strdup(c->arena, text.text);
        if (!kept)
                compile_refuse(c, -ENOMEM, "no memory for the label of a mount");
        return kept ? kept : m->data;
}

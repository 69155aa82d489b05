#include "spec/read.h"

#include <errno.h>
#include <inttypes.h>

#include "base/str.h"

/* Below, ' stands for ", and there is no white space: indent() adds it. */

static const char process[] =
        "'process':{'terminal':true,'user':{'uid':0,'gid':0},'args':['sh'],"
        "'env':['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin','TERM=xterm'],"
        "'cwd':'/',"
        "'capabilities':{"
        "'bounding':['CAP_AUDIT_WRITE','CAP_KILL','CAP_NET_BIND_SERVICE'],"
        "'effective':['CAP_AUDIT_WRITE','CAP_KILL','CAP_NET_BIND_SERVICE'],"
        "'permitted':['CAP_AUDIT_WRITE','CAP_KILL','CAP_NET_BIND_SERVICE']},"
        "'rlimits':[{'type':'RLIMIT_NOFILE','hard':1024,'soft':1024}],"
        "'noNewPrivileges':true},";

static const char root[] = "'root':{'path':'rootfs','readonly':true},'hostname':'runc',";

static const char mounts[] =
        "{'destination':'/proc','type':'proc','source':'proc'},"
        "{'destination':'/dev','type':'tmpfs','source':'tmpfs',"
        "'options':['nosuid','strictatime','mode=755','size=65536k']},"
        "{'destination':'/dev/pts','type':'devpts','source':'devpts',"
        "'options':['nosuid','noexec','newinstance','ptmxmode=0666','mode=0620'%s]},"
        "{'destination':'/dev/shm','type':'tmpfs','source':'shm',"
        "'options':['nosuid','noexec','nodev','mode=1777','size=65536k']},"
        "{'destination':'/dev/mqueue','type':'mqueue','source':'mqueue','options':['nosuid','noexec','nodev']},"
        "%s,"
        "{'destination':'/sys/fs/cgroup','type':'cgroup','source':'cgroup',"
        "'options':['nosuid','noexec','nodev','relatime','ro']}";

static const char sys[] =
        "{'destination':'/sys','type':'sysfs','source':'sysfs','options':['nosuid','noexec','nodev','ro']}";
/* Who has no network namespace of his own cannot mount a sysfs. */
static const char sys_rootless[] =
        "{'destination':'/sys','type':'none','source':'/sys','options':['rbind','nosuid','noexec','nodev','ro']}";

static const char paths[] =
        "'maskedPaths':['/proc/acpi','/proc/asound','/proc/kcore','/proc/keys','/proc/latency_stats',"
        "'/proc/timer_list','/proc/timer_stats','/proc/sched_debug','/sys/firmware','/proc/scsi'],"
        "'readonlyPaths':['/proc/bus','/proc/fs','/proc/irq','/proc/sys','/proc/sysrq-trigger']";

static void add_linux(struct str *s, const struct spec_template *wish)
{
        if (wish->rootless) {
                static const char map[] = "'%s':[{'containerID':0,'hostID':%" PRIu32 ",'size':1}],";
                str_addf(s, map, "uidMappings", wish->uid);
                str_addf(s, map, "gidMappings", wish->gid);
        } else {
                str_add(s, "'resources':{'devices':[{'allow':false,'access':'rwm'}]},");
        }
        str_add(s, "'namespaces':[{'type':'pid'},");
        str_add(s, wish->rootless ? "" : "{'type':'network'},");
        str_add(s, "{'type':'ipc'},{'type':'uts'},{'type':'mount'}");
        str_add(s, wish->cgroup_v2 ? ",{'type':'cgroup'}" : "");
        str_add(s, wish->rootless ? ",{'type':'user'}" : "");
        str_add(s, "],");
        str_add(s, paths);
}

static void new_line(struct str *s, int depth)
{
        str_add(s, "\n");
        while (depth-- > 0)
                str_add(s, "\t");
}

/* No string of the template has a bracket, a comma or a colon in front of a quote. */
static void indent(struct str *s, const char *compact)
{
        int depth = 0;
        bool in_string = false;
        for (const char *p = compact; *p; p++) {
                in_string ^= *p == '\'';
                if (!in_string && (*p == '}' || *p == ']'))
                        new_line(s, --depth);
                str_addn(s, *p == '\'' ? "\"" : p, 1);
                if (in_string)
                        continue;
                if (*p == '{' || *p == '[')
                        new_line(s, ++depth);
                else if (*p == ',')
                        new_line(s, depth);
                else if (*p == ':')
                        str_add(s, " ");
        }
}

int spec_write_default(const struct spec_template *wish, char **ret_text, struct error *err)
{
        auto_str struct str compact = STR_INIT;
        str_add(&compact, "{'ociVersion':'1.3.0',");
        str_add(&compact, process);
        str_add(&compact, root);
        str_add(&compact, "'mounts':[");
        /* The group tty (5) is not mapped for a rootless container. */
        str_addf(&compact, mounts, wish->rootless ? "" : ",'gid=5'", wish->rootless ? sys_rootless : sys);
        str_add(&compact, "],'linux':{");
        add_linux(&compact, wish);
        str_add(&compact, "}}");

        auto_str struct str text = STR_INIT;
        if (!str_failed(&compact))
                indent(&text, compact.text);
        str_add(&text, "\n");
        char *taken = str_failed(&compact) ? NULL : str_take(&text);
        if (!taken)
                return error_set(err, -ENOMEM, "the default config");
        *ret_text = taken;
        return 0;
}

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "cgroups/systemd.h"
#include "cli/command.h"
#include "cli/version.h"
#include "runtime/jot.h"
#include "spec/mount_options.h"
#include "spec/read.h"
#include "spec/words.h"
#include "syscall/sys.h"

/*
 * Lists are the tables by which config.json is read. What is switched on or off
 * is found out by reading a config that asks for it. So this says what is so.
 */

#define OCI_VERSION_MIN "1.0.0"

/* Whether a config with these members is taken. They are objects' insides: `linux`, `mounts`, ... */
static bool accepts(const char *members)
{
        auto_str struct str s = STR_INIT;
        auto_spec struct spec *spec = NULL;
        str_addf(&s, "{\"ociVersion\":\"" OCI_SPEC_VERSION "\",\"root\":{\"path\":\"rootfs\"},%s}", members);
        return !str_failed(&s) && spec_read_text(s.text, s.size, "features", &spec, NULL) == 0;
}

static int by_text(const void *a, const void *b)
{
        return strcmp(*(const char *const *) a, *(const char *const *) b);
}

typedef bool keep_fn(const char *text);

static void put_words(struct jot *j, const char *key, const struct words *words, keep_fn *keep)
{
        auto_free const char **list = calloc(words->n + 1, sizeof(*list));
        size_t n = 0;
        if (!list) {
                j->s.failed = true;
                return;
        }
        for (size_t i = 0; i < words->n; i++)
                if (!keep || keep(words->list[i].text))
                        list[n++] = words->list[i].text;
        qsort(list, n, sizeof(*list), by_text);
        jot_open(j, key, '[');
        for (size_t i = 0; i < n; i++)
                jot_text(j, NULL, list[i]);
        jot_close(j, ']');
}

static void put_enabled(struct jot *j, const char *key, bool enabled)
{
        jot_open(j, key, '{');
        jot_bool(j, "enabled", enabled);
        jot_close(j, '}');
}

/* libseccomp's own names: "x86_64" for SCMP_ARCH_X86_64. */
static bool knows_arch(const char *text)
{
        char lower[32] = "";
        const char *p = text + strlen("SCMP_ARCH_");
        for (size_t i = 0; p[i] && i + 1 < sizeof(lower); i++)
                lower[i] = (char) (p[i] >= 'A' && p[i] <= 'Z' ? p[i] - 'A' + 'a' : p[i]);
        return seccomp_arch_resolve_name(lower) != 0;
}

/*
 * seccomp(2) looks at the flags first: of one it does not know it says EINVAL, and else EFAULT or EACCES, because the
 * filter is nowhere. WAIT_KILLABLE_RECV (5.19) is taken only together with a listener.
 */
static bool kernel_knows_flag(const char *text)
{
        const struct word *w = word_find(&words_filter_flags, text);
        unsigned long flags = w ? (unsigned long) w->value : 0;
        if (flags & SPEC_FILTER_WAIT_KILLABLE)
                flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
        const void *nowhere = (const void *) (uintptr_t) 1;     /* of NULL it says EINVAL, too */
        return sys_seccomp_filter(flags, nowhere, sizeof(struct sock_filter)) != -EINVAL;
}

static void put_seccomp(struct jot *j)
{
        jot_open(j, "seccomp", '{');
        jot_bool(j, "enabled", accepts("\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ERRNO\"}}"));
        put_words(j, "actions", &words_filter_actions, NULL);
        put_words(j, "operators", &words_filter_ops, NULL);
        put_words(j, "archs", &words_filter_archs, knows_arch);
        put_words(j, "knownFlags", &words_filter_flags, NULL);
        put_words(j, "supportedFlags", &words_filter_flags, kernel_knows_flag);
        jot_close(j, '}');
}

static void put_cgroup(struct jot *j)
{
        jot_open(j, "cgroup", '{');
        jot_bool(j, "v1", true);
        jot_bool(j, "v2", true);
        jot_bool(j, "systemd", systemd_built());
        jot_bool(j, "systemdUser", systemd_built());
        jot_bool(j, "rdma", accepts("\"linux\":{\"resources\":{\"rdma\":{\"mlx5_0\":{\"hcaHandles\":1}}}}"));
        jot_close(j, '}');
}

static void put_intel_rdt(struct jot *j)
{
        jot_open(j, "intelRdt", '{');
        jot_bool(j, "enabled", accepts("\"linux\":{\"intelRdt\":{\"closID\":\"c\"}}"));
        jot_bool(j, "schemata", accepts("\"linux\":{\"intelRdt\":{\"schemata\":[\"L3:0=f\"]}}"));
        jot_bool(j, "monitoring", accepts("\"linux\":{\"intelRdt\":{\"enableMonitoring\":true}}"));
        jot_close(j, '}');
}

static void put_memory_policy(struct jot *j)
{
        jot_open(j, "memoryPolicy", '{');
        put_words(j, "modes", &words_memory_modes, NULL);
        put_words(j, "flags", &words_memory_flags, NULL);
        jot_close(j, '}');
}

static void put_linux(struct jot *j)
{
        jot_open(j, "linux", '{');
        put_words(j, "namespaces", &words_namespaces, NULL);
        jot_open(j, "capabilities", '[');
        for (size_t i = 0; i < CAPABILITIES; i++)
                jot_text(j, NULL, capability_words[i]);
        jot_close(j, ']');
        put_cgroup(j);
        put_seccomp(j);
        put_enabled(j, "apparmor", accepts("\"process\":{\"cwd\":\"/\",\"args\":[\"a\"],\"apparmorProfile\":\"p\"}"));
        put_enabled(j, "selinux", accepts("\"process\":{\"cwd\":\"/\",\"args\":[\"a\"],\"selinuxLabel\":\"l\"}"));
        put_intel_rdt(j);
        put_memory_policy(j);
        jot_open(j, "mountExtensions", '{');
        put_enabled(j, "idmap", accepts("\"linux\":{\"namespaces\":[{\"type\":\"mount\"}]},"
                                        "\"mounts\":[{\"destination\":\"/m\",\"source\":\"/s\",\"options\":[\"bind\"],"
                                        "\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}],"
                                        "\"gidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}]}]"));
        jot_close(j, '}');
        put_enabled(j, "netDevices", accepts("\"linux\":{\"namespaces\":[{\"type\":\"network\"}],"
                                             "\"netDevices\":{\"eth0\":{\"name\":\"e\"}}}"));
        jot_close(j, '}');
}

static void put_annotations(struct jot *j)
{
        const struct scmp_version *v = seccomp_version();
        auto_str struct str s = STR_INIT;
        str_addf(&s, "%u.%u.%u", v->major, v->minor, v->micro);
        jot_open(j, "annotations", '{');
        jot_text(j, "berth.commit", BERTH_COMMIT);
        jot_text(j, "berth.version", BERTH_VERSION);
        jot_text(j, "io.github.seccomp.libseccomp.version", str_failed(&s) ? "" : s.text);
        /* What engines look for before they offer it. */
        jot_text(j, "org.opencontainers.runc.checkpoint.enabled", "true");
        jot_close(j, '}');
}

static int run(const struct call *call, struct error *err)
{
        (void) call;
        auto_jot struct jot j = JOT_INIT(4);
        jot_open(&j, NULL, '{');
        jot_text(&j, "ociVersionMin", OCI_VERSION_MIN);
        jot_text(&j, "ociVersionMax", OCI_SPEC_VERSION);
        jot_open(&j, "hooks", '[');
        for (int i = 0; i < HOOK_KINDS; i++)
                jot_text(&j, NULL, hook_names[i]);
        jot_close(&j, ']');
        jot_open(&j, "mountOptions", '[');
        for (size_t i = 0; mount_option_word(i); i++)
                jot_text(&j, NULL, mount_option_word(i));
        jot_close(&j, ']');
        put_linux(&j);
        put_annotations(&j);
        /* Annotations that we act on, and an engine should think of before it lets a stranger write them. */
        jot_open(&j, "potentiallyUnsafeConfigAnnotations", '[');
        jot_text(&j, NULL, "org.criu.config");
        if (systemd_built())
                jot_text(&j, NULL, "org.systemd.property.");    /* all that begin with it */
        jot_text(&j, NULL, "run.oci.");
        jot_close(&j, ']');
        jot_close(&j, '}');
        auto_free char *text = jot_take(&j);
        if (!text)
                return error_set(err, -ENOMEM, "write the features");
        puts(text);
        return 0;
}

const struct command cmd_features = {
        .name = "features", .arguments = "", .summary = "show what this runtime supports, as JSON",
        .failed = 1, .run = run,
};

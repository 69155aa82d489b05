#include "spec/words.h"

#include <string.h>
#include <strings.h>
#include <sys/resource.h>

#include <linux/mount.h>
#include <linux/seccomp.h>

#include "spec/spec.h"

#define WORDS(noun, list) { noun, list, sizeof(list) / sizeof(*(list)) }

const struct word *word_find(const struct words *words, const char *text)
{
        for (size_t i = 0; i < words->n; i++)
                if (strcmp(words->list[i].text, text) == 0)
                        return &words->list[i];
        return NULL;
}

static const struct word namespaces[] = {
        { "user", NS_USER }, { "pid", NS_PID },         { "mount", NS_MOUNT },   { "uts", NS_UTS },
        { "ipc", NS_IPC },   { "network", NS_NETWORK }, { "cgroup", NS_CGROUP }, { "time", NS_TIME },
};
const struct words words_namespaces = WORDS("namespace", namespaces);

static const struct word rlimits[] = {
        { "RLIMIT_AS", RLIMIT_AS },                 { "RLIMIT_CORE", RLIMIT_CORE },
        { "RLIMIT_CPU", RLIMIT_CPU },               { "RLIMIT_DATA", RLIMIT_DATA },
        { "RLIMIT_FSIZE", RLIMIT_FSIZE },           { "RLIMIT_LOCKS", RLIMIT_LOCKS },
        { "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },       { "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
        { "RLIMIT_NICE", RLIMIT_NICE },             { "RLIMIT_NOFILE", RLIMIT_NOFILE },
        { "RLIMIT_NPROC", RLIMIT_NPROC },           { "RLIMIT_RSS", RLIMIT_RSS },
        { "RLIMIT_RTPRIO", RLIMIT_RTPRIO },         { "RLIMIT_RTTIME", RLIMIT_RTTIME },
        { "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING }, { "RLIMIT_STACK", RLIMIT_STACK },
};
const struct words words_rlimits = WORDS("resource limit", rlimits);

static const struct word propagation[] = {
        { "private", MS_PRIVATE },       { "rprivate", MS_PRIVATE | MS_REC },
        { "shared", MS_SHARED },         { "rshared", MS_SHARED | MS_REC },
        { "slave", MS_SLAVE },           { "rslave", MS_SLAVE | MS_REC },
        { "unbindable", MS_UNBINDABLE }, { "runbindable", MS_UNBINDABLE | MS_REC },
};
const struct words words_propagation = WORDS("propagation", propagation);

/* SCHED_ISO of the specification has never been in Linux. */
static const struct word schedulers[] = {
        { "SCHED_OTHER", SPEC_SCHED_OTHER }, { "SCHED_FIFO", SPEC_SCHED_FIFO }, { "SCHED_RR", SPEC_SCHED_RR },
        { "SCHED_BATCH", SPEC_SCHED_BATCH }, { "SCHED_IDLE", SPEC_SCHED_IDLE },
        { "SCHED_DEADLINE", SPEC_SCHED_DEADLINE },
};
const struct words words_schedulers = WORDS("policy", schedulers);

/* linux/sched.h, which clashes with sched.h of older C libraries */
static const struct word scheduler_flags[] = {
        { "SCHED_FLAG_RESET_ON_FORK", 0x01 },  { "SCHED_FLAG_RECLAIM", 0x02 },
        { "SCHED_FLAG_DL_OVERRUN", 0x04 },     { "SCHED_FLAG_KEEP_POLICY", 0x08 },
        { "SCHED_FLAG_KEEP_PARAMS", 0x10 },    { "SCHED_FLAG_UTIL_CLAMP_MIN", 0x20 },
        { "SCHED_FLAG_UTIL_CLAMP_MAX", 0x40 },
};
const struct words words_scheduler_flags = WORDS("flag", scheduler_flags);

static const struct word io_classes[] = {
        { "IOPRIO_CLASS_RT", 1 }, { "IOPRIO_CLASS_BE", 2 }, { "IOPRIO_CLASS_IDLE", 3 },
};
const struct words words_io_classes = WORDS("class", io_classes);

static const struct word memory_modes[] = {
        { "MPOL_DEFAULT", SPEC_MPOL_DEFAULT },         { "MPOL_BIND", SPEC_MPOL_BIND },
        { "MPOL_INTERLEAVE", SPEC_MPOL_INTERLEAVE },   { "MPOL_WEIGHTED_INTERLEAVE", SPEC_MPOL_WEIGHTED_INTERLEAVE },
        { "MPOL_PREFERRED", SPEC_MPOL_PREFERRED },     { "MPOL_PREFERRED_MANY", SPEC_MPOL_PREFERRED_MANY },
        { "MPOL_LOCAL", SPEC_MPOL_LOCAL },
};
const struct words words_memory_modes = WORDS("or invalid memory policy mode", memory_modes);

static const struct word memory_flags[] = {
        { "MPOL_F_NUMA_BALANCING", 1 << 13 }, { "MPOL_F_RELATIVE_NODES", 1 << 14 }, { "MPOL_F_STATIC_NODES", 1 << 15 },
};
const struct words words_memory_flags = WORDS("or invalid memory policy flag", memory_flags);

static const struct word filter_actions[] = {
        { "SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW },
        { "SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO },
        { "SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD },   /* libseccomp's meaning of the word */
        { "SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS },
        { "SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD },
        { "SCMP_ACT_LOG", SECCOMP_RET_LOG },
        { "SCMP_ACT_NOTIFY", SECCOMP_RET_USER_NOTIF },
        { "SCMP_ACT_TRACE", SECCOMP_RET_TRACE },
        { "SCMP_ACT_TRAP", SECCOMP_RET_TRAP },
};
const struct words words_filter_actions = WORDS("action", filter_actions);

static const struct word filter_ops[] = {
        { "SCMP_CMP_EQ", SECCOMP_EQ }, { "SCMP_CMP_GE", SECCOMP_GE },
        { "SCMP_CMP_GT", SECCOMP_GT }, { "SCMP_CMP_LE", SECCOMP_LE },
        { "SCMP_CMP_LT", SECCOMP_LT }, { "SCMP_CMP_MASKED_EQ", SECCOMP_MASKED_EQ },
        { "SCMP_CMP_NE", SECCOMP_NE },
};
const struct words words_filter_ops = WORDS("operator", filter_ops);

/*
 * TSYNC asks for all threads of the caller; the process that installs the
 * filter has only one.
 */
static const struct word filter_flags[] = {
        { "SECCOMP_FILTER_FLAG_TSYNC", 0 },
        { "SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
        { "SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG },
        { "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SPEC_FILTER_WAIT_KILLABLE },
};
const struct words words_filter_flags = WORDS("flag", filter_flags);

static const struct word filter_archs[] = {
        { "SCMP_ARCH_AARCH64", 0 },     { "SCMP_ARCH_ARM", 0 },         { "SCMP_ARCH_LOONGARCH64", 0 },
        { "SCMP_ARCH_M68K", 0 },        { "SCMP_ARCH_MIPS", 0 },        { "SCMP_ARCH_MIPS64", 0 },
        { "SCMP_ARCH_MIPS64N32", 0 },   { "SCMP_ARCH_MIPSEL", 0 },      { "SCMP_ARCH_MIPSEL64", 0 },
        { "SCMP_ARCH_MIPSEL64N32", 0 }, { "SCMP_ARCH_PARISC", 0 },      { "SCMP_ARCH_PARISC64", 0 },
        { "SCMP_ARCH_PPC", 0 },         { "SCMP_ARCH_PPC64", 0 },       { "SCMP_ARCH_PPC64LE", 0 },
        { "SCMP_ARCH_RISCV64", 0 },     { "SCMP_ARCH_S390", 0 },        { "SCMP_ARCH_S390X", 0 },
        { "SCMP_ARCH_SH", 0 },          { "SCMP_ARCH_SHEB", 0 },        { "SCMP_ARCH_X32", 0 },
        { "SCMP_ARCH_X86", 0 },         { "SCMP_ARCH_X86_64", 0 },
};
const struct words words_filter_archs = WORDS("architecture", filter_archs);

const char *const capability_words[CAPABILITIES] = {
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL",
        "CAP_SETGID", "CAP_SETUID", "CAP_SETPCAP", "CAP_LINUX_IMMUTABLE", "CAP_NET_BIND_SERVICE",
        "CAP_NET_BROADCAST", "CAP_NET_ADMIN", "CAP_NET_RAW", "CAP_IPC_LOCK", "CAP_IPC_OWNER",
        "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_CHROOT", "CAP_SYS_PTRACE", "CAP_SYS_PACCT",
        "CAP_SYS_ADMIN", "CAP_SYS_BOOT", "CAP_SYS_NICE", "CAP_SYS_RESOURCE", "CAP_SYS_TIME",
        "CAP_SYS_TTY_CONFIG", "CAP_MKNOD", "CAP_LEASE", "CAP_AUDIT_WRITE", "CAP_AUDIT_CONTROL",
        "CAP_SETFCAP", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN", "CAP_SYSLOG", "CAP_WAKE_ALARM",
        "CAP_BLOCK_SUSPEND", "CAP_AUDIT_READ", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
};

int capability_number(const char *name)
{
        for (int i = 0; i < CAPABILITIES; i++)
                if (strcasecmp(capability_words[i], name) == 0)
                        return i;
        return -1;
}

/*
 * floor - what the bare kernel asks for a container, with no runtime in between.
 *
 *      floor BUNDLE [COUNT [CGROUP-DIRECTORY]]
 *
 * Starts COUNT times BUNDLE/rootfs/bin/true (static) in each of several ways and prints
 * one line for each: name, tab, microseconds per instance. The tree of mounts is that
 * of the default configuration: proc, dev, devpts, shm, mqueue, sys, six devices, masked
 * and read-only paths. With CGROUP-DIRECTORY, on cgroup v2, each instance of some gets a
 * cgroup of its own there and is cloned into it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PARALLEL_MAX 64
#define FOUR (CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS)

enum setup { PLAIN, FULL_TREE, PROC_ONLY };

struct way {
        const char *name;
        unsigned long long flags;
        enum setup setup;
        int parallel;
        bool cgroup, prepared;
};

struct run {
        const char *rootfs, *program, *cgroups;
};

static void die(const char *what)
{
        fprintf(stderr, "floor: %s: %s\n", what, strerror(errno));
        exit(1);
}

static double now(void)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (double) t.tv_sec + (double) t.tv_nsec * 1e-9;
}

static pid_t clone3(unsigned long long flags, int cgroup_fd)
{
        struct clone_args args = { .flags = flags, .exit_signal = SIGCHLD };
        if (cgroup_fd >= 0) {
                args.flags |= CLONE_INTO_CGROUP;
                args.cgroup = (unsigned) cgroup_fd;
        }
        return (pid_t) syscall(SYS_clone3, &args, sizeof(args));
}

/* In the child, in a new mount namespace: the current directory is the root file system. */
static void mount_at(const char *at, const char *type, unsigned long flags, const char *data)
{
        (void) mkdir(at, 0755);
        if (mount(type, at, type, flags, data) < 0)
                die(at);
}

static void make_tree(const char *rootfs)
{
        static const char *const devices[] = { "null", "zero", "full", "tty", "random", "urandom" };
        static const char *const masked[] = { "proc/acpi", "proc/kcore", "proc/keys", "proc/timer_list",
                                              "proc/sched_debug", "proc/scsi", "sys/firmware" };
        static const char *const read_only[] = { "proc/bus", "proc/fs", "proc/irq", "proc/sys", "proc/sysrq-trigger" };
        struct stat st;
        char at[64], from[64];

        if (mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL) < 0 ||
            chdir(rootfs) < 0)
                die(rootfs);
        mount_at("proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
        mount_at("dev", "tmpfs", MS_NOSUID, "mode=755,size=65536k");
        mount_at("dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620");
        mount_at("dev/shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=65536k");
        mount_at("dev/mqueue", "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
        mount_at("sys", "sysfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL);
        for (size_t i = 0; i < sizeof(devices) / sizeof(*devices); i++) {
                snprintf(at, sizeof(at), "dev/%s", devices[i]);
                snprintf(from, sizeof(from), "/dev/%s", devices[i]);
                if (stat(from, &st) < 0 || mknod(at, S_IFCHR | 0666, st.st_rdev) < 0)
                        die(at);
        }
        for (size_t i = 0; i < sizeof(masked) / sizeof(*masked); i++)
                if (stat(masked[i], &st) == 0 &&
                    (S_ISDIR(st.st_mode) ? mount("tmpfs", masked[i], "tmpfs", MS_RDONLY, "size=0")
                                         : mount("/dev/null", masked[i], NULL, MS_BIND, NULL)) < 0)
                        die(masked[i]);
        for (size_t i = 0; i < sizeof(read_only) / sizeof(*read_only); i++)
                if (mount(read_only[i], read_only[i], NULL, MS_BIND | MS_REC, NULL) == 0 &&
                    mount(NULL, read_only[i], NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) < 0)
                        die(read_only[i]);
        if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
                die("pivot_root");
}

static _Noreturn void become(const struct run *run, const struct way *way)
{
        char *const argv[] = { (char *) "true", NULL };
        if (way->setup == FULL_TREE) {
                make_tree(run->rootfs);
                execv("/bin/true", argv);
        } else {
                if (way->setup == PROC_ONLY && mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
                        _exit(9);
                execv(run->program, argv);
        }
        _exit(8);
}

struct slot {
        pid_t pid;
        char cgroup[256];
};

static void start(const struct run *run, const struct way *way, struct slot *slot, int number)
{
        int fd = -1;
        if (way->cgroup) {
                snprintf(slot->cgroup, sizeof(slot->cgroup), "%s/floor-%d-%d", run->cgroups, getpid(), number);
                if (mkdir(slot->cgroup, 0755) < 0 || (fd = open(slot->cgroup, O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
                        die(slot->cgroup);
        }
        slot->pid = clone3(way->flags, fd);
        if (slot->pid < 0)
                die("clone3");
        if (slot->pid == 0)
                become(run, way);
        if (fd >= 0)
                close(fd);
}

static void measure(const struct run *run, const struct way *way, int count)
{
        struct slot slots[PARALLEL_MAX] = { 0 };
        double begin = now();
        for (int started = 0, done = 0; done < count;) {
                for (int i = 0; i < way->parallel && started < count; i++)
                        if (!slots[i].pid)
                                start(run, way, &slots[i], started++);
                int status;
                pid_t pid = wait(&status);
                if (pid < 0 || status != 0) {
                        fprintf(stderr, "floor: %s: an instance failed (status 0x%x)\n", way->name, (unsigned) status);
                        exit(1);
                }
                for (int i = 0; i < way->parallel; i++)
                        if (slots[i].pid == pid) {
                                slots[i].pid = 0;
                                /* the kernel may need a moment to see that it is empty */
                                while (way->cgroup && rmdir(slots[i].cgroup) < 0 && errno == EBUSY)
                                        ;
                        }
                done++;
        }
        printf("%s\t%.0f\n", way->name, (now() - begin) / count * 1e6);
        fflush(stdout);
}

int main(int argc, char **argv)
{
        if (argc < 2) {
                fprintf(stderr, "usage: floor BUNDLE [COUNT [CGROUP-DIRECTORY]]\n");
                return 2;
        }
        int count = argc > 2 ? atoi(argv[2]) : 500, cpus = (int) sysconf(_SC_NPROCESSORS_ONLN);
        if (cpus > PARALLEL_MAX)
                cpus = PARALLEL_MAX;
        static char rootfs[4096], program[4200];
        snprintf(rootfs, sizeof(rootfs), "%s/rootfs", argv[1]);
        snprintf(program, sizeof(program), "%s/bin/true", rootfs);
        const struct run run = { .rootfs = rootfs, .program = program, .cgroups = argc > 3 ? argv[3] : NULL };
        const struct way ways[] = {
                { "fork and exec", 0, PLAIN, 1, false, false },
                { "new pid, mount, ipc, uts namespaces and exec", FOUR, PLAIN, 1, false, false },
                { "the same and a network namespace", FOUR | CLONE_NEWNET, PLAIN, 1, false, false },
                { "the default mount tree and exec", FOUR, FULL_TREE, 1, false, false },
                { "the default mount tree, a network namespace and exec", FOUR | CLONE_NEWNET, FULL_TREE, 1, false, false },
                { "the default mount tree and exec, one per CPU at a time", FOUR, FULL_TREE, cpus, false, false },
                { "the same, each in a new cgroup", FOUR, FULL_TREE, cpus, true, false },
                { "a tree that is there already, copied, one per CPU at a time", FOUR, PROC_ONLY, cpus, false, true },
        };

        for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
                const struct way *way = &ways[i];
                if (way->cgroup && !run.cgroups)
                        continue;
                int n = way->flags & CLONE_NEWNET ? count / 4 + 1 : count;
                if (!way->prepared) {
                        measure(&run, way, n);
                        continue;
                }
                /* a process whose namespace holds the finished tree: its children only copy it */
                pid_t pid = clone3(CLONE_NEWNS, -1);
                if (pid == 0) {
                        make_tree(rootfs);
                        struct run inside = run;
                        inside.program = "/bin/true";
                        measure(&inside, way, n);
                        exit(0);
                }
                if (pid < 0 || waitpid(pid, NULL, 0) < 0)
                        die("clone3");
        }
        return 0;
}

#include "hpc/topology.h"

#include <errno.h>
#include <hwloc.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "hpc/bind.h"
#include "hpc/deal.h"
#include "hpc/machine.h"

#if HWLOC_API_VERSION < 0x00020100
#error "hwloc 2.1 or newer is needed: its NUMA nodes hang beside the tree of CPUs"
#endif

struct topology {
        hwloc_topology_t hw;
        struct machine machine;
        bool real;
};

static void hw_free(hwloc_topology_t hw) { hwloc_topology_destroy(hw); }
CLEANUP_DEFINE(hwloc_topology_t, hw_free)
static void bitmap_free(hwloc_bitmap_t set) { hwloc_bitmap_free(set); }
CLEANUP_DEFINE(hwloc_bitmap_t, bitmap_free)

void topology_free(struct topology *t)
{
        if (!t)
                return;
        for (int level = 0; level < MACHINE_LEVELS; level++)
                free(t->machine.objects[level].span);
        free(t->machine.pu_os);
        free(t->machine.memory);
        for (unsigned i = 0; i < t->machine.n_devices; i++)
                free(t->machine.device[i].name);
        free(t->machine.device);
        if (t->hw)
                hwloc_topology_destroy(t->hw);
        free(t);
}

static const char *variable(const char *name)
{
        const char *value = getenv(name);
        return value && *value ? value : NULL;
}

/*
 * hwloc reads these two variables itself, but answers a mistake in them with
 * the machine it runs on. So say them explicitly, and hear about mistakes.
 */
static int choose_source(hwloc_topology_t hw, struct error *err)
{
        const char *synthetic = variable("HWLOC_SYNTHETIC");
        const char *xml = variable("HWLOC_XMLFILE");

        if (synthetic && xml)
                return error_say(err, -EINVAL, "HWLOC_SYNTHETIC and HWLOC_XMLFILE are both set; "
                                 "only one of them can be the machine");
        if (synthetic && hwloc_topology_set_synthetic(hw, synthetic) < 0)
                return error_say(err, -EINVAL, "HWLOC_SYNTHETIC=\"%s\" is not a topology hwloc understands, "
                                 "such as \"package:2 core:4 pu:2\"", synthetic);
        if (xml && hwloc_topology_set_xml(hw, xml) < 0)
                return error_say(err, -EINVAL, "HWLOC_XMLFILE=\"%s\" cannot be read as a topology saved by lstopo",
                                 xml);
        return 0;
}

/*
 * The calling thread's affinity. The kernel wants room for every CPU it might
 * ever have (nr_cpu_ids) and says EINVAL until it gets it.
 */
static int read_affinity(hwloc_bitmap_t set)
{
        for (size_t size = 1024; size <= 131072; size *= 2) {
                auto_free cpu_set_t *cpus = calloc(1, size);
                if (!cpus)
                        return -ENOMEM;
                if (sched_getaffinity(0, size, cpus) < 0) {
                        if (errno == EINVAL)
                                continue;
                        return -errno;
                }
                for (size_t cpu = 0; cpu < size * 8; cpu++)
                        if (CPU_ISSET_S(cpu, size, cpus) && hwloc_bitmap_set(set, (unsigned) cpu) < 0)
                                return -ENOMEM;
                return 0;
        }
        return -E2BIG;
}

/* hwloc leaves out what cgroups forbid; the affinity (taskset, Slurm's task/affinity) is up to us. */
static int restrict_to_affinity(hwloc_topology_t hw, hwloc_const_bitmap_t affinity, struct error *err)
{
        if (!hwloc_bitmap_intersects(hwloc_topology_get_topology_cpuset(hw), affinity))
                return error_say(err, -ENODEV, "none of the CPUs of our affinity is in this machine as hwloc sees it");
        if (hwloc_topology_restrict(hw, affinity, HWLOC_RESTRICT_FLAG_ADAPT_IO) < 0)
                return error_set(err, errno ? -errno : -EINVAL, "restrict the topology to our CPU affinity");
        return 0;
}

/*
 * What /sys says is enough. The plugins would initialise the vendors' libraries and with them the GPUs: that takes
 * seconds, starts threads, and libpciaccess and OpenCL's loader leak.
 */
static int look_for_devices(hwloc_topology_t hw, struct error *err)
{
        static const char *const plugins[] = { "pci", "opencl", "cuda", "nvml", "rsmi", "levelzero", "gl" };
        for (size_t i = 0; i < sizeof(plugins) / sizeof(*plugins); i++)
                (void) hwloc_topology_set_components(hw, HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST, plugins[i]); /* not there: fine */
        if (hwloc_topology_set_io_types_filter(hw, HWLOC_TYPE_FILTER_KEEP_IMPORTANT) < 0)
                return error_set(err, -EINVAL, "have hwloc look for devices");
        return 0;
}

static int load_hwloc(bool devices, hwloc_topology_t *ret, bool *ret_real, struct error *err)
{
        CLEANUP(bitmap_free) hwloc_bitmap_t affinity = hwloc_bitmap_alloc();
        CLEANUP(hw_free) hwloc_topology_t hw = NULL;

        /* The library of another major version has other structures. */
        if (hwloc_get_api_version() >> 16 != HWLOC_API_VERSION >> 16)
                return error_say(err, -ENOTSUP, "built for hwloc API %x, but the library has %x",
                                 (unsigned) HWLOC_API_VERSION, hwloc_get_api_version());
        if (!affinity)
                return error_set(err, -ENOMEM, "load the topology");
        /* Before hwloc looks around: some of its backends move the thread from CPU to CPU. */
        int r = read_affinity(affinity);
        if (r < 0)
                return error_set(err, r, "read our CPU affinity");
        if (hwloc_topology_init(&hw) < 0)
                return error_set(err, -ENOMEM, "load the topology");
        r = devices ? look_for_devices(hw, err) : 0;
        if (r < 0)
                return r;
        r = choose_source(hw, err);
        if (r < 0)
                return r;
        errno = 0;
        if (hwloc_topology_load(hw) < 0)
                return error_set(err, errno ? -errno : -EINVAL, "load the topology of the machine with hwloc");

        bool real = hwloc_topology_is_thissystem(hw) == 1;
        if (real) {
                r = restrict_to_affinity(hw, affinity, err);
                if (r < 0)
                        return r;
        }
        *ret_real = real;
        *ret = take_ptr(&hw);
        return 0;
}

static int copy_pus(struct machine *m, hwloc_topology_t hw, unsigned *logical, struct error *err)
{
        unsigned n = (unsigned) hwloc_get_nbobjs_by_type(hw, HWLOC_OBJ_PU);

        m->pu_os = calloc(n, sizeof(*m->pu_os));
        if (!m->pu_os)
                return error_set(err, -ENOMEM, "copy the topology");
        for (unsigned i = 0; i < n; i++) {
                unsigned os = hwloc_get_obj_by_type(hw, HWLOC_OBJ_PU, i)->os_index;
                if (os >= PLACE_MASK_BITS)
                        return error_say(err, -ERANGE, "this machine has a CPU %u; berth counts them up to %d",
                                         os, PLACE_MASK_BITS - 1);
                m->pu_os[i] = os;
                logical[os] = i;
        }
        return 0;
}

/* The threads of an object, or -ENOTSUP when they are not neighbours (hwloc never does that). */
static int span_of(hwloc_const_bitmap_t cpus, const unsigned *logical, struct machine_span *ret, struct error *err)
{
        unsigned least = PLACE_MASK_BITS, most = 0, n = 0;

        for (int os = hwloc_bitmap_first(cpus); os >= 0; os = hwloc_bitmap_next(cpus, os)) {
                if (logical[os] < least)
                        least = logical[os];
                if (logical[os] > most)
                        most = logical[os];
                n++;
        }
        if (most - least + 1 != n)
                return error_say(err, -ENOTSUP, "hwloc's objects of this machine overlap");
        *ret = (struct machine_span){ least, n };
        return 0;
}

static bool has_span(const struct machine_objects *objects, struct machine_span span)
{
        for (unsigned i = 0; i < objects->n; i++)
                if (objects->span[i].first == span.first && objects->span[i].n == span.n)
                        return true;
        return false;
}

static int copy_objects(struct machine *m, enum machine_level level, hwloc_topology_t hw, hwloc_obj_type_t type,
                        const unsigned *logical, struct error *err)
{
        struct machine_objects *objects = &m->objects[level];
        int n = hwloc_get_nbobjs_by_type(hw, type);
        if (n <= 0)
                return 0;

        objects->span = calloc((size_t) n, sizeof(*objects->span));
        if (level == MACHINE_NUMA)
                m->memory = calloc((size_t) n, sizeof(*m->memory));
        if (!objects->span || (level == MACHINE_NUMA && !m->memory))
                return error_set(err, -ENOMEM, "copy the topology");

        for (unsigned i = 0; i < (unsigned) n; i++) {
                hwloc_obj_t obj = hwloc_get_obj_by_type(hw, type, i);
                struct machine_span span;
                if (hwloc_bitmap_iszero(obj->cpuset))   /* memory without CPUs (CXL), or its CPUs are not ours */
                        continue;
                int r = span_of(obj->cpuset, logical, &span, err);
                if (r < 0)
                        return r;
                if (level == MACHINE_NUMA) {
                        if (obj->os_index >= PLACE_MASK_BITS)
                                return error_say(err, -ERANGE, "this machine has a NUMA node %u; berth counts them "
                                                 "up to %d", obj->os_index, PLACE_MASK_BITS - 1);
                        m->memory[m->n_memory++] = (struct machine_memory){ obj->os_index, span };
                        if (has_span(objects, span))
                                continue;
                }
                objects->span[objects->n++] = span;
        }
        return 0;
}

static enum machine_device_kind kind_of(hwloc_obj_t device)
{
        switch (device->attr->osdev.type) {
        case HWLOC_OBJ_OSDEV_GPU:
        case HWLOC_OBJ_OSDEV_COPROC:      return DEVICE_GPU;
        case HWLOC_OBJ_OSDEV_NETWORK:
        case HWLOC_OBJ_OSDEV_OPENFABRICS: return DEVICE_NETWORK;
        default:                          return DEVICE_OTHER;
        }
}

/* A GPU is a card, a render node, and what CUDA calls it: all below the same PCI device. */
static bool is_main(hwloc_topology_t hw, hwloc_obj_t device)
{
        hwloc_obj_t other = NULL;
        while ((other = hwloc_get_next_osdev(hw, other)) != NULL && other != device)
                if (other->parent == device->parent && kind_of(other) == kind_of(device))
                        return device->parent->type != HWLOC_OBJ_PCI_DEVICE;
        return true;
}

static int copy_devices(struct machine *m, hwloc_topology_t hw, const unsigned *logical, struct error *err)
{
        int n = hwloc_get_nbobjs_by_type(hw, HWLOC_OBJ_OS_DEVICE);
        if (n <= 0)
                return 0;
        m->device = calloc((size_t) n, sizeof(*m->device));
        if (!m->device)
                return error_set(err, -ENOMEM, "copy the topology");
        for (hwloc_obj_t obj = NULL; (obj = hwloc_get_next_osdev(hw, obj)) != NULL;) {
                hwloc_obj_t near = hwloc_get_non_io_ancestor_obj(hw, obj);
                struct machine_device d = { .kind = kind_of(obj), .main = is_main(hw, obj) };
                if (!near || !near->cpuset || hwloc_bitmap_iszero(near->cpuset) || !obj->name)
                        continue;
                int r = span_of(near->cpuset, logical, &d.span, err);
                if (r == 0 && !(d.name = strdup(obj->name)))
                        r = error_set(err, -ENOMEM, "copy the topology");
                if (r < 0)
                        return r;
                m->device[m->n_devices++] = d;
        }
        return 0;
}

static int flatten(struct machine *m, hwloc_topology_t hw, struct error *err)
{
        static const struct { enum machine_level level; hwloc_obj_type_t type; } kinds[] = {
                { MACHINE_PU, HWLOC_OBJ_PU },           { MACHINE_CORE, HWLOC_OBJ_CORE },
                { MACHINE_L1, HWLOC_OBJ_L1CACHE },      { MACHINE_L2, HWLOC_OBJ_L2CACHE },
                { MACHINE_L3, HWLOC_OBJ_L3CACHE },      { MACHINE_NUMA, HWLOC_OBJ_NUMANODE },
                { MACHINE_PACKAGE, HWLOC_OBJ_PACKAGE }, { MACHINE_ALL, HWLOC_OBJ_MACHINE },
        };
        auto_free unsigned *logical = calloc(PLACE_MASK_BITS, sizeof(*logical));
        if (!logical)
                return error_set(err, -ENOMEM, "copy the topology");

        int r = copy_pus(m, hw, logical, err);
        for (size_t i = 0; r == 0 && i < sizeof(kinds) / sizeof(*kinds); i++)
                r = copy_objects(m, kinds[i].level, hw, kinds[i].type, logical, err);
        return r < 0 ? r : copy_devices(m, hw, logical, err);
}

static int load(bool devices, struct topology **ret, struct error *err)
{
        auto_topology struct topology *t = calloc(1, sizeof(*t));
        if (!t)
                return error_set(err, -ENOMEM, "load the topology");
        int r = load_hwloc(devices, &t->hw, &t->real, err);
        if (r == 0)
                r = flatten(&t->machine, t->hw, err);
        if (r < 0)
                return r;
        *ret = take_ptr(&t);
        return 0;
}

int topology_load(struct topology **ret, struct error *err)
{
        return load(false, ret, err);
}

int topology_load_devices(struct topology **ret, struct error *err)
{
        return load(true, ret, err);
}

bool topology_near_pci(const struct topology *t, const char *address, struct place_mask *ret)
{
        hwloc_obj_t device = hwloc_get_pcidev_by_busidstring(t->hw, address);
        hwloc_obj_t beside = device ? hwloc_get_non_io_ancestor_obj(t->hw, device) : NULL;
        if (!beside || !beside->cpuset)
                return false;
        struct place_mask mask = PLACE_MASK_INIT;
        for (int os = hwloc_bitmap_first(beside->cpuset); os >= 0; os = hwloc_bitmap_next(beside->cpuset, os))
                if (os < PLACE_MASK_BITS)
                        bind_set(&mask, (unsigned) os);
        *ret = mask;
        return true;
}

bool topology_is_real(const struct topology *t)
{
        return t->real;
}

unsigned topology_cores(const struct topology *t)
{
        unsigned cores = t->machine.objects[MACHINE_CORE].n;
        return cores ? cores : topology_pus(t);
}

unsigned topology_pus(const struct topology *t)
{
        return machine_pus(&t->machine);
}

const struct machine *topology_machine(const struct topology *t)
{
        return &t->machine;
}

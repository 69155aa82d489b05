/*
 * What the server tells its ranks. The keys are those without which Open MPI 4.1
 * does not start or does without shared memory, and those the PMIx standard
 * asks of every server.
 */
#include "hpc/wire_pmix.h"

#include <errno.h>
#include <hwloc.h>
#include <stdint.h>
#include <string.h>

#include "base/str.h"

static void free_bitmap(hwloc_bitmap_t bitmap) { hwloc_bitmap_free(bitmap); }
CLEANUP_DEFINE(hwloc_bitmap_t, free_bitmap)
#define auto_bitmap CLEANUP(free_bitmap)

static void free_data_array(pmix_data_array_t *array) { PMIX_DATA_ARRAY_FREE(array); }
CLEANUP_DEFINE(pmix_data_array_t *, free_data_array)
#define auto_data_array CLEANUP(free_data_array)

void wire_infos_clear(struct wire_infos *infos)
{
        PMIX_INFO_FREE(infos->at, infos->room);
        *infos = WIRE_INFOS_INIT;
}

/* A zeroed slot, or NULL. Grows by moving: pmix_info_t holds no pointers into itself. */
static pmix_info_t *next_slot(struct wire_infos *infos)
{
        if (infos->failed)
                return NULL;
        if (infos->n == infos->room) {
                size_t room = infos->room ? 2 * infos->room : 16;
                pmix_info_t *at = NULL;
                PMIX_INFO_CREATE(at, room);
                if (!at) {
                        infos->failed = -ENOMEM;
                        return NULL;
                }
                if (infos->n)
                        memcpy(at, infos->at, infos->n * sizeof(*at));
                free(infos->at);
                infos->at = at;
                infos->room = room;
        }
        return &infos->at[infos->n++];
}

static void add(struct wire_infos *infos, const char *key, const void *value, pmix_data_type_t type)
{
        pmix_info_t *slot = next_slot(infos);
        if (slot)
                PMIX_INFO_LOAD(slot, key, value, type);
}

static void add_string(struct wire_infos *infos, const char *key, const char *value)
{
        add(infos, key, value, PMIX_STRING);
}

static void add_u32(struct wire_infos *infos, const char *key, uint32_t value)
{
        add(infos, key, &value, PMIX_UINT32);
}

static void add_u16(struct wire_infos *infos, const char *key, uint16_t value)
{
        add(infos, key, &value, PMIX_UINT16);
}

static void add_bool(struct wire_infos *infos, const char *key, bool value)
{
        add(infos, key, &value, PMIX_BOOL);
}

static void add_rank(struct wire_infos *infos, const char *key, pmix_rank_t value)
{
        add(infos, key, &value, PMIX_PROC_RANK);
}

/* libpmix chowns its shared files to PMIX_USERID: only root can, and only root has to. */
static void add_owner(struct wire_infos *infos, const struct wire_job *job)
{
        if (geteuid() == 0 && job->outside_uid != 0)
                add_u32(infos, PMIX_USERID, (uint32_t) job->outside_uid);
}

void wire_server_info(struct wire_infos *infos, const struct wire_job *job)
{
        add_string(infos, PMIX_SERVER_TMPDIR, job->dir);
        add_string(infos, PMIX_SYSTEM_TMPDIR, job->dir);
        add_string(infos, PMIX_HOSTNAME, job->hostname);
        /* without "lo" libpmix takes any interface when the loopback is down: a port open to the network */
        add_string(infos, PMIX_TCP_IF_INCLUDE, "lo");
        add_bool(infos, PMIX_SERVER_REMOTE_CONNECTIONS, false);
        add_bool(infos, PMIX_SERVER_TOOL_SUPPORT, false);
        add_owner(infos, job);
}

/* Where the rank is bound, and how near it is to the others in Open MPI's words ("SK0:L30:CR1:HT1"). */
static int add_binding(struct wire_infos *infos, const char *cpus)
{
        auto_bitmap hwloc_bitmap_t bitmap = hwloc_bitmap_alloc();
        if (!bitmap)
                return -ENOMEM;
        if (hwloc_bitmap_list_sscanf(bitmap, cpus) < 0 || hwloc_bitmap_iszero(bitmap))
                return -EINVAL;

        char source[] = "hwloc";
        pmix_cpuset_t cpuset = { .source = source, .bitmap = bitmap };
        auto_free char *text = NULL;
        if (PMIx_server_generate_cpuset_string(&cpuset, &text) == PMIX_SUCCESS && text)
                add_string(infos, PMIX_CPUSET, text);

        /* only a hint: without it all that is known is "the same node" */
        auto_free char *locality = NULL;
        if (PMIx_server_generate_locality_string(&cpuset, &locality) == PMIX_SUCCESS && locality)
                add_string(infos, PMIX_LOCALITY_STRING, locality);
        return 0;
}

/* Two of the macros are a switch over all types of PMIx. NOLINTNEXTLINE(readability-function-size) */
static int add_rank_info(struct wire_infos *infos, const struct wire_job *job, unsigned rank, struct error *err)
{
        auto_wire_infos struct wire_infos one = WIRE_INFOS_INIT;
        add_rank(&one, PMIX_RANK, rank);        /* must be the first */
        add_u32(&one, PMIX_GLOBAL_RANK, rank);
        add_u32(&one, PMIX_APP_RANK, rank);
        add_u32(&one, PMIX_APPNUM, 0);
        add_u16(&one, PMIX_LOCAL_RANK, (uint16_t) rank);
        add_u16(&one, PMIX_NODE_RANK, (uint16_t) rank);
        add_u32(&one, PMIX_NODEID, 0);
        add_string(&one, PMIX_HOSTNAME, job->hostname);

        const char *cpus = job->cpu_lists ? job->cpu_lists[rank] : NULL;
        if (cpus && *cpus) {
                int r = add_binding(&one, cpus);
                if (r < 0)
                        return error_set(err, r, "CPUs of rank %u, \"%s\" (a list like 0-3,8 is wanted)", rank, cpus);
        }

        auto_data_array pmix_data_array_t *array = NULL;
        PMIX_DATA_ARRAY_CREATE(array, one.n, PMIX_INFO);
        if (one.failed || !array || !array->array)
                return error_set(err, -ENOMEM, "describe rank %u", rank);
        pmix_info_t *info = array->array;
        for (size_t i = 0; i < one.n; i++)
                PMIX_INFO_XFER(&info[i], &one.at[i]);
        add(infos, PMIX_PROC_INFO_ARRAY, array, PMIX_DATA_ARRAY);       /* a copy */
        return 0;
}

/* "which ranks are on which node", compressed by libpmix: the hosts and, per host, its ranks. */
static int add_maps(struct wire_infos *infos, const struct wire_job *job, const char *ranks, struct error *err)
{
        auto_free char *nodes = NULL, *procs = NULL;
        pmix_status_t status = PMIx_generate_regex(job->hostname, &nodes);
        if (status == PMIX_SUCCESS)
                status = PMIx_generate_ppn(ranks, &procs);
        if (status != PMIX_SUCCESS)
                return error_say(err, -EIO, "describe the nodes of the job: %s", PMIx_Error_string(status));
        add(infos, PMIX_NODE_MAP, nodes, PMIX_REGEX);
        add(infos, PMIX_PROC_MAP, procs, PMIX_REGEX);
        return 0;
}

int wire_job_info(struct wire_infos *infos, const struct wire_job *job, struct error *err)
{
        auto_str struct str ranks = STR_INIT;
        for (unsigned rank = 0; rank < job->size; rank++)
                str_addf(&ranks, "%s%u", rank ? "," : "", rank);
        if (str_failed(&ranks))
                return error_set(err, -ENOMEM, "describe the job");

        add_u32(infos, PMIX_UNIV_SIZE, job->size);
        add_u32(infos, PMIX_JOB_SIZE, job->size);
        add_u32(infos, PMIX_MAX_PROCS, job->size);
        add_u32(infos, PMIX_APP_SIZE, job->size);
        add_u32(infos, PMIX_JOB_NUM_APPS, 1);
        add_u32(infos, PMIX_NUM_NODES, 1);
        add_u32(infos, PMIX_LOCAL_SIZE, job->size);
        add_u32(infos, PMIX_NODE_SIZE, job->size);
        add_u32(infos, PMIX_NODEID, 0);
        add_string(infos, PMIX_LOCAL_PEERS, ranks.text);
        add_rank(infos, PMIX_LOCALLDR, 0);
        add_string(infos, PMIX_JOBID, job->name);
        add_owner(infos, job);

        int r = add_maps(infos, job, ranks.text, err);
        for (unsigned rank = 0; r == 0 && rank < job->size; rank++)
                r = add_rank_info(infos, job, rank, err);
        if (r == 0 && infos->failed)
                r = error_set(err, infos->failed, "describe the job");
        return r;
}

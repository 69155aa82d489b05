/* Limits of devices and of what is counted in pieces: huge pages, block devices, RDMA, network. */
#include "cgroups/translate_part.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/str.h"

int translate_huge_pages(struct translation *t, const struct huge_page_limit *list, size_t n)
{
        int r = 0;
        for (size_t i = 0; r == 0 && i < n; i++) {
                enum cgroup_place place = PLACE_NONE;
                r = translate_require(t, "hugepageLimits", "hugetlb", &place);
                bool v1 = place == PLACE_V1;
                /* Pages in use, and since Linux 5.7 pages that are reserved: mmap(2) fails then, and nobody gets SIGBUS. */
                static const char *const kinds[] = { "", ".rsvd" };
                for (size_t k = 0; r == 0 && k < 2; k++) {
                        const char *file = arena_printf(t->arena, "hugetlb.%s%s.%s", list[i].page_size, kinds[k],
                                                        v1 ? "limit_in_bytes" : "max");
                        r = file ? writes_add(t, v1 ? "hugetlb" : "", file, "%" PRIu64, list[i].limit)
                                 : error_set(t->err, -ENOMEM, "translate hugepageLimits");
                }
        }
        return r;
}

/* 10..1000 of the specification become 1..10000 of v2, as in runc and crun. */
static uint64_t io_weight(uint64_t weight)
{
        return 1 + (weight - 10) * 9999 / 990;
}

static int check_weight(struct translation *t, uint64_t weight)
{
        if (weight >= 10 && weight <= 1000)
                return 0;
        return error_say(t->err, -EINVAL, "linux.resources.blockIO: a weight of %" PRIu64 " is not in 10..1000", weight);
}

/* Weights of v1 are BFQ's: the scheduler that had the others left in Linux 5.0. */
static int block_weights(struct translation *t, const struct resources_block_io *b, bool v1)
{
        const char *controller = v1 ? "blkio" : "";
        int r = 0;
        if (b->weight.has)
                r = check_weight(t, b->weight.value);
        if (r == 0 && b->weight.has)
                r = v1 ? writes_add(t, controller, "blkio.bfq.weight", "%" PRIu64, b->weight.value)
                       : writes_add(t, controller, "io.weight", "%" PRIu64, io_weight(b->weight.value));
        for (size_t i = 0; r == 0 && i < b->n_weights; i++) {
                const struct block_number *w = &b->weights[i];
                r = check_weight(t, w->number);
                if (r == 0)
                        r = writes_add(t, controller, v1 ? "blkio.bfq.weight_device" : "io.weight",
                                       "%u:%u %" PRIu64, w->major, w->minor, v1 ? w->number : io_weight(w->number));
        }
        return r;
}

static int block_rates(struct translation *t, const struct resources_block_io *b, bool v1)
{
        static const struct {
                const char *v1, *v2;
        } names[BLOCK_RATES] = {
                [BLOCK_READ_BPS]   = { "blkio.throttle.read_bps_device", "rbps" },
                [BLOCK_WRITE_BPS]  = { "blkio.throttle.write_bps_device", "wbps" },
                [BLOCK_READ_IOPS]  = { "blkio.throttle.read_iops_device", "riops" },
                [BLOCK_WRITE_IOPS] = { "blkio.throttle.write_iops_device", "wiops" },
        };
        int r = 0;
        for (int kind = 0; kind < BLOCK_RATES; kind++)
                for (size_t i = 0; r == 0 && i < b->n_rates[kind]; i++) {
                        const struct block_number *n = &b->rates[kind][i];
                        if (v1)         /* 0 takes a limit away */
                                r = writes_add(t, "blkio", names[kind].v1, "%u:%u %" PRIu64, n->major, n->minor,
                                               n->number);
                        else if (n->number == 0)
                                r = writes_add(t, "", "io.max", "%u:%u %s=max", n->major, n->minor, names[kind].v2);
                        else
                                r = writes_add(t, "", "io.max", "%u:%u %s=%" PRIu64, n->major, n->minor,
                                               names[kind].v2, n->number);
                }
        return r;
}

bool block_io_given(const struct resources_block_io *b)
{
        size_t n = b->n_weights;
        for (int kind = 0; kind < BLOCK_RATES; kind++)
                n += b->n_rates[kind];
        return b->weight.has || n > 0;
}

/* The one controller that has another name on v2. */
const char *block_io_controller(const struct cgroup_host *host)
{
        const struct cgroup_hierarchy *h = cgroup_find(host, "blkio");
        return h && !h->v2 ? "blkio" : "io";
}

int translate_block_io(struct translation *t, const struct resources_block_io *b)
{
        if (!block_io_given(b))
                return 0;
        enum cgroup_place place = PLACE_NONE;
        int r = translate_require(t, "blockIO", block_io_controller(t->host), &place);
        if (r == 0)
                r = block_weights(t, b, place == PLACE_V1);
        return r < 0 ? r : block_rates(t, b, place == PLACE_V1);
}

int translate_rdma(struct translation *t, const struct rdma_limit *list, size_t n)
{
        int r = 0;
        for (size_t i = 0; r == 0 && i < n; i++) {
                enum cgroup_place place = PLACE_NONE;
                auto_str struct str text = STR_INIT;
                r = translate_require(t, "rdma", "rdma", &place);
                str_add(&text, list[i].device);
                if (list[i].handles.has)
                        str_addf(&text, " hca_handle=%" PRIu64, list[i].handles.value);
                if (list[i].objects.has)
                        str_addf(&text, " hca_object=%" PRIu64, list[i].objects.value);
                if (r == 0 && str_failed(&text))
                        r = error_set(t->err, -ENOMEM, "translate linux.resources.rdma");
                if (r == 0)
                        r = writes_add(t, place == PLACE_V1 ? "rdma" : "", "rdma.max", "%s", text.text);
        }
        return r;
}

int translate_network(struct translation *t, const struct resources_network *net)
{
        int r = 0;
        if (net->class_id.has)
                r = translate_require_v1(t, "network.classID", "net_cls");
        if (r == 0 && net->class_id.has)
                r = writes_add(t, "net_cls", "net_cls.classid", "%" PRIu64, net->class_id.value);
        for (size_t i = 0; r == 0 && i < net->n_priorities; i++) {
                r = translate_require_v1(t, "network.priorities", "net_prio");
                if (r == 0)
                        r = writes_add(t, "net_prio", "net_prio.ifpriomap", "%s %u", net->priorities[i].name,
                                       net->priorities[i].priority);
        }
        return r;
}

#pragma once
/* translate_part - the growing list of writes, shared by the parts of translate. Used inside this module only. */

#include "cgroups/translate.h"

struct translation {
        const struct cgroup_host *host;
        const char *v2_controllers;     /* those that can limit at the container's place */
        bool below_own;                 /* ... which is below our own cgroup */
        struct arena *arena;
        struct error *err;
        struct cgroup_writes writes;
        size_t room;
};

enum cgroup_place { PLACE_NONE, PLACE_V1, PLACE_V2 };

/* Where `controller` is, or -EOPNOTSUPP and why the limit `key` (below linux.resources) is impossible. */
int translate_require(struct translation *t, const char *key, const char *controller, enum cgroup_place *ret) MUST_CHECK;
/* For limits that only v1 has. */
int translate_require_v1(struct translation *t, const char *key, const char *controller) MUST_CHECK;

int writes_add(struct translation *t, const char *controller, const char *file, const char *fmt, ...)
        PRINTF_LIKE(4, 5) MUST_CHECK;

/* What memory.swap.max is to be, -1: no limit. False: it is left alone. */
bool translate_swap(const struct resources_memory *m, int64_t *ret);

/* v1 devices.deny and devices.allow. */
int translate_devices(struct translation *t, const struct device_rule *rules, size_t n) MUST_CHECK;

/* translate_io.c */
int translate_huge_pages(struct translation *t, const struct huge_page_limit *list, size_t n) MUST_CHECK;
int translate_block_io(struct translation *t, const struct resources_block_io *b) MUST_CHECK;
int translate_rdma(struct translation *t, const struct rdma_limit *list, size_t n) MUST_CHECK;
int translate_network(struct translation *t, const struct resources_network *net) MUST_CHECK;
bool block_io_given(const struct resources_block_io *b);
const char *block_io_controller(const struct cgroup_host *host);

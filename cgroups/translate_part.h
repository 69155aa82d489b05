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

int writes_add(struct translation *t, const char *controller, const char *file, const char *fmt, ...)
        PRINTF_LIKE(4, 5) MUST_CHECK;

/* v1 devices.deny and devices.allow. */
int translate_devices(struct translation *t, const struct device_rule *rules, size_t n) MUST_CHECK;

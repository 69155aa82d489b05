#pragma once
/* unit_part - what the parts of unit_limits() share. Used inside this module only. */

#include "cgroups/files.h"
#include "cgroups/unit.h"

struct limits {
        bool v2;                        /* names and units of systemd on v2; else those of v1 and hybrid */
        struct arena *arena;
        struct unit_properties *to;
        struct error *err;
};

/* unit_devices.c: DevicePolicy and DeviceAllow. No rules: nothing is said. */
int unit_devices(struct limits *l, const struct device_rule *rules, size_t n) MUST_CHECK;

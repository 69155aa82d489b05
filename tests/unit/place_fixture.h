#pragma once
/* A machine for one test: load it by hwloc's synthetic notation, or from an XML file of the golden folder. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "hpc/place.h"
#include "hpc/topology.h"

#define GOLDEN TESTS_DIR "/golden/placement/"

static inline struct topology *load_machine(const char *name)
{
        struct topology *t = NULL;
        struct error err = ERROR_INIT;
        char path[4096];

        unsetenv("HWLOC_SYNTHETIC");
        unsetenv("HWLOC_XMLFILE");
        if (strstr(name, ".xml")) {
                snprintf(path, sizeof(path), "%s%s", GOLDEN, name);
                setenv("HWLOC_XMLFILE", path, 1);
        } else {
                setenv("HWLOC_SYNTHETIC", name, 1);
        }
        if (topology_load(&t, &err) < 0)
                fail_msg("%s: %s", name, err.text);
        assert_false(topology_is_real(t));
        return t;
}

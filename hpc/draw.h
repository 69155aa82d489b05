#pragma once
/*
 * draw - a machine, and who runs where, as text and as a picture. Pure.
 *
 * Like lstopo's: boxes in boxes, package, NUMA node, core, hardware thread. Who
 * may run on at most half of the machine stands at its cores; the others are
 * listed below.
 */

#include <stddef.h>

#include "hpc/bind.h"
#include "hpc/topology.h"

struct occupant {
        char *name;                     /* "web", "job-12.3" */
        struct place_mask cpus;         /* the kernel's numbers: where it may run */
};

/* The caller frees; NULL: no memory. */
char *draw_text(const struct topology *topology, const struct occupant *who, size_t n) MUST_CHECK;
char *draw_svg(const struct topology *topology, const struct occupant *who, size_t n) MUST_CHECK;

#pragma once
/* helper - where the program is that has hwloc and PMIx. */

#include "cli/command.h"

/* Beside us, as in a build tree; else where it is installed. Memory of the call's arena; NULL: none left. */
const char *helper_path(const struct call *call);

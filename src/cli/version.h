#pragma once
/* version - what the build knows of itself; defined by CMakeLists.txt of this folder. */

#ifndef BERTH_VERSION
#define BERTH_VERSION "unknown"
#endif
#ifndef BERTH_COMMIT
#define BERTH_COMMIT ""
#endif

/* The OCI runtime specification that spec/ reads. */
#define OCI_SPEC_VERSION "1.3.0"

#pragma once
/*
 * sections - the readers of the parts of config.json, one per file.
 *
 * Internal to spec/; called by the table in read.c. `out` is the struct spec
 * for all of them, so that a section can fill what belongs together.
 */

#include "spec/json_read.h"

read_fn read_process;           /* spec_process.c */
read_fn read_label;             /* spec_process.c; `out` is a const char * */
read_fn read_scheduler, read_io_priority, read_exec_affinity, read_memory_policy; /* spec_scheduling.c; `out`: theirs */
read_fn read_net_devices;       /* spec_netdev.c */
read_fn read_mounts;            /* spec_mounts.c */
read_fn read_hooks;             /* spec_hooks.c */
read_fn read_linux;             /* spec_linux.c */
read_fn read_devices;           /* spec_devices.c */
read_fn read_device_major, read_device_minor; /* spec_devices.c, of a config or of CDI; `out` is a uint32_t */
read_fn read_resources;         /* spec_resources.c */
read_fn read_huge_pages, read_block_io, read_rdma, read_network; /* spec_resources_io.c; `out` is a struct resources */
read_fn read_filter;            /* spec_seccomp.c */

/* spec_rdt.c: the properties of intelRdt, of a config or of CDI, into a struct rdt */
#define RDT_FIELDS 5
extern const struct field rdt_fields[RDT_FIELDS];
read_fn read_intel_rdt;         /* `out` is a struct rdt */

struct spec;
struct spec_id_map;
struct spec_mount;

/* spec_idmap.c: uidMappings or gidMappings, of the container or of a mount */
int read_id_maps(const struct where *at, struct json_object *v, const struct spec_id_map **ret, size_t *ret_n) MUST_CHECK;

/* spec_idmap.c: "uids=0-1000-10#10-2000-5;gids=@0-100-1", what may follow "idmap=" in the options of a mount */
int read_idmap_option(const struct where *at, const char *text, struct spec_mount *mount) MUST_CHECK;

/* The part of spec_validate() that looks at the process alone. */
int validate_process(const struct spec *spec, struct error *err) MUST_CHECK;

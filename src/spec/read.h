#pragma once
/*
 * read - config.json becomes a struct spec.
 *
 * The only part of the program that reads JSON of the user (with json-c).
 * Unknown properties are ignored, as the specification demands; properties
 * that are known and not supported are refused by name. Errors carry the JSON
 * path: `process.rlimits[2].soft: expected a number, found a string`.
 *
 *      auto_spec struct spec *spec = NULL;
 *      if (spec_read_file(AT_FDCWD, "config.json", &spec, &err) < 0) ...
 */

#include "base/error.h"
#include "spec/spec.h"

/* Read `path` relative to the directory `dirfd`. -ENOENT, -EINVAL (malformed,
 * wrong type, refused), -EFBIG above 16 MiB. The caller frees the spec. */
int spec_read_file(int dirfd, const char *path, struct spec **ret_spec, struct error *err) MUST_CHECK;

/* The same from memory; `name` stands for the file in errors. */
int spec_read_text(const char *text, size_t size, const char *name, struct spec **ret_spec,
                   struct error *err) MUST_CHECK;

/* A process object alone (`exec --process FILE`), read into spec->process. */
int spec_read_process(const char *text, size_t size, const char *name, struct spec **ret_spec,
                      struct error *err) MUST_CHECK;

/* A resources object alone (`update --resources FILE`), read into spec->resources. */
int spec_read_resources(const char *text, size_t size, const char *name, struct spec **ret_spec,
                        struct error *err) MUST_CHECK;

/*
 * A new user namespace without maps gets one: its root is this user, and nobody
 * else is in it. -ENOMEM. For who starts a process, before it is compiled.
 */
int spec_default_maps(struct spec *spec, uint32_t uid, uint32_t gid, struct error *err) MUST_CHECK;

/*
 * What the schema cannot say: a new user namespace needs maps, a hostname needs
 * a UTS namespace, and the like (config.md, config-linux.md). Called by
 * spec_read_*(); exported for edits. Errors begin with the JSON path, without
 * the name of a file.
 *
 * A spec without process is valid (`create` of a sandbox, config.md#process);
 * a process without args is not. Who is about to start one calls
 * spec_validate_start() too: it wants a process.
 */
int spec_validate(const struct spec *spec, struct error *err) MUST_CHECK;
int spec_validate_start(const struct spec *spec, struct error *err) MUST_CHECK;

/* The part that looks at the resources alone. */
int spec_validate_resources(const struct spec *spec, struct error *err) MUST_CHECK;

/*
 * The config that `berth spec` writes, equal in meaning to that of `runc spec`
 * 1.5, indented with tabs. `rootless` as `runc spec --rootless`, for this uid
 * and gid. `cgroup_v2`: also a cgroup namespace. The caller frees the text.
 */
struct spec_template {
        bool rootless;
        uint32_t uid, gid;
        bool cgroup_v2;
};
int spec_write_default(const struct spec_template *wish, char **ret_text, struct error *err) MUST_CHECK;

#pragma once
/*
 * device - devices for a container: CDI names, plain nodes, groups of nodes.
 *
 * What is asked for on a command line, or by annotations of the config, becomes
 * edits of the config (spec/edit.h). CDI files and host nodes are looked at only
 * if something is asked for; without, this costs a look at the annotations.
 *
 * Source: Container Device Interface 1.1 (SPEC.md), its library's rules for
 * directories, precedence and annotations.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "spec/spec.h"

/* The words of the command line; all lists NULL-terminated, or NULL. */
struct device_wish {
        const char *const *devices;     /* "VENDOR/CLASS=NAME", "/dev/x[:PATH][:rwm]" */
        const char *const *groups;      /* "verbs", "cxi", "xpmem", "kfd" */
        const char *const *cdi_dirs;    /* NULL: /etc/cdi and /var/run/cdi; later ones take precedence */
};

/* Does the wish, or an annotation "cdi.k8s.io/...", ask for a device? */
bool device_wanted(const struct device_wish *wish, const struct spec *spec);

/*
 * Read the config.json of a bundle, and add what is asked for. `warning`: the limit
 * of locked memory could not be raised; code 0 if nothing. -EINVAL, -ENOENT,
 * -ENODEV, ... with one line. The caller frees the spec.
 */
int device_read_config(int bundle_fd, const struct device_wish *wish, struct spec **ret_spec, struct error *warning,
                       struct error *err) MUST_CHECK;

/* The same for a config that was read: `*text` (malloc()ed), and `*spec`, which was read from it, are replaced. */
int device_edit(const struct device_wish *wish, char **text, size_t *size, struct spec **spec, struct error *warning,
                struct error *err) MUST_CHECK;

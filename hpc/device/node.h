#pragma once
/* node - device nodes of the host, as edits. Inside hpc/device only. */

#include "base/arena.h"
#include "base/error.h"
#include "spec/edit.h"

/*
 * Take what the edit does not say from the host's node. With a type and a major
 * number it need not exist, then at most its mode is looked at. -ENOENT, -ENODEV
 * (no device), -EINVAL (another type than said), with a sentence.
 */
int node_fill(struct edit_node *node, struct error *err) MUST_CHECK;

/* "/dev/x[:PATH][:rwm]". A directory is all the devices in it. With the host's owner and mode. */
int node_plain(struct arena *arena, const char *text, struct edits *edits, struct error *err) MUST_CHECK;

/* The devices of a group ("verbs"); -ENOENT: this machine has none. `*ret_pins`: who uses them locks memory. */
int node_group(struct arena *arena, const char *name, struct edits *edits, bool *ret_pins, struct error *err) MUST_CHECK;

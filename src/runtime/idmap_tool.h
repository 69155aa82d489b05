#pragma once
/*
 * idmap_tool - newuidmap(1) and newgidmap(1), for callers who may not map ranges of ids themselves.
 *
 * They have the privilege that we lack, and give away what /etc/subuid and /etc/subgid grant the caller.
 */

#include <sys/types.h>

#include "base/error.h"

/* `map`: as for /proc/PID/uid_map. Waits for the tool; when it fails, its words are part of the sentence. */
int idmap_by_tool(const char *tool, pid_t pid, const char *map, struct error *err) MUST_CHECK;

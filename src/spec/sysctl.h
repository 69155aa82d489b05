#pragma once
/*
 * sysctl - names of kernel parameters, and whether a container may set them.
 */

#include <stddef.h>

#include "spec/spec.h"

#define SYSCTL_PATH_MAX 256

/*
 * The path below /proc/sys of a parameter: "net.ipv4.ip_forward" and
 * "net/ipv4/ip_forward" are the same. The separator that comes first is the
 * separator, the other one is a letter (sysctl(8)): "net.ipv4.conf.eno2/100.x"
 * is the interface "eno2.100". -EINVAL for a name with an empty part, "." or
 * "..", -ENAMETOOLONG.
 */
int sysctl_path(const char *key, char *ret_path, size_t size) MUST_CHECK;

/*
 * Refuse a parameter that is not the container's own: one that no namespace
 * has, or whose namespace the spec shares with the caller. The error begins
 * with `linux.sysctl["KEY"]: `.
 */
int sysctl_check(const struct spec *spec, const char *key, struct error *err) MUST_CHECK;

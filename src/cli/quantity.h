#pragma once
/*
 * quantity - numbers with units, as runc's options take them. Pure.
 */

#include <stdint.h>

#include "base/error.h"

/* "1048576", "50M", "1.5g", "64KiB", "1 GB": powers of 1024 up to P, any case. "-1" is -1. -EINVAL, -ERANGE. */
int quantity_bytes(const char *text, int64_t *ret) MUST_CHECK;

/* "5s", "100ms", "1h2m3.5s", "250us": a duration as Go writes it, in nanoseconds. Not negative. -EINVAL, -ERANGE. */
int quantity_duration(const char *text, uint64_t *ret_ns) MUST_CHECK;

#pragma once
/* ret - libc says -1 and errno; this folder says -errno. For its .c files only. */

#include <errno.h>

static inline long ret(long r)
{
        return r < 0 ? -errno : r;
}

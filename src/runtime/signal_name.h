#pragma once
/* signal_name - "9", "KILL", "SIGKILL", "sigkill": a signal as people write it. Pure. */

#include "base/error.h"

/* The number, or -EINVAL with a sentence. Real-time signals: RTMIN+n, RTMAX-n. */
int signal_from_name(const char *name, struct error *err) MUST_CHECK;

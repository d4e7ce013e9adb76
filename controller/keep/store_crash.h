/* controller/keep/store_crash.h - a store that refuses, for scenario tests.
 *
 * Layer: keep. Only in builds with MAINSTAY_CRASH_POINTS; otherwise never. While a file
 * $MAINSTAY_CRASH_FILE.store exists each batch of calls is refused, as by a store that is busy:
 * nothing is written and nothing answered. */
#ifndef CONTROLLER_KEEP_STORE_CRASH_H
#define CONTROLLER_KEEP_STORE_CRASH_H
#include "base/base.h"

#ifdef MAINSTAY_CRASH_POINTS
#include <unistd.h>
static inline bool store_crash_is_cut(void)
{
    const char *file = getenv("MAINSTAY_CRASH_FILE");
    char path[400];
    return file && snprintf(path, sizeof path, "%s.store", file) > 0 && access(path, F_OK) == 0;
}
#else
static inline bool store_crash_is_cut(void)
{
    return false;
}
#endif
#endif

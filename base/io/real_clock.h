/* base/io/real_clock.h - this machine's clocks: CLOCK_MONOTONIC and CLOCK_REALTIME.
 *
 * Layer: base/io. Any thread. Loop callbacks use loop_now_mono_us instead. */
#ifndef BASE_IO_REAL_CLOCK_H
#define BASE_IO_REAL_CLOCK_H
#include "base/clock.h"

/* Microseconds: mono since boot, for distances; wall since 1970, for people. Static. */
const struct clock *real_clock(void);
int64_t real_clock_mono_us(void);
int64_t real_clock_wall_us(void);

#endif

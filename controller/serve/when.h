/* controller/serve/when.h - a moment as people write it.
 *
 * Pure. Layer: serve. */
#ifndef CONTROLLER_SERVE_WHEN_H
#define CONTROLLER_SERVE_WHEN_H
#include "base/error.h"

/* "02:30" (UTC, the next one), "2026-11-23T02:30" (UTC, a Z and seconds may follow), "+90m" (from
 * now). STAY_EINVALID names what is wrong; a moment that is past or over 30 days away, too. */
enum stay_rc when_parse(const char *text, int64_t now_wall_us, int64_t *ret_wall_us,
                        struct stay_error *err) STAY_MUST_USE;

#endif

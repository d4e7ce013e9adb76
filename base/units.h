/* base/units.h - durations and byte counts as people write and read them.
 *
 * Pure. Layer: base. Numbers may carry a fraction ("1.5s"). The unit is required but for "0": a
 * bare 10 in a failover setting means seconds to one reader and milliseconds to the next. */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H
#include "base/error.h"

#define UNITS_TEXT_MAX 32 /* every formatter below fits in this */

/* "500ms", "10m", "1h30m", "0s": us, ms, s, m, h, d, w; parts in falling order. Microseconds, >= 0.
 * STAY_EINVALID names the wrong unit and lists the right ones. */
enum stay_rc units_parse_duration(const char *text, int64_t *ret_us,
                                  struct stay_error *err) STAY_MUST_USE;
/* "160MB" (decimal: B kB MB GB TB) or "8MiB" (binary: KiB MiB GiB TiB). */
enum stay_rc units_parse_size(const char *text, uint64_t *ret_bytes,
                              struct stay_error *err) STAY_MUST_USE;

/* Exact and parseable: "1h30m", "500ms", "0s". A negative value gets a leading '-'. */
void units_format_duration(char *dst, size_t size, int64_t us);
/* For tables: "0", "850 us", "12.3 ms", "1.24 s", "3m 20s", "2h 05m", "7d 01h". */
void units_format_duration_short(char *dst, size_t size, int64_t us);
/* Exact and parseable: the largest unit that divides it: "160MB", "8MiB", "1001B". */
void units_format_size(char *dst, size_t size, uint64_t bytes);
/* For tables: "0 B", "999 B", "1.5 kB", "160 MB" (decimal). */
void units_format_size_short(char *dst, size_t size, uint64_t bytes);
/* "2026-02-03T04:05:06.789Z" for wall microseconds; "never" for STAY_NEVER. */
void units_format_wall(char *dst, size_t size, int64_t wall_us);

#endif

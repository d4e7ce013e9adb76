/* controller/discover/zone_pattern.h - zones read off names and addresses: what --zone-of says.
 *
 * Pure. Layer: discover. A pattern is a list GLOB=ZONE,GLOB=ZONE; the first GLOB that matches a
 * server's address, its own host name or its address with port counts. In GLOB `*` matches any text
 * and one `{}` matches a text that ZONE repeats: "10.1.*=eu-1a,10.2.*=eu-1b",
 * "*.{}.example.com={}". Case does not matter. */
#ifndef CONTROLLER_DISCOVER_ZONE_PATTERN_H
#define CONTROLLER_DISCOVER_ZONE_PATTERN_H
#include "base/names.h"

/* STAY_EINVALID names the item and what is wrong with it. */
enum stay_rc zone_pattern_check(const char *pattern, struct stay_error *err) STAY_MUST_USE;
/* The zone of a server known by these texts (an empty one matches nothing), tried item by item.
 * STAY_ENOTFOUND: no item matches; STAY_EINVALID: the zone that comes out is no name. `pattern` has
 * passed the check. */
enum stay_rc zone_pattern_find(const char *pattern, const char *const *texts, size_t text_count,
                               char *ret_zone, size_t size, struct stay_error *err) STAY_MUST_USE;

#endif

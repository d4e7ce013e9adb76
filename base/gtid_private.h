/* base/gtid_private.h - what gtid_text.c needs from gtid.c.
 *
 * Pure. Layer: base, these two files only. */
#ifndef BASE_GTID_PRIVATE_H
#define BASE_GTID_PRIVATE_H
#include "base/gtid.h"

/* Sorts and joins ranges that were appended in any order. */
void gtid_set_normalize(struct gtid_set *set);

#endif

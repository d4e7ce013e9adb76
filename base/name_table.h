/* base/name_table.h - entries found by their name among thousands: clusters, asked for by name at
 * each of their turns.
 *
 * Pure. Layer: base. Intrusive: the link is the entry's first member; the entry stays the owner's.
 * A zeroed table is empty. Entries come out of each in no order that means anything. */
#ifndef BASE_NAME_TABLE_H
#define BASE_NAME_TABLE_H
#include "base/names.h"

#define NAME_TABLE_BUCKETS 1024

struct name_link {
    struct name_link *next;
    char name[NAMES_ID_MAX + 1];
};

struct name_table {
    struct name_link *by_hash[NAME_TABLE_BUCKETS];
};

/* Names the link (copied; cut at NAMES_ID_MAX) and takes it in. No other may have this name. */
void name_table_put(struct name_table *table, struct name_link *link, const char *name);
void *name_table_find(const struct name_table *table, const char *name); /* or NULL */
/* Finds it and takes it out; or NULL. */
void *name_table_take(struct name_table *table, const char *name);
/* The one after `link` (NULL: the first), or NULL at the end. The table must not change between. */
void *name_table_each(const struct name_table *table, const void *link);
/* Takes out any one; NULL: it is empty. To free them all. */
void *name_table_drain(struct name_table *table);

#endif

/* Chains by hash, of links inside their entries. */
#include "base/name_table.h"

static size_t bucket_of(const char *name)
{
    return names_hash(name) % NAME_TABLE_BUCKETS;
}

void name_table_put(struct name_table *table, struct name_link *link, const char *name)
{
    (void)stay_copy(link->name, sizeof link->name, name);
    struct name_link **at = &table->by_hash[bucket_of(link->name)];
    link->next = *at;
    *at = link;
}

void *name_table_find(const struct name_table *table, const char *name)
{
    struct name_link *link = table->by_hash[bucket_of(name)];
    while (link != NULL && strcmp(link->name, name) != 0)
        link = link->next;
    return link;
}

void *name_table_take(struct name_table *table, const char *name)
{
    struct name_link **at = &table->by_hash[bucket_of(name)];
    while (*at != NULL && strcmp((*at)->name, name) != 0)
        at = &(*at)->next;
    struct name_link *found = *at;
    if (found != NULL)
        *at = found->next;
    return found;
}

static struct name_link *first_from(const struct name_table *table, size_t bucket)
{
    while (bucket < NAME_TABLE_BUCKETS && table->by_hash[bucket] == NULL)
        bucket++;
    return bucket < NAME_TABLE_BUCKETS ? table->by_hash[bucket] : NULL;
}

void *name_table_each(const struct name_table *table, const void *link)
{
    const struct name_link *before = link;
    if (before == NULL)
        return first_from(table, 0);
    return before->next != NULL ? before->next : first_from(table, bucket_of(before->name) + 1);
}

void *name_table_drain(struct name_table *table)
{
    struct name_link *link = first_from(table, 0);
    return link == NULL ? NULL : name_table_take(table, link->name);
}

/* probes/mysql_query.h - the questions put to a server: one packet of statements per group of
 * facts.
 *
 * Pure data. Layer: probes. */
#ifndef PROBES_MYSQL_QUERY_H
#define PROBES_MYSQL_QUERY_H
#include "probes/read_mysql.h"

#define MYSQL_PARTS_MAX 8

struct mysql_query {
    const char *sql;
    const char *sql_writable; /* to a server that takes writes: its first parts only; NULL: sql */
    unsigned part_count;
    unsigned required; /* results that must come; an error after them only means "not there yet" */
    enum mysql_part parts[MYSQL_PARTS_MAX];
};

/* `group`: one of enum fact_group. server_version: as mysql_get_server_version, 0 if unknown.
 * NULL: this engine cannot be asked for the group. */
const struct mysql_query *mysql_query_for(enum engine engine, unsigned long server_version,
                                          enum fact_group group);

/* The canary's statement: one row, written at the controller's time. Heap text, caller frees. */
char *mysql_canary_sql(const char *cluster, uint64_t epoch, int64_t wall_us) STAY_MUST_USE;

#endif

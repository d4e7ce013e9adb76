/* backup/compare.h - are a replica's rows those of its source? Proven while clients write, table by
 * table, slice by slice.
 *
 * Layer: backup. Blocking; writes nothing. A slice that is equal at once is equal. One that is not
 * is asked again behind the source's position, and last with shared locks on its at most a hundred
 * rows of the source (InnoDB), for the time the replica needs to come up with it: what differs then
 * differs. Each slice is followed by a rest half as long as it took. Not looked at: the servers'
 * own schemas (accounts), mainstay's, views, sequences, routines. */
#ifndef BACKUP_COMPARE_H
#define BACKUP_COMPARE_H
#include "probes/mysql_session.h"

enum compare_result {
    COMPARE_DIFFERS = 0, /* proven */
    COMPARE_UNKNOWN,     /* it could not be told */
};

struct compare {
    const char *source_name, *replica_name; /* for people */
    struct mysql_target source, replica;    /* of one engine and version */
    struct mysql_account operate;           /* SELECT on every table, on both */
    /* table: "schema.name"; slice: "id above 20 to 40", "" the whole table; borrowed. */
    void (*told)(void *arg, const char *table, const char *slice, enum compare_result result,
                 const char *why);
    void *told_arg;
};

struct compare_outcome {
    uint64_t tables, rows; /* compared, of the source's */
    uint64_t differences;  /* slices; of one table not more than 5 are looked for */
    uint64_t unknown;      /* slices and tables that could not be told */
};

/* STAY_ETIMEDOUT: the replica did not come up with the source. Any error: nothing is proven. */
enum stay_rc compare_servers(const struct compare *what, struct compare_outcome *ret_outcome,
                             struct stay_error *err) STAY_MUST_USE;

#endif

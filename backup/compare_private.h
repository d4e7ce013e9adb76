/* backup/compare_private.h - what the files of compare share.
 *
 * Layer: backup, private to compare*.c. */
#ifndef BACKUP_COMPARE_PRIVATE_H
#define BACKUP_COMPARE_PRIVATE_H
#include "backup/compare.h"
#include "backup/compare_table.h"

#define COMPARE_OPEN_US   (10 * STAY_SECOND)
#define COMPARE_ASK_US    (600 * STAY_SECOND)
#define COMPARE_BEHIND_US (60 * STAY_SECOND) /* the replica may be, after a rejoin */
#define COMPARE_TRIES     3

enum equal { EQUAL_NO = 0, EQUAL_YES, EQUAL_UNKNOWN };

struct comparing {
    const struct compare *what;
    struct compare_outcome *out;
    struct mysql_session *source, *replica;
    bool is_mysql;
    const struct compare_table *table;
    char *name; /* "schema.table" */
    uint64_t table_differences;
    char why[200];
};

/* Until the replica holds what the source held at the call. STAY_ETIMEDOUT: it did not by `due_us`,
 * monotonic. */
enum stay_rc compare_come_up(struct comparing *c, int64_t due_us, struct stay_error *err);
/* Two sums of one slice, `sql` of compare_sum_sql. Without locks: the source before, the replica
 * behind it, the source again; EQUAL_NO is no proof. Locked by `lock`: EQUAL_NO is one, with its
 * reason in c->why. */
enum stay_rc compare_unlocked(struct comparing *c, const char *sql, enum equal *ret_equal,
                              struct stay_error *err);
enum stay_rc compare_locked(struct comparing *c, const char *sql, const char *lock,
                            enum equal *ret_equal, struct stay_error *err);
void compare_sleep_us(int64_t us);

#endif

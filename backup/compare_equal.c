/* Are the rows of one slice equal on both: by their sums, at once, behind the position, or under
 * locks. */
#include <mysql.h>

#include "backup/compare_private.h"

#include <time.h>

#include "backup/bundle_save.h"
#include "base/io/real_clock.h"

#define LOCKED_US (2 * STAY_SECOND) /* writers of a slice may wait */
#define SETTLE_US STAY_SECOND       /* MariaDB's log holds a transaction before its rows are seen */
#define POLL_US   (5 * STAY_MS)

struct sum {
    uint64_t rows, summed;
    char sum[72]; /* decimal */
};

void compare_sleep_us(int64_t us)
{
    struct timespec t = {.tv_sec = us / STAY_SECOND, .tv_nsec = us % STAY_SECOND * 1000};
    while (nanosleep(&t, &t) != 0)
        ;
}

static void keep_sum(void *arg, const struct mysql_row *row)
{
    struct sum *sum = arg;
    if (row->columns < 3 || row->values[0] == NULL || row->values[1] == NULL ||
        row->values[2] == NULL)
        return;
    sum->rows = strtoull(row->values[0], NULL, 10);
    sum->summed = strtoull(row->values[1], NULL, 10);
    (void)stay_copy(sum->sum, sizeof sum->sum, row->values[2]);
}

static enum stay_rc read_sum(struct comparing *c, struct mysql_session *s, const char *sql,
                             struct sum *ret, struct stay_error *err)
{
    *ret = (struct sum){0};
    enum stay_rc rc =
        mysql_session_run(s, sql, real_clock_mono_us() + COMPARE_ASK_US, keep_sum, ret, err);
    if (rc == STAY_OK && (ret->sum[0] == '\0' || ret->summed != ret->rows))
        rc = stay_error(err, STAY_ELIMIT, "a row is larger than max_allowed_packet");
    return rc == STAY_OK
               ? rc
               : stay_error_prefix(err, rc, "%s",
                                   s == c->source ? c->what->source_name : c->what->replica_name);
}

static bool is_same(const struct sum *a, const struct sum *b)
{
    return a->rows == b->rows && strcmp(a->sum, b->sum) == 0;
}

/* Until the replica holds what the source held at the call. STAY_ETIMEDOUT: it did not. */
enum stay_rc compare_come_up(struct comparing *c, int64_t due_us, struct stay_error *err)
{
    STAY_AUTO(gtid_set_drop) struct gtid_set all = {0};
    enum engine engine = c->what->source.engine;
    enum stay_rc rc = bundle_read_executed(c->source, engine, &all, err);
    while (rc == STAY_OK) {
        STAY_AUTO(gtid_set_drop) struct gtid_set has = {0};
        rc = bundle_read_executed(c->replica, engine, &has, err);
        if (rc != STAY_OK || gtid_set_contains(&has, &all))
            break;
        if (real_clock_mono_us() >= due_us)
            return stay_error(err, STAY_ETIMEDOUT, "%s does not come up with %s",
                              c->what->replica_name, c->what->source_name);
        compare_sleep_us(POLL_US);
    }
    return rc;
}

/* The source before, the replica behind it, the source again: one of the two may be it. */
enum stay_rc compare_unlocked(struct comparing *c, const char *sql, enum equal *ret_equal,
                              struct stay_error *err)
{
    struct sum first, there, last;
    *ret_equal = EQUAL_NO;
    enum stay_rc rc = read_sum(c, c->source, sql, &first, err);
    if (rc == STAY_OK)
        rc = read_sum(c, c->replica, sql, &there, err);
    for (int i = 0; rc == STAY_OK && !is_same(&first, &there) && i < COMPARE_TRIES; i++) {
        rc = compare_come_up(c, real_clock_mono_us() + COMPARE_BEHIND_US, err);
        if (rc == STAY_OK)
            rc = read_sum(c, c->replica, sql, &there, err);
        if (rc == STAY_OK)
            rc = read_sum(c, c->source, sql, &last, err);
        if (rc == STAY_OK && !is_same(&first, &there))
            first = last;
    }
    if (rc == STAY_OK && is_same(&first, &there)) {
        *ret_equal = EQUAL_YES;
        c->out->rows += first.rows;
    }
    return rc;
}

/* Nobody changes the source's rows meanwhile, so the replica's settle on them or differ. */
static enum stay_rc compare_held(struct comparing *c, const char *sql, enum equal *ret_equal,
                                 struct stay_error *err)
{
    struct sum first, there;
    int64_t due = real_clock_mono_us() + LOCKED_US, settled = INT64_MAX;
    *ret_equal = EQUAL_UNKNOWN;
    enum stay_rc rc = read_sum(c, c->source, sql, &first, err);
    if (rc == STAY_OK)
        rc = compare_come_up(c, due, err);
    if (rc == STAY_ETIMEDOUT)
        return STAY_OK;
    settled = real_clock_mono_us() + SETTLE_US;
    while (rc == STAY_OK) {
        rc = read_sum(c, c->replica, sql, &there, err);
        if (rc == STAY_OK && is_same(&first, &there)) {
            *ret_equal = EQUAL_YES;
            c->out->rows += first.rows;
            return rc;
        }
        if (real_clock_mono_us() >= settled)
            break;
        compare_sleep_us(POLL_US);
    }
    if (rc == STAY_OK) {
        *ret_equal = EQUAL_NO;
        (void)snprintf(c->why, sizeof c->why, "%llu rows on %s, %llu on %s%s",
                       (unsigned long long)first.rows, c->what->source_name,
                       (unsigned long long)there.rows, c->what->replica_name,
                       first.rows == there.rows ? ", not the same" : "");
    }
    return rc;
}

enum stay_rc compare_locked(struct comparing *c, const char *sql, const char *lock,
                            enum equal *ret_equal, struct stay_error *err)
{
    struct stay_error e = {0}, ignored;
    (void)stay_copy(c->why, sizeof c->why, "it is written all the time");
    *ret_equal = EQUAL_UNKNOWN;
    enum stay_rc rc = mysql_session_run(c->source, "START TRANSACTION",
                                        real_clock_mono_us() + COMPARE_OPEN_US, NULL, NULL, err);
    if (rc != STAY_OK)
        return rc;
    rc = mysql_session_run(c->source, lock, real_clock_mono_us() + COMPARE_OPEN_US, NULL, NULL, &e);
    if (rc == STAY_OK)
        rc = compare_held(c, sql, ret_equal, err);
    else if (e.native == 1205 || e.native == 1213) /* somebody's locks; a deadlock */
        rc = STAY_OK;
    else
        rc = stay_error(err, rc, "%s", e.text);
    if (mysql_session_is_open(c->source) &&
        mysql_session_run(c->source, "ROLLBACK", real_clock_mono_us() + COMPARE_OPEN_US, NULL, NULL,
                          &ignored) != STAY_OK)
        mysql_session_close(c->source);
    return rc;
}

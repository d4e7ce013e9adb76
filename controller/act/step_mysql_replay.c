/* Step `execute relay log`: what a replica received before its server went down and has not
 * executed is executed, with its receiver off and no source to ask.
 *
 * Measured on MariaDB 10.11.19: after a restart Gtid_IO_Pos is empty, the relay log is still there,
 * and a start of either thread throws it away as long as the replica goes by GTID. Told its relay
 * log by file and position it goes by position, and executes it to the end; with parallel appliers
 * the server crashes then (signal 11, each time), with slave_parallel_mode = none it does not. The
 * position it keeps may be ahead of what its engine kept (relay-log.info is a file of its own), so
 * the first transaction that is not executed is looked for. MySQL 9.7.4: with relay_log_recovery =
 * OFF the applier goes on where it was, whatever stopped it. */
#include <mysql.h>

#include "controller/act/step_mysql_private.h"

#include "base/io/real_clock.h"

#define EVENTS_A_PAGE 2000
#define FIRST_POS     4
#define SOON_US       (2 * STAY_SECOND)

struct channel {
    char file[200];
    uint64_t file_number;
    bool by_gtid, has_file;
};

/* What the relay log holds. A transaction counts once its end is there. */
struct scan {
    struct step *s;
    char file[240];
    uint64_t pos, page_last;  /* where the next page begins; last position of this one */
    uint32_t rows, file_rows; /* of this page; of this file */
    char open[64];            /* GTID whose end has not come, "" none */
    bool open_is_single;      /* it has no BEGIN: its one event ends it */
    uint64_t open_pos;
    struct gtid_set complete, missing; /* missing: not executed */
    bool meets;                        /* it holds one that is executed as well */
    bool has_start;
    char start_file[240];
    uint64_t start_pos;
    struct gtid_range first; /* of missing, as it was found first */
};

static const char *value_of(const struct mysql_row *row, const char *name)
{
    for (unsigned i = 0; i < row->columns; i++)
        if (strcasecmp(row->names[i], name) == 0)
            return row->values[i];
    return NULL;
}

static void keep_channel(void *arg, const struct mysql_row *row)
{
    struct channel *c = arg;
    const char *file = value_of(row, "Relay_Log_File"), *gtid = value_of(row, "Using_Gtid");
    const char *dot = file == NULL ? NULL : strrchr(file, '.');
    c->by_gtid = gtid != NULL && strcasecmp(gtid, "No") != 0;
    if (dot == NULL || !stay_copy(c->file, sizeof c->file, file))
        return;
    c->file_number = strtoull(dot + 1, NULL, 10);
    c->file[dot - file] = '\0';
    c->has_file = true;
}

static enum outcome read_channel(struct step *s, struct channel *ret)
{
    struct stay_error e = {0};
    *ret = (struct channel){0};
    static const char sql[] = "SHOW SLAVE STATUS";
    enum stay_rc rc = mysql_session_run(s->session, sql, s->due_mono_us, keep_channel, ret, &e);
    return step_outcome_of(s, rc, sql, &e);
}

/* --- was it left alone since its restart? ---------------------------------------------------- */

struct counters {
    unsigned seen;
    uint64_t sum;
};

static void keep_counter(void *arg, const struct mysql_row *row)
{
    struct counters *c = arg;
    c->seen++;
    c->sum += row->columns > 1 && row->values[1] != NULL ? strtoull(row->values[1], NULL, 10) : 1;
}

/* Nobody started, stopped or changed its replication since its process began, so that what it
 * acknowledged before is executed or in its relay log; and both go through to the disk. */
static bool was_left_alone(struct step *s)
{
    const struct server_facts *f = &s->result->facts;
    struct stay_error e = {0};
    struct counters c = {0};
    STAY_AUTO(stay_free_charp) char *safe = NULL;
    static const char counters[] =
        "SHOW GLOBAL STATUS WHERE Variable_name IN ('Com_start_slave', 'Com_start_all_slaves', "
        "'Com_stop_slave', 'Com_stop_all_slaves', 'Com_slave_start', 'Com_slave_stop', "
        "'Com_replica_start', 'Com_replica_stop', 'Com_change_master', "
        "'Com_change_replication_source')";
    static const char durable[] =
        "SELECT @@global.sync_relay_log = 1 AND @@global.relay_log_recovery = 0 AND "
        "@@global.sync_binlog = 1 AND @@global.innodb_flush_log_at_trx_commit = 1";
    if (!step_receiver_is_off(s) || f->receiver == RECEIVER_NONE || f->applier == TRI_YES ||
        mysql_session_run(s->session, counters, s->due_mono_us, keep_counter, &c, &e) != STAY_OK ||
        mysql_session_text(s->session, durable, s->due_mono_us, &safe, &e) != STAY_OK)
        return false;
    return c.seen >= 2 && c.sum == 0 && safe != NULL && strcmp(safe, "1") == 0;
}

/* --- MariaDB: the relay log, event by event -------------------------------------------------- */

static void end_transaction(struct scan *x)
{
    STAY_AUTO(gtid_set_drop) struct gtid_set one = {0};
    struct stay_error e = {0};
    if (gtid_set_parse(GTID_MARIADB, x->open, &one, &e) != STAY_OK || one.n == 0)
        return;
    bool executed = gtid_set_contains(&x->s->result->facts.executed, &one);
    gtid_set_union(&x->complete, &one);
    x->meets = x->meets || executed;
    if (!executed && !x->has_start) {
        x->has_start = true;
        (void)stay_copy(x->start_file, sizeof x->start_file, x->file);
        x->start_pos = x->open_pos;
        x->first = one.v[0];
    }
    if (!executed)
        gtid_set_union(&x->missing, &one);
    x->open[0] = '\0';
}

/* Columns: Log_name, Pos, Event_type, Server_id, End_log_pos, Info. */
static void keep_event(void *arg, const struct mysql_row *row)
{
    struct scan *x = arg;
    if (row->columns < 6 || row->values[1] == NULL || row->values[2] == NULL)
        return;
    uint64_t pos = strtoull(row->values[1], NULL, 10);
    const char *type = row->values[2], *info = row->values[5] == NULL ? "" : row->values[5];
    x->rows++;
    if (x->file_rows > 0 && pos <= x->page_last)
        return; /* a page begins with the last event of the one before */
    x->page_last = pos;
    x->file_rows++;
    if (strcasecmp(type, "Gtid") == 0) {
        const char *at = strstr(info, "GTID ");
        (void)snprintf(x->open, sizeof x->open, "%.*s", at == NULL ? 0 : (int)strcspn(at + 5, " "),
                       at == NULL ? "" : at + 5);
        x->open_is_single = strncmp(info, "BEGIN", 5) != 0;
        x->open_pos = pos;
        return;
    }
    bool ends = strcasecmp(type, "Xid") == 0 || strncasecmp(type, "XA_", 3) == 0 ||
                (strncasecmp(type, "Query", 5) == 0 &&
                 (x->open_is_single || strncasecmp(info, "COMMIT", 6) == 0));
    if (ends && x->open[0] != '\0')
        end_transaction(x);
}

/* One relay log. *ret_is_there: false when there is none of that name. */
static enum outcome scan_file(struct scan *x, const struct channel *c, uint64_t number,
                              bool *ret_is_there)
{
    struct step *s = x->s;
    (void)snprintf(x->file, sizeof x->file, "%s.%06llu", c->file, (unsigned long long)number);
    x->pos = FIRST_POS;
    x->file_rows = 0;
    *ret_is_there = true;
    for (;;) {
        struct stay_error e = {0};
        STAY_AUTO(stay_free_charp) char *name = mysql_quote(x->file);
        STAY_AUTO(stay_free_charp)
        char *sql = stay_sprintf("SHOW RELAYLOG EVENTS IN %s FROM %llu LIMIT %d", name,
                                 (unsigned long long)x->pos, EVENTS_A_PAGE);
        x->rows = 0;
        enum stay_rc rc = mysql_session_run(s->session, sql, s->due_mono_us, keep_event, x, &e);
        if (rc == STAY_EFAILED && x->file_rows == 0) {
            *ret_is_there = false;
            return OUTCOME_DONE;
        }
        if (rc == STAY_EFAILED) /* torn by the loss of power: what is before it counts */
            return OUTCOME_DONE;
        if (rc != STAY_OK)
            return step_outcome_of(s, rc, sql, &e);
        if (x->rows < EVENTS_A_PAGE)
            return OUTCOME_DONE;
        x->pos = x->page_last;
    }
}

/* From the log before the one it stands in, which it may have left in the second before. */
static enum outcome scan_relay_log(struct scan *x, const struct channel *c)
{
    bool is_there = true;
    uint64_t first = c->file_number > 1 ? c->file_number - 1 : c->file_number;
    for (uint64_t number = first; is_there || number <= c->file_number; number++) {
        enum outcome o = scan_file(x, c, number, &is_there);
        if (o != OUTCOME_DONE)
            return o;
        x->open[0] = '\0'; /* a transaction does not go on in the next log after a reconnect */
    }
    return OUTCOME_DONE;
}

/* Does what it has not executed follow what it has, without a hole? */
static bool continues(const struct scan *x)
{
    const struct gtid_set *executed = &x->s->result->facts.executed;
    uint64_t last = 0;
    for (size_t i = 0; i < executed->n; i++) /* of that domain, whichever server wrote it */
        if (memcmp(executed->v[i].source, x->first.source, 4) == 0 && executed->v[i].last > last)
            last = executed->v[i].last;
    return x->meets || x->first.last == last + 1;
}

static enum outcome start_by_position(struct step *s, const struct scan *x)
{
    STAY_AUTO(stay_free_charp) char *file = mysql_quote(x->start_file);
    enum outcome o = step_say(s, "CHANGE MASTER TO RELAY_LOG_FILE = %s, RELAY_LOG_POS = %llu", file,
                              (unsigned long long)x->start_pos);
    if (o == OUTCOME_DONE)
        o = step_say(s, "SET GLOBAL slave_parallel_mode = 'none'");
    if (o == OUTCOME_DONE)
        o = step_say(s, "%s", s->sql->start_applier);
    return o;
}

static enum outcome wait_started(struct step *s)
{
    const struct server_facts *f = &s->result->facts;
    int64_t until_us = real_clock_mono_us() + SOON_US;
    enum outcome o = OUTCOME_DONE;
    do
        o = step_look(s);
    while (o == OUTCOME_DONE && f->applier != TRI_YES && f->applier_errno == 0 &&
           real_clock_mono_us() < until_us && step_wait(s, STEP_LOOK_AGAIN_US));
    if (o == OUTCOME_DONE && f->applier != TRI_YES && !step_is_drained(s))
        return step_end(s, OUTCOME_NOT_DONE, "applier stopped: (%lld) %.150s",
                        (long long)f->applier_errno, f->applier_error);
    return o;
}

static enum outcome replay_mariadb(struct step *s, const struct channel *c, struct scan *x)
{
    enum outcome o = scan_relay_log(x, c);
    if (o != OUTCOME_DONE)
        return o;
    s->result->kept_acked = s->result->kept_acked && x->meets;
    uint64_t many = gtid_set_count(&x->missing);
    if (x->has_start && !continues(x))
        return step_end(s, OUTCOME_NOT_DONE,
                        "its relay log does not go on where it stopped to execute");
    if (x->has_start && s->result->facts.applier != TRI_YES)
        o = start_by_position(s, x);
    if (o == OUTCOME_DONE && x->has_start)
        o = wait_started(s);
    gtid_set_union(&s->result->facts.received, &x->complete);
    if (o == OUTCOME_DONE)
        (void)step_end(s, OUTCOME_DONE, "%s%s",
                       many > 0 ? "its relay log held more than it had executed"
                                : "its relay log holds nothing it had not executed",
                       s->result->kept_acked ? "" : "; a restart may have cost it some");
    return o;
}

static enum outcome replay_mysql(struct step *s)
{
    const struct server_facts *f = &s->result->facts;
    bool had_more = !step_is_drained(s);
    enum outcome o = OUTCOME_DONE;
    if (had_more && f->applier != TRI_YES)
        o = step_say(s, "%s", s->sql->start_applier);
    if (o == OUTCOME_DONE && had_more)
        o = wait_started(s);
    if (o == OUTCOME_DONE)
        (void)step_end(s, OUTCOME_DONE, "%s%s",
                       had_more ? "its relay log held more than it had executed"
                                : "its relay log holds nothing it had not executed",
                       s->result->kept_acked ? "" : "; a restart may have cost it some");
    return o;
}

enum outcome step_replay(struct step *s)
{
    struct channel c;
    struct scan x = {.s = s};
    enum outcome o = step_look(s);
    if (o != OUTCOME_DONE || s->result->facts.receiver == RECEIVER_NONE)
        return o;
    if (!step_receiver_is_off(s))
        return step_end(s, OUTCOME_NOT_DONE, "its receiver is not stopped");
    s->result->kept_acked = was_left_alone(s);
    if (!step_is_mariadb(s))
        return replay_mysql(s);
    o = read_channel(s, &c);
    if (o == OUTCOME_DONE && c.has_file)
        o = replay_mariadb(s, &c, &x);
    gtid_set_clear(&x.complete);
    gtid_set_clear(&x.missing);
    return o;
}

/* After its drain: by GTID again, and appliers in parallel as they were by default (a value of
 * slave_parallel_mode that somebody chose comes back with the server's next start). */
enum outcome step_replay_end(struct step *s)
{
    struct channel c;
    if (!step_is_mariadb(s) || !step_receiver_is_off(s) ||
        s->result->facts.receiver == RECEIVER_NONE)
        return OUTCOME_DONE;
    enum outcome o = read_channel(s, &c);
    if (o != OUTCOME_DONE || !c.has_file || c.by_gtid)
        return o;
    o = step_say(s, "%s", s->sql->stop_both);
    if (o == OUTCOME_DONE)
        o = step_say(s, "SET GLOBAL slave_parallel_mode = DEFAULT");
    if (o == OUTCOME_DONE)
        o = step_say(s, "CHANGE MASTER TO MASTER_USE_GTID = slave_pos");
    return o == OUTCOME_DONE ? step_look(s) : o;
}

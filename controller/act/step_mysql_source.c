/* Steps of a server that is, was or becomes the primary: fence, quiesce, roles, writable, canary.
 */
#include <mysql.h>

#include "controller/act/step_mysql_private.h"

#include "base/io/real_clock.h"
#include "probes/mysql_query.h"

#define INFINITE_MS          "4294967295" /* MySQL's largest; 49 days */
#define LOCK_WAIT_TIMEOUT    1205
#define STATEMENT_TIME_LIMIT 1969

/* Commits that nobody joins and no acknowledgement holds up end within a few writes to the disk. */
#define COMMITS_END_US (500 * STAY_MS)

/* MariaDB: one more session waits to set read_only, behind writers and semi-sync waiters. While it
 * waits no statement that writes begins, so the sessions to end are all there are. It ends with its
 * connection (scenario_fact_killed_shut.c). */
static enum outcome begin_read_only(struct step *s, struct mysql_session *closer, bool for_ever)
{
    struct reach reach = {0};
    struct stay_error e = {0};
    int64_t left_us = s->due_mono_us - real_clock_mono_us();
    if (real_clock_mono_us() >= s->in->effect.valid_until_mono_us)
        return step_end(s, OUTCOME_NOT_DONE, "discarded: late: read-only");
    STAY_AUTO(stay_free_charp)
    char *limit = for_ever ? stay_strdup("SET STATEMENT max_statement_time = 0, " STEP_SHUT " FOR ")
                           : stay_sprintf("SET STATEMENT max_statement_time = %.3f, "
                                          "lock_wait_timeout = 60 FOR ",
                                          (double)(left_us > 0 ? left_us : 1000) / 1e6);
    STAY_AUTO(stay_free_charp) char *sql = stay_sprintf("%sSET GLOBAL read_only = 1", limit);
    enum stay_rc rc =
        mysql_session_open(closer, &s->in->target, &s->in->operate, s->due_mono_us, &reach, &e);
    if (rc == STAY_OK)
        rc = mysql_session_send(closer, sql, s->due_mono_us, &e);
    return rc == STAY_OK ? OUTCOME_DONE
                         : step_end(s, OUTCOME_NOT_DONE, "read-only: %.200s", e.text);
}

/* Semi-sync goes off only when nobody who listens waits: a released waiter gets OK. Found off, by
 * the look before, it was somebody else who switched it. */
static enum outcome source_role_off(struct step *s)
{
    if (s->result->facts.ss_source_enabled != TRI_YES) {
        s->result->source_was_off = !s->switched;
        return OUTCOME_DONE;
    }
    s->switched = true;
    return step_set(s, s->sql->source_enabled, "0");
}

/* Not for ever: a disk that hangs is what the failover is about, and freezing its ackers proves as
 * much as long as nobody was killed in there. */
static bool hang_too_long(const struct step *s, int64_t *since_mono_us)
{
    int64_t now_us = real_clock_mono_us();
    if (!s->commits_hang || *since_mono_us == STAY_NEVER)
        *since_mono_us = s->commits_hang ? now_us : STAY_NEVER;
    return s->commits_hang && now_us - *since_mono_us > COMMITS_END_US;
}

/* Ends sessions until read-only holds and nobody waits or is left. A replica with the source role
 * on (its own configuration opened it) has an applier that waits for acknowledgements; measured on
 * MariaDB 10.11.19: read_only hangs behind it ("Waiting for backup lock"), and it cannot be killed.
 * Nobody is told OK when it is let go. Where sessions are ended that may be unable to leave, an
 * attempt without a limit stays: who came after them would be answered OK when they lead. */
static enum outcome end_all(struct step *s)
{
    uint32_t left = 0;
    bool is_shut = false;
    int64_t hang_mono_us = STAY_NEVER;
    for (;;) {
        enum outcome o = step_look(s);
        bool is_set = s->result->facts.read_only == TRI_YES;
        if (o == OUTCOME_DONE)
            o = step_end_sessions(s, is_set ? ENDS_ALL : ENDS_CLOSING, &left);
        if (o == OUTCOME_DONE && s->wants_shut && !is_shut) {
            o = begin_read_only(s, s->shut, true);
            is_shut = true;
        }
        if (o == OUTCOME_DONE && s->applier_waits) {
            s->result->ended_sessions = true; /* if read-only does not follow, it is open without */
            o = source_role_off(s);
        }
        if (o != OUTCOME_DONE)
            return o;
        s->result->strangers = left;
        if (is_set && left == 0 && s->result->facts.ss_waiters == 0)
            return OUTCOME_DONE;
        if (hang_too_long(s, &hang_mono_us))
            return step_end(
                s, OUTCOME_NOT_DONE,
                "commits hang in it as on a disk that takes no write, %u sessions: %s", left,
                s->result->ended_sessions ? "some were ended before"
                                          : "none was ended, for others would be answered OK");
        if (!step_wait(s, 5 * STAY_MS))
            return step_end(s, OUTCOME_NOT_DONE, "read-only %s, %u sessions left, %llu waiting",
                            is_set ? "on" : "off", left,
                            (unsigned long long)s->result->facts.ss_waiters);
    }
}

static enum outcome close_mariadb(struct step *s)
{
    struct mysql_session *closer = mysql_session_new();
    enum outcome o = begin_read_only(s, closer, false);
    if (o == OUTCOME_DONE)
        o = end_all(s);
    if (o == OUTCOME_DONE)
        mysql_session_close(s->shut);
    mysql_session_free(closer); /* read-only holds, or its own time limit ends the attempt */
    return o;
}

static enum outcome verify_closed(struct step *s)
{
    enum outcome o = step_look(s);
    if (o != OUTCOME_DONE)
        return o;
    const struct server_facts *f = &s->result->facts;
    if (f->super_read_only != TRI_YES || f->ss_source_enabled == TRI_YES)
        return step_end(s, OUTCOME_NOT_DONE, "read-only %s, semi-sync source role %s",
                        f->super_read_only == TRI_YES ? "on" : "off",
                        f->ss_source_enabled == TRI_YES ? "on" : "off");
    return step_end(s, OUTCOME_DONE, "read-only, no application session, semi-sync off");
}

static enum outcome fence_mysql(struct step *s)
{
    enum outcome o = step_set(s, "offline_mode", "ON");
    uint32_t left = 0;
    for (;;) {
        if (o == OUTCOME_DONE) /* administrators are not thrown out by offline_mode */
            o = step_end_sessions(s, ENDS_ALL, &left);
        if (o != OUTCOME_DONE)
            return o;
        s->result->strangers = left;
        if (left == 0)
            break;
        if (!step_wait(s, 5 * STAY_MS))
            return step_end(s, OUTCOME_NOT_DONE, "%u application sessions left", left);
    }
    o = step_look(s);
    if (o == OUTCOME_DONE)
        o = source_role_off(s);
    if (o == OUTCOME_DONE)
        o = step_set(s, "super_read_only", "ON");
    return o;
}

enum outcome step_fence(struct step *s)
{
    enum outcome o;
    if (!step_is_mariadb(s)) {
        o = fence_mysql(s);
        if (o == OUTCOME_DONE) /* read-only holds now: let the monitor in again */
            o = step_set(s, "offline_mode", "OFF");
    } else {
        o = close_mariadb(s);
        if (o == OUTCOME_DONE)
            o = source_role_off(s);
    }
    return o == OUTCOME_DONE ? verify_closed(s) : o;
}

/* Writers get a moment to end by themselves; the route is closed by now. The replicas still
 * receive, so whoever waits for them gets its answer: nothing here is taken away from a client. */
enum outcome step_quiesce(struct step *s)
{
    for (;;) {
        uint32_t left = 0;
        enum outcome o = step_is_mariadb(s)
                             ? step_say_or(s, STATEMENT_TIME_LIMIT,
                                           "SET STATEMENT max_statement_time = 0.05 "
                                           "FOR SET GLOBAL read_only = 1")
                             : step_say_or(s, LOCK_WAIT_TIMEOUT, "SET GLOBAL super_read_only = ON");
        if (o == OUTCOME_DONE)
            o = step_end_sessions(s, ENDS_OTHERS, &left);
        s->result->strangers = left;
        if (o == OUTCOME_DONE)
            o = step_look(s);
        if (o != OUTCOME_DONE || s->result->facts.super_read_only == TRI_YES)
            return o;
        if (!step_wait(s, 2 * STAY_MS))
            return step_end(s, OUTCOME_NOT_DONE, "read-only did not take, %u sessions left", left);
    }
}

enum outcome step_source_on(struct step *s)
{
    if (!s->in->effect.semi_sync)
        return step_source_off(s);
    bool forgets = s->in->effect.plan == PLAN_SWITCHOVER && s->in->effect.step == STEP_SOURCE_ON &&
                   !step_is_mariadb(s);
    enum outcome o = forgets ? step_say(s, "%s", s->sql->forget) : OUTCOME_DONE;
    if (o == OUTCOME_DONE)
        o = step_set(s, s->sql->source_point, "AFTER_SYNC");
    if (o == OUTCOME_DONE)
        o = step_set(s, s->sql->source_timeout, INFINITE_MS);
    if (o == OUTCOME_DONE)
        o = step_set(s, s->sql->source_no_replica, "1");
    if (o == OUTCOME_DONE && s->sql->source_count != NULL)
        o = step_say(s, "SET GLOBAL %s = %u", s->sql->source_count,
                     s->in->effect.acks == 0 ? 1 : s->in->effect.acks);
    if (o == OUTCOME_DONE)
        o = step_set(s, s->sql->source_enabled, "1");
    if (o == OUTCOME_DONE)
        o = step_look(s);
    if (o != OUTCOME_DONE)
        return o;
    if (s->result->facts.ss_source_enabled != TRI_YES || s->result->facts.ss_after_sync != TRI_YES)
        return step_end(s, OUTCOME_NOT_DONE, "the server does not show the source role on");
    if (forgets && s->result->facts.receiver != RECEIVER_NONE)
        return step_end(s, OUTCOME_NOT_DONE, "the server still shows source %s",
                        s->result->facts.source_host);
    return OUTCOME_DONE;
}

enum outcome step_source_off(struct step *s)
{
    enum outcome o = step_look(s);
    if (o != OUTCOME_DONE)
        return o;
    /* in a recorded weaker mode it is the way to let them go on */
    if (s->result->facts.ss_waiters > 0 && s->in->effect.lossless_roles)
        return step_end(s, OUTCOME_NOT_DONE,
                        "%llu commits wait for an acknowledgement: switching off would answer OK",
                        (unsigned long long)s->result->facts.ss_waiters);
    o = source_role_off(s);
    if (o == OUTCOME_DONE)
        o = step_look(s);
    if (o == OUTCOME_DONE && s->result->facts.ss_source_enabled == TRI_YES)
        return step_end(s, OUTCOME_NOT_DONE, "the server shows the source role still on");
    return o;
}

/* MySQL's status counts connections of replicas that left until something is sent to them (seen: 4
 * with 2 attached); the thread that served a replica ends when the replica is back. */
static unsigned long long replicas_connected(const struct server_facts *facts)
{
    return facts->ss_clients < facts->dump_peer_count ? facts->ss_clients : facts->dump_peer_count;
}

enum outcome step_wait_ackers(struct step *s)
{
    for (;;) {
        enum outcome o = step_look(s);
        if (o != OUTCOME_DONE)
            return o;
        unsigned long long connected = replicas_connected(&s->result->facts);
        if (connected >= s->in->effect.acks)
            return step_end(s, OUTCOME_DONE, "%llu semi-sync connections", connected);
        if (!step_wait(s, 3 * STAY_MS))
            return step_end(s, OUTCOME_NOT_DONE, "%llu semi-sync connections, %u needed", connected,
                            s->in->effect.acks);
    }
}

enum outcome step_writable(struct step *s)
{
    enum outcome o = step_refuse_restarted(s);
    if (o == OUTCOME_DONE && step_is_mariadb(s))
        o = step_end_closers(
            s); /* of a fence that ran out of time: behind one nothing is written */
    if (o == OUTCOME_DONE)
        o = step_renumber(s);
    if (o != OUTCOME_DONE)
        return o;
    if (!step_is_mariadb(s)) {
        o = step_set(s, "super_read_only", "OFF");
        if (o == OUTCOME_DONE)
            o = step_set(s, "offline_mode", "OFF");
    }
    if (o == OUTCOME_DONE)
        o = step_set(s, "read_only", "OFF");
    if (o == OUTCOME_DONE)
        o = step_look(s);
    if (o == OUTCOME_DONE && s->result->facts.read_only != TRI_NO)
        return step_end(s, OUTCOME_NOT_DONE, "the server shows read_only still on");
    return o;
}

enum outcome step_unfence(struct step *s)
{
    enum outcome o = step_refuse_restarted(s);
    if (o == OUTCOME_DONE)
        o = step_source_on(s); /* as recorded; semi_sync false: off */
    return o == OUTCOME_DONE ? step_writable(s) : o;
}

static enum outcome canary_commit(struct step *s)
{
    struct stay_error e = {0};
    STAY_AUTO(stay_free_charp)
    char *sql = mysql_canary_sql(s->in->cluster, s->in->effect.epoch, real_clock_wall_us());
    if (real_clock_mono_us() >= s->in->effect.valid_until_mono_us)
        return step_end(s, OUTCOME_NOT_DONE, "discarded: late: canary");
    enum stay_rc rc = mysql_session_run(s->canary, sql, s->due_mono_us, NULL, NULL, &e);
    bool lost = rc == STAY_ETIMEDOUT || rc == STAY_EUNKNOWN;
    return rc == STAY_OK ? OUTCOME_DONE
                         : step_end(s, lost ? OUTCOME_UNKNOWN : OUTCOME_NOT_DONE,
                                    "canary commit: %.200s", e.text);
}

enum stay_rc step_open_canary(struct step *s, int64_t deadline_mono_us, struct stay_error *err)
{
    struct reach reach = {0};
    if (mysql_session_is_idle_ok(s->canary))
        return STAY_OK;
    return mysql_session_open(s->canary, &s->in->target, &s->in->canary, deadline_mono_us, &reach,
                              err);
}

/* As an application would: an account of its own that read_only stops. */
enum outcome step_canary(struct step *s)
{
    struct stay_error e = {0};
    if (step_open_canary(s, s->due_mono_us, &e) != STAY_OK)
        return step_end(s, OUTCOME_NOT_DONE, "%.230s", e.text);
    enum outcome o = canary_commit(s);
    return o == OUTCOME_DONE ? step_look(s) : o;
}

/* The same table as deploy/grants makes. */
enum outcome step_create_schema(struct step *s)
{
    enum outcome o = step_say(s, "CREATE DATABASE IF NOT EXISTS mainstay");
    if (o == OUTCOME_DONE)
        o = step_say(s, "CREATE TABLE IF NOT EXISTS mainstay.heartbeat ("
                        "id TINYINT UNSIGNED NOT NULL PRIMARY KEY, "
                        "cluster VARCHAR(64) NOT NULL DEFAULT '', "
                        "epoch BIGINT UNSIGNED NOT NULL DEFAULT 0, "
                        "server_id INT UNSIGNED NOT NULL DEFAULT 0, "
                        "beat BIGINT UNSIGNED NOT NULL DEFAULT 0, "
                        "written_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6) "
                        "ON UPDATE CURRENT_TIMESTAMP(6)) ENGINE=InnoDB");
    return o == OUTCOME_DONE ? step_look(s) : o;
}

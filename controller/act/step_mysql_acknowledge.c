/* Step `acknowledge`: commits that a replica holds and never acknowledged, and that wait for it.
 *
 * Measured on MariaDB 10.11.19 and MySQL 9.7.4: what a replica received before its role was on, or
 * whose acknowledgement was lost with its connection, is not sent again over a connection by GTID,
 * so it is never acknowledged. On MySQL the next commit's acknowledgement lets the waiters go; on
 * MariaDB there is none, for two groups that wait hold everybody else back (SHOW MASTER STATUS too)
 * and the primary is blocked for good with its ackers connected. A connection by file and position
 * acknowledges all before its position as it begins (dump_start, handleAck), and the replica has
 * executed that. */
#include <mysql.h>

#include "controller/act/step_mysql_private.h"

#include "base/io/real_clock.h"

struct position {
    char file[200], pos[24];
};

static void keep_position(void *arg, const struct mysql_row *row)
{
    struct position *p = arg;
    for (unsigned i = 0; i < row->columns; i++) {
        const char *value = row->values[i] == NULL ? "" : row->values[i];
        if (strcasecmp(row->names[i], "Master_Log_File") == 0)
            (void)stay_copy(p->file, sizeof p->file, value);
        if (strcasecmp(row->names[i], "Read_Master_Log_Pos") == 0)
            (void)stay_copy(p->pos, sizeof p->pos, value);
    }
}

enum outcome step_wait_position(struct step *s)
{
    static const char show[] = "SHOW SLAVE STATUS";
    const struct server_facts *f = &s->result->facts;
    struct position p = {0};
    struct stay_error e = {0};
    if (!step_is_mariadb(s) || f->by_gtid != TRI_NO || f->receiver == RECEIVER_NONE)
        return OUTCOME_DONE;
    enum stay_rc rc = mysql_session_run(s->session, show, s->due_mono_us, keep_position, &p, &e);
    enum outcome o = step_outcome_of(s, rc, show, &e);
    if (o != OUTCOME_DONE || p.file[0] == '\0')
        return o;
    STAY_AUTO(stay_free_charp) char *file = mysql_quote(p.file);
    STAY_AUTO(stay_free_charp)
    char *sql = stay_sprintf("SELECT MASTER_POS_WAIT(%s, %s, 0.1)", file, p.pos);
    for (;;) {
        STAY_AUTO(stay_free_charp) char *answer = NULL;
        o = step_ask(s, sql, &answer);
        if (o != OUTCOME_DONE)
            return o;
        if (answer == NULL)
            return step_end(s, OUTCOME_NOT_DONE,
                            "it goes by file and position, and its applier stopped before the end "
                            "of its relay log");
        if (strcmp(answer, "-1") != 0)
            return step_look(s);
        if (!step_wait(s, STEP_LOOK_AGAIN_US))
            return step_end(s, OUTCOME_NOT_DONE, "its relay log is not executed up to %.60s:%.20s",
                            p.file, p.pos);
    }
}

static enum outcome wait_following(struct step *s)
{
    const struct server_facts *f = &s->result->facts;
    for (;;) {
        enum outcome o = step_look(s);
        bool follows = f->receiver == RECEIVER_RUNNING && f->applier == TRI_YES &&
                       (f->ss_replica_on == TRI_YES) == s->in->effect.semi_sync;
        if (o != OUTCOME_DONE || follows)
            return o;
        if (f->receiver == RECEIVER_STOPPED || !step_wait(s, STEP_LOOK_AGAIN_US))
            return step_end(s, OUTCOME_NOT_DONE, "receiver %s (%lld) %.80s, semi-sync %s",
                            receiver_state_text(f->receiver), (long long)f->receiver_errno,
                            f->receiver_error, f->ss_replica_on == TRI_YES ? "on" : "off");
    }
}

/* With everything received executed: a change of source throws the rest away. */
static enum outcome go_by(struct step *s, bool gtid)
{
    enum outcome o = step_make_changeable(s);
    if (o == OUTCOME_DONE && step_is_mariadb(s))
        o = step_say(s,
                     "CHANGE MASTER TO MASTER_HEARTBEAT_PERIOD = 0.5, MASTER_CONNECT_RETRY = 1, "
                     "MASTER_USE_GTID = %s",
                     gtid ? "slave_pos" : "no");
    else if (o == OUTCOME_DONE)
        o = step_say(s,
                     "CHANGE REPLICATION SOURCE TO SOURCE_HEARTBEAT_PERIOD = 0.5, "
                     "SOURCE_CONNECT_RETRY = 1, SOURCE_AUTO_POSITION = %d",
                     gtid ? 1 : 0);
    if (o == OUTCOME_DONE)
        o = step_say(s, "%s", s->sql->start_both);
    return o == OUTCOME_DONE ? wait_following(s) : o;
}

/* It is cut short by nothing but its server's end or a late lane: asked again, it finishes. */
enum outcome step_go_by_gtid(struct step *s)
{
    enum outcome o = step_look(s);
    if (o != OUTCOME_DONE || (s->result->facts.by_gtid != TRI_NO && !step_receiver_is_off(s)))
        return o;
    return go_by(s, true);
}

enum outcome step_acknowledge(struct step *s)
{
    const struct server_facts *f = &s->result->facts;
    enum outcome o = step_look(s);
    if (o != OUTCOME_DONE || f->by_gtid == TRI_NO || step_receiver_is_off(s))
        return o == OUTCOME_DONE ? step_go_by_gtid(s) : o; /* of an attempt that was cut short */
    if (!step_source_is_peer(s) || f->receiver != RECEIVER_RUNNING || f->applier != TRI_YES)
        return step_end(s, OUTCOME_NOT_DONE, "it does not follow the primary: receiver %s",
                        receiver_state_text(f->receiver));
    struct gtid_set received = {0};
    gtid_set_copy(&received, &f->received);
    o = step_wait_executed(s, &received); /* as long as it takes, and it goes on receiving */
    gtid_set_clear(&received);
    if (o != OUTCOME_DONE)
        return o;
    o = go_by(s, false);
    if (o == OUTCOME_UNKNOWN)
        return o;
    enum outcome back = go_by(s, true);
    if (o == OUTCOME_DONE && back == OUTCOME_DONE)
        return step_end(s, OUTCOME_DONE, "it acknowledged all it had executed");
    return back == OUTCOME_DONE ? o : back;
}

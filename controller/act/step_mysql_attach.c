/* Steps that give a replica another source: attach for good, top up for a while. Both begin with
 * everything received executed (step_make_changeable): a change of source destroys the rest. */
#include <mysql.h>

#include "controller/act/step_mysql_private.h"

#include "base/io/real_clock.h"
#include "probes/mysql_facts.h"

#define SSL_CONNECT_ERROR 2026

/* The certificates the server itself trusts. A MariaDB receiver that is given none reads the whole
 * system store at every connect and again at every STOP SLAVE (measured on 10.11.19: 80 ms each,
 * inside a switchover's pause), and verifies nothing. */
static char *own_trust(struct step *s)
{
    char *ca = NULL;
    if (step_ask(s, "SELECT IFNULL(@@global.ssl_ca, '')", &ca) != OUTCOME_DONE)
        return stay_strdup("");
    return ca;
}

/* Points replication at the peer; both threads are stopped and everything received is executed. */
static enum outcome change_source(struct step *s, bool trusting)
{
    STAY_AUTO(stay_free_charp) char *host = mysql_quote(s->in->peer.host);
    STAY_AUTO(stay_free_charp) char *user = mysql_quote(s->in->replicate.user);
    STAY_AUTO(stay_free_charp) char *password = mysql_quote(s->in->replicate.password);
    bool tls = s->in->peer.tls_required || s->in->peer.ca[0] != '\0';
    if (!step_is_mariadb(s))
        return step_say(s,
                        "CHANGE REPLICATION SOURCE TO SOURCE_HOST = %s, SOURCE_PORT = %u, "
                        "SOURCE_CONNECT_RETRY = 1, SOURCE_RETRY_COUNT = 86400, "
                        "SOURCE_HEARTBEAT_PERIOD = 0.5, SOURCE_AUTO_POSITION = 1, "
                        "SOURCE_SSL = %d, GET_SOURCE_PUBLIC_KEY = 1, SOURCE_USER = %s, "
                        "SOURCE_PASSWORD = %s",
                        host, s->in->peer.port, tls ? 1 : 0, user, password);
    STAY_AUTO(stay_free_charp) char *ca = tls && !trusting ? own_trust(s) : stay_strdup("");
    STAY_AUTO(stay_free_charp) char *trust = mysql_quote(ca);
    /* DEMOTE: a former primary's own writes count as its position */
    return step_say(s,
                    "CHANGE MASTER TO MASTER_HOST = %s, MASTER_PORT = %u, "
                    "MASTER_CONNECT_RETRY = 1, MASTER_HEARTBEAT_PERIOD = 0.5, "
                    "MASTER_USE_GTID = slave_pos, MASTER_DEMOTE_TO_SLAVE = 1, "
                    "MASTER_SSL = %d, MASTER_SSL_CA = %s, MASTER_USER = %s, "
                    "MASTER_PASSWORD = %s",
                    host, s->in->peer.port, tls ? 1 : 0, trust, user, password);
}

/* The peer's certificate is not of an authority this server trusts: without TLS's word then, as an
 * operator's own CHANGE MASTER without MASTER_SSL_CA has it. Nothing was received yet. */
static enum outcome trust_blindly(struct step *s, bool *trusting)
{
    enum outcome o = OUTCOME_DONE;
    if (*trusting || !step_is_mariadb(s) || s->result->facts.receiver_errno != SSL_CONNECT_ERROR)
        return o;
    *trusting = true;
    o = step_say(s, "%s", s->sql->stop_both);
    if (o == OUTCOME_DONE)
        o = change_source(s, true);
    return o == OUTCOME_DONE ? step_say(s, "%s", s->sql->start_both) : o;
}

/* Only the receiver is started now, by an ATTACH inside a write pause; MySQL only. */
static bool is_receiver_first(const struct step *s)
{
    return s->in->effect.receiver_first && !step_is_mariadb(s);
}

/* It receives from the peer in its replica's role; its own source role may have to go off, the
 * applier to be started or to come up. */
static bool receives_from_peer(const struct step *s)
{
    const struct server_facts *f = &s->result->facts;
    return step_source_is_peer(s) && f->receiver == RECEIVER_RUNNING &&
           (f->ss_replica_enabled == TRI_YES) == s->in->effect.semi_sync &&
           (f->ss_replica_on == TRI_YES) == s->in->effect.semi_sync;
}

static bool is_attached(const struct step *s)
{
    const struct server_facts *f = &s->result->facts;
    bool applies = f->applier == TRI_YES && f->ss_source_enabled != TRI_YES;
    return receives_from_peer(s) && (applies || is_receiver_first(s));
}

/* What an undo gives back: it follows its old source, which may be gone for good. One that was
 * refused or heard nothing tries again by itself. */
static bool is_given_back(const struct step *s)
{
    const struct server_facts *f = &s->result->facts;
    return s->in->effect.step == STEP_THAW && step_source_is_peer(s) &&
           f->receiver == RECEIVER_CONNECTING && f->receiver_errno != 0 && f->applier == TRI_YES;
}

static enum outcome wait_attached(struct step *s)
{
    bool trusting = false;
    for (;;) {
        enum outcome o = step_look(s);
        if (o == OUTCOME_DONE)
            o = trust_blindly(s, &trusting);
        if (o != OUTCOME_DONE || is_attached(s))
            return o;
        if (is_given_back(s))
            return step_end(s, OUTCOME_DONE, "it tries to reach its source again");
        const struct server_facts *f = &s->result->facts;
        if (f->receiver == RECEIVER_STOPPED || (f->applier == TRI_NO && f->applier_errno != 0) ||
            !step_wait(s, STEP_LOOK_AGAIN_US))
            return step_end(s, OUTCOME_NOT_DONE,
                            "receiver %s (%lld) %.80s, applier %s (%lld) %.60s, semi-sync %s",
                            receiver_state_text(f->receiver), (long long)f->receiver_errno,
                            f->receiver_error, f->applier == TRI_YES ? "runs" : "stopped",
                            (long long)f->applier_errno, f->applier_error,
                            f->ss_replica_on == TRI_YES ? "on" : "off");
    }
}

/* What a fence that was cut short left, of a server that is read-only now: only administrators may
 * be connected, neither readers nor the monitor. */
static enum outcome end_offline(struct step *s)
{
    return s->result->facts.offline_mode == TRI_YES ? step_set(s, "offline_mode", "OFF")
                                                    : OUTCOME_DONE;
}

/* A replica is read-only, and its source role is off before its applier runs: on MySQL not inside a
 * write pause, for that takes up to a second (measured on 9.7.4: 10 of 14 times 0.5 to 1 s, its
 * receiver of acknowledgements looks up once a second). */
static enum outcome become_replica(struct step *s)
{
    const struct server_facts *f = &s->result->facts;
    enum outcome o = OUTCOME_DONE;
    if (f->super_read_only != TRI_YES)
        o = step_say(s, "SET GLOBAL %s = 1", step_is_mariadb(s) ? "read_only" : "super_read_only");
    if (o == OUTCOME_DONE && f->ss_source_enabled == TRI_YES && !is_receiver_first(s))
        o = step_source_off(s);
    return o == OUTCOME_DONE ? end_offline(s) : o;
}

/* The source itself, asked now: does it hold all that this server executed? */
static bool peer_holds_all(struct step *s)
{
    struct stay_error e = {0};
    struct reach reach = {0};
    struct server_facts facts = {0};
    struct mysql_session *session = mysql_session_new();
    bool holds = mysql_session_open(session, &s->in->peer, &s->in->operate, s->due_mono_us, &reach,
                                    &e) == STAY_OK &&
                 mysql_facts_read(session, s->in->target.engine, FACTS_STATUS, s->due_mono_us,
                                  &facts, &reach, &e) == STAY_OK &&
                 gtid_set_contains(&facts.executed, &s->result->facts.executed);
    server_facts_clear(&facts);
    mysql_session_free(session);
    return holds;
}

/* `want` is what the source holds: more than that must never replicate from it. What has followed
 * this very source may hold more by now: an earlier try of this step ended in the middle. */
static enum outcome refuse_diverged(struct step *s, bool anew, bool followed)
{
    const struct gtid_set *want = s->in->effect.want;
    if (want == NULL)
        return OUTCOME_DONE;
    enum outcome o = anew ? step_look(s) : OUTCOME_DONE;
    if (o != OUTCOME_DONE || gtid_set_contains(want, &s->result->facts.executed) ||
        (followed && peer_holds_all(s)))
        return o;
    return step_end(s, OUTCOME_NOT_DONE, "it holds transactions its new source lacks");
}

#define NO_SUCH_TABLE  1146
#define NO_SUCH_SCHEMA 1049
#define NO_RIGHT       1142 /* then nothing was rewound by this account either */

/* Between its rows and its GTIDs a rewind leaves a mark (backup/rewind.h): until the second are set
 * back too, what the server says it executed is not what it holds. */
static enum outcome refuse_half_rewound(struct step *s)
{
    static const char sql[] = "SELECT bundle FROM mainstay.rewind LIMIT 1";
    STAY_AUTO(stay_free_charp) char *bundle = NULL;
    struct stay_error e = {0};
    enum stay_rc rc = mysql_session_text(s->session, sql, s->due_mono_us, &bundle, &e);
    if (rc != STAY_OK &&
        (e.native == NO_SUCH_TABLE || e.native == NO_SUCH_SCHEMA || e.native == NO_RIGHT))
        return OUTCOME_DONE;
    if (rc != STAY_OK || bundle == NULL)
        return step_outcome_of(s, rc, sql, &e);
    return step_end(s, OUTCOME_NOT_DONE,
                    "a rewind of it (%.80s) stopped half-way: end it by `mainstay errant reset`, "
                    "or reseed it",
                    bundle);
}

/* The role was on only so that its own lost transactions are accepted: off again once they are in.
 */
static enum outcome give_back_role(struct step *s, const struct gtid_set *own)
{
    enum outcome o = step_look(s);
    while (o == OUTCOME_DONE && s->result->facts.applier != TRI_YES &&
           step_wait(s, STEP_LOOK_AGAIN_US))
        o = step_look(s); /* the applier thread comes up a moment after START */
    if (o == OUTCOME_DONE)
        o = step_wait_executed(s, own);
    return o == OUTCOME_DONE ? step_replica_role(s) : o;
}

/* MySQL makes its workers before START returns, each with a row of its own, and the receiver cannot
 * register while it does (measured on 9.7: 30 to 230 ms with 16 workers). A receiver alone
 * acknowledges, so inside a write pause it is all that is started. MariaDB purges the relay log
 * when both are stopped and one is started: always both at once there. */
static enum outcome start_following(struct step *s)
{
    return step_say(s, "%s", is_receiver_first(s) ? s->sql->start_receiver : s->sql->start_both);
}

/* An earlier try of this step ended between taking its own lost transactions back and giving the
 * role back (its validity passed): it follows the peer, and may hold more than `want` by now, which
 * came from there. */
static bool takes_own_back(const struct step *s)
{
    const struct server_facts *f = &s->result->facts;
    return step_is_mariadb(s) && !s->in->effect.semi_sync && step_source_is_peer(s) &&
           f->receiver == RECEIVER_RUNNING && f->applier == TRI_YES && f->applier_errno == 0 &&
           f->super_read_only == TRI_YES && f->ss_source_enabled != TRI_YES &&
           f->ss_replica_enabled == TRI_YES;
}

static enum outcome go_on_taking_back(struct step *s)
{
    struct gtid_set own = {0};
    step_own_missing(s, &own);
    enum outcome o = give_back_role(s, &own);
    gtid_set_clear(&own);
    return o == OUTCOME_DONE ? wait_attached(s) : o;
}

enum outcome step_attach(struct step *s)
{
    if (!s->in->has_peer)
        return step_end(s, OUTCOME_NOT_DONE, "no source given");
    enum outcome o = step_look(s);
    if (o != OUTCOME_DONE)
        return o;
    const struct server_facts *f = &s->result->facts;
    if (is_attached(s))
        return f->super_read_only == TRI_YES ? end_offline(s) : OUTCOME_DONE;
    if (receives_from_peer(s) && f->super_read_only == TRI_YES && f->applier_errno == 0) {
        if (f->ss_source_enabled == TRI_YES)
            o = step_source_off(s);
        if (o == OUTCOME_DONE) /* it receives: nothing is purged by this */
            o = step_say(s, "%s", s->sql->start_applier);
        return o == OUTCOME_DONE ? wait_attached(s) : o;
    }
    if (takes_own_back(s))
        return go_on_taking_back(s);
    bool still = f->super_read_only == TRI_YES && f->receiver == RECEIVER_NONE &&
                 f->applier != TRI_YES; /* nobody adds to what it executed */
    bool followed = step_source_is_peer(s);
    o = become_replica(s);
    if (o == OUTCOME_DONE)
        o = step_make_changeable(s);
    if (o == OUTCOME_DONE)
        o = refuse_diverged(s, !still, followed);
    if (o == OUTCOME_DONE)
        o = refuse_half_rewound(s);
    if (o == OUTCOME_DONE)
        o = step_write_timeouts(s);
    struct gtid_set own = {0};
    if (o == OUTCOME_DONE)
        step_own_missing(s, &own);
    bool fetches_own = !gtid_set_is_empty(&own);
    if (o == OUTCOME_DONE)
        o = step_set(s, s->sql->replica_enabled,
                     s->in->effect.semi_sync || fetches_own ? "1" : "0");
    if (o == OUTCOME_DONE)
        o = change_source(s, false);
    if (o == OUTCOME_DONE)
        o = start_following(s);
    if (o == OUTCOME_DONE && fetches_own && !s->in->effect.semi_sync)
        o = give_back_role(s, &own);
    gtid_set_clear(&own);
    return o == OUTCOME_DONE ? wait_attached(s) : o;
}

/* Ends what this step began, late or not: it only takes replication away. */
static enum outcome stop_again(struct step *s)
{
    struct stay_error e = {0};
    if (mysql_session_run(s->session, s->sql->stop_receiver, s->due_mono_us, NULL, NULL, &e) !=
        STAY_OK)
        return step_end(s, OUTCOME_UNKNOWN, "stop the receiver after top up: %.150s", e.text);
    return step_look(s);
}

/* A former primary that lost its tail takes it back only with the role on (step_mysql_own.c); the
 * peer is no semi-sync source, so nothing is acknowledged by it. */
static enum outcome accept_own(struct step *s)
{
    struct gtid_set own = {0};
    step_own_missing(s, &own);
    bool fetches_own = !gtid_set_is_empty(&own);
    gtid_set_clear(&own);
    return fetches_own ? step_set(s, s->sql->replica_enabled, "1") : OUTCOME_DONE;
}

enum outcome step_top_up(struct step *s)
{
    enum outcome o = step_look(s);
    if (o != OUTCOME_DONE)
        return o;
    if (step_holds_want(s) && step_receiver_is_off(s))
        return step_end(s, OUTCOME_DONE, "it holds everything");
    if (!s->in->has_peer)
        return step_end(s, OUTCOME_NOT_DONE, "no peer to fetch from");
    o = step_make_changeable(s);
    if (o == OUTCOME_DONE)
        o = accept_own(s);
    if (o == OUTCOME_DONE)
        o = change_source(s, false);
    if (o == OUTCOME_DONE)
        o = step_say(s, "%s", s->sql->start_both);
    if (o != OUTCOME_DONE)
        return o;
    bool trusting = false;
    do {
        o = step_look(s);
        if (o == OUTCOME_DONE)
            o = trust_blindly(s, &trusting);
    } while (o == OUTCOME_DONE && !step_holds_want(s) && step_wait(s, STEP_LOOK_AGAIN_US));
    bool holds = o == OUTCOME_DONE && step_holds_want(s);
    enum outcome stopped = stop_again(s);
    if (!holds && o == OUTCOME_DONE)
        return step_end(s, OUTCOME_NOT_DONE, "the peer did not give everything in time");
    return o == OUTCOME_DONE ? stopped : o;
}

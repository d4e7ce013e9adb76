/* Steps of a replica: freeze, drain, top up, detach, attach, thaw, its semi-sync role, its
 * timeouts.
 *
 * The one rule behind all of them (measured: semi-sync rows 1-4): what was received and not
 * executed survives only while the applier runs and nobody sends CHANGE, or STOP and START of both
 * threads. */
#include <mysql.h>

#include "controller/act/step_mysql_private.h"

#include "base/io/real_clock.h"

#define LOOK_AGAIN_US (2 * STAY_MS)
#define LOGIN_US      (300 * STAY_MS)
#define WAIT_SLICE_US                                                                              \
    (200 * STAY_MS) /* one server-side wait; between two the applier is looked at */
#define WAIT_LEAST_US (20 * STAY_MS) /* too little for another one and its answer */

bool step_receiver_is_off(const struct step *s)
{
    enum receiver_state state = s->result->facts.receiver;
    return state == RECEIVER_STOPPED || state == RECEIVER_NONE;
}

bool step_source_is_peer(const struct step *s)
{
    const struct server_facts *f = &s->result->facts;
    return s->in->has_peer && f->source_port == s->in->peer.port &&
           strcmp(f->source_host, s->in->peer.host) == 0;
}

/* Stops the receiver with the applier running. Used by freeze and by every step that must drain. */
static enum outcome stop_receiver(struct step *s)
{
    const struct server_facts *f = &s->result->facts;
    enum outcome o = OUTCOME_DONE;
    if (step_receiver_is_off(s))
        return OUTCOME_DONE;
    if (f->applier != TRI_YES) /* a broken applier must not keep the receiver acknowledging */
        (void)step_say(s, "%s", s->sql->start_applier);
    o = step_say(s, "%s", s->sql->stop_receiver);
    if (o == OUTCOME_DONE)
        o = step_look(s);
    if (o == OUTCOME_DONE && !step_receiver_is_off(s))
        return step_end(s, OUTCOME_NOT_DONE, "the server shows the receiver still %s",
                        receiver_state_text(s->result->facts.receiver));
    return o;
}

/* A replica whose source role is on (wrong start value, a former primary): its applier would wait
 * for acknowledgements, and the drain never end. Read-only, no client of it waits. */
static enum outcome applier_must_not_wait(struct step *s)
{
    const struct server_facts *f = &s->result->facts;
    if (f->ss_source_enabled != TRI_YES || f->super_read_only != TRI_YES)
        return OUTCOME_DONE;
    enum outcome o = step_set(s, s->sql->source_enabled, "0");
    return o == OUTCOME_DONE ? step_look(s) : o;
}

/* Errors 2000 and up are the client library's: it could not reach its source, or lost it. */
static enum receiver_before receiver_before(const struct server_facts *f)
{
    switch (f->receiver) {
    case RECEIVER_RUNNING:
        return BEFORE_CONNECTED;
    case RECEIVER_CONNECTING:
        return BEFORE_LOST;
    case RECEIVER_STOPPED:
        return f->receiver_errno >= 2000 && f->receiver_errno < 3000 ? BEFORE_LOST : BEFORE_UNKNOWN;
    case RECEIVER_UNKNOWN:
    case RECEIVER_NONE:
    case RECEIVER_COUNT:
        break;
    }
    return BEFORE_UNKNOWN;
}

enum outcome step_freeze(struct step *s)
{
    enum outcome o = step_look(s);
    if (o == OUTCOME_DONE)
        o = applier_must_not_wait(s);
    if (o != OUTCOME_DONE)
        return o;
    const struct server_facts *f = &s->result->facts;
    s->result->receiver_before = receiver_before(f);
    if (f->receiver == RECEIVER_NONE)
        return step_end(s, OUTCOME_DONE, "it replicates from nobody");
    bool was_off = step_receiver_is_off(s);
    if (was_off && f->applier != TRI_YES && !step_is_drained(s)) {
        if (step_is_mariadb(s)) /* starting it now would purge the relay log */
            return step_end(s, OUTCOME_DONE, "frozen, but both threads were stopped undrained");
        o = step_say(s, "%s", s->sql->start_applier);
        return o == OUTCOME_DONE ? step_look(s) : o;
    }
    o = stop_receiver(s);
    if (o == OUTCOME_DONE && f->applier != TRI_YES)
        return step_end(s, OUTCOME_DONE, "frozen, applier stopped: (%lld) %.150s",
                        (long long)f->applier_errno, f->applier_error);
    return o;
}

/* Lets the server wait for the set, a slice at a time, with half of what is left for the answer. */
static enum outcome wait_slice(struct step *s, const struct gtid_set *set, int64_t left_us)
{
    int64_t slice_us = left_us / 2 < WAIT_SLICE_US ? left_us / 2 : WAIT_SLICE_US;
    STAY_AUTO(stay_free_charp)
    char *position = step_is_mariadb(s) ? gtid_set_format_mariadb_pos(set) : gtid_set_format(set);
    STAY_AUTO(stay_free_charp)
    char *sql = stay_sprintf("SELECT %s('%s', %.3f)",
                             step_is_mariadb(s) ? "MASTER_GTID_WAIT" : "WAIT_FOR_EXECUTED_GTID_SET",
                             position, (double)slice_us / 1e6);
    STAY_AUTO(stay_free_charp) char *answer = NULL;
    return step_ask(s, sql, &answer);
}

/* Until executed contains `goal`; the applier must run. */
enum outcome step_wait_executed(struct step *s, const struct gtid_set *goal)
{
    for (;;) {
        const struct server_facts *f = &s->result->facts;
        if (gtid_set_contains(&f->executed, goal))
            return OUTCOME_DONE;
        if (f->applier != TRI_YES)
            return step_end(s, OUTCOME_NOT_DONE, "applier stopped: (%lld) %.150s",
                            (long long)f->applier_errno, f->applier_error);
        int64_t left_us = s->due_mono_us - real_clock_mono_us();
        if (left_us < WAIT_LEAST_US || !step_wait(s, LOOK_AGAIN_US / 4)) {
            struct gtid_set left = {0};
            gtid_set_copy(&left, goal);
            gtid_set_subtract(&left, &f->executed);
            STAY_AUTO(stay_free_charp) char *text = gtid_set_format(&left);
            gtid_set_clear(&left); /* its numbers are no count on MariaDB: they skip */
            return step_end(s, OUTCOME_NOT_DONE, "not yet executed: %.200s", text);
        }
        enum outcome o = wait_slice(s, goal, left_us);
        if (o == OUTCOME_DONE)
            o = step_look(s);
        if (o != OUTCOME_DONE)
            return o;
    }
}

/* What the coming primary can do before clients are paused: a fresh login costs up to 180 ms on a
 * busy server; and who attaches by GTID makes its source read the newest binary log from its begin
 * (MySQL 9.7.4: the pause grew from 90 to 140 ms over 30 switchovers), so a new one is begun. */
static void prepare_for_pause(struct step *s)
{
    struct stay_error e = {0};
    if (step_open_canary(s, real_clock_mono_us() + LOGIN_US, &e) != STAY_OK ||
        mysql_session_run(s->session, "FLUSH LOCAL BINARY LOGS", s->due_mono_us, NULL, NULL, &e) !=
            STAY_OK)
        return; /* the pause is a little longer then */
}

/* Everything received (unless the receiver still runs: CATCH_UP) and everything wanted. */
enum outcome step_drain(struct step *s)
{
    struct gtid_set goal = {0};
    enum outcome o = step_look(s);
    if (o != OUTCOME_DONE)
        return o;
    if (s->in->effect.want != NULL)
        gtid_set_copy(&goal, s->in->effect.want);
    if (s->in->effect.step != STEP_CATCH_UP || s->in->effect.want == NULL)
        gtid_set_union(&goal, &s->result->facts.received);
    o = step_wait_executed(s, &goal);
    gtid_set_clear(&goal);
    if (o == OUTCOME_DONE && s->in->effect.prepares)
        prepare_for_pause(s);
    return o;
}

/* Both threads were stopped with rows unapplied, by hand or by a restart. MySQL keeps them when its
 * applier is started; MariaDB throws them away at any start, which is harmless if the new source
 * holds them: they come again. */
static enum outcome drain_stopped(struct step *s, bool *ret_is_dropped)
{
    const struct server_facts *f = &s->result->facts;
    const struct gtid_set *want = s->in->effect.want;
    if (step_is_mariadb(s)) {
        *ret_is_dropped = s->in->has_peer && want != NULL && gtid_set_contains(want, &f->received);
        return OUTCOME_DONE;
    }
    enum outcome o = step_say(s, "%s", s->sql->start_applier);
    do {
        if (o == OUTCOME_DONE)
            o = step_look(s);
    } while (o == OUTCOME_DONE && f->applier != TRI_YES && f->applier_errno == 0 &&
             step_wait(s, LOOK_AGAIN_US));
    return o;
}

static enum outcome drain_received(struct step *s)
{
    struct gtid_set goal = {0};
    const struct server_facts *f = &s->result->facts;
    enum outcome o = OUTCOME_DONE;
    bool is_dropped = false;
    if (f->applier != TRI_YES && f->applier_errno == 0 && !step_is_drained(s))
        o = drain_stopped(s, &is_dropped);
    if (o != OUTCOME_DONE || is_dropped)
        return o;
    gtid_set_copy(&goal, &f->received);
    o = step_wait_executed(s, &goal);
    gtid_set_clear(&goal);
    return o;
}

/* Receiver off, drained, both threads off: from here CHANGE destroys nothing that the new source
 * does not hold. */
enum outcome step_make_changeable(struct step *s)
{
    enum outcome o = stop_receiver(s);
    if (o == OUTCOME_DONE && s->result->facts.receiver != RECEIVER_NONE)
        o = drain_received(s);
    if (o == OUTCOME_DONE && s->result->facts.applier == TRI_YES)
        o = step_say(s, "%s", s->sql->stop_both);
    return o;
}

enum outcome step_write_timeouts(struct step *s)
{
    enum outcome o = step_set(s, s->sql->net_timeout, "4");
    if (o == OUTCOME_DONE && step_is_mariadb(s))
        o = step_set(s, "rpl_semi_sync_slave_kill_conn_timeout", "1");
    return o;
}

/* RESET REPLICA ALL costs MySQL 30 to 100 ms of flushes: inside a write pause it belongs beside the
 * ackers' attach, to SOURCE_ON. Stopped is enough until then: nothing starts by itself. */
enum outcome step_detach(struct step *s)
{
    bool later = s->in->effect.forget_later && !step_is_mariadb(s);
    enum outcome o = step_say(s, "%s", s->sql->stop_both);
    if (o == OUTCOME_DONE && !later)
        o = step_say(s, "%s", s->sql->forget);
    if (o == OUTCOME_DONE)
        o = step_look(s);
    if (o == OUTCOME_DONE && later && !step_receiver_is_off(s))
        return step_end(s, OUTCOME_NOT_DONE, "the server still shows its receiver %s",
                        receiver_state_text(s->result->facts.receiver));
    if (o == OUTCOME_DONE && !later && s->result->facts.receiver != RECEIVER_NONE)
        return step_end(s, OUTCOME_NOT_DONE, "the server still shows source %s",
                        s->result->facts.source_host);
    return o;
}

enum outcome step_verify_freeze(struct step *s)
{
    enum outcome o = step_look(s);
    if (o != OUTCOME_DONE || step_receiver_is_off(s) || step_source_is_peer(s))
        return o;
    return step_end(s, OUTCOME_NOT_DONE, "its receiver is %s, from %s",
                    receiver_state_text(s->result->facts.receiver), s->result->facts.source_host);
}

/* Both threads stopped and rows unapplied: on MariaDB any start purges them, so that stays as it is
 * for a human, unless the source still has them: it must be reachable, which only starting shows.
 */
enum outcome step_thaw(struct step *s)
{
    enum outcome o = step_refuse_restarted(s);
    if (o == OUTCOME_DONE)
        o = step_look(s);
    if (o != OUTCOME_DONE)
        return o;
    const struct server_facts *f = &s->result->facts;
    if (f->receiver == RECEIVER_NONE)
        return step_end(s, OUTCOME_NOT_DONE, "it has no source to go back to");
    if (s->in->has_peer && !step_source_is_peer(s)) /* the undo of a top up, or of an attach */
        return step_attach(s);
    if (f->applier != TRI_YES && !step_is_drained(s) && step_is_mariadb(s))
        return step_end(s, OUTCOME_NOT_DONE, "both threads stopped and rows not executed");
    o = step_say(s, "%s", f->applier == TRI_YES ? s->sql->start_receiver : s->sql->start_both);
    do {
        if (o == OUTCOME_DONE)
            o = step_look(s);
    } while (o == OUTCOME_DONE && f->receiver == RECEIVER_STOPPED && step_wait(s, LOOK_AGAIN_US));
    if (o == OUTCOME_DONE && step_receiver_is_off(s))
        return step_end(s, OUTCOME_NOT_DONE, "the receiver did not start: (%lld) %.150s",
                        (long long)f->receiver_errno, f->receiver_error);
    return o;
}

static bool has_role(const struct step *s)
{
    const struct server_facts *f = &s->result->facts;
    bool want = s->in->effect.semi_sync;
    return (f->ss_replica_enabled == TRI_YES) == want &&
           ((f->ss_replica_on == TRI_YES) == want || (want && f->receiver != RECEIVER_RUNNING));
}

/* The receiver is restarted with the applier running: nothing received is lost by that. A server
 * that is set aside and cannot apply is stopped instead: it keeps what it has not executed. */
static enum outcome restart_receiver(struct step *s)
{
    bool applies = s->result->facts.applier == TRI_YES;
    if (!applies && s->in->effect.plan != PLAN_QUARANTINE)
        return step_end(s, OUTCOME_NOT_DONE, "its applier does not run: receiver not restarted");
    enum outcome o = step_say(s, "%s", s->sql->stop_receiver);
    if (o == OUTCOME_DONE && applies)
        o = step_say(s, "%s", s->sql->start_receiver);
    do {
        if (o == OUTCOME_DONE)
            o = step_look(s);
    } while (o == OUTCOME_DONE && applies &&
             !(has_role(s) && s->result->facts.receiver == RECEIVER_RUNNING) &&
             step_wait(s, LOOK_AGAIN_US));
    return o;
}

enum outcome step_replica_role(struct step *s)
{
    enum outcome o = step_look(s);
    if (o != OUTCOME_DONE || has_role(s))
        return o;
    o = step_set(s, s->sql->replica_enabled, s->in->effect.semi_sync ? "1" : "0");
    if (o == OUTCOME_DONE)
        o = step_look(s);
    if (o != OUTCOME_DONE || has_role(s))
        return o;
    o = restart_receiver(s);
    if (o == OUTCOME_DONE && !has_role(s))
        return step_end(s, OUTCOME_NOT_DONE, "the server shows its replica role %s",
                        s->result->facts.ss_replica_on == TRI_YES ? "on" : "off");
    return o;
}

/* Its applier runs; one that waits for acknowledgements goes on. */
static enum outcome release_applier(struct step *s)
{
    enum outcome o = applier_must_not_wait(s);
    if (o == OUTCOME_DONE && s->result->facts.ss_source_enabled == TRI_YES)
        return step_end(s, OUTCOME_NOT_DONE,
                        "its source role is on: its applier may wait for ever");
    return o;
}

/* Only while the receiver runs: with both threads stopped MariaDB throws away, at the start of
 * either, what is not executed. A source role left on would make the applier wait for
 * acknowledgements. */
enum outcome step_start_applier(struct step *s)
{
    enum outcome o = step_look(s);
    const struct server_facts *f = &s->result->facts;
    if (o != OUTCOME_DONE)
        return o;
    if (f->applier == TRI_YES)
        return release_applier(s);
    if (step_receiver_is_off(s))
        return step_end(s, OUTCOME_NOT_DONE, "its receiver does not run either");
    if (f->ss_source_enabled == TRI_YES)
        o = step_source_off(s);
    if (o == OUTCOME_DONE)
        o = step_say(s, "%s", s->sql->start_applier);
    do {
        if (o == OUTCOME_DONE)
            o = step_look(s);
    } while (o == OUTCOME_DONE && f->applier != TRI_YES && f->applier_errno == 0 &&
             step_wait(s, LOOK_AGAIN_US));
    if (o == OUTCOME_DONE && f->applier != TRI_YES)
        return step_end(s, OUTCOME_NOT_DONE, "the applier did not start: (%lld) %.150s",
                        (long long)f->applier_errno, f->applier_error);
    return o;
}

static enum outcome change_heartbeat(struct step *s)
{
    enum outcome o = step_make_changeable(s);
    if (o == OUTCOME_DONE)
        o = step_say(s, step_is_mariadb(s)
                            ? "CHANGE MASTER TO MASTER_HEARTBEAT_PERIOD = 0.5, "
                              "MASTER_CONNECT_RETRY = 1, MASTER_USE_GTID = slave_pos"
                            : "CHANGE REPLICATION SOURCE TO SOURCE_HEARTBEAT_PERIOD = 0.5, "
                              "SOURCE_CONNECT_RETRY = 1, SOURCE_AUTO_POSITION = 1");
    if (o == OUTCOME_DONE)
        o = step_say(s, "%s", s->sql->start_both);
    do {
        if (o == OUTCOME_DONE)
            o = step_look(s);
    } while (o == OUTCOME_DONE && s->result->facts.receiver != RECEIVER_RUNNING &&
             step_wait(s, LOOK_AGAIN_US));
    if (o == OUTCOME_DONE && s->result->facts.receiver != RECEIVER_RUNNING)
        return step_end(s, OUTCOME_NOT_DONE, "receiver %s after the change: (%lld) %.120s",
                        receiver_state_text(s->result->facts.receiver),
                        (long long)s->result->facts.receiver_errno,
                        s->result->facts.receiver_error);
    return o;
}

enum outcome step_set_timeouts(struct step *s)
{
    enum outcome o = step_look(s);
    if (o == OUTCOME_DONE)
        o = step_write_timeouts(s);
    if (o != OUTCOME_DONE || s->result->facts.receiver == RECEIVER_NONE)
        return o;
    if (step_is_mariadb(s) && s->result->facts.heartbeat_ms == 500 && /* in its status row */
        s->result->facts.by_gtid != TRI_NO)
        return OUTCOME_DONE;
    return change_heartbeat(s);
}

/* By its own word: MySQL's source counts connections that ended for a while. */
static bool acknowledges(const struct server_facts *f)
{
    return f->receiver == RECEIVER_RUNNING && f->ss_replica_on == TRI_YES;
}

/* On an acker: it acknowledges, and has received the primary's set. On the primary (nothing
 * wanted): its set now. */
enum outcome step_barrier(struct step *s)
{
    for (;;) {
        enum outcome o = step_look(s);
        const struct gtid_set *want = s->in->effect.want;
        const struct server_facts *f = &s->result->facts;
        if (o != OUTCOME_DONE || want == NULL)
            return o;
        bool has_received = gtid_set_contains(&f->received, want);
        if (has_received && acknowledges(f))
            return OUTCOME_DONE;
        if (!step_wait(s, 5 * STAY_MS))
            return step_end(
                s, OUTCOME_NOT_DONE, "%s: its receiver is %s, its semi-sync role %s",
                has_received ? "it does not acknowledge" : "it has not received the primary's set",
                receiver_state_text(f->receiver), f->ss_replica_on == TRI_YES ? "on" : "off");
    }
}

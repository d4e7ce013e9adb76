/* Steps of a replica's settings and of what it is: detach, its semi-sync role, its applier, its
 * timeouts, the barrier. */
#include "controller/act/step_mysql_private.h"

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

enum outcome step_applier_must_not_wait(struct step *s)
{
    const struct server_facts *f = &s->result->facts;
    if (f->ss_source_enabled != TRI_YES || f->super_read_only != TRI_YES)
        return OUTCOME_DONE;
    enum outcome o = step_set(s, s->sql->source_enabled, "0");
    return o == OUTCOME_DONE ? step_look(s) : o;
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
             step_wait(s, STEP_LOOK_AGAIN_US));
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
    enum outcome o = step_applier_must_not_wait(s);
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
             step_wait(s, STEP_LOOK_AGAIN_US));
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
             step_wait(s, STEP_LOOK_AGAIN_US));
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

static enum outcome is_set(struct step *s, const char *setting, bool *ret_is_set)
{
    STAY_AUTO(stay_free_charp) char *sql = stay_sprintf("SELECT @@GLOBAL.%s", setting);
    STAY_AUTO(stay_free_charp) char *text = NULL;
    enum outcome o = step_ask(s, sql, &text);
    *ret_is_set = text != NULL && strcmp(text, "1") == 0;
    return o;
}

static enum outcome set_one(struct step *s, const char *setting)
{
    bool is = false;
    enum outcome o = is_set(s, setting, &is); /* "sync_binlog = 1" is a question as well */
    if (o != OUTCOME_DONE || is)
        return o;
    o = step_say(s, "SET %s %s", step_is_mariadb(s) ? "GLOBAL" : "PERSIST", setting);
    if (o == OUTCOME_DONE)
        o = is_set(s, setting, &is);
    if (o == OUTCOME_DONE && !is)
        return step_end(s, OUTCOME_NOT_DONE, "it does not show %s", setting);
    return o;
}

enum outcome step_set_variables(struct step *s)
{
    char settings[PLAN_SETTINGS_MAX], *rest = settings, *setting;
    enum outcome o = OUTCOME_DONE;
    (void)stay_copy(settings, sizeof settings, s->in->effect.settings);
    while (o == OUTCOME_DONE && (setting = strsep(&rest, ";")) != NULL) {
        setting += strspn(setting, " ");
        if (setting[0] != '\0')
            o = set_one(s, setting);
    }
    if (o != OUTCOME_DONE)
        return o;
    o = step_look(s);
    return o == OUTCOME_DONE ? step_end(s, OUTCOME_DONE, "%s", s->in->effect.settings) : o;
}

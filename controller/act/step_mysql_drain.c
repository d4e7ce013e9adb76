/* Steps that wait until a replica has executed what it received or what another server holds.
 *
 * The rule behind these, and behind freeze and attach (measured: semi-sync rows 1-4): what was
 * received and not executed survives only while the applier runs and nobody sends CHANGE, or STOP
 * and START of both threads. */
#include <mysql.h>

#include "controller/act/step_mysql_private.h"

#include "base/io/real_clock.h"

#define LOGIN_US      (300 * STAY_MS)
#define WAIT_SLICE_US (200 * STAY_MS) /* in the server; between two the applier is looked at */
#define WAIT_LEAST_US (20 * STAY_MS)  /* too little for another one and its answer */

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
        if (left_us < WAIT_LEAST_US || !step_wait(s, STEP_LOOK_AGAIN_US / 4)) {
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
    bool restarted = plan_kind_has(s->in->effect.plan, TRAIT_ALL_RESTARTED);
    if (o == OUTCOME_DONE && s->in->effect.step == STEP_DRAIN && !restarted)
        o = step_wait_position(s); /* restarted: its relay log was read */
    if (o == OUTCOME_DONE && restarted)
        o = step_replay_end(s);
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
             step_wait(s, STEP_LOOK_AGAIN_US));
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
    if (o == OUTCOME_DONE && f->applier == TRI_YES)
        o = step_wait_position(s);
    return o;
}

enum outcome step_make_changeable(struct step *s)
{
    enum outcome o = step_stop_receiver(s);
    if (o == OUTCOME_DONE && s->result->facts.receiver != RECEIVER_NONE)
        o = drain_received(s);
    if (o == OUTCOME_DONE && s->result->facts.applier == TRI_YES)
        o = step_say(s, "%s", s->sql->stop_both);
    return o;
}

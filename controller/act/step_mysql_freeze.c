/* Steps that take a replica's receiver away and give it back: freeze, verify_freeze, thaw. */
#include "controller/act/step_mysql_private.h"

enum outcome step_stop_receiver(struct step *s)
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

/* Errors 2000 and up are the client library's: it could not reach its source, or lost it. */
static enum receiver_before receiver_before(const struct server_facts *f)
{
    switch (f->receiver) {
    case RECEIVER_RUNNING:
        return BEFORE_CONNECTED;
    case RECEIVER_CONNECTING:
        return cluster_receiver_is_new(f) ? BEFORE_UNKNOWN : BEFORE_LOST;
    case RECEIVER_STOPPED:
        if (cluster_receiver_is_new(f))
            return BEFORE_UNKNOWN;
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
        o = step_applier_must_not_wait(s);
    if (o != OUTCOME_DONE)
        return o;
    const struct server_facts *f = &s->result->facts;
    s->result->receiver_before = receiver_before(f);
    if (f->receiver == RECEIVER_NONE)
        return step_end(s, OUTCOME_DONE, "it replicates from nobody");
    bool was_off = step_receiver_is_off(s);
    if (was_off && plan_kind_has(s->in->effect.plan, TRAIT_ALL_RESTARTED))
        return step_end(s, OUTCOME_DONE, "its receiver stands still"); /* REPLAY comes next */
    if (was_off && f->applier != TRI_YES && !step_is_drained(s)) {
        if (step_is_mariadb(s)) /* starting it now would purge the relay log */
            return step_end(s, OUTCOME_DONE, "frozen, but both threads were stopped undrained");
        o = step_say(s, "%s", s->sql->start_applier);
        return o == OUTCOME_DONE ? step_look(s) : o;
    }
    o = step_stop_receiver(s);
    if (o == OUTCOME_DONE && f->applier != TRI_YES)
        return step_end(s, OUTCOME_DONE, "frozen, applier stopped: (%lld) %.150s",
                        (long long)f->applier_errno, f->applier_error);
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
    if (s->in->effect.plan == PLAN_REPAIR_ACKER)
        return step_go_by_gtid(s);
    if (s->in->has_peer && !step_source_is_peer(s)) /* the undo of a top up, or of an attach */
        return step_attach(s);
    if (f->applier != TRI_YES && !step_is_drained(s) && step_is_mariadb(s))
        return step_end(s, OUTCOME_NOT_DONE, "both threads stopped and rows not executed");
    o = step_say(s, "%s", f->applier == TRI_YES ? s->sql->start_receiver : s->sql->start_both);
    do {
        if (o == OUTCOME_DONE)
            o = step_look(s);
    } while (o == OUTCOME_DONE && f->receiver == RECEIVER_STOPPED &&
             step_wait(s, STEP_LOOK_AGAIN_US));
    if (o == OUTCOME_DONE && step_receiver_is_off(s))
        return step_end(s, OUTCOME_NOT_DONE, "the receiver did not start: (%lld) %.150s",
                        (long long)f->receiver_errno, f->receiver_error);
    return o;
}

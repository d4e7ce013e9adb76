/* controller/act/step_mysql.h - carries out one NODE step of a plan on one MariaDB or MySQL server
 * and verifies it by looking.
 *
 * Layer: act. Blocking, for lane threads: the caller's deadline is the effect's. Every step is
 * idempotent: asked again, it looks and finds itself done. Each statement that changes something is
 * sent only before effect.valid_until_mono_us; later it is discarded ("discarded: late", NOT_DONE).
 * A statement whose answer did not come is UNKNOWN and never sent again by the same call.
 *
 * What must hold for whom (measured: semi-sync rows 1-12): freezing stops the receiver only, and
 * starts a stopped applier while the receiver still runs; nothing sends CHANGE or STOP of both
 * threads to a replica that has not executed what it received; the source role goes off before a
 * server starts to replicate; MariaDB is fenced by kill, read_only, semi-sync off (but nobody
 * is killed whose commit hangs in the disk: fact_killed_stuck; behind semi-sync waiters only once
 * read_only waits to be set without a limit, which UNFENCE ends: fact_killed_shut), MySQL by
 * offline_mode, semi-sync off, super_read_only. */
#ifndef CONTROLLER_ACT_STEP_MYSQL_H
#define CONTROLLER_ACT_STEP_MYSQL_H
#include "controller/decide/plan.h"
#include "probes/mysql_session.h"

/* Everything a step reads; copied from the effect, so that it may outlive it on a lane. */
struct step_input {
    struct effect effect; /* effect.want is NULL or points to `want` */
    struct gtid_set want; /* owned */
    char cluster[NAME_MAX_LEN];
    char node[NAME_MAX_LEN]; /* for texts */
    struct mysql_target target;
    bool has_peer;
    struct mysql_target peer;
    struct mysql_account operate, canary, replicate, backup;
    char monitor_user[81]; /* spared with operate's and replicate's when sessions are ended */
};

struct step_result {
    enum outcome outcome;
    bool groups_read; /* facts: STATUS group as seen after the step */
    struct server_facts facts;
    enum receiver_before receiver_before;
    uint32_t strangers;
    bool goes_on, is_down; /* as in struct effect_result */
    bool kept_acked;       /* as effect_result's */
    bool source_was_off;   /* as effect_result's */
    bool ended_sessions;   /* as effect_result's */
    char text[PLAN_TEXT_MAX];
};

/* Connections of the operate and the canary account, each opened by a step when it is not open.
 * `shut` is operate's too: a fence that killed who may be unable to leave a MariaDB leaves an
 * attempt to set read_only waiting on it, which ends with the connection. */
struct step_sessions {
    struct mysql_session *operate, *canary, *shut;
};

/* Carries out in->effect on in->target: blocks until it has an outcome, at most until the effect's
 * deadline. Never fails otherwise: what went wrong is ret->outcome and ret->text. The sessions are
 * used by this thread alone during the call. The caller clears ret. */
void step_mysql_run(const struct step_sessions *sessions, const struct step_input *in,
                    struct step_result *ret);
void step_result_clear(struct step_result *result);
/* ret->want takes a copy of effect->want. */
void step_input_clear(struct step_input *in);

#endif

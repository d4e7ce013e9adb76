/* controller/act/step_mysql_private.h - what the files of step_mysql share.
 *
 * Layer: act, private to step_mysql*.c. */
#ifndef CONTROLLER_ACT_STEP_MYSQL_PRIVATE_H
#define CONTROLLER_ACT_STEP_MYSQL_PRIVATE_H
#include "controller/act/step_mysql.h"

#define STEP_LOOK_AGAIN_US (2 * STAY_MS) /* between two looks at what a server is about to do */

/* Statements that differ between the engines, or MySQL's plugins of old and new name. */
struct dialect {
    const char *stop_receiver, *start_receiver, *start_applier, *stop_both, *start_both, *forget;
    const char *source_enabled, *source_timeout, *source_point, *source_no_replica; /* variables */
    const char *source_count;                                                       /* NULL: none */
    const char *replica_enabled;
    const char *net_timeout;
};

/* By this word of its statement a read-only attempt that is never given up is told from others. */
#define STEP_SHUT "lock_wait_timeout = 31536000"

struct step {
    struct mysql_session *session; /* of the operate account */
    struct mysql_session *canary;
    struct mysql_session *shut; /* see struct step_sessions */
    const struct step_input *in;
    struct step_result *result;
    const struct dialect *sql;
    int64_t due_mono_us;
    int native;         /* the server's number of the last error */
    bool switched;      /* this step has switched the source role off */
    bool commits_hang;  /* by step_end_sessions: commits are under way that no acknowledgement holds
                           up, and were left alone */
    bool wants_shut;    /* by step_end_sessions: commits were left alone until read_only waits to be
                           set without a time limit; killed, they may be unable to leave */
    bool applier_waits; /* by step_end_sessions: read_only is being set, and of all sessions only
                           the server's own applier waits for an acknowledgement */
};

/* Of the configuration, not of the server asked. */
bool step_is_mariadb(const struct step *s);
/* Sets the outcome and its sentence; returns the outcome. */
enum outcome step_end(struct step *s, enum outcome outcome, const char *fmt, ...) STAY_PRINTF(3, 4);
/* The outcome of a statement and its sentence, which names `sql`; DONE for STAY_OK. */
enum outcome step_outcome_of(struct step *s, enum stay_rc rc, const char *sql,
                             const struct stay_error *e);
/* Sends one statement that changes something; DONE, or the outcome is set. */
enum outcome step_say(struct step *s, const char *fmt, ...) STAY_PRINTF(2, 3);
/* As step_say, but an error of the server with number `allowed` counts as DONE. */
enum outcome step_say_or(struct step *s, unsigned allowed, const char *fmt, ...) STAY_PRINTF(3, 4);
/* A question; one text (caller frees), NULL for NULL. */
enum outcome step_ask(struct step *s, const char *sql, char **ret_text);
/* Reads the STATUS facts into result->facts. */
enum outcome step_look(struct step *s);
/* Sleeps a little between looks; false once the deadline has passed. */
bool step_wait(struct step *s, int64_t us);
/* Sets one global variable unless the facts say so already. */
enum outcome step_set(struct step *s, const char *variable, const char *value);

/* Whom step_end_sessions may end. The last two differ on MariaDB alone. */
enum step_ending {
    ENDS_ALL = 0,
    ENDS_CLOSING, /* nobody before read_only is being set, so that no writer can join a group of
                     commits, nor while commits hang, nor in commits behind one that waits
                     before it is being set without a time limit */
    ENDS_OTHERS,  /* not those whose commits hang */
};
/* Ends sessions that are not ours, those who wait for an acknowledgement of a whole group of
 * commits only in a round that found no others. *ret_left: those still there when asked, killed
 * ones not counted. Sets s->commits_hang, s->wants_shut and result->ended_sessions. */
enum outcome step_end_sessions(struct step *s, enum step_ending how, uint32_t *ret_left);
/* MariaDB: ends the attempts of ours to set read_only that still wait, whichever process's. */
enum outcome step_end_closers(struct step *s);

/* NOT_DONE when the server's process is younger than effect.born_mono_us says: one that restarted
 * holds something else than the plan judged (measured: MariaDB truncates). */
enum outcome step_refuse_restarted(struct step *s);

/* facts: no receiver, or a stopped one. */
bool step_receiver_is_off(const struct step *s);
/* facts: its source is the effect's peer. */
bool step_source_is_peer(const struct step *s);
/* Until executed contains `goal`; NOT_DONE when the applier stopped or time is up. */
enum outcome step_wait_executed(struct step *s, const struct gtid_set *goal);
/* Stops the receiver with the applier running. */
enum outcome step_stop_receiver(struct step *s);
/* Takes the source role from a replica whose applier would wait for acknowledgements (wrong start
 * value, a former primary), and its drain never end. Only of a read-only one: no client waits. */
enum outcome step_applier_must_not_wait(struct step *s);
/* Receiver off, everything received executed, both threads off: from here CHANGE destroys nothing
 * that the new source does not hold. */
enum outcome step_make_changeable(struct step *s);
/* The canary's session, opened where there is none. */
enum stay_rc step_open_canary(struct step *s, int64_t deadline_mono_us, struct stay_error *err);
/* The timeouts by which a replica notices a dead source. */
enum outcome step_write_timeouts(struct step *s);

bool step_is_drained(const struct step *s); /* facts: executed contains received */
bool step_holds_want(const struct step *s); /* facts: executed contains want, or none wanted */

/* One function per step kind. */
enum outcome step_fence(struct step *s);
enum outcome step_quiesce(struct step *s);
enum outcome step_unfence(struct step *s);
enum outcome step_writable(struct step *s);
enum outcome step_canary(struct step *s);
enum outcome step_create_schema(struct step *s);
enum outcome step_source_on(struct step *s);
enum outcome step_source_off(struct step *s);
enum outcome step_wait_ackers(struct step *s);
enum outcome step_freeze(struct step *s);
enum outcome step_drain(struct step *s);
enum outcome step_top_up(struct step *s);
enum outcome step_detach(struct step *s);
enum outcome step_attach(struct step *s);
enum outcome step_verify_freeze(struct step *s);
enum outcome step_thaw(struct step *s);
enum outcome step_replica_role(struct step *s);
enum outcome step_start_applier(struct step *s);
/* effect.settings, each where it is not so already; MySQL keeps it over a restart. */
enum outcome step_set_variables(struct step *s);
/* See step_mysql_acknowledge.c; the second one takes back what a cut short one left. */
enum outcome step_acknowledge(struct step *s);
enum outcome step_go_by_gtid(struct step *s);
/* Kills what is left of effect.peer's broken connections; see step_mysql_stream.c. */
enum outcome step_end_stream(struct step *s);
/* Until the relay log of a replica that goes by file and position is executed: its received set
 * tells nothing then. DONE at once for one that goes by GTID. */
enum outcome step_wait_position(struct step *s);
enum outcome step_set_timeouts(struct step *s);
enum outcome step_barrier(struct step *s);
enum outcome step_copy(struct step *s);
enum outcome step_copy_stop(struct step *s);
enum outcome step_replay(struct step *s);
/* The replica goes by GTID again after what step_replay began is executed; elsewhere nothing. */
enum outcome step_replay_end(struct step *s);

/* MariaDB: what effect.want holds of this server's own server_id and the server itself lacks (empty
 * elsewhere); see step_mysql_own.c for why that needs care. */
void step_own_missing(const struct step *s, struct gtid_set *ret_own);
/* effect.renumber, MariaDB: the next transaction's number is at least GTID_GAP above all there are,
 * by a gap that no opening within a day takes again. Measured on 10.11.19: in strict mode a replica
 * whose position the gap skips is refused with 1236. DONE without it where the account lacks BINLOG
 * REPLAY (older grants): then the text says so. */
enum outcome step_renumber(struct step *s);

#endif

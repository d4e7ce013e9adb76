/* probes/probe_channel.h - one held session driven from the loop: connect, ask, wait, read, and its
 * end.
 *
 * Layer: probes. Loop thread only. CLOSED -> OPENING -> IDLE -> SENDING -> WAITING -> READING ->
 * IDLE; any state -> CLOSED when the connection ends. One thing at a time; the owner asks again
 * from its callbacks. A lane job that outlives its deadline takes its session with it and frees it.
 */
#ifndef PROBES_PROBE_CHANNEL_H
#define PROBES_PROBE_CHANNEL_H
#include "probes/mysql_facts.h"

struct loop;
struct lane_pool;
struct timer;
struct channel;
struct channel_job;
struct channel_poll;

enum channel_state { CHANNEL_CLOSED = 0, CHANNEL_OPENING, CHANNEL_IDLE, CHANNEL_SENDING,
                     CHANNEL_WAITING, CHANNEL_READING };

/* How an open or a question ended. facts: NULL when none were asked or read; borrowed. */
struct channel_event {
    enum obs_kind kind; /* OBS_REACH: open failed or answer came; OBS_SESSION_END */
    bool opened;        /* OBS_REACH of an open that worked */
    struct reach reach;
    int64_t begun_mono_us;
    enum fact_group group;
    const struct server_facts *facts;
};
typedef void (*channel_fn)(void *arg, const struct channel_event *event);

struct channel_lanes {
    struct lane_pool *work, *connect, *slow_connect;
};

struct channel {
    struct loop *loop;
    const struct channel_lanes *lanes;
    const struct mysql_target *target;   /* borrowed, stable */
    const struct mysql_account *account;
    const struct mysql_account *admin; /* logs in where `account` is shut out (MySQL's offline_mode,
                                          error 3032); NULL or an empty user: nobody does */
    uint64_t key;
    channel_fn fn;
    void *arg;
    bool takes_writes;  /* the server, when last read */
    bool keeps_waiting; /* a late answer is reported but waited for again (canary) */
    enum channel_state state;
    struct mysql_session *session;
    struct channel_poll *poll;
    struct channel_job *job; /* under way, NULL if none */
    struct timer *deadline;  /* of WAITING */
    int64_t begun_mono_us, limit_us;
    enum fact_group group;   /* 0: a statement without facts */
    bool was_silent;         /* its last open ended in silence: connect on slow lanes */
    bool is_admin;           /* the session is the admin's */
};

/* Zeroed struct with loop, lanes, target, account, key, fn, arg set. */
void channel_init(struct channel *c);
/* CLOSED only. limit_us: deadline from now. */
void channel_open(struct channel *c, int64_t limit_us);
/* IDLE only. group 0: `sql` is a statement, its end is reported without facts; else sql is unused.
 */
void channel_ask(struct channel *c, enum fact_group group, const char *sql, int64_t limit_us);
/* Ends the session without a report; jobs under way are dropped. */
void channel_reset(struct channel *c);
void channel_release(struct channel *c); /* reset, and frees the timer */

#endif

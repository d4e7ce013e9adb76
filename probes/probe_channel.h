/* probes/probe_channel.h - one held session driven from the loop: connect, ask, wait, read, and its
 * end.
 *
 * Layer: probes. Loop thread only. CLOSED -> OPENING -> IDLE -> SENDING -> WAITING -> READING ->
 * IDLE; any state -> CLOSED when the connection ends. One thing at a time; the owner asks again
 * from its callbacks. A lane job that outlives its deadline takes its session with it and frees it.
 *
 * A server that fell silent is not worth a lane until it speaks: OPENING begins with a knock then
 * (probe_knock.h), which a failed open leaves waiting for the next; so it does for anybody while
 * the lanes are crowded. Without an address to knock at
 * (a name never resolved), and each tenth time for a name, whose address may have changed, and for
 * a server that greets and falls silent at login, the slow lanes connect. The time an open has
 * counts from when a lane takes it up. */
#ifndef PROBES_PROBE_CHANNEL_H
#define PROBES_PROBE_CHANNEL_H
#include "probes/mysql_facts.h"
#include "probes/probe_knock.h"

struct loop;
struct lane_pool;
struct timer;
struct channel;
struct channel_job;
struct socket_set;

#define KNOCK_FRESH_US                                                                             \
    (5 * STAY_SECOND) /* a knock that was let in and hears nothing is renewed:                     \
                         its server may have been restarted behind our back */
#define KNOCKS_BY_NAME 10

/* Where the last attempt ended in silence. */
enum channel_silence { SILENT_NO = 0, SILENT_BEFORE_GREETING, SILENT_AT_LOGIN };
enum channel_state {
    CHANNEL_CLOSED = 0,
    CHANNEL_OPENING,
    CHANNEL_IDLE,
    CHANNEL_SENDING,
    CHANNEL_WAITING,
    CHANNEL_READING
};

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
    struct socket_set *sockets;
    bool is_urgent; /* somebody is under suspicion: no answer waits for others */
};

struct channel {
    struct loop *loop;
    const struct channel_lanes *lanes;
    const struct mysql_target *target; /* borrowed, stable */
    const struct mysql_account *account;
    const struct mysql_account *admin; /* logs in where `account` is shut out (MySQL's offline_mode,
                                          error 3032; every place taken); NULL or an empty user:
                                          nobody does */
    uint16_t extra_port;               /* with places of its own beyond max_connections; 0: none */
    uint64_t key;                      /* picks the lane that connects */
    uint64_t read_key;                 /* and the one that reads */
    channel_fn fn;
    void *arg;
    bool takes_writes;  /* the server, when last read */
    bool keeps_waiting; /* a late answer is reported but waited for again (canary) */
    enum channel_state state;
    struct mysql_session *session;
    uint64_t watch;          /* its socket in the set, 0: none */
    struct channel_job *job; /* under way, NULL if none */
    struct timer *deadline;  /* of WAITING */
    int64_t begun_mono_us, limit_us;
    enum fact_group group; /* 0: a statement without facts */
    enum channel_silence silence;
    struct knock *knock;          /* NULL: none */
    struct knock_address address; /* of the last session; or of the target when it is numeric */
    unsigned knocks;              /* opens that knocked, in this silence */
    bool is_admin;                /* the session is the admin's */
    bool is_reserved;             /* it has a place beyond max_connections */
};

/* Zeroed struct with loop, lanes, target, account, keys, fn, arg set. */
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

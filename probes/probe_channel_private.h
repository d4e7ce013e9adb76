/* probes/probe_channel_private.h - what probe_channel.c (asking, waiting, ending), _open.c
 * (knocking, connecting) and _job.c (the jobs on lanes) share.
 *
 * Layer: probes. Included by those alone. All on the loop but where it says so. */
#ifndef PROBES_PROBE_CHANNEL_PRIVATE_H
#define PROBES_PROBE_CHANNEL_PRIVATE_H
#include <stdatomic.h>

#include "probes/probe_channel.h"

/* Everyone's turn at a lane comes: nobody is dropped for the next. */
#define OPEN_TURN_US (60 * STAY_SECOND)

enum job_kind { JOB_OPEN, JOB_SEND, JOB_READ };

/* Written by the lane until done; after a deadline passed, by nobody the loop listens to. */
struct channel_job {
    struct channel *channel; /* NULL: dropped */
    struct mysql_session *session;
    bool owns_session;             /* release frees it */
    _Atomic int64_t begun_mono_us; /* of an open: when a lane took it up */
    enum job_kind kind;
    enum fact_group group;
    struct mysql_target target;
    struct mysql_account account, admin;
    uint16_t extra_port;
    bool is_admin, is_reserved; /* how it was opened */
    char *sql;
    struct server_facts facts;
    struct reach reach;
    struct stay_error error;
};

/* ---- probe_channel.c */

/* Forgets the session and what waits for it; CLOSED. A job that uses it keeps it. */
void channel_drop_session(struct channel *c);
void channel_drop_knock(struct channel *c);
/* One event for an attempt that failed, and CLOSED; where it fell silent is kept for the next. */
void channel_report_failure(struct channel *c, const struct reach *reach);
/* The loop's watch over the session's socket: begun once that is open (false: no descriptor). It
 * tells once; whoever had the socket to itself meanwhile has it told again. */
bool channel_watch(struct channel *c);
void channel_watch_again(struct channel *c);

/* ---- probe_channel_job.c */

/* Gives the session to a lane. `sql` is owned by the job, NULL but for JOB_SEND. No lane at all:
 * CLOSED without a report. */
void channel_submit(struct channel *c, enum job_kind kind, char *sql, int64_t deadline_mono_us);

/* ---- probe_channel_open.c */

/* On a lane: the work of JOB_OPEN, until due (monotonic, us). Errors as mysql_session_open. */
enum stay_rc channel_job_open(struct channel_job *job, int64_t due) STAY_MUST_USE;

#endif

/* How a channel opens: who knocks first and who takes a lane at once (on the loop), and which ports
 * and accounts the lane tries, in which order. */
#include "probes/probe_channel_private.h"

#include "base/io/lane.h"
#include "base/io/loop.h"
#include "base/io/timer.h"
#include "probes/mysql_outcome.h"

#define OPEN_CROWD 32 /* so many wait for a lane: only who speaks may join them */

static void on_knock(void *arg);

/* ---- on lanes */

static bool open_as(struct channel_job *job, const struct mysql_account *account, int64_t due)
{
    struct reach reach = {0};
    struct stay_error error = {0};
    if (account->user[0] == '\0' ||
        mysql_session_open(job->session, &job->target, account, due, &reach, &error) != STAY_OK)
        return false; /* what the account was told first stands */
    job->reach = reach;
    return true;
}

/* Its places are taken, not its life: the port with places of its own is asked first, then the one
 * place that both engines keep for CONNECTION ADMIN (10.11 and 8.0 manuals, max_connections). */
static bool open_reserved(struct channel_job *job, int64_t due)
{
    uint16_t port = job->target.port;
    job->is_reserved = true;
    if (job->extra_port != 0) {
        job->target.port = job->extra_port;
        if (open_as(job, &job->account, due))
            return true;
        job->is_admin = open_as(job, &job->admin, due); /* MySQL's is for administrators */
        job->target.port = port;
    }
    if (!job->is_admin)
        job->is_admin = open_as(job, &job->admin, due);
    return job->is_admin;
}

/* An offline MySQL server lets in administrators only. It is alive, and what a fence that was cut
 * short left: somebody has to read it, or nobody ever opens or closes it. */
enum stay_rc channel_job_open(struct channel_job *job, int64_t due)
{
    enum stay_rc rc = mysql_session_open(job->session, &job->target, &job->account, due,
                                         &job->reach, &job->error);
    if (rc == STAY_OK)
        return rc;
    if (job->reach.outcome == OUT_TOO_MANY)
        return open_reserved(job, due) ? STAY_OK : rc;
    if (rc == STAY_EDENIED && job->reach.native == MYSQL_OFFLINE_MODE)
        job->is_admin = open_as(job, &job->admin, due);
    return job->is_admin ? STAY_OK : rc;
}

/* ---- on the loop */

static void connect_session(struct channel *c)
{
    c->session = mysql_session_new();
    channel_submit(c, JOB_OPEN, NULL, loop_now_mono_us(c->loop) + OPEN_TURN_US);
}

static bool is_crowded(struct lane_pool *pool)
{
    struct lane_stats stats;
    lane_pool_stats(pool, &stats);
    return stats.waiting >= OPEN_CROWD;
}

static bool may_knock(struct channel *c)
{
    bool is_numeric = knock_address_parse(&c->address, c->target->host, c->target->port);
    if (c->address.size == 0 || c->silence == SILENT_AT_LOGIN)
        return false;
    if (c->silence == SILENT_NO)
        return is_crowded(c->lanes->connect);
    return is_numeric || ++c->knocks % KNOCKS_BY_NAME != 0;
}

/* The one that waits since an earlier open, or a fresh one. False: no descriptor for it. */
static bool knock(struct channel *c)
{
    int64_t now = loop_now_mono_us(c->loop);
    if (c->knock != NULL &&
        (!knock_is_connected(c->knock) || now - knock_begun_mono_us(c->knock) >= KNOCK_FRESH_US))
        channel_drop_knock(c);
    if (c->knock == NULL)
        c->knock = knock_new(c->loop, &c->address, on_knock, c);
    return c->knock != NULL;
}

void channel_open(struct channel *c, int64_t limit_us)
{
    must(c->state == CHANNEL_CLOSED && c->session == NULL);
    c->state = CHANNEL_OPENING;
    c->begun_mono_us = loop_now_mono_us(c->loop);
    c->limit_us = limit_us;
    c->group = 0;
    if (may_knock(c) && knock(c))
        timer_start(c->deadline, c->begun_mono_us + limit_us);
    else
        connect_session(c);
}

/* It has something to say; between two opens the next one begins with that. */
static void on_knock(void *arg)
{
    struct channel *c = arg;
    channel_drop_knock(c);
    c->silence = SILENT_NO;
    c->knocks = 0;
    if (c->state != CHANNEL_OPENING || c->session != NULL)
        return;
    timer_stop(c->deadline);
    connect_session(c);
}

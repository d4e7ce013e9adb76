/* What a channel has lanes do for it (open, send, read) and what their end means: an event, the
 * next state, or silence of our own that says nothing about the server. */
#include "probes/probe_channel_private.h"

#include "base/io/lane.h"
#include "base/io/loop.h"
#include "base/io/real_clock.h"
#include "base/io/timer.h"
#include "probes/mysql_outcome.h"

#define READ_LEAST_US (20 * STAY_MS)

/* ---- on lanes */

static enum stay_rc job_work(struct lane_job *lane, void *arg)
{
    struct channel_job *job = arg;
    int64_t due = lane_job_deadline_mono_us(lane);
    if (lane_job_expired(lane))
        return STAY_ETIMEDOUT;
    switch (job->kind) {
    case JOB_OPEN:
        atomic_store(&job->begun_mono_us, real_clock_mono_us());
        return channel_job_open(job, due);
    case JOB_SEND:
        return mysql_session_send(job->session, job->sql, due, &job->error);
    case JOB_READ:
        break;
    }
    if (job->group != 0) {
        const struct mysql_query *query =
            mysql_query_for(job->target.engine, mysql_session_version(job->session), job->group);
        return mysql_facts_receive(job->session, job->target.engine, query, job->group, due,
                                   &job->facts, &job->reach, &job->error);
    }
    return mysql_session_receive(job->session, due, NULL, NULL, NULL, &job->error);
}

/* ---- on the loop */

static void job_release(void *arg)
{
    struct channel_job *job = arg;
    if (job->owns_session) {
        mysql_session_abort(job->session); /* so that closing writes to nobody */
        mysql_session_free(job->session);
    }
    server_facts_clear(&job->facts);
    free(job->sql);
    explicit_bzero(&job->account, sizeof job->account);
    explicit_bzero(&job->admin, sizeof job->admin);
    free(job);
}

/* What the end of a job that failed says about the server. */
static void judge_job(const struct channel_job *job, enum stay_rc rc, struct reach *reach)
{
    *reach = job->reach;
    if (rc == STAY_ETIMEDOUT && job->kind == JOB_OPEN)
        reach->layer = mysql_session_layer(job->session);
    else if (job->kind != JOB_OPEN && reach->layer == LAYER_NONE)
        reach->layer = LAYER_QUERY;
    if (rc == STAY_ETIMEDOUT)
        reach->outcome = OUT_TIMEOUT;
    else if (reach->outcome == OUT_NONE)
        reach->outcome = rc == STAY_EFAILED || rc == STAY_EDENIED || rc == STAY_ELIMIT
                             ? mysql_outcome((unsigned)job->error.native, 0)
                         : rc == STAY_ECORRUPT ? OUT_BAD_REPLY
                                               : OUT_RESET;
    if (reach->text[0] == '\0' && rc != STAY_ETIMEDOUT) {
        reach->native = job->error.native;
        (void)stay_copy(reach->text, sizeof reach->text, job->error.text);
    }
}

static void job_succeeded(struct channel *c, struct channel_job *job)
{
    struct channel_event event = {.kind = OBS_REACH,
                                  .begun_mono_us = c->begun_mono_us,
                                  .group = job->group,
                                  .reach = {.layer = LAYER_QUERY, .outcome = OUT_OK}};
    c->job = NULL;
    switch (job->kind) {
    case JOB_OPEN:
        if (!channel_watch(c)) {
            channel_drop_session(c); /* out of descriptors: says nothing about the server */
            return;
        }
        c->silence = SILENT_NO;
        c->is_admin = job->is_admin;
        c->is_reserved = job->is_reserved;
        c->state = CHANNEL_IDLE;
        event.opened = true;
        c->fn(c->arg, &event);
        return;
    case JOB_SEND:
        c->state = CHANNEL_WAITING;
        timer_start(c->deadline, c->begun_mono_us + c->limit_us);
        channel_watch_again(c);
        return;
    case JOB_READ:
        c->state = CHANNEL_IDLE;
        channel_watch_again(c);
        event.facts = job->group != 0 ? &job->facts : NULL;
        c->fn(c->arg, &event);
        return;
    }
}

static void job_done(void *arg, enum stay_rc rc)
{
    struct channel_job *job = arg;
    struct channel *c = job->channel;
    if (c == NULL)
        return;
    if (rc == STAY_OK) {
        job_succeeded(c, job);
        return;
    }
    if (rc == STAY_ECANCELED) {
        channel_drop_session(c);
        return;
    }
    struct reach reach = {0};
    if (rc == STAY_ETIMEDOUT && job->kind == JOB_OPEN &&
        mysql_session_layer(job->session) == LAYER_NONE) {
        channel_drop_session(c); /* no lane began it: silence of ours, not the server's */
        return;
    }
    if (job->kind == JOB_OPEN && atomic_load(&job->begun_mono_us) != 0)
        c->begun_mono_us = atomic_load(&job->begun_mono_us);
    if (rc == STAY_ETIMEDOUT) /* the thread may still write job->reach */
        reach = (struct reach){.layer = job->kind == JOB_OPEN ? mysql_session_layer(job->session)
                                                              : LAYER_QUERY,
                               .outcome = OUT_TIMEOUT};
    else
        judge_job(job, rc, &reach);
    if (rc != STAY_ETIMEDOUT && job->kind == JOB_READ && mysql_session_is_open(job->session)) {
        c->job = NULL; /* the server said no; the session lives on */
        c->state = CHANNEL_IDLE;
        channel_watch_again(c);
        struct channel_event event = {.kind = OBS_REACH,
                                      .reach = reach,
                                      .begun_mono_us = c->begun_mono_us,
                                      .group = job->group};
        c->fn(c->arg, &event);
        return;
    }
    if (rc == STAY_EUNKNOWN && job->kind != JOB_OPEN) {
        struct channel_event event = {
            .kind = OBS_SESSION_END, .reach = reach, .begun_mono_us = c->begun_mono_us};
        channel_drop_session(c);
        c->fn(c->arg, &event);
        return;
    }
    channel_report_failure(c, &reach);
}

void channel_submit(struct channel *c, enum job_kind kind, char *sql, int64_t deadline_mono_us)
{
    struct channel_job *job = stay_calloc(1, sizeof *job);
    job->channel = c;
    job->session = c->session;
    job->kind = kind;
    job->group = c->group;
    job->target = *c->target;
    if (kind == JOB_OPEN)
        job->account = *c->account;
    if (kind == JOB_OPEN && c->admin != NULL)
        job->admin = *c->admin;
    job->extra_port = c->extra_port;
    job->sql = sql;
    timer_stop(c->deadline);
    struct lane_work work = {.work = job_work,
                             .done = job_done,
                             .release = job_release,
                             .arg = job,
                             .deadline_mono_us = deadline_mono_us,
                             .run_us = kind == JOB_OPEN ? c->limit_us : 0};
    if (kind == JOB_READ) {
        /* its answer is there: waiting for a lane is no silence of the server */
        int64_t left_us = deadline_mono_us - loop_now_mono_us(c->loop);
        work.run_us = left_us > READ_LEAST_US ? left_us : READ_LEAST_US;
        work.deadline_mono_us = loop_now_mono_us(c->loop) + OPEN_TURN_US;
    }
    struct lane_pool *pool = kind != JOB_OPEN          ? c->lanes->work
                             : c->silence != SILENT_NO ? c->lanes->slow_connect
                                                       : c->lanes->connect;
    c->job = job;
    if (lane_submit(pool, kind == JOB_OPEN ? c->key : c->read_key, &work, NULL) == STAY_OK)
        return;
    c->job = NULL;
    job_release(job);
    channel_drop_session(c);
}

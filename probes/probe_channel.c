/* Happy path: open job -> idle -> sent -> socket readable -> read job -> event -> idle. A question
 * is sent from the loop when the socket's buffer is empty, so that it cannot wait; else by a job.
 * Failures: a job fails or passes its deadline; the socket ends; an answer does not come in time.
 * Each of them reports one event and leaves the channel CLOSED. */
#include <mysql.h>

#include "probes/probe_channel.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include "base/io/lane.h"
#include "base/io/loop.h"
#include "base/io/real_clock.h"
#include "base/io/timer.h"
#include "probes/mysql_outcome.h"

#define OPEN_TURN_US                                                                               \
    (60 * STAY_SECOND) /* everyone's turn comes: nobody is dropped for the next                    \
                        */
#define READ_LEAST_US (20 * STAY_MS)
#define OPEN_CROWD    32 /* so many wait for a lane: only who speaks may join them */

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

struct channel_poll {
    uv_poll_t uv;
    int fd;
};

static void on_poll(uv_poll_t *handle, int status, int events);
static void on_late(struct timer *timer, void *arg);
static void on_knock(void *arg);

void channel_init(struct channel *c)
{
    c->deadline = timer_new(c->loop, on_late, c);
    timer_unref(c->deadline);
}

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
static enum stay_rc job_open(struct channel_job *job, int64_t due)
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

static enum stay_rc job_work(struct lane_job *lane, void *arg)
{
    struct channel_job *job = arg;
    int64_t due = lane_job_deadline_mono_us(lane);
    if (lane_job_expired(lane))
        return STAY_ETIMEDOUT;
    switch (job->kind) {
    case JOB_OPEN:
        atomic_store(&job->begun_mono_us, real_clock_mono_us());
        return job_open(job, due);
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
    free(job);
}

static void on_poll_closed(uv_handle_t *handle)
{
    free(handle);
}

/* Forgets the session; a job that uses it keeps it. */
static void drop_session(struct channel *c)
{
    if (c->poll != NULL) {
        (void)uv_poll_stop(&c->poll->uv);
        uv_close((uv_handle_t *)&c->poll->uv, on_poll_closed);
        c->poll = NULL;
    }
    timer_stop(c->deadline);
    if (c->session != NULL)
        mysql_session_abort(c->session);
    if (c->job != NULL) {
        c->job->owns_session = true;
        c->job->channel = NULL;
        c->job = NULL;
    } else {
        mysql_session_free(c->session);
    }
    c->session = NULL;
    c->state = CHANNEL_CLOSED;
}

static void drop_knock(struct channel *c)
{
    knock_free(c->knock);
    c->knock = NULL;
}

void channel_reset(struct channel *c)
{
    drop_session(c);
    drop_knock(c);
}

void channel_release(struct channel *c)
{
    channel_reset(c);
    timer_free(c->deadline);
    c->deadline = NULL;
}

static enum channel_silence silence_in(const struct channel *c, const struct reach *reach)
{
    bool is_late = c->state == CHANNEL_OPENING && reach->layer != LAYER_CONNECT &&
                   reach->layer != LAYER_GREETING;
    if (reach->outcome != OUT_TIMEOUT)
        return SILENT_NO;
    return is_late ? SILENT_AT_LOGIN : SILENT_BEFORE_GREETING;
}

static void report_failure(struct channel *c, const struct reach *reach)
{
    struct channel_event event = {
        .kind = OBS_REACH, .reach = *reach, .begun_mono_us = c->begun_mono_us, .group = c->group};
    c->silence = silence_in(c, reach);
    drop_session(c);
    c->fn(c->arg, &event);
}

static void watch(struct channel *c)
{
    (void)uv_poll_start(&c->poll->uv, UV_READABLE | UV_DISCONNECT, on_poll);
}

static bool make_poll(struct channel *c)
{
    int fd = mysql_session_poll_fd(c->session);
    if (fd < 0)
        return false;
    struct channel_poll *poll = stay_calloc(1, sizeof *poll);
    poll->fd = fd;
    poll->uv.data = c;
    if (uv_poll_init(&c->loop->uv, &poll->uv, fd) != 0) {
        free(poll);
        return false;
    }
    (void)knock_address_of_peer(&c->address, fd);
    c->poll = poll;
    return true;
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
        if (!make_poll(c)) {
            drop_session(c); /* out of descriptors: says nothing about the server */
            return;
        }
        c->silence = SILENT_NO;
        c->is_admin = job->is_admin;
        c->is_reserved = job->is_reserved;
        c->state = CHANNEL_IDLE;
        watch(c);
        event.opened = true;
        c->fn(c->arg, &event);
        return;
    case JOB_SEND:
        c->state = CHANNEL_WAITING;
        timer_start(c->deadline, c->begun_mono_us + c->limit_us);
        watch(c);
        return;
    case JOB_READ:
        c->state = CHANNEL_IDLE;
        watch(c);
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
        drop_session(c);
        return;
    }
    struct reach reach = {0};
    if (rc == STAY_ETIMEDOUT && job->kind == JOB_OPEN &&
        mysql_session_layer(job->session) == LAYER_NONE) {
        drop_session(c); /* no lane began it: silence of ours, not the server's */
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
        watch(c);
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
        drop_session(c);
        c->fn(c->arg, &event);
        return;
    }
    report_failure(c, &reach);
}

static void submit(struct channel *c, enum job_kind kind, char *sql, int64_t deadline_mono_us)
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
    if (c->poll != NULL)
        (void)uv_poll_stop(&c->poll->uv);
    timer_stop(c->deadline);
    struct lane_work work = {.work = job_work,
                             .done = job_done,
                             .release = job_release,
                             .arg = job,
                             .deadline_mono_us = deadline_mono_us,
                             .run_us = kind == JOB_OPEN ? c->limit_us : 0};
    if (kind ==
        JOB_READ) { /* its answer is there: waiting for a lane is no silence of the server */
        int64_t left_us = deadline_mono_us - loop_now_mono_us(c->loop);
        work.run_us = left_us > READ_LEAST_US ? left_us : READ_LEAST_US;
        work.deadline_mono_us = loop_now_mono_us(c->loop) + OPEN_TURN_US;
    }
    struct lane_pool *pool = kind != JOB_OPEN          ? c->lanes->work
                             : c->silence != SILENT_NO ? c->lanes->slow_connect
                                                       : c->lanes->connect;
    c->job = job;
    if (lane_submit(pool, c->key, &work, NULL) == STAY_OK)
        return;
    c->job = NULL;
    job_release(job);
    drop_session(c);
}

static void connect_session(struct channel *c)
{
    c->session = mysql_session_new();
    submit(c, JOB_OPEN, NULL, loop_now_mono_us(c->loop) + OPEN_TURN_US);
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
        drop_knock(c);
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
    drop_knock(c);
    c->silence = SILENT_NO;
    c->knocks = 0;
    if (c->state != CHANNEL_OPENING || c->session != NULL)
        return;
    timer_stop(c->deadline);
    connect_session(c);
}

/* A send that fails ends the session: the socket says so in the next turn, like any other end. */
static bool send_at_once(struct channel *c, const char *sql)
{
    if (!mysql_session_sends_at_once(c->session))
        return false;
    if (mysql_session_send(c->session, sql, c->begun_mono_us, NULL) != STAY_OK)
        mysql_session_abort(c->session);
    c->state = CHANNEL_WAITING;
    timer_start(c->deadline, c->begun_mono_us + c->limit_us);
    return true;
}

void channel_ask(struct channel *c, enum fact_group group, const char *sql, int64_t limit_us)
{
    must(c->state == CHANNEL_IDLE);
    c->begun_mono_us = loop_now_mono_us(c->loop);
    c->limit_us = limit_us;
    c->group = group;
    c->state = CHANNEL_SENDING;
    if (group != 0) {
        const struct mysql_query *query =
            mysql_query_for(c->target->engine, mysql_session_version(c->session), group);
        sql = c->takes_writes && query->sql_writable != NULL ? query->sql_writable : query->sql;
    }
    if (!send_at_once(c, sql))
        submit(c, JOB_SEND, stay_strdup(sql), c->begun_mono_us + limit_us);
}

static void session_ended(struct channel *c, int os_errno)
{
    struct channel_event event = {
        .kind = OBS_SESSION_END,
        .begun_mono_us = c->begun_mono_us,
        .reach = {.layer = LAYER_QUERY, .outcome = OUT_RESET, .native = os_errno}};
    (void)stay_copy(event.reach.text, sizeof event.reach.text,
                    os_errno != 0 ? strerror(os_errno) : "the server closed the session");
    drop_session(c);
    c->fn(c->arg, &event);
}

static void on_poll(uv_poll_t *handle, int status, int events)
{
    struct channel *c = handle->data;
    char byte;
    (void)events;
    ssize_t n = recv(c->poll->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR) && status == 0)
        return;
    if (n <= 0 || c->state == CHANNEL_IDLE) { /* a server that speaks unasked says good-bye */
        session_ended(c, n < 0 ? errno : 0);
        return;
    }
    if (c->state == CHANNEL_WAITING) {
        c->state = CHANNEL_READING;
        int64_t now = loop_now_mono_us(c->loop), due = c->begun_mono_us + c->limit_us;
        submit(c, JOB_READ, NULL, c->keeps_waiting && due < now ? now + c->limit_us : due);
    }
}

/* WAITING, or a knock, passed its deadline. */
static void on_late(struct timer *timer, void *arg)
{
    struct channel *c = arg;
    struct reach reach = {.layer = LAYER_QUERY, .outcome = OUT_TIMEOUT};
    if (c->state == CHANNEL_OPENING && c->knock != NULL) {
        reach.layer = knock_is_connected(c->knock) ? LAYER_GREETING : LAYER_CONNECT;
        report_failure(c, &reach);
        return;
    }
    if (c->state != CHANNEL_WAITING)
        return;
    (void)stay_copy(reach.text, sizeof reach.text, "no answer in time");
    if (!c->keeps_waiting) {
        report_failure(c, &reach);
        return;
    }
    timer_start(timer, loop_now_mono_us(c->loop) + c->limit_us);
    struct channel_event event = {
        .kind = OBS_REACH, .reach = reach, .begun_mono_us = c->begun_mono_us};
    c->fn(c->arg, &event);
}

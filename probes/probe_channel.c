/* Happy path: open job -> idle -> sent -> socket readable -> read job -> event -> idle. Here is
 * what the loop does: asks, waits for the socket, ends; opens are probe_channel_open.c's, the jobs
 * on lanes probe_channel_job.c's. A question is sent from the loop when the socket's buffer is
 * empty, so that it cannot wait; else by a job. Failures: a job fails or passes its deadline; the
 * socket ends; an answer does not come in time. Each of them reports one event and leaves the
 * channel CLOSED. */
#include "probes/probe_channel_private.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io/loop.h"
#include "base/io/socket_set.h"
#include "base/io/timer.h"

/* What is asked in one turn is answered within this by servers that do not tarry: one wake-up. */
#define GATHER_US (4 * STAY_MS)

static void on_socket(void *arg);
static void on_late(struct timer *timer, void *arg);

void channel_init(struct channel *c)
{
    c->deadline = timer_new(c->loop, on_late, c);
    timer_unref(c->deadline);
}

/* Forgets the session; a job that uses it keeps it. */
void channel_drop_session(struct channel *c)
{
    socket_set_remove(c->lanes->sockets, c->watch);
    c->watch = 0;
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

void channel_drop_knock(struct channel *c)
{
    knock_free(c->knock);
    c->knock = NULL;
}

void channel_reset(struct channel *c)
{
    channel_drop_session(c);
    channel_drop_knock(c);
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

void channel_report_failure(struct channel *c, const struct reach *reach)
{
    struct channel_event event = {
        .kind = OBS_REACH, .reach = *reach, .begun_mono_us = c->begun_mono_us, .group = c->group};
    c->silence = silence_in(c, reach);
    channel_drop_session(c);
    c->fn(c->arg, &event);
}

bool channel_watch(struct channel *c)
{
    int fd = mysql_session_poll_fd(c->session);
    c->watch = fd < 0 ? 0 : socket_set_add(c->lanes->sockets, fd, on_socket, c);
    if (c->watch != 0)
        (void)knock_address_of_peer(&c->address, fd);
    return c->watch != 0;
}

void channel_watch_again(struct channel *c)
{
    socket_set_rearm(c->lanes->sockets, c->watch);
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
    if (!c->lanes->is_urgent)
        socket_set_gather(c->lanes->sockets, GATHER_US);
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
        channel_submit(c, JOB_SEND, stay_strdup(sql), c->begun_mono_us + limit_us);
}

static void session_ended(struct channel *c, int os_errno)
{
    struct channel_event event = {
        .kind = OBS_SESSION_END,
        .begun_mono_us = c->begun_mono_us,
        .reach = {.layer = LAYER_QUERY, .outcome = OUT_RESET, .native = os_errno}};
    (void)stay_copy(event.reach.text, sizeof event.reach.text,
                    os_errno != 0 ? strerror(os_errno) : "the server closed the session");
    channel_drop_session(c);
    c->fn(c->arg, &event);
}

static void on_socket(void *arg)
{
    struct channel *c = arg;
    char byte;
    if (c->state != CHANNEL_IDLE && c->state != CHANNEL_WAITING)
        return; /* the job that has the socket looks, and has it told again */
    ssize_t n = recv(mysql_session_poll_fd(c->session), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        channel_watch_again(c);
        return;
    }
    if (n <= 0 || c->state == CHANNEL_IDLE) { /* a server that speaks unasked says good-bye */
        session_ended(c, n < 0 ? errno : 0);
        return;
    }
    if (c->state == CHANNEL_WAITING) {
        c->state = CHANNEL_READING;
        int64_t now = loop_now_mono_us(c->loop), due = c->begun_mono_us + c->limit_us;
        channel_submit(c, JOB_READ, NULL, c->keeps_waiting && due < now ? now + c->limit_us : due);
    }
}

/* After a turn that took long the loop comes to its timers before it looks at its sockets (libuv
 * does, in every turn): what lies there was said in time, we were late. Else an overload of ours
 * ends sessions by the hundred, and their logins keep it up. */
static bool has_spoken(const struct channel *c)
{
    struct pollfd fd = {.fd = mysql_session_poll_fd(c->session), .events = POLLIN | POLLRDHUP};
    return poll(&fd, 1, 0) == 1;
}

/* WAITING, or a knock, passed its deadline. */
static void on_late(struct timer *timer, void *arg)
{
    struct channel *c = arg;
    struct reach reach = {.layer = LAYER_QUERY, .outcome = OUT_TIMEOUT};
    if (c->state == CHANNEL_OPENING && c->knock != NULL && knock_has_news(c->knock)) {
        timer_start(timer, loop_now_mono_us(c->loop) + c->limit_us);
        return;
    }
    if (c->state == CHANNEL_OPENING && c->knock != NULL) {
        reach.layer = knock_is_connected(c->knock) ? LAYER_GREETING : LAYER_CONNECT;
        channel_report_failure(c, &reach);
        return;
    }
    if (c->state != CHANNEL_WAITING)
        return;
    if (has_spoken(c)) {
        timer_start(timer, loop_now_mono_us(c->loop) + c->limit_us); /* reading stops it */
        on_socket(c);
        return;
    }
    (void)stay_copy(reach.text, sizeof reach.text, "no answer in time");
    if (!c->keeps_waiting) {
        channel_report_failure(c, &reach);
        return;
    }
    timer_start(timer, loop_now_mono_us(c->loop) + c->limit_us);
    struct channel_event event = {
        .kind = OBS_REACH, .reach = reach, .begun_mono_us = c->begun_mono_us};
    c->fn(c->arg, &event);
}

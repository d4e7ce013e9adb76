/* MySQL's CLONE: a running server replaces all its data by another's, over the wire.
 *
 * Measured on 9.7.4: it refuses with super_read_only on (1290, read_only may stay on); it goes on
 * when the connection that began it ends; a KILL QUERY of its session ends it, its data gone. At
 * its end the server restarts where something supervises it (systemd, mysqld_safe), else it ends
 * (3707), and the start after that finishes the work: clone_status says Completed. server_uuid,
 * persisted variables and options stay its own; binary logs are reset; replication's own tables
 * come from the donor, so a copied source is forgotten before anybody attaches it. */
#include "controller/act/step_mysql_private.h"

#include "base/io/real_clock.h"

#define CLONE_BUSY     3634              /* another clone runs there: ours, begun a moment ago */
#define BEGIN_US       (700 * STAY_MS)   /* errors of the beginning come within this */
#define CLOCK_SLACK_US (2 * STAY_SECOND) /* BEGIN_TIME against our own clock */

struct clone_state {
    char state[24];   /* "In Progress", "Completed", "Failed", ...; "" : never cloned */
    int64_t age_us;   /* since it began */
    long long errno_; /* of a failed one */
    char error[160];
    char session[24]; /* that runs it */
};

static void keep_state(void *arg, const struct mysql_row *row)
{
    struct clone_state *to = arg;
    if (row->columns < 5 || row->values[0] == NULL)
        return;
    (void)stay_copy(to->state, sizeof to->state, row->values[0]);
    to->age_us = row->values[1] == NULL ? INT64_MAX : strtoll(row->values[1], NULL, 10);
    to->errno_ = row->values[2] == NULL ? 0 : strtoll(row->values[2], NULL, 10);
    (void)stay_copy(to->error, sizeof to->error, row->values[3] == NULL ? "" : row->values[3]);
    (void)stay_copy(to->session, sizeof to->session, row->values[4] == NULL ? "" : row->values[4]);
}

static enum outcome read_state(struct step *s, struct clone_state *ret)
{
    static const char sql[] =
        "SELECT state, TIMESTAMPDIFF(MICROSECOND, begin_time, NOW(6)), error_no, error_message, "
        "pid FROM performance_schema.clone_status";
    struct stay_error e = {0};
    *ret = (struct clone_state){.age_us = INT64_MAX};
    enum stay_rc rc = mysql_session_run(s->session, sql, s->due_mono_us, keep_state, ret, &e);
    return step_outcome_of(s, rc, "read clone_status", &e);
}

/* Begun since the plan began: an older one is another plan's, or a human's. */
static bool is_ours(const struct step *s, const struct clone_state *state)
{
    int64_t plan_us = real_clock_mono_us() - s->in->effect.begun_mono_us;
    return state->state[0] != '\0' && plan_us >= 0 && state->age_us <= plan_us + CLOCK_SLACK_US;
}

static enum outcome goes_on(struct step *s, const char *text)
{
    s->result->goes_on = true;
    return step_end(s, OUTCOME_NOT_DONE, "%.200s", text);
}

/* "FILE COPY 120 of 245 MB": the stage under way. */
static enum outcome tell_progress(struct step *s)
{
    STAY_AUTO(stay_free_charp) char *text = NULL;
    enum outcome o = step_ask(
        s,
        "SELECT CONCAT(LOWER(stage), ' ', ROUND(data / 1e6, 1), ' of ', ROUND(estimate / 1e6, 1), "
        "' MB', IF(estimate > 0, CONCAT(' (', FLOOR(100 * data / estimate), ' %)'), '')) "
        "FROM performance_schema.clone_progress WHERE state = 'In Progress' LIMIT 1",
        &text);
    return o == OUTCOME_DONE ? goes_on(s, text == NULL ? "between two stages" : text) : o;
}

/* On a connection of its own, which is given up once the beginning went well. */
static enum outcome send_clone(struct step *s)
{
    STAY_AUTO(stay_free_charp) char *host = mysql_quote(s->in->peer.host);
    STAY_AUTO(stay_free_charp) char *user = mysql_quote(s->in->backup.user);
    STAY_AUTO(stay_free_charp) char *password = mysql_quote(s->in->backup.password);
    bool tls = s->in->peer.tls_required || s->in->peer.ca[0] != '\0';
    STAY_AUTO(stay_free_charp)
    char *sql = stay_sprintf("CLONE INSTANCE FROM %s@%s:%u IDENTIFIED BY %s%s", user, host,
                             s->in->peer.port, password, tls ? " REQUIRE SSL" : "");
    struct mysql_session *own = mysql_session_new();
    struct reach reach = {0};
    struct stay_error e = {0};
    enum stay_rc rc =
        mysql_session_open(own, &s->in->target, &s->in->operate, s->due_mono_us, &reach, &e);
    bool is_open = rc == STAY_OK;
    if (is_open && real_clock_mono_us() >= s->in->effect.valid_until_mono_us)
        rc = stay_error(&e, STAY_EREFUSED, "discarded: late");
    else if (is_open)
        rc = mysql_session_run(own, sql, real_clock_mono_us() + BEGIN_US, NULL, NULL, &e);
    mysql_session_abort(own);
    mysql_session_free(own);
    explicit_bzero(password, strlen(password));
    explicit_bzero(sql, strlen(sql));
    if (rc == STAY_OK || e.native == CLONE_BUSY || (is_open && rc == STAY_ETIMEDOUT) ||
        rc == STAY_EUNKNOWN)
        return goes_on(s, "begun");
    return step_end(s, OUTCOME_NOT_DONE, "CLONE INSTANCE FROM %s:%u: %.150s", s->in->peer.host,
                    s->in->peer.port, e.text);
}

static enum outcome begin(struct step *s)
{
    STAY_AUTO(stay_free_charp)
    char *donor = stay_sprintf("%s:%u", s->in->peer.host, s->in->peer.port);
    STAY_AUTO(stay_free_charp) char *quoted = mysql_quote(donor);
    if (!s->in->has_peer || s->in->backup.user[0] == '\0')
        return step_end(s, OUTCOME_NOT_DONE, "no donor, or no accounts.backup to log in to it");
    enum outcome o = step_say(s, "SET GLOBAL clone_valid_donor_list = %s", quoted);
    if (o == OUTCOME_DONE) /* before super_read_only goes: writers without SUPER stay out */
        o = step_say(s, "SET GLOBAL read_only = ON");
    if (o == OUTCOME_DONE)
        o = step_say(s, "SET GLOBAL super_read_only = OFF");
    if (o == OUTCOME_DONE)
        o = send_clone(s);
    if (!s->result->goes_on) {
        char text[PLAN_TEXT_MAX];
        (void)stay_copy(text, sizeof text, s->result->text);
        (void)step_say(s, "SET GLOBAL super_read_only = ON");
        return step_end(s, o, "%.230s", text);
    }
    return o;
}

/* What came is a copy of the donor, its source included. Restarted it is read-only by its own
 * start-up values; where those are wrong it is closed here. */
static enum outcome finish(struct step *s)
{
    enum outcome o = step_say(s, "SET GLOBAL super_read_only = ON");
    if (o == OUTCOME_DONE)
        o = step_say(s, "%s", s->sql->stop_both);
    if (o == OUTCOME_DONE)
        o = step_say(s, "%s", s->sql->forget);
    if (o == OUTCOME_DONE)
        o = step_look(s);
    return o == OUTCOME_DONE
               ? step_end(s, OUTCOME_DONE, "cloned from %s:%u", s->in->peer.host, s->in->peer.port)
               : o;
}

enum outcome step_copy(struct step *s)
{
    struct clone_state now;
    if (step_is_mariadb(s))
        return step_end(s, OUTCOME_NOT_DONE, "MariaDB has no CLONE: configure reseed.command");
    enum outcome o = read_state(s, &now);
    if (o != OUTCOME_DONE)
        return o;
    if (strcmp(now.state, "In Progress") == 0)
        return tell_progress(s);
    if (!is_ours(s, &now))
        return begin(s);
    if (strcmp(now.state, "Completed") == 0)
        return finish(s);
    if (strcmp(now.state, "Failed") == 0)
        return step_end(s, OUTCOME_NOT_DONE, "CLONE failed: (%lld) %.160s", now.errno_, now.error);
    return goes_on(s, now.state);
}

enum outcome step_copy_stop(struct step *s)
{
    struct clone_state now;
    if (s->in->effect.plan == PLAN_REWIND) /* its job opened the server for itself */
        return step_is_mariadb(s) ? OUTCOME_DONE : step_say(s, "SET GLOBAL super_read_only = ON");
    enum outcome o = read_state(s, &now);
    if (o != OUTCOME_DONE || strcmp(now.state, "In Progress") != 0)
        return o;
    o = step_say_or(s, 1094, "KILL %s", now.session); /* 1094: ended by itself */
    return o == OUTCOME_DONE ? step_say(s, "SET GLOBAL super_read_only = ON") : o;
}

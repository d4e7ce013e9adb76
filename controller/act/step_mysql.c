/* Dispatch of the steps, and the few verbs they are written in: say, ask, look, wait. */
#include <mysql.h>

#include "controller/act/step_mysql_private.h"

#include <stdarg.h>
#include <unistd.h>

#include "base/io/real_clock.h"
#include "base/str.h"
#include "probes/mysql_facts.h"

static const struct dialect mariadb = {
    .stop_receiver = "STOP SLAVE IO_THREAD",
    .start_receiver = "START SLAVE IO_THREAD",
    .start_applier = "START SLAVE SQL_THREAD",
    .stop_both = "STOP SLAVE",
    .start_both = "START SLAVE",
    .forget = "RESET SLAVE ALL",
    .source_enabled = "rpl_semi_sync_master_enabled",
    .source_timeout = "rpl_semi_sync_master_timeout",
    .source_point = "rpl_semi_sync_master_wait_point",
    .source_no_replica = "rpl_semi_sync_master_wait_no_slave",
    .source_count = NULL,
    .replica_enabled = "rpl_semi_sync_slave_enabled",
    .net_timeout = "slave_net_timeout",
};

#define MYSQL_VERBS                                                                                \
    .stop_receiver = "STOP REPLICA IO_THREAD", .start_receiver = "START REPLICA IO_THREAD",        \
    .start_applier = "START REPLICA SQL_THREAD", .stop_both = "STOP REPLICA",                      \
    .start_both = "START REPLICA", .forget = "RESET REPLICA ALL",                                  \
    .net_timeout = "replica_net_timeout"
static const struct dialect mysql_new = {
    MYSQL_VERBS,
    .source_enabled = "rpl_semi_sync_source_enabled",
    .source_timeout = "rpl_semi_sync_source_timeout",
    .source_point = "rpl_semi_sync_source_wait_point",
    .source_no_replica = "rpl_semi_sync_source_wait_no_replica",
    .source_count = "rpl_semi_sync_source_wait_for_replica_count",
    .replica_enabled = "rpl_semi_sync_replica_enabled",
};
static const struct dialect mysql_old_plugins = {
    MYSQL_VERBS,
    .source_enabled = "rpl_semi_sync_master_enabled",
    .source_timeout = "rpl_semi_sync_master_timeout",
    .source_point = "rpl_semi_sync_master_wait_point",
    .source_no_replica = "rpl_semi_sync_master_wait_no_slave",
    .source_count = "rpl_semi_sync_master_wait_for_slave_count",
    .replica_enabled = "rpl_semi_sync_slave_enabled",
};

bool step_is_mariadb(const struct step *s)
{
    return s->in->target.engine == ENGINE_MARIADB;
}

enum outcome step_end(struct step *s, enum outcome outcome, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(s->result->text, sizeof s->result->text, fmt, args);
    va_end(args);
    s->result->outcome = outcome;
    return outcome;
}

enum outcome step_outcome_of(struct step *s, enum stay_rc rc, const char *sql,
                             const struct stay_error *e)
{
    if (rc == STAY_OK)
        return OUTCOME_DONE;
    s->native = e->native;
    bool lost = rc == STAY_ETIMEDOUT || rc == STAY_EUNKNOWN || rc == STAY_ECORRUPT;
    return step_end(s, lost ? OUTCOME_UNKNOWN : OUTCOME_NOT_DONE, "%.70s: %.160s", sql, e->text);
}

static enum outcome say(struct step *s, unsigned allowed, const char *sql, const char *shown)
{
    struct stay_error e = {0};
    if (real_clock_mono_us() >= s->in->effect.valid_until_mono_us)
        return step_end(s, OUTCOME_NOT_DONE, "discarded: late: %.100s", shown);
    enum stay_rc rc = mysql_session_run(s->session, sql, s->due_mono_us, NULL, NULL, &e);
    if (rc != STAY_OK && allowed != 0 && e.native == (int)allowed)
        return OUTCOME_DONE;
    return step_outcome_of(s, rc, shown, &e);
}

/* Passwords never reach a text that people see. */
static void hide_password(char *shown)
{
    char *at = strstr(shown, "PASSWORD");
    if (at != NULL)
        *at = '\0';
}

enum outcome step_say_or(struct step *s, unsigned allowed, const char *fmt, ...)
{
    STAY_AUTO(str_clear) struct str sql = {0};
    char shown[120];
    va_list args;
    va_start(args, fmt);
    str_addv(&sql, fmt, args);
    va_end(args);
    (void)stay_copy(shown, sizeof shown, str_text(&sql));
    hide_password(shown);
    return say(s, allowed, str_text(&sql), shown);
}

enum outcome step_say(struct step *s, const char *fmt, ...)
{
    STAY_AUTO(str_clear) struct str sql = {0};
    char shown[120];
    va_list args;
    va_start(args, fmt);
    str_addv(&sql, fmt, args);
    va_end(args);
    (void)stay_copy(shown, sizeof shown, str_text(&sql));
    hide_password(shown);
    return say(s, 0, str_text(&sql), shown);
}

enum outcome step_ask(struct step *s, const char *sql, char **ret_text)
{
    struct stay_error e = {0};
    enum stay_rc rc = mysql_session_text(s->session, sql, s->due_mono_us, ret_text, &e);
    return step_outcome_of(s, rc, sql, &e);
}

enum outcome step_look(struct step *s)
{
    struct stay_error e = {0};
    struct reach reach = {0};
    server_facts_clear(&s->result->facts);
    s->result->facts = (struct server_facts){0};
    s->result->groups_read = false;
    enum stay_rc rc = mysql_facts_read(s->session, s->in->target.engine, FACTS_STATUS,
                                       s->due_mono_us, &s->result->facts, &reach, &e);
    s->result->groups_read = rc == STAY_OK;
    return step_outcome_of(s, rc, "look", &e);
}

static void keep_second(void *arg, const struct mysql_row *row)
{
    if (row->columns > 1 && row->values[1] != NULL)
        *(uint64_t *)arg = strtoull(row->values[1], NULL, 10);
}

/* Only the server's uptime, in seconds: a tenth of a look. */
static enum outcome ask_uptime(struct step *s, uint64_t *ret_uptime_s)
{
    struct stay_error e = {0};
    static const char sql[] = "SHOW GLOBAL STATUS LIKE 'Uptime'";
    enum stay_rc rc =
        mysql_session_run(s->session, sql, s->due_mono_us, keep_second, ret_uptime_s, &e);
    return step_outcome_of(s, rc, sql, &e);
}

bool step_wait(struct step *s, int64_t us)
{
    int64_t left = s->due_mono_us - real_clock_mono_us();
    if (left <= us)
        return false;
    (void)usleep((useconds_t)us);
    return true;
}

enum outcome step_set(struct step *s, const char *variable, const char *value)
{
    return step_say(s, "SET GLOBAL %s = %s", variable, value);
}

enum outcome step_refuse_restarted(struct step *s)
{
    if (s->in->effect.born_mono_us == INT64_MAX)
        return OUTCOME_DONE;
    uint64_t uptime_s = 0;
    enum outcome o = ask_uptime(s, &uptime_s);
    int64_t born_us = real_clock_mono_us() - (int64_t)uptime_s * STAY_SECOND - STAY_SECOND;
    if (o != OUTCOME_DONE || born_us <= s->in->effect.born_mono_us)
        return o;
    return step_end(s, OUTCOME_NOT_DONE, "it restarted since the plan looked at it");
}

bool step_is_drained(const struct step *s)
{
    return gtid_set_contains(&s->result->facts.executed, &s->result->facts.received);
}

bool step_holds_want(const struct step *s)
{
    const struct gtid_set *want = s->in->effect.want;
    return want == NULL || gtid_set_contains(&s->result->facts.executed, want);
}

static enum outcome look_only(struct step *s)
{
    return step_look(s);
}

typedef enum outcome (*step_fn)(struct step *s);

static step_fn function_of(enum step_kind kind)
{
    switch (kind) {
    case STEP_FENCE:
        return step_fence;
    case STEP_FREEZE:
        return step_freeze;
    case STEP_DRAIN:
    case STEP_CATCH_UP:
        return step_drain;
    case STEP_COLLECT:
    case STEP_COMPARE:
        return look_only;
    case STEP_TOP_UP:
        return step_top_up;
    case STEP_DETACH:
        return step_detach;
    case STEP_SOURCE_ON:
        return step_source_on;
    case STEP_SOURCE_OFF:
        return step_source_off;
    case STEP_ATTACH:
        return step_attach;
    case STEP_WAIT_ACKERS:
        return step_wait_ackers;
    case STEP_VERIFY_FREEZE:
        return step_verify_freeze;
    case STEP_WRITABLE:
        return step_writable;
    case STEP_CANARY:
        return step_canary;
    case STEP_QUIESCE:
        return step_quiesce;
    case STEP_THAW:
        return step_thaw;
    case STEP_UNFENCE:
        return step_unfence;
    case STEP_SET_TIMEOUTS:
        return step_set_timeouts;
    case STEP_CREATE_SCHEMA:
        return step_create_schema;
    case STEP_BARRIER:
        return step_barrier;
    case STEP_REPLICA_ROLE:
        return step_replica_role;
    case STEP_START_APPLIER:
        return step_start_applier;
    case STEP_SET_VARIABLES:
        return step_set_variables;
    case STEP_ACKNOWLEDGE:
        return step_acknowledge;
    case STEP_END_STREAM:
        return step_end_stream;
    case STEP_COPY:
        return step_copy;
    case STEP_COPY_STOP:
        return step_copy_stop;
    case STEP_REPLAY:
        return step_replay;
    case STEP_REWIND: /* a job process: effects_work.h */
    case STEP_NONE:
    case STEP_CHECK:
    case STEP_INTENT:
    case STEP_HOOK_PRE:
    case STEP_ROUTE_CLOSE:
    case STEP_CHOOSE:
    case STEP_CERTIFY:
    case STEP_STORE_MODE:
    case STEP_ROUTE_OPEN:
    case STEP_CANARY_ROUTE:
    case STEP_COMMIT:
    case STEP_HOOK_POST:
    case STEP_QUARANTINE:
    case STEP_ADMIT:
    case STEP_KIND_COUNT:
        return NULL;
    }
    return NULL;
}

/* MySQL 8.0 may have either pair of semi-sync plugins. */
static enum outcome choose_dialect(struct step *s)
{
    s->sql = &mariadb;
    if (step_is_mariadb(s))
        return OUTCOME_DONE;
    s->sql = &mysql_new;
    if (mysql_session_version(s->session) >= 80400)
        return OUTCOME_DONE;
    STAY_AUTO(stay_free_charp) char *old = NULL;
    enum outcome o =
        step_ask(s, "SHOW GLOBAL VARIABLES LIKE 'rpl\\_semi\\_sync\\_%\\_wait\\_no\\_slave'", &old);
    if (o == OUTCOME_DONE && old != NULL)
        s->sql = &mysql_old_plugins;
    return o;
}

static enum outcome connect(struct step *s)
{
    struct reach reach = {0};
    struct stay_error e = {0};
    if (!mysql_session_is_idle_ok(s->session)) {
        enum stay_rc rc = mysql_session_open(s->session, &s->in->target, &s->in->operate,
                                             s->due_mono_us, &reach, &e);
        s->result->goes_on = s->result->is_down =
            rc != STAY_OK && s->in->effect.step == STEP_COPY; /* it restarts when it is done */
        if (rc != STAY_OK)
            return step_end(s, OUTCOME_NOT_DONE, "%.230s", e.text);
    }
    return choose_dialect(s);
}

void step_mysql_run(const struct step_sessions *sessions, const struct step_input *in,
                    struct step_result *ret)
{
    struct step s = {.session = sessions->operate,
                     .canary = sessions->canary,
                     .shut = sessions->shut,
                     .in = in,
                     .result = ret,
                     .due_mono_us = in->effect.deadline_mono_us};
    step_fn fn = function_of(in->effect.step);
    *ret = (struct step_result){0};
    if (fn == NULL) {
        (void)step_end(&s, OUTCOME_NOT_DONE, "no step of a database server");
        return;
    }
    enum outcome o = connect(&s);
    if (o == OUTCOME_DONE)
        o = fn(&s);
    ret->outcome = o;
    if (o != OUTCOME_DONE && !ret->groups_read && mysql_session_is_open(s.session)) {
        char text[PLAN_TEXT_MAX];
        (void)stay_copy(text, sizeof text, ret->text);
        (void)step_look(&s); /* what it looks like now helps whoever decides next */
        (void)stay_copy(ret->text, sizeof ret->text, text);
        ret->outcome = o;
    }
}

void step_result_clear(struct step_result *result)
{
    server_facts_clear(&result->facts);
    *result = (struct step_result){0};
}

void step_input_clear(struct step_input *in)
{
    gtid_set_clear(&in->want);
    in->effect.want = NULL;
}

/* One lane job: for each account log in, SHOW GRANTS, compare; the first lack is the answer. The
 * monitor also asks who else may write to a read-only server. */
#include <mysql.h>

#include "probes/probe_grants.h"

#include "base/io/lane.h"
#include "probes/mysql_outcome.h"

struct grants_check {
    struct grants_input in;
    grants_fn fn; /* NULL: dropped */
    void *arg;
    struct grants_found found;
    unsigned more_pass, more_replicate; /* accounts after the first */
};

static void add_line(void *arg, const struct mysql_row *row)
{
    if (row->columns > 0)
        mysql_grants_add(arg, row->values[0]);
}

static void take_role(void *arg, const struct mysql_row *row)
{
    struct mysql_grants *grants = arg;
    grants->no_role =
        row->columns > 0 && row->values[0] != NULL && strcmp(row->values[0], "NONE") == 0;
}

static bool is_ours(const struct grants_check *check, const char *user)
{
    for (int kind = 0; kind < ACCOUNT_OF_COUNT; kind++)
        if (strcmp(check->in.accounts[kind].user, user) == 0)
            return true;
    return false;
}

static void note_power(char text[FACT_TEXT_MAX], unsigned *more, const struct mysql_row *row,
                       const char *powers)
{
    if (text[0] != '\0')
        ++*more;
    else
        (void)snprintf(text, FACT_TEXT_MAX, "%.40s@%.40s%s%.40s%s", row->values[0], row->values[1],
                       powers[0] == '\0' ? "" : " (", powers, powers[0] == '\0' ? "" : ")");
}

/* user, host, what passes read_only ('' for nothing), REPLICATION SLAVE (1, 0) */
static void take_power(void *arg, const struct mysql_row *row)
{
    struct grants_check *check = arg;
    struct grants_found *found = &check->found;
    if (row->columns < 4 || row->values[0] == NULL || row->values[1] == NULL)
        return;
    if (is_ours(check, row->values[0]))
        return;
    if (row->values[2] != NULL && row->values[2][0] != '\0')
        note_power(found->passes_read_only, &check->more_pass, row, row->values[2]);
    else if (row->values[3] != NULL && strcmp(row->values[3], "1") == 0)
        note_power(found->may_replicate, &check->more_replicate, row, "");
}

static void say_more(char text[FACT_TEXT_MAX], unsigned more)
{
    size_t used = strlen(text);
    if (more > 0)
        (void)snprintf(text + used, FACT_TEXT_MAX - used, " and %u more", more);
}

static void look_at_others(struct grants_check *check, struct mysql_session *s, int64_t due)
{
    check->found.powers_shown =
        mysql_session_run(s,
                          "SELECT user, host, passes_read_only, may_replicate "
                          "FROM mainstay.privileged",
                          due, take_power, check, NULL) == STAY_OK;
    say_more(check->found.passes_read_only, check->more_pass);
    say_more(check->found.may_replicate, check->more_replicate);
}

/* STAY_OK: looked; *missing may have been filled. */
static enum stay_rc check_account(struct grants_check *check, struct mysql_session *s,
                                  enum mysql_account_kind kind, int64_t due)
{
    const struct mysql_account *account = &check->in.accounts[kind];
    struct reach reach = {0};
    struct mysql_grants grants = {0};
    if (account->user[0] == '\0')
        return STAY_OK;
    enum stay_rc rc = mysql_session_open(s, &check->in.target, account, due, &reach, NULL);
    if (rc == STAY_EDENIED && reach.layer == LAYER_LOGIN && reach.native != MYSQL_OFFLINE_MODE) {
        /* The server's own texts repeat the account at length. */
        const char *why = reach.native == 1045   ? "wrong password, or no such account (1045)"
                          : reach.native == 3118 ? "the account is locked (3118)"
                                                 : reach.text;
        (void)snprintf(check->found.missing, sizeof check->found.missing,
                       "%.40s cannot log in: %.60s", account->user, why);
        return STAY_OK;
    }
    if (rc != STAY_OK)
        return rc;
    rc = mysql_session_run(s, "SHOW GRANTS", due, add_line, &grants, NULL);
    if (rc == STAY_OK && check->in.target.engine == ENGINE_MYSQL)
        rc = mysql_session_run(s, "SELECT CURRENT_ROLE()", due, take_role, &grants, NULL);
    if (rc == STAY_OK)
        (void)mysql_grants_check(&grants, check->in.target.engine, kind, account->user,
                                 check->found.missing, sizeof check->found.missing);
    if (rc == STAY_OK && kind == ACCOUNT_OF_MONITOR)
        look_at_others(check, s, due);
    mysql_grants_clear(&grants);
    mysql_session_close(s);
    return rc;
}

static enum stay_rc grants_work(struct lane_job *lane, void *arg)
{
    struct grants_check *check = arg;
    struct mysql_session *s = mysql_session_new();
    enum stay_rc rc = STAY_OK;
    char optional[sizeof check->found.missing] = ""; /* told where nothing else is missing */
    for (int kind = 0; kind < ACCOUNT_OF_COUNT && rc == STAY_OK; kind++) {
        if (mysql_grants_is_optional(check->found.missing)) {
            memcpy(optional, check->found.missing, sizeof optional);
            check->found.missing[0] = '\0';
        }
        if (check->found.missing[0] != '\0')
            break;
        rc = lane_job_expired(lane) ? STAY_ETIMEDOUT
                                    : check_account(check, s, (enum mysql_account_kind)kind,
                                                    lane_job_deadline_mono_us(lane));
    }
    if (check->found.missing[0] == '\0')
        memcpy(check->found.missing, optional, sizeof optional);
    mysql_session_free(s);
    return rc;
}

static void grants_done(void *arg, enum stay_rc rc)
{
    struct grants_check *check = arg;
    if (check->fn != NULL)
        check->fn(check->arg, rc == STAY_OK ? &check->found : NULL);
}

struct grants_check *grants_check_start(struct lane_pool *pool, uint64_t key,
                                        const struct grants_input *in, int64_t deadline_mono_us,
                                        grants_fn fn, void *arg)
{
    struct grants_check *check = stay_calloc(1, sizeof *check);
    check->in = *in;
    check->fn = fn;
    check->arg = arg;
    struct lane_work work = {.work = grants_work,
                             .done = grants_done,
                             .release = free,
                             .arg = check,
                             .deadline_mono_us = deadline_mono_us};
    if (lane_submit(pool, key, &work, NULL) == STAY_OK)
        return check;
    free(check);
    return NULL;
}

void grants_check_drop(struct grants_check *check)
{
    if (check != NULL)
        check->fn = NULL;
}

/* One lane job: for each account log in, SHOW GRANTS, compare; the first lack is the answer. */
#include <mysql.h>

#include "probes/probe_grants.h"

#include "base/io/lane.h"
#include "probes/mysql_outcome.h"

struct grants_check {
    struct grants_input in;
    grants_fn fn; /* NULL: dropped */
    void *arg;
    char missing[FACT_TEXT_MAX];
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
        (void)snprintf(check->missing, sizeof check->missing, "%.40s cannot log in: %.60s",
                       account->user, why);
        return STAY_OK;
    }
    if (rc != STAY_OK)
        return rc;
    rc = mysql_session_run(s, "SHOW GRANTS", due, add_line, &grants, NULL);
    if (rc == STAY_OK && check->in.target.engine == ENGINE_MYSQL)
        rc = mysql_session_run(s, "SELECT CURRENT_ROLE()", due, take_role, &grants, NULL);
    if (rc == STAY_OK)
        (void)mysql_grants_check(&grants, check->in.target.engine, kind, account->user,
                                 check->missing, sizeof check->missing);
    mysql_grants_clear(&grants);
    mysql_session_close(s);
    return rc;
}

static enum stay_rc grants_work(struct lane_job *lane, void *arg)
{
    struct grants_check *check = arg;
    struct mysql_session *s = mysql_session_new();
    enum stay_rc rc = STAY_OK;
    for (int kind = 0; kind < ACCOUNT_OF_COUNT && rc == STAY_OK; kind++) {
        if (check->missing[0] != '\0')
            break;
        rc = lane_job_expired(lane) ? STAY_ETIMEDOUT
                                    : check_account(check, s, (enum mysql_account_kind)kind,
                                                    lane_job_deadline_mono_us(lane));
    }
    mysql_session_free(s);
    return rc;
}

static void grants_done(void *arg, enum stay_rc rc)
{
    struct grants_check *check = arg;
    if (check->fn != NULL)
        check->fn(check->arg, rc == STAY_OK ? check->missing : NULL);
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

/* Row by row: looked at, then applied by BINLOG, inside one transaction. */
#include <mysql.h>

#include "backup/inject.h"

#include "backup/checked_rows.h"
#include "base/io/real_clock.h"

#define OPEN_US (10 * STAY_SECOND)

struct injecting {
    const struct inject *what;
    struct mysql_session *session;
    struct binlog_statement say;
    char **engines; /* of the bundle's tables on the primary; NULL: not there, or not to be seen */
};

static void keep_engine(void *arg, const struct mysql_row *row)
{
    char **engine = arg;
    if (*engine == NULL && row->columns > 0 && row->values[0] != NULL)
        *engine = stay_strdup(row->values[0]);
}

static enum stay_rc read_engines(struct injecting *in, struct stay_error *err)
{
    const struct bundle *b = in->what->bundle;
    enum stay_rc rc = STAY_OK;
    in->engines = stay_calloc(b->table_count + 1, sizeof *in->engines);
    for (size_t i = 0; rc == STAY_OK && i < b->table_count; i++) {
        STAY_AUTO(stay_free_charp) char *schema = mysql_quote(b->tables[i].schema);
        STAY_AUTO(stay_free_charp) char *name = mysql_quote(b->tables[i].name);
        STAY_AUTO(stay_free_charp)
        char *sql = stay_sprintf("SELECT engine FROM information_schema.tables WHERE "
                                 "table_schema = %s AND table_name = %s",
                                 schema, name);
        rc = mysql_session_run(in->session, sql, real_clock_mono_us() + OPEN_US, keep_engine,
                               &in->engines[i], err);
    }
    return rc;
}

static void free_engines(struct injecting *in)
{
    for (size_t i = 0; in->engines != NULL && i < in->what->bundle->table_count; i++)
        free(in->engines[i]);
    free(in->engines);
}

/* A row of another engine than InnoDB stays when its transaction, or a trial, is rolled back. */
static enum stay_rc check_engine(void *ctx, const struct binlog_table *table,
                                 struct binlog_rows *rows, struct stay_error *err)
{
    const struct injecting *in = ctx;
    const struct bundle *b = in->what->bundle;
    (void)rows;
    for (size_t i = 0; i < b->table_count; i++) {
        const char *engine = in->engines[i];
        if (strcmp(b->tables[i].schema, table->schema) != 0 ||
            strcmp(b->tables[i].name, table->name) != 0)
            continue;
        if (engine == NULL)
            return stay_error(err, STAY_ECONFLICT,
                              "table %s.%s is not on the primary, or operate may not see it "
                              "(deploy/grants)",
                              table->schema, table->name);
        if (strcasecmp(engine, "InnoDB") != 0)
            return stay_error(err, STAY_ECONFLICT,
                              "table %s.%s is %s there: its rows cannot be rolled back, give them "
                              "by hand",
                              table->schema, table->name, engine);
    }
    return STAY_OK;
}

static enum stay_rc pass_obstacle(void *ctx, const char *what, struct stay_error *err)
{
    (void)ctx;
    return stay_error(err, STAY_ECONFLICT, "%s", what);
}

/* May it be given as a whole? Looked at before anything of it is. */
static enum stay_rc check_whole(struct injecting *in, const struct bundle_transaction *t,
                                struct stay_error *err)
{
    struct binlog_walk walk = {.ctx = in, .on_rows = check_engine, .on_obstacle = pass_obstacle};
    if (t->obstacle != NULL)
        return stay_error(err, STAY_ECONFLICT, "%s: its rows do not tell all, give it by hand",
                          t->obstacle);
    enum stay_rc rc = bundle_walk(in->what->bundle, t, &walk, err);
    walk_clear(&walk);
    return rc;
}

/* All of a trial stand in one transaction, for the later ones may build on the earlier ones. */
static enum stay_rc try_one(struct injecting *in, const struct bundle_transaction *t,
                            struct stay_error *err)
{
    enum stay_rc rc = statement_say(&in->say, "SAVEPOINT before_it", err);
    if (rc != STAY_OK)
        return rc;
    rc = checked_transaction(&in->say, in->what->bundle, t, false, false, err);
    if (rc != STAY_ECONFLICT)
        return rc;
    struct stay_error e = {0};
    enum stay_rc back = statement_say(&in->say, "ROLLBACK TO SAVEPOINT before_it", &e);
    return back == STAY_OK ? rc : stay_error(err, back, "%s", e.text);
}

/* One transaction, whole or not at all. */
static enum stay_rc inject_one(struct injecting *in, const struct bundle_transaction *t,
                               struct stay_error *err)
{
    enum stay_rc rc = check_whole(in, t, err);
    if (rc != STAY_OK || in->what->is_trial)
        return rc == STAY_OK ? try_one(in, t, err) : rc;
    rc = statement_say(&in->say, "START TRANSACTION", err);
    if (rc == STAY_OK)
        rc = checked_transaction(&in->say, in->what->bundle, t, false, false, err);
    if (rc == STAY_OK) {
        rc = statement_say(&in->say, "COMMIT", err);
        bool is_lost = rc == STAY_ETIMEDOUT || rc == STAY_EUNKNOWN;
        return is_lost ? stay_error_prefix(err, STAY_EUNKNOWN, "%s", t->gtid) : rc;
    }
    struct stay_error ignored;
    if (mysql_session_is_open(in->session) &&
        statement_say(&in->say, "ROLLBACK", &ignored) != STAY_OK)
        mysql_session_close(in->session); /* which rolls back too */
    return rc;
}

static enum stay_rc prepare(struct injecting *in, struct stay_error *err)
{
    enum tri read_only = TRI_UNKNOWN;
    const struct bundle *b = in->what->bundle;
    enum stay_rc rc = statement_open(&in->say, in->session, &in->what->target, &in->what->operate,
                                     &read_only, err);
    if (rc == STAY_OK && read_only != TRI_NO)
        rc = stay_error(err, STAY_EREFUSED, "the primary takes no writes now");
    if (rc == STAY_OK)
        rc = read_engines(in, err);
    if (rc == STAY_OK)
        rc = statement_format(&in->say, b, &b->transactions[0], err);
    return rc;
}

static void note(struct inject_outcome *out, const struct bundle_transaction *t, const char *why)
{
    out->refused++;
    if (out->text[0] == '\0')
        (void)snprintf(out->text, sizeof out->text, "%.60s: %.170s", t->gtid, why);
}

static void tell(const struct inject *what, const struct bundle_transaction *t, const char *result,
                 const char *why)
{
    if (what->told != NULL)
        what->told(what->told_arg, t, result, why);
}

static enum stay_rc inject_all(struct injecting *in, struct inject_outcome *out,
                               struct stay_error *err)
{
    const struct bundle *b = in->what->bundle;
    for (size_t i = 0; i < b->transaction_count; i++) {
        const struct bundle_transaction *t = &b->transactions[i];
        struct stay_error e = {0};
        if (in->what->only != NULL && strcmp(in->what->only, t->gtid) != 0)
            continue;
        STAY_AUTO(stay_free_charp) char *before = bundle_decision(b, t->gtid);
        if (before != NULL && strcmp(before, "injected") == 0) {
            out->passed_over++;
            tell(in->what, t, "injected before", "");
            continue;
        }
        enum stay_rc rc = inject_one(in, t, &e);
        const char *word = rc == STAY_OK ? "injected" : rc == STAY_ECONFLICT ? "conflict" : NULL;
        out->injected += rc == STAY_OK;
        if (rc == STAY_ECONFLICT)
            note(out, t, e.text);
        if (word != NULL)
            tell(in->what, t, word, rc == STAY_OK ? "" : e.text);
        if (word != NULL && !in->what->is_trial)
            rc = bundle_decide(b, t->gtid, word, NULL, in->what->actor,
                               rc == STAY_OK ? in->what->reason : e.text, &e);
        else if (word != NULL)
            rc = STAY_OK;
        if (rc != STAY_OK)
            return stay_error(err, rc, "%s: %s", t->gtid, e.text);
    }
    return STAY_OK;
}

enum stay_rc inject_bundle(const struct inject *what, struct inject_outcome *ret_outcome,
                           struct stay_error *err)
{
    struct injecting in = {.what = what, .session = mysql_session_new()};
    enum stay_rc rc = STAY_OK;
    *ret_outcome = (struct inject_outcome){0};
    if (what->bundle->transaction_count == 0)
        rc = stay_error(err, STAY_ENOTFOUND, "the bundle holds no transaction");
    if (rc == STAY_OK && what->only != NULL &&
        bundle_transaction_named(what->bundle, what->only) == what->bundle->transaction_count)
        rc = stay_error(err, STAY_ENOTFOUND, "the bundle holds no transaction %.80s", what->only);
    if (rc == STAY_OK)
        rc = prepare(&in, err);
    if (rc == STAY_OK && what->is_trial)
        rc = statement_say(&in.say, "START TRANSACTION", err);
    if (rc == STAY_OK)
        rc = inject_all(&in, ret_outcome, err);
    free_engines(&in);
    mysql_session_free(in.session); /* of a trial: rolled back with it */
    return rc;
}

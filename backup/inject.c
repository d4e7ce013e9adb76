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
};

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
    if (in->what->is_trial)
        return try_one(in, t, err);
    enum stay_rc rc = statement_say(&in->say, "START TRANSACTION", err);
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
    struct reach reach = {0};
    STAY_AUTO(stay_free_charp) char *shut = NULL;
    const struct bundle *b = in->what->bundle;
    mysql_session_set_packet_max(in->session, STATEMENT_PACKET_MAX);
    enum stay_rc rc = mysql_session_open(in->session, &in->what->target, &in->what->operate,
                                         real_clock_mono_us() + OPEN_US, &reach, err);
    if (rc == STAY_OK)
        rc = statement_begin_session(&in->say, in->session, err);
    if (rc == STAY_OK)
        rc = mysql_session_text(in->session, "SELECT @@global.read_only",
                                real_clock_mono_us() + OPEN_US, &shut, err);
    if (rc == STAY_OK && (shut == NULL || strcmp(shut, "0") != 0))
        rc = stay_error(err, STAY_EREFUSED, "the primary takes no writes now");
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
            continue;
        }
        enum stay_rc rc = inject_one(in, t, &e);
        const char *word = rc == STAY_OK ? "injected" : rc == STAY_ECONFLICT ? "conflict" : NULL;
        out->injected += rc == STAY_OK;
        if (rc == STAY_ECONFLICT)
            note(out, t, e.text);
        if (word != NULL && !in->what->is_trial)
            rc = bundle_decide(b, t->gtid, word, NULL, in->what->actor,
                               rc == STAY_OK ? in->what->reason : e.text, &e);
        else if (word != NULL)
            rc = STAY_OK;
        if (rc != STAY_OK)
            return stay_error_prefix(err, rc, "%s: %s", t->gtid, e.text);
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
    mysql_session_free(in.session); /* of a trial: rolled back with it */
    return rc;
}

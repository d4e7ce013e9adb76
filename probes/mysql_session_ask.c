/* Statements of an open session and their answers, bounded; failures told as return codes. */
#include "probes/mysql_session_private.h"

#include <mysqld_error.h>

#include "base/io/real_clock.h"
#include "base/str.h"
#include "probes/mysql_outcome.h"

/* The client's last error as a return code; a lost connection closes the session. */
static enum stay_rc fail(struct mysql_session *s, struct stay_error *err)
{
    unsigned native = mysql_errno(s->mysql);
    enum stay_rc rc = STAY_EFAILED;
    if (s->has_timed_out)
        rc = STAY_ETIMEDOUT;
    else if (mysql_is_connection_error(native) || native == ER_CONNECTION_KILLED ||
             native == ER_SERVER_SHUTDOWN || native == 0)
        rc = STAY_EUNKNOWN;
    else if (mysql_outcome(native, 0) == OUT_DENIED)
        rc = STAY_EDENIED;
    else if (mysql_outcome(native, 0) == OUT_TOO_MANY)
        rc = STAY_ELIMIT;
    (void)stay_error_native(err, rc, STAY_DOMAIN_MYSQL, (int)native, "(%u) %s", native,
                            s->has_timed_out ? "no answer in time" : mysql_error(s->mysql));
    if (rc == STAY_ETIMEDOUT || rc == STAY_EUNKNOWN)
        mysql_session_close(s);
    return rc;
}

static enum stay_rc not_open(struct stay_error *err)
{
    return stay_error(err, STAY_EUNREACHABLE, "not connected");
}

enum stay_rc mysql_session_send(struct mysql_session *s, const char *sql, int64_t deadline_mono_us,
                                struct stay_error *err)
{
    if (s->mysql == NULL)
        return not_open(err);
    mysql_session_begin(s, deadline_mono_us);
    int rc = mysql_send_query(s->mysql, sql, (unsigned long)strlen(sql));
    mysql_session_end();
    return rc == 0 ? STAY_OK : fail(s, err);
}

struct answer {
    mysql_row_fn fn;
    void *arg;
    unsigned results;
    uint64_t rows, bytes;
};

/* One result's rows; false when a bound was passed. */
static bool read_rows(MYSQL_RES *result, struct answer *a)
{
    const char *names[MYSQL_SESSION_COLUMNS_MAX];
    unsigned columns = mysql_num_fields(result);
    if (columns > MYSQL_SESSION_COLUMNS_MAX)
        return false;
    MYSQL_FIELD *fields = mysql_fetch_fields(result);
    for (unsigned i = 0; i < columns; i++)
        names[i] = fields[i].name;
    for (MYSQL_ROW row; (row = mysql_fetch_row(result)) != NULL;) {
        unsigned long *lengths = mysql_fetch_lengths(result);
        for (unsigned i = 0; i < columns; i++)
            a->bytes += lengths == NULL ? 0 : lengths[i];
        if (++a->rows > MYSQL_SESSION_ROWS_MAX || a->bytes > MYSQL_SESSION_BYTES_MAX)
            return false;
        if (a->fn != NULL) {
            struct mysql_row r = {.result = a->results,
                                  .columns = columns,
                                  .names = names,
                                  .values = (const char *const *)row};
            a->fn(a->arg, &r);
        }
    }
    return true;
}

/* 0 whole answer read, 1 client error, 2 bound passed. */
static int read_answer(struct mysql_session *s, struct answer *a)
{
    int rc = mysql_read_query_result(s->mysql);
    while (rc == 0) {
        MYSQL_RES *result = mysql_use_result(s->mysql);
        if (result == NULL && mysql_field_count(s->mysql) != 0)
            return 1;
        if (result != NULL) {
            bool bounded = read_rows(result, a);
            bool failed = mysql_errno(s->mysql) != 0;
            if (!bounded)
                mysql_session_abort(s); /* so that freeing the result does not read on */
            mysql_free_result(result);
            if (!bounded || failed)
                return bounded ? 1 : 2;
        }
        a->results++;
        rc = mysql_next_result(s->mysql);
    }
    return rc > 0 ? 1 : 0;
}

enum stay_rc mysql_session_receive(struct mysql_session *s, int64_t deadline_mono_us,
                                   mysql_row_fn fn, void *arg, unsigned *ret_results,
                                   struct stay_error *err)
{
    if (s->mysql == NULL)
        return not_open(err);
    struct answer a = {.fn = fn, .arg = arg};
    mysql_session_begin(s, deadline_mono_us);
    mysql_session_lend_buffer(s);
    int how = read_answer(s, &a);
    mysql_session_drop_buffer(s);
    mysql_session_end();
    if (ret_results != NULL)
        *ret_results = a.results;
    if (how == 1)
        return fail(s, err);
    if (how == 2) {
        mysql_session_close(s);
        return stay_error(err, STAY_ECORRUPT, "answer passes %d rows, %u bytes or %d columns",
                          MYSQL_SESSION_ROWS_MAX, MYSQL_SESSION_BYTES_MAX,
                          MYSQL_SESSION_COLUMNS_MAX);
    }
    s->used_mono_us = real_clock_mono_us();
    return STAY_OK;
}

enum stay_rc mysql_session_run(struct mysql_session *s, const char *sql, int64_t deadline_mono_us,
                               mysql_row_fn fn, void *arg, struct stay_error *err)
{
    enum stay_rc rc = mysql_session_send(s, sql, deadline_mono_us, err);
    return rc != STAY_OK ? rc : mysql_session_receive(s, deadline_mono_us, fn, arg, NULL, err);
}

static void keep_first(void *arg, const struct mysql_row *row)
{
    char **text = arg;
    if (*text == NULL && row->columns > 0 && row->values[0] != NULL)
        *text = stay_strdup(row->values[0]);
}

enum stay_rc mysql_session_text(struct mysql_session *s, const char *sql, int64_t deadline_mono_us,
                                char **ret_text, struct stay_error *err)
{
    char *text = NULL;
    enum stay_rc rc = mysql_session_run(s, sql, deadline_mono_us, keep_first, &text, err);
    if (rc == STAY_OK)
        *ret_text = text;
    else
        free(text);
    return rc;
}

char *mysql_quote(const char *text)
{
    struct str out = {0};
    str_add_char(&out, '\'');
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '\'' || *c == '\\')
            str_add_char(&out, '\\');
        str_add_char(&out, *c);
    }
    str_add_char(&out, '\'');
    return str_take(&out);
}

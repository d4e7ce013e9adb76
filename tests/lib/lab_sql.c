/* SQL for the lab: always over the server's unix socket, which no network fault reaches. */
#include <mysql.h>

#include "tests/lib/lab_private.h"

static MYSQL *open_socket(struct lab *lab, const struct lab_host *server, const char *user,
                          const char *password)
{
    MYSQL *db = mysql_init(NULL);
    must(db != NULL);
    unsigned wait_s = 2, read_s = 60;
    mysql_options(db, MYSQL_OPT_CONNECT_TIMEOUT, &wait_s);
    mysql_options(db, MYSQL_OPT_READ_TIMEOUT, &read_s);
    struct lab_path path = lab_path(lab, "data/%s.sock", server->name);
    if (mysql_real_connect(db, NULL, user, password, NULL, 0, path.s, CLIENT_MULTI_STATEMENTS) !=
        NULL)
        return db;
    (void)lab_fail(lab, "%s: (%u) %s", server->name, mysql_errno(db), mysql_error(db));
    mysql_close(db);
    return NULL;
}

static void write_rows(FILE *out, MYSQL_RES *result, bool *first)
{
    unsigned columns = mysql_num_fields(result);
    for (MYSQL_ROW row = mysql_fetch_row(result); row != NULL; row = mysql_fetch_row(result)) {
        if (!*first)
            fputc('\n', out);
        *first = false;
        for (unsigned i = 0; i < columns; i++)
            fprintf(out, "%s%s", i == 0 ? "" : "\t", row[i] == NULL ? "NULL" : row[i]);
    }
}

static bool run_statements(struct lab *lab, MYSQL *db, const char *node, const char *statement,
                           FILE *out)
{
    bool first = true;
    int more = mysql_query(db, statement);
    while (more == 0) {
        MYSQL_RES *result = mysql_store_result(db);
        if (result != NULL) {
            write_rows(out, result, &first);
            mysql_free_result(result);
        }
        more = mysql_next_result(db);
    }
    if (mysql_errno(db) == 0)
        return true;
    return lab_fail(lab, "%s: (%u) %s: %.200s", node, mysql_errno(db), mysql_error(db), statement);
}

bool lab_sql_as(struct lab *lab, const char *node, const char *user, const char *statement,
                char **ret_text)
{
    const struct lab_host *server = lab_server_of(lab, node);
    if (server == NULL)
        return false;
    bool ours = strcmp(user, "root") != 0;
    const char *account = strncmp(user, "mainstay_", 9) == 0 ? user + 9 : user;
    STAY_AUTO(stay_free_charp) char *password = ours ? lab_secret(lab, account) : NULL;
    MYSQL *db = open_socket(lab, server, user, password);
    if (db == NULL)
        return false;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    must(out != NULL);
    bool ok = run_statements(lab, db, node, statement, out);
    mysql_close(db);
    fclose(out);
    if (ok && ret_text != NULL)
        *ret_text = text;
    else
        free(text);
    return ok;
}

bool lab_sql(struct lab *lab, const char *node, const char *statement, char **ret_text)
{
    return lab_sql_as(lab, node, "root", statement, ret_text);
}

bool lab_wait_sql(struct lab *lab, const char *node, const char *statement, const char *expected,
                  int timeout_s)
{
    int64_t due = lab_now_us() + timeout_s * STAY_SECOND;
    for (;;) {
        STAY_AUTO(stay_free_charp) char *text = NULL;
        bool ok = lab_sql(lab, node, statement, &text);
        if (ok && strcmp(text, expected) == 0)
            return true;
        if (lab_now_us() > due)
            return ok ? lab_fail(lab, "%s: after %d s '%.200s' gives '%.300s', not '%s'", node,
                                 timeout_s, statement, text, expected)
                      : false;
        lab_sleep_ms(20);
    }
}

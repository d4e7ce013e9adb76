/* The questions, one after the other over one session: the controller's own for facts, and three of
 * the crawl's. */
#include "controller/discover/ask_server.h"

#include <netdb.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io/real_clock.h"
#include "probes/mysql_facts.h"

struct asking {
    struct mysql_session *session;
    struct mysql_target target;
    const struct ask_accounts *accounts;
    int64_t deadline_mono_us;
    struct crawl_answer *answer;
};

static const char *value_of(const struct mysql_row *row, const char *name)
{
    for (unsigned i = 0; i < row->columns; i++)
        if (strcasecmp(row->names[i], name) == 0 && row->values[i] != NULL)
            return row->values[i];
    return "";
}

static uint64_t number_of(const struct mysql_row *row, const char *name, uint64_t max)
{
    char *end;
    const char *text = value_of(row, name);
    unsigned long long value = strtoull(text, &end, 10);
    return end == text || *end != '\0' || value > max ? 0 : value;
}

static void take_identity(void *arg, const struct mysql_row *row)
{
    struct crawl_answer *answer = arg;
    bool is_mariadb = strstr(value_of(row, "version"), "MariaDB") != NULL;
    answer->engine = is_mariadb ? ENGINE_MARIADB : ENGINE_MYSQL;
    answer->port = (uint16_t)number_of(row, "port", UINT16_MAX);
    (void)stay_copy(answer->hostname, sizeof answer->hostname, value_of(row, "hostname"));
    (void)stay_copy(answer->datadir, sizeof answer->datadir, value_of(row, "datadir"));
}

static void take_row(void *arg, const struct mysql_row *row)
{
    struct crawl_answer *answer = arg;
    if (answer->row_count == CRAWL_ROWS_MAX)
        return;
    struct crawl_row *to = &answer->rows[answer->row_count++];
    to->server_id = number_of(row, "Server_Id", UINT32_MAX);
    to->port = (uint16_t)number_of(row, "Port", UINT16_MAX);
    (void)stay_copy(to->host, sizeof to->host, value_of(row, "Host"));
}

struct shown_grants {
    struct mysql_grants list;
    bool has_process;
};

static void take_grant(void *arg, const struct mysql_row *row)
{
    struct shown_grants *grants = arg;
    const char *line = row->columns > 0 ? row->values[0] : NULL;
    if (line == NULL)
        return;
    mysql_grants_add(&grants->list, line);
    grants->has_process |=
        strstr(line, "PROCESS") != NULL || strstr(line, "ALL PRIVILEGES ON *.*") != NULL;
}

static void take_role(void *arg, const struct mysql_row *row)
{
    struct mysql_grants *grants = arg;
    grants->no_role =
        row->columns > 0 && row->values[0] != NULL && strcmp(row->values[0], "NONE") == 0;
}

/* The number of the server's end of the connection. */
static void note_peer(const struct asking *a)
{
    struct sockaddr_storage peer;
    socklen_t length = sizeof peer;
    int fd = mysql_session_poll_fd(a->session);
    if (fd < 0)
        return;
    if (getpeername(fd, (struct sockaddr *)&peer, &length) != 0 ||
        getnameinfo((struct sockaddr *)&peer, length, a->answer->peer, sizeof a->answer->peer, NULL,
                    0, NI_NUMERICHOST) != 0)
        a->answer->peer[0] = '\0';
}

static enum stay_rc run(const struct asking *a, const char *sql, mysql_row_fn fn, void *arg,
                        struct stay_error *err)
{
    return mysql_session_run(a->session, sql, a->deadline_mono_us, fn, arg, err);
}

static const char *list_sql(const struct asking *a)
{
    bool is_new = a->target.engine == ENGINE_MYSQL && mysql_session_version(a->session) >= 80022;
    return is_new ? "SHOW REPLICAS" : "SHOW SLAVE HOSTS";
}

static enum stay_rc list_as(const struct asking *a, const struct mysql_account *account)
{
    struct reach reach = {0};
    struct mysql_session *s = mysql_session_new();
    enum stay_rc rc = mysql_session_open(s, &a->target, account, a->deadline_mono_us, &reach, NULL);
    if (rc == STAY_OK)
        rc = mysql_session_run(s, list_sql(a), a->deadline_mono_us, take_row, a->answer, NULL);
    mysql_session_free(s);
    return rc;
}

static void list_replicas(const struct asking *a)
{
    const struct mysql_account *other =
        a->target.engine == ENGINE_MARIADB ? &a->accounts->operate : &a->accounts->replicate;
    enum stay_rc rc = run(a, list_sql(a), take_row, a->answer, NULL);
    if (rc != STAY_OK && other->user[0] != '\0')
        rc = list_as(a, other);
    a->answer->lists_replicas = rc == STAY_OK ? TRI_YES : TRI_NO;
}

/* What the monitor account lacks goes to the facts, as the controller keeps it. */
static void check_grants(const struct asking *a)
{
    struct shown_grants grants = {0};
    struct server_facts *facts = &a->answer->facts;
    enum stay_rc rc = run(a, "SHOW GRANTS", take_grant, &grants, NULL);
    if (rc == STAY_OK && a->target.engine == ENGINE_MYSQL)
        rc = run(a, "SELECT CURRENT_ROLE()", take_role, &grants.list, NULL);
    if (rc == STAY_OK) {
        a->answer->shows_threads = grants.has_process ? TRI_YES : TRI_NO;
        (void)mysql_grants_check(&grants.list, a->target.engine, ACCOUNT_OF_MONITOR,
                                 a->accounts->monitor.user, facts->missing_grant,
                                 sizeof facts->missing_grant);
    }
    mysql_grants_clear(&grants.list);
}

/* A group that fails leaves nothing of itself. */
static bool read_group(const struct asking *a, enum fact_group group, struct reach *reach)
{
    struct server_facts facts = {0};
    enum stay_rc rc = mysql_facts_read(a->session, a->target.engine, group, a->deadline_mono_us,
                                       &facts, reach, NULL);
    if (rc == STAY_OK) {
        server_facts_merge(&a->answer->facts, &facts, group);
        a->answer->groups |= group;
    }
    server_facts_clear(&facts);
    return rc == STAY_OK;
}

static void ask_open(struct asking *a)
{
    struct crawl_answer *answer = a->answer;
    struct reach ignored;
    struct stay_error err = {0};
    int64_t begun_us = real_clock_mono_us();
    enum stay_rc rc = run(a,
                          "SELECT VERSION() AS version, @@GLOBAL.port AS port, "
                          "@@GLOBAL.hostname AS hostname, @@GLOBAL.datadir AS datadir",
                          take_identity, answer, &err);
    if (rc != STAY_OK || answer->engine == ENGINE_NONE) {
        answer->reach = (struct reach){.layer = LAYER_QUERY,
                                       .outcome = rc == STAY_ETIMEDOUT ? OUT_TIMEOUT
                                                  : rc == STAY_EDENIED ? OUT_DENIED
                                                                       : OUT_BAD_REPLY,
                                       .native = err.native};
        (void)stay_copy(answer->reach.text, sizeof answer->reach.text, err.text);
        return;
    }
    a->target.engine = answer->engine;
    if (!read_group(a, FACTS_STATUS, &answer->reach)) {
        if (answer->reach.outcome == OUT_DENIED)
            check_grants(a);
        if (answer->facts.missing_grant[0] != '\0') /* says more than the server's refusal */
            (void)stay_copy(answer->reach.text, sizeof answer->reach.text,
                            answer->facts.missing_grant);
        return;
    }
    answer->begun_wall_s = real_clock_wall_us() / STAY_SECOND - (int64_t)answer->facts.uptime_s;
    answer->begun_within_s = 2 + (real_clock_mono_us() - begun_us) / STAY_SECOND;
    (void)read_group(a, FACTS_SLOW, &ignored);
    (void)read_group(a, FACTS_START, &ignored);
    list_replicas(a);
    check_grants(a);
}

void ask_server(const struct mysql_target *target, const struct ask_accounts *accounts,
                int64_t deadline_mono_us, struct crawl_answer *ret_answer)
{
    struct asking a = {.session = mysql_session_new(),
                       .target = *target,
                       .accounts = accounts,
                       .deadline_mono_us = deadline_mono_us,
                       .answer = ret_answer};
    if (mysql_session_open(a.session, target, &accounts->monitor, deadline_mono_us,
                           &ret_answer->reach, NULL) == STAY_OK) {
        note_peer(&a);
        ask_open(&a);
    }
    mysql_session_free(a.session);
}

/* tests/lib/server_talk.c - a table of words per engine, and waiters as child processes. */
#include <mysql.h> /* before base.h, which bans calls its macros make */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/server_talk.h"

#define M_STATUS(name)                                                                             \
    "SELECT variable_value FROM information_schema.global_status WHERE variable_name="             \
    "'rpl_semi_sync_" name "'"
#define P_STATUS(name)                                                                             \
    "SELECT variable_value FROM performance_schema.global_status WHERE variable_name="             \
    "'Rpl_semi_sync_" name "'"

static const struct {
    const char *mariadb, *mysql;
} words[WORD_COUNT] = {
    [WORD_STOP_RECEIVER] = {"STOP SLAVE IO_THREAD", "STOP REPLICA IO_THREAD"},
    [WORD_START_RECEIVER] = {"START SLAVE IO_THREAD", "START REPLICA IO_THREAD"},
    [WORD_STOP_APPLIER] = {"STOP SLAVE SQL_THREAD", "STOP REPLICA SQL_THREAD"},
    [WORD_START_APPLIER] = {"START SLAVE SQL_THREAD", "START REPLICA SQL_THREAD"},
    [WORD_STOP_BOTH] = {"STOP SLAVE", "STOP REPLICA"},
    [WORD_START_BOTH] = {"START SLAVE", "START REPLICA"},
    [WORD_CHANGE_HEARTBEAT] = {"CHANGE MASTER TO MASTER_HEARTBEAT_PERIOD=0.6",
                               "CHANGE REPLICATION SOURCE TO SOURCE_HEARTBEAT_PERIOD=0.6"},
    [WORD_SOURCE_ON] = {"SET GLOBAL rpl_semi_sync_master_enabled=ON",
                        "SET GLOBAL rpl_semi_sync_source_enabled=ON"},
    [WORD_SOURCE_OFF] = {"SET GLOBAL rpl_semi_sync_master_enabled=OFF",
                         "SET GLOBAL rpl_semi_sync_source_enabled=OFF"},
    [WORD_REPLICA_ON] = {"SET GLOBAL rpl_semi_sync_slave_enabled=ON",
                         "SET GLOBAL rpl_semi_sync_replica_enabled=ON"},
    [WORD_REPLICA_OFF] = {"SET GLOBAL rpl_semi_sync_slave_enabled=OFF",
                          "SET GLOBAL rpl_semi_sync_replica_enabled=OFF"},
    [WORD_READ_ONLY] = {"SET GLOBAL read_only=ON", "SET GLOBAL super_read_only=ON"},
    [WORD_WRITABLE] = {"SET GLOBAL read_only=OFF",
                       "SET GLOBAL super_read_only=OFF; SET GLOBAL read_only=OFF"},
    [WORD_EXECUTED] = {"SELECT @@gtid_current_pos", "SELECT REPLACE(@@gtid_executed, '\n', '')"},
    [WORD_ROWS] = {"SELECT COUNT(*) FROM shop.ledger", "SELECT COUNT(*) FROM shop.ledger"},
    [WORD_CLIENTS] = {M_STATUS("master_clients"), P_STATUS("source_clients")},
    [WORD_WAITERS] = {M_STATUS("master_wait_sessions"), P_STATUS("source_wait_sessions")},
    [WORD_SOURCE_STATUS] = {M_STATUS("master_status"), P_STATUS("source_status")},
    [WORD_REPLICA_STATUS] = {M_STATUS("slave_status"), P_STATUS("replica_status")},
    [WORD_NO_TX] = {M_STATUS("master_no_tx"), P_STATUS("source_no_tx")},
    [WORD_YES_TX] = {M_STATUS("master_yes_tx"), P_STATUS("source_yes_tx")},
    [WORD_NO_TIMES] = {M_STATUS("master_no_times"), P_STATUS("source_no_times")},
};

const char *talk_word(const struct lab *lab, enum talk_word word)
{
    return lab_engine_of(lab) == LAB_MYSQL ? words[word].mysql : words[word].mariadb;
}

void talk_do(struct lab *lab, const char *node, enum talk_word word)
{
    LAB_MUST(lab, lab_sql(lab, node, talk_word(lab, word), NULL));
}

char *talk_ask(struct lab *lab, const char *node, enum talk_word word)
{
    return scenario_value(lab, node, talk_word(lab, word));
}

long talk_number(struct lab *lab, const char *node, enum talk_word word)
{
    STAY_AUTO(stay_free_charp) char *text = talk_ask(lab, node, word);
    return strtol(text, NULL, 10);
}

void talk_wait(struct lab *lab, const char *node, enum talk_word word, const char *expected,
               int timeout_s)
{
    LAB_MUST(lab, lab_wait_sql(lab, node, talk_word(lab, word), expected, timeout_s));
}

void talk_diverge(struct lab *lab, const char *node)
{
    bool mysql = lab_engine_of(lab) == LAB_MYSQL; /* MariaDB's root passes read_only */
    if (mysql)
        talk_do(lab, node, WORD_WRITABLE);
    LAB_MUST(lab,
             lab_sql(lab, node, "INSERT INTO shop.ledger (client, seq) VALUES (9999, 1)", NULL));
    if (mysql)
        talk_do(lab, node, WORD_READ_ONLY);
}

void talk_insert(struct lab *lab, const char *node, int n)
{
    static int seq;
    for (int i = 0; i < n; i++) {
        STAY_AUTO(stay_free_charp)
        char *insert =
            stay_sprintf("INSERT INTO shop.ledger (client, seq) VALUES (900, %d)", ++seq);
        LAB_MUST(lab, lab_sql(lab, node, insert, NULL));
    }
}

int talk_ms_since(int64_t since_us)
{
    return (int)((lab_now_us() - since_us) / 1000);
}

/* lab_sql answers values without their names, and these statements have many columns. */
char *talk_replica(struct lab *lab, const char *node, const char *mariadb, const char *mysql)
{
    const char *column = lab_engine_of(lab) == LAB_MYSQL ? mysql : mariadb;
    STAY_AUTO(stay_free_charp) char *path = stay_sprintf("%s/data/%s.sock", lab_dir(lab), node);
    MYSQL *db = mysql_init(NULL);
    must(db != NULL);
    unsigned wait_s = 5;
    mysql_options(db, MYSQL_OPT_CONNECT_TIMEOUT, &wait_s);
    mysql_options(db, MYSQL_OPT_READ_TIMEOUT, &wait_s);
    if (mysql_real_connect(db, NULL, "root", NULL, NULL, 0, path, 0) == NULL ||
        mysql_query(db, scenario_pick(lab, "SHOW ALL SLAVES STATUS", "SHOW REPLICA STATUS")) != 0)
        scenario_fail("%s: replica status: (%u) %s", node, mysql_errno(db), mysql_error(db));
    MYSQL_RES *result = mysql_store_result(db);
    MYSQL_ROW row = result == NULL ? NULL : mysql_fetch_row(result);
    char *value = NULL;
    for (unsigned i = 0; row != NULL && i < mysql_num_fields(result); i++)
        if (strcmp(mysql_fetch_field_direct(result, i)->name, column) == 0)
            value = stay_strdup(row[i] == NULL ? "" : row[i]);
    if (row != NULL && value == NULL)
        scenario_fail("%s: no column %s in the replica status", node, column);
    mysql_free_result(result);
    mysql_close(db);
    return value == NULL ? stay_strdup("") : value;
}

struct waiter {
    pid_t pid;
    int fd;
    bool is_done;
    unsigned code;
};

/* "db1: (2013) Lost connection ..." */
static unsigned code_in(const char *error)
{
    const char *at = strchr(error, '(');
    return at == NULL ? 2000 : (unsigned)strtoul(at + 1, NULL, 10);
}

struct waiter *waiter_start(struct lab *lab, const char *node, const char *user,
                            const char *statement)
{
    int ends[2];
    must(pipe2(ends, O_CLOEXEC) == 0);
    fflush(NULL);
    pid_t pid = fork();
    must(pid >= 0);
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        unsigned code = lab_sql_as(lab, node, user, statement, NULL) ? 0 : code_in(lab_error(lab));
        ssize_t n = write(ends[1], &code, sizeof code);
        _exit(n == (ssize_t)sizeof code ? 0 : 1);
    }
    close(ends[1]);
    struct waiter *waiter = stay_calloc(1, sizeof *waiter);
    *waiter = (struct waiter){.pid = pid, .fd = ends[0]};
    return waiter;
}

bool waiter_has_answer(struct waiter *waiter, int timeout_ms, unsigned *ret_code)
{
    struct pollfd on = {.fd = waiter->fd, .events = POLLIN};
    if (!waiter->is_done && poll(&on, 1, timeout_ms) == 1) {
        if (read(waiter->fd, &waiter->code, sizeof waiter->code) != (ssize_t)sizeof waiter->code)
            scenario_fail("a waiter's process ended without an answer");
        waiter->is_done = true;
    }
    if (ret_code != NULL)
        *ret_code = waiter->code;
    return waiter->is_done;
}

void waiter_end(struct waiter *waiter)
{
    (void)kill(waiter->pid, SIGKILL);
    (void)waitpid(waiter->pid, NULL, 0);
    close(waiter->fd);
    free(waiter);
}

void talk_come_up(struct lab *lab, const char *node, const char *primary, int timeout_s)
{
    const char *position =
        scenario_pick(lab, "SELECT @@gtid_binlog_pos", "SELECT REPLACE(@@gtid_executed, '\n', '')");
    const char *wait = scenario_pick(lab, "MASTER_GTID_WAIT", "WAIT_FOR_EXECUTED_GTID_SET");
    if (strcmp(node, primary) == 0)
        return;
    STAY_AUTO(stay_free_charp) char *all = scenario_value(lab, primary, position);
    STAY_AUTO(stay_free_charp) char *sql = stay_sprintf("SELECT %s('%s', 1)", wait, all);
    LAB_MUST(lab, lab_wait_sql(lab, node, sql, "0", timeout_s));
}

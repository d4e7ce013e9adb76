/* tests/lib/server_position.c - relay logs read by SHOW RELAYLOG EVENTS; see the header. */
#include "tests/lib/server_position.h"

#include "tests/lib/server_talk.h"

/* The last number of a position ("0-1-17"), 0 when it is empty. */
static long number_of(const char *position)
{
    const char *dash = strrchr(position, '-');
    return dash == NULL ? 0 : strtol(dash + 1, NULL, 10);
}

/* MariaDB: number of what is in the binary log or executed by the applier, in the lab's one domain;
 * the same facts the controller reads. */
static long executed_mariadb(struct lab *lab, const char *node)
{
    STAY_AUTO(stay_free_charp)
    char *logged = scenario_value(lab, node, "SELECT @@gtid_binlog_pos");
    STAY_AUTO(stay_free_charp)
    char *applied = scenario_value(lab, node, "SELECT @@gtid_slave_pos");
    long last = number_of(logged), done = number_of(applied);
    return last > done ? last : done;
}

static bool is_executed(struct lab *lab, const char *node, const char *gtid)
{
    if (lab_engine_of(lab) == LAB_MARIADB)
        return number_of(gtid) <= executed_mariadb(lab, node);
    STAY_AUTO(stay_free_charp)
    char *ask = stay_sprintf("SELECT GTID_SUBSET('%s', @@gtid_executed)", gtid);
    STAY_AUTO(stay_free_charp) char *is = scenario_value(lab, node, ask);
    return strcmp(is, "1") == 0;
}

/* One line of SHOW RELAYLOG EVENTS begins a transaction that is not executed. */
static bool is_unapplied(struct lab *lab, const char *node, const char *event)
{
    if (strstr(event, "\tGtid\t") == NULL)
        return false;
    const char *info = strrchr(event, '\t') + 1;
    const char *mark = scenario_pick(lab, "GTID ", "GTID_NEXT= '");
    const char *at = strstr(info, mark);
    if (at == NULL)
        scenario_fail("%s: a relay log event without a GTID: %s", node, info);
    at += strlen(mark);
    STAY_AUTO(stay_free_charp) char *gtid = stay_sprintf("%.*s", (int)strcspn(at, "' "), at);
    return !is_executed(lab, node, gtid);
}

bool position_unapplied(struct lab *lab, const char *node, uint32_t *ret)
{
    STAY_AUTO(stay_free_charp) char *path = stay_sprintf("data/%s/relay.index", node);
    STAY_AUTO(stay_free_charp) char *files = scenario_file(lab, path);
    char *next_file = NULL;
    *ret = 0;
    for (char *file = strtok_r(files, "\n", &next_file); file != NULL;
         file = strtok_r(NULL, "\n", &next_file)) {
        const char *slash = strrchr(file, '/');
        STAY_AUTO(stay_free_charp)
        char *ask = stay_sprintf("SHOW RELAYLOG EVENTS IN '%s'", slash == NULL ? file : slash + 1);
        STAY_AUTO(stay_free_charp) char *events = NULL;
        if (!lab_sql(lab, node, ask, &events))
            return false;
        char *next = NULL;
        for (char *event = strtok_r(events, "\n", &next); event != NULL;
             event = strtok_r(NULL, "\n", &next))
            *ret += is_unapplied(lab, node, event);
    }
    return true;
}

bool position_claims_more(struct lab *lab, const char *node)
{
    if (lab_engine_of(lab) == LAB_MARIADB) {
        STAY_AUTO(stay_free_charp) char *received = talk_replica(lab, node, "Gtid_IO_Pos", "");
        return number_of(received) > executed_mariadb(lab, node);
    }
    STAY_AUTO(stay_free_charp)
    char *is = scenario_value(lab, node,
                              "SELECT GTID_SUBSET(received_transaction_set, @@gtid_executed) FROM "
                              "performance_schema.replication_connection_status");
    return strcmp(is, "0") == 0;
}

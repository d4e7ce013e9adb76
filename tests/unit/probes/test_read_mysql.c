/* Rows of both engines become the same facts, and nothing a server sends is trusted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "probes/mysql_query.h"

struct reading {
    struct server_facts facts;
    struct mysql_reader reader;
};

static void begin(struct reading *r, enum engine engine)
{
    *r = (struct reading){0};
    mysql_reader_init(&r->reader, engine, &r->facts);
}

static void end(struct reading *r)
{
    mysql_reader_clear(&r->reader);
    server_facts_clear(&r->facts);
}

static void pair(struct reading *r, const char *name, const char *value)
{
    const char *names[] = {"Variable_name", "Value"}, *values[] = {name, value};
    mysql_reader_row(&r->reader, PART_PAIRS, 2, names, values);
}

static void basics(struct reading *r, const char *executed_name, const char *executed)
{
    pair(r, "server_id", "7");
    pair(r, "Uptime", "120");
    pair(r, "read_only", "ON");
    pair(r, executed_name, executed);
}

static bool holds(const struct gtid_set *set, enum gtid_flavor flavor, const char *text)
{
    struct gtid_set want = {0};
    assert_int_equal(gtid_set_parse(flavor, text, &want, NULL), STAY_OK);
    bool equal = gtid_set_equal(set, &want);
    gtid_set_clear(&want);
    return equal;
}

static void mariadb_executed_is_binlog_state_and_applied_together(void **state)
{
    (void)state;
    struct reading r;
    begin(&r, ENGINE_MARIADB);
    basics(&r, "gtid_binlog_state", "0-1-10,0-2-12");
    pair(&r, "gtid_slave_pos", "0-3-15");
    assert_int_equal(mysql_reader_finish(&r.reader, FACTS_STATUS, NULL), STAY_OK);
    assert_true(holds(&r.facts.executed, GTID_MARIADB, "0-1-10,0-2-12,0-3-15"));
    assert_int_equal(r.facts.read_only, TRI_YES);
    assert_int_equal(r.facts.super_read_only, TRI_YES);
    assert_int_equal(r.facts.receiver, RECEIVER_NONE);
    assert_int_equal(r.facts.ss_wait_count, 1);
    end(&r);
}

static void mariadb_replica_row_gives_receiver_applier_and_received(void **state)
{
    (void)state;
    const char *names[] = {"Connection_name", "Slave_IO_Running", "Slave_SQL_Running", "Master_Host",
                           "Master_Port", "Gtid_IO_Pos", "Last_IO_Errno", "Seconds_Behind_Master",
                           "Slave_heartbeat_period", "Replicate_Do_DB",
                           "Slave_received_heartbeats"};
    const char *values[] = {"", "Connecting", "Yes", "10.1.0.11", "3306", "0-1-12", "2003", NULL,
                            "0.500", "", "0"};
    struct reading r;
    begin(&r, ENGINE_MARIADB);
    basics(&r, "gtid_binlog_state", "0-1-10");
    mysql_reader_row(&r.reader, PART_REPLICA, STAY_COUNT(names), names, values);
    assert_int_equal(mysql_reader_finish(&r.reader, FACTS_STATUS, NULL), STAY_OK);
    assert_int_equal(r.facts.receiver, RECEIVER_CONNECTING);
    assert_int_equal(r.facts.applier, TRI_YES);
    assert_string_equal(r.facts.source_host, "10.1.0.11");
    assert_int_equal(r.facts.source_port, 3306);
    assert_int_equal(r.facts.receiver_errno, 2003);
    assert_int_equal(r.facts.lag_s, -1);
    assert_int_equal(r.facts.heartbeat_ms, 500);
    assert_int_equal(r.facts.beats_shown, TRI_YES); /* none has come yet: counted all the same */
    assert_int_equal(r.facts.filters, TRI_NO);
    assert_true(holds(&r.facts.received, GTID_MARIADB, "0-1-12"));
    assert_true(holds(&r.facts.executed, GTID_MARIADB, "0-1-10"));
    end(&r);
}

static void a_named_channel_is_not_this_cluster(void **state)
{
    (void)state;
    const char *names[] = {"Connection_name", "Slave_IO_Running", "Master_Host"};
    const char *values[] = {"import", "Yes", "elsewhere"};
    struct reading r;
    begin(&r, ENGINE_MARIADB);
    basics(&r, "gtid_binlog_state", "");
    mysql_reader_row(&r.reader, PART_REPLICA, 3, names, values);
    assert_int_equal(mysql_reader_finish(&r.reader, FACTS_STATUS, NULL), STAY_OK);
    assert_int_equal(r.facts.receiver, RECEIVER_NONE);
    assert_string_equal(r.facts.source_host, "");
    end(&r);
}

#define U1 "3e11fa47-71ca-11e1-9e33-c80aa9429562"

static void mysql_old_and_new_names_give_equal_facts(void **state)
{
    (void)state;
    static const char *const spellings[2][6] = {
        {"rpl_semi_sync_source_enabled", "Rpl_semi_sync_source_wait_sessions",
         "rpl_semi_sync_source_wait_point", "Rpl_semi_sync_replica_status", "Replica_IO_Running",
         "Source_Host"},
        {"rpl_semi_sync_master_enabled", "Rpl_semi_sync_master_wait_sessions",
         "rpl_semi_sync_master_wait_point", "Rpl_semi_sync_slave_status", "Slave_IO_Running",
         "Master_Host"}};
    for (int i = 0; i < 2; i++) {
        struct reading r;
        const char *names[] = {"Channel_Name", spellings[i][4], spellings[i][5],
                               "Retrieved_Gtid_Set"};
        const char *values[] = {"", "Yes", "db1", U1 ":4-9"};
        begin(&r, ENGINE_MYSQL);
        basics(&r, "gtid_executed", U1 ":1-5");
        pair(&r, spellings[i][0], "ON");
        pair(&r, spellings[i][1], "3");
        pair(&r, spellings[i][2], "AFTER_COMMIT");
        pair(&r, spellings[i][3], "OFF");
        mysql_reader_row(&r.reader, PART_REPLICA, 4, names, values);
        assert_int_equal(mysql_reader_finish(&r.reader, FACTS_STATUS, NULL), STAY_OK);
        assert_int_equal(r.facts.ss_source_enabled, TRI_YES);
        assert_int_equal(r.facts.ss_waiters, 3);
        assert_int_equal(r.facts.ss_after_sync, TRI_NO);
        assert_int_equal(r.facts.ss_replica_on, TRI_NO);
        assert_int_equal(r.facts.receiver, RECEIVER_RUNNING);
        assert_string_equal(r.facts.source_host, "db1");
        assert_true(holds(&r.facts.received, GTID_MYSQL, U1 ":1-9"));
        end(&r);
    }
}

static void what_does_not_parse_is_a_bad_reply(void **state)
{
    (void)state;
    static const char *const bad[][2] = {{"server_id", "seven"}, {"Uptime", "-1"},
                                         {"Uptime", ""}, {"rpl_semi_sync_source_timeout", "1e9"},
                                         {"gtid_executed", "nonsense"},
                                         {"super_read_only", "maybe"}};
    for (size_t i = 0; i < STAY_COUNT(bad); i++) {
        struct reading r;
        struct stay_error e = {0};
        begin(&r, ENGINE_MYSQL);
        basics(&r, "gtid_executed", "");
        pair(&r, bad[i][0], bad[i][1]);
        assert_int_equal(mysql_reader_finish(&r.reader, FACTS_STATUS, &e), STAY_ECORRUPT);
        assert_true(e.text[0] != '\0');
        end(&r);
    }
}

static void a_missing_required_value_is_a_bad_reply(void **state)
{
    (void)state;
    static const char *const need[] = {"server_id", "Uptime", "read_only", "gtid_executed"};
    for (size_t missing = 0; missing < STAY_COUNT(need); missing++) {
        struct reading r;
        begin(&r, ENGINE_MYSQL);
        for (size_t i = 0; i < STAY_COUNT(need); i++)
            if (i != missing)
                pair(&r, need[i], i == 3 ? "" : "1");
        assert_int_equal(mysql_reader_finish(&r.reader, FACTS_STATUS, NULL), STAY_ECORRUPT);
        end(&r);
    }
}

static void a_value_set_at_run_time_hides_its_start_value(void **state)
{
    (void)state;
    const char *names[] = {"n", "v", "o", "p"};
    const char *hidden[] = {"READ_ONLY", "ON", "SQL", NULL};
    const char *from_file[] = {"RELAY_LOG_RECOVERY", "OFF", "CONFIG", NULL};
    const char *persisted[] = {"rpl_semi_sync_source_enabled", "ON", "DYNAMIC", "OFF"};
    struct reading r;
    begin(&r, ENGINE_MYSQL);
    mysql_reader_row(&r.reader, PART_START, 3, names, hidden);
    mysql_reader_row(&r.reader, PART_START, 3, names, from_file);
    mysql_reader_row(&r.reader, PART_START, 4, names, persisted);
    assert_int_equal(mysql_reader_finish(&r.reader, FACTS_START, NULL), STAY_OK);
    assert_int_equal(r.facts.start_read_only, TRI_UNKNOWN);
    assert_int_equal(r.facts.start_relay_log_recovery, TRI_NO);
    assert_int_equal(r.facts.start_ss_source, TRI_NO);
    end(&r);
}

static void mysql_starts_read_only_by_super_read_only_alone(void **state)
{
    (void)state;
    const char *names[] = {"n", "v", "o", "p"};
    const char *plain[] = {"read_only", "ON", "GLOBAL", NULL};
    const char *super_off[] = {"super_read_only", "OFF", "COMPILED", NULL};
    const char *super_on[] = {"super_read_only", "ON", "GLOBAL", NULL};
    struct reading r;
    begin(&r, ENGINE_MYSQL);
    mysql_reader_row(&r.reader, PART_START, 4, names, plain);
    assert_int_equal(r.facts.start_read_only, TRI_UNKNOWN);
    mysql_reader_row(&r.reader, PART_START, 4, names, super_off);
    assert_int_equal(r.facts.start_read_only, TRI_NO);
    mysql_reader_row(&r.reader, PART_START, 4, names, super_on);
    assert_int_equal(r.facts.start_read_only, TRI_YES);
    end(&r);
    begin(&r, ENGINE_MARIADB);
    mysql_reader_row(&r.reader, PART_START, 3, names, plain);
    assert_int_equal(r.facts.start_read_only, TRI_YES);
    end(&r);
}

static void weaker_values_of_a_restart_are_seen(void **state)
{
    (void)state;
    const char *names[] = {"n", "v", "o"};
    const char *rows[][3] = {{"SYNC_BINLOG", "0", "COMPILE-TIME"},
                             {"INNODB_FLUSH_LOG_AT_TRX_COMMIT", "1", "CONFIG"},
                             {"BINLOG_FORMAT", "MIXED", "COMPILE-TIME"},
                             {"GTID_STRICT_MODE", "ON", "SQL"}};
    struct reading r;
    begin(&r, ENGINE_MARIADB);
    for (size_t i = 0; i < STAY_COUNT(rows); i++)
        mysql_reader_row(&r.reader, PART_START, 3, names, rows[i]);
    assert_int_equal(mysql_reader_finish(&r.reader, FACTS_START, NULL), STAY_OK);
    assert_int_equal(r.facts.start_sync_binlog, TRI_NO);
    assert_int_equal(r.facts.start_flush_log, TRI_YES);
    assert_int_equal(r.facts.start_format_row, TRI_NO);
    assert_int_equal(r.facts.start_gtid_strict, TRI_UNKNOWN); /* hidden by the SET */
    end(&r);
}

static void the_fuller_disk_counts_and_nonsense_does_not(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t free_kib, total_kib;
        bool is_good;
    } cases[] = {{"900/1000 5/100", 5, 100, true}, {"5/100 900/1000", 5, 100, true},
                 {"7/9", 7, 9, true},              {"", 0, 0, true},
                 {"9/7", 0, 0, false},             {"1/0", 0, 0, false},
                 {"5/100 x", 5, 100, false},       {"5", 0, 0, false},
                 {"1/99999999999999999999", 0, 0, false}};
    const char *names[] = {"disks"};
    for (size_t i = 0; i < STAY_COUNT(cases); i++) {
        struct reading r;
        begin(&r, ENGINE_MARIADB);
        mysql_reader_row(&r.reader, PART_VALUES, 1, names, &cases[i].text);
        assert_int_equal(mysql_reader_finish(&r.reader, FACTS_HOST, NULL),
                         cases[i].is_good ? STAY_OK : STAY_ECORRUPT);
        assert_int_equal(r.facts.disk_free, cases[i].free_kib * 1024);
        assert_int_equal(r.facts.disk_total, cases[i].total_kib * 1024);
        end(&r);
    }
}

static void a_filter_of_the_binary_log_is_seen(void **state)
{
    (void)state;
    const char *names[] = {"File", "Position", "Binlog_Do_DB", "Binlog_Ignore_DB"};
    const char *whole[] = {"bin.1", "4", "", ""}, *lacking[] = {"bin.1", "4", "", "audit"};
    struct reading r;
    begin(&r, ENGINE_MARIADB);
    mysql_reader_row(&r.reader, PART_LOG, 4, names, whole);
    assert_string_equal(r.facts.log_file, whole[0]);
    assert_int_equal(r.facts.log_filters, TRI_NO);
    mysql_reader_row(&r.reader, PART_LOG, 4, names, lacking);
    assert_int_equal(r.facts.log_filters, TRI_YES);
    end(&r);
}

/* MySQL shows its default admin_port, 33062, also where nothing listens on it. */
static void an_admin_port_counts_with_an_address_only(void **state)
{
    (void)state;
    for (int with = 0; with < 2; with++) {
        struct reading r;
        begin(&r, ENGINE_MYSQL);
        pair(&r, "version", "9.7.4");
        pair(&r, "admin_port", "33062");
        pair(&r, "admin_address", with ? "10.0.0.1" : "");
        assert_int_equal(mysql_reader_finish(&r.reader, FACTS_SLOW, NULL), STAY_OK);
        assert_int_equal(r.facts.extra_port, with ? 33062 : 0);
        end(&r);
    }
}

static void dump_peers_lose_their_port_and_are_bounded(void **state)
{
    (void)state;
    const char *names[] = {"Id", "User", "Host", "db", "Command"};
    struct reading r;
    begin(&r, ENGINE_MARIADB);
    for (int i = 0; i < DUMP_PEERS_MAX + 5; i++) {
        const char *values[] = {"9", "r", i == 1 ? "fd00::7:40112" : "10.1.0.12:40112", NULL,
                                "Binlog Dump"};
        const char *client[] = {"8", "app", "10.1.0.99:40112", NULL, "Query"};
        mysql_reader_row(&r.reader, PART_DUMPS, 5, names, client);
        mysql_reader_row(&r.reader, PART_DUMPS, 5, names, values);
    }
    assert_int_equal(r.facts.dump_peer_count, DUMP_PEERS_MAX);
    assert_string_equal(r.facts.dump_peers[0].host, "10.1.0.12");
    assert_string_equal(r.facts.dump_peers[1].host, "fd00::7");
    end(&r);
}

static void every_group_has_its_question(void **state)
{
    (void)state;
    static const enum fact_group groups[] = {FACTS_STATUS, FACTS_SLOW, FACTS_START};
    for (size_t i = 0; i < STAY_COUNT(groups); i++) {
        for (int e = ENGINE_MARIADB; e <= ENGINE_MYSQL; e++) {
            const struct mysql_query *q = mysql_query_for((enum engine)e, 0, groups[i]);
            assert_non_null(q);
            assert_true(q->required <= q->part_count && q->part_count <= MYSQL_PARTS_MAX);
        }
    }
    const struct mysql_query *slow = mysql_query_for(ENGINE_MYSQL, 80045, FACTS_SLOW);
    assert_non_null(strstr(slow->sql, "information_schema")); /* hangs behind an ALTER USER */
    assert_null(strstr(slow->sql_writable, "information_schema"));
    assert_memory_equal(slow->sql, slow->sql_writable, strlen(slow->sql_writable));
    assert_non_null(strstr(mysql_query_for(ENGINE_MYSQL, 80400, FACTS_SLOW)->sql, "BINARY LOG ST"));
    assert_non_null(strstr(mysql_query_for(ENGINE_MYSQL, 80045, FACTS_SLOW)->sql, "MASTER STATUS"));
    assert_null(mysql_query_for(ENGINE_MYSQL, 90000, FACTS_HOST)); /* no table shows its disk */
    assert_int_equal(mysql_query_for(ENGINE_MARIADB, 0, FACTS_HOST)->required, 0);
    assert_non_null(strstr(mysql_query_for(ENGINE_MYSQL, 80021, FACTS_STATUS)->sql, "SHOW SLAVE"));
    assert_non_null(strstr(mysql_query_for(ENGINE_MYSQL, 80045, FACTS_STATUS)->sql,
                           "SHOW REPLICA STATUS"));
}

/* NULL: no such file; without a binary log there is no row at all (1381). An earlier answer's must not stay. */
static void where_the_binary_log_began_is_read_or_unknown(void **state)
{
    (void)state;
    static const char *const names[] = {"log_began"};
    struct reading r;
    begin(&r, ENGINE_MARIADB);
    pair(&r, "version", "10.11.19-MariaDB-log");
    mysql_reader_row(&r.reader, PART_VALUES, 1, names, (const char *const[]){"3-1-1,0-1-11"});
    assert_int_equal(mysql_reader_finish(&r.reader, FACTS_SLOW, NULL), STAY_OK);
    assert_true(holds(&r.facts.log_began, GTID_MARIADB, "0-1-11,3-1-1"));
    mysql_reader_clear(&r.reader);
    mysql_reader_init(&r.reader, ENGINE_MARIADB, &r.facts);
    pair(&r, "version", "10.11.19-MariaDB");
    mysql_reader_row(&r.reader, PART_VALUES, 1, names, (const char *const[]){NULL});
    assert_int_equal(mysql_reader_finish(&r.reader, FACTS_SLOW, NULL), STAY_OK);
    assert_true(gtid_set_is_empty(&r.facts.log_began));
    end(&r);
}

static void the_canary_carries_epoch_and_time(void **state)
{
    (void)state;
    char *sql = mysql_canary_sql("shop", 12, INT64_C(1700000000000042));
    assert_non_null(strstr(sql, "'shop', 12,"));
    assert_non_null(strstr(sql, "FROM_UNIXTIME(1700000000.000042)"));
    free(sql);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mariadb_executed_is_binlog_state_and_applied_together),
        cmocka_unit_test(where_the_binary_log_began_is_read_or_unknown),
        cmocka_unit_test(mariadb_replica_row_gives_receiver_applier_and_received),
        cmocka_unit_test(a_named_channel_is_not_this_cluster),
        cmocka_unit_test(mysql_old_and_new_names_give_equal_facts),
        cmocka_unit_test(what_does_not_parse_is_a_bad_reply),
        cmocka_unit_test(a_missing_required_value_is_a_bad_reply),
        cmocka_unit_test(a_value_set_at_run_time_hides_its_start_value),
        cmocka_unit_test(mysql_starts_read_only_by_super_read_only_alone),
        cmocka_unit_test(weaker_values_of_a_restart_are_seen),
        cmocka_unit_test(the_fuller_disk_counts_and_nonsense_does_not),
        cmocka_unit_test(a_filter_of_the_binary_log_is_seen),
        cmocka_unit_test(an_admin_port_counts_with_an_address_only),
        cmocka_unit_test(dump_peers_lose_their_port_and_are_bounded),
        cmocka_unit_test(every_group_has_its_question),
        cmocka_unit_test(the_canary_carries_epoch_and_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

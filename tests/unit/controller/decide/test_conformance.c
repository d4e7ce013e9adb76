/* tests/unit/controller/decide/test_conformance.c - which settings `mainstay check` names, by
 * engine and version, what it says to do, and what may be set while the server runs. */
#include "cluster_world.h"

#include "controller/decide/verdict_conformance_private.h"

/* The row `row` about `node`; NULL: there is none. */
static const struct conformance *row_of(enum conformance_row row, uint32_t node)
{
    static struct conformance rows[64];
    size_t count = 0;
    const struct verdict_row *rules = verdict_conformance_rules(&count);
    size_t n = verdict_conformance(&w.view, w.now, rows, STAY_COUNT(rows));
    assert_true(n <= STAY_COUNT(rows));
    for (size_t i = 0; i < n; i++)
        if (rows[i].verdict.rule_id == rules[row].id && rows[i].verdict.node == node)
            return &rows[i];
    return NULL;
}

static void an_id_that_is_not_known_is_nobodys(void **state)
{
    (void)state;
    db(2)->facts.server_id = db(3)->facts.server_id;
    assert_non_null(row_of(ROW_CLONED_ID, 1));
    db(2)->facts.server_id = db(3)->facts.server_id = 0;
    assert_null(row_of(ROW_CLONED_ID, 1));
}

static void an_ack_of_the_primarys_own_zone_is_named(void **state)
{
    (void)state;
    (void)stay_copy(w.config.nodes[1].zone, sizeof w.config.nodes[1].zone, "a");
    assert_non_null(row_of(ROW_OWN_ZONE, 1));
    db(2)->facts.ss_replica_on = TRI_UNKNOWN; /* it may: nobody read it */
    assert_null(row_of(ROW_OWN_ZONE, 1));
    db(2)->facts.ss_replica_on = TRI_NO;
    assert_null(row_of(ROW_OWN_ZONE, 1));
}

/* Its status is unread since it began anew: whether its plugins are there is not known either. */
static void plugins_are_missed_by_who_was_read(void **state)
{
    (void)state;
    db(2)->facts.ss_source_enabled = db(2)->facts.ss_replica_enabled = TRI_UNKNOWN;
    assert_non_null(row_of(ROW_PLUGIN, 1));
    db(2)->groups_known = FACTS_SLOW | FACTS_START;
    assert_null(row_of(ROW_PLUGIN, 1));
}

static void an_acker_that_is_off_is_named_where_it_follows_the_primary(void **state)
{
    (void)state;
    db(2)->facts.ss_replica_on = TRI_NO;
    db(2)->facts.ss_replica_enabled = TRI_UNKNOWN;
    assert_string_equal(row_of(ROW_REPLICA_OFF, 1)->detail,
                        "rpl_semi_sync_slave_enabled is unknown, its status is OFF");
    db(2)->facts.ss_replica_enabled = TRI_NO;
    assert_non_null(strstr(row_of(ROW_REPLICA_OFF, 1)->detail, "is OFF, its status is OFF"));
    (void)stay_copy(db(2)->facts.source_host, sizeof db(2)->facts.source_host, "10.0.0.3");
    assert_null(row_of(ROW_REPLICA_OFF, 1));
}

static void only_versions_of_two_known_series_differ(void **state)
{
    (void)state;
    static const struct {
        const char *mine, *other;
        bool differ;
    } rows[] = {{"10.11.6-MariaDB", "10.11.9", false},
                {"10.11.6", "10.6.1", true},
                {"10.11.6", "11.11.6", true},
                {"", "10.6.1", false},
                {"10.11.6", "", false},
                {"10.11.6", "unknown", true},
                {"unknown", "10.11.6", true}};
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        (void)stay_copy(db(1)->facts.version, sizeof db(1)->facts.version, rows[i].mine);
        (void)stay_copy(db(2)->facts.version, sizeof db(2)->facts.version, rows[i].other);
        assert_int_equal(row_of(ROW_VERSIONS, 1) != NULL, rows[i].differ);
    }
}

static void rows_that_do_not_fit_are_counted(void **state)
{
    (void)state;
    struct conformance one;
    (void)stay_copy(db(2)->facts.version, sizeof db(2)->facts.version, "10.6.1");
    (void)stay_copy(db(3)->facts.version, sizeof db(3)->facts.version, "10.6.1");
    assert_int_equal(verdict_conformance(&w.view, w.now, &one, 1), 2);
    assert_int_equal(one.verdict.node, 1);
    assert_int_equal(verdict_conformance(&w.view, w.now, NULL, 0), 2);
}

/* As the server tells it: "user@host (POWERS) and n more"; any other text is shown as it is. */
static void accounts_with_powers_are_named_with_their_statement(void **state)
{
    (void)state;
    static const struct {
        const char *who;
        bool parsed;
    } rows[] = {{"app@10.% (SUPER)", true},       {"a@b@10.% (SUPER) and 2 more", true},
                {"app@10.% SUPER)", false},       {"app@10.% (SUPER", false},
                {"app (SUPER)", false},           {"app@10.% ) (SUPER", false},
                {"app (SUPER) and a@10.%", false}};
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        struct server_facts *facts = &db(1)->facts;
        (void)stay_copy(facts->passes_read_only, sizeof facts->passes_read_only, rows[i].who);
        const char *fix = row_of(ROW_PASSES_READ_ONLY, 0)->fix;
        assert_int_equal(strstr(fix, "REVOKE SUPER ON *.* FROM '") != NULL, rows[i].parsed);
        assert_non_null(strstr(fix, "mainstay.privileged"));
    }
    static const struct {
        const char *who;
        bool parsed;
    } replicate[] = {{"repl@10.%", true},
                     {"repl@10.% and 1 more", true},
                     {"repl", false},
                     {"repl and a@10.%", false}};
    for (size_t i = 0; i < STAY_COUNT(replicate); i++) {
        struct server_facts *facts = &db(1)->facts;
        (void)stay_copy(facts->may_replicate, sizeof facts->may_replicate, replicate[i].who);
        assert_int_equal(strstr(row_of(ROW_MAY_REPLICATE, 0)->fix, "FROM 'repl'@'10.%'") != NULL,
                         replicate[i].parsed);
    }
}

static int setup_mysql(void **state)
{
    (void)state;
    world_init(&w, ENGINE_MYSQL);
    healthy(&w, 2);
    return 0;
}

/* 8.0.26 renamed them; a version that cannot be read counts as new. */
static void variables_are_spelled_as_the_server_knows_them(void **state)
{
    (void)state;
    static const struct {
        const char *version;
        bool old;
    } rows[] = {{"8.0.25", true}, {"8.0.26", false}, {"8.1.0", false},
                {"9.7.4", false}, {"5.7.44", true},  {"unknown", false}};
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        (void)stay_copy(db(2)->facts.version, sizeof db(2)->facts.version, rows[i].version);
        db(2)->facts.net_timeout_s = 60;
        assert_int_equal(strstr(row_of(ROW_NET_TIMEOUT, 1)->detail, "slave_net_timeout") != NULL,
                         rows[i].old);
    }
}

static void gtids_that_are_off_are_named_by_engine(void **state)
{
    (void)state;
    db(2)->facts.gtid_strict = TRI_NO;
    assert_string_equal(row_of(ROW_GTID, 1)->line, "gtid_mode = ON");
}

static void a_server_nobody_read_has_nothing_wrong(void **state)
{
    (void)state;
    db(2)->facts.ss_replica_enabled = TRI_UNKNOWN;
    assert_non_null(row_of(ROW_PLUGIN, 1));
    db(2)->groups_known = 0;
    assert_null(row_of(ROW_PLUGIN, 1));
}

/* A host named in the configuration needs the server's resolver; an address does not. */
static void names_are_resolved_only_where_the_configuration_has_some(void **state)
{
    (void)state;
    static const struct {
        const char *host;
        enum tri skips;
        bool named;
    } rows[] = {{"10.0.0.2", TRI_NO, true},
                {"fd00::2", TRI_NO, true},
                {"db2.shop", TRI_NO, false},
                {"10.0.0.2", TRI_YES, false}};
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        (void)stay_copy(w.config.nodes[1].host, sizeof w.config.nodes[1].host, rows[i].host);
        db(2)->facts.skip_name_resolve = rows[i].skips;
        assert_int_equal(row_of(ROW_HOST_NAMES, 1) != NULL, rows[i].named);
    }
}

static void an_open_server_is_named_where_it_replicates(void **state)
{
    (void)state;
    static const struct {
        enum receiver_state receiver;
        bool named;
    } rows[] = {{RECEIVER_RUNNING, true}, {RECEIVER_NONE, false}, {RECEIVER_UNKNOWN, false}};
    db(2)->facts.read_only = TRI_NO;
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        db(2)->facts.receiver = rows[i].receiver;
        assert_int_equal(row_of(ROW_OPEN_REPLICA, 1) != NULL, rows[i].named);
    }
}

static void a_missing_grant_is_given_as_its_statement(void **state)
{
    (void)state;
    static const struct {
        const char *missing, *fix;
    } rows[] = {{"mainstay lacks: GRANT RELOAD ON *.* TO mainstay",
                 "on the primary, as root: GRANT RELOAD ON *.* TO mainstay;"},
                {"m lacks" MISSING_RANK ": GRANT SYSTEM_USER ON *.* TO 'm'@'%'",
                 "on the primary, as root: GRANT SYSTEM_USER ON *.* TO 'm'@'%';"},
                {"m lacks 3, first: GRANT RELOAD ON *.* TO m",
                 "on the primary, as root: GRANT RELOAD ON *.* TO m; the rest as in "
                 "deploy/grants/mariadb.sql"},
                {"mainstay: GRANT RELOAD ON *.* TO mainstay",
                 "on the primary, as root: GRANT RELOAD ON *.* TO mainstay; the rest as in "
                 "deploy/grants/mariadb.sql"},
                {"no such account",
                 "make the account as deploy/grants/mariadb.sql does, or mend its password file"}};
    for (size_t i = 0; i < STAY_COUNT(rows); i++) {
        (void)stay_copy(db(2)->facts.missing_grant, sizeof db(2)->facts.missing_grant,
                        rows[i].missing);
        assert_string_equal(row_of(ROW_GRANT, 1)->fix, rows[i].fix);
    }
}

/* Of one server; nothing that blocks clients while too few acknowledge; cut at a whole setting. */
static void what_is_set_while_it_runs_is_the_servers_own_and_blocks_nobody(void **state)
{
    (void)state;
    char text[PLAN_SETTINGS_MAX], small[20];
    db(1)->facts.sync_binlog = 0;
    db(2)->facts.sync_binlog = db(2)->facts.flush_log = 0;
    size_t found = verdict_conformance_live(&w.view, 1, text, sizeof text);
    assert_string_equal(text, "sync_binlog = 1; innodb_flush_log_at_trx_commit = 1");
    assert_int_equal(found, 2);
    assert_int_equal(verdict_conformance_live(&w.view, 1, small, sizeof small), 1);
    assert_string_equal(small, "sync_binlog = 1");
    assert_int_equal(verdict_conformance_live(&w.view, 2, text, sizeof text), 0);
    assert_string_equal(text, "");
    db(1)->facts.ss_timeout_ms = 1000;
    assert_non_null(strstr(row_of(ROW_TIMEOUT, 0)->variable, "timeout"));
    assert_int_equal(verdict_conformance_live(&w.view, 0, text, sizeof text), 2);
    db(1)->facts.ss_clients = 0;
    assert_string_equal(row_of(ROW_TIMEOUT, 0)->variable, "");
    assert_int_equal(verdict_conformance_live(&w.view, 0, text, sizeof text), 1);
}

static void start_values_that_nobody_can_read_are_told_once(void **state)
{
    (void)state;
    size_t count = 9;
    w.config.mode = MODE_LOSSLESS;
    assert_non_null(verdict_conformance_blind(&w.config, &count));
    assert_int_equal(count, 2);
    w.config.mode = MODE_BOUNDED;
    assert_null(verdict_conformance_blind(&w.config, &count));
    assert_int_equal(count, 0);
    w.config.mode = MODE_LOSSLESS;
    w.config.engine = ENGINE_MYSQL; /* it shows them */
    assert_null(verdict_conformance_blind(&w.config, &count));
    w.config.engine = ENGINE_MARIADB;
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define M(f) cmocka_unit_test_setup_teardown(f, setup_mysql, teardown)
    const struct CMUnitTest tests[] = {
        T(an_id_that_is_not_known_is_nobodys),
        T(an_ack_of_the_primarys_own_zone_is_named),
        T(an_acker_that_is_off_is_named_where_it_follows_the_primary),
        T(only_versions_of_two_known_series_differ),
        T(rows_that_do_not_fit_are_counted),
        T(accounts_with_powers_are_named_with_their_statement),
        M(variables_are_spelled_as_the_server_knows_them),
        M(gtids_that_are_off_are_named_by_engine),
        M(a_server_nobody_read_has_nothing_wrong),
        M(plugins_are_missed_by_who_was_read),
        T(names_are_resolved_only_where_the_configuration_has_some),
        T(an_open_server_is_named_where_it_replicates),
        T(a_missing_grant_is_given_as_its_statement),
        M(what_is_set_while_it_runs_is_the_servers_own_and_blocks_nobody),
        T(start_values_that_nobody_can_read_are_told_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

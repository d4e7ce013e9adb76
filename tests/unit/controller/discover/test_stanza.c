/* What is printed passes the configuration's own checks, whatever servers say of themselves; what
 * is not known says so and names its fix. */
#include <setjmp.h>
#include <stdarg.h>
#include "base/base.h"
#include "controller/discover/stanza.h"
#include "controller/settings/settings.h"
#include "tests/unit/controller/discover/crawl_world.h"
#include <cmocka.h>

static const struct world pair = {
    .fakes = {{.host = "10.1.0.11", .port = 3306, .id = 1, .is_open = true},
              {.host = "10.2.0.11",
               .port = 3307,
               .id = 2,
               .source_host = "10.1.0.11",
               .source_port = 3306}},
    .count = 2,
};

struct printed {
    struct stanza_input input;
    struct crawl crawl;
    struct stanza stanza;
    char *text;
    struct settings *settings;
    struct settings_notes notes;
};

static struct printed *begin(struct world *w, const char *from)
{
    struct printed *p = stay_calloc(1, sizeof *p);
    p->input = (struct stanza_input){.cluster = "shop",
                                     .address = from,
                                     .user = "mainstay_monitor",
                                     .password_file = "/etc/mainstay/secrets/monitor",
                                     .ca = "",
                                     .cert = "",
                                     .key = "",
                                     .verify_name = true};
    world_crawl(w, from, NULL, &p->crawl);
    return p;
}

/* Formats it and reads it back as the controller would. */
static void finish(struct printed *p)
{
    struct stay_error err = {0};
    assert_int_equal(stanza_build(&p->stanza, &p->input, &p->crawl, &err), STAY_OK);
    p->text = stanza_format(&p->stanza);
    if (settings_parse(p->text, "printed", SETTINGS_WITHOUT_SECRETS | SETTINGS_WITHOUT_INCLUDE,
                       &p->settings, &p->notes, &err) != STAY_OK)
        fail_msg("%s\n%s", err.text, p->text);
}

static void drop(struct printed *p)
{
    stanza_clear(&p->stanza);
    crawl_clear(&p->crawl);
    settings_free(p->settings);
    free(p->text);
    free(p);
}

static void wants(const struct printed *p, const char *part)
{
    if (strstr(p->text, part) == NULL)
        fail_msg("\"%s\" is not in\n%s", part, p->text);
}

static void the_configuration_is_good_and_says_what_was_found(void **state)
{
    (void)state;
    struct world w = pair;
    struct printed *p = begin(&w, "10.2.0.11:3307");
    finish(p);
    assert_int_equal(p->settings->cluster_count, 1);
    const struct settings_cluster *cluster = &p->settings->clusters[0];
    assert_string_equal(cluster->config.name, "shop");
    assert_int_equal(cluster->config.engine, ENGINE_MARIADB);
    assert_int_equal(cluster->config.node_count, 2);
    assert_string_equal(cluster->config.nodes[0].name, "db1");
    assert_string_equal(cluster->config.nodes[0].host, "10.1.0.11");
    assert_int_equal(cluster->config.nodes[1].port, 3307);
    assert_string_equal(cluster->accounts[ACCOUNT_MONITOR].user, "mainstay_monitor");
    assert_int_equal(cluster->config.failover, FAILOVER_OBSERVE); /* accounts to act with: none */
    wants(p, "# Primary: db1: it accepts writes and replicates from nobody\n");
    wants(p, "FILL IN: canary");
    wants(p, "zone = \"fill-in\"; },  # FILL IN its zone");
    wants(p, "db2: read-only, replica of db1");
    assert_int_equal(p->notes.warning_count, 1); /* lossless cannot stand in one zone */
    assert_true(stanza_is_whole(&p->stanza));
    drop(p);
}

static void zones_accounts_and_tls_make_it_act(void **state)
{
    (void)state;
    struct world w = pair;
    struct printed *p = begin(&w, "10.1.0.11");
    p->input.zone_of = "10.{}.*=eu-{}";
    p->input.ca = "/etc/mainstay/tls/ca \"1\".pem";
    p->input.cert = "/etc/mainstay/tls/cert.pem";
    p->input.key = "/etc/mainstay/tls/key.pem";
    p->input.verify_name = false;
    for (int i = 0; i < STANZA_ACCOUNTS; i++) {
        (void)stay_copy(p->input.accounts[i].user, 81, "mainstay_x");
        (void)stay_copy(p->input.accounts[i].file, STANZA_TEXT_MAX, "/etc/mainstay/secrets/x");
    }
    finish(p);
    const struct settings_cluster *cluster = &p->settings->clusters[0];
    assert_string_equal(cluster->config.nodes[0].zone, "eu-1");
    assert_string_equal(cluster->config.nodes[1].zone, "eu-2");
    assert_int_equal(cluster->config.failover, FAILOVER_AUTOMATIC);
    assert_string_equal(cluster->accounts[ACCOUNT_REPLICATE].user, "mainstay_x");
    assert_string_equal(cluster->tls.ca, "/etc/mainstay/tls/ca \"1\".pem");
    assert_string_equal(cluster->tls.key, "/etc/mainstay/tls/key.pem");
    assert_true(cluster->tls.required);
    assert_false(cluster->tls.verify_name);
    assert_int_equal(p->notes.warning_count, 0);
    drop(p);
}

/* Names, versions and errors come from the servers: none of them may leave its comment. */
static void a_server_cannot_write_configuration(void **state)
{
    (void)state;
    static const char evil[] = "x\n}; ); */ clusters = ( { name = \"evil\"; } ); #\r\xc3\xa4";
    struct world w = pair;
    struct printed *p = begin(&w, "10.1.0.11");
    for (uint32_t m = 0; m < p->crawl.member_count; m++) {
        struct crawl_answer *a = &p->crawl.members[m]->answer;
        (void)stay_copy(a->hostname, sizeof a->hostname, evil);
        (void)stay_copy(a->facts.version, FACT_TEXT_MAX, evil);
        (void)stay_copy(a->facts.receiver_error, FACT_TEXT_MAX, evil);
        (void)stay_copy(a->facts.missing_grant, FACT_TEXT_MAX, evil);
        (void)stay_copy(a->facts.binlog_format, FACT_TEXT_MAX, evil);
        a->facts.receiver = m == 0 ? RECEIVER_NONE : RECEIVER_STOPPED;
        a->groups = FACTS_STATUS | FACTS_SLOW | FACTS_START;
    }
    p->crawl.missing[p->crawl.missing_count] =
        (struct crawl_missing){.why = CRAWL_REPORTED, .by = 0, .address = {"10.9.9.9", 3306}};
    (void)stay_copy(p->crawl.missing[p->crawl.missing_count++].reach.text, 160, evil);
    finish(p);
    assert_int_equal(p->settings->cluster_count, 1);
    assert_string_equal(p->settings->clusters[0].config.name, "shop");
    for (const char *at = p->text; *at != '\0'; at++)
        assert_true(*at == '\n' || (*at >= ' ' && *at <= '~'));
    assert_false(stanza_is_whole(&p->stanza));
    drop(p);
}

/* Servers on one host differ by their ports alone. */
static void zones_may_be_told_by_port(void **state)
{
    (void)state;
    struct world w = pair;
    struct printed *p = begin(&w, "10.1.0.11");
    p->input.zone_of = "*:3306=a,*:33*=b";
    finish(p);
    assert_string_equal(p->settings->clusters[0].config.nodes[0].zone, "a");
    assert_string_equal(p->settings->clusters[0].config.nodes[1].zone, "b");
    drop(p);
}

static void good_host_names_become_node_names(void **state)
{
    (void)state;
    struct world w = pair;
    struct printed *p = begin(&w, "10.1.0.11");
    (void)stay_copy(p->crawl.members[0]->answer.hostname, FACT_TEXT_MAX, "Alpha.example.com");
    (void)stay_copy(p->crawl.members[1]->answer.hostname, FACT_TEXT_MAX, "beta");
    finish(p);
    assert_string_equal(p->settings->clusters[0].config.nodes[0].name, "alpha");
    assert_string_equal(p->settings->clusters[0].config.nodes[1].name, "beta");
    drop(p);
}

static void who_was_not_asked_stands_in_it_with_the_fix(void **state)
{
    (void)state;
    struct world w = pair;
    w.fakes[0].is_hidden = true;
    w.fakes[0].source_host = "10.9.0.1";
    w.fakes[0].source_port = 3306;
    w.fakes[0].is_open = false;
    w.fakes[1].port = 3999; /* nobody tells, nobody guesses */
    struct printed *p = begin(&w, "10.1.0.11");
    finish(p);
    wants(p, "# NOT ASKED: 10.9.0.1:3306, the source of ");
    wants(p, "connect refused\n#   FIX: nothing listens there: start the server, or name the right "
             "port; then discover again");
    wants(p, "# NOT ASKED: 10.2.0.11 streams ");
    wants(p, "--also 10.2.0.11:PORT");
    wants(p, "# Primary: 10.9.0.1:3306: perhaps, but it did not answer");
    assert_false(stanza_is_whole(&p->stanza));
    drop(p);
    w = pair;
    w.fakes[0].fails = OUT_DENIED;
    p = begin(&w, "10.2.0.11:3307");
    finish(p);
    wants(p, "mend --password-file /etc/mainstay/secrets/monitor, make mainstay_monitor as "
             "deploy/grants/mariadb.sql does");
    drop(p);
}

/* Without PROCESS a server shows an empty process list and no error: silence is no proof. */
static void a_server_that_hides_its_replicas_is_named(void **state)
{
    (void)state;
    struct world w = pair;
    w.fakes[0].is_hidden = true;
    w.count = 1;
    struct printed *p = begin(&w, "10.1.0.11");
    p->crawl.members[0]->answer.shows_threads = TRI_NO;
    finish(p);
    wants(p, "GRANT PROCESS ON *.* TO mainstay_monitor");
    assert_false(stanza_is_whole(&p->stanza));
    drop(p);
}

static void the_other_engine_is_left_out(void **state)
{
    (void)state;
    struct world w = pair;
    w.fakes[0].engine = ENGINE_MYSQL;
    struct printed *p = begin(&w, "10.1.0.11");
    finish(p);
    assert_int_equal(p->settings->clusters[0].config.engine, ENGINE_MYSQL);
    assert_int_equal(p->settings->clusters[0].config.node_count, 1);
    wants(p, "# LEFT OUT: 10.2.0.11:3307 is mariadb");
    drop(p);
}

/* The facts go through the controller's own rules. */
static void what_check_will_name_is_named(void **state)
{
    (void)state;
    struct world w = pair;
    struct printed *p = begin(&w, "10.1.0.11");
    struct crawl_answer *a = &p->crawl.members[1]->answer;
    a->groups = FACTS_STATUS | FACTS_SLOW;
    (void)stay_copy(a->facts.version, FACT_TEXT_MAX, "10.11.6-MariaDB");
    a->facts.log_updates = TRI_NO;
    finish(p);
    wants(p, "#   db2, 514 log replica updates: log_slave_updates is OFF\n");
    wants(p, "#   db2, 501 sync_binlog: sync_binlog is 0\n");
    wants(p, "FIX: SET GLOBAL sync_binlog = 1;  file: sync_binlog = 1");
    wants(p, "#   db1: source role: plugin not loaded; replica role: plugin not loaded\n");
    assert_true(p->stanza.finding_count > 2);
    drop(p);
}

/* config check refuses it as it stands. */
static void a_name_is_to_be_replaced_by_its_number(void **state)
{
    (void)state;
    struct world w = pair;
    struct stay_error err = {0};
    struct printed *p = begin(&w, "10.1.0.11");
    struct names_address *address = &p->crawl.members[0]->address;
    (void)stay_copy(address->host, sizeof address->host, "db1.lan");
    assert_int_equal(stanza_build(&p->stanza, &p->input, &p->crawl, &err), STAY_OK);
    p->text = stanza_format(&p->stanza);
    wants(p, "FIX: its address is a name: write its IP address");
    drop(p);
}

/* Sources are matched by the text replicas have: another one is named. */
static void a_source_known_by_another_name_is_named(void **state)
{
    (void)state;
    struct world w = pair;
    w.fakes[0].name = "127.0.0.1";
    struct printed *p = begin(&w, "10.1.0.11");
    (void)stay_copy(p->crawl.members[1]->answer.facts.source_host, FACT_TEXT_MAX, "127.0.0.1");
    finish(p);
    wants(p, "it calls its source 127.0.0.1:3306, which is db1 here");
    drop(p);
}

static void several_primaries_are_a_question(void **state)
{
    (void)state;
    struct world w = pair;
    w.fakes[0].source_host = "10.2.0.11";
    w.fakes[0].source_port = 3307;
    w.fakes[1].is_open = true;
    struct printed *p = begin(&w, "10.1.0.11");
    finish(p);
    wants(p, "# Primary: db1, db2: which of them cannot be told");
    wants(p, "#   FIX: make all but the one true primary read-only");
    assert_false(stanza_is_whole(&p->stanza));
    drop(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_configuration_is_good_and_says_what_was_found),
        cmocka_unit_test(zones_accounts_and_tls_make_it_act),
        cmocka_unit_test(a_server_cannot_write_configuration),
        cmocka_unit_test(zones_may_be_told_by_port),
        cmocka_unit_test(good_host_names_become_node_names),
        cmocka_unit_test(who_was_not_asked_stands_in_it_with_the_fix),
        cmocka_unit_test(a_server_that_hides_its_replicas_is_named),
        cmocka_unit_test(the_other_engine_is_left_out),
        cmocka_unit_test(what_check_will_name_is_named),
        cmocka_unit_test(a_name_is_to_be_replaced_by_its_number),
        cmocka_unit_test(a_source_known_by_another_name_is_named),
        cmocka_unit_test(several_primaries_are_a_question),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

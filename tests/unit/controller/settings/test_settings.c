/* What a good configuration means: values in their places, documented defaults, what is not built
 * yet, what a reload may change, and that the shown defaults are the ones in force. */
#include "tests/unit/controller/settings/settings_cases.h"
#include "controller/settings/option.h"
#include "controller/settings/suggest.h"

static struct settings *load_with(const char *from, const char *to, struct settings_notes *notes)
{
    STAY_AUTO(stay_free_charp) char *text = settings_text_with(&folder, from, to);
    struct settings *settings = NULL;
    struct stay_error err = {0};
    if (settings_parse(text, "m.conf", 0, &settings, notes, &err) != STAY_OK)
        fail_msg("%s", err.text);
    return settings;
}

static void values_of_the_file_reach_their_places(void **state)
{
    (void)state;
    STAY_AUTO(settings_drop) struct settings *s = load_with(NULL, NULL, NULL);
    const struct settings_cluster *c = settings_cluster_named(s, "shop");
    assert_non_null(c);
    assert_string_equal(s->name, "ctl-c");
    assert_string_equal(s->state_path, "/tmp/x/state.db");
    assert_int_equal(s->listen_count, 1);
    assert_string_equal(s->listen[0].address, "127.0.0.1:8420");
    assert_int_equal(c->config.engine, ENGINE_MARIADB);
    assert_int_equal(c->config.node_count, 2);
    assert_string_equal(c->config.nodes[1].host, "10.2.0.11");
    assert_int_equal(c->config.nodes[1].port, 3306);
    assert_string_equal(c->config.nodes[1].zone, "eu-1b");
    assert_string_equal(c->config.controller_zone, "eu-1c");
    assert_string_equal(c->accounts[ACCOUNT_CANARY].user, "c");
    assert_string_equal(c->accounts[ACCOUNT_CANARY].password.text, "hunter2");
    assert_true(c->tls.required);
    assert_true(c->tls.verify_name);
    assert_int_equal(c->config.mode, MODE_LOSSLESS);
    assert_int_equal(c->config.cooldown_us, 3600 * STAY_SECOND);
    assert_int_equal(c->route_count, 1);
    assert_string_equal(c->routes[0].sockets[0], "10.1.0.2:9999");
    assert_string_equal(c->routes[0].write, "shop_rw");
    assert_int_equal(c->routes[0].deadline_us, 200 * STAY_MS);
}

/* mainstay.conf(5) is made from the same table. */
static void defaults_are_the_documented_ones(void **state)
{
    (void)state;
    STAY_AUTO(settings_drop)
    struct settings *s = load_with("failover = { mode = \"automatic\"; grace = \"0s\"; cooldown = "
                                   "\"1h\"; };",
                                   "", NULL);
    const struct cluster_config *c = &s->clusters[0].config;
    struct cluster_config expected = *c;
    cluster_config_defaults(&expected);
    assert_int_equal(c->probe_interval_us, 500 * STAY_MS);
    assert_int_equal(c->probe_interval_us, expected.probe_interval_us);
    assert_int_equal(c->suspicion_interval_us, expected.suspicion_interval_us);
    assert_int_equal(c->layer_deadline_us, expected.layer_deadline_us);
    assert_int_equal(c->refusal_gap_us, expected.refusal_gap_us);
    assert_int_equal(c->silence_us, expected.silence_us);
    assert_int_equal(c->receiving_us, expected.receiving_us);
    assert_int_equal(c->acker_loss_us, expected.acker_loss_us);
    assert_int_equal(c->grace_us, expected.grace_us);
    assert_int_equal(c->cooldown_us, expected.cooldown_us);
    assert_int_equal(c->loss_bytes_max, expected.loss_bytes_max);
    assert_int_equal(c->loss_time_max_us, expected.loss_time_max_us);
    assert_int_equal(c->mode, expected.mode);
    assert_int_equal(c->acks, expected.acks);
    assert_int_equal(c->without_acker, expected.without_acker);
    assert_int_equal(c->failover, expected.failover);
    assert_int_equal(c->accept, expected.accept);
}

static void accept_follows_the_mode_unless_written(void **state)
{
    (void)state;
    STAY_AUTO(settings_drop)
    struct settings *bounded = load_with("mode = \"lossless\"", "mode = \"bounded\"", NULL);
    assert_int_equal(bounded->clusters[0].config.accept, ACCEPT_BOUNDED);
    struct settings_notes notes;
    STAY_AUTO(settings_drop)
    struct settings *weak = load_with("grace = \"0s\"", "accept = \"bounded\"", &notes);
    assert_int_equal(weak->clusters[0].config.accept, ACCEPT_BOUNDED);
    assert_int_equal(notes.warning_count, 1);
    assert_non_null(strstr(notes.lines[0].text, "m.conf:18: clusters[0].failover.accept: "
                                                "\"bounded\" weakens lossless"));
}

static void what_later_issues_build_is_accepted_and_said(void **state)
{
    (void)state;
    struct settings_notes notes;
    STAY_AUTO(settings_drop)
    struct settings *s =
        load_with("controller = {",
                  "access = { anything = 1; };\n"
                  "probes = ( { name = \"web\"; url = \"https://x/\"; interval = \"5s\"; } );\n"
                  "alerts = { anything = 1; };\ncontroller = {",
                  &notes);
    assert_int_equal(s->cluster_count, 1);
    assert_int_equal(notes.warning_count, 3);
    assert_string_equal(notes.lines[0].text, "m.conf:2: probes: is not built yet: accepted, "
                                             "but nothing acts on it");
}

static void a_repository_is_known_by_where_its_key_is(void **state)
{
    (void)state;
    struct settings_notes notes;
    STAY_AUTO(settings_drop)
    struct settings *s =
        load_with("controller = {",
                  "repositories = ( { name = \"main\"; zone = \"eu-1c\"; url = \"file:///r\"; "
                  "master_key = { file = \"/none/key\"; }; }, { name = \"second\"; url = "
                  "\"file:///s\"; } );\ncontroller = {",
                  &notes);
    assert_int_equal(notes.error_count, 0); /* the key's file is not there: nobody here reads it */
    assert_int_equal(s->repository_count, 2);
    const struct settings_repository *repo = settings_repository_named(s, "main");
    assert_string_equal(repo->zone, "eu-1c");
    assert_string_equal(repo->url, "file:///r");
    assert_string_equal(repo->master_key.path, "/none/key");
    assert_string_equal(repo->master_key.text, "");
    assert_false(settings_repository_named(s, "second")->master_key.is_set);
    assert_null(settings_repository_named(s, "third"));
}

static void the_command_line_reads_without_secrets(void **state)
{
    (void)state;
    STAY_AUTO(stay_free_charp) char *text = settings_text_with(&folder, "@/good", "@/none");
    struct settings *s = NULL;
    assert_int_equal(settings_parse(text, "m.conf", SETTINGS_WITHOUT_SECRETS, &s, NULL, NULL),
                     STAY_OK);
    assert_string_equal(s->clusters[0].accounts[ACCOUNT_OPERATE].password.text, "");
    settings_free(s);
}

static void a_reload_names_what_needs_a_restart(void **state)
{
    (void)state;
    char what[200];
    STAY_AUTO(settings_drop) struct settings *a = load_with(NULL, NULL, NULL);
    STAY_AUTO(settings_drop)
    struct settings *b = load_with("cooldown = \"1h\"", "cooldown = \"2h\"", NULL);
    STAY_AUTO(settings_drop)
    struct settings *c = load_with("127.0.0.1:8420", "127.0.0.1:8421", NULL);
    assert_false(settings_needs_restart(a, b, what, sizeof what));
    assert_true(settings_needs_restart(a, c, what, sizeof what));
    assert_string_equal(what, "controller.listen");
}

static void missing_file_is_its_own_error(void **state)
{
    (void)state;
    struct settings *s = NULL;
    struct stay_error err = {0};
    assert_int_equal(settings_load("/nonexistent/m.conf", 0, &s, NULL, &err), STAY_ENOTFOUND);
    assert_string_equal(err.text, "/nonexistent/m.conf: no such file; see mainstay.conf(5) and "
                                  "deploy/examples");
}

static void credentials_come_from_systemd(void **state)
{
    (void)state;
    setenv("CREDENTIALS_DIRECTORY", folder.path, 1);
    STAY_AUTO(settings_drop)
    struct settings *s = load_with("user = \"c\"; password = { file = \"@/good\"; }",
                                   "user = \"c\"; password = { credential = \"open\"; }", NULL);
    unsetenv("CREDENTIALS_DIRECTORY");
    assert_string_equal(s->clusters[0].accounts[ACCOUNT_CANARY].password.text, "hunter2");
}

/* Legend of option_table.c: unique paths, children after their group, help for each, sound ranges.
 */
static void option_table_is_sound(void **state)
{
    (void)state;
    size_t count;
    const struct option *table = option_table(&count);
    for (size_t i = 0; i < count; i++) {
        const struct option *o = &table[i];
        assert_ptr_equal(option_find(o->path), o);
        assert_true(strlen(o->help) > 0 && strlen(o->help) < 90);
        assert_true(o->help[strlen(o->help) - 1] != '.');
        assert_true((o->type == OPTION_WORD) <= (o->range != NULL));
        const char *dot = strrchr(o->path, '.');
        if (dot != NULL) {
            char parent[80];
            snprintf(parent, sizeof parent, "%.*s", (int)(dot - o->path), o->path);
            const struct option *group = option_find(parent);
            assert_non_null(group);
            assert_true(group < o);
            assert_true((group->flags & OPTION_LATER) <= (o->flags & OPTION_LATER));
        }
    }
}

static void nearest_word_is_suggested(void **state)
{
    (void)state;
    struct suggest s;
    suggest_init(&s, "swichover");
    suggest_offer(&s, "failover");
    suggest_offer(&s, "switchover");
    assert_string_equal(s.best, "switchover");
    suggest_init(&s, "xyzzy");
    suggest_offer(&s, "status");
    assert_null(s.best);
}

/* deploy/examples: what people copy first. Their files are not on this machine. */
static void shipped_examples_are_good(void **state)
{
    (void)state;
    static const char *const names[] = {"minimal", "two-zones", "three-nodes-mysql"};
    for (size_t i = 0; i < STAY_COUNT(names); i++) {
        char path[300];
        STAY_AUTO(settings_drop) struct settings *s = NULL;
        struct settings_notes notes;
        struct stay_error err = {0};
        snprintf(path, sizeof path, "%s/../../deploy/examples/%s.conf", MAINSTAY_GOLDEN_DIR,
                 names[i]);
        if (settings_load(path, SETTINGS_WITHOUT_SECRETS, &s, &notes, &err) != STAY_OK)
            fail_msg("%s", err.text);
        assert_int_equal(notes.warning_count, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_of_the_file_reach_their_places),
        cmocka_unit_test(defaults_are_the_documented_ones),
        cmocka_unit_test(accept_follows_the_mode_unless_written),
        cmocka_unit_test(what_later_issues_build_is_accepted_and_said),
        cmocka_unit_test(a_repository_is_known_by_where_its_key_is),
        cmocka_unit_test(the_command_line_reads_without_secrets),
        cmocka_unit_test(a_reload_names_what_needs_a_restart),
        cmocka_unit_test(missing_file_is_its_own_error),
        cmocka_unit_test(credentials_come_from_systemd),
        cmocka_unit_test(option_table_is_sound),
        cmocka_unit_test(shipped_examples_are_good),
        cmocka_unit_test(nearest_word_is_suggested),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

/* The daemon as an object, on servers that refuse (nothing listens): it refuses what it must refuse,
 * keeps its switches over restarts, keeps its old configuration when the new one is wrong, and never
 * acts for a cluster that was not adopted. */
#include "base/base.h"
#include "base/io/file.h"
#include "base/io/real_clock.h"
#include "base/json.h"
#include "controller/run/daemon_private.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <dirent.h>
#include <unistd.h>

static char folder[64], config[96];
static struct daemon *d;

static char *accounts(void)
{
    static const char *const names[] = {"monitor", "canary", "operate", "replicate"};
    char *text = stay_strdup("");
    for (size_t i = 0; i < STAY_COUNT(names); i++) {
        char *longer = stay_sprintf("%s %s = { user = \"u\"; password = { file = \"%s/secret\"; }; };",
                                    text, names[i], folder);
        free(text);
        text = longer;
    }
    return text;
}

static void write_config_of(const char *name, const char *extra)
{
    struct stay_error err;
    STAY_AUTO(stay_free_charp) char *users = accounts();
    STAY_AUTO(stay_free_charp) char *text = stay_sprintf(
        "controller = { name = \"ctl\"; zone = \"w\"; state = \"sqlite:%s/state.db\";\n"
        "  socket = \"%s/sock\"; runbook = \"%s/runbook.txt\"; recorder = \"%s/recorder\"; };\n"
        "clusters = ( { name = \"%s\"; engine = \"mariadb\";\n"
        "  nodes = ( { name = \"db1\"; address = \"127.0.0.1:1\"; zone = \"a\"; },\n"
        "            { name = \"db2\"; address = \"127.0.0.1:2\"; zone = \"b\"; } );\n"
        "  accounts = { %s }; %s } );\n",
        folder, folder, folder, folder, name, users, extra);
    if (file_write_atomic(config, text, strlen(text), 0644, &err) != STAY_OK)
        fail_msg("%s", err.text);
}

static void write_config(const char *extra)
{
    write_config_of("shop", extra);
}

static void open_daemon(void)
{
    struct stay_error err;
    if (daemon_open(config, &d, &err) != STAY_OK)
        fail_msg("%s", err.text);
}

static void close_daemon(void)
{
    if (d)
        daemon_close(d);
    d = NULL;
}

static int setup(void **state)
{
    (void)state;
    struct stay_error err;
    char secret[96];
    (void)snprintf(folder, sizeof folder, "/tmp/mainstay-daemon-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(config, sizeof config, "%s/mainstay.conf", folder);
    (void)snprintf(secret, sizeof secret, "%s/secret", folder);
    if (file_write_atomic(secret, "x\n", 2, 0600, &err) != STAY_OK)
        return -1;
    write_config("");
    return 0;
}

static void empty_folder(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    while (dir && (entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.' && unlinkat(dirfd(dir), entry->d_name, 0) != 0) {
            STAY_AUTO(stay_free_charp) char *below = stay_sprintf("%s/%s", path, entry->d_name);
            empty_folder(below);
            (void)rmdir(below);
        }
    if (dir)
        (void)closedir(dir);
}

static int teardown(void **state)
{
    (void)state;
    close_daemon();
    empty_folder(folder);
    return rmdir(folder);
}

static bool turn_until(bool (*is_true)(void), int64_t within_us)
{
    int64_t until = real_clock_mono_us() + within_us;
    while (!is_true() && real_clock_mono_us() < until)
        (void)loop_turn(&d->loop, 20 * STAY_MS);
    return is_true();
}

static bool is_ready(void)
{
    return d->control.is_ready(d);
}

static void second_daemon_on_the_same_state_is_refused(void **state)
{
    (void)state;
    struct stay_error err;
    struct daemon *second = NULL;
    open_daemon();
    assert_int_equal(daemon_open(config, &second, &err), STAY_EBUSY);
    assert_non_null(strstr(err.text, "held by mainstayd ctl"));
    assert_null(second);
}

static void damaged_state_refuses_to_start(void **state)
{
    (void)state;
    struct stay_error err;
    char path[96], bytes[512];
    memset(bytes, 'x', sizeof bytes);
    (void)snprintf(path, sizeof path, "%s/state.db", folder);
    assert_int_equal(file_write_atomic(path, bytes, sizeof bytes, 0600, &err), STAY_OK);
    assert_int_equal(daemon_open(config, &d, &err), STAY_EINVALID);
    assert_non_null(strstr(err.text, path));
    d = NULL;
}

static void it_gets_ready_and_only_watches_what_is_not_adopted(void **state)
{
    (void)state;
    open_daemon();
    assert_false(is_ready());
    assert_true(turn_until(is_ready, 10 * STAY_SECOND));
    struct control_cluster shop;
    assert_true(d->control.cluster_named(d, "shop", &shop));
    assert_null(shop.run);
    assert_false(d->control.cluster_named(d, "nothing", &shop));
    uint32_t vetoes = 0;
    char id[24];
    struct stay_error err;
    struct plan_params params = {.node = NO_NODE, .detected_mono_us = STAY_NEVER};
    assert_int_equal(d->control.start_plan(d, "shop", PLAN_FAILOVER, &params, &vetoes, id, &err),
                     STAY_EREFUSED);
    assert_true(vetoes & (UINT32_C(1) << GUARD_NOT_ADOPTED));
    assert_non_null(strstr(d->control.runbook(d), "cluster shop (mariadb)"));
}

static int answers;

static void on_switched(void *ctx, enum stay_rc rc, const json_t *data,
                        const struct stay_error *err)
{
    (void)ctx;
    (void)data;
    (void)err;
    assert_int_equal(rc, STAY_OK);
    answers++;
}

static bool has_two_answers(void)
{
    return answers == 2;
}

/* The kill switch of the controller and of one cluster survive a restart. */
static void switches_survive_a_restart(void **state)
{
    (void)state;
    open_daemon();
    assert_true(turn_until(is_ready, 10 * STAY_SECOND));
    answers = 0;
    d->control.set_switch(d, NULL, CONTROL_PAUSE, 0, "anna", "moving racks", on_switched, NULL);
    assert_true(d->is_paused); /* at once */
    d->control.set_switch(d, "shop", CONTROL_PAUSE, 0, "anna", "", on_switched, NULL);
    assert_true(turn_until(has_two_answers, 5 * STAY_SECOND));
    close_daemon();
    open_daemon();
    assert_true(turn_until(is_ready, 10 * STAY_SECOND));
    assert_true(d->is_paused);
    assert_true(d->clusters[0]->view.record.paused);
    answers = 0;
    d->control.set_switch(d, NULL, CONTROL_RESUME, 0, "anna", "", on_switched, NULL);
    d->control.set_switch(d, "shop", CONTROL_RESUME, 0, "anna", "", on_switched, NULL);
    assert_true(turn_until(has_two_answers, 5 * STAY_SECOND));
    assert_false(d->is_paused);
    assert_false(d->clusters[0]->view.record.paused);
}

static void wrong_configuration_is_not_taken_over(void **state)
{
    (void)state;
    struct stay_error err;
    open_daemon();
    const struct settings *before = d->settings;
    write_config("nonsense = 1;");
    assert_int_not_equal(daemon_reload(d, &err), STAY_OK);
    assert_ptr_equal(d->settings, before);
    write_config("failover = { mode = \"observe\"; };");
    assert_int_equal(daemon_reload(d, &err), STAY_OK);
    assert_int_equal(d->clusters[0]->view.config->failover, FAILOVER_OBSERVE);
    assert_true(turn_until(is_ready, 10 * STAY_SECOND));
}

/* Its executor counts tokens from 0 again: a late answer to the former one must not reach it. */
static void a_cluster_that_comes_back_is_another_one(void **state)
{
    (void)state;
    struct stay_error err;
    open_daemon();
    assert_true(turn_until(is_ready, 10 * STAY_SECOND));
    uint64_t before = d->clusters[0]->birth;
    assert_ptr_equal(daemon_cluster_born(d, before), d->clusters[0]);
    write_config_of("other", "");
    if (daemon_reload(d, &err) != STAY_OK)
        fail_msg("%s", err.text);
    write_config("");
    assert_int_equal(daemon_reload(d, &err), STAY_OK);
    assert_string_equal(d->clusters[0]->settings->config.name, "shop");
    assert_null(daemon_cluster_born(d, before));
}

static void clusters_come_and_go_with_a_reload(void **state)
{
    (void)state;
    struct stay_error err;
    open_daemon();
    assert_true(turn_until(is_ready, 10 * STAY_SECOND));
    STAY_AUTO(stay_free_charp) char *users = accounts();
    STAY_AUTO(stay_free_charp) char *two = stay_sprintf(
        "}, { name = \"two\"; engine = \"mariadb\"; nodes = ( { name = \"n1\"; address = "
        "\"127.0.0.1:3\"; zone = \"a\"; } ); accounts = { %s };", users);
    write_config(two);
    if (daemon_reload(d, &err) != STAY_OK)
        fail_msg("%s", err.text);
    assert_int_equal(d->cluster_count, 2);
    write_config("");
    assert_int_equal(daemon_reload(d, &err), STAY_OK);
    assert_int_equal(d->cluster_count, 1);
}

/* A clock jump or a long stall: watching only, for thirty seconds. */
static void hold_keeps_the_later_end(void **state)
{
    (void)state;
    open_daemon();
    int64_t now = loop_now_mono_us(&d->loop);
    daemon_hold(d, now + 30 * STAY_SECOND, "test");
    daemon_hold(d, now + 10 * STAY_SECOND, "test");
    assert_true(d->hold_until_mono_us == now + 30 * STAY_SECOND);
    assert_int_equal(d->holds, 1);
}

static bool is_epoch_raised(void)
{
    return d->clusters[0]->view.record.epoch == 9;
}

/* The canary's row on a server says epoch 9, the state file 3: what it says of the primary is as old.
 * Acting on it fenced a healthy primary (seen in the lab). */
static void an_old_state_file_is_not_acted_upon(void **state)
{
    (void)state;
    open_daemon();
    assert_true(turn_until(is_ready, 10 * STAY_SECOND));
    struct cluster_view *view = &d->clusters[0]->view;
    struct cluster_record record = view->record;
    record.adopted = record.lossless_stands = true;
    record.epoch = 3;
    record.ackers = 2;
    (void)stay_copy(record.primary, sizeof record.primary, "db1");
    cluster_set_record(view, &record);
    view->nodes[1].groups_known |= FACTS_STATUS;
    view->nodes[1].facts.canary_epoch = 9;
    assert_true(turn_until(is_epoch_raised, 5 * STAY_SECOND));
    assert_false(view->record.adopted);
    assert_false(view->record.lossless_stands);
    assert_string_equal(view->record.primary, "");
    assert_int_equal(view->primary, NO_NODE);
    assert_null(executor_run(d->clusters[0]->executor));
}

/* A garbage row in the canary's table would use up all epochs there are. */
static void an_epoch_nobody_used_is_not_believed(void **state)
{
    (void)state;
    open_daemon();
    assert_true(turn_until(is_ready, 10 * STAY_SECOND));
    struct cluster_view *view = &d->clusters[0]->view;
    struct cluster_record record = view->record;
    record.adopted = true;
    record.epoch = 3;
    (void)stay_copy(record.primary, sizeof record.primary, "db1");
    cluster_set_record(view, &record);
    view->nodes[1].groups_known |= FACTS_STATUS;
    view->nodes[1].facts.canary_epoch = INT64_MAX - 1;
    assert_false(turn_until(is_epoch_raised, STAY_SECOND / 2));
    assert_int_equal(view->record.epoch, 3);
    assert_true(view->record.adopted);
    assert_true(d->clusters[0]->epoch_refused == INT64_MAX - 1); /* and said */
    view->nodes[0].groups_known |= FACTS_STATUS;
    view->nodes[0].facts.canary_epoch = 9; /* one that may be is still followed */
    assert_true(turn_until(is_epoch_raised, 5 * STAY_SECOND));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(second_daemon_on_the_same_state_is_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(damaged_state_refuses_to_start, setup, teardown),
        cmocka_unit_test_setup_teardown(it_gets_ready_and_only_watches_what_is_not_adopted, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(switches_survive_a_restart, setup, teardown),
        cmocka_unit_test_setup_teardown(wrong_configuration_is_not_taken_over, setup, teardown),
        cmocka_unit_test_setup_teardown(clusters_come_and_go_with_a_reload, setup, teardown),
        cmocka_unit_test_setup_teardown(a_cluster_that_comes_back_is_another_one, setup, teardown),
        cmocka_unit_test_setup_teardown(hold_keeps_the_later_end, setup, teardown),
        cmocka_unit_test_setup_teardown(an_old_state_file_is_not_acted_upon, setup, teardown),
        cmocka_unit_test_setup_teardown(an_epoch_nobody_used_is_not_believed, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Plan runs as remembered: newest first, bounded per cluster, automatic failovers counted for the
 * hourly limit, the last demotion of a node found for the measured loss. */
#include "base/base.h"
#include "controller/keep/history.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static unsigned deleted;

static void fake_txn(struct store *s, const struct store_compare *compares, size_t compare_count,
                     const struct store_put *puts, size_t put_count, store_txn_fn fn, void *ctx)
{
    (void)s;
    (void)compares;
    (void)compare_count;
    (void)fn;
    (void)ctx;
    for (size_t i = 0; i < put_count; i++)
        deleted += puts[i].value == NULL;
}

static const struct store_ops fake_ops = {.txn = fake_txn};
static struct store fake = {&fake_ops};

static json_t *summary(const char *id, const char *cluster, const char *kind, int64_t begun,
                       bool automatic)
{
    json_t *s = json_object();
    stay_json_set_string(s, "id", id);
    stay_json_set_string(s, "cluster", cluster);
    stay_json_set_string(s, "kind", kind);
    stay_json_set_string(s, "state", "succeeded");
    stay_json_set_string(s, "old_primary", "db1");
    stay_json_set_int(s, "begun_wall_us", begun);
    stay_json_set_bool(s, "automatic", automatic);
    return s;
}

static void update(struct history *h, json_t *s)
{
    history_update(h, s);
    json_decref(s);
}

static void list_is_newest_first_and_by_cluster(void **state)
{
    (void)state;
    struct history *h = history_new(&fake);
    update(h, summary("shop-2", "shop", "failover", 200, true));
    update(h, summary("shop-1", "shop", "adopt", 100, false));
    update(h, summary("other-1", "other", "adopt", 150, false));
    STAY_AUTO(stay_json_drop) json_t *list = history_list(h, "shop", 10);
    assert_int_equal(json_array_size(list), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "id")),
                        "shop-2");
    STAY_AUTO(stay_json_drop) json_t *one = history_list(h, NULL, 1);
    assert_int_equal(json_array_size(one), 1);
    assert_null(history_summary(h, NULL, "nothing"));
    history_free(h);
}

static void failovers_count_only_automatic_ones_of_the_hour(void **state)
{
    (void)state;
    struct history *h = history_new(&fake);
    update(h, summary("shop-1", "shop", "failover", 100, true));
    update(h, summary("shop-2", "shop", "failover", 200, true));
    update(h, summary("shop-3", "shop", "failover", 300, false));
    update(h, summary("shop-4", "shop", "switchover", 400, true));
    assert_int_equal(history_failovers_since(h, 150), 1);
    assert_int_equal(history_failovers_since(h, 0), 2);
    json_t *undone = summary("shop-5", "shop", "failover", 500, true);
    stay_json_set_string(undone, "state", "undone"); /* an attempt is not a failover */
    update(h, undone);
    assert_int_equal(history_failovers_since(h, 0), 2);
    history_free(h);
}

static void only_the_newest_demotion_counts(void **state)
{
    (void)state;
    struct history *h = history_new(&fake);
    update(h, summary("shop-1", "shop", "failover", 100, true));
    assert_non_null(history_last_demotion(h, "shop", "db1"));
    assert_null(history_last_demotion(h, "shop", "db2"));
    json_t *next = summary("shop-2", "shop", "switchover", 200, false);
    stay_json_set_string(next, "old_primary", "db2");
    update(h, next);
    assert_null(history_last_demotion(h, "shop", "db1"));
    assert_non_null(history_last_demotion(h, "shop", "db2"));
    json_t *runs = summary("shop-3", "shop", "failover", 300, true);
    stay_json_set_string(runs, "state", "forward");
    update(h, runs);
    assert_non_null(history_last_demotion(h, "shop", "db2"));
    update(h, summary("shop-3", "shop", "failover", 300, true)); /* the same run, now succeeded */
    assert_non_null(history_last_demotion(h, "shop", "db1"));
    json_t *recovered = summary("shop-4", "shop", "recover", 400, false);
    stay_json_set_string(recovered, "old_primary", "db2");
    update(h, recovered);
    assert_null(history_last_demotion(h, "shop", "db1"));
    assert_non_null(history_last_demotion(h, "shop", "db2"));
    history_free(h);
}

static void too_many_runs_are_deleted_oldest_first(void **state)
{
    (void)state;
    struct history *h = history_new(&fake);
    deleted = 0;
    for (int i = 0; i < HISTORY_KEEP + 5; i++) {
        char id[32];
        (void)snprintf(id, sizeof id, "shop-%d", i);
        update(h, summary(id, "shop", "repoint", i + 1, true));
    }
    assert_int_equal(deleted, 5);
    assert_null(history_summary(h, "shop", "shop-4"));
    assert_non_null(history_summary(h, NULL, "shop-5"));
    history_free(h);
}

static void unreadable_documents_are_listed_as_such(void **state)
{
    (void)state;
    struct history *h = history_new(&fake);
    history_take(h, &(struct store_item){"plan/shop/shop-9", "not json", 3});
    const json_t *s = history_summary(h, NULL, "shop/shop-9");
    assert_non_null(s);
    assert_string_equal(json_string_value(json_object_get(s, "state")), "unreadable");
    history_free(h);
}

static void ids_that_are_no_ids_have_no_key(void **state)
{
    (void)state;
    char key[STORE_KEY_MAX + 1];
    assert_true(history_key("shop", "shop-17", key));
    assert_string_equal(key, "plan/shop/shop-17");
    assert_false(history_key("shop", "", key));
    assert_false(history_key("shop", "../cluster/shop", key));
    assert_false(history_key("shop", "Shop 1", key));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list_is_newest_first_and_by_cluster),
        cmocka_unit_test(failovers_count_only_automatic_ones_of_the_hour),
        cmocka_unit_test(only_the_newest_demotion_counts),
        cmocka_unit_test(too_many_runs_are_deleted_oldest_first),
        cmocka_unit_test(unreadable_documents_are_listed_as_such),
        cmocka_unit_test(ids_that_are_no_ids_have_no_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

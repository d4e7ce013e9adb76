/* tests/unit/controller/keep/store_conformance.h - what every store must do, as cmocka tests that a
 * test program of one kind of store includes. It provides conformance_open(), conformance_reopen()
 * and conformance_turn(), and lists CONFORMANCE_TESTS in its group.
 *
 * Layer: tests. */
#ifndef TESTS_UNIT_CONTROLLER_KEEP_STORE_CONFORMANCE_H
#define TESTS_UNIT_CONTROLLER_KEEP_STORE_CONFORMANCE_H
#include "base/base.h"
#include "controller/keep/store.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct store *conformance_store(void); /* open, empty at the test's start */
void conformance_reopen(void); /* as after a crash of this process */
void conformance_turn(void); /* one turn of the loop */

struct answer {
    int count;
    enum stay_rc rc;
    uint64_t revision;
    size_t items;
    char key[STORE_KEY_MAX + 1], value[256];
    uint64_t version;
    struct answer *order_after; /* must have been answered before this one */
};

static inline void take_txn(void *ctx, enum stay_rc rc, uint64_t revision,
                            const struct stay_error *err)
{
    struct answer *a = ctx;
    assert_true((rc == STAY_OK) == (err == NULL));
    if (a->order_after)
        assert_int_equal(a->order_after->count, 1);
    a->count++;
    a->rc = rc;
    a->revision = revision;
}

static inline void take_get(void *ctx, enum stay_rc rc, const struct store_item *items,
                            size_t count, const struct stay_error *err)
{
    struct answer *a = ctx;
    (void)err;
    a->count++;
    a->rc = rc;
    a->items = count;
    if (count > 0) {
        assert_true(stay_copy(a->key, sizeof a->key, items[0].key));
        assert_true(stay_copy(a->value, sizeof a->value, items[0].value));
        a->version = items[0].version;
    }
}

static inline void take_watch(void *ctx, const struct store_item *item)
{
    struct answer *a = ctx;
    a->count++;
    assert_true(stay_copy(a->key, sizeof a->key, item->key));
    assert_true(stay_copy(a->value, sizeof a->value, item->value ? item->value : "(deleted)"));
    a->version = item->version;
}

static inline void await(const struct answer *a)
{
    for (int i = 0; a->count == 0 && i < 2000; i++)
        conformance_turn();
    assert_int_equal(a->count, 1);
}

static inline struct answer put_if(const char *key, uint64_t version, const char *value)
{
    struct answer a = {0};
    struct store_compare compare = {key, version};
    struct store_put put = {key, value};
    struct store *s = conformance_store();
    s->ops->txn(s, &compare, 1, &put, 1, take_txn, &a);
    assert_int_equal(a.count, 0); /* later, never inside the call */
    await(&a);
    return a;
}

static inline struct answer get_one(const char *key)
{
    struct answer a = {0};
    struct store *s = conformance_store();
    s->ops->get(s, key, 10, take_get, &a);
    await(&a);
    return a;
}

/* A version is taken once: of two writers who saw the same version the second is refused. */
static inline void store_refuses_the_second_of_two_writers(void **state)
{
    (void)state;
    struct answer first = put_if("cluster/shop/record", STORE_ABSENT, "one");
    assert_int_equal(first.rc, STAY_OK);
    assert_int_equal(put_if("cluster/shop/record", STORE_ABSENT, "x").rc, STAY_ECONFLICT);
    struct answer second = put_if("cluster/shop/record", first.revision, "two");
    assert_int_equal(second.rc, STAY_OK);
    assert_true(second.revision > first.revision);
    assert_int_equal(put_if("cluster/shop/record", first.revision, "x").rc, STAY_ECONFLICT);
    struct answer now = get_one("cluster/shop/record");
    assert_string_equal(now.value, "two");
    assert_int_equal(now.version, second.revision);
}

/* Deleting and creating again never gives an old version a second life. */
static inline void store_never_reuses_a_version(void **state)
{
    (void)state;
    struct answer first = put_if("a", STORE_ABSENT, "one");
    assert_int_equal(put_if("a", first.revision, NULL).rc, STAY_OK);
    assert_int_equal(get_one("a").items, 0);
    struct answer again = put_if("a", STORE_ABSENT, "two");
    assert_true(again.revision > first.revision + 1);
    assert_int_equal(put_if("a", first.revision, "x").rc, STAY_ECONFLICT);
}

static inline void store_writes_all_of_a_transaction_or_nothing(void **state)
{
    (void)state;
    struct answer a = {0}, b = {0};
    struct store *s = conformance_store();
    struct store_compare compares[] = {{"one", STORE_ABSENT}, {"two", 77}};
    struct store_put puts[] = {{"one", "1"}, {"two", "2"}};
    s->ops->txn(s, compares, 2, puts, 2, take_txn, &a);
    s->ops->txn(s, compares, 1, puts, 2, take_txn, &b);
    await(&a);
    await(&b);
    assert_int_equal(a.rc, STAY_ECONFLICT);
    assert_int_equal(b.rc, STAY_OK);
    assert_int_equal(get_one("one").version, b.revision);
    assert_int_equal(get_one("two").version, b.revision);
}

/* A journal row counts as durable when called back, so it must be there after a crash. */
static inline void store_keeps_what_it_acknowledged(void **state)
{
    (void)state;
    struct answer a = put_if("plan/shop-17", STORE_ABSENT, "row 3 begun");
    assert_int_equal(a.rc, STAY_OK);
    conformance_reopen();
    struct answer b = get_one("plan/shop-17");
    assert_string_equal(b.value, "row 3 begun");
    assert_int_equal(b.version, a.revision);
    assert_true(put_if("z", STORE_ABSENT, "later").revision > a.revision);
}

static inline void store_answers_in_the_order_it_was_asked(void **state)
{
    (void)state;
    enum { COUNT = 200 };
    struct answer answers[COUNT] = {0};
    struct store *s = conformance_store();
    struct store_put put = {"n", "v"};
    for (int i = 0; i < COUNT; i++) {
        answers[i].order_after = i > 0 ? &answers[i - 1] : NULL;
        s->ops->txn(s, NULL, 0, &put, 1, take_txn, &answers[i]);
    }
    await(&answers[COUNT - 1]);
    for (int i = 1; i < COUNT; i++)
        assert_int_equal(answers[i].revision, answers[i - 1].revision + 1);
}

static inline void store_reads_by_prefix_in_key_order(void **state)
{
    (void)state;
    (void)put_if("plan/b", STORE_ABSENT, "2");
    (void)put_if("plan/a", STORE_ABSENT, "1");
    (void)put_if("plain", STORE_ABSENT, "3");
    struct answer a = get_one("plan/");
    assert_int_equal(a.items, 2);
    assert_string_equal(a.key, "plan/a");
    struct answer b = {0};
    conformance_store()->ops->get(conformance_store(), "", 1, take_get, &b);
    await(&b);
    assert_int_equal(b.items, 1);
    assert_string_equal(b.key, "plain");
}

static inline void store_tells_watchers_of_puts_and_deletes(void **state)
{
    (void)state;
    static struct answer seen; /* a watch lives as long as its store */
    seen = (struct answer){0};
    struct store *s = conformance_store();
    s->ops->watch(s, "cluster/", take_watch, &seen);
    (void)put_if("other", STORE_ABSENT, "1");
    assert_int_equal(seen.count, 0);
    struct answer a = put_if("cluster/shop", STORE_ABSENT, "1");
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.version, a.revision);
    (void)put_if("cluster/shop", a.revision, NULL);
    assert_int_equal(seen.count, 2);
    assert_string_equal(seen.value, "(deleted)");
    (void)put_if("cluster/shop", a.revision, "x"); /* refused: nothing to tell */
    assert_int_equal(seen.count, 2);
}

static inline struct answer take_lease(const char *holder, int64_t ttl_us)
{
    struct answer a = {0};
    struct store *s = conformance_store();
    s->ops->lease(s, "leader", holder, ttl_us, take_txn, &a);
    await(&a);
    return a;
}

/* One holder at a time; renewing keeps the epoch; every new holder gets a higher one. */
static inline void lease_has_one_holder_and_rising_epochs(void **state)
{
    (void)state;
    struct answer a = take_lease("ctl-a", 60 * STAY_SECOND);
    assert_int_equal(a.rc, STAY_OK);
    assert_int_equal(take_lease("ctl-b", 60 * STAY_SECOND).rc, STAY_EBUSY);
    assert_int_equal(take_lease("ctl-a", 10 * STAY_MS).revision, a.revision);
    struct answer b = {.rc = STAY_EBUSY};
    for (int i = 0; b.rc == STAY_EBUSY && i < 2000; i++) {
        conformance_turn();
        b = take_lease("ctl-b", 60 * STAY_SECOND);
    }
    assert_int_equal(b.rc, STAY_OK);
    assert_true(b.revision > a.revision);
    assert_int_equal(take_lease("ctl-a", STAY_SECOND).rc, STAY_EBUSY);
}

#define CONFORMANCE_TESTS(setup, teardown)                                                         \
    cmocka_unit_test_setup_teardown(store_refuses_the_second_of_two_writers, setup, teardown),     \
        cmocka_unit_test_setup_teardown(store_never_reuses_a_version, setup, teardown),            \
        cmocka_unit_test_setup_teardown(store_writes_all_of_a_transaction_or_nothing, setup,       \
                                        teardown),                                                 \
        cmocka_unit_test_setup_teardown(store_keeps_what_it_acknowledged, setup, teardown),        \
        cmocka_unit_test_setup_teardown(store_answers_in_the_order_it_was_asked, setup, teardown), \
        cmocka_unit_test_setup_teardown(store_reads_by_prefix_in_key_order, setup, teardown),      \
        cmocka_unit_test_setup_teardown(store_tells_watchers_of_puts_and_deletes, setup,           \
                                        teardown),                                                 \
        cmocka_unit_test_setup_teardown(lease_has_one_holder_and_rising_epochs, setup, teardown)

#endif

/* tests/unit/controller/act/test_executor_storeless.c - the store refuses, or hangs, while clients
 * wait for a switchover: a primary that is well is opened again without it, and the journal follows
 * when it answers; but never where the promotion may have been stored. */
#include "tests/unit/controller/act/exec_world.h"

#define PAIR                                                                                       \
    "node db1 zone a\nnode db2 zone b\n"                                                           \
    "record primary db1 mode lossless stands ackers db2\n"                                         \
    "fact db1 executed 0-1-100\nfact db2 executed 0-1-100 received 0-1-100\n"

static void drop_first(struct world *w)
{
    free(w->queue[0].journal);
    memmove(&w->queue[0], &w->queue[1], --w->count * sizeof w->queue[0]);
}

/* For `us` every save ends with `rc`, STAY_OK: none is answered at all. Effects are done. */
static void store_gives(struct world *w, enum stay_rc rc, int64_t us)
{
    int64_t end_us = w->now + us;
    for (int i = 0; i < 3000 && w->now < end_us && executor_is_busy(w->x); i++) {
        if (w->count > 0 && w->queue[0].is_save) {
            uint64_t token = w->queue[0].token;
            drop_first(w);
            if (rc != STAY_OK)
                executor_saved(w->x, token, rc, 0, w->now);
            continue;
        }
        if (world_step(w))
            continue;
        w->now = w->wake < end_us ? w->wake : end_us;
        w->wake = w->wake <= w->now ? INT64_MAX : w->wake;
        world_probe(w);
        executor_tick(w->x, w->now, w->now + CASE_WALL - CASE_NOW);
    }
}

/* A switchover whose n-th save is the next call. */
static void start_until_save(struct world *w, uint32_t nth)
{
    struct stay_error err = {0};
    memset(w, 0, sizeof *w);
    world_open(w, PAIR);
    executor_free(w->x);
    w->is_sole = true;
    world_restart(w);
    if (world_plan(w, PLAN_SWITCHOVER, NO_NODE, &err) != STAY_OK)
        fail_msg("start: %s", err.text);
    while (!(w->saves == nth - 1 && w->count > 0 && w->queue[0].is_save))
        assert_true(world_step(w));
}

static bool is_past(const struct world *w)
{
    return executor_run(w->x)->past_no_return;
}

/* The save that stores the point of no return is the first to carry it. */
static uint32_t save_of_no_return(void)
{
    for (uint32_t nth = 1;; nth++) {
        struct world w;
        start_until_save(&w, nth);
        bool is_it = is_past(&w);
        world_close(&w);
        if (is_it)
            return nth;
    }
}

static void check_open_again(struct world *w)
{
    assert_true(w->servers[0].writable && w->servers[0].source == NO_NODE && w->route == 0);
    assert_true(w->servers[1].source == 0 && w->servers[1].receiver_on && !w->servers[1].writable);
    assert_true(executor_is_busy(w->x)); /* nobody else may start a plan meanwhile */
    assert_non_null(strstr(executor_run(w->x)->text, "undone without it"));
}

static void check_undone(struct world *w)
{
    world_run(w);
    assert_int_equal(executor_run(w->x)->state, RUN_UNDONE);
    assert_string_equal(w->stored.plan_id, "");
    assert_string_equal(w->stored.primary, "db1");
    assert_int_equal(w->two_writable, 0);
}

static void clients_do_not_wait_for_a_store(void **state)
{
    (void)state;
    static const enum stay_rc ends[] = {STAY_ESYSTEM, STAY_EUNREACHABLE, STAY_EUNKNOWN, STAY_OK};
    uint32_t last = save_of_no_return(), paused = 0;
    for (size_t i = 0; i < STAY_COUNT(ends); i++)
        for (uint32_t nth = 2; nth <= last; nth++) {
            struct world w;
            start_until_save(&w, nth);
            bool waits = !w.servers[0].writable;
            bool is_known = ends[i] == STAY_ESYSTEM || ends[i] == STAY_EUNREACHABLE;
            bool may = nth < last || is_known;
            paused += waits;
            store_gives(&w, ends[i], 2 * STAY_SECOND);
            if (waits && may)
                check_open_again(&w);
            else
                assert_int_equal(w.servers[0].writable, !waits);
            if (waits && may && ends[i] != STAY_OK) {
                store_gives(&w, STAY_EFAILED, 60 * STAY_SECOND);
                check_open_again(&w);
                check_undone(&w);
            }
            world_close(&w);
        }
    assert_true(paused >= 8);
}

/* It dies before the store answers: its journal says that the switchover goes on. */
static void the_next_process_undoes_it_once_more(void **state)
{
    (void)state;
    uint32_t last = save_of_no_return();
    for (uint32_t nth = 3; nth <= last; nth++) {
        struct world w;
        start_until_save(&w, nth);
        store_gives(&w, STAY_ESYSTEM, 5 * STAY_SECOND);
        world_die(&w);
        assert_true(world_resume(&w));
        check_undone(&w);
        assert_true(w.servers[0].writable && w.route == 0);
        world_close(&w);
    }
}

static void a_store_shared_with_others_is_waited_for(void **state)
{
    (void)state;
    struct world w;
    struct stay_error err = {0};
    world_open(&w, PAIR);
    assert_int_equal(world_plan(&w, PLAN_SWITCHOVER, NO_NODE, &err), STAY_OK);
    while (w.servers[0].writable || !w.queue[0].is_save)
        assert_true(world_step(&w));
    store_gives(&w, STAY_ESYSTEM, 10 * STAY_SECOND);
    assert_false(w.servers[0].writable);
    world_run(&w);
    assert_int_equal(executor_run(w.x)->state, RUN_SUCCEEDED);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_do_not_wait_for_a_store),
        cmocka_unit_test(the_next_process_undoes_it_once_more),
        cmocka_unit_test(a_store_shared_with_others_is_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

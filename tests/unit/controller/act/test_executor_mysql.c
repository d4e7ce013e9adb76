/* tests/unit/controller/act/test_executor_mysql.c - on MySQL F0 is LOSSLESS only if it was the
 * primary that ended its ackers' connections, soon after they were last seen to acknowledge: judged
 * when the plan begins, kept when its process dies, and never taken from what we stopped ourselves
 * or from a receiver that gave up a silent source. */
#include "tests/unit/controller/act/exec_world.h"

#define U "11111111-1111-1111-1111-111111111111"
static const char text[] =
    "engine mysql\nnode db1 zone a\nnode db2 zone b\n"
    "record primary db1 mode lossless stands ackers db2\n"
    "fact db1 executed " U ":1-100\nfact db2 executed " U ":1-90 received " U ":1-100\n"
    "fact db2 acks yes\nrefused db1\n";

/* db2's receiver was first seen to reconnect `after_us` after db1's last facts; -1: not yet seen.
 */
static void open_mysql(struct world *w, int64_t after_us)
{
    world_open(w, text);
    struct node_view *old = &w->c.view.nodes[0], *acker = &w->c.view.nodes[1];
    old->facts_mono_us = old->facts_begun_mono_us = w->now - 300 * STAY_MS;
    old->ss_progress_mono_us = acker->acker_seen_mono_us = old->facts_mono_us;
    if (after_us >= 0)
        acker->receiver_lost_mono_us = old->facts_mono_us + after_us;
}

static void start_failover(struct world *w)
{
    struct stay_error err = {0};
    if (world_plan(w, PLAN_FAILOVER, NO_NODE, &err) != STAY_OK)
        fail_msg("%s", err.text);
}

/* The next process has never heard of db1. */
static void forget_primary(struct world *w)
{
    struct node_view *old = &w->c.view.nodes[0];
    server_facts_clear(&old->facts);
    gtid_set_clear(&old->received_high);
    gtid_set_clear(&old->extra);
    *old = (struct node_view){.facts_begun_mono_us = STAY_NEVER,
                              .facts_mono_us = STAY_NEVER,
                              .query_ok_mono_us = STAY_NEVER,
                              .ss_progress_mono_us = STAY_NEVER,
                              .restarted_mono_us = STAY_NEVER,
                              .writable_mono_us = STAY_NEVER,
                              .receiver_lost_mono_us = STAY_NEVER,
                              .refused_first_mono_us = w->now,
                              .refused_last_mono_us = w->now};
}

static bool is_failed_over(const struct world *w)
{
    return strcmp(w->stored.primary, "db2") == 0 && w->servers[1].writable && w->route == 1;
}

static uint32_t count_calls(void)
{
    struct world w;
    open_mysql(&w, 50 * STAY_MS);
    start_failover(&w);
    world_run(&w);
    const struct plan_run *run = executor_run(w.x);
    if (run->certificate.kind != CERT_LOSSLESS || !is_failed_over(&w))
        fail_msg("%s\n%s\n%s", run->certificate.reason, run->text, str_text(&w.log));
    uint32_t calls = w.calls;
    world_close(&w);
    return calls;
}

static void a_crash_keeps_the_judgement(void **state)
{
    (void)state;
    uint32_t calls = count_calls();
    for (uint32_t at = 1; at <= calls; at++)
        for (int after = 0; after <= 1; after++) {
            struct world w;
            open_mysql(&w, 50 * STAY_MS);
            start_failover(&w);
            w.die_at = at;
            w.die_after = after;
            world_run(&w);
            forget_primary(&w);
            w.c.view.nodes[1].restarted_mono_us = w.now; /* young, read for the first time */
            if (world_resume(&w))
                world_run(&w);
            if (w.stored.epoch > 7 && !is_failed_over(&w))
                fail_msg("dies %s call %u: %s\n%s", after ? "after" : "before", at,
                         executor_run(w.x)->text, str_text(&w.log));
            world_close(&w);
        }
    print_message("%u crashes\n", 2 * calls);
}

static void expect_refused(struct world *w, const char *where)
{
    world_run(w);
    const struct plan_run *run = executor_run(w->x);
    if (run->certificate.kind != CERT_BOUNDED || run->state != RUN_UNDONE ||
        strstr(run->certificate.reason, "orderly shutdown") == NULL)
        fail_msg("%s: %s, %s", where, certificate_kind_text(run->certificate.kind), run->text);
    assert_false(w->servers[1].writable);
}

/* It may have given up a silent source, which lives behind a cut and answers its waiters when
 * somebody shuts it down there (measured: 4 s after a cut the receiver reconnects). */
static void a_connection_lost_late_proves_nothing(void **state)
{
    (void)state;
    struct world w;
    open_mysql(&w, 4 * STAY_SECOND);
    w.now += 10 * STAY_SECOND; /* a human said yes by then */
    w.c.view.nodes[1].query_ok_mono_us = w.c.view.nodes[1].facts_mono_us = w.now;
    start_failover(&w);
    expect_refused(&w, "lost late");
    world_close(&w);
}

static void a_receiver_still_connected_proves_nothing(void **state)
{
    (void)state;
    struct world w;
    open_mysql(&w, 50 * STAY_MS); /* it lost it, and had it again when it was frozen */
    w.servers[0].up = true;
    w.c.view.nodes[0].query_ok_mono_us = w.now - 30 * STAY_SECOND;
    start_failover(&w);
    expect_refused(&w, "connected");
    world_close(&w);
}

/* Stopped by somebody, or by a process of ours that died before it could write it down. */
static void a_receiver_found_stopped_proves_nothing(void **state)
{
    (void)state;
    struct world w;
    open_mysql(&w, 50 * STAY_MS);
    w.servers[1].receiver_on = false;
    start_failover(&w);
    expect_refused(&w, "stopped");
    world_close(&w);
}

/* Before the promotion only their receivers start, which acknowledge: MySQL makes each applier's
 * workers one by one. The ATTACH after it starts the appliers. */
static void ackers_are_attached_again_after_the_promotion(void **state)
{
    (void)state;
    struct world w;
    struct stay_error err = {0};
    world_open(&w, "engine mysql\nnode db1 zone a\nnode db2 zone b\nnode db3 zone c promote never\n"
                   "record primary db1 mode lossless stands ackers db2,db3\n"
                   "fact db1 executed " U ":1-100\nfact db2 executed " U ":1-100\n"
                   "fact db3 executed " U ":1-100\nfact db2 acks yes\nfact db3 acks yes\n"
                   "refused db1\n");
    struct node_view *nodes = w.c.view.nodes;
    nodes[0].ss_progress_mono_us = nodes[0].facts_mono_us;
    for (uint32_t node = 1; node <= 2; node++) {
        nodes[node].acker_seen_mono_us = nodes[0].facts_mono_us;
        nodes[node].receiver_lost_mono_us = w.now;
    }
    if (world_plan(&w, PLAN_FAILOVER, NO_NODE, &err) != STAY_OK)
        fail_msg("%s", err.text);
    world_run(&w);
    assert_true(is_failed_over(&w));
    const char *first = strstr(str_text(&w.log), "attach db3");
    const char *open = strstr(str_text(&w.log), "make writable db2");
    const char *again = open == NULL ? NULL : strstr(open, "attach db3");
    if (first == NULL || open == NULL || first > open || again == NULL)
        fail_msg("%s", str_text(&w.log));
    world_close(&w);
}

/* Switching MySQL's source role off takes up to a second: never inside the write pause. */
static void no_role_goes_off_inside_the_pause(void **state)
{
    (void)state;
    struct world w;
    struct stay_error err = {0};
    world_open(&w, "engine mysql\nnode db1 zone a\nnode db2 zone b\n"
                   "record primary db1 mode lossless stands ackers db2\n"
                   "fact db1 executed " U ":1-100\nfact db2 executed " U ":1-100\n"
                   "fact db2 acks yes\n");
    if (world_plan(&w, PLAN_SWITCHOVER, NO_NODE, &err) != STAY_OK)
        fail_msg("%s", err.text);
    world_run(&w);
    assert_true(is_failed_over(&w));
    if (strstr(str_text(&w.log), "source role off") != NULL || w.servers[0].ss_source)
        fail_msg("%s", str_text(&w.log));
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crash_keeps_the_judgement),
        cmocka_unit_test(a_connection_lost_late_proves_nothing),
        cmocka_unit_test(a_receiver_still_connected_proves_nothing),
        cmocka_unit_test(a_receiver_found_stopped_proves_nothing),
        cmocka_unit_test(ackers_are_attached_again_after_the_promotion),
        cmocka_unit_test(no_role_goes_off_inside_the_pause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

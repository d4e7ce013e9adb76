/* tests/unit/controller/act/test_executor_fenced.c - a fence that was confirmed and no longer holds:
 * the old primary or the candidate restarts while the plan goes on. */
#include "tests/unit/controller/act/exec_world.h"

#define PAIR                                                                                       \
    "node db1 zone a\nnode db2 zone b\nrecord primary db1 mode lossless stands ackers db2\n"       \
    "fact db1 executed 0-1-100\nfact db2 executed 0-1-100 received 0-1-100\n"

static void start(struct world *w)
{
    struct stay_error err = {0};
    world_open(w, PAIR);
    if (world_plan(w, PLAN_FAILOVER, NO_NODE, &err) != STAY_OK)
        fail_msg("start: %s", err.text);
}

static void run_to(struct world *w, const char *line)
{
    for (uint32_t turns = 0; !strstr(str_text(&w->log), line); turns++)
        assert_true(turns < 300 && world_step(w));
}

/* Its configuration opens it at start; clients write to it while the replicas drain. */
static void old_primary_that_restarts_writable_is_fenced_again(void **state)
{
    (void)state;
    struct world w;
    start(&w);
    run_to(&w, "freeze db2\n");
    assert_false(w.servers[0].writable);
    w.now += 5 * STAY_SECOND;
    w.servers[0].writable = true;
    w.servers[0].born_s = (uint64_t)(w.now / STAY_SECOND);
    world_write(&w.servers[0], 0);
    w.now += STAY_SECOND;
    world_probe(&w);
    world_run(&w);
    const struct plan_run *run = executor_run(w.x);
    if (run->state == RUN_SUCCEEDED &&
        (run->certificate.kind == CERT_LOSSLESS || w.servers[0].writable))
        fail_msg("%s by %s, db1 is %s\n%s", certificate_kind_text(run->certificate.kind),
                 proof_kind_text(run->certificate.proof),
                 w.servers[0].writable ? "writable" : "closed", str_text(&w.log));
    assert_int_equal(w.two_writable, 0);
    world_close(&w);
}

/* MariaDB may have lost what it had executed: it is detached by now and would never get it back. */
static void candidate_that_restarts_before_writable_is_judged_again(void **state)
{
    (void)state;
    struct world w;
    struct stay_error err = {0};
    start(&w);
    run_to(&w, "detach db2\n");
    w.now += 5 * STAY_SECOND;
    w.servers[1].born_s = (uint64_t)(w.now / STAY_SECOND);
    gtid_set_clear(&w.servers[1].executed);
    assert_int_equal(gtid_set_parse(GTID_MARIADB, "0-1-98", &w.servers[1].executed, &err), STAY_OK);
    gtid_set_copy(&w.servers[1].received, &w.servers[1].executed);
    w.now += STAY_SECOND;
    world_probe(&w);
    world_run(&w);
    if (w.servers[1].writable)
        fail_msg("promoted without 0-1-99, 0-1-100\n%s", str_text(&w.log));
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_primary_that_restarts_writable_is_fenced_again),
        cmocka_unit_test(candidate_that_restarts_before_writable_is_judged_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

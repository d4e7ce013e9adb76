/* Row 8: a session holds the global read lock: SELECT 1 works, no write does. The canary tells:
 * verdict 122, never healthy; nothing fails over by itself; unlocked, the writes go on.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    const struct lab_load_options patient = {.writers = 16, .rate = 800, .read_timeout_s = 60};
    LAB_MUST(lab, lab_load_start(lab, &patient));
    scenario_write_on(800);
    struct waiter *holder =
        waiter_start(lab, "db1", "root", "FLUSH TABLES WITH READ LOCK; DO SLEEP(55)");
    int64_t begun = lab_now_us();
    SCENARIO_CHECK(state_wait_rule(lab, 122, 20), "verdict 122 not seen");
    printf("122 after %d ms\n", talk_ms_since(begun));
    long before = talk_number(lab, "db1", WORD_ROWS);
    scenario_stays(lab, "db1", 5);
    SCENARIO_CHECK(talk_number(lab, "db1", WORD_ROWS) == before, "something was written");
    SCENARIO_CHECK(state_wait_rule(lab, 122, 2), "verdict 122 did not last");
    scenario_kill_sessions(lab, "db1", "root"); /* the lock goes with its session */
    waiter_end(holder);
    scenario_ready(lab, 40);
    for (begun = lab_now_us(); talk_number(lab, "db1", WORD_ROWS) <= before;)
        SCENARIO_CHECK(talk_ms_since(begun) < 10000, "writes do not go on");
    scenario_check(lab, "db1", 200);
    scenario_pass("8", "FLUSH TABLES WITH READ LOCK held for 5 s and more",
                  "verdict 122, no failover without policy; unlocked, writes go on", "L1 S14 S2");
}

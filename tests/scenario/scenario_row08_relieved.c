/* Row 8 with relieve.stalled = "failover": a session holds the global read lock and no write
 * passes. After relieve.stalled_after mainstay moves the primary by itself, by a switchover that
 * ends the lock with its session; where that cannot be done by a failover whose certificate holds.
 * Once: the next stall within the cooldown is an alert. On MySQL it takes SYSTEM_USER to end a
 * session of root's; without it see row08_outranked.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

static int moves(struct lab *lab)
{
    return state_count_plans(lab, "switchover") + state_count_plans(lab, "failover");
}

int main(int argc, char **argv)
{
    struct lab *lab =
        scenario_begin(argc, argv, (struct lab_options){.acker = true}, SCENARIO_NO_CONTROLLER);
    LAB_MUST(lab, lab_edit_config(lab, "durability =",
                                  "relieve = { stalled = \"failover\"; stalled_after = \"3s\"; };\n"
                                  "    durability ="));
    scenario_start_controller(lab, true);
    const struct lab_load_options patient = {.writers = 16, .rate = 400, .read_timeout_s = 60};
    LAB_MUST(lab, lab_load_start(lab, &patient));
    scenario_write_on(800);
    struct waiter *holder =
        waiter_start(lab, "db1", "root", "FLUSH TABLES WITH READ LOCK; DO SLEEP(600)");
    int64_t begun_us = lab_now_us();
    STAY_AUTO(stay_free_charp) char *now = state_wait_moved(lab, "db1", 60);
    SCENARIO_CHECK(now != NULL && strcmp(now, "db2") == 0, "the primary is %s", now);
    printf("moved %d ms after the lock, by %d switchovers and %d failovers\n",
           talk_ms_since(begun_us), state_count_plans(lab, "switchover"),
           state_count_plans(lab, "failover"));
    scenario_story(lab, state_count_plans(lab, "failover") > 0 ? "failover" : "switchover");
    waiter_end(holder);
    (void)scenario_settled(lab, "db1", 90);
    scenario_write_on(1000);
    int before = moves(lab);
    holder = waiter_start(lab, "db2", "root", "FLUSH TABLES WITH READ LOCK; DO SLEEP(600)");
    SCENARIO_CHECK(state_wait_rule(lab, 122, 30), "verdict 122 not seen on db2");
    scenario_stays(lab, "db2", 8);
    SCENARIO_CHECK(moves(lab) == before, "moved again within the cooldown");
    scenario_kill_sessions(lab, "db2", "root");
    waiter_end(holder);
    scenario_ready(lab, 60);
    scenario_check(lab, "db2", 100);
    scenario_pass("8 relieved", "a global read lock, with relieve.stalled = failover",
                  "the primary moves once, nothing is lost; the next stall is an alert",
                  "L1 S14 S2");
}

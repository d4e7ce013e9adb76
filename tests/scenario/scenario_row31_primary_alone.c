/* Row 31: the primary is cut from everything and lives on. Its acker is frozen (F0), so it can no
 * longer acknowledge; the replica is promoted; healed, the old one is fenced before anything else.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    scenario_load(lab);
    LAB_MUST(lab, lab_cut(lab, "db1", "all", false));
    struct waiter *local =
        waiter_start(lab, "db1", "app", "INSERT INTO shop.ledger (client, seq) VALUES (9999, 1)");
    const char *now = scenario_failover_unseen(lab, "db1", 30);
    scenario_story(lab, "failover");
    unsigned code = 1;
    SCENARIO_CHECK(!waiter_has_answer(local, 0, &code) || code != 0,
                   "the isolated primary acknowledged a commit");
    scenario_write_on(1000);
    LAB_MUST(lab, lab_heal(lab, NULL, NULL));
    (void)scenario_settled(lab, "db1", 40);
    SCENARIO_CHECK(!waiter_has_answer(local, 0, &code) || code != 0, "told OK by the fence");
    waiter_end(local);
    SCENARIO_CHECK(strcmp(lab_writable(lab), now) == 0, "writable: '%s'", lab_writable(lab));
    scenario_check(lab, now, 50);
    scenario_pass("31", "primary cut from everything, healed after the failover",
                  "F0, then promote; nobody acknowledged twice; fenced on return", "S1 S2 S8");
}

/* Row 36: who sees whom is not transitive: the controller does not see the primary, the primary and
 * the candidate do not see each other, a third server sees everybody. It still receives, which is
 * proof of life: held, whichever paths break; nothing is promoted.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

/* Connected is not yet receiving: its old dump thread may hold the new one up for seconds. */
static void wait_receives(struct lab *lab, const char *node)
{
    long behind = 1000000;
    for (int64_t begun = lab_now_us(); behind > 500; scenario_write_on(100)) {
        SCENARIO_CHECK(talk_ms_since(begun) < 120000, "%s is %ld rows behind", node, behind);
        behind = talk_number(lab, "db1", WORD_ROWS) - talk_number(lab, node, WORD_ROWS);
    }
    scenario_write_on(1500); /* and the controller has seen it */
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){.acker = true}, 0);
    scenario_load(lab);
    LAB_MUST(lab, lab_cut(lab, "db1", "controller", false) && lab_cut(lab, "db1", "db2", false));
    SCENARIO_CHECK(state_wait_rule(lab, 110, 15), "verdict 110 not seen");
    scenario_stays(lab, "db1", 6);
    SCENARIO_CHECK(state_wait_rule(lab, 110, 2), "verdict 110 did not last");
    LAB_MUST(lab, lab_heal(lab, "db1", "db2"));
    wait_receives(lab, "db2");
    LAB_MUST(lab, lab_cut(lab, "db2", "db3", false) && lab_cut(lab, "db3", "controller", false));
    scenario_stays(lab, "db1", 6); /* now db2 is the one that sees everybody it must */
    LAB_MUST(lab, lab_heal(lab, NULL, NULL));
    scenario_ready(lab, 60);
    scenario_check(lab, "db1", 500);
    scenario_pass("36", "controller-db1 and db1-db2 cut, db3 sees all; then db2 sees all",
                  "held (110) both times, no failover, no write stopped", "S5 S14 S2");
}

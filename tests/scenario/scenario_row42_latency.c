/* Row 42: 200 ms more between the zones, then a delay that changes each second, then the same on
 * the controller's way to the primary. Commits get slower, nothing fails over.
 * ENGINES: mariadb mysql */
#include "tests/lib/server_talk.h"

static int commit_ms(struct lab *lab)
{
    int64_t begun = lab_now_us();
    talk_insert(lab, "db1", 1);
    return talk_ms_since(begun);
}

int main(int argc, char **argv)
{
    static const int jitter_ms[] = {20, 130, 60, 180, 40};
    char done[120];
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){0}, 0);
    scenario_load(lab);
    int plain = commit_ms(lab);
    LAB_MUST(lab, lab_slow(lab, "a", "b", 100));
    scenario_write_on(500);
    int slow = commit_ms(lab);
    scenario_stays(lab, "db1", 8);
    SCENARIO_CHECK(slow >= 200 && slow > plain, "a commit takes %d ms, %d before", slow, plain);
    for (size_t i = 0; i < STAY_COUNT(jitter_ms); i++) {
        LAB_MUST(lab, lab_heal(lab, NULL, NULL) && lab_slow(lab, "a", "b", jitter_ms[i]) &&
                          lab_slow(lab, "db1", "controller", jitter_ms[i]));
        scenario_stays(lab, "db1", 1);
    }
    LAB_MUST(lab, lab_heal(lab, NULL, NULL) && lab_slow(lab, "controller", "all", 100));
    scenario_stays(lab, "db1", 8);
    LAB_MUST(lab, lab_heal(lab, NULL, NULL));
    scenario_ready(lab, 40);
    scenario_check(lab, "db1", 200);
    snprintf(done, sizeof done, "no failover; a commit takes %d ms, %d before", slow, plain);
    scenario_pass("42",
                  "+200 ms between zones 8 s, +40 to +360 ms changing 5 s, +200 ms to the "
                  "controller 8 s",
                  done, "S14 S2");
}

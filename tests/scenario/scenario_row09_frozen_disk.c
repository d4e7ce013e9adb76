/* Row 9, the disk that hangs: the primary's data folder takes no write any more, nothing fails and
 * reads work. Verdict 122 is reached and kept (its policy is an operator's), the failover that the
 * operator asks for is proved by its ackers, for the old primary cannot be fenced; when the disk
 * works again, what was stuck in it reaches no client.
 * ENGINES: mariadb mysql */
#include "base/json.h"
#include "tests/lib/scenario.h"

/* On MySQL the fence that could not be finished left the old primary in offline mode, closed to
 * everybody but administrators, our monitor included: it is read by the account that operates, and
 * closed for good. */
static void is_closed_and_open_to_the_monitor(struct lab *lab)
{
    if (lab_engine_of(lab) != LAB_MYSQL)
        return;
    STAY_AUTO(stay_free_charp)
    char *modes = scenario_value(lab, "db1", "SELECT @@offline_mode + 2 * @@super_read_only");
    SCENARIO_CHECK(strcmp(modes, "2") == 0, "offline_mode and super_read_only are %s", modes);
    printf("db1 is super_read_only and no longer offline\n");
}

int main(int argc, char **argv)
{
    struct lab *lab = scenario_begin(argc, argv, (struct lab_options){.disks = true}, 0);
    scenario_load(lab);
    LAB_MUST(lab, lab_freeze_disk(lab, "db1", true));
    SCENARIO_CHECK(state_wait_rule(lab, 122, 20), "20 s later verdict 122 does not stand");
    SCENARIO_CHECK(lab_is_running(lab, "db1"), "the server gave up");
    scenario_stays(lab, "db1", 2);
    SCENARIO_CHECK(state_wait_rule(lab, 122, 1), "verdict 122 did not last");
    int code = -1;
    STAY_AUTO(stay_json_drop) json_t *answer = NULL;
    LAB_MUST(lab, lab_cli(lab, &code, &answer, "failover", "shop", "--yes", "--reason",
                          "its disk hangs", NULL));
    STAY_AUTO(stay_free_charp) char *text = answer == NULL ? NULL : json_dumps(answer, 0);
    printf("failover exits %d: %.400s\n", code, text == NULL ? "" : text);
    const char *now =
        code == 0 ? scenario_failover(lab, "db1", 30) : scenario_failover_unseen(lab, "db1", 30);
    scenario_story(lab, "failover");
    scenario_write_on(1000);
    LAB_MUST(lab, lab_freeze_disk(lab, "db1", false));
    const char *how = scenario_settled(lab, "db1", 60);
    is_closed_and_open_to_the_monitor(lab);
    scenario_check(lab, now, 100);
    printf("db1 came back as %s\n", how);
    scenario_pass("9", "the primary's disk hangs: writes block, reads work",
                  "verdict 122, failover on request, the old primary closed on its return",
                  "L1 S1 S2");
}
